/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/layout.h"

#include <stdint.h>

/*
 * How tiles get from where they stand to where a new layout wants them: each glides for a third of
 * a second, a new one grows out of the middle of its place, one that left is gone at once. A change
 * under way starts from where the tiles are just then. Plain data, pure arithmetic, no clock of its
 * own.
 */

#define MEDIA_MOTION_NS INT64_C(320000000)

typedef struct {
    uint64_t key; /* whose tile: the same in every layout */
    MediaRect rect;
} MediaPlace;

typedef struct {
    int n_tiles;
    struct {
        uint64_t key;
        MediaRect from, to;
    } tiles[MEDIA_LAYOUT_MAX_TILES];
    int64_t start_ns;
} MediaMotion;

/**
 * media_motion_aim:
 * @targets: @n places, at most MEDIA_LAYOUT_MAX_TILES, each key once
 * @jump: be there at once; the first layout always is
 *
 * A layout that is the present one again changes nothing. @now_ns grows from call to call.
 */
void media_motion_aim(MediaMotion *motion, const MediaPlace *targets, int n, bool jump,
                      int64_t now_ns);

/** Where the tile @index of the last layout stands at @now_ns. Edges are even. */
MediaRect media_motion_rect(const MediaMotion *motion, int index, int64_t now_ns);

/** Whether any tile is on its way at @now_ns. */
bool media_motion_moves(const MediaMotion *motion, int64_t now_ns);
