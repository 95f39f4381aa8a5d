/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/page/page.h"

#include "platforms/browser/profile.h"

#include "tests/platforms/fixture.h"

#include <math.h>
#include <string.h>
#include <time.h>

#define MAX_TRACKS 64

typedef struct {
    Fixture fixture;
    Page *page;
    bool ready, link, lost;
    unsigned n_links;
    unsigned n_frames[MAX_TRACKS];
    unsigned n_late; /* frames whose receive time lies after now, or more than 2 s before */
    unsigned n_pcm, n_key_frames;
    MediaCodec codecs[MAX_TRACKS];
    unsigned n_tracks, n_warnings;
    char *warning;
    GBytes *data;
} Test;

static void on_ready(gpointer user_data)
{
    ((Test *)user_data)->ready = true;
}

static void on_navigated(const char *url, gpointer user_data)
{
}

static void on_link(bool up, gpointer user_data)
{
    Test *test = user_data;
    test->link = up;
    test->n_links += up ? 1 : 0;
}

static void on_frame(MediaEncodedFrame *frame, gpointer user_data)
{
    Test *test = user_data;
    g_assert_cmpuint(frame->track_id, <, MAX_TRACKS);
    test->n_frames[frame->track_id]++;
    test->codecs[frame->track_id] = frame->codec;
    test->n_key_frames += frame->key_frame ? 1 : 0;
    test->n_pcm += frame->codec == MEDIA_CODEC_PCM ? 1 : 0;
    int64_t age_ns = g_get_monotonic_time() * 1000 - frame->receive_ns;
    test->n_late += age_ns < -1000000 || age_ns > 2000000000 ? 1 : 0;
}

static void on_data(bool fetch, const char *name, GBytes *data, gpointer user_data)
{
    Test *test = user_data;
    g_assert_cmpstr(name, ==, "collections");
    g_clear_pointer(&test->data, g_bytes_unref);
    test->data = g_bytes_ref(data);
}

static void on_message(const char *type, JsonObject *message, gpointer user_data)
{
    Test *test = user_data;
    test->n_tracks += strcmp(type, "track") == 0 ? 1 : 0;
    if (strcmp(type, "warning") == 0) {
        test->n_warnings++;
        g_free(test->warning);
        test->warning = g_strdup(json_object_get_string_member(message, "code"));
    }
}

static void on_lost(BrowserLost lost, const char *message, gpointer user_data)
{
    g_test_message("lost: %s", message);
    ((Test *)user_data)->lost = true;
}

static bool is_home(const char *url, gpointer user_data)
{
    Test *test = user_data;
    g_autofree char *home = fixture_url(&test->fixture, "");
    return g_str_has_prefix(url, home);
}

static const PageEvents events = {.on_ready = on_ready,
                                  .on_navigated = on_navigated,
                                  .on_link = on_link,
                                  .on_frame = on_frame,
                                  .on_data = on_data,
                                  .on_message = on_message,
                                  .on_lost = on_lost};

static void start(Test *test, const char *path)
{
    memset(test, 0, sizeof *test);
    fixture_start(&test->fixture);
    g_autoptr(GError) error = NULL;
    PageConfig config = {
        .browser = fixture_browser_options(&test->fixture),
        .is_home = is_home,
        .channels = (const char *const[]){"collections", NULL},
        .video = true,
        .tap_video = true,
        .classic_audio = true,
        .rules = "{\"exclude\": \"\", \"dialogs\": \"[role=dialog]\", \"purposes\": "
                 "{\"leave\": [{\"id\": \"button\", \"css\": \"button\", \"text\": [\"leave\"], "
                 "\"match\": \"exact\"}]}}",
    };
    test->page = page_new(&config, &events, test, &error);
    g_assert_no_error(error);
    FIXTURE_WAIT(test->ready, 30);
    g_autofree char *url = fixture_url(&test->fixture, path);
    browser_navigate(page_get_browser(test->page), url, 10000, NULL, NULL);
    FIXTURE_WAIT(test->link, 20);
}

static void stop(Test *test)
{
    page_free(test->page);
    fixture_stop(&test->fixture);
    g_clear_pointer(&test->data, g_bytes_unref);
    g_free(test->warning);
}

static unsigned n_flowing(Test *test, unsigned at_least)
{
    unsigned n = 0;
    for (int i = 0; i < MAX_TRACKS; i++) {
        n += test->n_frames[i] >= at_least ? 1 : 0;
    }
    return n;
}

