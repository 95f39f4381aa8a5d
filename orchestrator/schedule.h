/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * Who starts now, who waits, and until when: a pure function of the bots that have not begun, the
 * number of places and the clock. No I/O, no state; any thread.
 */

/** A bot that has not begun to join. */
typedef struct {
    gint64 number; /* order of creation */
    gint64 created_ms;
    gint64 due_ms; /* when it joins; at once: when it was made */
    bool reserved; /* its place is kept from its creation on */
    bool has_place;
    /* --- answers --- */
    bool takes_place; /* a place is free for it now */
    bool starts;      /* it has a place and its time has come */
    bool is_near;     /* its time comes within ORCH_SCHEDULE_NEAR_MS */
} OrchCandidate;

/** A worker is made ready this long before a bot's time. */
#define ORCH_SCHEDULE_NEAR_MS 15000

/**
 * orch_schedule:
 * @n_free: places that nobody has
 *
 * Fills in the answers. Places go to whoever wanted one first: a reservation from its creation on,
 * any other bot from its time on; equal times in the order of creation. Returns when to ask again,
 * unless something changes before: Unix ms, or G_MAXINT64.
 */
gint64 orch_schedule(OrchCandidate *candidates, guint n, guint n_free, gint64 now_ms);
