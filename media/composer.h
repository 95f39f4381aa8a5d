/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/engine.h"
#include "media/layout.h"
#include "media/picture.h"

/*
 * Draws tiles into one I420 picture: received pictures are scaled into their rectangles, cards and
 * labels are drawn once and kept. A tile that is the same as last time is not drawn again. Not
 * thread safe.
 */

typedef struct MediaComposer MediaComposer;

typedef struct {
    MediaRect rect;
    MediaPicture *picture; /* borrowed; NULL: a card */
    const char *name;      /* borrowed; of the card and the label; NULL: a waiting card */
    bool label;            /* show the name over the picture */
    bool muted;            /* with a mark in the label */
    bool speaking;         /* with a border */
    /* What card and label are drawn for while the tile is on its way; 0: the rectangle's size. */
    int drawn_width, drawn_height;
} MediaTile;

MediaComposer *media_composer_new(int width, int height);
void media_composer_free(MediaComposer *composer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaComposer, media_composer_free)

/**
 * media_composer_compose:
 * @tiles: later ones over earlier ones; at most MEDIA_LAYOUT_MAX_TILES
 *
 * Returns (transfer full): the picture, I420 as media_composer_info says, nobody else's; NULL: out
 * of memory.
 */
GstBuffer *media_composer_compose(MediaComposer *composer, const MediaTile *tiles, size_t n_tiles);

const GstVideoInfo *media_composer_info(const MediaComposer *composer);

/** Errors: MEDIA_ERROR_IO. */
bool media_composer_write_png(const GstVideoInfo *info, GstBuffer *buffer, const char *path,
                              GError **error);
