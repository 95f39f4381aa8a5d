/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/limiter.h"

struct OrchLimiter {
    guint max;
    gint64 window_ms;
    GHashTable *calls; /* owned: who -> GArray of gint64, oldest first */
};

OrchLimiter *orch_limiter_new(guint max, gint64 window_ms)
{
    OrchLimiter *limiter = g_new0(OrchLimiter, 1);
    limiter->max = max;
    limiter->window_ms = window_ms;
    limiter->calls =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_array_unref);
    return limiter;
}

void orch_limiter_free(OrchLimiter *limiter)
{
    g_hash_table_unref(limiter->calls);
    g_free(limiter);
}

bool orch_limiter_take(OrchLimiter *limiter, const char *who, gint64 now_ms, gint64 *ret_wait_ms)
{
    GArray *times = g_hash_table_lookup(limiter->calls, who);
    if (times == NULL) {
        times = g_array_new(FALSE, FALSE, sizeof(gint64));
        g_hash_table_insert(limiter->calls, g_strdup(who), times);
    }
    while (times->len > 0 && g_array_index(times, gint64, 0) <= now_ms - limiter->window_ms) {
        g_array_remove_index(times, 0);
    }
    if (times->len >= limiter->max) {
        *ret_wait_ms = g_array_index(times, gint64, 0) + limiter->window_ms - now_ms;
        return false;
    }
    g_array_append_val(times, now_ms);
    return true;
}
