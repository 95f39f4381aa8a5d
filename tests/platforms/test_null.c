/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The platform without a browser: what a document says is what comes, and each clause of the
 * contract in platforms/platform.h.
 */
#include "media/tone.h"
#include "platforms/null/meeting.h"
#include "tests/platforms/fixture.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct {
    char *dir; /* with meeting.json */
    Platform *platform;
    GString *log; /* a word an event: "lobby; admitted; +alice; …" */
    GThread *thread;
    bool calling; /* inside a call of platform.h */
    bool left;
    const char *leave_at, *free_at; /* words of the log: platform_leave, platform_free there */
    unsigned n_frames, n_key_frames, n_answers;
    int64_t n_opus_bytes;
    uint32_t last_source, last_timestamp;
    int32_t last_sequence;
    GError *error; /* of the last answer */
} Test;

static void note(Test *test, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void note(Test *test, const char *format, ...)
{
    g_autofree char *word = NULL;
    va_list args;
    va_start(args, format);
    word = g_strdup_vprintf(format, args);
    va_end(args);
    g_assert_true(g_thread_self() == test->thread);
    g_assert_false(test->calling); /* never from inside a call */
    g_assert_false(test->left);    /* on_left is the last one */
    g_assert_nonnull(test->platform);
    g_string_append_printf(test->log, "%s; ", word);
    if (g_strcmp0(test->leave_at, word) == 0) {
        platform_leave(test->platform);
    }
    if (g_strcmp0(test->free_at, word) == 0) {
        g_clear_pointer(&test->platform, platform_free);
    }
}

static void on_lobby(gpointer user_data)
{
    note(user_data, "lobby");
}

static void on_host_absent(bool absent, gpointer user_data)
{
    note(user_data, absent ? "host absent" : "host there");
}

static void on_admitted(gpointer user_data)
{
    note(user_data, "admitted");
}

static void on_recording_permission(bool granted, const char *reason, gpointer user_data)
{
    g_assert_true(granted == (reason == NULL));
    note(user_data, granted ? "granted" : "refused");
}

static void on_participant(PlatformParticipantOp op, const PlatformParticipant *participant,
                           gpointer user_data)
{
    static const char marks[] = {'+', '=', '-'};
    g_assert_nonnull(participant->name);
    note(user_data, "%c%s%s%s%s%s", marks[op], participant->platform_id,
         strcmp(participant->name, participant->platform_id) != 0 ? participant->name : "",
         participant->is_self ? "(self)" : "", participant->is_host ? "(host)" : "",
         participant->muted ? "(muted)" : "");
}

static void on_source(const PlatformSource *source, gpointer user_data)
{
    static const char *const kinds[] = {"voice", "camera", "screen"};
    g_assert_cmpuint(source->source, !=, 0);
    note(user_data, "%s of %s %s", kinds[source->kind], source->platform_id,
         source->active ? "on" : "off");
}

static void on_speaker(const char *platform_id, gpointer user_data)
{
    note(user_data, "%s speaks", platform_id);
}

static void on_track_ended(uint32_t track_id, gpointer user_data)
{
    note(user_data, "track ended");
}

static void on_frame(MediaEncodedFrame *frame, gpointer user_data)
{
    Test *test = user_data;
    g_assert_false(test->calling);
    g_assert_false(test->left);
    g_assert_cmpint(frame->receive_ns, <=, g_get_monotonic_time() * 1000);
    g_assert_cmpuint(frame->track_id, !=, 0);
    test->n_frames++;
    test->n_key_frames += frame->key_frame ? 1 : 0;
    if (frame->codec == MEDIA_CODEC_OPUS) {
        uint32_t source = media_encoded_frame_source(frame);
        if (test->last_source == source) { /* exact steps, no number left out */
            g_assert_cmpint(frame->sequence, ==, test->last_sequence + 1);
            g_assert_cmpuint((frame->rtp_timestamp - test->last_timestamp) % 960, ==, 0);
            g_assert_cmpint((int32_t)(frame->rtp_timestamp - test->last_timestamp), >, 0);
        }
        test->last_source = source;
        test->last_sequence = frame->sequence;
        test->last_timestamp = frame->rtp_timestamp;
        test->n_opus_bytes += (int64_t)g_bytes_get_size(frame->payload);
    }
    if (g_strcmp0(test->free_at, "frame") == 0) {
        g_clear_pointer(&test->platform, platform_free);
    }
}

static void on_chat(const char *platform_id, const char *name, const char *text, gpointer user_data)
{
    note(user_data, "%s writes %s", platform_id, text);
}

static void on_microphone(bool open, gpointer user_data)
{
    note(user_data, open ? "microphone open" : "microphone closed");
}

static void on_rule(const char *purpose, const char *rule, bool found, gpointer user_data)
{
    g_assert_not_reached();
}

static void on_warning(const char *code, const char *message, gpointer user_data)
{
    note(user_data, "warning %s", code);
}

static void on_left(const PlatformLeftInfo *info, gpointer user_data)
{
    Test *test = user_data;
    g_assert_nonnull(info->message);
    note(test, "left: %s", platform_left_to_string(info->left));
    test->left = true;
}

static const PlatformEvents events = {
    .on_lobby = on_lobby,
    .on_host_absent = on_host_absent,
    .on_admitted = on_admitted,
    .on_recording_permission = on_recording_permission,
    .on_participant = on_participant,
    .on_source = on_source,
    .on_speaker = on_speaker,
    .on_track_ended = on_track_ended,
    .on_frame = on_frame,
    .on_chat = on_chat,
    .on_microphone = on_microphone,
    .on_rule = on_rule,
    .on_warning = on_warning,
    .on_left = on_left,
};

static char *from_quotes(const char *json)
{
    return g_strdelimit(g_strdup(json), "'", '"');
}

static void make_platform(Test *test, const PlatformConfig *more)
{
    g_autoptr(GError) error = NULL;
    PlatformConfig config = *more;
    config.meeting_url = "null:meeting";
    config.bot_name = "Steno";
    config.output_dir = test->dir;
    config.null_dir = test->dir;
    test->platform = platform_new(&config, &events, test, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(platform_get_name(test->platform), ==, "null");
}

static void join(Test *test)
{
    test->calling = true;
    platform_join(test->platform);
    test->calling = false;
}

static void begin(Test *test, const char *json)
{
    static const PlatformConfig config = {
        .want_video = true, .live = true, .want_microphone = true};
    g_autoptr(GError) error = NULL;
    g_autofree char *text = from_quotes(json);
    *test = (Test){.log = g_string_new(NULL), .thread = g_thread_self()};
    test->dir = g_dir_make_tmp("steno-null-XXXXXX", &error);
    g_assert_no_error(error);
    g_autofree char *path = g_build_filename(test->dir, "meeting.json", NULL);
    g_assert_true(g_file_set_contents(path, text, -1, &error));
    make_platform(test, &config);
}

static const NullReport *report(Test *test)
{
    g_autoptr(GError) error = NULL;
    NullMeeting *meeting = null_meeting_open(test->dir, "null:meeting", &error);
    g_assert_no_error(error);
    return null_meeting_get_report(meeting);
}

static bool has(Test *test, const char *words)
{
    return strstr(test->log->str, words) != NULL;
}

static void wait_words(Test *test, const char *words)
{
    FIXTURE_WAIT(has(test, words) || test->left, 10);
    if (!has(test, words)) {
        g_error("no \"%s\" in \"%s\"", words, test->log->str);
    }
}

static void end(Test *test)
{
    g_clear_pointer(&test->platform, platform_free);
    g_clear_error(&test->error);
    g_autofree char *path = g_build_filename(test->dir, "meeting.json", NULL);
    g_autofree char *shot = g_build_filename(test->dir, "shot.png", NULL);
    g_remove(path);
    g_remove(shot);
    g_rmdir(test->dir);
    g_free(test->dir);
    g_string_free(test->log, TRUE);
}

/* The whole log of a meeting that ends by itself. */
static void check_log(const char *json, const char *expected)
{
    Test test;
    begin(&test, json);
    join(&test);
    FIXTURE_WAIT(test.left, 10);
    g_assert_cmpstr(test.log->str, ==, expected);
    end(&test);
}

#define ENDED "left: ended; "
#define IN "admitted; +bot-1Steno(self)(muted); "

/* --- the way in --- */

static void test_straight_in(void)
{
    check_log("{'duration_s':0}", IN "granted; " ENDED);
    check_log("{'duration_s':0,'recording':'denied'}", IN "refused; " ENDED);
    check_log("{'duration_s':0.05,'recording':'later','events':[{'at_s':0,'do':'allow_recording'},"
              "{'at_s':0,'do':'deny_recording'}]}",
              IN "granted; refused; " ENDED);
}

static void test_lobby(void)
{
    check_log("{'duration_s':0,'lobby':{'mode':'admit','after_s':0.01}}",
              "lobby; " IN "granted; " ENDED);
    check_log("{'lobby':{'mode':'deny'}}", "lobby; left: denied; ");
    check_log("{'lobby':{'mode':'expire'}}", "lobby; left: lobby_timeout; ");
    check_log("{'duration_s':0,'lobby':{'mode':'host_absent','after_s':0.01}}",
              "lobby; host absent; host there; " IN "granted; " ENDED);
}

static void test_lobby_for_ever(void)
{
    static const char *const documents[] = {"{'lobby':{'mode':'ignore'}}",
                                            "{'lobby':{'mode':'host_absent'}}"};
    for (gsize i = 0; i < G_N_ELEMENTS(documents); i++) {
        Test test;
        begin(&test, documents[i]);
        join(&test);
        wait_words(&test, "lobby; ");
        while (g_main_context_iteration(NULL, FALSE)) {
        }
        g_assert_false(has(&test, "admitted"));
        platform_leave(test.platform);
        wait_words(&test, "left: requested; ");
        end(&test);
    }
}

static void test_every_end(void)
{
    for (int left = PLATFORM_LEFT_DENIED; left <= PLATFORM_LEFT_INTERNAL; left++) {
        const char *name = platform_left_to_string((PlatformLeft)left);
        g_autofree char *wall = g_strdup_printf("{'joining':{'left':'%s'}}", name);
        g_autofree char *at_wall = g_strdup_printf("left: %s; ", name);
        check_log(wall, at_wall);
        g_autofree char *call =
            g_strdup_printf("{'events':[{'at_s':0.01,'do':'end','left':'%s'}]}", name);
        g_autofree char *in_call = g_strdup_printf(IN "granted; left: %s; ", name);
        check_log(call, in_call);
    }
    check_log("{'events':[{'at_s':0,'do':'remove_bot'}]}", IN "granted; left: removed; ");
    check_log("{'events':[{'at_s':0,'do':'end_meeting'}]}", IN "granted; " ENDED);
}

/* --- people and media --- */

#define ALICE "{'id':'alice','name':'!','host':true,'camera':true}"

static void test_people(void)
{
    check_log("{'duration_s':0.2,'participants':[" ALICE ",{'id':'bob','join_s':0.05,"
              "'leave_s':0.15,'name_s':0.1,'muted':true}]}",
              IN "granted; +alice!(host); voice of alice on; camera of alice on; "
                 "+bob(muted); voice of bob off; =bob(muted); "
                 "track ended; track ended; track ended; -bob(muted); " ENDED);
}

static void test_switches(void)
{
    check_log(
        "{'duration_s':0.06,'participants':[{'id':'a','screen':[{'from_s':0.01,'to_s':0.02}"
        "]}],'events':["
        "{'at_s':0.03,'do':'mute','id':'a'},{'at_s':0.04,'do':'unmute','id':'a'},"
        "{'at_s':0.05,'do':'camera_on','id':'a'},{'at_s':0.05,'do':'camera_off','id':'a'}]}",
        IN "granted; +a; voice of a on; screen of a on; screen of a off; "
           "=a(muted); voice of a off; =a; voice of a on; camera of a on; camera of a off; " ENDED);
}

static void test_late_names_are_empty(void)
{
    Test test;
    begin(&test, "{'participants':[{'id':'bob','name':'!','name_s':0.1}]}");
    join(&test);
    wait_words(&test, "=bob!; ");
    g_assert_true(has(&test, "+bob; "));
    end(&test);
}

static void test_chat_comes(void)
{
    check_log("{'duration_s':0.05,'participants':[{'id':'a'}],"
              "'chat':[{'at_s':0.01,'from':'a','text':'one'},"
              "{'at_s':0.01,'from':'a','text':'two'}]}",
              IN "granted; +a; voice of a on; a writes one; a writes two; " ENDED);
}

static void test_voices(void)
{
    Test test;
    begin(&test, "{'participants':[{'id':'a','speech':[{'at_s':0,'for_s':0.2},"
                 "{'at_s':0.3,'for_s':0.2,'tone_hz':880}]},{'id':'b','join_s':0.55}]}");
    join(&test);
    wait_words(&test, "+b; ");
    FIXTURE_WAIT(test.n_frames >= 20, 10);
    g_assert_true(has(&test, "a speaks; a speaks; "));
    g_assert_cmpuint(test.n_frames, ==, 20); /* 0.4 s of 20 ms, whatever stood still meanwhile */
    g_assert_cmpint(test.n_opus_bytes, >, 20 * 20);
    g_assert_cmpuint(report(&test)->n_frames, ==, test.n_frames);
    end(&test);
}

static void test_muted_people_are_not_heard(void)
{
    Test test;
    begin(&test, "{'duration_s':0.1,'participants':[{'id':'a','muted':true,'speech':[{'at_s':0,"
                 "'for_s':5}]},{'id':'b','join_s':9,'speech':[{'at_s':0,'for_s':5}]}]}");
    join(&test);
    FIXTURE_WAIT(test.left, 10);
    g_assert_cmpuint(test.n_frames, ==, 0);
    g_assert_false(has(&test, "speaks"));
    end(&test);
}

static void test_pictures(void)
{
    Test test;
    begin(&test, "{'participants':[{'id':'a','camera':true,'screen':[{'from_s':0}]}]}");
    join(&test);
    FIXTURE_WAIT(test.n_key_frames >= 4, 10);
    unsigned n_before = test.n_key_frames;
    test.calling = true;
    platform_request_key_frame(test.platform, 2);
    test.calling = false;
    FIXTURE_WAIT(test.n_key_frames > n_before, 10);
    g_assert_cmpuint(report(&test)->n_key_frame_requests, ==, 1);
    end(&test);
}

static void test_no_pictures_without_video(void)
{
    static const PlatformConfig config = {.live = true, .capture = PLATFORM_CAPTURE_SCREEN};
    Test test;
    begin(&test, "{'duration_s':0.3,'participants':[" ALICE "]}");
    platform_free(test.platform);
    make_platform(&test, &config);
    join(&test);
    FIXTURE_WAIT(test.left, 10);
    g_assert_cmpuint(test.n_frames, ==, 0);
    g_assert_true(has(&test, "warning capture; ")); /* there is no page to photograph */
    end(&test);
}

static void test_tones_can_be_repeated(void)
{
    g_autoptr(GPtrArray) tone = media_tone_new(440);
    g_autoptr(GPtrArray) other = media_tone_new(880);
    g_assert_cmpuint(tone->len, ==, MEDIA_TONE_PACKETS);
    g_assert_false(g_bytes_equal(tone->pdata[0], other->pdata[0]));
}

/* --- what the bot does --- */

static void on_answer(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Test *test = user_data;
    g_assert_false(test->calling);
    g_clear_error(&test->error);
    platform_send_chat_finish(test->platform, result, &test->error);
    test->n_answers++;
}

static void write_text(Test *test, const char *text)
{
    unsigned n_before = test->n_answers;
    test->calling = true;
    platform_send_chat_async(test->platform, text, on_answer, test);
    test->calling = false;
    FIXTURE_WAIT(test->n_answers > n_before, 10);
}

static void test_chat_goes(void)
{
    Test test;
    begin(&test, "{'joining':{'for_s':0.05},'events':[{'at_s':0.5,'do':'stop_chat'},{'at_s':0.5,"
                 "'do':'mute_bot'}],'participants':[{'id':'a','join_s':0.5}]}");
    join(&test);
    write_text(&test, "early");
    g_assert_error(test.error, PLATFORM_ERROR, PLATFORM_ERROR_STATE);
    wait_words(&test, "admitted; ");
    write_text(&test, "hello");
    g_assert_no_error(test.error);
    wait_words(&test, "bot-1 writes hello; "); /* as everybody sees it */
    wait_words(&test, "+a; ");
    write_text(&test, "again");
    g_assert_error(test.error, PLATFORM_ERROR, PLATFORM_ERROR_TIMEOUT);
    g_assert_cmpuint(report(&test)->chat->len, ==, 1);
    g_assert_cmpstr(report(&test)->chat->pdata[0], ==, "hello");
    end(&test);
}

static bool speak(Test *test)
{
    int16_t samples[480] = {0};
    g_clear_error(&test->error);
    return platform_speak(test->platform, samples, G_N_ELEMENTS(samples), &test->error);
}

static void test_microphone(void)
{
    Test test;
    begin(&test, "{'events':[{'at_s':0.5,'do':'mute_bot'}]}");
    g_assert_false(speak(&test));
    g_assert_error(test.error, PLATFORM_ERROR, PLATFORM_ERROR_STATE);
    join(&test);
    test.calling = true;
    platform_set_microphone(test.platform, true); /* told once it is in */
    test.calling = false;
    wait_words(&test, "microphone open; ");
    test.calling = true;
    platform_set_microphone(test.platform, true); /* idempotent */
    g_assert_true(speak(&test));
    platform_stop_speaking(test.platform);
    test.calling = false;
    wait_words(&test, "microphone closed; "); /* by the host */
    g_assert_true(speak(&test));              /* nobody hears it */
    g_assert_cmpuint(report(&test)->n_said_samples, ==, 480);
    g_assert_cmpuint(report(&test)->n_speech_stops, ==, 1);
    g_assert_cmpuint(report(&test)->n_microphone_switches, ==, 2);
    end(&test);
}

static void on_shot(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Test *test = user_data;
    g_clear_error(&test->error);
    platform_screenshot_finish(test->platform, result, &test->error);
    test->n_answers++;
}

static void test_screenshot_and_picture(void)
{
    Test test;
    begin(&test, "{}");
    g_autofree char *path = g_build_filename(test.dir, "shot.png", NULL);
    platform_screenshot_async(test.platform, path, on_shot, &test);
    FIXTURE_WAIT(test.n_answers == 1, 10);
    g_assert_error(test.error, PLATFORM_ERROR, PLATFORM_ERROR_STATE);
    join(&test);
    platform_screenshot_async(test.platform, path, on_shot, &test);
    FIXTURE_WAIT(test.n_answers == 2, 10);
    g_assert_no_error(test.error);
    g_autofree char *png = NULL;
    gsize length = 0;
    g_assert_true(g_file_get_contents(path, &png, &length, NULL));
    g_assert_cmpmem(png, 8, "\x89PNG\r\n\x1a\n", 8);
    platform_screenshot_async(test.platform, "/nonexistent/x.png", on_shot, &test);
    FIXTURE_WAIT(test.n_answers == 3, 10);
    g_assert_error(test.error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
    g_autoptr(GBytes) jpeg = g_bytes_new_static("jpeg", 4);
    platform_show_picture(test.platform, jpeg);
    g_assert_cmpuint(report(&test)->n_pictures, ==, 1);
    end(&test);
}

/* --- leaving and freeing --- */

static void test_leave_takes_its_time(void)
{
    Test test;
    begin(&test, "{'leaving_s':0.1,'participants':[" ALICE "]}");
    join(&test);
    FIXTURE_WAIT(test.n_frames > 0, 10);
    int64_t begun_us = g_get_monotonic_time();
    test.calling = true;
    platform_leave(test.platform);
    platform_leave(test.platform);
    test.calling = false;
    g_autofree char *before = g_strconcat(test.log->str, "left: requested; ", NULL);
    FIXTURE_WAIT(test.left, 10);
    g_assert_cmpint(g_get_monotonic_time() - begun_us, >=, 100000);
    g_assert_cmpstr(test.log->str, ==, before);
    end(&test);
}

static void test_leave_before_joining(void)
{
    Test test;
    begin(&test, "{}");
    platform_leave(test.platform); /* nothing to leave: on_left comes when join was called */
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    g_assert_cmpstr(test.log->str, ==, "");
    end(&test);
}

static void test_leave_inside_any_event(void)
{
    static const char *const words[] = {
        "lobby",   "host absent", "host there",    "admitted", "+bot-1Steno(self)(muted)",
        "granted", "+a",          "voice of a on", "a speaks"};
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        Test test;
        begin(&test, "{'lobby':{'mode':'host_absent','after_s':0.01},'participants':[{'id':'a',"
                     "'speech':[{'at_s':0.01,'for_s':1}]}]}");
        test.leave_at = words[i];
        join(&test);
        FIXTURE_WAIT(test.left, 10);
        g_autofree char *last = g_strconcat(words[i], "; left: requested; ", NULL);
        g_assert_true(g_str_has_suffix(test.log->str, last));
        end(&test);
    }
}

static void test_free_inside_any_event(void)
{
    static const char *const words[] = {
        "lobby",       "host absent", "host there",    "admitted", "+bot-1Steno(self)(muted)",
        "granted",     "+a",          "voice of a on", "a speaks", "microphone open",
        "left: ended", "frame",       "a writes x",    "-a"};
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        Test test;
        bool ends = strcmp(words[i], "left: ended") == 0;
        begin(&test,
              ends ? "{'duration_s':0}"
                   : "{'lobby':{'mode':'host_absent','after_s':0.01},"
                     "'participants':[{'id':'a','leave_s':0.25,'speech':[{'at_s':0.01,'for_s':1}]}"
                     "],'chat':[{'at_s':0.1,'from':'a','text':'x'}]}");
        platform_set_microphone(test.platform, true);
        test.free_at = words[i];
        join(&test);
        FIXTURE_WAIT(test.platform == NULL, 10);
        for (int n = 0; n < 20; n++) { /* note() fails on an event after it */
            g_main_context_iteration(NULL, FALSE);
        }
        end(&test);
    }
}

static void test_answers_after_free(void)
{
    Test test;
    begin(&test, "{}");
    join(&test);
    wait_words(&test, "admitted; ");
    platform_send_chat_async(test.platform, "bye", on_answer, &test);
    g_clear_pointer(&test.platform, platform_free);
    FIXTURE_WAIT(test.n_answers == 1, 10);
    g_assert_no_error(test.error);
    end(&test);
}

/* --- again --- */

static void test_back_to_the_lobby(void)
{
    Test test;
    begin(&test, "{'duration_s':0.3,'participants':[{'id':'a','speech':[{'at_s':0,'for_s':9}]}],"
                 "'chat':[{'at_s':0.15,'from':'a','text':'unseen'}],"
                 "'events':[{'at_s':0.1,'do':'send_to_lobby'},{'at_s':0.2,'do':'admit_bot'}]}");
    join(&test);
    FIXTURE_WAIT(test.left, 10);
    g_assert_cmpstr(test.log->str, ==,
                    IN "granted; +a; voice of a on; a speaks; lobby; admitted; granted; " ENDED);
    end(&test);
}

/* The page crashes, and twice more while the bot joins again; the meeting goes on meanwhile. */
static void test_joins_again(void)
{
    static const PlatformConfig config = {.live = true};
    Test test;
    begin(&test, "{'participants':[{'id':'a','leave_s':0.05},{'id':'b',"
                 "'join_s':0.05,'name':'!','name_s':0.06}],"
                 "'chat':[{'at_s':0.05,'from':'a','text':'missed'}],"
                 "'events':[{'at_s':0.02,'do':'crash_page','times':3},"
                 "{'at_s':0.05,'do':'deny_recording'}]}");
    for (unsigned i = 0; i < 3; i++) {
        join(&test);
        FIXTURE_WAIT(test.left, 10);
        g_assert_true(g_str_has_suffix(test.log->str, "left: page_lost; "));
        g_clear_pointer(&test.platform, platform_free);
        test.left = false;
        if (i == 1) {
            g_usleep(50000); /* nobody is there to be told what happens */
        }
        g_string_truncate(test.log, 0);
        make_platform(&test, &config);
    }
    join(&test);
    wait_words(&test, "refused; ");
    g_assert_cmpstr(test.log->str, ==,
                    "admitted; +bot-4Steno(self)(muted); +b!; voice of b on; refused; ");
    g_assert_cmpuint(report(&test)->n_joins, ==, 4);
    end(&test);
}

static void test_a_meeting_that_is_over(void)
{
    static const PlatformConfig config = {.live = true};
    Test test;
    begin(&test, "{'duration_s':0.05}");
    join(&test);
    FIXTURE_WAIT(test.left, 10);
    g_clear_pointer(&test.platform, platform_free);
    test.left = false;
    g_string_truncate(test.log, 0);
    make_platform(&test, &config);
    join(&test);
    FIXTURE_WAIT(test.left, 10);
    g_assert_cmpstr(test.log->str, ==, ENDED);
    end(&test);
}

/* --- URLs --- */

static void refuse(const char *url, const char *dir, int code, const char *words)
{
    g_autoptr(GError) error = NULL;
    PlatformConfig config = {.meeting_url = url, .bot_name = "x", .null_dir = dir};
    Test test = {0};
    g_assert_null(platform_new(&config, &events, &test, &error));
    g_assert_error(error, PLATFORM_ERROR, code);
    if (strstr(error->message, words) == NULL) {
        g_error("no \"%s\" in: %s", words, error->message);
    }
}

static void test_refused_unless_allowed(void)
{
    Test test;
    begin(&test, "{}");
    refuse("null:meeting", NULL, PLATFORM_ERROR_URL, "null_dir");
    refuse("null:other", test.dir, PLATFORM_ERROR_URL, "other.json");
    end(&test);
}

static void test_urls(void)
{
    static const char *const wrong[] = {"null:",        "null:#x",  "null:a/b",    "null:..",
                                        "null:/etc/x",  "null://a", "null:a.json", "null:a#",
                                        "null:a#b#c",   "null:a?b", "null:a b",    "null:a%2fb",
                                        "null:\xc3\xa4"};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        refuse(wrong[i], "/tmp", PLATFORM_ERROR_URL, "expected null:NAME");
    }
    g_autofree char *canonical = NULL, *meeting = NULL;
    const char *name = NULL;
    g_assert_true(platform_check_url("NULL:talk#room-7", &name, &canonical, NULL));
    g_assert_cmpstr(name, ==, "null");
    g_assert_cmpstr(canonical, ==, "null:talk#room-7");
    meeting = platform_meeting_of_url("null:talk#room-7"); /* another one than null:talk#room-8 */
    g_assert_cmpstr(meeting, ==, canonical);
}

