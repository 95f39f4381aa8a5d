/* SPDX-License-Identifier: Apache-2.0 */
/* A session from start to end in null: meetings: commands, pauses, shutdown, people. */
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

static void leave_and_end(NullBot *bot)
{
    null_bot_command(bot, "leave", "{}");
    null_bot_wait_ended(bot);
    check_end(bot, "api_request", BOT_EXIT_OK);
    null_bot_clear(bot);
}

/* --- commands --- */

static void run_commands(NullBot *bot)
{
    null_bot_command(bot, "resume_recording", "{}");
    null_bot_command(bot, "pause_recording", "{}");
    null_bot_command(bot, "send_chat_message", "{'message':'hello'}");
    NULL_BOT_WAIT(bot->n_running == 0);
    null_bot_command(bot, "speak", "{'data':'AAAA'}");
    null_bot_command(bot, "stop_speaking", "{}");
    null_bot_command(bot, "screenshot", "{}");
    NULL_BOT_WAIT(bot->n_running == 0);
    null_bot_command(bot, "other_bots", "{'names':['Other']}");
}

#define RESULTS(resume, pause, in_call, page)                                                      \
    "resume_recording " resume "; pause_recording " pause "; send_chat_message " in_call           \
    "; speak " in_call "; stop_speaking " in_call "; screenshot " page "; other_bots ok; "

static void test_commands_in_each_state(void)
{
    static const struct {
        const char *state, *meeting, *before, *results;
    } cases[] = {
        {"joining", "{'joining':{'for_s':60}}", NULL, RESULTS("state", "state", "state", "ok")},
        {"waiting_room", "{'lobby':{'mode':'ignore'}}", NULL,
         RESULTS("state", "state", "state", "ok")},
        {"joined_not_recording", "{'recording':'later'}", NULL,
         RESULTS("state", "state", "ok", "ok")},
        {"joined_recording", "{}", NULL, RESULTS("state", "ok", "ok", "ok")},
        {"joined_recording", "{}", "pause_recording", RESULTS("ok", "ok", "ok", "ok")},
        {"joined_recording_permission_denied", "{'recording':'denied'}", NULL,
         RESULTS("state", "state", "ok", "ok")},
        {"joined_recording", "{'leaving_s':5}", "leave", RESULTS("state", "state", "state", "ok")},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        NullBot bot;
        null_bot_start(&bot, cases[i].meeting, "");
        null_bot_wait_state(&bot, cases[i].state);
        if (cases[i].before != NULL) {
            null_bot_command(&bot, cases[i].before, "{}");
            g_string_truncate(bot.results, 0);
        }
        run_commands(&bot);
        g_assert_cmpstr(bot.results->str, ==, cases[i].results);
        null_bot_clear(&bot);
    }
}

static void test_commands_of_an_ended_bot(void)
{
    NullBot bot;
    null_bot_start(&bot, "{'joining':{'left':'not_found'}}", "");
    null_bot_wait_ended(&bot);
    run_commands(&bot);
    null_bot_command(&bot, "leave", "{}");
    g_assert_cmpstr(bot.results->str, ==,
                    RESULTS("state", "state", "state", "state") "leave state; ");
    null_bot_clear(&bot);
}

static void test_wrong_commands(void)
{
    static const char *const wrong[][2] = {
        {"dance", "{}"},
        {"send_chat_message", "{}"},
        {"send_chat_message", "{'message':''}"},
        {"speak", "{'data':7}"},
        {"speak", "{'data':'AAAA','sample_rate':7999}"},
        {"speak", "{'data':'AAAA','sample_rate':'8000'}"},
        {"other_bots", "{'names':[7]}"},
        {"other_bots", "{}"},
    };
    NullBot bot;
    null_bot_start(&bot, "{}", "");
    null_bot_wait_state(&bot, "joined_recording");
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *expected = g_strconcat(wrong[i][0], " command; ", NULL);
        g_string_truncate(bot.results, 0);
        null_bot_command(&bot, wrong[i][0], wrong[i][1]);
        g_assert_cmpstr(bot.results->str, ==, expected);
    }
    null_bot_clear(&bot);
}

