// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/clip.h"

#include "tests/meeting/band.h"
#include "tests/meeting/packetize.h"
#include "tests/meeting/picture.h"

#include <glib/gstdio.h>
#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <string.h>

/* Counts up whenever the same parameters would give other bytes. */
#define CACHE_VERSION 3

static const char magic[8] = "STNCLIP3";

static bool fail(GError **error, const char *what, const MeetingCamera *camera)
{
    g_set_error(error, MEETING_ERROR, MEETING_ERROR_MEDIA, "%s (%s, %s, %dx%d)", what,
                camera->source, meeting_codec_to_string(camera->codec), camera->width,
                camera->height);
    return false;
}

static AVCodecContext *open_encoder(const MeetingCamera *camera)
{
    static const char *const names[] = {"libvpx", "libvpx-vp9", "libx264"};
    const AVCodec *codec = avcodec_find_encoder_by_name(names[camera->codec]);
    AVCodecContext *context = avcodec_alloc_context3(codec);
    if (codec == NULL || context == NULL)
        return NULL;
    context->width = camera->width;
    context->height = camera->height;
    context->time_base = (AVRational){1, camera->fps};
    context->framerate = (AVRational){camera->fps, 1};
    context->pix_fmt = AV_PIX_FMT_YUV420P;
    context->max_b_frames = 0;
    /* A key frame a second by our own asking; the encoder is to add none. */
    context->gop_size = 10 * camera->fps * camera->loop_s;
    context->keyint_min = context->gop_size;
    context->bit_rate = (int64_t)(0.10 * camera->width * camera->height * MAX(camera->fps, 10));
    context->thread_count = 1;
    AVDictionary *options = NULL;
    if (camera->codec == MEETING_CODEC_H264) {
        context->profile = FF_PROFILE_H264_CONSTRAINED_BASELINE;
        av_dict_set(&options, "preset", "superfast", 0);
        av_dict_set(&options, "tune", "zerolatency", 0);
        av_dict_set(&options, "profile", "baseline", 0);
        av_dict_set(&options, "forced-idr", "1", 0);
        av_dict_set(&options, "x264-params", "scenecut=0:sliced-threads=0", 0);
    } else {
        context->rc_max_rate = context->bit_rate * 3 / 2;
        context->rc_buffer_size = (int)context->bit_rate;
        av_dict_set(&options, "deadline", "realtime", 0);
        av_dict_set(&options, "cpu-used", "8", 0);
        av_dict_set(&options, "lag-in-frames", "0", 0);
        av_dict_set(&options, "auto-alt-ref", "0", 0);
    }
    int opened = avcodec_open2(context, codec, &options);
    av_dict_free(&options);
    if (opened < 0)
        avcodec_free_context(&context);
    return context;
}

/* Appends one encoded picture: 32-bit length with the key flag on top, then the bytes. */
static void store(GByteArray *file, const AVPacket *packet)
{
    guint32 head = (guint32)packet->size | (packet->flags & AV_PKT_FLAG_KEY ? 0x80000000u : 0);
    head = GUINT32_TO_LE(head);
    g_byte_array_append(file, (const guint8 *)&head, sizeof head);
    g_byte_array_append(file, packet->data, (guint)packet->size);
}

static bool drain(AVCodecContext *encoder, GByteArray *file, guint *n_stored)
{
    AVPacket *packet = av_packet_alloc();
    int got;
    while ((got = avcodec_receive_packet(encoder, packet)) >= 0) {
        store(file, packet);
        (*n_stored)++;
        av_packet_unref(packet);
    }
    av_packet_free(&packet);
    return got == AVERROR(EAGAIN) || got == AVERROR_EOF;
}

/* Draws and encodes the loop, beginning with frame @first, which is a key frame. */
static bool encode_loop(const MeetingCamera *camera, unsigned number, guint first, guint n_frames,
                        GByteArray *file, GError **error)
{
    g_autoptr(MeetingPictures) pictures = meeting_pictures_new(camera, number, error);
    if (pictures == NULL)
        return false;
    AVCodecContext *encoder = open_encoder(camera);
    AVFrame *frame = av_frame_alloc();
    frame->format = AV_PIX_FMT_YUV420P;
    frame->width = camera->width;
    frame->height = camera->height;
    guint n_stored = 0;
    bool ok = encoder != NULL && av_frame_get_buffer(frame, 0) >= 0;
    bool drawn = true;
    for (guint i = 0; ok && i < n_frames; i++) {
        guint n = (first + i) % n_frames;
        ok = av_frame_make_writable(frame) >= 0 &&
             (drawn = meeting_pictures_draw(pictures, n, frame->data, frame->linesize, error));
        if (!ok)
            break;
        meeting_band_draw(frame->data, frame->linesize, camera->width, camera->height, number, n);
        frame->pts = i;
        frame->pict_type = i % (guint)camera->fps == 0 ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
        ok = avcodec_send_frame(encoder, frame) >= 0 && drain(encoder, file, &n_stored);
    }
    ok = ok && avcodec_send_frame(encoder, NULL) >= 0 && drain(encoder, file, &n_stored) &&
         n_stored == n_frames;
    av_frame_free(&frame);
    avcodec_free_context(&encoder);
    return ok || (drawn ? fail(error, "cannot encode", camera) : false);
}

