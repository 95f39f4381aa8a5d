/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/page/page_frame.h"

#include "platforms/page/clock.h"
#include "platforms/platform.h"

#include <math.h>
#include <string.h>

static void put_u16(GByteArray *out, uint16_t value)
{
    g_byte_array_append(out, (const uint8_t[]){value & 0xff, value >> 8}, 2);
}

static void put_u32(GByteArray *out, uint32_t value)
{
    put_u16(out, (uint16_t)value);
    put_u16(out, (uint16_t)(value >> 16));
}

static void put_f64(GByteArray *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_u32(out, (uint32_t)bits);
    put_u32(out, (uint32_t)(bits >> 32));
}

static GByteArray *batch(uint32_t n_records)
{
    GByteArray *out = g_byte_array_new();
    g_byte_array_append(out, (const uint8_t *)"STN1", 4);
    put_u32(out, n_records);
    put_f64(out, 1000.5);
    return out;
}

static void put_record(GByteArray *out, uint8_t type, uint8_t codec, uint8_t flags, uint8_t n_csrcs,
                       const char *payload)
{
    g_byte_array_append(out, (const uint8_t[]){type, codec, flags, n_csrcs}, 4);
    put_u32(out, 7);
    put_u32(out, 0xdeadbeef);
    put_u32(out, 0xfffffff0);
    put_f64(out, 990.25);
    put_u16(out, 65535);
    g_byte_array_append(out, (const uint8_t[]){33, 1}, 2);
    put_u16(out, 640);
    put_u16(out, 360);
    put_u32(out, (uint32_t)strlen(payload));
    for (uint32_t i = 0; i < n_csrcs; i++) {
        put_u32(out, 100 + i);
    }
    g_byte_array_append(out, (const uint8_t *)payload, (guint)strlen(payload));
}

static void test_round_trip(void)
{
    g_autoptr(GByteArray) bytes = batch(2);
    put_record(bytes, PAGE_RECORD_AUDIO, MEDIA_CODEC_OPUS, 6, 2, "opus");
    put_record(bytes, PAGE_RECORD_VIDEO, MEDIA_CODEC_VP8, 1, 0, "picture");
    g_autoptr(GBytes) message = g_bytes_new(bytes->data, bytes->len);
    g_autoptr(GError) error = NULL;
    PageFrameReader reader;
    PageRecord record;
    g_assert_true(
        page_frame_reader_init(&reader, g_bytes_get_data(message, NULL), bytes->len, &error));
    g_assert_cmpfloat(reader.now_ms, ==, 1000.5);
    g_assert_true(page_frame_reader_next(&reader, &record, &error));
    g_assert_cmpfloat(record.receive_ms, ==, 990.25);
    MediaEncodedFrame *audio = page_record_to_frame(&record, message, 10, 42);
    g_assert_cmpint(audio->codec, ==, MEDIA_CODEC_OPUS);
    g_assert_cmpuint(audio->track_id, ==, 17);
    g_assert_cmpuint(audio->ssrc, ==, 0xdeadbeef);
    g_assert_cmpuint(audio->rtp_timestamp, ==, 0xfffffff0);
    g_assert_cmpint(audio->sequence, ==, 65535);
    g_assert_cmpint(audio->receive_ns, ==, 42);
    g_assert_cmpuint(audio->audio_level, ==, 33);
    g_assert_cmpuint(audio->n_csrcs, ==, 2);
    g_assert_cmpuint(audio->csrcs[1], ==, 101);
    g_assert_cmpmem(g_bytes_get_data(audio->payload, NULL), g_bytes_get_size(audio->payload),
                    "opus", 4);
    media_encoded_frame_unref(audio);
    g_assert_true(page_frame_reader_next(&reader, &record, &error));
    MediaEncodedFrame *video = page_record_to_frame(&record, message, 0, 0);
    g_assert_true(video->key_frame);
    g_assert_cmpint(video->sequence, ==, MEDIA_NO_SEQUENCE);
    g_assert_cmpint(video->audio_level, ==, MEDIA_NO_LEVEL);
    g_assert_cmpuint(video->width, ==, 640);
    media_encoded_frame_unref(video);
    g_assert_false(page_frame_reader_next(&reader, &record, &error));
    g_assert_no_error(error);
}

