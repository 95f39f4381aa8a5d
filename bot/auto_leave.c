/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/auto_leave.h"

static bool elapsed(int64_t since_us, unsigned limit_s, int64_t now_us)
{
    return since_us != BOT_NEVER_US && now_us - since_us >= (int64_t)limit_s * G_USEC_PER_SEC;
}

BotOutcome bot_auto_leave_check(const BotAutoLeaveLimits *limits, const BotPresence *presence,
                                int64_t now_us)
{
    if (elapsed(presence->first_admitted_us, limits->max_duration_s, now_us)) {
        return BOT_OUTCOME_MAX_DURATION;
    }
    if (presence->admitted_us == BOT_NEVER_US) {
        if (elapsed(presence->joining_us, BOT_JOINING_LIMIT_S, now_us)) {
            return BOT_OUTCOME_UI_NOT_FOUND;
        }
        if (elapsed(presence->host_absent_us, limits->noone_joined_s, now_us)) {
            return BOT_OUTCOME_HOST_ABSENT;
        }
        return elapsed(presence->knocked_us, limits->waiting_room_s, now_us)
                   ? BOT_OUTCOME_WAITING_ROOM_TIMEOUT
                   : BOT_OUTCOME_NONE;
    }
    if (presence->other_seen_us == BOT_NEVER_US) {
        return elapsed(presence->admitted_us, limits->noone_joined_s, now_us)
                   ? BOT_OUTCOME_NO_ATTENDEES
                   : BOT_OUTCOME_NONE;
    }
    if (elapsed(presence->alone_since_us, limits->alone_s, now_us)) {
        return BOT_OUTCOME_ALONE;
    }
    int64_t quiet_since_us = MAX(presence->last_sound_us, presence->other_seen_us);
    int64_t counts_from_us =
        presence->admitted_us + (int64_t)limits->silence_after_s * G_USEC_PER_SEC;
    quiet_since_us = MAX(quiet_since_us, counts_from_us);
    return elapsed(quiet_since_us, limits->silence_s, now_us) ? BOT_OUTCOME_NO_SPEAKER
                                                              : BOT_OUTCOME_NONE;
}