static void test_commands_the_meeting_refuses(void)
{
    NullBot bot;
    null_bot_start(&bot, "{" A ",'events':[{'at_s':0,'do':'stop_chat'}]}", "");
    NULL_BOT_WAIT(null_bot_count(&bot, "participant", "op", "joined") == 1);
    null_bot_command(&bot, "send_chat_message", "{'message':'hello'}");
    NULL_BOT_WAIT(bot.n_running == 0);
    g_assert_cmpstr(bot.results->str, ==, "send_chat_message platform; ");
    null_bot_clear(&bot);
}

static void test_a_chat_that_outlives_the_meeting(void)
{
    NullBot bot;
    null_bot_start(&bot, "{'duration_s':0}", "");
    NULL_BOT_WAIT(null_bot_count(&bot, "state", "new", "joined_recording") > 0 ||
                  bot.session == NULL);
    null_bot_command(&bot, "send_chat_message", "{'message':'hello'}");
    null_bot_wait_ended(&bot);
    NULL_BOT_WAIT(bot.n_running == 0);
    null_bot_clear(&bot);
}

static void test_says_what_it_is_told(void)
{
    NullBot bot;
    g_autofree guint8 *silence = g_new0(guint8, 9600); /* 0.1 s at 48 kHz */
    g_autofree char *data = g_base64_encode(silence, 9600);
    g_autofree char *args = g_strdup_printf("{'sample_rate':48000,'data':'%s'}", data);
    null_bot_start(&bot, "{" A "}", "");
    null_bot_wait_state(&bot, "joined_recording");
    null_bot_command(&bot, "speak", args);
    NULL_BOT_WAIT(null_bot_count(&bot, "bot_speech", "op", "finished") == 1);
    NULL_BOT_WAIT(null_bot_report(&bot)->n_microphone_switches == 2); /* opened, and closed */
    g_assert_cmpuint(null_bot_report(&bot)->n_said_samples, ==, 4800);
    g_assert_cmpuint(null_bot_count(&bot, "bot_speech", "op", "started"), ==, 1);
    leave_and_end(&bot);
}

/* --- pause and resume --- */

static double at_s(NullBot *bot, const char *op)
{
    JsonObject *event = null_bot_last(bot, "recording", "op", op);
    g_assert_nonnull(event);
    return json_object_get_double_member(event, "at_s");
}

static void test_a_pause_is_cut_out(void)
{
    NullBot bot;
    null_bot_start(&bot, "{" A "}", "");
    NULL_BOT_WAIT(null_bot_recorded_s(&bot) > 0.2);
    null_bot_command(&bot, "pause_recording", "{}");
    NULL_BOT_WAIT(null_bot_count(&bot, "recording", "op", "paused") == 1);
    int64_t until_us = g_get_monotonic_time() + G_USEC_PER_SEC / 2;
    NULL_BOT_WAIT(g_get_monotonic_time() > until_us); /* what is cut out */
    null_bot_command(&bot, "resume_recording", "{}");
    NULL_BOT_WAIT(null_bot_count(&bot, "recording", "op", "resumed") == 1);
    g_assert_cmpfloat_with_epsilon(at_s(&bot, "resumed"), at_s(&bot, "paused"), 0.1);
    null_bot_command(&bot, "leave", "{}");
    null_bot_wait_ended(&bot);
    check_codes(&bot, "joining_call in_call_not_recording in_call_recording recording_paused "
                      "recording_resumed call_ended");
    check_end(&bot, "api_request", BOT_EXIT_OK);
    null_bot_clear(&bot);
}

static void test_permission_comes_and_goes(void)
{
    NullBot bot;
    null_bot_start(&bot,
                   "{" A ",'recording':'denied','events':[{'at_s':0.2,'do':'allow_recording'},"
                   "{'at_s':0.4,'do':'deny_recording'},{'at_s':0.6,'do':'allow_recording'}]}",
                   "");
    NULL_BOT_WAIT(null_bot_count(&bot, "state", "new", "joined_recording") == 2);
    NULL_BOT_WAIT(null_bot_recorded_s(&bot) > 0.1);
    g_assert_cmpuint(null_bot_count(&bot, "warning", "code", "recording_permission_denied"), ==, 2);
    null_bot_command(&bot, "leave", "{}");
    null_bot_wait_ended(&bot);
    check_codes(&bot, "joining_call in_call_not_recording in_call_recording recording_paused "
                      "recording_resumed call_ended");
    check_end(&bot, "api_request", BOT_EXIT_OK);
    null_bot_clear(&bot);
}

