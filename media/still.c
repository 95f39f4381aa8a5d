/* SPDX-License-Identifier: Apache-2.0 */
#include "media/still.h"

#include "media/engine.h"

#include <libavcodec/avcodec.h>
#include <libswscale/swscale.h>

#include <string.h>

#define GREY 0x20
#define QUALITY 3 /* of 2 (best) to 31 */

static void free_frame(AVFrame *frame)
{
    av_frame_free(&frame);
}

static void free_packet(AVPacket *packet)
{
    av_packet_free(&packet);
}

static void free_context(AVCodecContext *context)
{
    avcodec_free_context(&context);
}

typedef AVFrame Frame;
typedef AVPacket Packet;
typedef AVCodecContext Context;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Frame, free_frame)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Packet, free_packet)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Context, free_context)

static gpointer wrong(GError **error, const char *sentence)
{
    g_set_error_literal(error, MEDIA_ERROR, MEDIA_ERROR_FORMAT, sentence);
    return NULL;
}

static enum AVCodecID sniff(const uint8_t *data, size_t size)
{
    if (size >= 8 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0) {
        return AV_CODEC_ID_PNG;
    }
    if (size >= 3 && memcmp(data, "\xff\xd8\xff", 3) == 0) {
        return AV_CODEC_ID_MJPEG;
    }
    if (size >= 12 && memcmp(data, "RIFF", 4) == 0 && memcmp(data + 8, "WEBP", 4) == 0) {
        return AV_CODEC_ID_WEBP;
    }
    return AV_CODEC_ID_NONE;
}

static Frame *decode(GBytes *file, GError **error)
{
    size_t size;
    const uint8_t *data = g_bytes_get_data(file, &size);
    enum AVCodecID id = sniff(data, size);
    const AVCodec *codec = id != AV_CODEC_ID_NONE ? avcodec_find_decoder(id) : NULL;
    if (codec == NULL) {
        return wrong(error, "the file is neither PNG nor JPEG nor WebP");
    }
    g_autoptr(Context) context = avcodec_alloc_context3(codec);
    g_autoptr(Packet) packet = av_packet_alloc();
    g_autoptr(Frame) frame = av_frame_alloc();
    context->max_pixels = MEDIA_STILL_MAX_PIXELS;
    context->thread_count = 1;
    if (size > INT_MAX / 2 || avcodec_open2(context, codec, NULL) < 0 ||
        av_new_packet(packet, (int)size) < 0) {
        return wrong(error, "the picture's decoder did not start");
    }
    memcpy(packet->data, data, size);
    if (avcodec_send_packet(context, packet) < 0 || avcodec_send_packet(context, NULL) < 0 ||
        avcodec_receive_frame(context, frame) < 0 || frame->width < 1 || frame->height < 1) {
        return wrong(error, "the picture is broken or too large");
    }
    return g_steal_pointer(&frame);
}

static Frame *new_frame(enum AVPixelFormat format, int width, int height)
{
    Frame *frame = av_frame_alloc();
    frame->format = format;
    frame->width = width;
    frame->height = height;
    int failed = av_frame_get_buffer(frame, 0); /* rows are padded to whole vectors */
    g_assert(failed >= 0);
    return frame;
}

/* The formats that mean "full range" in their name are two things for libswscale. */
static enum AVPixelFormat plain_format(const Frame *frame, int *ret_full_range)
{
    static const enum AVPixelFormat pairs[][2] = {{AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUV420P},
                                                  {AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUV422P},
                                                  {AV_PIX_FMT_YUVJ444P, AV_PIX_FMT_YUV444P},
                                                  {AV_PIX_FMT_YUVJ440P, AV_PIX_FMT_YUV440P}};
    *ret_full_range = frame->color_range == AVCOL_RANGE_JPEG;
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        if (frame->format == (int)pairs[i][0]) {
            *ret_full_range = 1;
            return pairs[i][1];
        }
    }
    return frame->format;
}

