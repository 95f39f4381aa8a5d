/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/frame.h"
#include "media/rtp_clock.h"

/*
 * The reorder buffer of one track, audio or video, in front of every decoder. Takes frames as they
 * were tapped, in any order; splits RED; joins the spatial layers of one RTP timestamp; keeps the
 * units sorted; refuses what is older than the last one taken out. Bounded. Not thread safe: each
 * playout has its own buffers over shared frames.
 */

typedef struct MediaTrackBuffer MediaTrackBuffer;

typedef struct {
    MediaEncodedFrame *frame; /* owned: the packet, or the lowest spatial layer */
    GPtrArray *layers;        /* owned, (element-type MediaEncodedFrame): the others; NULL: none */
    const uint8_t *data;      /* borrowed from @frame: its payload or one block of it */
    size_t size;
    MediaCodec codec; /* never RED */
    bool redundant;   /* a copy out of RED; has no sequence number */
    uint32_t source;  /* audio: the contributing source, or the track */
    int64_t ts;       /* on the track's axis */
    int64_t seq;      /* unwrapped, or -1 */
    uint32_t epoch;
} MediaUnit;

void media_unit_free(MediaUnit *unit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaUnit, media_unit_free)

/** The unit's bytes with all its layers, lowest first. Returns (transfer full). */
GBytes *media_unit_dup_payload(const MediaUnit *unit);

/** Clock rate from @codec's kind; holds at most @max_units, the oldest go first. */
MediaTrackBuffer *media_track_buffer_new(uint32_t track_id, bool is_video, guint max_units);
void media_track_buffer_free(MediaTrackBuffer *buffer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaTrackBuffer, media_track_buffer_free)

/**
 * media_track_buffer_push:
 * @frame: (transfer none): a reference is kept
 * @ret_ts: (out) (optional): where the frame stands on the axis
 *
 * Returns false when nothing of the frame was new: too late, a duplicate, malformed or far off.
 */
bool media_track_buffer_push(MediaTrackBuffer *buffer, MediaEncodedFrame *frame, int64_t *ret_ts);

/** The oldest unit of @source, or of any when @source is NULL; borrowed, NULL when there is none.
 */
const MediaUnit *media_track_buffer_peek(MediaTrackBuffer *buffer, const uint32_t *source);

/** Take @unit out; later comers of its timestamp and before are late. Returns (transfer full). */
MediaUnit *media_track_buffer_take(MediaTrackBuffer *buffer, const MediaUnit *unit);

/** CLOCK_MONOTONIC of @ts by the present estimate. */
int64_t media_track_buffer_time_ns(const MediaTrackBuffer *buffer, int64_t ts);

uint32_t media_track_buffer_id(const MediaTrackBuffer *buffer);
guint media_track_buffer_n_units(const MediaTrackBuffer *buffer);
uint64_t media_track_buffer_n_late(const MediaTrackBuffer *buffer);
