/* SPDX-License-Identifier: Apache-2.0 */
#include "media/card.h"

#include <glib.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <stdbool.h>

#define FONT "Noto Sans, DejaVu Sans, sans-serif"

/* Calm backgrounds of equal weight; white text reads on each. */
static const double palette[][3] = {
    {0.16, 0.31, 0.45}, {0.29, 0.23, 0.44}, {0.16, 0.38, 0.34}, {0.42, 0.24, 0.24},
    {0.36, 0.31, 0.18}, {0.22, 0.27, 0.36}, {0.38, 0.22, 0.36}, {0.20, 0.36, 0.22},
};

char *media_card_initials(const char *name)
{
    g_autofree char *valid = g_utf8_make_valid(name, -1);
    GString *initials = g_string_new(NULL);
    gunichar first = 0, last = 0;
    bool at_start = true;
    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (at_start && g_unichar_isalnum(c)) {
            last = first != 0 ? c : 0;
            first = first != 0 ? first : c;
            at_start = false;
        }
        at_start |= g_unichar_isspace(c);
    }
    if (first != 0) {
        g_string_append_unichar(initials, g_unichar_toupper(first));
    }
    if (last != 0) {
        g_string_append_unichar(initials, g_unichar_toupper(last));
    }
    if (initials->len == 0) {
        g_string_append_c(initials, '?');
    }
    return g_string_free(initials, FALSE);
}

static PangoLayout *new_layout(cairo_t *cr, const char *text, double size_px, bool bold)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    PangoLayout *layout = pango_cairo_create_layout(cr);
    PangoFontDescription *font = pango_font_description_from_string(FONT);
    pango_font_description_set_weight(font, bold ? PANGO_WEIGHT_SEMIBOLD : PANGO_WEIGHT_NORMAL);
    pango_font_description_set_absolute_size(font, size_px * PANGO_SCALE);
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    pango_layout_set_single_paragraph_mode(layout, TRUE);
    pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_text(layout, valid, -1);
    return layout;
}

/* Centred at (x, y), no wider than @max_width. */
static void show_text(cairo_t *cr, const char *text, double size_px, bool bold, double x, double y,
                      double max_width)
{
    g_autoptr(PangoLayout) layout = new_layout(cr, text, size_px, bold);
    pango_layout_set_width(layout, (int)(max_width * PANGO_SCALE));
    pango_layout_set_alignment(layout, PANGO_ALIGN_CENTER);
    PangoRectangle logical;
    pango_layout_get_pixel_extents(layout, NULL, &logical);
    cairo_move_to(cr, x - max_width / 2, y - logical.height / 2.0);
    pango_cairo_show_layout(cr, layout);
}

static cairo_t *begin(int width, int height, cairo_surface_t **ret_surface)
{
    *ret_surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, height);
    return cairo_create(*ret_surface);
}

cairo_surface_t *media_card_draw_person(const char *name, int width, int height)
{
    cairo_surface_t *surface;
    cairo_t *cr = begin(width, height, &surface);
    const double *colour = palette[g_str_hash(name) % G_N_ELEMENTS(palette)];
    cairo_set_source_rgb(cr, colour[0], colour[1], colour[2]);
    cairo_paint(cr);

    double side = MIN(width, height);
    double x = width / 2.0, y = height * 0.45, radius = side * 0.19;
    cairo_arc(cr, x, y, radius, 0, 2 * G_PI);
    cairo_set_source_rgba(cr, 1, 1, 1, 0.16);
    cairo_fill(cr);
    cairo_set_source_rgb(cr, 1, 1, 1);
    g_autofree char *initials = media_card_initials(name);
    show_text(cr, initials, radius * 0.85, true, x, y, radius * 1.9);
    cairo_set_source_rgba(cr, 1, 1, 1, 0.92);
    show_text(cr, name, MAX(side * 0.055, 9), false, x, height * 0.75, width * 0.8);
    cairo_destroy(cr);
    cairo_surface_flush(surface);
    return surface;
}

cairo_surface_t *media_card_draw_notice(const char *text, int width, int height)
{
    cairo_surface_t *surface;
    cairo_t *cr = begin(width, height, &surface);
    cairo_set_source_rgb(cr, 0.11, 0.12, 0.14);
    cairo_paint(cr);
    cairo_set_source_rgba(cr, 1, 1, 1, 0.7);
    show_text(cr, text, MAX(MIN(width, height) * 0.05, 9), false, width / 2.0, height / 2.0,
              width * 0.8);
    cairo_destroy(cr);
    cairo_surface_flush(surface);
    return surface;
}

cairo_surface_t *media_card_draw_label(const char *name, int tile_width, int tile_height)
{
    cairo_surface_t *surface;
    double size = CLAMP(tile_height * 0.036, 9.0, 40.0);
    double padding = size * 0.5;
    cairo_t *measure = begin(1, 1, &surface);
    g_autoptr(PangoLayout) layout = new_layout(measure, name, size, false);
    PangoRectangle logical;
    pango_layout_get_pixel_extents(layout, NULL, &logical);
    int most = (int)(tile_width * 0.6);
    if (logical.width > most) {
        pango_layout_set_width(layout, most * PANGO_SCALE);
        pango_layout_get_pixel_extents(layout, NULL, &logical);
    }
    cairo_destroy(measure);
    cairo_surface_destroy(surface);

    int width = (int)ceil(logical.width + 2 * padding),
        height = (int)ceil(logical.height + padding);
    cairo_t *cr = begin(MAX(width, 2), MAX(height, 2), &surface);
    double r = size * 0.3;
    cairo_new_sub_path(cr);
    cairo_arc(cr, width - r, r, r, -G_PI / 2, 0);
    cairo_arc(cr, width - r, height - r, r, 0, G_PI / 2);
    cairo_arc(cr, r, height - r, r, G_PI / 2, G_PI);
    cairo_arc(cr, r, r, r, G_PI, 1.5 * G_PI);
    cairo_close_path(cr);
    cairo_set_source_rgba(cr, 0, 0, 0, 0.55);
    cairo_fill(cr);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_move_to(cr, padding - logical.x, padding / 2);
    pango_cairo_show_layout(cr, layout);
    cairo_destroy(cr);
    cairo_surface_flush(surface);
    return surface;
}
