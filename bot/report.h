/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/config.h"
#include "bot/report_data.h"
#include "bot/webhook.h"

/*
 * The owner's webhooks (Meeting BaaS v1) as messages: what a living session and a recovery both
 * report. Everything is queued in the outbox; nothing blocks. @webhook may be NULL: nobody wants
 * to know. Main thread only.
 */

void bot_report_status(BotWebhook *webhook, const BotConfig *config, const BotStatusReport *status);

void bot_report_complete(BotWebhook *webhook, const BotConfig *config,
                         const BotCompleteReport *complete);

void bot_report_failed(BotWebhook *webhook, const BotConfig *config, const BotFailedReport *failed);

/** Returns (transfer full): a file: URL of @path, for whoever shares the machine. */
char *bot_report_local_url(const char *path);
