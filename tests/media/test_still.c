/* SPDX-License-Identifier: Apache-2.0 */
#include "media/engine.h"
#include "media/still.h"
#include "tests/media/leaks.h"

#include <libavcodec/avcodec.h>

#include <string.h>

#define WIDTH 320
#define HEIGHT 180

/* A file as @id of one colour over the given size; the right half is transparent where it can be.
 */
static GBytes *make_file(enum AVCodecID id, enum AVPixelFormat format, int width, int height)
{
    AVCodecContext *context = avcodec_alloc_context3(avcodec_find_encoder(id));
    AVFrame *frame = av_frame_alloc();
    AVPacket *packet = av_packet_alloc();
    context->width = frame->width = width;
    context->height = frame->height = height;
    context->pix_fmt = frame->format = format;
    context->color_range = AVCOL_RANGE_JPEG;
    context->time_base = (AVRational){1, 1};
    g_assert_cmpint(avcodec_open2(context, NULL, NULL), ==, 0);
    g_assert_cmpint(av_frame_get_buffer(frame, 0), ==, 0);
    bool rgba = format == AV_PIX_FMT_RGBA;
    for (int y = 0; y < height; y++) {
        uint8_t *row = frame->data[0] + y * frame->linesize[0];
        for (int x = 0; rgba && x < width; x++) {
            memcpy(row + 4 * x, x < width / 2 ? "\xff\x00\x00\xff" : "\x00\xff\x00\x00", 4);
        }
        if (!rgba) {
            memset(row, 200, (size_t)width);
        }
    }
    for (int plane = 1; !rgba && plane < 3; plane++) {
        memset(frame->data[plane], 128, (size_t)frame->linesize[plane] * (size_t)(height / 2));
    }
    g_assert_cmpint(avcodec_send_frame(context, frame), ==, 0);
    avcodec_send_frame(context, NULL);
    g_assert_cmpint(avcodec_receive_packet(context, packet), ==, 0);
    GBytes *file = g_bytes_new(packet->data, (gsize)packet->size);
    av_packet_free(&packet);
    av_frame_free(&frame);
    avcodec_free_context(&context);
    return file;
}

/* Luma of the JPEG at three places: left, middle, right of the middle row; and top left. */
static void look(GBytes *jpeg, int ret_luma[4])
{
    AVCodecContext *context = avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_MJPEG));
    AVFrame *frame = av_frame_alloc();
    AVPacket *packet = av_packet_alloc();
    gsize size;
    const void *data = g_bytes_get_data(jpeg, &size);
    g_assert_cmpint(avcodec_open2(context, NULL, NULL), ==, 0);
    g_assert_cmpint(av_new_packet(packet, (int)size), ==, 0);
    memcpy(packet->data, data, size);
    g_assert_cmpint(avcodec_send_packet(context, packet), ==, 0);
    g_assert_cmpint(avcodec_receive_frame(context, frame), ==, 0);
    g_assert_cmpint(frame->width, ==, WIDTH);
    g_assert_cmpint(frame->height, ==, HEIGHT);
    const uint8_t *middle = frame->data[0] + HEIGHT / 2 * frame->linesize[0];
    ret_luma[0] = middle[4];
    ret_luma[1] = middle[WIDTH / 2 - 20];
    ret_luma[2] = middle[WIDTH / 2 + 20];
    ret_luma[3] = frame->data[0][4];
    av_packet_free(&packet);
    av_frame_free(&frame);
    avcodec_free_context(&context);
}

static void test_transparent_png_is_mounted_on_grey(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) png = make_file(AV_CODEC_ID_PNG, AV_PIX_FMT_RGBA, 100, 100);
    g_autoptr(GBytes) jpeg = media_still_to_jpeg(png, WIDTH, HEIGHT, &error);
    int luma[4];
    g_assert_no_error(error);
    look(jpeg, luma);
    g_assert_cmpint(ABS(luma[0] - 0x20), <, 6); /* beside the square */
    g_assert_cmpint(ABS(luma[1] - 76), <, 8);   /* red */
    g_assert_cmpint(ABS(luma[2] - 0x20), <, 6); /* green, but transparent */
}

static void test_wide_jpeg_has_bars_above_and_below(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) file = make_file(AV_CODEC_ID_MJPEG, AV_PIX_FMT_YUVJ420P, 640, 80);
    g_autoptr(GBytes) jpeg = media_still_to_jpeg(file, WIDTH, HEIGHT, &error);
    int luma[4];
    g_assert_no_error(error);
    look(jpeg, luma);
    g_assert_cmpint(ABS(luma[0] - 200), <, 6);
    g_assert_cmpint(ABS(luma[3] - 0x20), <, 6);
}

static void test_what_is_no_picture_is_refused(void)
{
    static const char html[] = "<html><img src=x></html>", svg[] = "<svg xmlns='x'/>";
    g_autoptr(GBytes) png = make_file(AV_CODEC_ID_PNG, AV_PIX_FMT_RGBA, 100, 100);
    gsize size;
    const uint8_t *whole = g_bytes_get_data(png, &size);
    struct {
        const void *data;
        gsize size;
    } bad[] = {{html, sizeof html}, {svg, sizeof svg}, {"", 0}, {whole, 8}, {whole, 40}};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) file = g_bytes_new(bad[i].data, bad[i].size);
        g_assert_null(media_still_to_jpeg(file, WIDTH, HEIGHT, &error));
        g_assert_error(error, MEDIA_ERROR, MEDIA_ERROR_FORMAT);
    }
}

/* A PNG may say that it is far larger than it is. */
static void test_a_bomb_is_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) png = make_file(AV_CODEC_ID_PNG, AV_PIX_FMT_RGBA, 100, 100);
    gsize size = g_bytes_get_size(png);
    g_autofree uint8_t *copy = g_memdup2(g_bytes_get_data(png, NULL), size);
    memcpy(copy + 16, "\x00\x00\xff\xff\x00\x00\xff\xff", 8); /* IHDR: 65535 x 65535 */
    g_autoptr(GBytes) file = g_bytes_new(copy, size);
    g_assert_null(media_still_to_jpeg(file, WIDTH, HEIGHT, &error));
    g_assert_error(error, MEDIA_ERROR, MEDIA_ERROR_FORMAT);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    av_log_set_level(AV_LOG_QUIET);
    g_test_add_func("/still/transparent_png_is_mounted_on_grey",
                    test_transparent_png_is_mounted_on_grey);
    g_test_add_func("/still/wide_jpeg_has_bars_above_and_below",
                    test_wide_jpeg_has_bars_above_and_below);
    g_test_add_func("/still/what_is_no_picture_is_refused", test_what_is_no_picture_is_refused);
    g_test_add_func("/still/a_bomb_is_refused", test_a_bomb_is_refused);
    return leaks_test_run();
}
