/* SPDX-License-Identifier: Apache-2.0 */
#include "media/red.h"
#include "media/track_buffer.h"
#include "tests/media/leaks.h"

#include <string.h>

#define MS INT64_C(1000000)
#define START_NS INT64_C(9000000000)

static MediaEncodedFrame *make(uint32_t ssrc, uint32_t ts, int32_t sequence, int64_t receive_ns)
{
    MediaEncodedFrame *frame = media_encoded_frame_new(MEDIA_CODEC_OPUS, g_bytes_new("x", 1));
    frame->track_id = 1;
    frame->ssrc = ssrc;
    frame->rtp_timestamp = ts;
    frame->sequence = sequence;
    frame->receive_ns = receive_ns;
    return frame;
}

static bool push(MediaTrackBuffer *buffer, uint32_t ssrc, uint32_t ts, int32_t sequence,
                 int64_t receive_ns)
{
    g_autoptr(MediaEncodedFrame) frame = make(ssrc, ts, sequence, receive_ns);
    return media_track_buffer_push(buffer, frame, NULL);
}

static MediaUnit *pop(MediaTrackBuffer *buffer)
{
    const MediaUnit *unit = media_track_buffer_peek(buffer, NULL);
    g_assert_nonnull(unit);
    return media_track_buffer_take(buffer, unit);
}

static bool is_empty(MediaTrackBuffer *buffer)
{
    return media_track_buffer_n_units(buffer) == 0;
}

static void numbers_unwrap_in_order(void)
{
    g_autoptr(MediaTrackBuffer) buffer = media_track_buffer_new(1, false, 1000);
    static const int order[] = {0, 2, 1, 3, 5, 6, 4, 7};
    for (int block = 0; block < 20; block++) {
        for (gsize i = 0; i < G_N_ELEMENTS(order); i++) {
            int n = block * 8 + order[i];
            g_assert_true(push(buffer, 7, 0xfffffc00u + (uint32_t)n * 960u, (65530 + n) & 0xffff,
                               START_NS + n * 20 * MS + order[i] % 3 * MS));
        }
    }
    g_autoptr(MediaUnit) first = pop(buffer);
    int64_t ts = first->ts, seq = first->seq;
    for (int n = 1; n < 160; n++) {
        g_autoptr(MediaUnit) unit = pop(buffer);
        g_assert_cmpint(unit->ts, ==, ts + n * 960);
        g_assert_cmpint(unit->seq, ==, seq + n);
    }
    g_assert_true(is_empty(buffer));
}

static void duplicates_and_late_ones_are_refused(void)
{
    g_autoptr(MediaTrackBuffer) buffer = media_track_buffer_new(1, false, 100);
    g_assert_true(push(buffer, 1, 960, 1, START_NS));
    g_assert_false(push(buffer, 1, 960, 1, START_NS));
    g_assert_true(push(buffer, 1, 2880, 3, START_NS + 40 * MS));
    g_autoptr(MediaUnit) a = pop(buffer);
    g_autoptr(MediaUnit) b = pop(buffer);
    g_assert_false(push(buffer, 1, 1920, 2, START_NS + 50 * MS));
    g_assert_cmpuint(media_track_buffer_n_late(buffer), ==, 1);
}

static void oldest_goes_when_full(void)
{
    g_autoptr(MediaTrackBuffer) buffer = media_track_buffer_new(1, false, 10);
    for (int n = 0; n < 100; n++) {
        push(buffer, 1, (uint32_t)n * 960u, n, START_NS + n * 20 * MS);
    }
    g_assert_cmpuint(media_track_buffer_n_units(buffer), ==, 10);
    g_autoptr(MediaUnit) unit = pop(buffer);
    g_assert_cmpint(unit->seq, ==, 90);
}

static void time_is_the_least_delayed_packet(void)
{
    g_autoptr(MediaTrackBuffer) buffer = media_track_buffer_new(1, false, 1000);
    for (int n = 0; n < 100; n++) {
        push(buffer, 1, (uint32_t)n * 960u, n, START_NS + n * 20 * MS + (n % 7 + 1) * 3 * MS);
    }
    g_autoptr(MediaUnit) first = pop(buffer);
    int64_t time_ns = media_track_buffer_time_ns(buffer, first->ts);
    g_assert_cmpint(ABS(time_ns - (START_NS + 3 * MS)), <, MS / 10);
}

