/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * What crosses between folders: one encoded frame as it was tapped from the page, and one block of
 * mixed PCM on its way out. Both are plain data. An encoded frame is reference counted, never
 * changed after it was made, and may be passed between threads.
 */

typedef enum {
    MEDIA_CODEC_NONE,
    MEDIA_CODEC_OPUS,
    MEDIA_CODEC_RED, /* RFC 2198 around Opus, raw as the browser hands it over */
    MEDIA_CODEC_PCM, /* decoded fallback: s16le, 48 kHz, mono */
    MEDIA_CODEC_VP8,
    MEDIA_CODEC_VP9,
    MEDIA_CODEC_H264, /* Annex B */
    MEDIA_CODEC_AV1,
    /* Of MEDIA_PAGE_TRACK only: */
    MEDIA_CODEC_JPEG,
    MEDIA_CODEC_BGRX, /* not compressed: rows of B, G, R and an unused byte, without padding */
    MEDIA_CODEC_I420, /* what becomes of it: three planes without padding, BT.601, studio range */
} MediaCodec;

#define MEDIA_N_CODECS (MEDIA_CODEC_I420 + 1)
/* The track of what the page itself shows, when that is what is recorded. */
#define MEDIA_PAGE_TRACK UINT32_MAX
#define MEDIA_MAX_CSRCS 15
#define MEDIA_NO_SEQUENCE (-1)
#define MEDIA_NO_LEVEL 255
#define MEDIA_AUDIO_RATE_HZ 48000

typedef struct {
    MediaCodec codec;
    uint32_t track_id;      /* the page link's number of the receiver's track, from 1 */
    uint32_t ssrc;          /* of the packets; may change within a track */
    uint32_t rtp_timestamp; /* wraps; 48 kHz for audio, 90 kHz for video */
    int32_t sequence;       /* 0..65535, or MEDIA_NO_SEQUENCE (video) */
    int64_t receive_ns;     /* CLOCK_MONOTONIC, when the browser received it */
    int64_t sent_ns;        /* CLOCK_MONOTONIC, when the page passed it on; 0: not known */
    bool key_frame;         /* video only */
    uint16_t width, height; /* video only; 0 when the frame did not say */
    uint8_t spatial_layer;
    uint8_t audio_level; /* RFC 6464: 0 (loudest) .. 127 (silent), or MEDIA_NO_LEVEL */
    /* Audio: a server's mix of everybody. The contributing sources all speak in it, decoder and
     * timeline are the track's. */
    bool mixed;
    uint8_t n_csrcs;
    uint32_t csrcs[MEDIA_MAX_CSRCS];
    GBytes *payload; /* owned */
    gatomicrefcount ref_count;
} MediaEncodedFrame;

/**
 * media_encoded_frame_new:
 * @payload: (transfer full): the encoded bytes
 *
 * Returns a frame with one reference, the given codec and payload, and every other field "unknown".
 * Thread: any.
 */
MediaEncodedFrame *media_encoded_frame_new(MediaCodec codec, GBytes *payload);
MediaEncodedFrame *media_encoded_frame_ref(MediaEncodedFrame *frame);
void media_encoded_frame_unref(MediaEncodedFrame *frame);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaEncodedFrame, media_encoded_frame_unref)

/** Which audio stream a frame continues: that of its (loudest) contributing source; without one
 * that of its own SSRC, as a server sends that forwards packets unchanged; of its track when it is
 * a mix or decoded audio, which has neither. */
uint32_t media_encoded_frame_source(const MediaEncodedFrame *frame);

/** Lower-case name as MIME types spell it ("opus", "vp8", "h264"); never NULL. */
const char *media_codec_to_string(MediaCodec codec);

/** From a MIME type such as "video/VP8" or "audio/opus", any case; MEDIA_CODEC_NONE if unknown. */
MediaCodec media_codec_from_mime(const char *mime);

bool media_codec_is_video(MediaCodec codec);
