/* SPDX-License-Identifier: Apache-2.0 */
#include "media/finalizer.h"

#include <stdio.h>
#include <time.h>

/*
 * How long the finalizer takes: usage: finalize-cost FOLDER. The folder holds a .work as a recorder
 * leaves it (tests/bench/finalize.py makes one of an hour). Prints JSON.
 */

static double seconds(clockid_t clock_id)
{
    struct timespec now;
    clock_gettime(clock_id, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: finalize-cost FOLDER\n");
        return 2;
    }
    g_autoptr(GError) error = NULL;
    MediaFinalized finalized = {0};
    double wall_s = seconds(CLOCK_MONOTONIC), cpu_s = seconds(CLOCK_PROCESS_CPUTIME_ID);
    if (!media_finalize(argv[1], NULL, &finalized, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    printf("{\"recording_s\": %.1f, \"wall_s\": %.2f, \"cpu_s\": %.2f}\n", finalized.duration_s,
           seconds(CLOCK_MONOTONIC) - wall_s, seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_s);
    media_finalized_clear(&finalized);
    return 0;
}
