/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <libsoup/soup.h>
#include <stdbool.h>

#include <json-glib/json-glib.h>

/*
 * The orchestrator's end of the control links: GET /control on its server, as a WebSocket. A worker
 * is known by the hash of its token alone; its newest connection counts, an older one is closed.
 * Main thread only; events come from the main context.
 */

typedef struct OrchControl OrchControl;
typedef struct OrchLink OrchLink; /* one connection */

typedef struct {
    /* Is a worker with this token expected? Otherwise the answer is 401. */
    bool (*is_expected)(const char *token_hash, gpointer user_data);
    /* @bot_id: NULL: it stands by. Answer with orch_link_ack, or orch_link_close. */
    void (*on_hello)(OrchLink *link, const char *bot_id, gpointer user_data);
    /* Only after a hello with a bot. @event has a type and a seq. */
    void (*on_event)(OrchLink *link, JsonObject *event, gpointer user_data);
    /* @code, @message: NULL when @ok */
    void (*on_result)(OrchLink *link, const char *id, bool ok, const char *code,
                      const char *message, gpointer user_data);
    /* It is gone for good; nothing follows. Not after orch_link_close. */
    void (*on_closed)(OrchLink *link, gpointer user_data);
} OrchControlEvents;

#define ORCH_CONTROL_PATH "/control"

/** @server: (transfer none): its handlers of that path stay until it is freed */
OrchControl *orch_control_new(SoupServer *server, const OrchControlEvents *events,
                              gpointer user_data);
/** Closes every link, without an event. */
void orch_control_free(OrchControl *control);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchControl, orch_control_free)

/** Borrowed. */
const char *orch_link_get_token_hash(OrchLink *link);
/** NULL before its hello, and while the worker stands by. Borrowed. */
const char *orch_link_get_bot_id(OrchLink *link);

/** Every event up to @seq is durable. */
void orch_link_ack(OrchLink *link, gint64 seq);
/** @args: (nullable) (transfer none) */
void orch_link_command(OrchLink *link, const char *id, const char *name, JsonObject *args);
/** Frees @link. */
void orch_link_close(OrchLink *link, const char *why);
