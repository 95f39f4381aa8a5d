/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/*
 * A peak limiter for a sum of voices: a gain that falls at once and recovers slowly. While the sum
 * stays below full scale the samples pass bit for bit. Plain data.
 */

typedef struct {
    float gain;
} MediaLimiter;

void media_limiter_init(MediaLimiter *limiter);

/** In place, 48 kHz; blocks of 2.5 to 20 ms. */
void media_limiter_process(MediaLimiter *limiter, float *samples, int64_t n);
