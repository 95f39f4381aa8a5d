/* SPDX-License-Identifier: Apache-2.0 */
#include "media/composer.h"

#include "media/card.h"

#include <string.h>

#define WAITING_TEXT "Waiting for others"
/* Cards and labels kept; past it all are drawn again. */
#define MAX_DRAWN 200
#define MAX_CONVERTERS 64
#define BORDER_Y 144
#define BORDER_U 180
#define BORDER_V 66

/* A label or card in the composer's own format. */
typedef struct {
    int width, height; /* even */
    uint8_t *planes[3];
    uint8_t *alpha; /* NULL: opaque; full resolution */
} Drawn;

struct MediaComposer {
    GstVideoInfo info;
    GstBufferPool *pool;    /* owned */
    GHashTable *converters; /* char* -> GstVideoConverter */
    GHashTable *drawn;      /* char* -> Drawn */
};

static void drawn_free(Drawn *drawn)
{
    for (int i = 0; i < 3; i++) {
        g_free(drawn->planes[i]);
    }
    g_free(drawn->alpha);
    g_free(drawn);
}

MediaComposer *media_composer_new(int width, int height)
{
    MediaComposer *composer = g_new0(MediaComposer, 1);
    gst_video_info_set_format(&composer->info, GST_VIDEO_FORMAT_I420, (guint)width, (guint)height);
    gst_video_colorimetry_from_string(&composer->info.colorimetry, GST_VIDEO_COLORIMETRY_BT601);
    composer->pool = gst_buffer_pool_new();
    g_autoptr(GstCaps) caps = gst_video_info_to_caps(&composer->info);
    GstStructure *config = gst_buffer_pool_get_config(composer->pool);
    gst_buffer_pool_config_set_params(config, caps, (guint)composer->info.size, 2, 0);
    gst_buffer_pool_set_config(composer->pool, config);
    gst_buffer_pool_set_active(composer->pool, TRUE);
    composer->converters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                                 (GDestroyNotify)gst_video_converter_free);
    composer->drawn =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)drawn_free);
    return composer;
}

void media_composer_free(MediaComposer *composer)
{
    gst_buffer_pool_set_active(composer->pool, FALSE);
    gst_object_unref(composer->pool);
    g_hash_table_unref(composer->converters);
    g_hash_table_unref(composer->drawn);
    g_free(composer);
}

const GstVideoInfo *media_composer_info(const MediaComposer *composer)
{
    return &composer->info;
}

/* BT.601, studio range. */
static uint8_t luma(int r, int g, int b)
{
    return (uint8_t)((66 * r + 129 * g + 25 * b + 128) / 256 + 16);
}

static Drawn *drawn_new(cairo_surface_t *surface, bool opaque)
{
    Drawn *drawn = g_new0(Drawn, 1);
    int w = cairo_image_surface_get_width(surface), h = cairo_image_surface_get_height(surface);
    int stride = cairo_image_surface_get_stride(surface);
    const uint8_t *data = cairo_image_surface_get_data(surface);
    drawn->width = (w + 1) & ~1;
    drawn->height = (h + 1) & ~1;
    size_t size = (size_t)drawn->width * (size_t)drawn->height;
    drawn->planes[0] = g_malloc0(size);
    drawn->planes[1] = g_malloc(size / 4);
    drawn->planes[2] = g_malloc(size / 4);
    memset(drawn->planes[1], 128, size / 4);
    memset(drawn->planes[2], 128, size / 4);
    drawn->alpha = opaque ? NULL : g_malloc0(size);
    for (int y = 0; y < h; y++) {
        const uint32_t *row = (const uint32_t *)(const void *)(data + (size_t)y * (size_t)stride);
        for (int x = 0; x < w; x++) {
            int a = (int)(row[x] >> 24), k = MAX(a, 1);
            int r = (int)(row[x] >> 16 & 255) * 255 / k, g = (int)(row[x] >> 8 & 255) * 255 / k;
            int b = (int)(row[x] & 255) * 255 / k;
            size_t at = (size_t)y * (size_t)drawn->width + (size_t)x;
            drawn->planes[0][at] = luma(r, g, b);
            if (drawn->alpha != NULL) {
                drawn->alpha[at] = (uint8_t)a;
            }
            if ((x & 1) == 0 && (y & 1) == 0) {
                size_t c = (size_t)(y / 2) * (size_t)(drawn->width / 2) + (size_t)(x / 2);
                drawn->planes[1][c] = (uint8_t)((-38 * r - 74 * g + 112 * b + 128) / 256 + 128);
                drawn->planes[2][c] = (uint8_t)((112 * r - 94 * g - 18 * b + 128) / 256 + 128);
            }
        }
    }
    cairo_surface_destroy(surface);
    return drawn;
}

