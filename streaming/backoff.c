/* SPDX-License-Identifier: Apache-2.0 */
#include "streaming/backoff.h"

guint streaming_backoff_next_ms(StreamingBackoff *backoff, double random)
{
    guint shift = MIN(backoff->n_failures, 6);
    guint ceiling_ms = MIN(STREAMING_BACKOFF_MIN_MS << shift, STREAMING_BACKOFF_MAX_MS);
    backoff->n_failures++;
    guint half_ms = ceiling_ms / 2;
    guint wait_ms = half_ms + (guint)(random * half_ms);
    return MAX(wait_ms, STREAMING_BACKOFF_MIN_MS);
}

void streaming_backoff_reset(StreamingBackoff *backoff)
{
    backoff->n_failures = 0;
}
