/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The "data" of the Meeting BaaS v1 webhooks, built in one place: by the worker that reports for
 * itself and by the orchestrator that reports for its workers. Pure; any thread. What is returned
 * is (transfer full).
 */

typedef struct {
    const char *code;
    int64_t start_time_unix_ms; /* of in_call_recording; 0: not a member */
    const char *error_message;  /* of meeting_error; NULL: not a member */
    const char *error_type;     /* likewise */
} BotStatusReport;

typedef struct {
    const char *end_reason;
    const char *recording_url; /* NULL: nothing was recorded */
    JsonArray *speakers;       /* (transfer none): names */
} BotCompleteReport;

typedef struct {
    const char *error;      /* "CannotJoinMeeting" */
    const char *error_code; /* "access_denied" */
    const char *message;    /* a sentence for people */
} BotFailedReport;

/** @time_unix_ms: of the status */
JsonObject *bot_report_status_data(const char *bot_id, const BotStatusReport *status,
                                   int64_t time_unix_ms);

/** @extra: (nullable) (transfer none): what the caller gave with the bot */
JsonObject *bot_report_complete_data(const char *bot_id, JsonNode *extra,
                                     const BotCompleteReport *complete);
JsonObject *bot_report_failed_data(const char *bot_id, JsonNode *extra,
                                   const BotFailedReport *failed);

/** A status as members of the worker's "status" event, and back. */
JsonObject *bot_report_status_members(const BotStatusReport *status);
/** Strings are borrowed from @members. Returns false when it holds no code. */
bool bot_report_status_parse(JsonObject *members, BotStatusReport *ret_status);

/** Returns (transfer full): ISO 8601 in UTC with milliseconds, "2026-01-01T12:00:00.000Z". */
char *bot_report_iso_time(int64_t unix_ms);
