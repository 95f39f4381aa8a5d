/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/report.h"

static char *now_iso(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *seconds = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S");
    return g_strdup_printf("%s.%03dZ", seconds, g_date_time_get_microsecond(now) / 1000);
}

static JsonObject *new_data(const BotConfig *config)
{
    JsonObject *data = json_object_new();
    json_object_set_string_member(data, "bot_id", config->bot_id);
    return data;
}

static JsonObject *new_final_data(const BotConfig *config)
{
    JsonObject *data = new_data(config);
    if (config->extra != NULL) {
        json_object_set_member(data, "extra", json_node_copy(config->extra));
    }
    return data;
}

void bot_report_status(BotWebhook *webhook, const BotConfig *config, const BotStatusReport *report)
{
    if (webhook == NULL) {
        return;
    }
    JsonObject *status = json_object_new();
    g_autofree char *created_at = now_iso();
    json_object_set_string_member(status, "code", report->code);
    json_object_set_string_member(status, "created_at", created_at);
    if (report->start_time_unix_ms > 0) {
        json_object_set_int_member(status, "start_time", report->start_time_unix_ms);
    }
    if (report->error_message != NULL) {
        json_object_set_string_member(status, "error_message", report->error_message);
        json_object_set_string_member(status, "error_type", report->error_type);
    }
    JsonObject *data = new_data(config);
    json_object_set_object_member(data, "status", status);
    bot_webhook_send(webhook, "bot.status_change", data);
}

void bot_report_complete(BotWebhook *webhook, const BotConfig *config,
                         const BotCompleteReport *complete)
{
    if (webhook == NULL) {
        return;
    }
    JsonObject *data = new_final_data(config);
    json_object_set_string_member(data, "event", "complete");
    json_object_set_string_member(data, "end_reason", complete->end_reason);
    json_object_set_string_member(data, "mp4",
                                  complete->recording_url != NULL ? complete->recording_url : "");
    json_object_set_array_member(data, "speakers", json_array_ref(complete->speakers));
    bot_webhook_send(webhook, "complete", data);
}

void bot_report_failed(BotWebhook *webhook, const BotConfig *config, const BotFailedReport *failed)
{
    if (webhook == NULL) {
        return;
    }
    JsonObject *data = new_final_data(config);
    json_object_set_string_member(data, "error", failed->error);
    json_object_set_string_member(data, "error_code", failed->error_code);
    json_object_set_string_member(data, "message", failed->message);
    bot_webhook_send(webhook, "failed", data);
}

char *bot_report_local_url(const char *path)
{
    char *uri = g_filename_to_uri(path, NULL, NULL);
    return uri != NULL ? uri : g_strdup(path);
}