static const Drawn *get_drawn(MediaComposer *composer, const MediaTile *tile, bool label)
{
    const MediaRect *rect = &tile->rect;
    g_autofree char *key = g_strdup_printf("%d %d %d %d %s", label, tile->name != NULL, rect->width,
                                           rect->height, tile->name != NULL ? tile->name : "");
    Drawn *drawn = g_hash_table_lookup(composer->drawn, key);
    if (drawn == NULL) {
        if (g_hash_table_size(composer->drawn) >= MAX_DRAWN) {
            g_hash_table_remove_all(composer->drawn);
        }
        cairo_surface_t *surface;
        if (label) {
            surface = media_card_draw_label(tile->name, rect->width, rect->height);
        } else if (tile->name != NULL) {
            surface = media_card_draw_person(tile->name, rect->width, rect->height);
        } else {
            surface = media_card_draw_notice(WAITING_TEXT, rect->width, rect->height);
        }
        drawn = drawn_new(surface, !label);
        g_hash_table_insert(composer->drawn, g_steal_pointer(&key), drawn);
    }
    return drawn;
}

static void blend_plane(GstVideoFrame *frame, int plane, const Drawn *drawn, int x, int y)
{
    int shift = plane > 0;
    int width = MIN(drawn->width, GST_VIDEO_FRAME_WIDTH(frame) - x) >> shift;
    int height = MIN(drawn->height, GST_VIDEO_FRAME_HEIGHT(frame) - y) >> shift;
    int stride = GST_VIDEO_FRAME_PLANE_STRIDE(frame, plane);
    uint8_t *to = GST_VIDEO_FRAME_PLANE_DATA(frame, plane);
    to += (y >> shift) * stride + (x >> shift);
    for (int row = 0; row < height; row++, to += stride) {
        const uint8_t *from = drawn->planes[plane] + row * (drawn->width >> shift);
        if (drawn->alpha == NULL) {
            memcpy(to, from, (size_t)width);
            continue;
        }
        const uint8_t *alpha = drawn->alpha + (row << shift) * drawn->width;
        for (int i = 0; i < width; i++) {
            int a = alpha[i << shift];
            to[i] = (uint8_t)((to[i] * (255 - a) + from[i] * a + 127) / 255);
        }
    }
}

static void blend(GstVideoFrame *frame, const Drawn *drawn, int x, int y)
{
    for (int plane = 0; plane < 3; plane++) {
        blend_plane(frame, plane, drawn, x & ~1, y & ~1);
    }
}

static void fill(GstVideoFrame *frame, MediaRect rect, uint8_t y, uint8_t u, uint8_t v)
{
    const uint8_t values[3] = {y, u, v};
    for (int plane = 0; plane < 3; plane++) {
        int shift = plane > 0;
        int stride = GST_VIDEO_FRAME_PLANE_STRIDE(frame, plane);
        uint8_t *to = GST_VIDEO_FRAME_PLANE_DATA(frame, plane);
        to += (rect.y >> shift) * stride + (rect.x >> shift);
        for (int row = 0; row < rect.height >> shift; row++, to += stride) {
            memset(to, values[plane], (size_t)(rect.width >> shift));
        }
    }
}

