/* SPDX-License-Identifier: Apache-2.0 */
#include "media/ogg_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <libavformat/avformat.h>
#include <opus.h>
#include <string.h>
#include <unistd.h>

#define AVIO_BUFFER 16384
#define OVERLAP_SAMPLES (60 * MEDIA_AUDIO_RATE_HZ / 1000)

/* Silence as Opus' CELT layer codes it, full band and mono: a table of contents byte (RFC 6716,
 * section 3.1) and 0xff 0xfe a frame. */
static const uint8_t silence_20ms[] = {0xf8, 0xff, 0xfe};
static const uint8_t silence_2_5ms[] = {0xe0, 0xff, 0xfe};
/* Six frames of 20 ms of the same size: code 3 with constant rate. */
static const uint8_t silence_120ms[] = {0xfb, 6,    0xff, 0xfe, 0xff, 0xfe, 0xff,
                                        0xfe, 0xff, 0xfe, 0xff, 0xfe, 0xff, 0xfe};

static const struct {
    const uint8_t *data;
    size_t size;
    int64_t samples;
} silences[] = {{silence_120ms, sizeof silence_120ms, 5760},
                {silence_20ms, sizeof silence_20ms, 960},
                {silence_2_5ms, sizeof silence_2_5ms, 120}};

struct MediaOggWriter {
    int fd;
    int failed_errno; /* of the first write that failed; 0: none */
    AVFormatContext *context;
    AVPacket *packet;
    int64_t length; /* samples */
};

static int write_all(void *opaque, uint8_t *data, int size)
{
    MediaOggWriter *writer = opaque;
    int number = media_write_all(writer->fd, data, (size_t)size);
    if (number != 0) {
        writer->failed_errno = number;
        return AVERROR(number);
    }
    return size;
}

static bool check(const MediaOggWriter *writer, int code, GError **error)
{
    int number = writer->failed_errno != 0 ? writer->failed_errno : code < 0 ? AVUNERROR(code) : 0;
    if (number == 0) {
        return true;
    }
    return media_set_errno(error, "write a participant's track", number);
}

/* Version 1, one channel, no samples to skip, 48 kHz, no gain, mapping family 0 (RFC 7845, 5.1). */
static bool set_parameters(AVCodecParameters *par)
{
    static const uint8_t head[19] = {'O', 'p', 'u',  's',  'H', 'e', 'a', 'd', 1, 1,
                                     0,   0,   0x80, 0xbb, 0,   0,   0,   0,   0};
    par->codec_type = AVMEDIA_TYPE_AUDIO;
    par->codec_id = AV_CODEC_ID_OPUS;
    par->sample_rate = MEDIA_AUDIO_RATE_HZ;
    av_channel_layout_default(&par->ch_layout, 1);
    par->extradata = av_mallocz(sizeof head + AV_INPUT_BUFFER_PADDING_SIZE);
    if (par->extradata == NULL) {
        return false;
    }
    memcpy(par->extradata, head, sizeof head);
    par->extradata_size = sizeof head;
    return true;
}

MediaOggWriter *media_ogg_writer_new(const char *path, GError **error)
{
    g_autoptr(MediaOggWriter) writer = g_new0(MediaOggWriter, 1);
    writer->packet = av_packet_alloc();
    writer->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (writer->fd < 0) {
        writer->failed_errno = errno;
        check(writer, 0, error);
        g_prefix_error(error, "%s: ", path);
        return NULL;
    }
    avformat_alloc_output_context2(&writer->context, NULL, "ogg", NULL);
    AVStream *stream = avformat_new_stream(writer->context, NULL);
    stream->time_base = (AVRational){1, MEDIA_AUDIO_RATE_HZ};
    int code = set_parameters(stream->codecpar) ? 0 : AVERROR(ENOMEM);
    writer->context->pb =
        avio_alloc_context(av_malloc(AVIO_BUFFER), AVIO_BUFFER, 1, writer, NULL, write_all, NULL);
    writer->context->pb->seekable = 0;
    writer->context->flags |= AVFMT_FLAG_BITEXACT; /* no serial number by chance */
    code = code < 0 ? code : avformat_write_header(writer->context, NULL);
    avio_flush(writer->context->pb);
    return check(writer, code, error) ? g_steal_pointer(&writer) : NULL;
}

void media_ogg_writer_free(MediaOggWriter *writer)
{
    if (writer->context != NULL) {
        if (writer->context->pb != NULL) {
            av_freep(&writer->context->pb->buffer);
            avio_context_free(&writer->context->pb);
        }
        avformat_free_context(writer->context);
    }
    av_packet_free(&writer->packet);
    if (writer->fd >= 0) {
        close(writer->fd);
    }
    g_free(writer);
}

static int append(MediaOggWriter *writer, const uint8_t *data, size_t size, int64_t samples)
{
    AVPacket *packet = writer->packet;
    int code = av_new_packet(packet, (int)size);
    if (code < 0) {
        return code;
    }
    memcpy(packet->data, data, size);
    packet->stream_index = 0;
    packet->pts = packet->dts = writer->length;
    packet->duration = samples;
    packet->flags = AV_PKT_FLAG_KEY;
    writer->length += samples;
    code = av_write_frame(writer->context, packet);
    av_packet_unref(packet);
    return code;
}

static int fill(MediaOggWriter *writer, int64_t to_samples)
{
    int code = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(silences); i++) {
        while (code >= 0 && to_samples - writer->length >= silences[i].samples) {
            code = append(writer, silences[i].data, silences[i].size, silences[i].samples);
        }
    }
    return code;
}

bool media_ogg_writer_write(MediaOggWriter *writer, int64_t at_samples, const uint8_t *data,
                            size_t size, GError **error)
{
    int samples = size > 0 && size <= G_MAXUINT16
                      ? opus_packet_get_nb_samples(data, (opus_int32)size, MEDIA_AUDIO_RATE_HZ)
                      : 0;
    if (samples <= 0 || at_samples < writer->length - OVERLAP_SAMPLES) {
        return check(writer, 0, error);
    }
    int code = fill(writer, at_samples);
    if (code >= 0) {
        code = append(writer, data, size, samples);
    }
    return check(writer, code, error);
}

bool media_ogg_writer_flush(MediaOggWriter *writer, GError **error)
{
    int code = av_write_frame(writer->context, NULL);
    avio_flush(writer->context->pb);
    return check(writer, code, error);
}

bool media_ogg_writer_close(MediaOggWriter *writer, GError **error)
{
    int code = av_write_trailer(writer->context);
    avio_flush(writer->context->pb);
    return check(writer, code, error);
}

int64_t media_ogg_writer_length(const MediaOggWriter *writer)
{
    return writer->length;
}
