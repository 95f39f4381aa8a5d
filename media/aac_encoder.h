/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/engine.h"

#include <gst/gst.h>

/*
 * AAC-LC through libavcodec, which the muxer needs anyway. GStreamer's element for the same encoder
 * brings libavfilter and all that it links (speech synthesis, Vulkan, …) into every worker: seven
 * MB. Not thread safe; the callback runs inside push and drain.
 */

#define MEDIA_AAC_FRAME 1024   /* samples in a packet */
#define MEDIA_AAC_PRIMING 1024 /* samples of silence that the encoder puts in front */

typedef struct MediaAacEncoder MediaAacEncoder;

/** @packet, @caps: borrowed; raw AAC, and its format with the codec_data that a file needs. */
typedef void (*MediaAacFunc)(GstBuffer *packet, GstCaps *caps, gpointer user_data);

/** Mono, MEDIA_AUDIO_RATE_HZ, as many bits as the sound needs. @quality: libavcodec's for this
 * encoder, 0.1 to 2: 1.5 is about 100 kbit/s of uninterrupted speech. Errors:
 * MEDIA_ERROR_UNSUPPORTED, _ENCODER. */
MediaAacEncoder *media_aac_encoder_new(double quality, MediaAacFunc on_packet, gpointer user_data,
                                       GError **error);
void media_aac_encoder_free(MediaAacEncoder *encoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaAacEncoder, media_aac_encoder_free)

/** Any number of samples, full scale ±1. Errors: MEDIA_ERROR_ENCODER with libavcodec's words. */
bool media_aac_encoder_push(MediaAacEncoder *encoder, const float *samples, int64_t n,
                            GError **error);

/** What is left comes out, filled up with silence. */
bool media_aac_encoder_drain(MediaAacEncoder *encoder, GError **error);