/* Nothing of it is lost: there was nothing yet. How soon they leave is chance, so there are some.
 */
static void test_leaves_at_once(void)
{
    NullBot bots[16];
    for (gsize i = 0; i < G_N_ELEMENTS(bots); i++) {
        null_bot_start(&bots[i], "{" A "}", i == 0 ? ",'recording_mode':'speaker_view'" : "");
        null_bot_wait_state(&bots[i], "joined_recording");
        null_bot_command(&bots[i], "leave", "{}");
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bots); i++) {
        null_bot_wait_ended(&bots[i]);
        g_assert_cmpuint(null_bot_count(&bots[i], "warning", NULL, NULL), ==, 0);
        check_end(&bots[i], "api_request", BOT_EXIT_OK);
        null_bot_clear(&bots[i]);
    }
}

/* Whoever waits for the last event may go: also when somebody spoke until the end. */
static void test_nothing_after_the_end(void)
{
    NullBot bot;
    null_bot_start(
        &bot, "{'duration_s':1.2,'participants':[{'id':'a','speech':[{'at_s':0,'for_s':9}]}]}", "");
    null_bot_wait_ended(&bot);
    int64_t until_us = g_get_monotonic_time() + G_USEC_PER_SEC;
    NULL_BOT_WAIT(g_get_monotonic_time() > until_us); /* in which a voice is found silent */
    JsonObject *last = g_ptr_array_index(bot.events, bot.events->len - 1);
    g_assert_cmpstr(platform_json_string(last, "type", ""), ==, "ended");
    null_bot_clear(&bot);
}

/* --- shutdown --- */

