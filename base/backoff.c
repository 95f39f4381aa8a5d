/* SPDX-License-Identifier: Apache-2.0 */
#include "base/backoff.h"

guint base_backoff_ms(guint first_ms, guint longest_ms, guint n_times)
{
    guint64 wait_ms = (guint64)first_ms << MIN(n_times, 31u);
    return (guint)MIN(wait_ms, longest_ms);
}

guint base_backoff_spread_ms(guint wait_ms, double low, double high, double random)
{
    return (guint)(wait_ms * (low + random * (high - low)) + 0.5);
}

bool base_backoff_wait(guint wait_ms, GCancellable *cancellable)
{
    GPollFD poll = {.fd = -1};
    bool watched = g_cancellable_make_pollfd(cancellable, &poll);
    (void)g_poll(&poll, watched ? 1 : 0, (gint)MIN(wait_ms, G_MAXINT));
    if (watched) {
        g_cancellable_release_fd(cancellable);
    }
    return !g_cancellable_is_cancelled(cancellable);
}
