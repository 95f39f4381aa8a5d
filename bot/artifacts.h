/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/event.h"
#include "bot/roster.h"
#include "media/chapters.h"

#include <gio/gio.h>

/*
 * The files beside the recording. Each appears under its final name only when it is whole. All
 * calls block on the disk only; any thread that owns its arguments.
 */

typedef struct {
    uint32_t id;
    double start_s, end_s; /* on the recording's time */
} BotSpeechRow;

typedef struct {
    double at_s;
    uint32_t id;
    char *name; /* owned */
    char *text; /* owned */
} BotChatRow;

void bot_chat_row_clear(gpointer row);

typedef struct {
    const char *bot_id;
    const char *platform;              /* NULL: unknown */
    int64_t recording_started_unix_ms; /* 0: never */
    double duration_s;
    const char *end_reason; /* NULL: none */
    const char *error;      /* NULL: none */
    JsonArray *gaps;        /* as bot_gaps_to_json */
    JsonArray *artifacts;   /* [{name, bytes, sha256}] */
} BotMetadata;

/** @rows: (element-type BotSpeechRow), ordered by start; names from @roster. */
bool bot_artifacts_write_diarization(const char *output_dir, GArray *rows, BotRoster *roster,
                                     GError **error);

/** Returns (transfer full): the names of who spoke in @rows, in the order of their first word. */
JsonArray *bot_artifacts_speaker_names(GArray *rows, BotRoster *roster);

/**
 * bot_artifacts_chapters:
 * @segments: (element-type MediaSpeechSegment): ordered by start
 *
 * Returns (transfer full) (element-type MediaChapter): a chapter a speaker turn, with their names.
 */
GArray *bot_artifacts_chapters(GArray *segments, BotRoster *roster);

/** @recording_started_us: monotonic; -1 when nothing was recorded (times are 0 then). */
bool bot_artifacts_write_participants(const char *output_dir, BotRoster *roster,
                                      int64_t recording_started_us, GError **error);

/** @rows: (element-type BotChatRow) */
bool bot_artifacts_write_chat(const char *output_dir, GArray *rows, GError **error);

bool bot_artifacts_write_metadata(const char *output_dir, const BotMetadata *metadata,
                                  GError **error);

/**
 * bot_artifacts_describe:
 *
 * Returns (transfer full) {name, bytes, sha256} of a file in @output_dir, or NULL when it is not
 * there.
 */
JsonObject *bot_artifacts_describe(const char *output_dir, const char *name);

/** One "artifact" event for each of @artifacts, as described. */
void bot_artifacts_report(JsonArray *artifacts, BotEventLog *log);

/** The same once more for the one called @name, with the @url that it was uploaded to. */
void bot_artifacts_report_uploaded(JsonArray *artifacts, const char *name, const char *url,
                                   BotEventLog *log);

/** Every artifact of @output_dir that exists, in the order of docs/worker.md. */
JsonArray *bot_artifacts_describe_all(const char *output_dir);
