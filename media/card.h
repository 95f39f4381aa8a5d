/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <cairo.h>
#include <stdbool.h>

/*
 * What is drawn rather than received: the tile of somebody whose camera is off, the label with a
 * name, the waiting card. Any script; a name too long ends in an ellipsis. Pure drawing: returns
 * surfaces that the composer keeps, so that nothing is drawn twice.
 */

/** A tile: background from the name, initials in a round, the name below when @with_name. ARGB32,
 *  opaque. */
cairo_surface_t *media_card_draw_person(const char *name, bool with_name, int width, int height);

/** A tile with one line of text, for when nobody is there. ARGB32, opaque. */
cairo_surface_t *media_card_draw_notice(const char *text, int width, int height);

/** A name label for a tile @tile_width wide, as large as the text needs, with a crossed-out
 *  microphone in front when @muted. ARGB32 with alpha. */
cairo_surface_t *media_card_draw_label(const char *name, bool muted, int tile_width,
                                       int tile_height);

/** At most two initials of @name, upper case; the first character of a name without letters.
 *  Returns (transfer full). */
char *media_card_initials(const char *name);
