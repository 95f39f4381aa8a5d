/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>

/*
 * The worker's own webhooks, when no orchestrator sends them: an ordered outbox. Each message is a
 * file in <output_dir>/.webhooks until a 2xx answer or until it is given up on; one is under way
 * at a time, so they arrive in order. A worker that was killed leaves its spool to --recover.
 * Main thread only.
 */

typedef struct BotWebhook BotWebhook;

typedef struct {
    /* Given up on after the last try; @reason for people. The message stays in the spool. */
    void (*on_given_up)(const char *event, const char *reason, gpointer user_data);
    /* Nothing is waiting any more, after bot_webhook_finish. */
    void (*on_idle)(gpointer user_data);
} BotWebhookEvents;

/** Tries a message gets: at once, then after 1, 2, 4 … s; two after answers that stay (answer.h).
 */
#define BOT_WEBHOOK_MAX_TRIES 8
#define BOT_WEBHOOK_TIMEOUT_S 10

/**
 * bot_webhook_new:
 * @url: http or https
 * @api_key: (nullable): sent as x-meeting-baas-api-key
 *
 * Takes up what an earlier worker left in the spool, in its order. Errors: G_IO_ERROR (the spool).
 */
BotWebhook *bot_webhook_new(const char *url, const char *api_key, const char *output_dir,
                            const BotWebhookEvents *events, gpointer user_data, GError **error);
void bot_webhook_free(BotWebhook *webhook);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BotWebhook, bot_webhook_free)

/** @data: (transfer full): the "data" member; on disk before this returns. */
void bot_webhook_send(BotWebhook *webhook, const char *event, JsonObject *data);

/** No more will be sent: on_idle comes when the outbox is empty or @within_s is over. */
void bot_webhook_finish(BotWebhook *webhook, unsigned within_s);

/** How many were given up on, or still wait. */
guint bot_webhook_count_undelivered(BotWebhook *webhook);
