/* SPDX-License-Identifier: Apache-2.0 */
#include "media/composer.h"

#include "media/card.h"
#include "media/drawn.h"

#include <libavutil/opt.h>
#include <libswscale/swscale.h>
#include <string.h>

#define WAITING_TEXT "Waiting for others"
/* Cards and labels kept; past it all are drawn again. */
#define MAX_DRAWN 200
/* Past it those that the picture before did not use are made again when needed. */
#define MAX_CONVERTERS 96
#define BORDER_Y 144
#define BORDER_U 180
#define BORDER_V 66

/* A tile as it stands in the canvas, with a reference and a copy of what the caller lent. */
typedef struct {
    MediaTile tile;
    MediaPicture *picture; /* owned */
    char *name;            /* owned */
} Laid;

/* libswscale takes a third of GStreamer's time, which in turn knows every format and colour. */
typedef struct {
    struct SwsContext *fast;      /* owned; or */
    uint8_t *scratch;             /* owned: where libswscale may write past the end of a row */
    GstVideoConverter *converter; /* owned */
    uint64_t used;                /* the number of the picture that used it last */
} Scaler;

struct MediaComposer {
    GstVideoInfo info;
    GstBufferPool *pool; /* owned */
    GHashTable *scalers; /* char* -> Scaler */
    GHashTable *cards;   /* char* -> MediaPicture */
    GHashTable *labels;  /* char* -> MediaDrawn */
    GstBuffer *canvas;   /* owned: the picture of several tiles that was composed last */
    Laid laid[MEDIA_LAYOUT_MAX_TILES];
    size_t n_laid; /* 0: the canvas holds nothing */
    uint64_t n_composed;
};

static void scaler_free(gpointer data)
{
    Scaler *scaler = data;
    sws_freeContext(scaler->fast);
    g_free(scaler->scratch);
    g_clear_pointer(&scaler->converter, gst_video_converter_free);
    g_free(scaler);
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
    composer->scalers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, scaler_free);
    composer->cards =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)media_picture_unref);
    composer->labels =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)media_drawn_free);
    return composer;
}

static void lay(Laid *laid, const MediaTile *tile)
{
    MediaPicture *picture = tile->picture != NULL ? media_picture_ref(tile->picture) : NULL;
    g_clear_pointer(&laid->picture, media_picture_unref);
    if (g_strcmp0(laid->name, tile->name) != 0) {
        g_free(laid->name);
        laid->name = g_strdup(tile->name);
    }
    laid->tile = *tile;
    laid->tile.picture = laid->picture = picture;
    laid->tile.name = laid->name;
}

static void forget_canvas(MediaComposer *composer)
{
    for (size_t i = 0; i < composer->n_laid; i++) {
        g_clear_pointer(&composer->laid[i].picture, media_picture_unref);
        g_clear_pointer(&composer->laid[i].name, g_free);
    }
    composer->n_laid = 0;
}

void media_composer_free(MediaComposer *composer)
{
    forget_canvas(composer);
    gst_clear_buffer(&composer->canvas);
    gst_buffer_pool_set_active(composer->pool, FALSE);
    gst_object_unref(composer->pool);
    g_hash_table_unref(composer->scalers);
    g_hash_table_unref(composer->cards);
    g_hash_table_unref(composer->labels);
    g_free(composer);
}

const GstVideoInfo *media_composer_info(const MediaComposer *composer)
{
    return &composer->info;
}

/* --- what is drawn once ---------------------------------------------------------------------- */

static void get_drawn_size(const MediaTile *tile, int *ret_width, int *ret_height)
{
    *ret_width = tile->drawn_width > 0 ? tile->drawn_width : tile->rect.width;
    *ret_height = tile->drawn_height > 0 ? tile->drawn_height : tile->rect.height;
}

static void make_room(GHashTable *table)
{
    if (g_hash_table_size(table) >= MAX_DRAWN) {
        g_hash_table_remove_all(table);
    }
}

static MediaPicture *get_card(MediaComposer *composer, const MediaTile *tile)
{
    int width, height;
    get_drawn_size(tile, &width, &height);
    g_autofree char *key = g_strdup_printf("%d %d %dx%d %s", tile->name != NULL, tile->label, width,
                                           height, tile->name != NULL ? tile->name : "");
    MediaPicture *card = g_hash_table_lookup(composer->cards, key);
    if (card == NULL) {
        make_room(composer->cards);
        card = media_drawn_to_picture(
            tile->name != NULL ? media_card_draw_person(tile->name, !tile->label, width, height)
                               : media_card_draw_notice(WAITING_TEXT, width, height));
        g_hash_table_insert(composer->cards, g_steal_pointer(&key), card);
    }
    return card;
}