/* Names the cache file after everything that the bytes depend on. */
static char *cache_key(const MeetingCamera *camera, unsigned number, guint first)
{
    GStatBuf st = {0};
    if (g_str_has_prefix(camera->source, "file:"))
        g_stat(camera->source + strlen("file:"), &st);
    g_autofree char *text = g_strdup_printf(
        "%d %s %d %dx%d %d %d %u %u %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, CACHE_VERSION,
        camera->source, camera->codec, camera->width, camera->height, camera->fps, camera->loop_s,
        number, first, (gint64)st.st_size, (gint64)st.st_mtime);
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
    return g_strdup_printf("%.32s.clip", hash);
}

/* Cuts the stored pictures into payloads. False when the file is not a whole clip. */
static bool load(MeetingClip *clip, const guint8 *data, gsize length, guint first)
{
    if (length < sizeof magic || memcmp(data, magic, sizeof magic) != 0)
        return false;
    gsize at = sizeof magic;
    for (guint i = 0; i < clip->n_frames; i++) {
        guint32 head;
        if (length - at < sizeof head)
            return false;
        memcpy(&head, data + at, sizeof head);
        head = GUINT32_FROM_LE(head);
        at += sizeof head;
        gsize bytes = head & 0x7fffffff;
        MeetingClipFrame *frame = &clip->frames[(first + i) % clip->n_frames];
        frame->key = head >> 31;
        if (bytes > length - at || (i % (guint)clip->fps == 0) != frame->key)
            return false;
        g_clear_pointer(&frame->payloads, g_ptr_array_unref);
        frame->payloads = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
        meeting_packetize(clip->codec, data + at, bytes, frame->key, frame->payloads);
        at += bytes;
    }
    return at == length;
}

/* Spreads people over the frame interval (phase) and over the second (key frames). */
static guint spread(MeetingClip *clip, const MeetingCamera *camera, unsigned number)
{
    if (g_str_equal(camera->source, "flash_beep"))
        return 0;
    unsigned who = number - 1;
    clip->phase_us = (gint64)(who * 7 % 25) * (G_USEC_PER_SEC / camera->fps) / 25;
    return who * 11 % (guint)camera->fps;
}

MeetingClip *meeting_clip_new(const MeetingCamera *camera, unsigned band_number,
                              const char *cache_folder, GError **error)
{
    g_autoptr(MeetingClip) clip = g_new0(MeetingClip, 1);
    clip->codec = camera->codec;
    clip->fps = camera->fps;
    clip->width = camera->width;
    clip->height = camera->height;
    clip->n_frames = (guint)(camera->fps * camera->loop_s);
    clip->frames = g_new0(MeetingClipFrame, clip->n_frames);
    guint first = spread(clip, camera, band_number);
    g_autofree char *name = cache_key(camera, band_number, first);
    g_autofree char *path =
        cache_folder != NULL ? g_build_filename(cache_folder, name, NULL) : NULL;
    g_autofree char *cached = NULL;
    gsize length = 0;
    if (path != NULL && g_file_get_contents(path, &cached, &length, NULL) &&
        load(clip, (const guint8 *)cached, length, first))
        return g_steal_pointer(&clip);
    g_debug("encoding %s for %u", camera->source, band_number);
    g_autoptr(GByteArray) file = g_byte_array_new();
    g_byte_array_append(file, (const guint8 *)magic, sizeof magic);
    if (!encode_loop(camera, band_number, first, clip->n_frames, file, error))
        return NULL;
    if (!load(clip, file->data, file->len, first)) {
        fail(error, "the encoder put its key frames elsewhere", camera);
        return NULL;
    }
    g_autoptr(GError) unwritten = NULL;
    if (path != NULL && (g_mkdir_with_parents(cache_folder, 0755) != 0 ||
                         !g_file_set_contents(path, (char *)file->data, file->len, &unwritten)))
        g_info("cannot keep %s: %s", path, unwritten != NULL ? unwritten->message : "no folder");
    return g_steal_pointer(&clip);
}

void meeting_clip_free(MeetingClip *clip)
{
    if (clip == NULL)
        return;
    for (guint i = 0; i < clip->n_frames; i++)
        g_clear_pointer(&clip->frames[i].payloads, g_ptr_array_unref);
    g_free(clip->frames);
    g_free(clip);
}
