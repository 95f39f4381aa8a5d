/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Meet adapter against the test meeting, in a real Chromium: every outcome and every event that
 * the stand-in can make, and the clauses of platforms/platform.h.
 */
#include "platforms/platform.h"

#include "platforms/browser/profile.h"
#include "platforms/json.h"
#include "platforms/resources.h"
#include "tests/platforms/fixture.h"

#include <glib/gstdio.h>

#include <math.h>
#include <string.h>

#define ALICE                                                                                      \
    "{'id':'alice','name':'Alice Martin','host':true,'camera':{'source':'pattern:ball'},"          \
    "'speech':[{'at_s':1,'tone_hz':440,'for_s':20}]}"
#define BOB "{'id':'bob','name':'Bob Okafor','camera':null,'leave_s':4}"

typedef struct {
    GSubprocess *meeting;
    GDataInputStream *lines;
    char *dir;
    JsonObject *line; /* what steno-meeting printed */
    Platform *platform;
    GString *log; /* of events, one a line */
    bool lobby, admitted, left, refused, mic_open, mic_closed, host_absent;
    bool free_when_admitted;
    unsigned n_left, n_lobby, n_admitted, n_after_left;
    PlatformLeft how;
    char *rule, *screenshot;
    unsigned n_audio, n_video, n_csrc_frames, n_warnings;
    GHashTable *names;   /* platform id -> name */
    GHashTable *sources; /* contributing source -> platform id */
    GHashTable *heard;   /* set of contributing sources */
    char *chat;
    unsigned n_gone;
    bool done, failed;
    unsigned n_to_speak; /* blocks of 0.1 s */
} Test;

static char *timing_dir; /* rules with short patience */

