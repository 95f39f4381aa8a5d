/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Maps the page's clock to CLOCK_MONOTONIC. Each message says when it was sent; it arrives later by
 * a delay that varies but is never negative, so the smallest difference seen is the best estimate
 * of the clocks' offset. The minimum slides over 30 to 60 s, so that a wrong start or a slow drift
 * is forgotten. Plain data, no allocation; zero-initialized.
 */
typedef struct {
    bool valid;
    int64_t bucket_start_ns;
    int64_t current_min_ns, previous_min_ns; /* offset: monotonic - page */
} PageClock;

void page_clock_observe(PageClock *clock, double page_now_ms, int64_t now_ns);

/** Never later than @now_ns: what the page has told us of has happened. */
int64_t page_clock_map(const PageClock *clock, double page_ms, int64_t now_ns);
