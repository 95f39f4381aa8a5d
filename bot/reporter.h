/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/config.h"
#include "bot/event.h"
#include "bot/report_data.h"

/*
 * The owner's reports (Meeting BaaS v1) of one bot, as a living session and a recovery both make
 * them: each status is an event of the log and, where the configuration has a webhook_url and no
 * control link (with one, the orchestrator alone sends webhooks), a webhook in the outbox. Nothing
 * blocks. Main thread.
 */

typedef struct BotReporter BotReporter;

typedef struct {
    void (*on_warning)(const char *code, const char *message, gpointer user_data);
    /* Nothing waits to be delivered any more, after bot_reporter_finish; from the main loop. Does
     * not come when nothing had to be waited for. */
    void (*on_idle)(gpointer user_data);
} BotReporterEvents;

/**
 * bot_reporter_new:
 * @config, @log: borrowed
 *
 * Opens the outbox, with what an earlier worker left there. One that can't be opened gives the
 * warning webhook_spool, from inside this call, and counts as undelivered.
 */
BotReporter *bot_reporter_new(const BotConfig *config, BotEventLog *log,
                              const BotReporterEvents *events, gpointer user_data);
void bot_reporter_free(BotReporter *reporter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BotReporter, bot_reporter_free)

void bot_reporter_status(BotReporter *reporter, const BotStatusReport *status);
void bot_reporter_complete(BotReporter *reporter, const BotCompleteReport *complete);
void bot_reporter_failed(BotReporter *reporter, const BotFailedReport *failed);

/** No more is reported: on_idle comes when the outbox is empty or @within_s is over; without an
 *  outbox the reporter is idle at once. Again: another limit. */
void bot_reporter_finish(BotReporter *reporter, unsigned within_s);
/** Whether nothing waits any more, after bot_reporter_finish. */
bool bot_reporter_is_idle(const BotReporter *reporter);
/** Whether something was given up on, still waits, or could not be kept. */
bool bot_reporter_has_undelivered(const BotReporter *reporter);
