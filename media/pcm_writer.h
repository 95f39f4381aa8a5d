/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdint.h>

/*
 * The end of the stream playout: 48 kHz float in, blocks of 16-bit samples at the consumer's rate
 * out, every block of the same length and every sample accounted for. Not thread safe.
 */

typedef struct MediaPcmWriter MediaPcmWriter;

/** @rate_hz: 16000, 24000, 32000 or 48000. */
MediaPcmWriter *media_pcm_writer_new(uint32_t rate_hz, uint16_t block_ms);
void media_pcm_writer_free(MediaPcmWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaPcmWriter, media_pcm_writer_free)

/** Input samples (48 kHz) and output samples of one block. */
int64_t media_pcm_writer_block_in(const MediaPcmWriter *writer);
int64_t media_pcm_writer_block_out(const MediaPcmWriter *writer);

/** How far the output lags behind the input, in samples of the input: half the filter. */
int64_t media_pcm_writer_delay_in(const MediaPcmWriter *writer);

/** Turns one block into one block; @out is delayed by the filter's own few milliseconds. */
void media_pcm_writer_convert(MediaPcmWriter *writer, const float *in, int16_t *out);