static const MediaDrawn *get_label(MediaComposer *composer, const MediaTile *tile)
{
    int width, height;
    get_drawn_size(tile, &width, &height);
    g_autofree char *key = g_strdup_printf("%d %dx%d %s", tile->muted, width, height, tile->name);
    MediaDrawn *label = g_hash_table_lookup(composer->labels, key);
    if (label == NULL) {
        make_room(composer->labels);
        label = media_drawn_new(media_card_draw_label(tile->name, tile->muted, width, height));
        g_hash_table_insert(composer->labels, g_steal_pointer(&key), label);
    }
    return label;
}

/* --- drawing ----------------------------------------------------------------------------------
 */

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

static gboolean is_unused(gpointer key, gpointer value, gpointer user_data)
{
    const MediaComposer *composer = user_data;
    return ((const Scaler *)value)->used + 1 < composer->n_composed;
}

static bool is_full_range(const GstVideoInfo *in)
{
    return in->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
}

static bool is_plain(const MediaComposer *composer, const GstVideoInfo *in)
{
    return GST_VIDEO_INFO_FORMAT(in) == GST_VIDEO_FORMAT_I420 &&
           in->colorimetry.matrix == composer->info.colorimetry.matrix;
}

/* (transfer full) for plain pictures; of any range, as JPEG has the full one. */
static struct SwsContext *make_fast(const GstVideoInfo *in, int width, int height)
{
    /* What gets a little smaller stays sharp; more than that costs more than it shows. */
    bool little = width < GST_VIDEO_INFO_WIDTH(in) && width * 2 >= GST_VIDEO_INFO_WIDTH(in);
    const struct {
        const char *name;
        int64_t value;
    } settings[] = {
        {"srcw", GST_VIDEO_INFO_WIDTH(in)},
        {"srch", GST_VIDEO_INFO_HEIGHT(in)},
        {"dstw", width},
        {"dsth", height},
        {"src_format", AV_PIX_FMT_YUV420P},
        {"dst_format", AV_PIX_FMT_YUV420P},
        {"sws_flags", little ? SWS_BICUBIC : SWS_BILINEAR},
        {"src_range", is_full_range(in)},
    };
    struct SwsContext *context = sws_alloc_context();
    for (gsize i = 0; context != NULL && i < G_N_ELEMENTS(settings); i++) {
        av_opt_set_int(context, settings[i].name, settings[i].value, 0);
    }
    if (context != NULL && sws_init_context(context, NULL, NULL) < 0) {
        sws_freeContext(context);
        return NULL;
    }
    return context;
}

/* NULL: nothing can convert it. */
static Scaler *make_scaler(MediaComposer *composer, const GstVideoInfo *in, int width, int height)
{
    Scaler *scaler = g_new0(Scaler, 1);
    if (is_plain(composer, in)) {
        scaler->fast = make_fast(in, width, height);
    }
    if (scaler->fast == NULL) {
        GstVideoInfo out;
        gst_video_info_set_format(&out, GST_VIDEO_FORMAT_I420, (guint)width, (guint)height);
        out.colorimetry = composer->info.colorimetry;
        GstStructure *config = gst_structure_new("config", GST_VIDEO_CONVERTER_OPT_RESAMPLER_METHOD,
                                                 GST_TYPE_VIDEO_RESAMPLER_METHOD,
                                                 GST_VIDEO_RESAMPLER_METHOD_LINEAR, NULL);
        scaler->converter = gst_video_converter_new(in, &out, config);
    }
    if (scaler->fast == NULL && scaler->converter == NULL) {
        g_clear_pointer(&scaler, g_free);
    }
    return scaler;
}