static void test_told_to_stop(void)
{
    static const char *const meetings[][2] = {
        {"{'joining':{'for_s':60}}", "joining"},
        {"{'lobby':{'mode':'ignore'}}", "waiting_room"},
        {"{}", "joined_recording"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(meetings); i++) {
        NullBot bot;
        null_bot_start(&bot, meetings[i][0], "");
        null_bot_wait_state(&bot, meetings[i][1]);
        bot_session_shutdown(bot.session);
        g_assert_cmpuint(null_bot_count(&bot, "state", "new", "leaving"), ==, 1);
        null_bot_wait_ended(&bot);
        g_assert_cmpstr(
            platform_json_string(null_bot_last(&bot, "ended", NULL, NULL), "message", ""), ==,
            "The worker was told to stop.");
        check_end(&bot, "api_request", BOT_EXIT_OK);
        null_bot_clear(&bot);
    }
}

/* The meeting does not let go of it: the second time nothing is waited for. */
static void test_told_twice(void)
{
    NullBot bot;
    null_bot_start(&bot, "{'leaving_s':5}", "");
    NULL_BOT_WAIT(null_bot_recorded_s(&bot) > 0.2);
    bot_session_shutdown(bot.session);
    g_assert_cmpuint(null_bot_count(&bot, "state", "new", "leaving"), ==, 1);
    g_assert_cmpuint(null_bot_count(&bot, "state", "new", "post_processing"), ==, 0);
    bot_session_shutdown(bot.session);
    g_assert_cmpuint(null_bot_count(&bot, "state", "new", "post_processing"), ==, 1);
    null_bot_wait_ended(&bot);
    g_assert_nonnull(null_bot_last(&bot, "artifact", "name", "recording.mp3"));
    check_end(&bot, "api_request", BOT_EXIT_OK);
    null_bot_clear(&bot);
}

static void test_freed_at_any_time(void)
{
    static const char *const states[] = {"joining", "waiting_room", "joined_recording", "leaving",
                                         "post_processing"};
    for (gsize i = 0; i < G_N_ELEMENTS(states); i++) {
        NullBot bot;
        null_bot_start(&bot,
                       "{'lobby':{'mode':'admit','after_s':0.05},'leaving_s':0.1,'participants':"
                       "[{'id':'a','speech':[{'at_s':0,'for_s':9}]}]}",
                       "");
        if (i > 2) {
            null_bot_wait_state(&bot, "joined_recording");
            null_bot_command(&bot, "leave", "{}");
        }
        null_bot_wait_state(&bot, states[i]);
        g_clear_pointer(&bot.session, bot_session_free);
        guint n_events = bot.events->len;
        for (int n = 0; n < 20; n++) {
            g_main_context_iteration(NULL, FALSE);
        }
        g_assert_cmpuint(bot.events->len, ==, n_events);
        null_bot_clear(&bot);
    }
}

/* --- people --- */

static void test_late_names(void)
{
    NullBot bot;
    null_bot_start(&bot,
                   "{'duration_s':0.5,'participants':[{'id':'b','name':'Bob','name_s':0.2,"
                   "'host':true}]}",
                   "");
    null_bot_wait_ended(&bot);
    JsonObject *joined = null_bot_last(&bot, "participant", "op", "joined");
    JsonObject *updated = null_bot_last(&bot, "participant", "op", "updated");
    g_assert_cmpstr(platform_json_string(joined, "name", NULL), ==, "");
    g_assert_cmpstr(platform_json_string(updated, "name", NULL), ==, "Bob");
    g_assert_cmpint(platform_json_int(updated, "id", 0), ==, 1);
    g_autoptr(JsonNode) people = null_bot_read(&bot, "participants.json");
    JsonObject *bob = json_array_get_object_element(json_node_get_array(people), 0);
    g_assert_cmpstr(platform_json_string(bob, "name", NULL), ==, "Bob");
    g_assert_true(platform_json_bool(bob, "is_host", false));
    null_bot_clear(&bot);
}

static void test_who_spoke_and_wrote(void)
{
    NullBot bot;
    null_bot_start(&bot,
                   "{'duration_s':1.6,'participants':["
                   "{'id':'a','name':'Alice','speech':[{'at_s':0.1,'for_s':0.4}]},"
                   "{'id':'b','name':'Bob','speech':[{'at_s':0.8,'for_s':0.4,'tone_hz':880}]},"
                   "{'id':'c','name':'Cem','muted':true,'speech':[{'at_s':0,'for_s':2}]}],"
                   "'chat':[{'at_s':0.1,'from':'b','text':'hi'}]}",
                   ",'entry_message':'I record.'");
    null_bot_wait_ended(&bot);
    g_autofree char *path = g_build_filename(bot.output, "diarization.jsonl", NULL);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 2);
    g_assert_nonnull(strstr(lines[0], "\"Alice\""));
    g_assert_nonnull(strstr(lines[1], "\"Bob\""));
    g_autoptr(JsonNode) chat = null_bot_read(&bot, "chat.json");
    g_assert_cmpuint(json_array_get_length(json_node_get_array(chat)), ==, 1); /* not its own */
    JsonObject *row = json_array_get_object_element(json_node_get_array(chat), 0);
    g_assert_cmpint(platform_json_int(row, "id", 0), ==, 2);
    g_assert_cmpstr(platform_json_string(row, "text", ""), ==, "hi");
    null_bot_clear(&bot);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_test_init(&argc, &argv, NULL);
    media_init(&error);
    g_assert_no_error(error);
    g_test_add_func("/session/commands_in_each_state", test_commands_in_each_state);
    g_test_add_func("/session/commands_of_an_ended_bot", test_commands_of_an_ended_bot);
    g_test_add_func("/session/wrong_commands", test_wrong_commands);
    g_test_add_func("/session/commands_the_meeting_refuses", test_commands_the_meeting_refuses);
    g_test_add_func("/session/a_chat_that_outlives_the_meeting",
                    test_a_chat_that_outlives_the_meeting);
    g_test_add_func("/session/says_what_it_is_told", test_says_what_it_is_told);
    g_test_add_func("/session/a_pause_is_cut_out", test_a_pause_is_cut_out);
    g_test_add_func("/session/permission_comes_and_goes", test_permission_comes_and_goes);
    g_test_add_func("/session/leaves_at_once", test_leaves_at_once);
    g_test_add_func("/session/nothing_after_the_end", test_nothing_after_the_end);
    g_test_add_func("/session/told_to_stop", test_told_to_stop);
    g_test_add_func("/session/told_twice", test_told_twice);
    g_test_add_func("/session/freed_at_any_time", test_freed_at_any_time);
    g_test_add_func("/session/late_names", test_late_names);
    g_test_add_func("/session/who_spoke_and_wrote", test_who_spoke_and_wrote);
    return g_test_run();
}
