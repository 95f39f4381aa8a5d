// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/meeting/scenario.h"

/*
 * A camera's (or screen's) pictures, encoded once and looped. Frame n of the meeting is frame
 * n modulo the loop's length; a key frame comes once a second and the loop wraps on one. Clips
 * are cached between runs, in a folder of files written atomically. Immutable once made, so any
 * thread may read it.
 */

typedef struct {
    bool key;
    GPtrArray *payloads; /* owned, of GBytes: RTP payloads without picture ids */
} MeetingClipFrame;

typedef struct {
    MeetingCodec codec;
    int fps;
    int width;
    int height;
    guint n_frames;
    gint64 phase_us;          /* frame n is captured at n / fps + phase */
    MeetingClipFrame *frames; /* owned, n_frames of them */
} MeetingClip;

/**
 * meeting_clip_new:
 * @band_number: what the band shows as the person
 * @cache_folder: (nullable): where encoded clips are kept
 *
 * Loads a clip from the cache, or draws and encodes it (about a second of one core for 10 s at
 * 640x360). Different people get different phases, so that their pictures do not leave in one
 * burst; flash_beep always has phase 0.
 *
 * Errors: MEETING_ERROR_MEDIA.
 */
MeetingClip *meeting_clip_new(const MeetingCamera *camera, unsigned band_number,
                              const char *cache_folder, GError **error);

void meeting_clip_free(MeetingClip *clip);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(MeetingClip, meeting_clip_free)
