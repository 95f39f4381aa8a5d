/* SPDX-License-Identifier: Apache-2.0 */
#include "media/limiter.h"

#include <math.h>

#define CEILING 1.0f
/* Back to unity in about 200 ms. */
#define RELEASE_PER_SAMPLE (1.0f / 9600.0f)
#define ATTACK_SAMPLES 48

void media_limiter_init(MediaLimiter *limiter)
{
    limiter->gain = 1.0f;
}

void media_limiter_process(MediaLimiter *limiter, float *samples, int64_t n)
{
    float peak = 0;
    for (int64_t i = 0; i < n; i++) {
        peak = fmaxf(peak, fabsf(samples[i]));
    }
    float wanted = peak > CEILING ? CEILING / peak : 1.0f;
    if (limiter->gain >= 1.0f && wanted >= 1.0f) {
        return;
    }
    float gain = limiter->gain;
    float fall = wanted < gain ? (gain - wanted) / ATTACK_SAMPLES : 0;
    for (int64_t i = 0; i < n; i++) {
        gain = fall > 0 ? fmaxf(gain - fall, wanted) : fminf(gain + RELEASE_PER_SAMPLE, wanted);
        samples[i] = fminf(fmaxf(samples[i] * gain, -CEILING), CEILING);
    }
    limiter->gain = gain;
}
