/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/engine.h"

#include <gst/video/video.h>

/*
 * Encodes a mix and composed pictures into the working files of a recording, in <output>/.work. All
 * times are on the recording's time. Everything runs inside the calls; not thread safe.
 */

typedef struct MediaRecorder MediaRecorder;

typedef struct {
    MediaMode mode;
    const char *output_dir;
    const GstVideoInfo *video; /* NULL for audio only */
    uint8_t fps;
    uint32_t video_bitrate_bps; /* 0: constant quality */
    const char *encoder;        /* "auto" or "x264" */
} MediaRecorderConfig;

/**
 * media_recorder_check:
 *
 * Whether @encoder and everything else needed for @mode is installed. Errors:
 * MEDIA_ERROR_UNSUPPORTED, with its name.
 */
bool media_recorder_check(MediaMode mode, const char *encoder, GError **error);

/** Errors: MEDIA_ERROR_IO, _DISK_FULL, _ENCODER, _UNSUPPORTED. */
MediaRecorder *media_recorder_new(const MediaRecorderConfig *config, GError **error);

/** Files stay as they are: whole up to the last flush. */
void media_recorder_free(MediaRecorder *recorder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaRecorder, media_recorder_free)

/**
 * media_recorder_prime:
 * @picture: (transfer full) (nullable): what shows at the start
 * @ret_next_ns: the time of the next picture at the earliest
 *
 * Once, before anything else: puts a first picture through the encoder and onto the disk, so that
 * there is a recording from its first moment on. Errors: as of media_recorder_new.
 */
bool media_recorder_prime(MediaRecorder *recorder, GstBuffer *picture, int64_t *ret_next_ns,
                          GError **error);

/** @n mono samples at 48 kHz that follow the ones before. Errors: as of media_recorder_new. */
bool media_recorder_push_audio(MediaRecorder *recorder, const float *samples, int64_t n,
                               GError **error);

/** @picture: (transfer full). A time that does not grow is moved up. */
bool media_recorder_push_video(MediaRecorder *recorder, GstBuffer *picture, int64_t pts_ns,
                               GError **error);

/** The picture given last; borrowed, NULL when there was none. */
GstBuffer *media_recorder_last_picture(const MediaRecorder *recorder);

/** Time goes on: repeats a still picture where needed, and writes fragments out. */
bool media_recorder_tick(MediaRecorder *recorder, int64_t now_ns, GError **error);

/** End the files; the last picture stands until @duration_ns. */
bool media_recorder_finish(MediaRecorder *recorder, int64_t duration_ns, GError **error);

uint64_t media_recorder_n_pictures(const MediaRecorder *recorder);
