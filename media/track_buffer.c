/* SPDX-License-Identifier: Apache-2.0 */
#include "media/track_buffer.h"

#include "media/red.h"

#define VIDEO_RATE_HZ 90000

struct MediaTrackBuffer {
    uint32_t track_id;
    bool is_video;
    guint max_units;
    MediaRtpClock rtp_clock;
    GQueue units; /* owned MediaUnit, by ts */
    bool released;
    int64_t released_ts;
    uint64_t n_late;
};

void media_unit_free(MediaUnit *unit)
{
    g_clear_pointer(&unit->layers, g_ptr_array_unref);
    media_encoded_frame_unref(unit->frame);
    g_free(unit);
}

GBytes *media_unit_dup_payload(const MediaUnit *unit)
{
    if (unit->layers == NULL) {
        return unit->data == g_bytes_get_data(unit->frame->payload, NULL)
                   ? g_bytes_ref(unit->frame->payload)
                   : g_bytes_new(unit->data, unit->size);
    }
    GByteArray *joined = g_byte_array_new();
    g_byte_array_append(joined, unit->data, (guint)unit->size);
    for (guint i = 0; i < unit->layers->len; i++) {
        MediaEncodedFrame *layer = g_ptr_array_index(unit->layers, i);
        gsize size;
        const void *data = g_bytes_get_data(layer->payload, &size);
        g_byte_array_append(joined, data, (guint)size);
    }
    return g_byte_array_free_to_bytes(joined);
}

MediaTrackBuffer *media_track_buffer_new(uint32_t track_id, bool is_video, guint max_units)
{
    MediaTrackBuffer *buffer = g_new0(MediaTrackBuffer, 1);
    buffer->track_id = track_id;
    buffer->is_video = is_video;
    buffer->max_units = max_units;
    media_rtp_clock_init(&buffer->rtp_clock, is_video ? VIDEO_RATE_HZ : MEDIA_AUDIO_RATE_HZ);
    g_queue_init(&buffer->units);
    return buffer;
}

void media_track_buffer_free(MediaTrackBuffer *buffer)
{
    g_queue_clear_full(&buffer->units, (GDestroyNotify)media_unit_free);
    g_free(buffer);
}

static MediaUnit *unit_new(MediaEncodedFrame *frame, const MediaRtpPoint *point)
{
    MediaUnit *unit = g_new0(MediaUnit, 1);
    unit->frame = media_encoded_frame_ref(frame);
    unit->data = g_bytes_get_data(frame->payload, &unit->size);
    unit->codec = frame->codec;
    unit->source = media_encoded_frame_source(frame);
    unit->ts = point->ts;
    unit->seq = point->seq;
    unit->epoch = point->epoch;
    return unit;
}

/* One more layer of an instant that is already here; false: that layer was here. */
static bool join_layer(MediaUnit *unit, MediaEncodedFrame *frame)
{
    if (frame->spatial_layer == unit->frame->spatial_layer) {
        return false;
    }
    if (unit->layers == NULL) {
        unit->layers = g_ptr_array_new_with_free_func((GDestroyNotify)media_encoded_frame_unref);
    }
    MediaEncodedFrame *added = media_encoded_frame_ref(frame);
    if (added->spatial_layer < unit->frame->spatial_layer) {
        MediaEncodedFrame *lowest = added;
        added = unit->frame;
        unit->frame = lowest;
        unit->data = g_bytes_get_data(lowest->payload, &unit->size);
    }
    guint at = 0;
    while (at < unit->layers->len) {
        MediaEncodedFrame *there = g_ptr_array_index(unit->layers, at);
        if (there->spatial_layer == added->spatial_layer) {
            media_encoded_frame_unref(added);
            return false;
        }
        if (there->spatial_layer > added->spatial_layer) {
            break;
        }
        at++;
    }
    g_ptr_array_insert(unit->layers, (gint)at, added);
    return true;
}