static GstVideoConverter *get_converter(MediaComposer *composer, const GstVideoInfo *in, int width,
                                        int height)
{
    g_autofree char *colours = gst_video_colorimetry_to_string(&in->colorimetry);
    g_autofree char *key =
        g_strdup_printf("%s %dx%d %s %dx%d", gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(in)),
                        GST_VIDEO_INFO_WIDTH(in), GST_VIDEO_INFO_HEIGHT(in),
                        colours != NULL ? colours : "", width, height);
    GstVideoConverter *converter = g_hash_table_lookup(composer->converters, key);
    if (converter != NULL) {
        return converter;
    }
    if (g_hash_table_size(composer->converters) >= MAX_CONVERTERS) {
        g_hash_table_remove_all(composer->converters);
    }
    GstVideoInfo out;
    gst_video_info_set_format(&out, GST_VIDEO_FORMAT_I420, (guint)width, (guint)height);
    out.colorimetry = composer->info.colorimetry;
    GstStructure *config =
        gst_structure_new("config", GST_VIDEO_CONVERTER_OPT_RESAMPLER_METHOD,
                          GST_TYPE_VIDEO_RESAMPLER_METHOD, GST_VIDEO_RESAMPLER_METHOD_LINEAR, NULL);
    converter = gst_video_converter_new(in, &out, config);
    if (converter != NULL) {
        g_hash_table_insert(composer->converters, g_steal_pointer(&key), converter);
    }
    return converter;
}

/* The part of @frame under @rect, as a frame of its own over the same memory: the converter's own
 * destination rectangle writes beside it. */
static GstVideoFrame part_of(const GstVideoFrame *frame, MediaRect rect)
{
    GstVideoFrame part = *frame;
    part.info.width = rect.width;
    part.info.height = rect.height;
    for (int plane = 0; plane < 3; plane++) {
        int shift = plane > 0;
        part.data[plane] = (uint8_t *)frame->data[plane] +
                           (rect.y >> shift) * frame->info.stride[plane] + (rect.x >> shift);
    }
    return part;
}

/* What stands beside the picture inside its rectangle is black. */
static void black_around(GstVideoFrame *frame, MediaRect rect, MediaRect inner)
{
    int right = inner.x + inner.width, bottom = inner.y + inner.height;
    fill(frame, (MediaRect){rect.x, rect.y, rect.width, inner.y - rect.y}, 16, 128, 128);
    fill(frame, (MediaRect){rect.x, bottom, rect.width, rect.y + rect.height - bottom}, 16, 128,
         128);
    fill(frame, (MediaRect){rect.x, inner.y, inner.x - rect.x, inner.height}, 16, 128, 128);
    fill(frame, (MediaRect){right, inner.y, rect.x + rect.width - right, inner.height}, 16, 128,
         128);
}

static bool draw_picture(MediaComposer *composer, GstVideoFrame *frame, const MediaTile *tile)
{
    GstVideoInfo *in = &tile->picture->info;
    MediaRect to = media_layout_fit(tile->rect, GST_VIDEO_INFO_WIDTH(in) * in->par_n,
                                    GST_VIDEO_INFO_HEIGHT(in) * in->par_d);
    GstVideoConverter *converter = get_converter(composer, in, to.width, to.height);
    GstVideoFrame from;
    if (converter == NULL || !gst_video_frame_map(&from, in, tile->picture->buffer, GST_MAP_READ)) {
        return false;
    }
    black_around(frame, tile->rect, to);
    GstVideoFrame part = part_of(frame, to);
    gst_video_converter_frame(converter, &from, &part);
    gst_video_frame_unmap(&from);
    return true;
}

static void draw_border(GstVideoFrame *frame, MediaRect rect)
{
    int t = MAX((rect.height / 120) & ~1, 2);
    const MediaRect edges[] = {
        {rect.x, rect.y, rect.width, t},
        {rect.x, rect.y + rect.height - t, rect.width, t},
        {rect.x, rect.y, t, rect.height},
        {rect.x + rect.width - t, rect.y, t, rect.height},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(edges); i++) {
        fill(frame, edges[i], BORDER_Y, BORDER_U, BORDER_V);
    }
}

