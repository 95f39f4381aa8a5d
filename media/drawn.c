/* SPDX-License-Identifier: Apache-2.0 */
#include "media/drawn.h"

struct MediaDrawn {
    int width, height; /* even */
    uint8_t *planes[3];
    uint8_t *alpha; /* of full resolution */
};

typedef struct {
    int r, g, b, a;
} Pixel;

/* Cairo keeps colours multiplied by their alpha. */
static Pixel pixel_at(cairo_surface_t *surface, int x, int y)
{
    const uint8_t *data = cairo_image_surface_get_data(surface);
    data += (gsize)y * (gsize)cairo_image_surface_get_stride(surface);
    uint32_t value = ((const uint32_t *)(const void *)data)[x];
    int a = (int)(value >> 24), k = MAX(a, 1);
    return (Pixel){(int)(value >> 16 & 255) * 255 / k, (int)(value >> 8 & 255) * 255 / k,
                   (int)(value & 255) * 255 / k, a};
}

/* BT.601, studio range. */
static uint8_t luma(Pixel p)
{
    return (uint8_t)((66 * p.r + 129 * p.g + 25 * p.b + 128) / 256 + 16);
}

static uint8_t blue(Pixel p)
{
    return (uint8_t)((-38 * p.r - 74 * p.g + 112 * p.b + 128) / 256 + 128);
}

static uint8_t red(Pixel p)
{
    return (uint8_t)((112 * p.r - 94 * p.g - 18 * p.b + 128) / 256 + 128);
}

/* @planes: of @width (even) columns each row, as I420 has them; @alpha: NULL or of full size. */
static void convert(cairo_surface_t *surface, int width, uint8_t *const planes[3], uint8_t *alpha)
{
    int w = cairo_image_surface_get_width(surface), h = cairo_image_surface_get_height(surface);
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            Pixel p = pixel_at(surface, x, y);
            gsize at = (gsize)y * (gsize)width + (gsize)x;
            planes[0][at] = luma(p);
            if (alpha != NULL) {
                alpha[at] = (uint8_t)p.a;
            }
            if ((x & 1) == 0 && (y & 1) == 0) {
                gsize c = (gsize)(y / 2) * (gsize)(width / 2) + (gsize)(x / 2);
                planes[1][c] = blue(p);
                planes[2][c] = red(p);
            }
        }
    }
    cairo_surface_destroy(surface);
}

MediaDrawn *media_drawn_new(cairo_surface_t *surface)
{
    MediaDrawn *drawn = g_new0(MediaDrawn, 1);
    drawn->width = (cairo_image_surface_get_width(surface) + 1) & ~1;
    drawn->height = (cairo_image_surface_get_height(surface) + 1) & ~1;
    gsize size = (gsize)drawn->width * (gsize)drawn->height;
    drawn->planes[0] = g_malloc0(size);
    drawn->planes[1] = g_malloc0(size / 4);
    drawn->planes[2] = g_malloc0(size / 4);
    drawn->alpha = g_malloc0(size);
    convert(surface, drawn->width, drawn->planes, drawn->alpha);
    return drawn;
}

void media_drawn_free(MediaDrawn *drawn)
{
    for (int i = 0; i < 3; i++) {
        g_free(drawn->planes[i]);
    }
    g_free(drawn->alpha);
    g_free(drawn);
}

int media_drawn_height(const MediaDrawn *drawn)
{
    return drawn->height;
}

static void blend_plane(const MediaDrawn *drawn, GstVideoFrame *frame, int plane, MediaRect to)
{
    int shift = plane > 0;
    int width = to.width >> shift, height = to.height >> shift;
    int stride = GST_VIDEO_FRAME_PLANE_STRIDE(frame, plane);
    uint8_t *row = GST_VIDEO_FRAME_PLANE_DATA(frame, plane);
    row += (to.y >> shift) * stride + (to.x >> shift);
    for (int y = 0; y < height; y++, row += stride) {
        const uint8_t *from = drawn->planes[plane] + y * (drawn->width >> shift);
        const uint8_t *alpha = drawn->alpha + (y << shift) * drawn->width;
        for (int x = 0; x < width; x++) {
            int a = alpha[x << shift];
            row[x] = (uint8_t)((row[x] * (255 - a) + from[x] * a + 127) / 255);
        }
    }
}

void media_drawn_blend(const MediaDrawn *drawn, GstVideoFrame *frame, int x, int y, MediaRect clip)
{
    x = MAX(x, clip.x) & ~1;
    y = MAX(y, clip.y) & ~1;
    MediaRect to = {x, y, MIN(drawn->width, clip.x + clip.width - x),
                    MIN(drawn->height, clip.y + clip.height - y)};
    if (to.width <= 0 || to.height <= 0) {
        return;
    }
    for (int plane = 0; plane < 3; plane++) {
        blend_plane(drawn, frame, plane, to);
    }
}

MediaPicture *media_drawn_to_picture(cairo_surface_t *surface)
{
    int width = cairo_image_surface_get_width(surface);
    int height = cairo_image_surface_get_height(surface);
    GstVideoInfo info;
    gst_video_info_set_format(&info, GST_VIDEO_FORMAT_I420, (guint)width, (guint)height);
    gst_video_colorimetry_from_string(&info.colorimetry, GST_VIDEO_COLORIMETRY_BT601);
    gsize luma_size = (gsize)width * (gsize)height;
    uint8_t *data = g_malloc(luma_size * 3 / 2);
    info.stride[0] = width;
    info.stride[1] = info.stride[2] = width / 2;
    info.offset[1] = luma_size;
    info.offset[2] = luma_size * 5 / 4;
    info.size = luma_size * 3 / 2;
    uint8_t *const planes[3] = {data, data + info.offset[1], data + info.offset[2]};
    convert(surface, width, planes, NULL);
    g_autoptr(GstBuffer) buffer = gst_buffer_new_wrapped(data, info.size);
    return media_picture_new(buffer, &info, 0);
}
