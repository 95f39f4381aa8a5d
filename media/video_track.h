/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/picture.h"
#include "media/track_buffer.h"

/*
 * One video track of the recording playout. While it is not shown its frames since the last key
 * frame are only kept; when it is to be shown they are decoded in one go, so that a switch is
 * immediate. The kept frames are bounded: past the bound they are decoded with their pictures
 * thrown away. After an error, a gap or a change of codec the last good picture is held until the
 * next key frame. Not thread safe.
 */

typedef struct MediaVideoTrack MediaVideoTrack;

MediaVideoTrack *media_video_track_new(uint32_t track_id);
void media_video_track_free(MediaVideoTrack *track);

/** Take one tapped frame; a reference is kept. */
void media_video_track_push(MediaVideoTrack *track, MediaEncodedFrame *frame);

/**
 * media_video_track_advance:
 * @shown: whether pictures are wanted
 *
 * Process what was captured up to @to_ns, at most up to the next new picture when @shown. Returns
 * whether there is a new picture; call again until it returns false.
 */
bool media_video_track_advance(MediaVideoTrack *track, int64_t to_ns, bool shown);

/** The present picture; borrowed, NULL when there is none (yet). */
MediaPicture *media_video_track_picture(const MediaVideoTrack *track);

/** Whether there is a picture, or will be one as soon as it is wanted. */
bool media_video_track_can_show(const MediaVideoTrack *track);

/** Whether pictures come that can't be shown before the next key frame. */
bool media_video_track_wants_key_frame(const MediaVideoTrack *track);

/** The camera went off: what comes later starts from a key frame, the picture is forgotten. */
void media_video_track_clear(MediaVideoTrack *track);

uint32_t media_video_track_id(const MediaVideoTrack *track);
/** Size of the last picture that a frame announced; 0 while unknown. */
void media_video_track_get_size(const MediaVideoTrack *track, int *ret_width, int *ret_height);
/** Frames that were lost or could not be decoded. */
uint64_t media_video_track_n_lost(const MediaVideoTrack *track);