static void draw_tile(MediaComposer *composer, GstVideoFrame *frame, const MediaTile *tile)
{
    bool drawn = tile->picture != NULL && draw_picture(composer, frame, tile);
    if (!drawn) {
        blend(frame, get_drawn(composer, tile, false), tile->rect.x, tile->rect.y);
    } else if (tile->label && tile->name != NULL && *tile->name != '\0') {
        const Drawn *label = get_drawn(composer, tile, true);
        int margin = MAX(tile->rect.height / 45, 2);
        blend(frame, label, tile->rect.x + margin,
              tile->rect.y + tile->rect.height - label->height - margin);
    }
    if (tile->speaking) {
        draw_border(frame, tile->rect);
    }
}

static bool covers_all(const MediaComposer *composer, const MediaTile *tiles, size_t n_tiles)
{
    return n_tiles > 0 && tiles[0].rect.width == GST_VIDEO_INFO_WIDTH(&composer->info) &&
           tiles[0].rect.height == GST_VIDEO_INFO_HEIGHT(&composer->info);
}

GstBuffer *media_composer_compose(MediaComposer *composer, const MediaTile *tiles, size_t n_tiles)
{
    GstBuffer *buffer = NULL;
    GstVideoFrame frame;
    if (gst_buffer_pool_acquire_buffer(composer->pool, &buffer, NULL) != GST_FLOW_OK) {
        return NULL;
    }
    if (!gst_video_frame_map(&frame, &composer->info, buffer, GST_MAP_READWRITE)) {
        gst_buffer_unref(buffer);
        return NULL;
    }
    if (!covers_all(composer, tiles, n_tiles)) {
        fill(&frame,
             (MediaRect){0, 0, GST_VIDEO_FRAME_WIDTH(&frame), GST_VIDEO_FRAME_HEIGHT(&frame)}, 16,
             128, 128);
    }
    for (size_t i = 0; i < n_tiles; i++) {
        draw_tile(composer, &frame, &tiles[i]);
    }
    gst_video_frame_unmap(&frame);
    return buffer;
}

bool media_composer_write_png(const GstVideoInfo *info, GstBuffer *buffer, const char *path,
                              GError **error)
{
    int width = GST_VIDEO_INFO_WIDTH(info), height = GST_VIDEO_INFO_HEIGHT(info);
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    GstVideoInfo rgb;
    gst_video_info_set_format(&rgb, GST_VIDEO_FORMAT_BGRx, (guint)width, (guint)height);
    gsize size = (gsize)cairo_image_surface_get_stride(surface) * (gsize)height;
    g_autoptr(GstBuffer) wrapped = gst_buffer_new_wrapped_full(
        0, cairo_image_surface_get_data(surface), size, 0, size, NULL, NULL);
    GstVideoConverter *converter = gst_video_converter_new(info, &rgb, NULL);
    GstVideoFrame from, to;
    bool converted = false;
    if (converter != NULL && gst_video_frame_map(&from, info, buffer, GST_MAP_READ)) {
        if (gst_video_frame_map(&to, &rgb, wrapped, GST_MAP_WRITE)) {
            gst_video_converter_frame(converter, &from, &to);
            gst_video_frame_unmap(&to);
            converted = true;
        }
        gst_video_frame_unmap(&from);
    }
    g_clear_pointer(&converter, gst_video_converter_free);
    cairo_surface_mark_dirty(surface);
    cairo_status_t status =
        converted ? cairo_surface_write_to_png(surface, path) : CAIRO_STATUS_NO_MEMORY;
    cairo_surface_destroy(surface);
    if (status != CAIRO_STATUS_SUCCESS) {
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_IO, "%s: %s", path,
                    cairo_status_to_string(status));
        return false;
    }
    return true;
}
