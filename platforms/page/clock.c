/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/page/clock.h"

#include <glib.h>

#define BUCKET_NS (30 * INT64_C(1000000000))
#define NS_PER_MS 1e6

void page_clock_observe(PageClock *clock, double page_now_ms, int64_t now_ns)
{
    int64_t offset_ns = now_ns - (int64_t)(page_now_ms * NS_PER_MS);
    if (!clock->valid) {
        *clock = (PageClock){true, now_ns, offset_ns, offset_ns};
        return;
    }
    if (now_ns - clock->bucket_start_ns >= BUCKET_NS) {
        clock->bucket_start_ns = now_ns;
        clock->previous_min_ns = clock->current_min_ns;
        clock->current_min_ns = offset_ns;
    }
    clock->current_min_ns = MIN(clock->current_min_ns, offset_ns);
}

int64_t page_clock_map(const PageClock *clock, double page_ms, int64_t now_ns)
{
    int64_t offset_ns = MIN(clock->current_min_ns, clock->previous_min_ns);
    return MIN(now_ns, (int64_t)(page_ms * NS_PER_MS) + offset_ns);
}