static Scaler *get_scaler(MediaComposer *composer, const GstVideoInfo *in, int width, int height)
{
    const GstVideoColorimetry *c = &in->colorimetry;
    g_autofree char *key = g_strdup_printf(
        "%d %dx%d %d.%d.%d.%d %dx%d", GST_VIDEO_INFO_FORMAT(in), GST_VIDEO_INFO_WIDTH(in),
        GST_VIDEO_INFO_HEIGHT(in), c->range, c->matrix, c->transfer, c->primaries, width, height);
    Scaler *scaler = g_hash_table_lookup(composer->scalers, key);
    if (scaler == NULL) {
        if (g_hash_table_size(composer->scalers) >= MAX_CONVERTERS) {
            g_hash_table_foreach_remove(composer->scalers, is_unused, composer);
        }
        scaler = make_scaler(composer, in, width, height);
        if (scaler == NULL) {
            return NULL;
        }
        g_hash_table_insert(composer->scalers, g_steal_pointer(&key), scaler);
    }
    scaler->used = composer->n_composed;
    return scaler;
}

#define SCRATCH_ALIGN 64

/* Rows come out in whole vectors, beyond the width asked for: beside a tile that would be on its
 * neighbour, at the end of the picture on somebody else's memory. */
static void scale_fast(Scaler *scaler, const GstVideoFrame *from, GstVideoFrame *to)
{
    int width = to->info.width, height = to->info.height;
    int stride = (width + 2 * SCRATCH_ALIGN) & ~(SCRATCH_ALIGN - 1);
    bool direct = width % SCRATCH_ALIGN == 0;
    if (!direct && scaler->scratch == NULL) {
        scaler->scratch = g_malloc((gsize)stride * (gsize)(2 * height + 1));
    }
    uint8_t *planes[4] = {to->data[0], to->data[1], to->data[2], NULL};
    int strides[4] = {to->info.stride[0], to->info.stride[1], to->info.stride[2], 0};
    for (int p = 0; p < 3 && !direct; p++) {
        int row = p == 0 ? 0 : p == 1 ? height : height + height / 2;
        planes[p] = scaler->scratch + (gsize)row * (gsize)stride;
        strides[p] = stride;
    }
    sws_scale(scaler->fast, (const uint8_t *const *)from->data, from->info.stride, 0,
              GST_VIDEO_FRAME_HEIGHT(from), planes, strides);
    for (int p = 0; p < 3 && !direct; p++) {
        int shift = p > 0;
        for (int y = 0; y < height >> shift; y++) {
            memcpy((uint8_t *)to->data[p] + y * to->info.stride[p], planes[p] + y * stride,
                   (size_t)(width >> shift));
        }
    }
}

