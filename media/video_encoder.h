/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/element.h"

#include <gst/video/video.h>

/*
 * Which H.264 encoder there is and how it is set: for a picture that is cheap rather than small,
 * without B-frames, so that pictures come out in the order in which they went in. A hardware
 * encoder that is not there, or does not start, is replaced by one that is.
 */

/* x264 keeps as many pictures back; short, since what it holds back a SIGKILL takes. */
#define MEDIA_ENCODER_LOOKAHEAD 4

typedef struct {
    const char *wanted; /* "auto", "x264", "openh264", "vaapi", "nvenc"; NULL: auto */
    const GstVideoInfo *info;
    uint8_t fps;
    uint32_t bitrate_bps; /* 0: constant quality */
    uint8_t quantizer;    /* of constant quality, as x264 counts; 0: the usual 24 */
    bool tiles;           /* many small pictures in one: more detail, worth more time */
} MediaVideoEncoderConfig;

/**
 * media_video_encoder_check:
 *
 * Whether @wanted is a name and anything can encode. Errors: MEDIA_ERROR_UNSUPPORTED, saying what
 * there is.
 */
bool media_video_encoder_check(const char *wanted, GError **error);

/**
 * media_video_encoder_new:
 * @ret_name: (out) (transfer none): what it is; static
 * @ret_note: (out) (transfer full) (nullable): a sentence when it is not what was wanted
 *
 * Output is H.264 in avc form, an access unit a buffer. Errors: MEDIA_ERROR_ENCODER, _UNSUPPORTED.
 */
MediaElement *media_video_encoder_new(const MediaVideoEncoderConfig *config,
                                      MediaElementFunc on_output, gpointer user_data,
                                      const char **ret_name, char **ret_note, GError **error);