/* Takes @unit. */
static bool insert(MediaTrackBuffer *buffer, MediaUnit *unit)
{
    if (buffer->released && unit->ts <= buffer->released_ts) {
        if (!unit->redundant) {
            buffer->n_late++;
        }
        media_unit_free(unit);
        return false;
    }
    GList *after = buffer->units.tail;
    while (after != NULL && ((MediaUnit *)after->data)->ts > unit->ts) {
        after = after->prev;
    }
    if (after != NULL && ((MediaUnit *)after->data)->ts == unit->ts) {
        bool joined = buffer->is_video && join_layer(after->data, unit->frame);
        media_unit_free(unit);
        return joined;
    }
    if (after == NULL) {
        g_queue_push_head(&buffer->units, unit);
    } else {
        g_queue_insert_after(&buffer->units, after, unit);
    }
    return true;
}

static bool push_red(MediaTrackBuffer *buffer, MediaEncodedFrame *frame, const MediaRtpPoint *point)
{
    gsize size;
    const uint8_t *payload = g_bytes_get_data(frame->payload, &size);
    MediaRedBlock blocks[MEDIA_RED_MAX_BLOCKS];
    size_t n = media_red_split(payload, size, blocks);
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        if (blocks[i].size == 0) {
            continue;
        }
        MediaUnit *unit = unit_new(frame, point);
        unit->codec = MEDIA_CODEC_OPUS;
        unit->data = blocks[i].data;
        unit->size = blocks[i].size;
        unit->redundant = i + 1 < n;
        if (unit->redundant) {
            unit->ts -= blocks[i].ts_offset;
            unit->seq = MEDIA_NO_SEQUENCE;
        }
        any |= insert(buffer, unit);
    }
    return any;
}

bool media_track_buffer_push(MediaTrackBuffer *buffer, MediaEncodedFrame *frame, int64_t *ret_ts)
{
    MediaRtpPoint point;
    if (g_bytes_get_size(frame->payload) == 0 ||
        !media_rtp_clock_update(&buffer->rtp_clock, frame->ssrc, frame->rtp_timestamp,
                                frame->sequence, frame->receive_ns, &point)) {
        return false;
    }
    if (ret_ts != NULL) {
        *ret_ts = point.ts;
    }
    bool taken = frame->codec == MEDIA_CODEC_RED ? push_red(buffer, frame, &point)
                                                 : insert(buffer, unit_new(frame, &point));
    while (buffer->units.length > buffer->max_units) {
        media_unit_free(g_queue_pop_head(&buffer->units));
    }
    return taken;
}

const MediaUnit *media_track_buffer_peek(MediaTrackBuffer *buffer, const uint32_t *source)
{
    for (GList *l = buffer->units.head; l != NULL; l = l->next) {
        const MediaUnit *unit = l->data;
        if (source == NULL || unit->source == *source) {
            return unit;
        }
    }
    return NULL;
}

MediaUnit *media_track_buffer_take(MediaTrackBuffer *buffer, const MediaUnit *unit)
{
    GList *link = g_queue_find(&buffer->units, unit);
    MediaUnit *taken = link->data;
    g_queue_delete_link(&buffer->units, link);
    if (!buffer->released || taken->ts > buffer->released_ts) {
        buffer->released = true;
        buffer->released_ts = taken->ts;
    }
    return taken;
}

int64_t media_track_buffer_time_ns(const MediaTrackBuffer *buffer, int64_t ts)
{
    return media_rtp_clock_to_ns(&buffer->rtp_clock, ts);
}

uint32_t media_track_buffer_id(const MediaTrackBuffer *buffer)
{
    return buffer->track_id;
}

guint media_track_buffer_n_units(const MediaTrackBuffer *buffer)
{
    return buffer->units.length;
}

uint64_t media_track_buffer_n_late(const MediaTrackBuffer *buffer)
{
    return buffer->n_late;
}
