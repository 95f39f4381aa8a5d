/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * Where things stand in the composed picture. Pure arithmetic: a layout computes rectangles, the
 * composer draws into them. All edges are even, as 4:2:0 needs.
 */

typedef struct {
    int x, y, width, height;
} MediaRect;

#define MEDIA_LAYOUT_MAX_TILES 49
/* Beside a shared screen; more would be too small to recognise anybody. */
#define MEDIA_LAYOUT_MAX_STRIP 15

/** The largest rectangle of a picture's aspect ratio inside @frame, centred. */
MediaRect media_layout_fit(MediaRect frame, int picture_width, int picture_height);

/**
 * media_layout_grid:
 * @n: 1..49 tiles of 16:9
 *
 * The columns that make the tiles largest; a row that is not full is centred. Returns how many were
 * placed.
 */
int media_layout_grid(int width, int height, int n, MediaRect ret_tiles[MEDIA_LAYOUT_MAX_TILES]);

/**
 * media_layout_share:
 * @n: people beside the screen, up to MEDIA_LAYOUT_MAX_STRIP
 * @ret_tiles: the screen, then the people
 *
 * A shared screen, large, the people in a strip along the longer edge that is left; without people
 * the screen fills the frame. Returns how many tiles were placed.
 */
int media_layout_share(int width, int height, int n, MediaRect ret_tiles[MEDIA_LAYOUT_MAX_TILES]);

/** The small picture over a shared screen: bottom right, a fifth of the width. */
MediaRect media_layout_inset(int width, int height);