static void new_ssrc_goes_on_where_the_clock_is(void)
{
    g_autoptr(MediaTrackBuffer) buffer = media_track_buffer_new(1, false, 1000);
    for (int n = 0; n < 50; n++) {
        push(buffer, 1, (uint32_t)n * 960u, n, START_NS + n * 20 * MS);
    }
    for (int n = 50; n < 100; n++) {
        push(buffer, 2, 0x70000000u + (uint32_t)n * 960u, 30000 + n, START_NS + n * 20 * MS);
    }
    /* One of the old stream that was overtaken is still in its place. */
    push(buffer, 1, 50 * 960 - 480, 49, START_NS + 52 * 20 * MS);
    int64_t last = INT64_MIN;
    uint32_t epochs = 0, epoch = 0;
    int n = 0;
    while (!is_empty(buffer)) {
        g_autoptr(MediaUnit) unit = pop(buffer);
        g_assert_cmpint(unit->ts, >, last);
        g_assert_cmpint(unit->ts - (last == INT64_MIN ? unit->ts - 960 : last), <=, 1000);
        last = unit->ts;
        epochs += unit->epoch != epoch;
        epoch = unit->epoch;
        n++;
    }
    g_assert_cmpint(n, ==, 101);
    g_assert_cmpuint(epochs, ==, 2);
}

static void one_stray_packet_moves_nothing_but_a_reset_does(void)
{
    g_autoptr(MediaTrackBuffer) buffer = media_track_buffer_new(1, false, 1000);
    for (int n = 0; n < 50; n++) {
        g_assert_true(push(buffer, 1, (uint32_t)n * 960u, n, START_NS + n * 20 * MS));
    }
    g_assert_false(push(buffer, 1, 0x50000000u, 9, START_NS + 1000 * MS));
    g_assert_true(push(buffer, 1, 50 * 960, 50, START_NS + 1000 * MS));
    g_assert_false(push(buffer, 1, 0x12340000u, 51, START_NS + 1020 * MS));
    g_assert_true(push(buffer, 1, 0x12340000u + 960, 52, START_NS + 1040 * MS));
    g_assert_true(push(buffer, 1, 0x12340000u + 1920, 53, START_NS + 1060 * MS));
    int64_t last = 0;
    while (!is_empty(buffer)) {
        g_autoptr(MediaUnit) unit = pop(buffer);
        last = unit->ts;
    }
    g_assert_cmpint(ABS(media_track_buffer_time_ns(buffer, last) - (START_NS + 1060 * MS)), <, MS);
}

static void layers_of_an_instant_are_joined(void)
{
    g_autoptr(MediaTrackBuffer) buffer = media_track_buffer_new(1, true, 100);
    static const struct {
        uint32_t ts;
        uint8_t layer;
        const char *bytes;
    } parts[] = {{3000, 1, "B"}, {3000, 0, "A"}, {6000, 0, "D"}, {3000, 2, "C"}, {3000, 1, "B"}};
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autoptr(MediaEncodedFrame) frame =
            media_encoded_frame_new(MEDIA_CODEC_VP9, g_bytes_new(parts[i].bytes, 1));
        frame->rtp_timestamp = parts[i].ts;
        frame->spatial_layer = parts[i].layer;
        frame->receive_ns = START_NS;
        g_assert_cmpint(media_track_buffer_push(buffer, frame, NULL), ==, i < 4);
    }
    g_autoptr(MediaUnit) unit = pop(buffer);
    g_autoptr(GBytes) payload = media_unit_dup_payload(unit);
    g_assert_cmpmem(g_bytes_get_data(payload, NULL), g_bytes_get_size(payload), "ABC", 3);
    g_autoptr(MediaUnit) next = pop(buffer);
    g_assert_cmpuint(next->size, ==, 1);
}

