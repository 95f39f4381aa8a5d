/* SPDX-License-Identifier: Apache-2.0 */
#include "media/stall.h"

#include <glib.h>

#define MS INT64_C(1000000)
#define TICK (100 * MS)

static void nothing_stands_still(void)
{
    MediaStall stall = {0};
    int64_t now_ns = 5000 * MS;
    for (int i = 0; i < 100; i++) {
        int64_t late_ns = i % 7 * 10 * MS; /* a busy machine */
        g_assert_cmpint(media_stall_clock(&stall, now_ns, now_ns + late_ns), ==, now_ns + late_ns);
        now_ns += TICK + late_ns;
    }
}

static void goes_on_where_it_stopped(void)
{
    MediaStall stall = {0};
    g_assert_cmpint(media_stall_clock(&stall, 1000 * MS, 1000 * MS), ==, 1000 * MS);
    int64_t now_ns = 1700 * MS, last_ns = 1100 * MS;
    g_assert_cmpint(media_stall_clock(&stall, 1100 * MS, now_ns), ==, last_ns);
    for (int i = 1; i <= 12; i++) {
        int64_t played_ns = media_stall_clock(&stall, now_ns + TICK, now_ns + TICK);
        now_ns += TICK;
        g_assert_cmpint(played_ns - last_ns, ==, TICK * 3 / 2);
        last_ns = played_ns;
    }
    g_assert_cmpint(last_ns, ==, now_ns);
    g_assert_cmpint(media_stall_clock(&stall, now_ns + TICK, now_ns + TICK), ==, now_ns + TICK);
}

static void a_long_one_is_not_made_up_for(void)
{
    MediaStall stall = {0};
    g_assert_cmpint(media_stall_clock(&stall, 1000 * MS, 1000 * MS), ==, 1000 * MS);
    g_assert_cmpint(media_stall_clock(&stall, 1100 * MS, 61000 * MS), ==,
                    61000 * MS - MEDIA_STALL_MOST_NS);
}

/* Stalls in a row, and a clock that is asked early: never back, never ahead. */
static void never_goes_back(void)
{
    MediaStall stall = {0};
    GRand *rand = g_rand_new_with_seed(7);
    int64_t now_ns = 0, last_ns = 0;
    for (int i = 0; i < 10000; i++) {
        int64_t due_ns = now_ns + g_rand_int_range(rand, 0, 50) * MS;
        now_ns += g_rand_int_range(rand, 0, i % 50 == 0 ? 3000 : 60) * MS;
        int64_t played_ns = media_stall_clock(&stall, due_ns, now_ns);
        g_assert_cmpint(played_ns, >=, last_ns);
        g_assert_cmpint(played_ns, <=, now_ns);
        g_assert_cmpint(played_ns, >=, now_ns - MEDIA_STALL_MOST_NS);
        last_ns = played_ns;
    }
    g_rand_free(rand);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stall/nothing_stands_still", nothing_stands_still);
    g_test_add_func("/stall/goes_on_where_it_stopped", goes_on_where_it_stopped);
    g_test_add_func("/stall/a_long_one_is_not_made_up_for", a_long_one_is_not_made_up_for);
    g_test_add_func("/stall/never_goes_back", never_goes_back);
    return g_test_run();
}