static void test_taps_receivers_of_every_origin(void)
{
    Test test;
    start(&test, "/loopback.html?audio=3&video=2&channel=1");
    FIXTURE_WAIT(n_flowing(&test, 50) >= 5, 30);
    g_assert_cmpuint(test.n_late, ==, 0);
    unsigned n_audio = 0, n_video = 0;
    for (int i = 0; i < MAX_TRACKS; i++) {
        n_audio += test.codecs[i] == MEDIA_CODEC_OPUS ? 1 : 0;
        n_video += media_codec_is_video(test.codecs[i]) ? 1 : 0;
    }
    g_assert_cmpuint(n_audio, ==, 3);
    g_assert_cmpuint(n_video, ==, 2);
    FIXTURE_WAIT(test.data != NULL, 5);
    gsize size;
    const uint8_t *data = g_bytes_get_data(test.data, &size);
    g_assert_cmpmem(data, size, ((const uint8_t[]){8, 42}), 2);
    g_autofree char *found = fixture_evaluate(page_get_browser(test.page),
                                              "__steno.read(['leave'], null, [], []).found.leave");
    g_assert_cmpstr(found, ==, "\"button\"");
    stop(&test);
}

static void test_keeps_receivers_content(void)
{
    Test test;
    start(&test, "/loopback.html?audio=1&video=2");
    FIXTURE_WAIT(n_flowing(&test, 150) >= 3, 40);
    g_autofree char *decoded = fixture_evaluate(page_get_browser(test.page), "state.framesDecoded");
    g_autofree char *plis = fixture_evaluate(page_get_browser(test.page), "state.plis");
    g_assert_cmpint(atoi(decoded), >, 200);
    g_assert_cmpint(atoi(plis), <=, 2);
    stop(&test);
}

static void test_reload_gets_a_new_link_and_new_track_ids(void)
{
    Test test;
    start(&test, "/loopback.html?audio=1&video=0");
    FIXTURE_WAIT(n_flowing(&test, 20) >= 1, 30);
    unsigned n_before = n_flowing(&test, 1);
    g_autofree char *url = fixture_url(&test.fixture, "/loopback.html?audio=1&video=0&again=1");
    browser_navigate(page_get_browser(test.page), url, 10000, NULL, NULL);
    FIXTURE_WAIT(test.n_links == 2, 20);
    FIXTURE_WAIT(n_flowing(&test, 20) > n_before, 30);
    stop(&test);
}

static void test_page_that_takes_the_transform_gets_decoded_audio(void)
{
    Test test;
    start(&test, "/loopback.html?audio=2&video=0&own=1");
    FIXTURE_WAIT(test.n_warnings > 0, 30);
    g_assert_cmpstr(test.warning, ==, "audio_fallback");
    FIXTURE_WAIT(test.n_pcm > 50, 30);
    stop(&test);
}

static unsigned video_track(const Test *test)
{
    for (unsigned i = 0; i < MAX_TRACKS; i++) {
        if (media_codec_is_video(test->codecs[i])) {
            return i;
        }
    }
    g_assert_not_reached();
}

static int count_plis(Test *test)
{
    g_autofree char *plis = fixture_evaluate(page_get_browser(test->page), "state.plis");
    return atoi(plis);
}

static void test_key_frame_is_asked_for(void)
{
    Test test;
    start(&test, "/loopback.html?audio=0&video=1");
    FIXTURE_WAIT(n_flowing(&test, 50) >= 1, 30);
    unsigned track = video_track(&test), n_before = test.n_key_frames;
    int plis_before = count_plis(&test);
    g_assert_false(page_request_key_frame(test.page, 0));
    g_assert_false(page_request_key_frame(test.page, track + 1000));
    for (int i = 0; i < 20; i++) { /* once a second at most */
        g_assert_true(page_request_key_frame(test.page, track));
    }
    FIXTURE_WAIT(test.n_key_frames > n_before, 20);
    FIXTURE_WAIT(count_plis(&test) > plis_before, 10);
    g_assert_cmpint(count_plis(&test), <=, plis_before + 2);
    stop(&test);
}

static void change_codec(Test *test, const char *kind, const char *mime)
{
    g_autofree char *call = g_strdup_printf("changeCodec('%s', '%s')", kind, mime);
    g_autofree char *n = fixture_evaluate(page_get_browser(test->page), call);
    g_assert_cmpint(atoi(n), >, 0);
}

/* A sender may change its codec: one that is known is tapped as such, another is decoded in the
 * page. */
