/* SPDX-License-Identifier: Apache-2.0 */
#include "media/layout.h"

#include <glib.h>

#define EVEN(n) ((n) & ~1)

MediaRect media_layout_fit(MediaRect frame, int picture_width, int picture_height)
{
    if (picture_width <= 0 || picture_height <= 0) {
        return frame;
    }
    int width = frame.width;
    int height = (int)((gint64)frame.width * picture_height / picture_width);
    if (height > frame.height) {
        height = frame.height;
        width = (int)((gint64)frame.height * picture_width / picture_height);
    }
    width = MAX(EVEN(width + 1), 2);
    height = MAX(EVEN(height + 1), 2);
    width = MIN(width, frame.width);
    height = MIN(height, frame.height);
    return (MediaRect){frame.x + EVEN((frame.width - width) / 2),
                       frame.y + EVEN((frame.height - height) / 2), width, height};
}

/* The width of a 16:9 tile when @n stand in @columns. */
static int tile_width(int width, int height, int n, int columns)
{
    int rows = (n + columns - 1) / columns;
    return MIN(width / columns, height / rows * 16 / 9);
}

/* A tie goes to more columns: two people sit side by side, six in two rows. */
static void place_grid(MediaRect area, int n, MediaRect *ret_tiles)
{
    int columns = 1;
    for (int c = 2; c <= n; c++) {
        if (tile_width(area.width, area.height, n, c) >=
            tile_width(area.width, area.height, n, columns)) {
            columns = c;
        }
    }
    int rows = (n + columns - 1) / columns;
    int cell_width = EVEN(MAX(tile_width(area.width, area.height, n, columns), 2));
    int cell_height = EVEN(MAX(MIN(cell_width * 9 / 16 + 1, area.height / rows), 2));
    int gap = n > 1 ? EVEN(MAX(cell_width / 80, 2)) : 0;
    int top = (area.height - rows * cell_height) / 2;
    for (int i = 0; i < n; i++) {
        int row = i / columns;
        int in_row = row == rows - 1 ? n - row * columns : columns;
        int left = (area.width - in_row * cell_width) / 2;
        ret_tiles[i] = (MediaRect){area.x + EVEN(left + (i - row * columns) * cell_width) + gap,
                                   area.y + EVEN(top + row * cell_height) + gap,
                                   MAX(cell_width - 2 * gap, 2), MAX(cell_height - 2 * gap, 2)};
    }
}

int media_layout_grid(int width, int height, int n, MediaRect ret_tiles[MEDIA_LAYOUT_MAX_TILES])
{
    n = CLAMP(n, 1, MEDIA_LAYOUT_MAX_TILES);
    place_grid((MediaRect){0, 0, width, height}, n, ret_tiles);
    return n;
}

int media_layout_share(int width, int height, int n, MediaRect ret_tiles[MEDIA_LAYOUT_MAX_TILES])
{
    n = CLAMP(n, 0, MEDIA_LAYOUT_MAX_STRIP);
    ret_tiles[0] = (MediaRect){0, 0, width, height};
    if (n == 0) {
        return 1;
    }
    MediaRect strip = ret_tiles[0];
    if (width >= height) {
        strip.width = EVEN(width / 5);
        strip.x = ret_tiles[0].width = EVEN(width - strip.width);
    } else {
        strip.height = EVEN(height / 5);
        strip.y = ret_tiles[0].height = EVEN(height - strip.height);
    }
    place_grid(strip, n, ret_tiles + 1);
    return n + 1;
}

MediaRect media_layout_inset(int width, int height)
{
    int inset_width = EVEN(width / 5);
    int inset_height = EVEN(inset_width * 9 / 16);
    int margin = EVEN(width / 64);
    return (MediaRect){EVEN(width - inset_width - margin), EVEN(height - inset_height - margin),
                       inset_width, inset_height};
}
