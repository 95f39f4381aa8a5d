/* SPDX-License-Identifier: Apache-2.0 */
#include "media/fragment.h"

#include <gst/base/gstbytereader.h>

#define TYPE MEDIA_FRAGMENT_TYPE

/* Flags of a track fragment's header (8.8.7) and of a run (8.8.8). */
enum {
    TFHD_BASE_DATA_OFFSET = 0x1,
    TFHD_DESCRIPTION = 0x2,
    TFHD_DURATION = 0x8,
    TFHD_SIZE = 0x10,
    TFHD_FLAGS = 0x20,
    TRUN_DATA_OFFSET = 0x1,
    TRUN_FIRST_FLAGS = 0x4,
    TRUN_DURATION = 0x100,
    TRUN_SIZE = 0x200,
    TRUN_FLAGS = 0x400,
    TRUN_COMPOSITION = 0x800,
};

typedef struct {
    int64_t base;            /* offsets count from here */
    int64_t next;            /* where the next run stands if it does not say */
    int64_t dts;             /* of the next packet */
    uint32_t duration, size; /* where a packet does not say its own */
    bool has_header, has_time;
    GArray *samples; /* borrowed */
} Track;

int64_t media_fragment_box(const uint8_t data[16], uint32_t *ret_type, int *ret_header)
{
    uint64_t size = GST_READ_UINT32_BE(data);
    *ret_type = GST_READ_UINT32_BE(data + 4);
    *ret_header = 8;
    if (size == 1) {
        size = GST_READ_UINT64_BE(data + 8);
        *ret_header = 16;
    }
    return size >= (uint64_t)*ret_header && size <= INT64_MAX / 2 ? (int64_t)size : 0;
}

/* The next box's contents. False: there is no whole one. */
static bool next_box(GstByteReader *reader, uint32_t *ret_type, GstByteReader *ret_contents)
{
    uint32_t size, type;
    if (!gst_byte_reader_get_uint32_be(reader, &size) ||
        !gst_byte_reader_get_uint32_be(reader, &type) || size < 8 ||
        !gst_byte_reader_get_sub_reader(reader, ret_contents, size - 8)) {
        return false;
    }
    *ret_type = type;
    return true;
}

/* False: @present, but cut off. */
static bool read_if(GstByteReader *reader, bool present, uint32_t *value)
{
    return !present || gst_byte_reader_get_uint32_be(reader, value);
}

static bool read_header(Track *track, GstByteReader *box)
{
    uint32_t flags, ignored;
    uint64_t base;
    if (!gst_byte_reader_get_uint32_be(box, &flags) || !gst_byte_reader_skip(box, 4)) {
        return false;
    }
    if ((flags & TFHD_BASE_DATA_OFFSET) != 0) {
        if (!gst_byte_reader_get_uint64_be(box, &base) || base > INT64_MAX / 2) {
            return false;
        }
        track->base = (int64_t)base;
    }
    track->next = track->base;
    track->has_header = true;
    return read_if(box, (flags & TFHD_DESCRIPTION) != 0, &ignored) &&
           read_if(box, (flags & TFHD_DURATION) != 0, &track->duration) &&
           read_if(box, (flags & TFHD_SIZE) != 0, &track->size) &&
           read_if(box, (flags & TFHD_FLAGS) != 0, &ignored);
}

static bool read_time(Track *track, GstByteReader *box)
{
    uint32_t flags, low = 0;
    uint64_t time = 0;
    bool read = gst_byte_reader_get_uint32_be(box, &flags) &&
                (flags >> 24 == 1 ? gst_byte_reader_get_uint64_be(box, &time)
                                  : gst_byte_reader_get_uint32_be(box, &low));
    track->dts = (int64_t)MIN(time + low, (uint64_t)INT64_MAX / 4);
    track->has_time = read;
    return read;
}

static bool read_sample(Track *track, GstByteReader *box, uint32_t flags)
{
    uint32_t duration = track->duration, size = track->size, composition = 0, ignored;
    if (!read_if(box, (flags & TRUN_DURATION) != 0, &duration) ||
        !read_if(box, (flags & TRUN_SIZE) != 0, &size) ||
        !read_if(box, (flags & TRUN_FLAGS) != 0, &ignored) ||
        !read_if(box, (flags & TRUN_COMPOSITION) != 0, &composition) || size > INT32_MAX) {
        return false;
    }
    MediaFragmentSample sample = {.offset = track->next,
                                  .size = (int32_t)size,
                                  .dts = track->dts,
                                  .pts = track->dts + (int32_t)composition};
    g_array_append_val(track->samples, sample);
    track->next += size;
    track->dts += duration;
    return true;
}

static bool read_run(Track *track, GstByteReader *box)
{
    uint32_t flags, n, offset, ignored;
    if (!track->has_header || !track->has_time || !gst_byte_reader_get_uint32_be(box, &flags) ||
        !gst_byte_reader_get_uint32_be(box, &n) ||
        n > MEDIA_FRAGMENT_MAX_SAMPLES - MIN(track->samples->len, MEDIA_FRAGMENT_MAX_SAMPLES)) {
        return false;
    }
    if ((flags & TRUN_DATA_OFFSET) != 0) {
        if (!gst_byte_reader_get_uint32_be(box, &offset)) {
            return false;
        }
        track->next = track->base + (int32_t)offset;
    }
    if (!read_if(box, (flags & TRUN_FIRST_FLAGS) != 0, &ignored) || track->next < 0) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!read_sample(track, box, flags)) {
            return false;
        }
    }
    return true;
}

static bool read_track(GstByteReader *boxes, int64_t offset, GArray *samples)
{
    Track track = {.base = offset, .samples = samples};
    uint32_t type;
    GstByteReader box;
    while (next_box(boxes, &type, &box)) {
        bool read = type == TYPE('t', 'f', 'h', 'd')   ? read_header(&track, &box)
                    : type == TYPE('t', 'f', 'd', 't') ? read_time(&track, &box)
                    : type == TYPE('t', 'r', 'u', 'n') ? read_run(&track, &box)
                                                       : true;
        if (!read) {
            return false;
        }
    }
    return gst_byte_reader_get_remaining(boxes) == 0;
}

bool media_fragment_parse(const uint8_t *data, size_t size, int64_t offset, GArray *samples)
{
    if (size > MEDIA_FRAGMENT_MAX_INDEX) {
        return false;
    }
    GstByteReader boxes, box;
    gst_byte_reader_init(&boxes, data, (guint)size);
    uint32_t type;
    guint n_tracks = 0;
    while (next_box(&boxes, &type, &box)) {
        if (type == TYPE('t', 'r', 'a', 'f') &&
            (n_tracks++ > 0 || !read_track(&box, offset, samples))) {
            return false;
        }
    }
    return n_tracks == 1 && gst_byte_reader_get_remaining(&boxes) == 0;
}
