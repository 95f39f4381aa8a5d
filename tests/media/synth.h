/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/frame.h"

/*
 * Makes what a meeting would send: Opus packets of a signal, VP8 pictures with a number in them.
 */

typedef struct SynthVoice SynthVoice;

/** A voice that encodes whatever samples it is given; 20 ms packets, 48 kHz mono. */
SynthVoice *synth_voice_new(uint32_t track_id, uint32_t csrc, int bitrate_bps, bool fec);
void synth_voice_free(SynthVoice *voice);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SynthVoice, synth_voice_free)

/** From now on on another receiver, whose RTP numbers are its own. */
void synth_voice_move(SynthVoice *voice, uint32_t track_id, uint32_t ts, int32_t sequence);

/** Returns (transfer full): the next packet, of 960 @samples, received at @receive_ns. */
MediaEncodedFrame *synth_voice_encode(SynthVoice *voice, const float *samples, int64_t receive_ns);

/** A phase-continuous tone: @n samples from sample @from on. */
void synth_tone(float *out, int64_t from, int64_t n, double hz, double amplitude);

/** A copy of @frame with other RTP numbers. Returns (transfer full). */
MediaEncodedFrame *synth_copy(const MediaEncodedFrame *frame);

typedef struct SynthCamera SynthCamera;

/** A camera of moving lines with a little noise at 90 kHz RTP time; @codec: VP8, VP9, H.264
 *  or AV1. */
SynthCamera *synth_camera_new(uint32_t track_id, MediaCodec codec, int width, int height,
                              int key_interval);
void synth_camera_free(SynthCamera *camera);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SynthCamera, synth_camera_free)

/** From now on the pictures are a plain colour of the person's, with a lighter shape in the middle:
 *  what is to be compared with a reference. */
void synth_camera_set_plain(SynthCamera *camera, bool plain);

/** Draws picture @number into the planes of an I420 picture, rows without padding. */
typedef void (*SynthPainter)(uint8_t *const planes[3], unsigned number, gpointer user_data);

/** From now on each sample's noise has that many @bits, 1 to 6: work for an encoder. The default,
 * 1, is for tests to which the size of the pictures does not matter. */
void synth_camera_set_noise(SynthCamera *camera, int bits);

/** From now on somebody else draws. */
void synth_camera_set_painter(SynthCamera *camera, SynthPainter painter, gpointer user_data);

/**
 * synth_camera_encode:
 * @person: 0..15, and @number: 0..65535: readable from the band in the top twelfth
 *
 * Returns (transfer full): the picture's frame, captured and received at @at_ns.
 */
MediaEncodedFrame *synth_camera_encode(SynthCamera *camera, unsigned person, unsigned number,
                                       int64_t at_ns);

/** Reads the band of an I420 luma plane whose picture lies in the given rectangle; false: none. */
bool synth_read_band(const uint8_t *luma, int stride, int x, int y, int width, int height,
                     unsigned *ret_person, unsigned *ret_number);
