// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/packetize.h"

#include <string.h>

static void add(GPtrArray *payloads, const guint8 *header, gsize header_bytes, const guint8 *data,
                gsize length)
{
    guint8 *payload = g_malloc(header_bytes + length);
    if (header_bytes > 0)
        memcpy(payload, header, header_bytes);
    memcpy(payload + header_bytes, data, length);
    g_ptr_array_add(payloads, g_bytes_new_take(payload, header_bytes + length));
}

/* Even pieces make a late small packet less likely. */
static gsize piece_bytes(gsize length)
{
    gsize pieces = (length + MEETING_PAYLOAD_MAX_BYTES - 1) / MEETING_PAYLOAD_MAX_BYTES;
    return pieces > 0 ? (length + pieces - 1) / pieces : length;
}

static void packetize_vp8(const guint8 *data, gsize length, GPtrArray *payloads)
{
    gsize piece = piece_bytes(length);
    for (gsize at = 0; at < length; at += piece) {
        /* X, S on the first, partition 0; then I; then the picture id with M. */
        const guint8 header[] = {at == 0 ? 0x90 : 0x80, 0x80, 0x80, 0x00};
        add(payloads, header, sizeof header, data + at, MIN(piece, length - at));
    }
}

static void packetize_vp9(const guint8 *data, gsize length, bool key, GPtrArray *payloads)
{
    gsize piece = piece_bytes(length);
    for (gsize at = 0; at < length; at += piece) {
        bool last = at + piece >= length;
        guint8 header[4] = {0x80 | 0x10, 0x80, 0x00}; /* I, F; picture id with M */
        gsize header_bytes = 3;
        header[0] |= (key ? 0 : 0x40) | (at == 0 ? 0x08 : 0) | (last ? 0x04 : 0);
        if (!key)
            header[header_bytes++] = 1 << 1; /* P_DIFF 1, no more */
        add(payloads, header, header_bytes, data + at, MIN(piece, length - at));
    }
}

static void packetize_nal(const guint8 *nal, gsize length, GPtrArray *payloads)
{
    if (length <= MEETING_PAYLOAD_MAX_BYTES) {
        add(payloads, NULL, 0, nal, length);
        return;
    }
    gsize piece = piece_bytes(length - 1);
    for (gsize at = 1; at < length; at += piece) {
        guint8 start = at == 1 ? 0x80 : 0, end = at + piece >= length ? 0x40 : 0;
        const guint8 header[] = {(nal[0] & 0xe0) | 28, start | end | (nal[0] & 0x1f)};
        add(payloads, header, sizeof header, nal + at, MIN(piece, length - at));
    }
}

/* Finds the next Annex B start code at or after @at; @length when there is none. */
static gsize next_start_code(const guint8 *data, gsize length, gsize at)
{
    for (; at + 3 <= length; at++) {
        if (data[at] == 0 && data[at + 1] == 0 && data[at + 2] == 1)
            return at;
    }
    return length;
}

static void packetize_h264(const guint8 *data, gsize length, GPtrArray *payloads)
{
    gsize at = next_start_code(data, length, 0);
    while (at < length) {
        gsize nal = at + 3, next = next_start_code(data, length, nal);
        gsize end = next;
        while (end > nal && next < length && data[end - 1] == 0)
            end--;
        /* SEI and delimiters are of no use to the receiver. */
        if (end > nal && (data[nal] & 0x1f) != 6 && (data[nal] & 0x1f) != 9)
            packetize_nal(data + nal, end - nal, payloads);
        at = next;
    }
}

void meeting_packetize(MeetingCodec codec, const guint8 *data, gsize length, bool key,
                       GPtrArray *payloads)
{
    switch (codec) {
    case MEETING_CODEC_VP8:
        packetize_vp8(data, length, payloads);
        break;
    case MEETING_CODEC_VP9:
        packetize_vp9(data, length, key, payloads);
        break;
    case MEETING_CODEC_H264:
        packetize_h264(data, length, payloads);
        break;
    case MEETING_N_CODECS:
        g_assert_not_reached();
    }
}

void meeting_payload_set_picture_id(MeetingCodec codec, guint8 *payload, guint16 picture_id)
{
    int at = codec == MEETING_CODEC_VP8 ? 2 : 1;
    if (codec == MEETING_CODEC_H264)
        return;
    payload[at] = 0x80 | (picture_id >> 8 & 0x7f);
    payload[at + 1] = picture_id & 0xff;
}
