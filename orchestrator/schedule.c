/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/schedule.h"

/* Since when, or from when on, it wants a place. */
static gint64 wants_ms(const OrchCandidate *candidate)
{
    return candidate->reserved ? MIN(candidate->created_ms, candidate->due_ms) : candidate->due_ms;
}

static int by_wish(gconstpointer a, gconstpointer b)
{
    const OrchCandidate *first = *(OrchCandidate *const *)a;
    const OrchCandidate *second = *(OrchCandidate *const *)b;
    gint64 first_ms = wants_ms(first), second_ms = wants_ms(second);
    if (first_ms != second_ms) {
        return first_ms < second_ms ? -1 : 1;
    }
    return (first->number > second->number) - (first->number < second->number);
}

/* Fills in one with a place; returns when it has to be looked at again. */
static gint64 time_it(OrchCandidate *candidate, gint64 now_ms)
{
    candidate->starts = candidate->due_ms <= now_ms;
    if (candidate->starts) {
        return G_MAXINT64;
    }
    gint64 near_ms = candidate->due_ms - ORCH_SCHEDULE_NEAR_MS;
    candidate->is_near = near_ms <= now_ms;
    return candidate->is_near ? candidate->due_ms : near_ms;
}

gint64 orch_schedule(OrchCandidate *candidates, guint n, guint n_free, gint64 now_ms)
{
    g_autoptr(GPtrArray) order = g_ptr_array_sized_new(n);
    for (guint i = 0; i < n; i++) {
        candidates[i].takes_place = candidates[i].starts = candidates[i].is_near = false;
        g_ptr_array_add(order, &candidates[i]);
    }
    g_ptr_array_sort(order, by_wish);
    gint64 next_ms = G_MAXINT64;
    for (guint i = 0; i < n; i++) {
        OrchCandidate *candidate = g_ptr_array_index(order, i);
        bool wants = !candidate->has_place && wants_ms(candidate) <= now_ms;
        if (wants && n_free > 0) {
            candidate->takes_place = true;
            n_free--;
        }
        gint64 again_ms = G_MAXINT64;
        if (candidate->has_place || candidate->takes_place) {
            again_ms = time_it(candidate, now_ms);
        } else if (!wants) {
            /* A little earlier, so that its worker is ready in time. */
            gint64 near_ms = candidate->due_ms - ORCH_SCHEDULE_NEAR_MS;
            candidate->is_near = near_ms <= now_ms;
            again_ms = candidate->is_near ? wants_ms(candidate) : near_ms;
        }
        next_ms = MIN(next_ms, again_ms);
    }
    return next_ms;
}
