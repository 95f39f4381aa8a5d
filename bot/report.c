/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/report.h"

void bot_report_status(BotWebhook *webhook, const BotConfig *config, const BotStatusReport *status)
{
    if (webhook != NULL) {
        JsonObject *data = bot_report_status_data(config->bot_id, status, g_get_real_time() / 1000);
        bot_webhook_send(webhook, "bot.status_change", data);
    }
}

void bot_report_complete(BotWebhook *webhook, const BotConfig *config,
                         const BotCompleteReport *complete)
{
    if (webhook != NULL) {
        bot_webhook_send(webhook, "complete",
                         bot_report_complete_data(config->bot_id, config->extra, complete));
    }
}

void bot_report_failed(BotWebhook *webhook, const BotConfig *config, const BotFailedReport *failed)
{
    if (webhook != NULL) {
        bot_webhook_send(webhook, "failed",
                         bot_report_failed_data(config->bot_id, config->extra, failed));
    }
}

char *bot_report_local_url(const char *path)
{
    char *uri = g_filename_to_uri(path, NULL, NULL);
    return uri != NULL ? uri : g_strdup(path);
}
