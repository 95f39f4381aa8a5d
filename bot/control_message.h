/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>

/*
 * The control link's messages (docs/worker.md, "Control link"). Pure: whatever the other end sends
 * is parsed here, and nowhere else. Any thread.
 */

typedef enum {
    BOT_CONTROL_ACK,
    BOT_CONTROL_COMMAND,
} BotControlType;

typedef struct {
    BotControlType type;
    gint64 seq; /* of an ack: every event up to it is kept for good */
    char *id;   /* owned, like name and args: of a command */
    char *name;
    JsonObject *args; /* NULL: none */
} BotControlMessage;

/** Longest id of a command, in bytes. */
#define BOT_CONTROL_MAX_ID 200
/** How much one message may hold: speech comes as base64. */
#define BOT_CONTROL_MAX_BYTES (16u * 1024 * 1024)

typedef enum {
    BOT_CONTROL_ERROR_MESSAGE, /* not a message of the protocol */
} BotControlError;

#define BOT_CONTROL_ERROR bot_control_error_quark()
GQuark bot_control_error_quark(void);

/**
 * bot_control_message_parse:
 * @text: @length bytes, of any origin
 * @ret_message: (out caller-allocates): clear with bot_control_message_clear
 *
 * Errors: BOT_CONTROL_ERROR_MESSAGE, which names the member that is wrong and never its value.
 */
bool bot_control_message_parse(const char *text, gsize length, BotControlMessage *ret_message,
                               GError **error);
void bot_control_message_clear(BotControlMessage *message);

/**
 * bot_control_hello:
 * @worker_id: (nullable): the name that the orchestrator gave this process
 * @bot_id: (nullable): NULL while the worker stands by
 *
 * Returns (transfer full): the first message of a connection.
 */
char *bot_control_hello(const char *worker_id, const char *bot_id, gint64 last_seq);

/** Returns (transfer full): the message that carries @event, which is one JSON object as text. */
char *bot_control_event(const char *event);

/** Returns (transfer full): @result ("id", "ok", "error"; (transfer none)) as a message. */
char *bot_control_result(JsonObject *result);
