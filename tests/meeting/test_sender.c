// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/sender.h"

#include <string.h>

#define WAIT_US (20 * G_USEC_PER_SEC)

/* Catches what a stream sends. */
typedef struct {
    GstPad *source, *sink;
    GMutex lock;
    GPtrArray *packets; /* of GstBuffer */
} Catcher;

static GstFlowReturn on_packet(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    Catcher *c = pad->chaindata;
    g_mutex_lock(&c->lock);
    g_ptr_array_add(c->packets, buffer);
    g_mutex_unlock(&c->lock);
    return GST_FLOW_OK;
}

static void catcher_init(Catcher *c)
{
    g_mutex_init(&c->lock);
    c->packets = g_ptr_array_new_with_free_func((GDestroyNotify)gst_buffer_unref);
    c->source = g_object_ref_sink(gst_pad_new("source", GST_PAD_SRC));
    c->sink = g_object_ref_sink(gst_pad_new("sink", GST_PAD_SINK));
    gst_pad_set_chain_function_full(c->sink, on_packet, c, NULL);
    gst_pad_set_active(c->source, TRUE);
    gst_pad_set_active(c->sink, TRUE);
    gst_pad_link(c->source, c->sink);
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(c->source, gst_event_new_stream_start("test"));
    gst_pad_push_event(c->source, gst_event_new_segment(&segment));
}

static void catcher_clear(Catcher *c)
{
    gst_pad_set_active(c->source, FALSE);
    gst_pad_set_active(c->sink, FALSE);
    g_object_unref(c->source);
    g_object_unref(c->sink);
    g_ptr_array_unref(c->packets);
    g_mutex_clear(&c->lock);
}

static guint n_packets(Catcher *c)
{
    g_mutex_lock(&c->lock);
    guint n = c->packets->len;
    g_mutex_unlock(&c->lock);
    return n;
}

/* One meeting with its sender and a catcher for each of three audio streams and one video. */
typedef struct {
    MeetingScenario *scenario;
    GPtrArray *sources;
    MeetingSender *sender;
    Catcher catchers[4];
} Fixture;

static void source_free(gpointer data)
{
    MeetingSource *source = data;
    g_ptr_array_unref(source->runs);
    meeting_clip_free(source->camera);
    g_ptr_array_unref(source->screens);
    g_free(source);
}

static void set_up(Fixture *f, const char *json)
{
    static const MeetingPayloadTypes types = {111, 0, 96, 98, 102, 1};
    g_autoptr(GError) error = NULL;
    f->scenario = meeting_scenario_parse(json, -1, ".", NULL, &error);
    g_assert_no_error(error);
    f->sources = g_ptr_array_new_with_free_func(source_free);
    for (guint i = 0; i < f->scenario->people->len; i++) {
        MeetingSource *source = g_new0(MeetingSource, 1);
        source->person = g_ptr_array_index(f->scenario->people, i);
        source->csrc = 1000 + i;
        source->runs = meeting_speech_encode(source->person, 5, &error);
        g_assert_no_error(error);
        source->screens = g_ptr_array_new();
        if (source->person->camera != NULL)
            source->camera = meeting_clip_new(source->person->camera, i + 1, NULL, &error);
        g_assert_no_error(error);
        g_ptr_array_add(f->sources, source);
    }
    f->sender = meeting_sender_new(f->scenario, f->sources);
    for (guint i = 0; i < G_N_ELEMENTS(f->catchers); i++) {
        catcher_init(&f->catchers[i]);
        guint stream = meeting_sender_add_stream(
            f->sender, i < 3 ? MEETING_SECTION_AUDIO : MEETING_SECTION_VIDEO, 70 + i);
        meeting_sender_open(f->sender, stream, f->catchers[i].source, &types, 0);
    }
    meeting_sender_set_zero(f->sender, g_get_monotonic_time());
}

static void tear_down(Fixture *f)
{
    meeting_sender_free(f->sender);
    for (guint i = 0; i < G_N_ELEMENTS(f->catchers); i++)
        catcher_clear(&f->catchers[i]);
    g_ptr_array_unref(f->sources);
    meeting_scenario_free(f->scenario);
}

static void wait_for(Catcher *c, guint n)
{
    gint64 deadline = g_get_monotonic_time() + WAIT_US;
    while (n_packets(c) < n && g_get_monotonic_time() < deadline)
        g_usleep(2000);
    g_assert_cmpuint(n_packets(c), >=, n);
}

/* The first 24 bytes of a packet. */
static void head(Catcher *c, guint i, guint8 bytes[24])
{
    memset(bytes, 0, 24);
    g_mutex_lock(&c->lock);
    gst_buffer_extract(g_ptr_array_index(c->packets, i), 0, bytes, 24);
    g_mutex_unlock(&c->lock);
}

/* Sequence numbers follow each other, timestamps by @step; nothing is missing or doubled. */
static void assert_continuous(Catcher *c, guint n, guint32 step)
{
    guint8 before[24], packet[24];
    for (guint i = 1; i < n; i++) {
        head(c, i - 1, before);
        head(c, i, packet);
        g_assert_cmpuint((guint16)(GST_READ_UINT16_BE(packet + 2) - GST_READ_UINT16_BE(before + 2)),
                         ==, 1);
        if (step != 0)
            g_assert_cmpuint(GST_READ_UINT32_BE(packet + 4) - GST_READ_UINT32_BE(before + 4), ==,
                             step);
    }
}

