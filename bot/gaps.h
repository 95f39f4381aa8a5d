/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * When the bot was out of a call that it came back to: what the recording lacks. Reported as "gap"
 * events, written to metadata.json, and read back from the events of a dead worker. Main thread.
 */

typedef struct BotGaps BotGaps;

BotGaps *bot_gaps_new(void);
void bot_gaps_free(BotGaps *gaps);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BotGaps, bot_gaps_free)

/**
 * bot_gaps_begin:
 * @reason: a stable word: "page_lost", "network_lost" or "waiting_room"
 * @at_s: on the recording's time
 * @unix_ms: now
 *
 * Returns (transfer full) the members of the event, or NULL while a gap lasts: its first reason
 * counts.
 */
JsonObject *bot_gaps_begin(BotGaps *gaps, const char *reason, const char *message, double at_s,
                           int64_t unix_ms);

/** The bot is back. Returns (transfer full) the members of the event, or NULL when none lasts. */
JsonObject *bot_gaps_end(BotGaps *gaps, int64_t unix_ms);

/** Takes back what the event of a dead worker says; others are ignored. */
void bot_gaps_replay(BotGaps *gaps, JsonObject *event);

/** Returns (transfer full) [{at_s, reason, missing_s}]; missing_s is null when it never ended. */
JsonArray *bot_gaps_to_json(const BotGaps *gaps);
