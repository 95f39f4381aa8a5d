/* SPDX-License-Identifier: Apache-2.0 */
#include "base/backoff.h"

static void waits_double_up_to_the_longest(void)
{
    static const guint expected[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_assert_cmpuint(base_backoff_ms(1000, 60000, i), ==, expected[i]);
    }
    g_assert_cmpuint(base_backoff_ms(1000, 60000, G_MAXUINT), ==, 60000);
    g_assert_cmpuint(base_backoff_ms(1, G_MAXUINT, 40), ==, 1u << 31);
    g_assert_cmpuint(base_backoff_ms(5000, 200, 0), ==, 200);
    g_assert_cmpuint(base_backoff_ms(0, 60000, 9), ==, 0);
}

static void waits_are_spread_between_the_bounds(void)
{
    g_assert_cmpuint(base_backoff_spread_ms(1000, 0.5, 1, 0), ==, 500);
    g_assert_cmpuint(base_backoff_spread_ms(1000, 0.5, 1, 0.5), ==, 750);
    g_assert_cmpuint(base_backoff_spread_ms(1000, 0.5, 1, 1), ==, 1000);
    g_assert_cmpuint(base_backoff_spread_ms(20000, 1, 1.5, 0.5), ==, 25000);
    g_assert_cmpuint(base_backoff_spread_ms(0, 1, 1.5, 1), ==, 0);
}

static gpointer cancel(gpointer data)
{
    g_cancellable_cancel(data);
    return NULL;
}

static void a_cancelled_wait_ends_at_once(void)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_assert_true(base_backoff_wait(1, cancellable));
    g_assert_true(base_backoff_wait(1, NULL));
    GThread *thread = g_thread_new("cancel", cancel, cancellable);
    g_assert_false(base_backoff_wait(600 * 1000, cancellable)); /* or the test's timeout */
    g_thread_join(thread);
    g_assert_false(base_backoff_wait(600 * 1000, cancellable));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/backoff/waits_double_up_to_the_longest", waits_double_up_to_the_longest);
    g_test_add_func("/backoff/waits_are_spread_between_the_bounds",
                    waits_are_spread_between_the_bounds);
    g_test_add_func("/backoff/a_cancelled_wait_ends_at_once", a_cancelled_wait_ends_at_once);
    return g_test_run();
}
