/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every way in which a meeting, or the time in it, can end a bot: what its owner is told. All
 * meetings of a table are held at the same time.
 */
#include "media/engine.h"
#include "platforms/json.h"
#include "tests/bot/null_bot.h"

typedef struct {
    const char *name, *meeting, *more;
    const char *codes;    /* of the status events */
    const char *sub_type; /* of the last state that has one */
    const char *error, *error_code, *end_reason;
    BotExit exit;
} Row;

#define LEAVE(members) ",'automatic_leave':{" members "}"
#define STAY ",'rejoin_attempts':0"
#define WALL(left) "{'joining':{'left':'" left "'}}"
#define AT(events) "{'participants':[{'id':'a'}],'events':[" events "]}"
#define LATER(events) "{'recording':'later','participants':[{'id':'a'}],'events':[" events "]}"
#define END(left) "{'at_s':0.3,'do':'end','left':'" left "'}"
#define IN "joining_call in_call_not_recording"
#define RECORDED IN " in_call_recording"

static const Row before_the_call[] = {
    {"denied", "{'lobby':{'mode':'deny'}}", "", "joining_call in_waiting_room bot_rejected",
     "request_to_join_denied", "BotNotAccepted", "access_denied", NULL, BOT_EXIT_NEVER_RECORDED},
    {"lobby expired", "{'lobby':{'mode':'expire'}}", "",
     "joining_call in_waiting_room waiting_room_timeout", "waiting_room_timeout_exceeded",
     "TimeoutWaitingToStart", "access_denied", NULL, BOT_EXIT_NEVER_RECORDED},
    {"lobby time-out", "{'lobby':{'mode':'ignore'}}", LEAVE("'waiting_room_timeout':1"),
     "joining_call in_waiting_room waiting_room_timeout", "waiting_room_timeout_exceeded",
     "TimeoutWaitingToStart", "access_denied", NULL, BOT_EXIT_NEVER_RECORDED},
    {"host absent", "{'lobby':{'mode':'host_absent'}}", LEAVE("'noone_joined_timeout':1"),
     "joining_call in_waiting_room waiting_room_timeout", "meeting_not_started_waiting_for_host",
     "TimeoutWaitingToStart", "access_denied", NULL, BOT_EXIT_NEVER_RECORDED},
    {"not found", WALL("not_found"), "", "joining_call meeting_error", "meeting_not_found",
     "CannotJoinMeeting", "meeting_not_found", NULL, BOT_EXIT_NEVER_RECORDED},
    {"login", WALL("login_required"), "", "joining_call meeting_error", "login_required",
     "CannotJoinMeeting", "authentication_error", NULL, BOT_EXIT_NEVER_RECORDED},
    {"captcha", WALL("captcha"), "", "joining_call meeting_error", "blocked_by_captcha",
     "CannotJoinMeeting", "access_denied", NULL, BOT_EXIT_NEVER_RECORDED},
    {"no bots", WALL("bots_not_allowed"), "", "joining_call meeting_error", "bots_not_allowed",
     "CannotJoinMeeting", "access_denied", NULL, BOT_EXIT_NEVER_RECORDED},
    {"no controls", WALL("ui_not_found"), "", "joining_call meeting_error", "ui_element_not_found",
     "InternalError", "internal_error", NULL, BOT_EXIT_INTERNAL},
    {"fault", WALL("internal"), "", "joining_call meeting_error", "internal_error", "InternalError",
     "internal_error", NULL, BOT_EXIT_INTERNAL},
    {"page lost on the way in", WALL("page_lost"), "", "joining_call meeting_error",
     "internal_error", "InternalError", "network_error", NULL, BOT_EXIT_INTERNAL},
    {"network lost on the way in", WALL("network_lost"), "", "joining_call meeting_error",
     "internal_error", "InternalError", "network_error", NULL, BOT_EXIT_INTERNAL},
    {"over before the bot came", WALL("ended"), "", "joining_call call_ended", "-", NULL, NULL,
     "meeting_ended", BOT_EXIT_OK},
};

static const Row before_recording[] = {
    {"removed", LATER(END("removed")), "", IN " bot_removed", "-", "BotRemoved", "access_denied",
     "bot_removed", BOT_EXIT_NEVER_RECORDED},
    {"lost", LATER(END("page_lost")), STAY, IN " meeting_error", "internal_error", "InternalError",
     "network_error", NULL, BOT_EXIT_INTERNAL},
    {"ended", LATER(END("ended")), "", IN " call_ended", "-", NULL, NULL, "meeting_ended",
     BOT_EXIT_NEVER_RECORDED},
    {"recording refused", "{'duration_s':0.3,'recording':'denied'}", "", IN " call_ended",
     "host_denied_permission", NULL, NULL, "meeting_ended", BOT_EXIT_NEVER_RECORDED},
};

