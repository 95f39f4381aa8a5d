/* SPDX-License-Identifier: Apache-2.0 */
#include "media/stall.h"

#include <glib.h>

int64_t media_stall_clock(MediaStall *stall, int64_t due_ns, int64_t now_ns)
{
    int64_t late_ns = now_ns - due_ns;
    if (late_ns > MEDIA_STALL_LATE_NS) {
        stall->behind_ns += late_ns;
    } else {
        stall->behind_ns -= MIN(stall->behind_ns, (now_ns - stall->last_ns) / 2);
    }
    stall->behind_ns = MIN(stall->behind_ns, MEDIA_STALL_MOST_NS);
    stall->last_ns = now_ns;
    return now_ns - stall->behind_ns;
}
