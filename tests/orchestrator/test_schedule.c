/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/schedule.h"

#define NOW 1000000

static OrchCandidate at(gint64 number, gint64 due_ms)
{
    return (OrchCandidate){.number = number, .created_ms = NOW - 100 + number, .due_ms = due_ms};
}

static void test_at_once_in_order(void)
{
    OrchCandidate bots[] = {at(3, NOW), at(1, NOW), at(2, NOW)};
    g_assert_cmpint(orch_schedule(bots, 3, 2, NOW), ==, G_MAXINT64);
    g_assert_true(bots[1].starts && bots[1].takes_place);
    g_assert_true(bots[2].starts && bots[2].takes_place);
    g_assert_false(bots[0].starts || bots[0].takes_place);
}

static void test_to_the_millisecond(void)
{
    OrchCandidate bots[] = {at(1, NOW + 60000)};
    g_assert_cmpint(orch_schedule(bots, 1, 1, NOW), ==, NOW + 60000 - ORCH_SCHEDULE_NEAR_MS);
    g_assert_false(bots[0].is_near || bots[0].starts || bots[0].takes_place);
    gint64 near_ms = NOW + 60000 - ORCH_SCHEDULE_NEAR_MS;
    g_assert_cmpint(orch_schedule(bots, 1, 1, near_ms), ==, NOW + 60000);
    g_assert_true(bots[0].is_near);
    g_assert_false(bots[0].starts || bots[0].takes_place);
    g_assert_cmpint(orch_schedule(bots, 1, 1, NOW + 59999), ==, NOW + 60000);
    g_assert_false(bots[0].starts);
    g_assert_cmpint(orch_schedule(bots, 1, 1, NOW + 60000), ==, G_MAXINT64);
    g_assert_true(bots[0].starts && bots[0].takes_place);
}

static void test_reserved_keeps_its_place(void)
{
    OrchCandidate bots[] = {at(1, NOW + 240000), at(2, NOW)};
    bots[0].reserved = true;
    orch_schedule(bots, 2, 1, NOW);
    g_assert_true(bots[0].takes_place && !bots[0].starts);
    g_assert_false(bots[1].takes_place || bots[1].starts);
    bots[0].has_place = true;
    orch_schedule(bots, 2, 1, NOW);
    g_assert_true(bots[1].starts);
    g_assert_false(bots[0].takes_place);
    orch_schedule(bots, 1, 0, NOW + 240000);
    g_assert_true(bots[0].starts); /* its place is its own */
}

static void test_a_full_house_waits_for_no_time(void)
{
    OrchCandidate bots[] = {at(1, NOW), at(2, NOW - 5)};
    g_assert_cmpint(orch_schedule(bots, 2, 0, NOW), ==, G_MAXINT64);
    g_assert_false(bots[0].starts || bots[1].starts);
    orch_schedule(bots, 2, 1, NOW);
    g_assert_true(bots[1].starts && !bots[0].starts); /* whoever was due first */
}

static void test_missed_times_start_at_once(void)
{
    OrchCandidate bots[] = {at(1, NOW - 3600 * 1000)};
    orch_schedule(bots, 1, 1, NOW);
    g_assert_true(bots[0].starts);
}

/* Whatever the bots: never more places than there are, nobody starts early or without a place, and
 * a later look is asked for whenever somebody's time is still to come. */
static void test_any_bots(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)g_test_rand_int());
    for (int round = 0; round < 2000; round++) {
        OrchCandidate bots[12];
        guint n = (guint)g_rand_int_range(rand, 0, 13),
              n_free = (guint)g_rand_int_range(rand, 0, 5);
        guint n_taken = 0;
        for (guint i = 0; i < n; i++) {
            bots[i] = at(i, NOW + g_rand_int_range(rand, -50000, 50000));
            bots[i].reserved = g_rand_boolean(rand);
            bots[i].has_place = g_rand_int_range(rand, 0, 4) == 0;
        }
        gint64 next_ms = orch_schedule(bots, n, n_free, NOW);
        g_assert_cmpint(next_ms, >, NOW);
        for (guint i = 0; i < n; i++) {
            n_taken += bots[i].takes_place;
            g_assert_false(bots[i].takes_place && bots[i].has_place);
            g_assert_true(!bots[i].starts ||
                          (bots[i].due_ms <= NOW && (bots[i].has_place || bots[i].takes_place)));
            bool comes = bots[i].due_ms > NOW && (bots[i].has_place || bots[i].takes_place);
            g_assert_true(!comes || next_ms <= bots[i].due_ms);
        }
        g_assert_cmpuint(n_taken, <=, n_free);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/schedule/at_once_in_the_order_of_creation", test_at_once_in_order);
    g_test_add_func("/schedule/times_are_met_to_the_millisecond", test_to_the_millisecond);
    g_test_add_func("/schedule/a_reservation_keeps_its_place", test_reserved_keeps_its_place);
    g_test_add_func("/schedule/a_full_house_waits", test_a_full_house_waits_for_no_time);
    g_test_add_func("/schedule/missed_times_start_at_once", test_missed_times_start_at_once);
    g_test_add_func("/schedule/holds_for_any_bots", test_any_bots);
    return g_test_run();
}