static const Row while_recording[] = {
    {"removed", AT(END("removed")), "", RECORDED " bot_removed call_ended", "-", NULL, NULL,
     "bot_removed", BOT_EXIT_OK},
    {"ended", AT(END("ended")), "", RECORDED " call_ended", "-", NULL, NULL, "meeting_ended",
     BOT_EXIT_OK},
    {"page lost", AT(END("page_lost")), STAY, RECORDED " meeting_error call_ended", "-", NULL, NULL,
     "meeting_error", BOT_EXIT_OK},
    {"network lost", AT(END("network_lost")), STAY, RECORDED " meeting_error call_ended", "-", NULL,
     NULL, "meeting_error", BOT_EXIT_OK},
    {"denied on the way back", AT("{'at_s':0.2,'do':'send_to_lobby'}," END("denied")), "",
     RECORDED " recording_paused in_waiting_room bot_removed call_ended", "-", NULL, NULL,
     "bot_removed", BOT_EXIT_OK},
    {"not let in again", AT("{'at_s':0.2,'do':'send_to_lobby'}"), LEAVE("'waiting_room_timeout':1"),
     RECORDED " recording_paused in_waiting_room bot_removed call_ended",
     "waiting_room_timeout_exceeded", NULL, NULL, "bot_removed", BOT_EXIT_OK},
    {"nobody came", "{}", LEAVE("'noone_joined_timeout':1"), RECORDED " call_ended",
     "auto_leave_only_participant_in_meeting", NULL, NULL, "no_attendees", BOT_EXIT_OK},
    {"alone", "{'participants':[{'id':'a','leave_s':0.2}]}", LEAVE("'alone_timeout':1"),
     RECORDED " call_ended", "auto_leave_only_participant_in_meeting", NULL, NULL, "no_attendees",
     BOT_EXIT_OK},
    {"nobody spoke", AT(""), LEAVE("'silence_timeout':1"), RECORDED " call_ended",
     "auto_leave_silence", NULL, NULL, "no_speaker", BOT_EXIT_OK},
    {"an ignored name is no company", "{'participants':[{'id':'a','name':'Some Notetaker'}]}",
     LEAVE("'noone_joined_timeout':1,'ignored_names':['notetaker']"), RECORDED " call_ended",
     "auto_leave_only_participant_in_meeting", NULL, NULL, "no_attendees", BOT_EXIT_OK},
    {"time is over", "{'participants':[{'id':'a','speech':[{'at_s':0,'for_s':60}]}]}",
     LEAVE("'max_duration':1,'silence_timeout':1"), RECORDED " call_ended",
     "auto_leave_max_uptime_exceeded", NULL, NULL, "recording_timeout", BOT_EXIT_OK},
};

static char *last_sub_type(NullBot *bot)
{
    g_autofree char *all = null_bot_list(bot, "state", "sub_type");
    g_auto(GStrv) words = g_strsplit(all, " ", -1);
    const char *last = "-";
    for (guint i = 0; words[i] != NULL; i++) {
        last = strcmp(words[i], "-") != 0 ? words[i] : last;
    }
    return g_strdup(last);
}

static void check_end(NullBot *bot, const Row *row)
{
    JsonObject *ended = null_bot_last(bot, "ended", NULL, NULL);
    g_autofree char *codes = null_bot_list(bot, "status", "code");
    g_autofree char *sub_type = last_sub_type(bot);
    g_assert_nonnull(ended);
    g_test_message("%s: %s", row->name, platform_json_string(ended, "message", ""));
    g_assert_cmpstr(codes, ==, row->codes);
    g_assert_cmpstr(sub_type, ==, row->sub_type);
    g_assert_cmpstr(platform_json_string(ended, "error", NULL), ==, row->error);
    g_assert_cmpstr(platform_json_string(ended, "error_code", NULL), ==, row->error_code);
    g_assert_cmpstr(platform_json_string(ended, "end_reason", NULL), ==, row->end_reason);
    g_assert_cmpstr(platform_json_string(ended, "message", ""), !=, "");
    g_assert_cmpint(platform_json_int(ended, "exit", -1), ==, row->exit);
    g_assert_cmpint(bot->exit, ==, row->exit);
    g_assert_true(bot->events->pdata[bot->events->len - 1] == ended);
    g_assert_cmpstr(platform_json_string(ended, "state", ""), ==,
                    row->error == NULL || row->end_reason != NULL ? "ended" : "fatal_error");
    g_autofree char *mp3 = g_build_filename(bot->output, "recording.mp3", NULL);
    bool recorded = strstr(row->codes, "in_call_recording") != NULL;
    g_assert_true(g_file_test(mp3, G_FILE_TEST_EXISTS) == recorded);
    g_autoptr(JsonNode) metadata = null_bot_read(bot, "metadata.json");
    g_assert_cmpstr(platform_json_string(json_node_get_object(metadata), "end_reason", NULL), ==,
                    row->end_reason);
}