static void scale(Scaler *scaler, const GstVideoFrame *from, GstVideoFrame *to)
{
    if (scaler->fast != NULL) {
        scale_fast(scaler, from, to);
    } else {
        gst_video_converter_frame(scaler->converter, from, to);
    }
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

static bool draw_picture(MediaComposer *composer, GstVideoFrame *frame, MediaRect rect,
                         MediaPicture *picture)
{
    GstVideoInfo *in = &picture->info;
    MediaRect to = media_layout_fit(rect, GST_VIDEO_INFO_WIDTH(in) * in->par_n,
                                    GST_VIDEO_INFO_HEIGHT(in) * in->par_d);
    Scaler *scaler = get_scaler(composer, in, to.width, to.height);
    GstVideoFrame from;
    if (scaler == NULL || !gst_video_frame_map(&from, in, picture->buffer, GST_MAP_READ)) {
        return false;
    }
    black_around(frame, rect, to);
    GstVideoFrame part = part_of(frame, to);
    scale(scaler, &from, &part);
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
    MediaRect rect = tile->rect;
    bool drawn = tile->picture != NULL && draw_picture(composer, frame, rect, tile->picture);
    if (!drawn) {
        draw_picture(composer, frame, rect, get_card(composer, tile));
    }
    if (tile->label && tile->name != NULL && (*tile->name != '\0' || tile->muted)) {
        const MediaDrawn *label = get_label(composer, tile);
        int margin = MAX(rect.height / 45, 2);
        media_drawn_blend(label, frame, rect.x + margin,
                          rect.y + rect.height - media_drawn_height(label) - margin, rect);
    }
    if (tile->speaking) {
        draw_border(frame, rect);
    }
}

static bool is_same(const MediaTile *a, const MediaTile *b)
{
    return a->picture == b->picture && g_strcmp0(a->name, b->name) == 0 && a->label == b->label &&
           a->muted == b->muted && a->speaking == b->speaking && a->drawn_width == b->drawn_width &&
           a->drawn_height == b->drawn_height;
}

static bool in_place(const MediaRect *a, const MediaRect *b)
{
    return a->x == b->x && a->y == b->y && a->width == b->width && a->height == b->height;
}

static bool overlap(const MediaRect *a, const MediaRect *b)
{
    return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
           b->y < a->y + a->height;
}

/* Which tiles the canvas does not show as they are. Returns whether any stands elsewhere. */
static bool find_stale(const MediaComposer *composer, const MediaTile *tiles, size_t n_tiles,
                       bool stale[MEDIA_LAYOUT_MAX_TILES])
{
    bool moved = composer->n_laid != n_tiles;
    for (size_t i = 0; i < n_tiles && !moved; i++) {
        moved = !in_place(&tiles[i].rect, &composer->laid[i].tile.rect);
    }
    for (size_t i = 0; i < n_tiles; i++) {
        stale[i] = moved || !is_same(&tiles[i], &composer->laid[i].tile);
        for (size_t k = 0; k < i; k++) {
            stale[i] |= stale[k] && overlap(&tiles[k].rect, &tiles[i].rect);
        }
    }
    return moved;
}

static void update_canvas(MediaComposer *composer, GstVideoFrame *frame, const MediaTile *tiles,
                          size_t n_tiles)
{
    bool stale[MEDIA_LAYOUT_MAX_TILES];
    if (find_stale(composer, tiles, n_tiles, stale)) {
        fill(frame, (MediaRect){0, 0, GST_VIDEO_FRAME_WIDTH(frame), GST_VIDEO_FRAME_HEIGHT(frame)},
             16, 128, 128);
    }
    for (size_t i = 0; i < n_tiles; i++) {
        if (stale[i]) {
            draw_tile(composer, frame, &tiles[i]);
        }
    }
    for (size_t i = n_tiles; i < composer->n_laid; i++) {
        g_clear_pointer(&composer->laid[i].picture, media_picture_unref);
        g_clear_pointer(&composer->laid[i].name, g_free);
    }
    for (size_t i = 0; i < n_tiles; i++) {
        lay(&composer->laid[i], &tiles[i]);
    }
    composer->n_laid = n_tiles;
}

static bool covers_all(const MediaComposer *composer, const MediaRect *rect)
{
    return rect->width == GST_VIDEO_INFO_WIDTH(&composer->info) &&
           rect->height == GST_VIDEO_INFO_HEIGHT(&composer->info);
}

/* Several tiles: what changed goes to the canvas, and the canvas is copied out. */
static bool compose_on_canvas(MediaComposer *composer, GstBuffer *buffer, const MediaTile *tiles,
                              size_t n_tiles)
{
    GstVideoFrame frame;
    if (composer->canvas == NULL) {
        composer->canvas = gst_buffer_new_allocate(NULL, composer->info.size, NULL);
    }
    if (composer->canvas == NULL ||
        !gst_video_frame_map(&frame, &composer->info, composer->canvas, GST_MAP_READWRITE)) {
        return false;
    }
    update_canvas(composer, &frame, tiles, n_tiles);
    gsize size =
        gst_buffer_fill(buffer, 0, GST_VIDEO_FRAME_PLANE_DATA(&frame, 0), composer->info.size);
    gst_video_frame_unmap(&frame);
    return size == composer->info.size;
}

/* One tile that fills the picture changes as a whole: no canvas. */
static bool compose_directly(MediaComposer *composer, GstBuffer *buffer, const MediaTile *tile)
{
    GstVideoFrame frame;
    forget_canvas(composer);
    if (!gst_video_frame_map(&frame, &composer->info, buffer, GST_MAP_READWRITE)) {
        return false;
    }
    draw_tile(composer, &frame, tile);
    gst_video_frame_unmap(&frame);
    return true;
}

GstBuffer *media_composer_compose(MediaComposer *composer, const MediaTile *tiles, size_t n_tiles)
{
    GstBuffer *buffer = NULL;
    g_assert(n_tiles <= MEDIA_LAYOUT_MAX_TILES);
    composer->n_composed++;
    if (gst_buffer_pool_acquire_buffer(composer->pool, &buffer, NULL) != GST_FLOW_OK) {
        return NULL;
    }
    bool composed = n_tiles == 1 && covers_all(composer, &tiles[0].rect)
                        ? compose_directly(composer, buffer, &tiles[0])
                        : compose_on_canvas(composer, buffer, tiles, n_tiles);
    if (!composed) {
        gst_clear_buffer(&buffer);
    }
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
