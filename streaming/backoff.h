/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/** How often has it failed in a row, and so how long to wait; plain data, zero-initialised. */
typedef struct {
    guint n_failures;
} StreamingBackoff;

#define STREAMING_BACKOFF_MIN_MS 1000u
#define STREAMING_BACKOFF_MAX_MS 60000u

/**
 * streaming_backoff_next_ms:
 * @random: 0 to 1, of the caller's choice
 *
 * Milliseconds until the next try: 1, 2, 4 … 60 s, of which the upper half is random, so that many
 * bots do not come back to a restarted consumer in the same instant.
 */
guint streaming_backoff_next_ms(StreamingBackoff *backoff, double random);

void streaming_backoff_reset(StreamingBackoff *backoff);
