/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/*
 * The media of the MP4 (MEDIA_FINAL_MP4) that a recording will become, while it is being made: read
 * from the growing working files in the order in which the finalizer will join them. So they stand
 * in the delivered file in one piece, as they were told here, behind an index that nobody knows
 * yet. (A recovered file is the same, but for its end.) Only reads; keeps no media in memory but
 * the part it tells.
 */

typedef struct {
    gsize part_bytes;   /* of each part */
    gsize margin_bytes; /* as much must follow it: the end may be cut yet */
    guint poll_ms;      /* how often the end of a file is looked at again */
} MediaFollowConfig;

/** @part: the next one, from the first byte of the media on. False ends it. */
typedef bool (*MediaFollowFunc)(GBytes *part, gpointer user_data);

/**
 * media_follow:
 * @output_dir: of a recording that is being made, or will be soon
 *
 * Blocks until @cancellable is triggered or @on_part wants no more; returns at once for a recording
 * without pictures. What can't be read ends it, too.
 *
 * Thread: any, of its own; @on_part comes there.
 */
void media_follow(const char *output_dir, const MediaFollowConfig *config, MediaFollowFunc on_part,
                  gpointer user_data, GCancellable *cancellable);
