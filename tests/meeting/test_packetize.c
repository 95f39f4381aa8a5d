// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/band.h"
#include "tests/meeting/packetize.h"

#include <string.h>

static GPtrArray *cut(MeetingCodec codec, const guint8 *data, gsize length, bool key)
{
    GPtrArray *payloads = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    meeting_packetize(codec, data, length, key, payloads);
    return payloads;
}

/* The payloads without @header_bytes each give the picture again. */
static void assert_joins(GPtrArray *payloads, gsize header_bytes, const guint8 *data, gsize length)
{
    g_autoptr(GByteArray) joined = g_byte_array_new();
    for (guint i = 0; i < payloads->len; i++) {
        gsize n;
        const guint8 *payload = g_bytes_get_data(g_ptr_array_index(payloads, i), &n);
        g_assert_cmpuint(n, <=, MEETING_PAYLOAD_MAX_BYTES + 8);
        g_byte_array_append(joined, payload + header_bytes, (guint)(n - header_bytes));
    }
    g_assert_cmpmem(joined->data, joined->len, data, length);
}

static const guint8 *payload(GPtrArray *payloads, guint i)
{
    return g_bytes_get_data(g_ptr_array_index(payloads, i), NULL);
}

static void test_vp8(void)
{
    guint8 data[3000];
    for (guint i = 0; i < sizeof data; i++)
        data[i] = (guint8)(i * 7);
    g_autoptr(GPtrArray) payloads = cut(MEETING_CODEC_VP8, data, sizeof data, true);
    g_assert_cmpuint(payloads->len, ==, 3);
    g_assert_cmphex(payload(payloads, 0)[0], ==, 0x90);
    g_assert_cmphex(payload(payloads, 1)[0], ==, 0x80);
    assert_joins(payloads, 4, data, sizeof data);
    guint8 copy[4];
    memcpy(copy, payload(payloads, 0), 4);
    meeting_payload_set_picture_id(MEETING_CODEC_VP8, copy, 0x1234);
    g_assert_cmphex(copy[2], ==, 0x92);
    g_assert_cmphex(copy[3], ==, 0x34);
}

static void test_vp9(void)
{
    guint8 data[2000] = {1};
    g_autoptr(GPtrArray) key = cut(MEETING_CODEC_VP9, data, sizeof data, true);
    g_autoptr(GPtrArray) inter = cut(MEETING_CODEC_VP9, data, sizeof data, false);
    g_assert_cmphex(payload(key, 0)[0], ==, 0x98);   /* I, F, B */
    g_assert_cmphex(payload(key, 1)[0], ==, 0x94);   /* I, F, E */
    g_assert_cmphex(payload(inter, 0)[0], ==, 0xd8); /* and P */
    g_assert_cmphex(payload(inter, 0)[3], ==, 0x02); /* P_DIFF 1, last */
    assert_joins(key, 3, data, sizeof data);
    assert_joins(inter, 4, data, sizeof data);
}

static void test_h264(void)
{
    guint8 data[2048] = {0, 0, 0, 1, 0x67, 1, 2, 3, 0, 0, 1, 0x06, 9, 9, 0, 0, 0, 1, 0x65};
    memset(data + 19, 0x55, sizeof data - 19);
    g_autoptr(GPtrArray) payloads = cut(MEETING_CODEC_H264, data, sizeof data, true);
    g_assert_cmpuint(payloads->len, ==, 3); /* SPS, then two FU-A; SEI is left out */
    gsize length;
    const guint8 *sps = g_bytes_get_data(g_ptr_array_index(payloads, 0), &length);
    static const guint8 expected[] = {0x67, 1, 2, 3};
    g_assert_cmpmem(sps, length, expected, sizeof expected);
    g_assert_cmphex(payload(payloads, 1)[0], ==, 0x7c);
    g_assert_cmphex(payload(payloads, 1)[1], ==, 0x85); /* start, type 5 */
    g_assert_cmphex(payload(payloads, 2)[1], ==, 0x45); /* end, type 5 */
}

static void test_empty_and_broken(void)
{
    for (int codec = 0; codec < MEETING_N_CODECS; codec++) {
        g_autoptr(GPtrArray) none = cut((MeetingCodec)codec, NULL, 0, false);
        g_assert_cmpuint(none->len, ==, 0);
    }
    static const guint8 no_start[] = {1, 2, 3, 4};
    g_autoptr(GPtrArray) payloads = cut(MEETING_CODEC_H264, no_start, sizeof no_start, false);
    g_assert_cmpuint(payloads->len, ==, 0);
}

static void test_band_cells(void)
{
    /* Sync 101, person 3, counter 25, checksum, sync 010. */
    uint32_t cells = meeting_band_cells(3, 25);
    g_assert_cmphex(cells >> 29, ==, 5);
    g_assert_cmphex(cells >> 21 & 0xff, ==, 3);
    g_assert_cmphex(cells >> 9 & 0xfff, ==, 25);
    g_assert_cmphex(cells & 7, ==, 2);
    g_assert_cmpint(meeting_band_height(360), ==, 24);
    /* Two cells apart, the checksum differs too. */
    g_assert_cmphex(cells >> 3 & 0x3f, !=, meeting_band_cells(3, 24) >> 3 & 0x3f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/packetize/vp8_carries_start_and_picture_id", test_vp8);
    g_test_add_func("/packetize/vp9_is_flexible_mode", test_vp9);
    g_test_add_func("/packetize/h264_is_fragmented", test_h264);
    g_test_add_func("/packetize/nothing_gives_nothing", test_empty_and_broken);
    g_test_add_func("/band/cells_are_laid_out_as_documented", test_band_cells);
    return g_test_run();
}
