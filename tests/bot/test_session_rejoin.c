/* SPDX-License-Identifier: Apache-2.0 */
/* Out of the call and in again, in null: meetings: losses, and the host's waiting room. */
#include "media/engine.h"
#include "platforms/json.h"
#include "tests/bot/null_bot.h"

#include <string.h>

#define A "'participants':[{'id':'a','name':'Alice'}]"

static void check_codes(NullBot *bot, const char *expected)
{
    g_autofree char *codes = null_bot_list(bot, "status", "code");
    g_assert_cmpstr(codes, ==, expected);
}

static void check_end(NullBot *bot, const char *end_reason, BotExit exit)
{
    JsonObject *ended = null_bot_last(bot, "ended", NULL, NULL);
    g_assert_nonnull(ended);
    g_assert_cmpstr(platform_json_string(ended, "end_reason", NULL), ==, end_reason);
    g_assert_cmpint(bot->exit, ==, exit);
}

static void check_gap(NullBot *bot, const char *reason, double at_least_s)
{
    g_autoptr(JsonNode) metadata = null_bot_read(bot, "metadata.json");
    JsonArray *gaps = platform_json_array(json_node_get_object(metadata), "gaps");
    g_assert_cmpuint(json_array_get_length(gaps), ==, 1);
    JsonObject *gap = json_array_get_object_element(gaps, 0);
    g_assert_cmpstr(platform_json_string(gap, "reason", ""), ==, reason);
    g_assert_cmpfloat(json_object_get_double_member(gap, "missing_s"), >=, at_least_s);
}

/* Who is there before and after is the same person; who came meanwhile is the next one. */
static void test_joins_again_after_a_crash(void)
{
    NullBot bot;
    null_bot_start(&bot,
                   "{'participants':[{'id':'a','name':'Alice'},{'id':'b','join_s':0.6}],"
                   "'events':[{'at_s':0.4,'do':'crash_page'}]}",
                   ",'entry_message':'I record.'");
    NULL_BOT_WAIT(null_bot_count(&bot, "state", "new", "joined_recording") == 2);
    NULL_BOT_WAIT(null_bot_count(&bot, "participant", "platform_id", "b") == 1);
    g_assert_cmpuint(null_bot_count(&bot, "participant", NULL, NULL), ==, 2);
    g_assert_cmpint(
        platform_json_int(null_bot_last(&bot, "participant", "platform_id", "a"), "id", 0), ==, 1);
    g_assert_cmpint(
        platform_json_int(null_bot_last(&bot, "participant", "platform_id", "b"), "id", 0), ==, 2);
    g_assert_cmpuint(null_bot_count(&bot, "warning", "code", "rejoining"), ==, 1);
    g_assert_cmpuint(null_bot_report(&bot)->n_joins, ==, 2);
    g_assert_cmpuint(null_bot_report(&bot)->chat->len, ==, 1); /* greeted once */
    null_bot_command(&bot, "leave", "{}");
    null_bot_wait_ended(&bot);
    check_codes(&bot, "joining_call in_call_not_recording in_call_recording recording_paused "
                      "joining_call in_call_not_recording recording_resumed call_ended");
    check_gap(&bot, "page_lost", 1);
    check_end(&bot, "api_request", BOT_EXIT_OK);
    null_bot_clear(&bot);
}

static void test_attempts_are_used_up(void)
{
    NullBot bot;
    null_bot_start(&bot,
                   "{" A ",'events':[{'at_s':0.2,'do':'end','left':'network_lost','times':2,"
                   "'message':'No route.'}]}",
                   ",'rejoin_attempts':1");
    null_bot_wait_ended(&bot);
    g_assert_cmpuint(null_bot_report(&bot)->n_joins, ==, 2);
    JsonObject *ended = null_bot_last(&bot, "ended", NULL, NULL);
    g_assert_true(g_str_has_suffix(platform_json_string(ended, "message", ""),
                                   "joining again failed 1 times"));
    g_assert_cmpuint(null_bot_count(&bot, "warning", "code", "rejoining"), ==, 1);
    check_end(&bot, "meeting_error", BOT_EXIT_OK);
    null_bot_clear(&bot);
}

