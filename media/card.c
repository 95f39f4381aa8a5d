/* SPDX-License-Identifier: Apache-2.0 */
#include "media/card.h"

#include <glib.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <stdbool.h>
#include <string.h>

#define FONT "Noto Sans, DejaVu Sans, sans-serif"

/* Calm backgrounds of equal weight; white text reads on each. */
static const double palette[][3] = {
    {0.16, 0.31, 0.45}, {0.29, 0.23, 0.44}, {0.16, 0.38, 0.34}, {0.42, 0.24, 0.24},
    {0.36, 0.31, 0.18}, {0.22, 0.27, 0.36}, {0.38, 0.22, 0.36}, {0.20, 0.36, 0.22},
};

/* The character at @p as a reader sees one: with its marks, an emoji with all its parts. */
static const char *end_of_character(const char *p, const PangoLogAttr *attrs)
{
    do {
        p = g_utf8_next_char(p);
        attrs++;
    } while (*p != '\0' && !attrs->is_cursor_position);
    return p;
}

/* Letters that would join into a word must not. */
static bool joins(const char *p)
{
    GUnicodeScript script = g_unichar_get_script(g_utf8_get_char(p));
    return script == G_UNICODE_SCRIPT_ARABIC || script == G_UNICODE_SCRIPT_SYRIAC ||
           script == G_UNICODE_SCRIPT_MONGOLIAN || script == G_UNICODE_SCRIPT_NKO;
}

static void append_upper(GString *text, const char *from, const char *to)
{
    g_autofree char *upper = g_utf8_strup(from, to - from);
    g_string_append(text, upper);
}

char *media_card_initials(const char *name)
{
    g_autofree char *valid = g_utf8_make_valid(name, -1);
    int n_chars = (int)g_utf8_strlen(valid, -1);
    g_autofree PangoLogAttr *attrs = g_new0(PangoLogAttr, n_chars + 1);
    pango_get_log_attrs(valid, (int)strlen(valid), -1, pango_language_get_default(), attrs,
                        n_chars + 1);
    const char *first = NULL, *first_end = NULL, *last = NULL, *last_end = NULL, *any = NULL,
               *any_end = NULL;
    bool at_start = true;
    int i = 0;
    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p), i++) {
        gunichar c = g_utf8_get_char(p);
        if (any == NULL && g_unichar_isgraph(c)) {
            any = p;
            any_end = end_of_character(p, attrs + i);
        }
        if (at_start && g_unichar_isalnum(c)) {
            const char *end = end_of_character(p, attrs + i);
            last = first != NULL ? p : NULL;
            last_end = end;
            first_end = first != NULL ? first_end : end;
            first = first != NULL ? first : p;
            at_start = false;
        }
        at_start |= g_unichar_isspace(c);
    }
    GString *initials = g_string_new(NULL);
    if (first != NULL) {
        append_upper(initials, first, first_end);
    } else if (any != NULL) {
        append_upper(initials, any, any_end);
    } else {
        g_string_append_c(initials, '?');
    }
    if (last != NULL) {
        if (joins(first)) {
            g_string_append_unichar(initials, 0x200c); /* zero width non-joiner */
        }
        append_upper(initials, last, last_end);
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

cairo_surface_t *media_card_draw_person(const char *name, bool with_name, int width, int height)
{
    cairo_surface_t *surface;
    cairo_t *cr = begin(width, height, &surface);
    const double *colour = palette[g_str_hash(name) % G_N_ELEMENTS(palette)];
    cairo_set_source_rgb(cr, colour[0], colour[1], colour[2]);
    cairo_paint(cr);

    double side = MIN(width, height);
    /* In a small tile the label needs the lower half. */
    double x = width / 2.0, radius = side * (with_name ? 0.19 : 0.23);
    double y = height * (with_name ? 0.45 : height < 100 ? 0.36 : 0.48);
    cairo_arc(cr, x, y, radius, 0, 2 * G_PI);
    cairo_set_source_rgba(cr, 1, 1, 1, 0.16);
    cairo_fill(cr);
    cairo_set_source_rgb(cr, 1, 1, 1);
    g_autofree char *initials = media_card_initials(name);
    show_text(cr, initials, radius * 0.85, true, x, y, radius * 1.9);
    if (with_name) {
        cairo_set_source_rgba(cr, 1, 1, 1, 0.92);
        show_text(cr, name, MAX(side * 0.055, 9), false, x, height * 0.75, width * 0.8);
    }
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

static void round_box(cairo_t *cr, double width, double height, double r)
{
    cairo_new_sub_path(cr);
    cairo_arc(cr, width - r, r, r, -G_PI / 2, 0);
    cairo_arc(cr, width - r, height - r, r, 0, G_PI / 2);
    cairo_arc(cr, r, height - r, r, G_PI / 2, G_PI);
    cairo_arc(cr, r, r, r, G_PI, 1.5 * G_PI);
    cairo_close_path(cr);
}

/* A microphone, crossed out, in a square of @size at (x, y). */
static void draw_mute(cairo_t *cr, double x, double y, double size)
{
    cairo_save(cr);
    cairo_translate(cr, x, y);
    cairo_scale(cr, size / 24, size / 24);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_width(cr, 5.5);
    cairo_move_to(cr, 12, 5); /* its head */
    cairo_line_to(cr, 12, 11);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_stroke(cr);
    cairo_set_line_width(cr, 1.8);
    cairo_arc_negative(cr, 12, 11, 6, G_PI, 0); /* the yoke around it, and the stand */
    cairo_move_to(cr, 12, 17);
    cairo_line_to(cr, 12, 21);
    cairo_stroke(cr);
    cairo_set_source_rgb(cr, 1, 0.36, 0.32);
    cairo_set_line_width(cr, 2.6);
    cairo_move_to(cr, 3.5, 3);
    cairo_line_to(cr, 20.5, 21);
    cairo_stroke(cr);
    cairo_restore(cr);
}

cairo_surface_t *media_card_draw_label(const char *name, bool muted, int tile_width,
                                       int tile_height)
{
    cairo_surface_t *surface;
    double size = CLAMP(7 + tile_height * 0.027, 9.0, 40.0);
    double padding = size * 0.5;
    double mark = muted ? size * 1.15 : 0;
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

    bool named = *name != '\0';
    double text_width = named ? logical.width + (muted ? padding / 2 : 0) : 0;
    int width = (int)ceil(mark + text_width + 2 * padding);
    int height = (int)ceil(logical.height + padding);
    cairo_t *cr = begin(MAX(width, 2), MAX(height, 2), &surface);
    round_box(cr, width, height, size * 0.3);
    cairo_set_source_rgba(cr, 0, 0, 0, 0.55);
    cairo_fill(cr);
    if (muted) {
        draw_mute(cr, padding, (height - mark) / 2, mark);
    }
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_move_to(cr, width - padding - logical.width - logical.x, padding / 2);
    pango_cairo_show_layout(cr, layout);
    cairo_destroy(cr);
    cairo_surface_flush(surface);
    return surface;
}
