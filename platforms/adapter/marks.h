/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdint.h>

/*
 * Whom a page marks as speaking, for platforms whose packets do not name them. Marks blink: a mark
 * that went out counts a while longer, unless another one is lit, because sound comes a little
 * later than its mark, and people breathe. No I/O, no clock.
 */

#define ADAPTER_MAX_MARKS 8
#define ADAPTER_MARK_HOLD_NS (INT64_C(800) * 1000000)

typedef struct {
    char *names[ADAPTER_MAX_MARKS + 1]; /* owned, NULL-ended: lit, or last lit */
    int64_t out_ns;                     /* since when none is lit; 0: some are */
} AdapterMarks;

/** @names: (nullable): strings, from the page; whatever else is in there is passed over. */
void adapter_marks_take(AdapterMarks *marks, JsonArray *names, int64_t now_ns);
void adapter_marks_clear(AdapterMarks *marks);

/** Borrowed, NULL-ended: who speaks at @now_ns. */
const char *const *adapter_marks_get(const AdapterMarks *marks, int64_t now_ns);
