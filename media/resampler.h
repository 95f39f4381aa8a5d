/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdint.h>

/*
 * Mono s16 from one rate to another, with state: a stream handed over in pieces comes out as if it
 * had been handed over whole. A thin cover over GStreamer's polyphase resampler, so that other
 * folders need not see GStreamer. Not thread-safe; one object a stream.
 */

typedef struct MediaResampler MediaResampler;

/** Rates in Hz, 8000 to 192000. Equal rates pass through. */
MediaResampler *media_resampler_new(uint32_t in_hz, uint32_t out_hz);
void media_resampler_free(MediaResampler *resampler);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaResampler, media_resampler_free)

/** Appends what is ready to @out (element-type int16_t). The filter keeps a few ms back. */
void media_resampler_push(MediaResampler *resampler, const int16_t *samples, gsize n_samples,
                          GArray *out);

/** The end of the stream: appends what the filter kept back; then as after reset. */
void media_resampler_drain(MediaResampler *resampler, GArray *out);

/** Forget the past: what follows is another stream. */
void media_resampler_reset(MediaResampler *resampler);
