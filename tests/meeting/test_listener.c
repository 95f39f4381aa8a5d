// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/listener.h"
#include "tests/meeting/speech.h"

#include <glib/gstdio.h>
#include <string.h>

static GPtrArray *one_tone(void)
{
    MeetingSpeech tone = {.at_s = 1, .tone_hz = 440, .for_s = 0.4};
    g_autoptr(GPtrArray) speech = g_ptr_array_new();
    g_autoptr(GPtrArray) screens = g_ptr_array_new();
    g_ptr_array_add(speech, &tone);
    MeetingPerson person = {
        .id = (char *)"x", .leave_s = G_MAXDOUBLE, .speech = speech, .screens = screens};
    return meeting_speech_encode(&person, 5, NULL);
}

/* Says the tone: packets 20 ms apart from @timestamp on, coming from @at_us on. */
static void say(MeetingListener *l, const MeetingRun *run, guint32 timestamp, gint64 at_us)
{
    for (guint i = 0; i < run->packets->len; i++) {
        gsize length;
        const guint8 *opus = g_bytes_get_data(g_ptr_array_index(run->packets, i), &length);
        guint8 *data = g_malloc0(12 + length);
        data[0] = 0x80;
        data[1] = 111;
        GST_WRITE_UINT16_BE(data + 2, i);
        GST_WRITE_UINT32_BE(data + 4, timestamp + i * MEETING_PACKET_SAMPLES);
        memcpy(data + 12, opus, length);
        g_autoptr(GstBuffer) packet = gst_buffer_new_wrapped(data, 12 + length);
        meeting_listener_push_audio(l, packet, at_us + i * MEETING_PACKET_US);
    }
}

static JsonObject *report(MeetingListener *l, gint64 zero_us, JsonNode **ret_root)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    meeting_listener_report(l, b, zero_us);
    json_builder_end_object(b);
    *ret_root = json_builder_get_root(b);
    return json_object_get_object_member(json_node_get_object(*ret_root), "said");
}

static double sound(JsonObject *said, guint i, const char *key)
{
    JsonArray *array = json_object_get_array_member(said, "sound");
    return json_object_get_double_member(json_array_get_object_element(array, i), key);
}

static void test_heard(void)
{
    g_autofree char *path = NULL;
    g_assert_true(g_close(g_file_open_tmp("steno-heard-XXXXXX", &path, NULL), NULL));
    g_autoptr(GPtrArray) runs = one_tone();
    MeetingListener *l = meeting_listener_new(path);
    const MeetingRun *run = g_ptr_array_index(runs, 0);
    gint64 now = g_get_monotonic_time();
    say(l, run, 0xffffff00, now); /* the timestamp wraps */
    /* A hole in the timestamps is filled with silence. */
    say(l, run, 0xffffff00 + 48000 * 2, now + 2 * G_USEC_PER_SEC);
    g_autoptr(JsonNode) root = NULL;
    JsonObject *said = report(l, now, &root);
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(said, "sound")), ==, 2);
    g_assert_cmpfloat_with_epsilon(sound(said, 0, "start_s"), 0.02, 0.011);
    g_assert_cmpfloat_with_epsilon(sound(said, 0, "end_s"), 0.42, 0.011);
    /* The decoder's memory of the tone before may lead by a packet. */
    g_assert_cmpfloat_with_epsilon(sound(said, 1, "start_s"), 2.02, 0.021);
    g_assert_cmpfloat_with_epsilon(json_object_get_double_member(said, "duration_s"), 2.42, 0.001);
    meeting_listener_free(l);
    GStatBuf st;
    g_assert_cmpint(g_stat(path, &st), ==, 0);
    g_assert_cmpint(st.st_size, ==, 44 + 2 * 48 * 2420);
    g_unlink(path);
}

/* Chromium's timestamps stand still while the microphone is off. */
static void test_paused(void)
{
    g_autoptr(GPtrArray) runs = one_tone();
    MeetingListener *l = meeting_listener_new(NULL);
    const MeetingRun *run = g_ptr_array_index(runs, 0);
    gint64 now = g_get_monotonic_time();
    say(l, run, 5, now - 900000);
    meeting_listener_resume(l);
    say(l, run, 5 + run->packets->len * MEETING_PACKET_SAMPLES, now);
    g_autoptr(JsonNode) root = NULL;
    JsonObject *said = report(l, now, &root);
    g_assert_cmpfloat_with_epsilon(sound(said, 0, "start_s"), -0.88, 0.011);
    g_assert_cmpfloat_with_epsilon(sound(said, 0, "end_s"), -0.48, 0.011);
    g_assert_cmpfloat_with_epsilon(sound(said, 1, "start_s"), 0.02, 0.03);
    g_assert_cmpfloat_with_epsilon(sound(said, 1, "end_s"), 0.42, 0.03);
    meeting_listener_free(l);
}

static void test_garbage(void)
{
    MeetingListener *l = meeting_listener_new(NULL);
    for (gsize n = 1; n < 40; n++) {
        g_autoptr(GstBuffer) packet = gst_buffer_new_allocate(NULL, n, NULL);
        gst_buffer_memset(packet, 0, 0x93, n);
        meeting_listener_push_audio(l, packet, 0);
        meeting_listener_push_video(l, packet, 0);
        gst_buffer_memset(packet, 0, 0x80, n);
        meeting_listener_push_audio(l, packet, 0);
        meeting_listener_push_video(l, packet, 0);
    }
    g_autoptr(JsonNode) root = NULL;
    report(l, 0, &root);
    JsonObject *camera = json_object_get_object_member(json_node_get_object(root), "camera");
    g_assert_false(json_object_get_boolean_member(camera, "showed_picture"));
    meeting_listener_free(l);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/listener/hears_and_fills_holes", test_heard);
    g_test_add_func("/listener/knows_pauses_by_the_clock", test_paused);
    g_test_add_func("/listener/garbage_is_harmless", test_garbage);
    return g_test_run();
}
