/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/auto_leave.h"

#define S ((int64_t)G_USEC_PER_SEC)

static const BotAutoLeaveLimits limits = {600, 500, 400, 60, 4 * 3600};

static BotPresence nobody(void)
{
    return BOT_PRESENCE_NEVER;
}

/* The first whole second from 0 at which a rule is due, and which. */
static BotOutcome first_due(const BotPresence *presence, int64_t *ret_s)
{
    for (int64_t s = 0; s <= 5 * 3600; s++) {
        BotOutcome outcome = bot_auto_leave_check(&limits, presence, s * S);
        if (outcome != BOT_OUTCOME_NONE) {
            *ret_s = s;
            return outcome;
        }
    }
    return BOT_OUTCOME_NONE;
}

static void assert_due(const BotPresence *presence, BotOutcome outcome, int64_t at_s)
{
    int64_t s = -1;
    g_assert_cmpstr(bot_outcome_to_string(first_due(presence, &s)), ==,
                    bot_outcome_to_string(outcome));
    g_assert_cmpint(s, ==, at_s);
}

static void test_before_admission(void)
{
    int64_t s;
    BotPresence presence = nobody();
    g_assert_cmpint(first_due(&presence, &s), ==, BOT_OUTCOME_NONE);
    presence.knocked_us = 10 * S;
    assert_due(&presence, BOT_OUTCOME_WAITING_ROOM_TIMEOUT, 610);
    presence.host_absent_us = 20 * S;
    assert_due(&presence, BOT_OUTCOME_HOST_ABSENT, 520);
}

static void test_nobody_ever_joined(void)
{
    BotPresence presence = nobody();
    presence.knocked_us = 0;
    presence.admitted_us = 5 * S;
    presence.alone_since_us = 5 * S;
    assert_due(&presence, BOT_OUTCOME_NO_ATTENDEES, 505);
}

static void test_alone_counts_once_somebody_was_there(void)
{
    BotPresence presence = nobody();
    presence.admitted_us = 0;
    presence.other_seen_us = 1 * S;
    presence.last_sound_us = 90 * S;
    presence.alone_since_us = 100 * S;
    assert_due(&presence, BOT_OUTCOME_ALONE, 160);
    presence.alone_since_us = BOT_NEVER_US;
    assert_due(&presence, BOT_OUTCOME_NO_SPEAKER, 490);
}

static void test_silence_counts_from_the_first_person_when_nobody_spoke(void)
{
    BotPresence presence = nobody();
    presence.admitted_us = 0;
    presence.other_seen_us = 30 * S;
    assert_due(&presence, BOT_OUTCOME_NO_SPEAKER, 430);
}

static void test_silence_counts_from_its_time_on(void)
{
    BotAutoLeaveLimits later = limits;
    BotPresence presence = nobody();
    later.silence_after_s = 1000;
    presence.admitted_us = 10 * S;
    presence.other_seen_us = 10 * S;
    presence.last_sound_us = 20 * S;
    g_assert_cmpint(bot_auto_leave_check(&later, &presence, 1409 * S), ==, BOT_OUTCOME_NONE);
    g_assert_cmpint(bot_auto_leave_check(&later, &presence, 1410 * S), ==, BOT_OUTCOME_NO_SPEAKER);
    presence.last_sound_us = 1200 * S;
    g_assert_cmpint(bot_auto_leave_check(&later, &presence, 1599 * S), ==, BOT_OUTCOME_NONE);
    g_assert_cmpint(bot_auto_leave_check(&later, &presence, 1600 * S), ==, BOT_OUTCOME_NO_SPEAKER);
}

static void test_maximum_duration_ends_a_lively_meeting(void)
{
    BotPresence presence = nobody();
    presence.admitted_us = presence.first_admitted_us = 0;
    presence.other_seen_us = 0;
    presence.last_sound_us = 5 * 3600 * S;
    assert_due(&presence, BOT_OUTCOME_MAX_DURATION, 4 * 3600);
}

static void test_the_way_in_has_a_limit(void)
{
    BotPresence presence = nobody();
    presence.joining_us = 7 * S;
    assert_due(&presence, BOT_OUTCOME_UI_NOT_FOUND, 7 + BOT_JOINING_LIMIT_S);
}

static void test_out_of_the_call_again(void)
{
    BotPresence presence = nobody();
    presence.first_admitted_us = 0;
    presence.other_seen_us = 1 * S;
    presence.last_sound_us = 2 * S;
    presence.knocked_us = 1000 * S; /* put back into the lobby: neither silence nor alone */
    assert_due(&presence, BOT_OUTCOME_WAITING_ROOM_TIMEOUT, 1600);
    presence.knocked_us = 4 * 3600 * S - 10 * S;
    assert_due(&presence, BOT_OUTCOME_MAX_DURATION, 4 * 3600);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/auto_leave/before_admission", test_before_admission);
    g_test_add_func("/auto_leave/nobody_ever_joined", test_nobody_ever_joined);
    g_test_add_func("/auto_leave/alone_counts_once_somebody_was_there",
                    test_alone_counts_once_somebody_was_there);
    g_test_add_func("/auto_leave/silence_counts_from_the_first_person_when_nobody_spoke",
                    test_silence_counts_from_the_first_person_when_nobody_spoke);
    g_test_add_func("/auto_leave/silence_counts_from_its_time_on",
                    test_silence_counts_from_its_time_on);
    g_test_add_func("/auto_leave/maximum_duration_ends_a_lively_meeting",
                    test_maximum_duration_ends_a_lively_meeting);
    g_test_add_func("/auto_leave/the_way_in_has_a_limit", test_the_way_in_has_a_limit);
    g_test_add_func("/auto_leave/out_of_the_call_again", test_out_of_the_call_again);
    return g_test_run();
}
