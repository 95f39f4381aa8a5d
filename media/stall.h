/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/*
 * The clock of a playout after everything stood still. A thread that woke long after it wanted to
 * was not alone: the packets of that time are only now on their way, too (a paused container, a
 * machine with too much to do). Played by the time of day they would all be too late. So the clock
 * goes on from where it stopped, and catches up at half again the speed. Not thread safe: each
 * thread has one.
 */

#define MEDIA_STALL_LATE_NS INT64_C(100000000)  /* later than this nobody is who is only busy */
#define MEDIA_STALL_MOST_NS INT64_C(2000000000) /* further behind is given up: it has to end */

typedef struct {
    int64_t last_ns;   /* of the clock that was asked last */
    int64_t behind_ns; /* what was returned lies so far behind it */
} MediaStall;

/**
 * @due_ns: when the thread wanted to wake, @now_ns: when it did; both on one clock. Zeroed to
 * begin.
 *
 * Returns: the time to play by; never more than @now_ns, never less than the last one.
 */
int64_t media_stall_clock(MediaStall *stall, int64_t due_ns, int64_t now_ns);