static void run_rows(const Row *rows, gsize n_rows)
{
    g_autofree NullBot *bots = g_new0(NullBot, n_rows);
    for (gsize i = 0; i < n_rows; i++) {
        null_bot_start(&bots[i], rows[i].meeting, rows[i].more);
    }
    for (gsize i = 0; i < n_rows; i++) {
        null_bot_wait_ended(&bots[i]);
        check_end(&bots[i], &rows[i]);
        null_bot_clear(&bots[i]);
    }
}

static void test_before_the_call(void)
{
    run_rows(before_the_call, G_N_ELEMENTS(before_the_call));
}

static void test_before_recording(void)
{
    run_rows(before_recording, G_N_ELEMENTS(before_recording));
}

static void test_while_recording(void)
{
    run_rows(while_recording, G_N_ELEMENTS(while_recording));
}

static void test_bad_links(void)
{
    static const char *const urls[] = {"null:other", "null:a/b", "https://example.com/x"};
    for (gsize i = 0; i < G_N_ELEMENTS(urls); i++) {
        static const Row row = {"bad link",
                                NULL,
                                NULL,
                                "joining_call invalid_meeting_url",
                                "meeting_not_found",
                                "InvalidMeetingUrl",
                                "meeting_not_found",
                                NULL,
                                BOT_EXIT_NEVER_RECORDED};
        NullBot bot;
        null_bot_start_at(&bot, urls[i], "{}", "");
        null_bot_wait_ended(&bot);
        check_end(&bot, &row);
        null_bot_clear(&bot);
    }
}

static void test_asked_to_leave(void)
{
    static const struct {
        const char *state, *meeting;
        Row row;
    } cases[] = {
        {"joining",
         "{'joining':{'for_s':60}}",
         {"joining", NULL, NULL, "joining_call call_ended", "user_requested", NULL, NULL,
          "api_request", BOT_EXIT_OK}},
        {"waiting_room",
         "{'lobby':{'mode':'ignore'}}",
         {"waiting room", NULL, NULL, "joining_call in_waiting_room call_ended", "user_requested",
          NULL, NULL, "api_request", BOT_EXIT_OK}},
        {"joined_not_recording",
         "{'recording':'later'}",
         {"not recording", NULL, NULL, IN " call_ended", "user_requested", NULL, NULL,
          "api_request", BOT_EXIT_OK}},
        {"joined_recording",
         "{}",
         {"recording", NULL, NULL, RECORDED " call_ended", "user_requested", NULL, NULL,
          "api_request", BOT_EXIT_OK}},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        NullBot bot;
        null_bot_start(&bot, cases[i].meeting, "");
        null_bot_wait_state(&bot, cases[i].state);
        if (strcmp(cases[i].state, "joined_recording") == 0) {
            NULL_BOT_WAIT(null_bot_recorded_s(&bot) > 0.2);
        }
        null_bot_command(&bot, "leave", "{}");
        null_bot_wait_ended(&bot);
        g_assert_cmpstr(bot.results->str, ==, "leave ok; ");
        check_end(&bot, &cases[i].row);
        null_bot_clear(&bot);
    }
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_test_init(&argc, &argv, NULL);
    media_init(&error);
    g_assert_no_error(error);
    g_test_add_func("/session_outcomes/before_the_call", test_before_the_call);
    g_test_add_func("/session_outcomes/before_recording", test_before_recording);
    g_test_add_func("/session_outcomes/while_recording", test_while_recording);
    g_test_add_func("/session_outcomes/bad_links", test_bad_links);
    g_test_add_func("/session_outcomes/asked_to_leave", test_asked_to_leave);
    return g_test_run();
}
