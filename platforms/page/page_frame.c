/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/page/page_frame.h"

#include "platforms/platform.h"

#include <math.h>
#include <string.h>

#define MAGIC 0x314e5453u /* "STN1", little-endian */

enum {
    FLAG_KEY_FRAME = 1 << 0,
    FLAG_SEQUENCE = 1 << 1,
    FLAG_LEVEL = 1 << 2,
    FLAGS_KNOWN = FLAG_KEY_FRAME | FLAG_SEQUENCE | FLAG_LEVEL,
};

static uint16_t get_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static double get_f64(const uint8_t *p)
{
    uint64_t bits = (uint64_t)get_u32(p) | (uint64_t)get_u32(p + 4) << 32;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* A page's clock counts milliseconds since it was loaded; a year is beyond any meeting. */
static bool is_page_time(double ms)
{
    return isfinite(ms) && ms >= -1e9 && ms <= 3.2e10;
}

static bool damaged(const char *what, GError **error)
{
    g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL, "page link: %s", what);
    return false;
}

bool page_frame_reader_init(PageFrameReader *reader, const void *data, size_t size, GError **error)
{
    const uint8_t *bytes = data;
    if (size < PAGE_FRAME_BATCH_BYTES || get_u32(bytes) != MAGIC) {
        return damaged("not a batch of frames", error);
    }
    double now_ms = get_f64(bytes + 8);
    if (!is_page_time(now_ms)) {
        return damaged("a batch without a time", error);
    }
    *reader = (PageFrameReader){.data = bytes,
                                .size = size,
                                .pos = PAGE_FRAME_BATCH_BYTES,
                                .n_left = get_u32(bytes + 4),
                                .now_ms = now_ms};
    return true;
}

static bool check_record(const PageRecord *record, uint8_t flags, GError **error)
{
    if (record->codec > MEDIA_CODEC_AV1 || (flags & ~FLAGS_KNOWN) != 0) {
        return damaged("a codec or flag that does not exist", error);
    }
    if (!is_page_time(record->receive_ms)) {
        return damaged("a record without a time", error);
    }
    bool video = media_codec_is_video(record->codec);
    switch (record->type) {
    case PAGE_RECORD_AUDIO:
        return (record->codec != MEDIA_CODEC_NONE && !video) ||
               damaged("audio with a codec that is none of audio's", error);
    case PAGE_RECORD_VIDEO:
        return video || damaged("video with a codec that is none of video's", error);
    case PAGE_RECORD_CHANNEL:
    case PAGE_RECORD_FETCH:
        return true;
    }
    return damaged("a record of no known type", error);
}

bool page_frame_reader_next(PageFrameReader *reader, PageRecord *ret_record, GError **error)
{
    size_t left = reader->size - reader->pos;
    if (reader->n_left == 0) {
        return left == 0 ? false : damaged("bytes after the last record", error);
    }
    const uint8_t *p = reader->data + reader->pos;
    if (left < PAGE_FRAME_RECORD_BYTES) {
        return damaged("a record cut short", error);
    }
    PageRecord record = {
        .type = (PageRecordType)p[0],
        .codec = (MediaCodec)p[1],
        .key_frame = (p[2] & FLAG_KEY_FRAME) != 0,
        .has_sequence = (p[2] & FLAG_SEQUENCE) != 0,
        .has_level = (p[2] & FLAG_LEVEL) != 0,
        .n_csrcs = p[3],
        .track = get_u32(p + 4),
        .ssrc = get_u32(p + 8),
        .rtp_timestamp = get_u32(p + 12),
        .receive_ms = get_f64(p + 16),
        .sequence = get_u16(p + 24),
        .audio_level = p[26] & 0x7f,
        .spatial_layer = p[27],
        .width = get_u16(p + 28),
        .height = get_u16(p + 30),
        .payload_size = get_u32(p + 32),
    };
    if (!check_record(&record, p[2], error)) {
        return false;
    }
    left -= PAGE_FRAME_RECORD_BYTES;
    size_t csrc_bytes = (size_t)record.n_csrcs * 4;
    if (record.n_csrcs > MEDIA_MAX_CSRCS || left < csrc_bytes ||
        left - csrc_bytes < record.payload_size) {
        return damaged("a record longer than its message", error);
    }
    p += PAGE_FRAME_RECORD_BYTES;
    for (int i = 0; i < record.n_csrcs; i++) {
        record.csrcs[i] = get_u32(p + (size_t)i * 4);
    }
    record.payload = p + csrc_bytes;
    reader->pos += PAGE_FRAME_RECORD_BYTES + csrc_bytes + record.payload_size;
    reader->n_left--;
    *ret_record = record;
    return true;
}

MediaEncodedFrame *page_record_to_frame(const PageRecord *record, GBytes *message,
                                        uint32_t track_base, int64_t receive_ns)
{
    const uint8_t *start = g_bytes_get_data(message, NULL);
    GBytes *payload =
        g_bytes_new_from_bytes(message, (size_t)(record->payload - start), record->payload_size);
    MediaEncodedFrame *frame = media_encoded_frame_new(record->codec, payload);
    frame->track_id = track_base + record->track;
    frame->ssrc = record->ssrc;
    frame->rtp_timestamp = record->rtp_timestamp;
    frame->sequence = record->has_sequence ? record->sequence : MEDIA_NO_SEQUENCE;
    frame->receive_ns = receive_ns;
    frame->key_frame = record->key_frame;
    frame->width = record->width;
    frame->height = record->height;
    frame->spatial_layer = record->spatial_layer;
    frame->audio_level = record->has_level ? record->audio_level : MEDIA_NO_LEVEL;
    frame->n_csrcs = record->n_csrcs;
    memcpy(frame->csrcs, record->csrcs, sizeof frame->csrcs);
    return frame;
}
