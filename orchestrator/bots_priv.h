/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/bots.h"
#include "orchestrator/bucket.h"

struct OrchBots {
    OrchStore *store;           /* borrowed */
    const OrchConfig *config;   /* borrowed */
    const OrchLinks *links;     /* borrowed */
    OrchBucket *bucket;         /* owned; NULL: files stay here */
    const OrchWorkers *workers; /* borrowed; NULL: none */
    gpointer workers_data;
    guint n_failed_starts;         /* of workers, in a row */
    char *trouble;                 /* owned: what the last of them said; NULL: none failed */
    bool look_soon, webhooks_soon; /* a callback is on its way */
};

/** Tell the runner of workers, once it is durable, that bots changed. */
void orch_bots_look_again(OrchBots *bots);
/** Likewise the deliverer. */
void orch_bots_webhooks_queued(OrchBots *bots);

/** Move the bot to @state whatever the machine says, with history and webhooks; not stored. */
bool orch_bots_record(OrchBots *bots, OrchBot *bot, BotState state, const char *event,
                      const char *sub_type, gint64 time_ms, GError **error);

/** What a worker's @event means for the account that its bot signs in with. *ret_done: it means
 * nothing else. @bot is not stored. */
bool orch_bots_apply_login(OrchBots *bots, OrchBot *bot, JsonObject *event, bool *ret_done,
                           GError **error);

/** It joins with an account after it was refused as a guest: that it joins was told before. */
bool orch_bots_is_second_joining(const OrchBot *bot);

/** The final webhook, once. @bot is stored. */
bool orch_bots_report_final(OrchBots *bots, OrchBot *bot, GError **error);
