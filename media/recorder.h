/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/video_work.h"

/*
 * Encodes a mix and composed pictures into the working files of a recording, in <output>/.work. All
 * times are on the recording's time. Everything runs inside the calls; not thread safe.
 */

typedef struct MediaRecorder MediaRecorder;

typedef struct {
    MediaMode mode;
    const char *output_dir;
    uint8_t fps;
    uint32_t video_bitrate_bps; /* 0: constant quality */
    uint8_t video_quantizer;    /* 0: the usual one */
    const char *encoder;        /* as media/video_encoder.h says */
    bool audio_wav;             /* audio.wav too */
    bool separate_audio;        /* a file for each participant's own voice too */
    MediaWarningFunc warn;      /* never NULL */
    gpointer user_data;
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
 *
 * Once, before anything else: the sound's file is on the disk, so that there is a recording from
 * its first moment on. Errors: as of media_recorder_new.
 */
bool media_recorder_prime(MediaRecorder *recorder, GError **error);

/**
 * media_recorder_begin_video:
 * @info: of all pictures; copied
 * @picture: (transfer full): what showed at time 0
 * @ret_next_ns: the time of the next picture at the earliest
 *
 * Once, before any picture. Errors: as of media_recorder_new.
 */
bool media_recorder_begin_video(MediaRecorder *recorder, const GstVideoInfo *info,
                                GstBuffer *picture, int64_t *ret_next_ns, GError **error);

/** @n mono samples at 48 kHz that follow the ones before. Errors: as of media_recorder_new. */
bool media_recorder_push_audio(MediaRecorder *recorder, const float *samples, int64_t n,
                               GError **error);

/**
 * media_recorder_push_packet:
 * @at_ns: when the packet's first sample is heard, on the recording's time
 *
 * One Opus packet of @source as it came, for the participant's own file. Ignored when none is kept.
 */
bool media_recorder_push_packet(MediaRecorder *recorder, uint32_t source, uint32_t participant_id,
                                int64_t at_ns, const uint8_t *data, size_t size, GError **error);

/** @picture: (transfer full). A picture whose place is taken waits for the next free one. */
bool media_recorder_push_video(MediaRecorder *recorder, GstBuffer *picture, int64_t pts_ns,
                               GError **error);

/** The picture given last; borrowed, NULL when there was none. */
GstBuffer *media_recorder_last_picture(const MediaRecorder *recorder);

/** Time goes on: repeats a still picture where needed, and writes fragments out. */
bool media_recorder_tick(MediaRecorder *recorder, int64_t now_ns, GError **error);

/** End the files; the last picture stands until @duration_ns. */
bool media_recorder_finish(MediaRecorder *recorder, int64_t duration_ns, GError **error);

uint64_t media_recorder_n_pictures(const MediaRecorder *recorder);
