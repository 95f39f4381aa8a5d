/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/outcome.h"

/*
 * When a bot goes by itself. A pure function of what was seen and the clock, so that a test can
 * run four hours in a millisecond. Any thread; no state of its own.
 */

#define BOT_NEVER_US ((int64_t)-1)

/** On the way in, before lobby and call: each step has a limit of its own, and this is all of
 * them's. */
#define BOT_JOINING_LIMIT_S 300

/** All in seconds, at least 1 where nothing else is said. */
typedef struct {
    unsigned waiting_room_s;
    unsigned noone_joined_s; /* also how long an absent host is waited for */
    unsigned silence_s;
    unsigned alone_s;
    unsigned max_duration_s;
    unsigned silence_after_s; /* since admission: silence counts from then on; may be 0 */
} BotAutoLeaveLimits;

/** Moments on one monotonic clock, microseconds; BOT_NEVER_US: not (yet). */
typedef struct {
    int64_t knocked_us;     /* asked to be let in; never: not in a lobby */
    int64_t host_absent_us; /* since when the lobby says that the host is not there */
    int64_t joining_us;     /* since when it is on its way in; never: in a lobby or the call */
    int64_t admitted_us;    /* never: not in the call (any more) */
    int64_t first_admitted_us;
    int64_t other_seen_us;  /* first time that somebody else (not ignored) was in the call */
    int64_t alone_since_us; /* since when nobody else is there; never: somebody is */
    int64_t last_sound_us;  /* last speech of anybody but the bot */
} BotPresence;

/** Nothing was seen yet. */
#define BOT_PRESENCE_NEVER                                                                         \
    ((BotPresence){BOT_NEVER_US, BOT_NEVER_US, BOT_NEVER_US, BOT_NEVER_US, BOT_NEVER_US,           \
                   BOT_NEVER_US, BOT_NEVER_US, BOT_NEVER_US})

/**
 * bot_auto_leave_check:
 *
 * Returns the outcome that is due at @now_us, or BOT_OUTCOME_NONE. Out of the call only the rules
 * of the way in and of the lobby apply, and the maximum duration of a bot that was in; in the call
 * the others. Being alone counts once somebody else was present; until then noone_joined_s does.
 * Silence counts from the last sound, or from the first other person, and not before
 * silence_after_s.
 */
BotOutcome bot_auto_leave_check(const BotAutoLeaveLimits *limits, const BotPresence *presence,
                                int64_t now_us);
