/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/bots.h"

#include "bot/report_data.h"

/*
 * From what happened to a bot to webhooks in the outbox, for each API in its own words: which
 * subscriptions want it, the exact bytes. Called inside the transaction of the change. The body is
 * made here once: what is sent later, signed and sent again, are these bytes. Main thread only.
 */

/** bot.state_change of Attendee, meeting_agent_activated of Cronofy. */
bool orch_notify_transition(OrchBots *bots, const OrchBot *bot, const OrchTransition *transition,
                            GError **error);

/** bot.status_change of Meeting BaaS. */
bool orch_notify_status(OrchBots *bots, const OrchBot *bot, const BotStatusReport *status,
                        gint64 time_ms, GError **error);

/** complete or failed of Meeting BaaS, meeting_agent_complete or _failed of Cronofy. */
bool orch_notify_final(OrchBots *bots, const OrchBot *bot, GError **error);

/** Attendee's chat_messages.update and participant_events.*, from a worker's event. */
bool orch_notify_event(OrchBots *bots, const OrchBot *bot, const char *type, JsonObject *event,
                       GError **error);
