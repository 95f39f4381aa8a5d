/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/control_message.h"

/*
 * The worker's end of the control link: a WebSocket to the orchestrator that is dialled again for
 * as long as the worker lives, a journal of events that the orchestrator has not acknowledged, and
 * the commands that come back. After each (re)connection the worker says hello, the orchestrator
 * answers with an ack of the last event it has, and what comes after that one is sent (again), in
 * order. The journal in memory is bounded: what does not fit is read from events.ndjson later.
 *
 * Main thread only; events come from the main context, never from inside a call, never after
 * bot_control_link_free, which may be called inside on_command, on_link and on_drained.
 */

typedef struct BotControlLink BotControlLink;

typedef struct {
    /* @args: (nullable) (transfer none) */
    void (*on_command)(const char *id, const char *name, JsonObject *args, gpointer user_data);
    /* The orchestrator knows this worker (its first ack came), or the connection is gone. */
    void (*on_link)(bool up, gpointer user_data);
    /* Something is wrong with the other end; told once until the link is up again. Codes:
     * control_refused (its answer was no), control_message (not a message of the protocol). */
    void (*on_warning)(const char *code, const char *message, gpointer user_data);
    /* After bot_control_link_finish: every event is acknowledged. */
    void (*on_drained)(gpointer user_data);
} BotControlLinkEvents;

typedef struct {
    const char *url;       /* ws or wss */
    const char *token;     /* nullable: sent as Authorization: Bearer */
    const char *worker_id; /* nullable */
    unsigned stall_ms;     /* no ack for so long: the connection counts as dead; 0: the default */
    gsize journal_bytes;   /* in memory at most; 0: the default */
} BotControlLinkConfig;

#define BOT_CONTROL_STALL_MS 15000u
#define BOT_CONTROL_JOURNAL_BYTES (4u * 1024 * 1024)

/** Strings are copied. Nothing is dialled before bot_control_link_start. */
BotControlLink *bot_control_link_new(const BotControlLinkConfig *config,
                                     const BotControlLinkEvents *events, gpointer user_data);
void bot_control_link_free(BotControlLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BotControlLink, bot_control_link_free)

/** Dial, and again after 0.2 to 5 s, with jitter, whenever it fails or breaks. Call once. */
void bot_control_link_start(BotControlLink *link);

/**
 * bot_control_link_set_bot:
 * @events_path: the log that has the events up to @last_seq already
 *
 * Whose events these are; says hello again on a connection that is up. Call at most once.
 */
void bot_control_link_set_bot(BotControlLink *link, const char *bot_id, const char *events_path,
                              gint64 last_seq);

/** @event: one JSON object as text, which the log has already (if it can be written). */
void bot_control_link_send_event(BotControlLink *link, gint64 seq, const char *event);

/**
 * bot_control_link_send_result:
 * @result: (transfer none): "id", "ok", "error"
 *
 * Lost when the link is down: the orchestrator repeats its command, and the result is told again.
 */
void bot_control_link_send_result(BotControlLink *link, JsonObject *result);

/** on_drained follows once every event so far is acknowledged, perhaps at once (from an idle). */
void bot_control_link_finish(BotControlLink *link);

/** Is there an event without an acknowledgement? */
bool bot_control_link_has_unacknowledged(BotControlLink *link);

bool bot_control_link_is_up(BotControlLink *link);
