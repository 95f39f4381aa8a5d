/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>

/*
 * The one ordered stream of what happened: JSON objects {"seq","time","type",…}, a line each,
 * appended to events.ndjson and written out before anybody acts on them, so that a killed worker
 * loses none that it reported. Main thread only.
 */

typedef struct BotEventLog BotEventLog;

/**
 * bot_event_log_new:
 * @output_dir: gets events.ndjson; an existing one is continued (--recover), its seq too
 * @mirror_fd: also written there (--events -), or -1; not closed
 *
 * Errors: G_IO_ERROR.
 */
BotEventLog *bot_event_log_new(const char *output_dir, int mirror_fd, GError **error);
void bot_event_log_free(BotEventLog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BotEventLog, bot_event_log_free)

/**
 * bot_event_log_emit:
 * @type: "state", "participant", …
 * @members: (transfer full): what the type carries; seq, time and type are added
 *
 * Written before it returns. A write that fails (disk full) is reported once on the log; the
 * mirror still gets every event.
 */
void bot_event_log_emit(BotEventLog *log, const char *type, JsonObject *members);

/** @event: the object as JSON text, without a newline */
typedef void (*BotEventSink)(gint64 seq, const char *event, gpointer user_data);

/** From now on @sink (or NULL: none) gets every event, once it is written. */
void bot_event_log_set_sink(BotEventLog *log, BotEventSink sink, gpointer user_data);

/** The number of the newest event; 0: there is none. */
gint64 bot_event_log_get_last_seq(BotEventLog *log);

/** Returns (transfer full): where the events of @output_dir stand. */
char *bot_event_log_path(const char *output_dir);

/** Every event of the log's folder so far: (transfer full) array of objects, cut lines left out. */
JsonArray *bot_event_log_read(const char *output_dir);

/** Convenience: one "warning" event with @code and @message, also on the log. */
void bot_event_log_warn(BotEventLog *log, const char *code, const char *message);

/** Set member @name of @object to the string @value, or to null where there is none. */
void bot_json_set_optional(JsonObject *object, const char *name, const char *value);
