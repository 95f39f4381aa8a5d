/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>

/*
 * The control link's messages as the orchestrator sees them (docs/worker.md, "Control link"). Pure:
 * what a worker sends is parsed here, and nowhere else. Any thread.
 */

typedef enum {
    ORCH_CONTROL_HELLO,
    ORCH_CONTROL_EVENT,
    ORCH_CONTROL_RESULT,
} OrchControlType;

typedef struct {
    OrchControlType type;
    char *bot_id; /* owned: of a hello; NULL: the worker stands by */
    gint64 last_seq;
    JsonObject *event; /* owned: it has a type and a seq of 1 at least */
    char *id;          /* owned: of a result, like the next two */
    bool ok;
    char *code, *message; /* NULL when ok */
} OrchControlMessage;

/** How much one message may hold. */
#define ORCH_CONTROL_MAX_BYTES (1024u * 1024)

typedef enum {
    ORCH_CONTROL_ERROR_MESSAGE, /* not a message of the protocol */
} OrchControlError;

#define ORCH_CONTROL_ERROR orch_control_error_quark()
GQuark orch_control_error_quark(void);

/**
 * orch_control_message_parse:
 * @text: @length bytes, of any origin
 * @ret_message: (out caller-allocates): clear with orch_control_message_clear
 *
 * Errors: ORCH_CONTROL_ERROR_MESSAGE, which names the member that is wrong and never its value.
 */
bool orch_control_message_parse(const char *text, gsize length, OrchControlMessage *ret_message,
                                GError **error);
void orch_control_message_clear(OrchControlMessage *message);

/** Returns (transfer full). */
char *orch_control_ack(gint64 seq);

/** @args: (nullable) (transfer none). Returns (transfer full). */
char *orch_control_command(const char *id, const char *name, JsonObject *args);