/* Reads to the end; true when the message was whole. */
static bool reads(const uint8_t *data, size_t size)
{
    PageFrameReader reader;
    PageRecord record;
    g_autoptr(GError) error = NULL;
    if (page_frame_reader_init(&reader, data, size, &error)) {
        while (page_frame_reader_next(&reader, &record, &error)) {
            g_assert_true(record.payload >= data &&
                          record.payload + record.payload_size <= data + size);
        }
    }
    g_assert_true(error == NULL || g_error_matches(error, PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL));
    return error == NULL;
}

static void test_every_cut_is_refused(void)
{
    g_autoptr(GByteArray) bytes = batch(1);
    put_record(bytes, PAGE_RECORD_AUDIO, MEDIA_CODEC_OPUS, 0, 3, "payload");
    g_assert_true(reads(bytes->data, bytes->len));
    for (guint size = 0; size < bytes->len; size++) {
        g_autofree uint8_t *cut = g_memdup2(bytes->data, size); /* its end is the allocation's */
        g_assert_false(reads(cut, size));
    }
}

static void expect_refused(uint8_t type, uint8_t codec, uint8_t flags, uint8_t n_csrcs)
{
    g_autoptr(GByteArray) bytes = batch(1);
    put_record(bytes, type, codec, flags, n_csrcs, "payload");
    g_assert_false(reads(bytes->data, bytes->len));
}

static void test_nonsense_is_refused(void)
{
    expect_refused(0, MEDIA_CODEC_OPUS, 0, 0);
    expect_refused(9, MEDIA_CODEC_OPUS, 0, 0);
    expect_refused(PAGE_RECORD_AUDIO, MEDIA_CODEC_VP8, 0, 0);
    expect_refused(PAGE_RECORD_AUDIO, MEDIA_CODEC_NONE, 0, 0);
    expect_refused(PAGE_RECORD_VIDEO, MEDIA_CODEC_OPUS, 0, 0);
    expect_refused(PAGE_RECORD_VIDEO, 200, 0, 0);
    expect_refused(PAGE_RECORD_AUDIO, MEDIA_CODEC_OPUS, 128, 0);
    expect_refused(PAGE_RECORD_AUDIO, MEDIA_CODEC_OPUS, 0, 16);
    g_autoptr(GByteArray) more = batch(1);
    put_record(more, PAGE_RECORD_AUDIO, MEDIA_CODEC_OPUS, 0, 0, "");
    g_byte_array_append(more, (const uint8_t *)"x", 1);
    g_assert_false(reads(more->data, more->len));
    g_autoptr(GByteArray) no_time = batch(0);
    double nan = NAN;
    memcpy(no_time->data + 8, &nan, sizeof nan);
    g_assert_false(reads(no_time->data, no_time->len));
}

static void test_clock_follows_the_smallest_delay(void)
{
    PageClock clock = {0};
    const int64_t ms = 1000000, offset = 5000 * ms;
    page_clock_observe(&clock, 100, offset + 100 * ms + 8 * ms); /* 8 ms under way */
    g_assert_cmpint(page_clock_map(&clock, 90, G_MAXINT64), ==, offset + 98 * ms);
    page_clock_observe(&clock, 200, offset + 200 * ms + 1 * ms);
    page_clock_observe(&clock, 300, offset + 300 * ms + 30 * ms);
    g_assert_cmpint(page_clock_map(&clock, 290, G_MAXINT64), ==, offset + 291 * ms);
    /* A receive time in the future is not believed. */
    g_assert_cmpint(page_clock_map(&clock, 9000, offset + 400 * ms), ==, offset + 400 * ms);
    /* After a minute the old minimum is forgotten. */
    for (int s = 1; s < 130; s++) {
        page_clock_observe(&clock, 300 + s * 1000, offset + (300 + s * 1000 + 5) * ms);
    }
    g_assert_cmpint(page_clock_map(&clock, 1000, G_MAXINT64), ==, offset + 1005 * ms);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/page_frame/round_trip", test_round_trip);
    g_test_add_func("/page_frame/every_cut_is_refused", test_every_cut_is_refused);
    g_test_add_func("/page_frame/nonsense_is_refused", test_nonsense_is_refused);
    g_test_add_func("/page_frame/clock_follows_the_smallest_delay",
                    test_clock_follows_the_smallest_delay);
    return g_test_run();
}
