/* SPDX-License-Identifier: Apache-2.0 */
#include "media/aac_encoder.h"

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <string.h>

struct MediaAacEncoder {
    AVCodecContext *codec; /* owned */
    AVFrame *frame;        /* owned: being filled */
    AVPacket *packet;      /* owned */
    GstCaps *caps;         /* owned */
    int n_filled;          /* samples in the frame */
    MediaAacFunc on_packet;
    gpointer user_data;
};

static bool fail(int code, const char *what, GError **error)
{
    char text[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(code, text, sizeof text);
    g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_ENCODER, "AAC: %s: %s", what, text);
    return false;
}

static GstCaps *describe(const AVCodecContext *codec)
{
    g_autoptr(GstBuffer) config =
        gst_buffer_new_memdup(codec->extradata, (gsize)codec->extradata_size);
    return gst_caps_new_simple("audio/mpeg", "mpegversion", G_TYPE_INT, 4, "stream-format",
                               G_TYPE_STRING, "raw", "rate", G_TYPE_INT, MEDIA_AUDIO_RATE_HZ,
                               "channels", G_TYPE_INT, 1, "codec_data", GST_TYPE_BUFFER, config,
                               NULL);
}

static int open_codec(MediaAacEncoder *encoder, const AVCodec *codec, double quality)
{
    encoder->codec = avcodec_alloc_context3(codec);
    encoder->codec->sample_fmt = AV_SAMPLE_FMT_FLTP;
    encoder->codec->sample_rate = MEDIA_AUDIO_RATE_HZ;
    encoder->codec->time_base = (AVRational){1, MEDIA_AUDIO_RATE_HZ};
    encoder->codec->global_quality = (int)(quality * FF_QP2LAMBDA);
    encoder->codec->flags |= AV_CODEC_FLAG_QSCALE | AV_CODEC_FLAG_GLOBAL_HEADER;
    av_channel_layout_default(&encoder->codec->ch_layout, 1);
    /* Less than half of the default coder's time, and for speech nearer to the source
     * (docs/decisions/0008-sound-in-the-file.md). */
    int code = av_opt_set(encoder->codec->priv_data, "aac_coder", "fast", 0);
    return code < 0 ? code : avcodec_open2(encoder->codec, codec, NULL);
}

static int open_frame(MediaAacEncoder *encoder)
{
    encoder->packet = av_packet_alloc();
    encoder->frame = av_frame_alloc();
    encoder->frame->format = encoder->codec->sample_fmt;
    encoder->frame->sample_rate = encoder->codec->sample_rate;
    encoder->frame->nb_samples = MEDIA_AAC_FRAME;
    av_channel_layout_copy(&encoder->frame->ch_layout, &encoder->codec->ch_layout);
    return av_frame_get_buffer(encoder->frame, 0);
}

MediaAacEncoder *media_aac_encoder_new(double quality, MediaAacFunc on_packet, gpointer user_data,
                                       GError **error)
{
    const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_AAC);
    if (codec == NULL) {
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
                    "libavcodec was built without an AAC encoder");
        return NULL;
    }
    g_autoptr(MediaAacEncoder) encoder = g_new0(MediaAacEncoder, 1);
    encoder->on_packet = on_packet;
    encoder->user_data = user_data;
    int code = open_codec(encoder, codec, quality);
    if (code >= 0) {
        code = open_frame(encoder);
    }
    if (code < 0) {
        fail(code, "start", error);
        return NULL;
    }
    encoder->caps = describe(encoder->codec);
    return g_steal_pointer(&encoder);
}

void media_aac_encoder_free(MediaAacEncoder *encoder)
{
    avcodec_free_context(&encoder->codec);
    av_frame_free(&encoder->frame);
    av_packet_free(&encoder->packet);
    gst_clear_caps(&encoder->caps);
    g_free(encoder);
}

/* @frame: NULL: the end. */
static bool send(MediaAacEncoder *encoder, AVFrame *frame, GError **error)
{
    int code = avcodec_send_frame(encoder->codec, frame);
    while (code >= 0 && (code = avcodec_receive_packet(encoder->codec, encoder->packet)) >= 0) {
        g_autoptr(GstBuffer) packet =
            gst_buffer_new_memdup(encoder->packet->data, (gsize)encoder->packet->size);
        encoder->on_packet(packet, encoder->caps, encoder->user_data);
        av_packet_unref(encoder->packet);
    }
    return code == AVERROR(EAGAIN) || code == AVERROR_EOF || fail(code, "encode", error);
}

static bool send_filled(MediaAacEncoder *encoder, GError **error)
{
    encoder->n_filled = 0;
    encoder->frame->pts =
        encoder->frame->pts == AV_NOPTS_VALUE ? 0 : encoder->frame->pts + MEDIA_AAC_FRAME;
    return send(encoder, encoder->frame, error);
}

bool media_aac_encoder_push(MediaAacEncoder *encoder, const float *samples, int64_t n,
                            GError **error)
{
    while (n > 0) {
        /* The encoder may still hold the frame of before. */
        int code = encoder->n_filled == 0 ? av_frame_make_writable(encoder->frame) : 0;
        if (code < 0) {
            return fail(code, "make room", error);
        }
        int n_now = (int)MIN(n, MEDIA_AAC_FRAME - encoder->n_filled);
        memcpy((float *)(void *)encoder->frame->data[0] + encoder->n_filled, samples,
               (size_t)n_now * sizeof *samples);
        encoder->n_filled += n_now;
        samples += n_now;
        n -= n_now;
        if (encoder->n_filled == MEDIA_AAC_FRAME && !send_filled(encoder, error)) {
            return false;
        }
    }
    return true;
}

bool media_aac_encoder_drain(MediaAacEncoder *encoder, GError **error)
{
    static const float silence[MEDIA_AAC_FRAME];
    int64_t n_missing = MEDIA_AAC_FRAME - encoder->n_filled;
    return (encoder->n_filled == 0 || media_aac_encoder_push(encoder, silence, n_missing, error)) &&
           send(encoder, NULL, error);
}
