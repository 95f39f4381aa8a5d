/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/outcome.h"

/* DESIGN's outcome table restated, a row each; the columns are what a client sees. */
typedef struct {
    BotOutcome outcome;
    bool recorded;
    const char *sub_type, *code;
    bool complete;
    const char *error, *end_reason;
    int exit;
} Row;

static const Row rows[] = {
    {BOT_OUTCOME_BAD_URL, false, "meeting_not_found", "invalid_meeting_url", false,
     "InvalidMeetingUrl", NULL, 3},
    {BOT_OUTCOME_DENIED, false, "request_to_join_denied", "bot_rejected", false, "BotNotAccepted",
     NULL, 3},
    {BOT_OUTCOME_WAITING_ROOM_TIMEOUT, false, "waiting_room_timeout_exceeded",
     "waiting_room_timeout", false, "TimeoutWaitingToStart", NULL, 3},
    {BOT_OUTCOME_HOST_ABSENT, false, "meeting_not_started_waiting_for_host", "waiting_room_timeout",
     false, "TimeoutWaitingToStart", NULL, 3},
    {BOT_OUTCOME_LOGIN_REQUIRED, false, "login_required", "meeting_error", false,
     "CannotJoinMeeting", NULL, 3},
    {BOT_OUTCOME_NOT_FOUND, false, "meeting_not_found", "meeting_error", false, "CannotJoinMeeting",
     NULL, 3},
    {BOT_OUTCOME_CAPTCHA, false, "blocked_by_captcha", "meeting_error", false, "CannotJoinMeeting",
     NULL, 3},
    {BOT_OUTCOME_BOTS_NOT_ALLOWED, false, "bots_not_allowed", "meeting_error", false,
     "CannotJoinMeeting", NULL, 3},
    {BOT_OUTCOME_REMOVED, false, NULL, "bot_removed", false, "BotRemoved", "bot_removed", 3},
    {BOT_OUTCOME_REMOVED, true, NULL, "bot_removed", true, NULL, "bot_removed", 0},
    {BOT_OUTCOME_MEETING_ENDED, true, NULL, NULL, true, NULL, "meeting_ended", 0},
    {BOT_OUTCOME_NO_ATTENDEES, true, "auto_leave_only_participant_in_meeting", NULL, true, NULL,
     "no_attendees", 0},
    {BOT_OUTCOME_ALONE, true, "auto_leave_only_participant_in_meeting", NULL, true, NULL,
     "no_attendees", 0},
    {BOT_OUTCOME_NO_SPEAKER, true, "auto_leave_silence", NULL, true, NULL, "no_speaker", 0},
    {BOT_OUTCOME_MAX_DURATION, true, "auto_leave_max_uptime_exceeded", NULL, true, NULL,
     "recording_timeout", 0},
    {BOT_OUTCOME_USER_REQUESTED, true, "user_requested", NULL, true, NULL, "api_request", 0},
    {BOT_OUTCOME_USER_REQUESTED, false, "user_requested", NULL, true, NULL, "api_request", 0},
    {BOT_OUTCOME_LOST, true, NULL, "meeting_error", true, NULL, "meeting_error", 0},
    {BOT_OUTCOME_UI_NOT_FOUND, true, NULL, "meeting_error", true, NULL, "meeting_error", 0},
    {BOT_OUTCOME_LOST, false, "internal_error", "meeting_error", false, "InternalError", NULL, 6},
    {BOT_OUTCOME_UI_NOT_FOUND, false, "ui_element_not_found", "meeting_error", false,
     "InternalError", NULL, 6},
    {BOT_OUTCOME_INTERNAL, false, "internal_error", "meeting_error", false, "InternalError", NULL,
     6},
};

static void test_table(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        const BotOutcomeRow *row = bot_outcome_row(rows[i].outcome, rows[i].recorded);
        g_test_message("%s", bot_outcome_to_string(rows[i].outcome));
        g_assert_cmpstr(row->sub_type, ==, rows[i].sub_type);
        g_assert_cmpstr(row->code, ==, rows[i].code);
        g_assert_cmpint(row->complete, ==, rows[i].complete);
        g_assert_cmpstr(row->error, ==, rows[i].error);
        g_assert_cmpstr(row->end_reason, ==, rows[i].end_reason);
        g_assert_cmpint(row->exit, ==, rows[i].exit);
    }
}

static void test_every_outcome_has_a_row(void)
{
    for (int i = BOT_OUTCOME_NONE + 1; i < BOT_N_OUTCOMES; i++) {
        for (int recorded = 0; recorded < 2; recorded++) {
            const BotOutcomeRow *row = bot_outcome_row((BotOutcome)i, recorded);
            g_assert_nonnull(row->message);
            g_assert_cmpint(row->complete, ==, row->error == NULL);
            g_assert_cmpint(row->complete, ==, row->error_code == NULL);
            if (recorded) {
                g_assert_true(row->complete);
                g_assert_nonnull(row->end_reason);
            }
        }
    }
}

static void test_api_request_and_login_wall_are_never_overwritten(void)
{
    for (int i = 0; i < BOT_N_OUTCOMES; i++) {
        g_assert_cmpint(bot_outcome_merge(BOT_OUTCOME_USER_REQUESTED, (BotOutcome)i), ==,
                        BOT_OUTCOME_USER_REQUESTED);
        g_assert_cmpint(bot_outcome_merge(BOT_OUTCOME_LOGIN_REQUIRED, (BotOutcome)i), ==,
                        BOT_OUTCOME_LOGIN_REQUIRED);
    }
}

static void test_first_reason_stays_but_a_person_beats_an_error(void)
{
    g_assert_cmpint(bot_outcome_merge(BOT_OUTCOME_NONE, BOT_OUTCOME_LOST), ==, BOT_OUTCOME_LOST);
    g_assert_cmpint(bot_outcome_merge(BOT_OUTCOME_LOST, BOT_OUTCOME_REMOVED), ==,
                    BOT_OUTCOME_REMOVED);
    g_assert_cmpint(bot_outcome_merge(BOT_OUTCOME_REMOVED, BOT_OUTCOME_LOST), ==,
                    BOT_OUTCOME_REMOVED);
    g_assert_cmpint(bot_outcome_merge(BOT_OUTCOME_ALONE, BOT_OUTCOME_MEETING_ENDED), ==,
                    BOT_OUTCOME_ALONE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/outcome/table", test_table);
    g_test_add_func("/outcome/every_outcome_has_a_row", test_every_outcome_has_a_row);
    g_test_add_func("/outcome/api_request_and_login_wall_are_never_overwritten",
                    test_api_request_and_login_wall_are_never_overwritten);
    g_test_add_func("/outcome/first_reason_stays_but_a_person_beats_an_error",
                    test_first_reason_stays_but_a_person_beats_an_error);
    return g_test_run();
}