static void test_leaves_while_it_is_out(void)
{
    NullBot bot;
    null_bot_start(&bot, "{" A ",'events':[{'at_s':0.2,'do':'crash_page'}]}", "");
    NULL_BOT_WAIT(null_bot_count(&bot, "state", "event", "connection_lost") == 1);
    null_bot_command(&bot, "leave", "{}");
    null_bot_wait_ended(&bot);
    g_assert_cmpuint(null_bot_report(&bot)->n_joins, ==, 1);
    check_end(&bot, "api_request", BOT_EXIT_OK);
    null_bot_clear(&bot);
}

static void test_back_to_the_waiting_room(void)
{
    NullBot bot;
    null_bot_start(&bot,
                   "{" A ",'events':[{'at_s':0.3,'do':'send_to_lobby'},"
                   "{'at_s':0.6,'do':'admit_bot'}]}",
                   ",'entry_message':'I record.'");
    NULL_BOT_WAIT(null_bot_count(&bot, "state", "new", "joined_recording") == 2);
    NULL_BOT_WAIT(null_bot_recorded_s(&bot) > 0.1);
    null_bot_command(&bot, "leave", "{}");
    null_bot_wait_ended(&bot);
    check_codes(&bot, "joining_call in_call_not_recording in_call_recording recording_paused "
                      "in_waiting_room in_call_not_recording recording_resumed call_ended");
    g_assert_cmpuint(null_bot_report(&bot)->chat->len, ==, 1); /* greeted once */
    g_assert_cmpuint(null_bot_report(&bot)->n_joins, ==, 1);
    check_gap(&bot, "waiting_room", 0);
    check_end(&bot, "api_request", BOT_EXIT_OK);
    null_bot_clear(&bot);
}

/* A recording that was paused stays so, whichever way the bot got out. */
static void test_stays_paused(void)
{
    static const char *const meetings[] = {
        "{" A ",'events':[{'at_s':1,'do':'send_to_lobby'},{'at_s':1,'do':'admit_bot'}]}",
        "{" A ",'events':[{'at_s':1,'do':'crash_page'}]}",
    };
    NullBot bots[G_N_ELEMENTS(meetings)];
    for (gsize i = 0; i < G_N_ELEMENTS(bots); i++) {
        null_bot_start(&bots[i], meetings[i], "");
        null_bot_wait_state(&bots[i], "joined_recording");
        null_bot_command(&bots[i], "pause_recording", "{}");
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bots); i++) {
        NullBot *bot = &bots[i];
        NULL_BOT_WAIT(null_bot_count(bot, "state", "event", "recording_pause_kept") == 1);
        g_assert_cmpuint(null_bot_count(bot, "state", "new", "joined_recording"), ==, 1);
        null_bot_command(bot, "resume_recording", "{}");
        g_assert_cmpstr(bot->results->str, ==, "pause_recording ok; resume_recording ok; ");
        NULL_BOT_WAIT(null_bot_recorded_s(bot) > 0.1);
        null_bot_command(bot, "leave", "{}");
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bots); i++) {
        null_bot_wait_ended(&bots[i]);
        check_end(&bots[i], "api_request", BOT_EXIT_OK);
        null_bot_clear(&bots[i]);
    }
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_test_init(&argc, &argv, NULL);
    media_init(&error);
    g_assert_no_error(error);
    g_test_add_func("/session_rejoin/joins_again_after_a_crash", test_joins_again_after_a_crash);
    g_test_add_func("/session_rejoin/attempts_are_used_up", test_attempts_are_used_up);
    g_test_add_func("/session_rejoin/leaves_while_it_is_out", test_leaves_while_it_is_out);
    g_test_add_func("/session_rejoin/back_to_the_waiting_room", test_back_to_the_waiting_room);
    g_test_add_func("/session_rejoin/stays_paused", test_stays_paused);
    return g_test_run();
}