static void red_fills_what_was_lost(void)
{
    g_autoptr(MediaTrackBuffer) buffer = media_track_buffer_new(1, false, 100);
    /* Each packet holds the one before: block header 1|111, offset 960, length 2. */
    for (int n = 1; n <= 4; n++) {
        uint8_t payload[] = {0x80 | 111,       960 >> 6, (960 & 63) << 2, 2, 111, 'r',
                             (uint8_t)(n - 1), 'p',      (uint8_t)n};
        g_autoptr(MediaEncodedFrame) frame = make(1, (uint32_t)n * 960u, n, START_NS + n * 20 * MS);
        frame->codec = MEDIA_CODEC_RED;
        g_bytes_unref(frame->payload);
        frame->payload = g_bytes_new(payload, sizeof payload);
        if (n != 3) {
            g_assert_true(media_track_buffer_push(buffer, frame, NULL));
        }
    }
    for (int n = 0; n <= 4; n++) {
        g_autoptr(MediaUnit) unit = pop(buffer);
        g_assert_cmpint(unit->codec, ==, MEDIA_CODEC_OPUS);
        g_assert_cmpuint(unit->size, ==, 2);
        g_assert_cmpint(unit->data[1], ==, n);
        g_assert_cmpint(unit->redundant, ==, n == 0 || n == 3);
    }
    g_assert_true(is_empty(buffer));
}

static void malformed_red_is_refused(void)
{
    static const uint8_t cut[] = {0x80 | 111, 0, 0, 200, 111, 1, 2, 3}, headers[] = {0xff, 0xff};
    MediaRedBlock blocks[MEDIA_RED_MAX_BLOCKS];
    uint8_t many[200];
    memset(many, 0x80, sizeof many);
    g_assert_cmpuint(media_red_split(cut, sizeof cut, blocks), ==, 0);
    g_assert_cmpuint(media_red_split(headers, sizeof headers, blocks), ==, 0);
    g_assert_cmpuint(media_red_split(many, sizeof many, blocks), ==, 0);
    g_assert_cmpuint(media_red_split(many, 0, blocks), ==, 0);
}

static void sources_are_kept_apart(void)
{
    g_autoptr(MediaTrackBuffer) buffer = media_track_buffer_new(1, false, 100);
    for (uint32_t n = 0; n < 10; n++) {
        g_autoptr(MediaEncodedFrame) frame = make(1, n * 960, (int32_t)n, START_NS + n * 20 * MS);
        frame->n_csrcs = 1;
        frame->csrcs[0] = n < 5 ? 70 : 80;
        media_track_buffer_push(buffer, frame, NULL);
    }
    uint32_t wanted = 80, nobody = 90;
    g_assert_cmpint(media_track_buffer_peek(buffer, &wanted)->seq, ==, 5);
    g_assert_cmpint(media_track_buffer_peek(buffer, NULL)->seq, ==, 0);
    g_assert_null(media_track_buffer_peek(buffer, &nobody));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/track_buffer/numbers_unwrap_in_order", numbers_unwrap_in_order);
    g_test_add_func("/track_buffer/duplicates_and_late_ones_are_refused",
                    duplicates_and_late_ones_are_refused);
    g_test_add_func("/track_buffer/oldest_goes_when_full", oldest_goes_when_full);
    g_test_add_func("/track_buffer/time_is_the_least_delayed_packet",
                    time_is_the_least_delayed_packet);
    g_test_add_func("/track_buffer/new_ssrc_goes_on_where_the_clock_is",
                    new_ssrc_goes_on_where_the_clock_is);
    g_test_add_func("/track_buffer/one_stray_packet_moves_nothing_but_a_reset_does",
                    one_stray_packet_moves_nothing_but_a_reset_does);
    g_test_add_func("/track_buffer/layers_of_an_instant_are_joined",
                    layers_of_an_instant_are_joined);
    g_test_add_func("/track_buffer/red_fills_what_was_lost", red_fills_what_was_lost);
    g_test_add_func("/track_buffer/malformed_red_is_refused", malformed_red_is_refused);
    g_test_add_func("/track_buffer/sources_are_kept_apart", sources_are_kept_apart);
    return leaks_test_run();
}
