/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/* How long to wait before the next try. How often something failed, and the figures, are the
 * caller's. */

/** @first_ms, doubled @n_times and at most @longest_ms. Pure. */
guint base_backoff_ms(guint first_ms, guint longest_ms, guint n_times);

/**
 * base_backoff_spread_ms:
 * @random: 0 to 1, of the caller's choice
 *
 * A wait between @low and @high times @wait_ms: many processes that lost the same peer must not
 * come back to it in the same instant. Pure.
 */
guint base_backoff_spread_ms(guint wait_ms, double low, double high, double random);

/** Blocks for @wait_ms, or until @cancellable (nullable) is cancelled: then false. Any thread. */
bool base_backoff_wait(guint wait_ms, GCancellable *cancellable);
