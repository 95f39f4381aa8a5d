/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/reporter.h"

#include "bot/webhook.h"

struct BotReporter {
    const BotConfig *config; /* borrowed */
    BotEventLog *log;        /* borrowed */
    BotReporterEvents events;
    gpointer user_data;
    BotWebhook *webhook; /* owned; NULL: nobody wants webhooks, or there is no outbox */
    bool unkept;         /* the outbox could not be opened */
    bool idle;
};

static void on_given_up(const char *event, const char *reason, gpointer user_data)
{
    BotReporter *reporter = user_data;
    g_autofree char *message =
        g_strdup_printf("The webhook %s could not be delivered: %s", event, reason);
    reporter->events.on_warning("webhook_given_up", message, reporter->user_data);
}

static void on_idle(gpointer user_data)
{
    BotReporter *reporter = user_data;
    reporter->idle = true;
    reporter->events.on_idle(reporter->user_data);
}

static void open_outbox(BotReporter *reporter)
{
    static const BotWebhookEvents events = {on_given_up, on_idle};
    const BotConfig *config = reporter->config;
    g_autoptr(GError) error = NULL;
    reporter->webhook = bot_webhook_new(config->webhook_url, config->webhook_api_key,
                                        config->output_dir, &events, reporter, &error);
    if (reporter->webhook == NULL) {
        reporter->unkept = true;
        reporter->events.on_warning("webhook_spool", error->message, reporter->user_data);
    }
}

BotReporter *bot_reporter_new(const BotConfig *config, BotEventLog *log,
                              const BotReporterEvents *events, gpointer user_data)
{
    BotReporter *reporter = g_new0(BotReporter, 1);
    reporter->config = config;
    reporter->log = log;
    reporter->events = *events;
    reporter->user_data = user_data;
    if (config->webhook_url != NULL && config->control_url == NULL) {
        open_outbox(reporter);
    }
    return reporter;
}

void bot_reporter_free(BotReporter *reporter)
{
    g_clear_pointer(&reporter->webhook, bot_webhook_free);
    g_free(reporter);
}

/* @data: (transfer full) */
static void send_webhook(BotReporter *reporter, const char *event, JsonObject *data)
{
    if (reporter->webhook != NULL) {
        bot_webhook_send(reporter->webhook, event, data);
    } else {
        json_object_unref(data);
    }
}

void bot_reporter_status(BotReporter *reporter, const BotStatusReport *status)
{
    bot_event_log_emit(reporter->log, "status", bot_report_status_members(status));
    send_webhook(
        reporter, "bot.status_change",
        bot_report_status_data(reporter->config->bot_id, status, g_get_real_time() / 1000));
}

void bot_reporter_complete(BotReporter *reporter, const BotCompleteReport *complete)
{
    const BotConfig *config = reporter->config;
    send_webhook(reporter, "complete",
                 bot_report_complete_data(config->bot_id, config->extra, complete));
}

void bot_reporter_failed(BotReporter *reporter, const BotFailedReport *failed)
{
    const BotConfig *config = reporter->config;
    send_webhook(reporter, "failed", bot_report_failed_data(config->bot_id, config->extra, failed));
}

void bot_reporter_finish(BotReporter *reporter, unsigned within_s)
{
    if (reporter->webhook == NULL) {
        reporter->idle = true;
    } else if (!reporter->idle) {
        bot_webhook_finish(reporter->webhook, within_s);
    }
}

bool bot_reporter_is_idle(const BotReporter *reporter)
{
    return reporter->idle;
}

bool bot_reporter_has_undelivered(const BotReporter *reporter)
{
    return reporter->unkept ||
           (reporter->webhook != NULL && bot_webhook_count_undelivered(reporter->webhook) > 0);
}
