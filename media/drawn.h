/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/layout.h"
#include "media/picture.h"

#include <cairo.h>

/*
 * What Cairo drew, in the composer's own format (I420, BT.601): an overlay with transparency to
 * blend, or a whole picture. Made once, used for as long as it shows.
 */

typedef struct MediaDrawn MediaDrawn;

/** @surface: (transfer full): ARGB32. */
MediaDrawn *media_drawn_new(cairo_surface_t *surface);
void media_drawn_free(MediaDrawn *drawn);

int media_drawn_height(const MediaDrawn *drawn);

/** Lay @drawn over the I420 @frame with its corner at (@x, @y), nowhere outside @clip. */
void media_drawn_blend(const MediaDrawn *drawn, GstVideoFrame *frame, int x, int y, MediaRect clip);

/** @surface: (transfer full): ARGB32, taken as opaque. Returns (transfer full). */
MediaPicture *media_drawn_to_picture(cairo_surface_t *surface);
