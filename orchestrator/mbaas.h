/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/bots.h"

/*
 * Meeting BaaS v1 in and out of the bot model: bodies to bots, bots to response objects. No I/O
 * but the store for what a bot's history holds. Objects are returned (transfer full).
 */

/** Fields of POST /bots, for documentation and tests. */
extern const BotFieldTable orch_mbaas_join_table;

/**
 * orch_mbaas_read_join:
 * @body: of POST /bots; nulls are taken out of it
 * @now_ms: what "in the past" is measured against
 * @bot: gets what the body says
 *
 * Errors: BOT_CONFIG_ERROR_FIELD with path, value and what was expected.
 */
bool orch_mbaas_read_join(JsonObject *body, const OrchConfig *config, const OrchSecrets *secrets,
                          gint64 now_ms, OrchBot *bot, GError **error);

/** When a bot with this start_time joins: milliseconds or seconds, told by their size; 0: now. */
gint64 orch_mbaas_join_at_ms(gint64 start_time, guint lead_s, gint64 now_ms);

/** Metadata of GET /bots/meeting_data */
JsonObject *orch_mbaas_meeting_data(OrchBots *bots, const OrchBot *bot, bool with_transcripts);

/** One entry of GET /bots/bots_with_metadata */
JsonObject *orch_mbaas_recent(const OrchBot *bot);

/** Whether the bot's extra holds all of "key:value,key:value". */
bool orch_mbaas_extra_matches(const OrchBot *bot, const char *filter);
/** The value of a field of the bot's extra as text; NULL: it has none. (transfer full) */
char *orch_mbaas_extra_text(const OrchBot *bot, const char *field);