static void note(Test *test, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void note(Test *test, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_string_append_vprintf(test->log, format, args);
    g_string_append_c(test->log, '\n');
    va_end(args);
    test->n_after_left += test->left ? 1 : 0;
}

static void on_lobby(gpointer user_data)
{
    Test *test = user_data;
    note(test, "lobby");
    test->lobby = true;
    test->n_lobby++;
    g_assert_false(test->admitted);
}

static void on_host_absent(bool absent, gpointer user_data)
{
    Test *test = user_data;
    note(test, "host absent: %d", absent);
    g_assert_true(test->lobby);
    test->host_absent = absent;
}

static void on_admitted(gpointer user_data)
{
    Test *test = user_data;
    note(test, "admitted");
    test->admitted = true;
    test->n_admitted++;
    if (test->free_when_admitted) {
        platform_free(g_steal_pointer(&test->platform));
    }
}

static void on_recording_permission(bool granted, const char *reason, gpointer user_data)
{
    Test *test = user_data;
    note(test, "recording %d", granted);
    g_assert_true(test->admitted);
    test->refused = !granted;
}

static void on_participant(PlatformParticipantOp op, const PlatformParticipant *who,
                           gpointer user_data)
{
    Test *test = user_data;
    note(test, "participant %d %s %s", op, who->platform_id, who->name);
    if (op == PLATFORM_PARTICIPANT_LEFT) {
        test->n_gone++;
    }
    g_hash_table_replace(test->names, g_strdup(who->platform_id), g_strdup(who->name));
}

static void on_source(const PlatformSource *source, gpointer user_data)
{
    Test *test = user_data;
    note(test, "source %d %u %s %d", source->kind, source->source, source->platform_id,
         source->active);
    if (source->kind == PLATFORM_SOURCE_AUDIO) {
        g_hash_table_replace(test->sources, GUINT_TO_POINTER(source->source),
                             g_strdup(source->platform_id));
    }
}

static void on_frame(MediaEncodedFrame *frame, gpointer user_data)
{
    Test *test = user_data;
    test->n_after_left += test->left ? 1 : 0;
    if (media_codec_is_video(frame->codec)) {
        test->n_video++;
    } else {
        test->n_audio++;
    }
    for (int i = 0; i < frame->n_csrcs; i++) {
        test->n_csrc_frames++;
        g_hash_table_add(test->heard, GUINT_TO_POINTER(frame->csrcs[i]));
    }
}

static void on_chat(const char *id, const char *name, const char *text, gpointer user_data)
{
    Test *test = user_data;
    g_free(test->chat);
    test->chat = g_strdup_printf("%s: %s", name, text);
}

static void on_microphone(bool open, gpointer user_data)
{
    Test *test = user_data;
    note(test, "microphone %d", open);
    test->mic_open = open;
    test->mic_closed = !open;
}

static void on_warning(const char *code, const char *message, gpointer user_data)
{
    Test *test = user_data;
    note(test, "warning %s: %s", code, message);
    test->n_warnings++;
}

static void on_left(const PlatformLeftInfo *info, gpointer user_data)
{
    Test *test = user_data;
    note(test, "left %s: %s (%s)", platform_left_to_string(info->left), info->message,
         info->rule != NULL ? info->rule : "-");
    test->left = true;
    test->n_left++;
    test->how = info->left;
    test->rule = g_strdup(info->rule);
    test->screenshot = g_strdup(info->screenshot);
}

static const PlatformEvents events = {.on_lobby = on_lobby,
                                      .on_host_absent = on_host_absent,
                                      .on_admitted = on_admitted,
                                      .on_recording_permission = on_recording_permission,
                                      .on_participant = on_participant,
                                      .on_source = on_source,
                                      .on_frame = on_frame,
                                      .on_chat = on_chat,
                                      .on_microphone = on_microphone,
                                      .on_warning = on_warning,
                                      .on_left = on_left};

static void start_meeting(Test *test, const char *scenario)
{
    g_autoptr(GError) error = NULL;
    test->dir = g_dir_make_tmp("steno-test-meet-XXXXXX", &error);
    g_assert_no_error(error);
    g_autofree char *json = g_strdelimit(g_strdup(scenario), "'", '"');
    g_autofree char *path = g_build_filename(test->dir, "scenario.json", NULL);
    g_autofree char *report = g_build_filename(test->dir, "report.json", NULL);
    g_assert_true(g_file_set_contents(path, json, -1, NULL));
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
        G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
    g_subprocess_launcher_unsetenv(launcher, "G_DEBUG");
    test->meeting = g_subprocess_launcher_spawn(launcher, &error, g_getenv("STENO_MEETING"),
                                                "--scenario", path, "--report", report, NULL);
    g_assert_no_error(error);
    test->lines = g_data_input_stream_new(g_subprocess_get_stdout_pipe(test->meeting));
    gsize length = 0;
    g_autofree char *line = g_data_input_stream_read_line(test->lines, &length, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(line);
    test->line = platform_json_parse(line, length, &error);
    g_assert_no_error(error);
}

static void start(Test *test, const char *participants, const char *rest)
{
    memset(test, 0, sizeof *test);
    test->log = g_string_new(NULL);
    test->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    test->sources = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    test->heard = g_hash_table_new(NULL, NULL);
    g_autofree char *scenario = g_strdup_printf(
        "{'platform':'meet','duration_s':60,'participants':[%s],%s}", participants, rest);
    start_meeting(test, scenario);
    JsonObject *browser = platform_json_object(test->line, "browser");
    json_object_set_boolean_member(browser, "sandbox", false);
    PlatformConfig config = {
        .meeting_url = platform_json_string(test->line, "meeting_url", ""),
        .bot_name = "Steno \"test\" <bot>",
        .output_dir = test->dir,
        .want_video = true,
        .want_microphone = true,
        .browser = browser,
    };
    g_autoptr(GError) error = NULL;
    test->platform = platform_new(&config, &events, test, &error);
    g_assert_no_error(error);
    platform_join(test->platform);
    g_assert_cmpuint(test->log->len, ==, 0); /* nothing from inside a call */
}

static void stop(Test *test)
{
    g_test_message("%s", test->log->str);
    platform_free(test->platform);
    g_subprocess_send_signal(test->meeting, SIGINT);
    g_subprocess_wait(test->meeting, NULL, NULL);
    g_object_unref(test->meeting);
    g_object_unref(test->lines);
    json_object_unref(test->line);
    g_assert_cmpuint(test->n_left, <=, 1);
    g_assert_cmpuint(test->n_lobby, <=, 1);
    g_assert_cmpuint(test->n_admitted, <=, 1);
    g_assert_cmpuint(test->n_after_left, ==, 0);
    if (test->screenshot != NULL) {
        g_assert_true(g_file_test(test->screenshot, G_FILE_TEST_EXISTS));
    }
    browser_remove_tree(test->dir);
    g_string_free(test->log, TRUE);
    g_hash_table_unref(test->names);
    g_hash_table_unref(test->sources);
    g_hash_table_unref(test->heard);
    g_free(test->dir);
    g_free(test->rule);
    g_free(test->screenshot);
    g_free(test->chat);
    g_assert_cmpuint(browser_profile_reap(), ==, 0); /* it left no folder */
}

static bool hears(Test *test, const char *name)
{
    GHashTableIter iter;
    gpointer csrc;
    g_hash_table_iter_init(&iter, test->heard);
    while (g_hash_table_iter_next(&iter, &csrc, NULL)) {
        const char *id = g_hash_table_lookup(test->sources, csrc);
        if (id != NULL && g_strcmp0(g_hash_table_lookup(test->names, id), name) == 0) {
            return true;
        }
    }
    return false;
}

static void on_done(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Test *test = user_data;
    g_autoptr(GError) error = NULL;
    test->done = true;
    test->failed = !platform_send_chat_finish(test->platform, result, &error);
    if (test->failed) {
        note(test, "failed: %s", error->message);
    }
}

static JsonObject *read_bot_report(Test *test, JsonObject **ret_root)
{
    g_autofree char *path = g_build_filename(test->dir, "report.json", NULL);
    g_autofree char *text = NULL;
    gsize size = 0;
    g_subprocess_send_signal(test->meeting, SIGINT);
    g_subprocess_wait(test->meeting, NULL, NULL);
    g_assert_true(g_file_get_contents(path, &text, &size, NULL));
    *ret_root = platform_json_parse(text, size, NULL);
    g_assert_nonnull(*ret_root);
    return json_array_get_object_element(platform_json_array(*ret_root, "bots"), 0);
}

static gboolean speak_block(gpointer user_data)
{
    Test *test = user_data;
    int16_t block[4800];
    for (int i = 0; i < 4800; i++) {
        block[i] = (int16_t)(12000 * sin(i * 2 * G_PI * 440 / 48000));
    }
    g_autoptr(GError) error = NULL;
    platform_speak(test->platform, block, G_N_ELEMENTS(block), &error);
    g_assert_no_error(error);
    test->n_to_speak--;
    return test->n_to_speak > 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* At the pace of the clock, as platform_speak() asks for: when it returns, most of it was heard. */
static void speak(Test *test, unsigned n_blocks)
{
    test->n_to_speak = n_blocks;
    g_timeout_add(100, speak_block, test);
    FIXTURE_WAIT(test->n_to_speak == 0, n_blocks * 0.1);
}

static void test_whole_call(void)
{
    Test test;
    start(&test, ALICE "," BOB,
          "'lobby':{'mode':'admit','after_s':1},"
          "'chat':[{'at_s':2,'from':'alice','text':'Hello'}]");
    FIXTURE_WAIT(test.admitted, 40);
    g_assert_true(test.lobby);
    g_assert_false(test.refused);
    FIXTURE_WAIT(hears(&test, "Alice Martin") && test.n_video > 25, 20);
    FIXTURE_WAIT(test.chat != NULL, 10);
    g_assert_cmpstr(test.chat, ==, "Alice Martin: Hello");
    FIXTURE_WAIT(test.mic_closed, 5);
    platform_set_microphone(test.platform, true);
    FIXTURE_WAIT(test.mic_open, 5);
    speak(&test, 15);
    platform_send_chat_async(test.platform, "Good \"day\"", NULL, NULL);
    platform_send_chat_async(test.platform, "to all", on_done, &test); /* one field for both */
    FIXTURE_WAIT(test.done, 12);
    g_assert_false(test.failed);
    FIXTURE_WAIT(test.n_gone == 1, 15); /* Bob */
    platform_set_microphone(test.platform, false);
    FIXTURE_WAIT(test.mic_closed, 5);
    platform_leave(test.platform);
    FIXTURE_WAIT(test.left, 6);
    g_assert_cmpint(test.how, ==, PLATFORM_LEFT_REQUESTED);
    g_autoptr(JsonObject) report = NULL;
    JsonObject *bot = read_bot_report(&test, &report);
    g_assert_cmpstr(platform_json_string(bot, "name", ""), ==, "Steno \"test\" <bot>");
    g_assert_cmpstr(platform_json_string(bot, "how_left", ""), ==, "left");
    JsonArray *chat = platform_json_array(bot, "chat");
    g_assert_cmpuint(json_array_get_length(chat), ==, 2);
    g_assert_cmpstr(platform_json_string(json_array_get_object_element(chat, 0), "text", ""), ==,
                    "Good \"day\"");
    g_assert_cmpstr(platform_json_string(json_array_get_object_element(chat, 1), "text", ""), ==,
                    "to all");
    g_assert_cmpuint(
        json_array_get_length(platform_json_array(platform_json_object(bot, "said"), "sound")), >=,
        1);
    g_assert_false(platform_json_bool(platform_json_object(bot, "camera"), "showed_picture", true));
    stop(&test);
}

typedef struct {
    const char *rest;
    PlatformLeft how;
    bool lobby, admitted, pictured;
} Outcome;

static void test_outcome(gconstpointer data)
{
    const Outcome *outcome = data;
    Test test;
    start(&test, ALICE, outcome->rest);
    FIXTURE_WAIT(test.left, 60);
    g_assert_cmpstr(platform_left_to_string(test.how), ==, platform_left_to_string(outcome->how));
    g_assert_cmpint(test.lobby, ==, outcome->lobby);
    g_assert_cmpint(test.admitted, ==, outcome->admitted);
    g_assert_cmpint(test.screenshot != NULL, ==, outcome->pictured);
    stop(&test);
}

static const Outcome denied = {"'lobby':{'mode':'deny','after_s':1}", PLATFORM_LEFT_DENIED, true,
                               false, true};
static const Outcome not_found = {"'page':{'variant':'not_found'}", PLATFORM_LEFT_NOT_FOUND, false,
                                  false, true};
static const Outcome login = {"'page':{'variant':'login_required'}", PLATFORM_LEFT_LOGIN_REQUIRED,
                              false, false, true};
static const Outcome blocked = {"'page':{'variant':'blocked'}", PLATFORM_LEFT_BOTS_NOT_ALLOWED,
                                false, false, true};
static const Outcome captcha = {"'page':{'variant':'captcha'}", PLATFORM_LEFT_CAPTCHA, false, false,
                                true};
static const Outcome removed = {"'lobby':{'mode':'none'},'events':[{'at_s':2,'do':'remove_bot'}]",
                                PLATFORM_LEFT_REMOVED, false, true, true};
static const Outcome ended = {"'lobby':{'mode':'none'},'events':[{'at_s':2,'do':'end_meeting'}]",
                              PLATFORM_LEFT_ENDED, false, true, true};
static const Outcome frozen = {"'lobby':{'mode':'none'},'events':[{'at_s':2,'do':'freeze_page'}]",
                               PLATFORM_LEFT_PAGE_LOST, false, true, false};
static const Outcome crashed = {"'lobby':{'mode':'none'},'events':[{'at_s':2,'do':'crash_page'}]",
                                PLATFORM_LEFT_PAGE_LOST, false, true, false};
static const Outcome network = {"'lobby':{'mode':'none'},'events':[{'at_s':2,'do':'drop_network'}]",
                                PLATFORM_LEFT_NETWORK_LOST, false, true, true};

static void test_network_comes_back(void)
{
    Test test;
    start(&test, ALICE,
          "'lobby':{'mode':'none'},'events':[{'at_s':3,'do':'drop_network'},"
          "{'at_s':5,'do':'restore_network'}]");
    FIXTURE_WAIT(test.admitted, 40);
    FIXTURE_WAIT(test.n_audio > 0, 20);
    int64_t end_us = g_get_monotonic_time() + 9 * G_USEC_PER_SEC;
    FIXTURE_WAIT(g_get_monotonic_time() > end_us, 15);
    unsigned n_audio = test.n_audio;
    FIXTURE_WAIT(test.n_audio > n_audio + 50, 15);
    g_assert_false(test.left);
    stop(&test);
}

static void test_host_absent_then_leave_from_the_lobby(void)
{
    Test test;
    start(&test, ALICE, "'lobby':{'mode':'host_absent'}");
    FIXTURE_WAIT(test.host_absent, 40);
    platform_send_chat_async(test.platform, "too early", on_done, &test);
    g_assert_false(test.done);
    FIXTURE_WAIT(test.done, 5);
    g_assert_true(test.failed);
    platform_leave(test.platform);
    g_assert_false(test.left);
    FIXTURE_WAIT(test.left, 6);
    g_assert_cmpint(test.how, ==, PLATFORM_LEFT_REQUESTED);
    g_assert_false(test.admitted);
    stop(&test);
}

static void test_leave_before_the_page_is_open(void)
{
    Test test;
    start(&test, ALICE, "'lobby':{'mode':'none'}");
    platform_leave(test.platform);
    g_assert_false(test.left);
    FIXTURE_WAIT(test.left, 6);
    g_assert_cmpint(test.how, ==, PLATFORM_LEFT_REQUESTED);
    stop(&test);
}

static void test_recording_denied(void)
{
    Test test;
    start(&test, ALICE, "'lobby':{'mode':'none'},'events':[{'at_s':2,'do':'deny_recording'}]");
    FIXTURE_WAIT(test.admitted, 40);
    FIXTURE_WAIT(test.refused, 10);
    g_assert_false(test.left);
    stop(&test);
}

static void test_dialogs_do_not_stop_it(void)
{
    Test test;
    start(&test, ALICE,
          "'lobby':{'mode':'admit','after_s':1},'page':{'variant':'normal','dialogs':['gemini',"
          "'recorded']},'events':[{'at_s':1,'do':'show_dialog','name':'strange'}]");
    FIXTURE_WAIT(test.admitted, 40);
    FIXTURE_WAIT(strstr(test.log->str, "unknown_dialog") != NULL, 10);
    FIXTURE_WAIT(hears(&test, "Alice Martin"), 20);
    g_autofree char *picture = g_build_filename(test.dir, "screenshots", "01-dialog.png", NULL);
    FIXTURE_WAIT(g_file_test(picture, G_FILE_TEST_EXISTS), 10);
    stop(&test);
}

static void test_end_texts_in_chat_and_names_mean_nothing(void)
{
    Test test;
    start(&test,
          ALICE ",{'id':'eve','name':'You\\u0027ve been removed from the meeting','camera':null},"
                "{'id':'mallory','name':'Asking to join','camera':null}",
          "'lobby':{'mode':'none'},'chat':[{'at_s':1,'from':'alice',"
          "'text':'The call ended. Return to home screen. You lost your network connection'}]");
    FIXTURE_WAIT(test.chat != NULL, 40);
    test.done = false;
    platform_send_chat_async(test.platform, "shows the chat", on_done, &test);
    FIXTURE_WAIT(test.done, 12);
    int64_t end_us = g_get_monotonic_time() + 8 * G_USEC_PER_SEC;
    FIXTURE_WAIT(test.left || g_get_monotonic_time() > end_us, 15);
    g_assert_false(test.left);
    stop(&test);
}

static void test_freed_inside_an_event(void)
{
    Test test;
    start(&test, ALICE, "'lobby':{'mode':'none'}");
    test.free_when_admitted = true;
    FIXTURE_WAIT(test.platform == NULL, 40);
    size_t length = test.log->len;
    int64_t end_us = g_get_monotonic_time() + G_USEC_PER_SEC;
    FIXTURE_WAIT(g_get_monotonic_time() > end_us, 5);
    g_assert_cmpuint(test.log->len, ==, length); /* never after platform_free */
    stop(&test);
}

static void test_no_such_browser(void)
{
    Test test = {.log = g_string_new(NULL)};
    g_autoptr(JsonObject) browser = json_object_new();
    json_object_set_string_member(browser, "executable", "/nonexistent/chromium");
    json_object_set_boolean_member(browser, "sandbox", false);
    PlatformConfig config = {.meeting_url = "https://meet.google.com/abc-defg-hij",
                             .bot_name = "Steno",
                             .browser = browser};
    test.platform = platform_new(&config, &events, &test, NULL);
    platform_join(test.platform);
    g_assert_false(test.left);
    FIXTURE_WAIT(test.left, 5);
    g_assert_cmpint(test.how, ==, PLATFORM_LEFT_INTERNAL);
    platform_free(test.platform);
    g_string_free(test.log, TRUE);
}

/* The shipped rules with less patience, so that a test of patience is short. */
static void write_short_rules(void)
{
    g_autoptr(GBytes) bytes =
        g_resource_lookup_data(platforms_get_resource(), "/steno/meet/rules.json", 0, NULL);
    g_autoptr(JsonObject) rules =
        platform_json_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), NULL);
    JsonObject *timing = platform_json_object(rules, "timing");
    json_object_set_int_member(timing, "frozen_ms", 3000);
    json_object_set_int_member(timing, "network_lost_ms", 6000);
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    json_node_set_object(node, rules);
    g_autofree char *text = json_to_string(node, FALSE);
    timing_dir = g_dir_make_tmp("steno-test-rules-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(timing_dir, "meet.json", NULL);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_setenv("STENO_PLATFORM_DIR", timing_dir, TRUE);
}

int main(int argc, char *argv[])
{
    fixture_init(&argc, &argv);
    write_short_rules();
    g_test_add_func("/meet/whole_call", test_whole_call);
    g_test_add_data_func("/meet/left/denied", &denied, test_outcome);
    g_test_add_data_func("/meet/left/not_found", &not_found, test_outcome);
    g_test_add_data_func("/meet/left/login_required", &login, test_outcome);
    g_test_add_data_func("/meet/left/blocked", &blocked, test_outcome);
    g_test_add_data_func("/meet/left/captcha", &captcha, test_outcome);
    g_test_add_data_func("/meet/left/removed", &removed, test_outcome);
    g_test_add_data_func("/meet/left/ended", &ended, test_outcome);
    g_test_add_data_func("/meet/left/frozen", &frozen, test_outcome);
    g_test_add_data_func("/meet/left/crashed", &crashed, test_outcome);
    g_test_add_data_func("/meet/left/network_lost", &network, test_outcome);
    g_test_add_func("/meet/network_comes_back", test_network_comes_back);
    g_test_add_func("/meet/host_absent_then_leave_from_the_lobby",
                    test_host_absent_then_leave_from_the_lobby);
    g_test_add_func("/meet/leave_before_the_page_is_open", test_leave_before_the_page_is_open);
    g_test_add_func("/meet/recording_denied", test_recording_denied);
    g_test_add_func("/meet/dialogs_do_not_stop_it", test_dialogs_do_not_stop_it);
    g_test_add_func("/meet/end_texts_in_chat_and_names_mean_nothing",
                    test_end_texts_in_chat_and_names_mean_nothing);
    g_test_add_func("/meet/freed_inside_an_event", test_freed_inside_an_event);
    g_test_add_func("/meet/no_such_browser", test_no_such_browser);
    int status = fixture_run();
    browser_remove_tree(timing_dir);
    g_free(timing_dir);
    return status;
}