static bool scale(const Frame *from, Frame *to)
{
    int from_full, to_full;
    enum AVPixelFormat from_format = plain_format(from, &from_full);
    enum AVPixelFormat to_format = plain_format(to, &to_full);
    struct SwsContext *scaler = sws_getContext(from->width, from->height, from_format, to->width,
                                               to->height, to_format, SWS_AREA, NULL, NULL, NULL);
    if (scaler == NULL) {
        return false;
    }
    const int *matrix = sws_getCoefficients(SWS_CS_ITU601); /* JFIF's */
    sws_setColorspaceDetails(scaler, matrix, from_full, matrix, to_full, 0, 1 << 16, 1 << 16);
    int n = sws_scale(scaler, (const uint8_t *const *)from->data, from->linesize, 0, from->height,
                      to->data, to->linesize);
    sws_freeContext(scaler);
    return n == to->height;
}

/* The largest size of @picture's shape within @width and @height. */
static void fit(const Frame *picture, int width, int height, int *ret_width, int *ret_height)
{
    int64_t w = picture->width, h = picture->height;
    bool wide = w * height > h * width;
    *ret_width = wide ? width : MAX(1, (int)(w * height / h));
    *ret_height = wide ? MAX(1, (int)(h * width / w)) : height;
}

/* @picture, RGBA, centred over grey. */
static Frame *mount(const Frame *picture, int width, int height)
{
    Frame *canvas = new_frame(AV_PIX_FMT_RGBA, width, height);
    int left = (width - picture->width) / 2, top = (height - picture->height) / 2;
    for (int y = 0; y < height; y++) {
        memset(canvas->data[0] + (ptrdiff_t)y * canvas->linesize[0], GREY, (size_t)width * 4);
    }
    for (int y = 0; y < picture->height; y++) {
        const uint8_t *from = picture->data[0] + (ptrdiff_t)y * picture->linesize[0];
        uint8_t *to = canvas->data[0] + (ptrdiff_t)(y + top) * canvas->linesize[0] + left * 4;
        for (int x = 0; x < picture->width; x++, from += 4, to += 4) {
            for (int c = 0; c < 3; c++) {
                to[c] = (uint8_t)((from[c] * from[3] + GREY * (255 - from[3])) / 255);
            }
        }
    }
    return canvas;
}

static GBytes *encode(Frame *frame, GError **error)
{
    const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
    if (codec == NULL) {
        return wrong(error, "libavcodec has no JPEG encoder");
    }
    g_autoptr(Context) context = avcodec_alloc_context3(codec);
    g_autoptr(Packet) packet = av_packet_alloc();
    context->width = frame->width;
    context->height = frame->height;
    context->pix_fmt = frame->format;
    context->color_range = AVCOL_RANGE_JPEG;
    context->time_base = (AVRational){1, 1};
    context->flags |= AV_CODEC_FLAG_QSCALE;
    context->global_quality = FF_QP2LAMBDA * QUALITY;
    context->thread_count = 1;
    frame->quality = context->global_quality;
    frame->pts = 0;
    if (avcodec_open2(context, codec, NULL) < 0 || avcodec_send_frame(context, frame) < 0 ||
        avcodec_receive_packet(context, packet) < 0) {
        return wrong(error, "the picture could not be encoded");
    }
    return g_bytes_new(packet->data, (gsize)packet->size);
}

GBytes *media_still_to_jpeg(GBytes *file, int width, int height, GError **error)
{
    g_autoptr(Frame) picture = decode(file, error);
    if (picture == NULL) {
        return NULL;
    }
    int fit_width, fit_height;
    fit(picture, width, height, &fit_width, &fit_height);
    g_autoptr(Frame) scaled = new_frame(AV_PIX_FMT_RGBA, fit_width, fit_height);
    if (!scale(picture, scaled)) {
        return wrong(error, "the picture's colours are of an unknown kind");
    }
    g_autoptr(Frame) canvas = mount(scaled, width, height);
    g_autoptr(Frame) out = new_frame(AV_PIX_FMT_YUVJ420P, width, height);
    if (!scale(canvas, out)) {
        return wrong(error, "the picture could not be converted");
    }
    return encode(out, error);
}
