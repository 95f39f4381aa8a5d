/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * Where the live audio goes, and when: one line a packet and a block, in the file that the
 * environment variable STENO_TRACE names, for ./dev bench streaming (docs/hacking.md has the
 * lines). Without it nothing is written, and asking costs one comparison. No sound and no names are
 * in it. Thread: any.
 */

bool media_trace_on(void);

/** Writes one line; the newline is added. No-op when off. */
void media_trace(const char *format, ...) G_GNUC_PRINTF(1, 2);