int main(int argc, char **argv)
{
    fixture_init(&argc, &argv);
    g_test_add_func("/null/straight_in", test_straight_in);
    g_test_add_func("/null/lobby", test_lobby);
    g_test_add_func("/null/lobby_for_ever", test_lobby_for_ever);
    g_test_add_func("/null/every_end", test_every_end);
    g_test_add_func("/null/people", test_people);
    g_test_add_func("/null/switches", test_switches);
    g_test_add_func("/null/late_names_are_empty", test_late_names_are_empty);
    g_test_add_func("/null/chat_comes", test_chat_comes);
    g_test_add_func("/null/voices", test_voices);
    g_test_add_func("/null/muted_people_are_not_heard", test_muted_people_are_not_heard);
    g_test_add_func("/null/pictures", test_pictures);
    g_test_add_func("/null/no_pictures_without_video", test_no_pictures_without_video);
    g_test_add_func("/null/tones_can_be_repeated", test_tones_can_be_repeated);
    g_test_add_func("/null/chat_goes", test_chat_goes);
    g_test_add_func("/null/microphone", test_microphone);
    g_test_add_func("/null/screenshot_and_picture", test_screenshot_and_picture);
    g_test_add_func("/null/leave_takes_its_time", test_leave_takes_its_time);
    g_test_add_func("/null/leave_before_joining", test_leave_before_joining);
    g_test_add_func("/null/leave_inside_any_event", test_leave_inside_any_event);
    g_test_add_func("/null/free_inside_any_event", test_free_inside_any_event);
    g_test_add_func("/null/answers_after_free", test_answers_after_free);
    g_test_add_func("/null/back_to_the_lobby", test_back_to_the_lobby);
    g_test_add_func("/null/joins_again", test_joins_again);
    g_test_add_func("/null/a_meeting_that_is_over", test_a_meeting_that_is_over);
    g_test_add_func("/null/refused_unless_allowed", test_refused_unless_allowed);
    g_test_add_func("/null/urls", test_urls);
    return fixture_run();
}
