/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* So many calls a while and caller, by a sliding window. Forgets on restart. Main thread only. */

typedef struct OrchLimiter OrchLimiter;

OrchLimiter *orch_limiter_new(guint max, gint64 window_ms);
void orch_limiter_free(OrchLimiter *limiter);

/** Count a call of @who now, unless it is one too many; *ret_wait_ms then says when not. */
bool orch_limiter_take(OrchLimiter *limiter, const char *who, gint64 now_ms, gint64 *ret_wait_ms);
