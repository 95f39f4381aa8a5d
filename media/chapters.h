/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/engine.h"

/*
 * Chapters of a recording: one a speaker turn. Pure data and arithmetic.
 */

typedef struct {
    int64_t start_ns;        /* on the recording's time; it ends where the next begins */
    uint32_t participant_id; /* who speaks */
    char *title;             /* owned; NULL until somebody named it */
} MediaChapter;

/** As a GArray's clear function. */
void media_chapter_clear(gpointer chapter);

/**
 * media_chapters_from_segments:
 * @segments: (element-type MediaSpeechSegment): ordered by start
 *
 * A turn begins when somebody else speaks for a while and not only into another's words; a "yes" in
 * between is none. The first begins at 0. Returns (transfer full) (element-type MediaChapter),
 * without titles; at most 2000.
 */
GArray *media_chapters_from_segments(GArray *segments);