static void test_codec_changes_in_a_track(void)
{
    Test test;
    start(&test, "/loopback.html?audio=1&video=1");
    FIXTURE_WAIT(n_flowing(&test, 20) >= 2, 30);
    unsigned track = video_track(&test);
    change_codec(&test, "video", "video/VP9");
    FIXTURE_WAIT(test.codecs[track] == MEDIA_CODEC_VP9, 20);
    change_codec(&test, "video", "video/AV1");
    FIXTURE_WAIT(test.codecs[track] == MEDIA_CODEC_AV1, 20);
    g_assert_cmpuint(test.n_warnings, ==, 0);
    change_codec(&test, "audio", "audio/PCMU");
    FIXTURE_WAIT(test.n_warnings > 0, 20);
    g_assert_cmpstr(test.warning, ==, "audio_fallback");
    FIXTURE_WAIT(test.n_pcm > 50, 20);
    change_codec(&test, "audio", "audio/opus"); /* not heard twice */
    unsigned n_pcm = test.n_pcm;
    FIXTURE_WAIT(test.n_pcm > n_pcm + 100, 20);
    for (int i = 0; i < MAX_TRACKS; i++) {
        g_assert_cmpint(test.codecs[i], !=, MEDIA_CODEC_OPUS);
    }
    stop(&test);
}

static double heard(Test *test)
{
    g_autofree char *level = fixture_evaluate(page_get_browser(test->page), "state.heard || 0");
    return g_ascii_strtod(level, NULL);
}

static void test_speech_reaches_the_far_side_and_stops(void)
{
    Test test;
    start(&test, "/loopback.html?audio=1&video=0&speak=1");
    FIXTURE_WAIT(n_flowing(&test, 20) >= 1, 30);
    int16_t second[48000];
    for (int i = 0; i < 48000; i++) {
        second[i] = (int16_t)(16000 * sin(i * 2 * G_PI * 440 / 48000));
    }
    for (int i = 0; i < 4; i++) {
        g_assert_true(page_speak(test.page, second, 48000));
    }
    FIXTURE_WAIT(heard(&test) > 0.2, 10);
    g_assert_true(page_stop_speaking(test.page));
    int64_t start_us = g_get_monotonic_time();
    FIXTURE_WAIT(heard(&test) < 0.01, 3); /* 3 s of speech were still waiting */
    g_test_message("silent after %.0f ms", (double)(g_get_monotonic_time() - start_us) / 1e3);
    g_assert_cmpint(g_get_monotonic_time() - start_us, <, 2 * G_USEC_PER_SEC);
    stop(&test);
}

/* Where no desktop runs, libpulse makes its runtime folder: in the profile, which goes. */
static void test_sound_leaves_no_configuration(void)
{
    g_autofree char *config = g_dir_make_tmp("steno-config-XXXXXX", NULL);
    g_autofree char *pulse = g_build_filename(config, "pulse", NULL);
    g_unsetenv("XDG_RUNTIME_DIR");
    g_unsetenv("PULSE_RUNTIME_PATH");
    g_setenv("XDG_CONFIG_HOME", config, TRUE);
    Test test;
    start(&test, "/loopback.html?audio=1");
    FIXTURE_WAIT(n_flowing(&test, 50) >= 1, 30);
    stop(&test);
    g_assert_false(g_file_test(pulse, G_FILE_TEST_EXISTS));
    browser_remove_tree(config);
}

int main(int argc, char *argv[])
{
    fixture_init(&argc, &argv);
    g_test_add_func("/page/taps_receivers_of_every_origin", test_taps_receivers_of_every_origin);
    g_test_add_func("/page/keeps_receivers_content", test_keeps_receivers_content);
    g_test_add_func("/page/reload_gets_a_new_link_and_new_track_ids",
                    test_reload_gets_a_new_link_and_new_track_ids);
    g_test_add_func("/page/page_that_takes_the_transform_gets_decoded_audio",
                    test_page_that_takes_the_transform_gets_decoded_audio);
    g_test_add_func("/page/key_frame_is_asked_for", test_key_frame_is_asked_for);
    g_test_add_func("/page/codec_changes_in_a_track", test_codec_changes_in_a_track);
    g_test_add_func("/page/speech_reaches_the_far_side_and_stops",
                    test_speech_reaches_the_far_side_and_stops);
    g_test_add_func("/page/sound_leaves_no_configuration", test_sound_leaves_no_configuration);
    return fixture_run();
}
