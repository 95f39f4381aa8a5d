/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/media/playback.h"

#include "tests/media/synth.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <math.h>

static void take_picture(Playback *playback, const AVFrame *frame, AVRational base)
{
    PlayedPicture picture = {.time_s = (double)frame->pts * av_q2d(base)};
    picture.has_band = synth_read_band(frame->data[0], frame->linesize[0], 0, 0, frame->width,
                                       frame->height, &picture.person, &picture.number);
    long sum = 0;
    for (int y = 0; y < frame->height; y += 8) {
        for (int x = 0; x < frame->width; x += 8) {
            sum += frame->data[0][y * frame->linesize[0] + x];
        }
    }
    picture.mean_luma = (int)(sum / ((frame->height / 8) * (frame->width / 8)));
    playback->width = frame->width;
    playback->height = frame->height;
    g_array_append_val(playback->pictures, picture);
}

static void take_samples(Playback *playback, const AVFrame *frame, AVRational base)
{
    int64_t at = llrint((double)frame->pts * av_q2d(base) * 48000.0);
    const float *samples = (const float *)(const void *)frame->data[0];
    for (int i = 0; i < frame->nb_samples; i++) {
        if (at + i < 0) {
            continue;
        }
        if ((guint)(at + i) >= playback->samples->len) {
            g_array_set_size(playback->samples, (guint)(at + i) + 1);
        }
        g_array_index(playback->samples, float, at + i) = samples[i];
    }
}

static void receive(Playback *playback, AVCodecContext *codec, AVRational base)
{
    AVFrame *frame = av_frame_alloc();
    while (avcodec_receive_frame(codec, frame) >= 0) {
        if (codec->codec_type == AVMEDIA_TYPE_VIDEO) {
            take_picture(playback, frame, base);
        } else {
            take_samples(playback, frame, base);
        }
    }
    av_frame_free(&frame);
}

static AVCodecContext *open_codec(const AVStream *stream)
{
    AVCodecContext *codec =
        avcodec_alloc_context3(avcodec_find_decoder(stream->codecpar->codec_id));
    avcodec_parameters_to_context(codec, stream->codecpar);
    codec->pkt_timebase = stream->time_base;
    codec->thread_count = 1;
    g_assert_cmpint(avcodec_open2(codec, NULL, NULL), >=, 0);
    return codec;
}

void playback_load(Playback *playback, const char *path)
{
    AVFormatContext *context = NULL;
    *playback = (Playback){.pictures = g_array_new(FALSE, TRUE, sizeof(PlayedPicture)),
                           .samples = g_array_new(FALSE, TRUE, sizeof(float))};
    g_assert_cmpint(avformat_open_input(&context, path, NULL, NULL), >=, 0);
    g_assert_cmpint(avformat_find_stream_info(context, NULL), >=, 0);
    AVCodecContext *codecs[2] = {NULL, NULL};
    g_assert_cmpuint(context->nb_streams, <=, 2);
    for (unsigned i = 0; i < context->nb_streams; i++) {
        const AVStream *stream = context->streams[i];
        codecs[i] = open_codec(stream);
        double length = (double)stream->duration * av_q2d(stream->time_base);
        if (stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO) {
            playback->video_s = length;
        } else {
            playback->audio_s = length;
        }
    }
    AVPacket *packet = av_packet_alloc();
    while (av_read_frame(context, packet) >= 0) {
        int i = packet->stream_index;
        playback->n_errors += (packet->flags & AV_PKT_FLAG_CORRUPT) != 0;
        playback->n_errors += avcodec_send_packet(codecs[i], packet) < 0;
        receive(playback, codecs[i], context->streams[i]->time_base);
        av_packet_unref(packet);
    }
    for (unsigned i = 0; i < context->nb_streams; i++) {
        avcodec_send_packet(codecs[i], NULL);
        receive(playback, codecs[i], context->streams[i]->time_base);
        avcodec_free_context(&codecs[i]);
    }
    av_packet_free(&packet);
    avformat_close_input(&context);
}

void playback_clear(Playback *playback)
{
    g_array_unref(playback->pictures);
    g_array_unref(playback->samples);
}