static void test_speakers(void)
{
    Fixture f;
    set_up(&f, "{\"participants\":["
               "{\"id\":\"a\",\"speech\":[{\"at_s\":0.2,\"tone_hz\":440,\"for_s\":0.4}]},"
               "{\"id\":\"b\",\"speech\":[{\"at_s\":0.3,\"tone_hz\":660,\"for_s\":0.4}]}]}");
    wait_for(&f.catchers[0], 21);
    wait_for(&f.catchers[1], 21);
    assert_continuous(&f.catchers[0], 21, 960);
    assert_continuous(&f.catchers[1], 21, 960);
    guint8 packet[24];
    head(&f.catchers[1], 5, packet);
    g_assert_cmphex(packet[0], ==, 0x91); /* extension, one contributing source */
    g_assert_cmphex(packet[1], ==, 111);
    g_assert_cmpuint(GST_READ_UINT32_BE(packet + 8), ==, 71);
    g_assert_cmpuint(GST_READ_UINT32_BE(packet + 12), ==, 1001);
    g_assert_cmphex(GST_READ_UINT32_BE(packet + 16), ==, 0xbede0001);
    g_assert_cmphex(packet[20], ==, 0x10);
    g_assert_cmpuint(packet[21], ==, 0x80 | 15); /* -15 dB, voice */
    head(&f.catchers[0], 0, packet);
    g_assert_cmphex(packet[1], ==, 0x80 | 111); /* marked: a new stretch */
    g_assert_cmpuint(n_packets(&f.catchers[2]), ==, 0);
    tear_down(&f);
}

static void test_recycling(void)
{
    Fixture f;
    set_up(&f, "{\"wire\":{\"recycle_every_s\":0.1},\"participants\":[{\"id\":\"a\","
               "\"speech\":[{\"at_s\":0.2,\"tone_hz\":440,\"for_s\":0.58}]}]}");
    for (guint i = 0; i < 3; i++) {
        wait_for(&f.catchers[i], 10);
        assert_continuous(&f.catchers[i], 5, 960);
        assert_continuous(&f.catchers[i], 10, 0);
    }
    /* Together they are the whole: six moves of five packets each. */
    g_assert_cmpuint(meeting_sender_said(f.sender)->len, ==, 6);
    tear_down(&f);
}

static void test_video(void)
{
    Fixture f;
    set_up(&f, "{\"participants\":[{\"id\":\"a\",\"camera\":{\"source\":\"flash_beep\","
               "\"width\":160,\"height\":90,\"fps\":10,\"loop_s\":1}}]}");
    meeting_sender_show(f.sender, 3, g_ptr_array_index(f.sources, 0), -1);
    wait_for(&f.catchers[3], 12);
    assert_continuous(&f.catchers[3], 12, 0);
    guint8 packet[24];
    head(&f.catchers[3], 0, packet);
    g_assert_cmphex(packet[0], ==, 0x80);
    g_assert_cmphex(packet[12], ==, 0x90);  /* begins a VP8 picture … */
    g_assert_cmphex(packet[16] & 1, ==, 0); /* … which is a key frame */

    /* A packet asked for is sent again, as it was. */
    guint16 seq = GST_READ_UINT16_BE(packet + 2);
    meeting_sender_feedback(f.sender, 73, MEETING_FEEDBACK_NACK, seq);
    meeting_sender_feedback(f.sender, 73, MEETING_FEEDBACK_PLI, 0);
    gint64 deadline = g_get_monotonic_time() + WAIT_US;
    bool again = false;
    for (guint i = 1; !again && g_get_monotonic_time() < deadline;) {
        wait_for(&f.catchers[3], i + 1);
        guint8 other[24];
        head(&f.catchers[3], i++, other);
        again = memcmp(packet, other, sizeof packet) == 0;
    }
    g_assert_true(again);
    const MeetingStreamStats *stats = g_ptr_array_index(meeting_sender_stats(f.sender), 3);
    g_assert_cmpuint(stats->n_resent, ==, 1);
    g_assert_cmpuint(stats->pli_us->len, ==, 1);
    tear_down(&f);
}

static void test_loss(void)
{
    Fixture f;
    set_up(&f, "{\"network\":{\"loss\":0.5,\"seed\":9},\"participants\":[{\"id\":\"a\","
               "\"speech\":[{\"at_s\":0.1,\"tone_hz\":440,\"for_s\":0.8}]}]}");
    wait_for(&f.catchers[0], 10);
    const MeetingStreamStats *stats = g_ptr_array_index(meeting_sender_stats(f.sender), 0);
    g_assert_cmpuint(stats->n_lost, >, 0);
    tear_down(&f);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sender/each_speaker_has_a_stream_and_a_source", test_speakers);
    g_test_add_func("/sender/receivers_are_recycled_within_a_word", test_recycling);
    g_test_add_func("/sender/pictures_begin_with_a_key_frame_and_are_sent_again", test_video);
    g_test_add_func("/sender/loss_is_counted", test_loss);
    return g_test_run();
}
