/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/config.h"
#include "bot/webhook.h"

/*
 * The owner's webhooks (Meeting BaaS v1) as messages: what a living session and a recovery both
 * report. Everything is queued in the outbox; nothing blocks. @webhook may be NULL: nobody wants
 * to know. Main thread only.
 */

typedef struct {
    const char *code;
    int64_t start_time_unix_ms; /* of in_call_recording; 0: not a member */
    const char *error_message;  /* of meeting_error; NULL: not a member */
    const char *error_type;     /* likewise */
} BotStatusReport;

void bot_report_status(BotWebhook *webhook, const BotConfig *config, const BotStatusReport *status);

typedef struct {
    const char *end_reason;
    const char *recording_url; /* NULL: nothing was recorded */
    JsonArray *speakers;       /* (transfer none): names */
} BotCompleteReport;

void bot_report_complete(BotWebhook *webhook, const BotConfig *config,
                         const BotCompleteReport *complete);

typedef struct {
    const char *error;      /* "CannotJoinMeeting" */
    const char *error_code; /* "access_denied" */
    const char *message;    /* a sentence for people */
} BotFailedReport;

void bot_report_failed(BotWebhook *webhook, const BotConfig *config, const BotFailedReport *failed);

/** Returns (transfer full): a file: URL of @path, for whoever shares the machine. */
char *bot_report_local_url(const char *path);
