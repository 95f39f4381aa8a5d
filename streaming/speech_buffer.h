/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * What a program wants the bot to say, between the socket and the microphone: takes bytes in
 * pieces of any length, odd ones included, and gives whole samples with the rate they came at.
 * Bounded; not thread-safe.
 */

typedef struct StreamingSpeechBuffer StreamingSpeechBuffer;

/** @max_samples: what comes above it is dropped, newest first, and counted. */
StreamingSpeechBuffer *streaming_speech_buffer_new(gsize max_samples);
void streaming_speech_buffer_free(StreamingSpeechBuffer *buffer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StreamingSpeechBuffer, streaming_speech_buffer_free)

/**
 * streaming_speech_buffer_push:
 * @data: s16le at @rate_hz; half a sample at the end is kept for the next piece of that rate
 *
 * Returns samples dropped.
 */
gsize streaming_speech_buffer_push(StreamingSpeechBuffer *buffer, const guint8 *data, gsize n_bytes,
                                   uint32_t rate_hz);

/** Take up to @max_samples of one rate, oldest first, host order. Returns how many. */
gsize streaming_speech_buffer_pop(StreamingSpeechBuffer *buffer, int16_t *ret_samples,
                                  gsize max_samples, uint32_t *ret_rate_hz);

/** Forget everything, the half sample too. Returns how many samples waited. */
gsize streaming_speech_buffer_flush(StreamingSpeechBuffer *buffer);

gsize streaming_speech_buffer_length(const StreamingSpeechBuffer *buffer);
