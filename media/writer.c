/* SPDX-License-Identifier: Apache-2.0 */
#include "media/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <libavformat/avformat.h>
#include <unistd.h>

#define AVIO_BUFFER 32768

struct MediaWriter {
    int fd;
    int failed_errno;         /* of the first write that failed; 0: none */
    AVFormatContext *context; /* owned; NULL for bare frames */
    AVPacket *packet;         /* owned: the newest, held until its duration is known */
    bool holds;
};

static int write_all(void *opaque, uint8_t *data, int size)
{
    MediaWriter *writer = opaque;
    int number = media_write_all(writer->fd, data, (size_t)size);
    if (number != 0) {
        writer->failed_errno = number;
        return AVERROR(number);
    }
    return size;
}

/* A fragment is written after its sizes are known, in one go: nothing ever seeks. */
static bool fail(MediaWriter *writer, int code, const char *what, GError **error)
{
    int number = writer->failed_errno != 0 ? writer->failed_errno : AVUNERROR(code);
    char text[AV_ERROR_MAX_STRING_SIZE];
    av_strerror(AVERROR(number), text, sizeof text);
    g_set_error(error, MEDIA_ERROR, media_error_from_errno(number), "%s: %s", what, text);
    return false;
}

static bool set_parameters(AVCodecParameters *par, GstCaps *caps, GError **error)
{
    const GstStructure *s = gst_caps_get_structure(caps, 0);
    const GValue *value = gst_structure_get_value(s, "codec_data");
    GstMapInfo map;
    if (value == NULL || !gst_buffer_map(gst_value_get_buffer(value), &map, GST_MAP_READ)) {
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_FORMAT, "the encoder gave no codec data");
        return false;
    }
    par->extradata = av_mallocz(map.size + AV_INPUT_BUFFER_PADDING_SIZE);
    memcpy(par->extradata, map.data, map.size);
    par->extradata_size = (int)map.size;
    gst_buffer_unmap(gst_value_get_buffer(value), &map);
    if (gst_structure_has_name(s, "video/x-h264")) {
        par->codec_type = AVMEDIA_TYPE_VIDEO;
        par->codec_id = AV_CODEC_ID_H264;
        gst_structure_get_int(s, "width", &par->width);
        gst_structure_get_int(s, "height", &par->height);
    } else {
        par->codec_type = AVMEDIA_TYPE_AUDIO;
        par->codec_id = AV_CODEC_ID_AAC;
        gst_structure_get_int(s, "rate", &par->sample_rate);
        int channels = 1;
        gst_structure_get_int(s, "channels", &channels);
        av_channel_layout_default(&par->ch_layout, channels);
        par->frame_size = 1024;
    }
    return true;
}

static bool begin_mp4(MediaWriter *writer, GstCaps *caps, int timescale, GError **error)
{
    avformat_alloc_output_context2(&writer->context, NULL, "mp4", NULL);
    AVStream *stream = avformat_new_stream(writer->context, NULL);
    stream->time_base = (AVRational){1, timescale};
    if (!set_parameters(stream->codecpar, caps, error)) {
        return false;
    }
    writer->context->pb =
        avio_alloc_context(av_malloc(AVIO_BUFFER), AVIO_BUFFER, 1, writer, NULL, write_all, NULL);
    writer->context->pb->seekable = 0;
    AVDictionary *options = NULL;
    av_dict_set(&options, "movflags", "frag_custom+empty_moov+default_base_moof+skip_trailer", 0);
    av_dict_set(&options, "use_editlist", "0", 0);
    int code = avformat_write_header(writer->context, &options);
    av_dict_free(&options);
    avio_flush(writer->context->pb);
    if (code < 0 || writer->failed_errno != 0) {
        return fail(writer, code, "begin the file", error);
    }
    return true;
}

MediaWriter *media_writer_new(const char *path, GstCaps *caps, int timescale, GError **error)
{
    g_autoptr(MediaWriter) writer = g_new0(MediaWriter, 1);
    writer->packet = av_packet_alloc();
    writer->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (writer->fd < 0) {
        fail(writer, AVERROR(errno), path, error);
        return NULL;
    }
    bool bare = gst_structure_has_name(gst_caps_get_structure(caps, 0), "audio/mpeg") &&
                !gst_structure_has_field(gst_caps_get_structure(caps, 0), "codec_data");
    if (!bare && !begin_mp4(writer, caps, timescale, error)) {
        g_prefix_error(error, "%s: ", path);
        return NULL;
    }
    return g_steal_pointer(&writer);
}

void media_writer_free(MediaWriter *writer)
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

static bool write_bare(MediaWriter *writer, GstMapInfo *map, GError **error)
{
    int code = write_all(writer, map->data, (int)map->size);
    return code >= 0 || fail(writer, code, "write", error);
}

/* The muxer takes a fragment's end for the next one's beginning: durations must be true. */
static bool write_held(MediaWriter *writer, int64_t end_dts, GError **error)
{
    if (!writer->holds) {
        return true;
    }
    writer->holds = false;
    writer->packet->duration = end_dts - writer->packet->dts;
    int code = av_write_frame(writer->context, writer->packet);
    av_packet_unref(writer->packet);
    return code >= 0 || fail(writer, code, "write", error);
}

static bool write_mp4(MediaWriter *writer, const GstMapInfo *map, int64_t pts, int64_t dts,
                      int64_t duration, GError **error)
{
    if (!write_held(writer, dts, error)) {
        return false;
    }
    if (av_new_packet(writer->packet, (int)map->size) < 0) {
        return fail(writer, AVERROR(ENOMEM), "write", error);
    }
    memcpy(writer->packet->data, map->data, map->size);
    writer->packet->stream_index = 0;
    writer->packet->pts = pts;
    writer->packet->dts = dts;
    writer->packet->duration = duration;
    writer->holds = true;
    return true;
}

bool media_writer_write(MediaWriter *writer, GstBuffer *buffer, int64_t pts, int64_t dts,
                        int64_t duration, GError **error)
{
    GstMapInfo map;
    if (writer->failed_errno != 0) {
        return fail(writer, 0, "write", error);
    }
    if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) {
        return true;
    }
    bool ok = writer->context == NULL ? write_bare(writer, &map, error)
                                      : write_mp4(writer, &map, pts, dts, duration, error);
    if (writer->holds) {
        bool delta = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
        writer->packet->flags = delta ? 0 : AV_PKT_FLAG_KEY;
    }
    gst_buffer_unmap(buffer, &map);
    return ok;
}

bool media_writer_flush(MediaWriter *writer, GError **error)
{
    if (writer->context == NULL) {
        return true;
    }
    int code = av_write_frame(writer->context, NULL);
    avio_flush(writer->context->pb);
    if (code < 0 || writer->failed_errno != 0) {
        return fail(writer, code, "write", error);
    }
    return true;
}

bool media_writer_close(MediaWriter *writer, GError **error)
{
    if (!write_held(writer, writer->packet->dts + writer->packet->duration, error) ||
        !media_writer_flush(writer, error)) {
        return false;
    }
    int code = writer->context != NULL ? av_write_trailer(writer->context) : 0;
    if (writer->context != NULL) {
        avio_flush(writer->context->pb);
    }
    if (code < 0 || writer->failed_errno != 0) {
        return fail(writer, code, "end the file", error);
    }
    if (fsync(writer->fd) != 0 && errno != EINVAL) {
        return fail(writer, AVERROR(errno), "fsync", error);
    }
    return true;
}
