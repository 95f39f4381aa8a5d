/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/engine.h"

/*
 * What the finalizer must know of a recording and can't read from its working files, kept beside
 * them as .work/state.json and replaced atomically.
 */

#define MEDIA_WORK_DIR ".work"
#define MEDIA_WORK_VIDEO "video.mp4"
#define MEDIA_WORK_AUDIO "audio.mp4"
#define MEDIA_WORK_MP3 "audio.mp3"

typedef struct {
    MediaMode mode;
    int64_t audio_priming; /* samples at 48 kHz that the encoder put in front */
    bool ended;            /* properly; then: */
    int64_t duration_ns;   /* on the recording's time */
    int64_t n_video_packets, n_audio_packets;
} MediaWorkState;

/** Errors: MEDIA_ERROR_IO, _DISK_FULL. */
bool media_work_state_save(const char *work_dir, const MediaWorkState *state, GError **error);

/** Errors: MEDIA_ERROR_NOTHING_RECORDED (no such file), MEDIA_ERROR_FORMAT. */
bool media_work_state_load(const char *work_dir, MediaWorkState *ret_state, GError **error);
