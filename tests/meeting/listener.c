// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/listener.h"

#include <gst/rtp/rtp.h>
#include <libavcodec/avcodec.h>
#include <math.h>
#include <opus.h>
#include <stdio.h>
#include <string.h>

enum { RATE = 48000, WINDOW = RATE / 100, MAX_FRAME = RATE * 120 / 1000, WAV_HEADER = 44 };

#define SOUND_RMS 0.003
#define SOUND_GAP_US 300000
/* Sound that is later than its timestamps say by this much, and by how much soon after the
 * microphone was opened. */
#define MAX_LATE_SAMPLES RATE
#define MAX_LATE_RESUMED_SAMPLES (RATE / 10)
#define RESUMING_US G_USEC_PER_SEC
/* A longer hole in the timestamps starts the clock anew instead of being filled. */
#define MAX_GAP_SAMPLES (60 * 60 * RATE)
/* A picture whose brightness varies by less than this shows nothing (a black frame). */
#define PICTURE_DEVIATION 3.0

typedef struct {
    gint64 from_us;
    gint64 to_us;
} Stretch;

struct MeetingListener {
    GMutex lock; /* over everything */
    char *path;  /* owned */
    FILE *file;
    OpusDecoder *opus;
    bool started;
    gint64 resumed_us; /* when the microphone was opened last, monotonic */
    gint64 start_us;   /* of the first sample, monotonic */
    guint32 first_ts;
    gint64 last_ts; /* unwrapped, relative to first_ts */
    gint64 n_samples;
    gint64 n_packets;
    double square_sum; /* of the window being filled */
    guint n_window;
    GArray *sound; /* of Stretch */

    gint64 n_video_packets;
    gint64 n_pictures;
    gint64 n_shown; /* key frames that showed something */
    gint64 first_picture_us, last_picture_us;
    int width, height;
    GByteArray *picture; /* owned: the VP8 frame being joined */
    AVCodecContext *vp8;
};

MeetingListener *meeting_listener_new(const char *wav_path)
{
    MeetingListener *l = g_new0(MeetingListener, 1);
    g_mutex_init(&l->lock);
    l->path = g_strdup(wav_path);
    l->sound = g_array_new(FALSE, FALSE, sizeof(Stretch));
    l->picture = g_byte_array_new();
    l->opus = opus_decoder_create(RATE, 1, NULL);
    return l;
}

void meeting_listener_free(MeetingListener *l)
{
    if (l == NULL)
        return;
    if (l->file != NULL)
        fclose(l->file);
    opus_decoder_destroy(l->opus);
    avcodec_free_context(&l->vp8);
    g_byte_array_unref(l->picture);
    g_array_unref(l->sound);
    g_free(l->path);
    g_mutex_clear(&l->lock);
    g_free(l);
}

/* --- sound --- */

static void write_header(MeetingListener *l)
{
    guint8 h[WAV_HEADER] = "RIFF....WAVEfmt ";
    guint32 bytes = (guint32)MIN(l->n_samples * 2, (gint64)G_MAXUINT32 - WAV_HEADER);
    GST_WRITE_UINT32_LE(h + 4, bytes + WAV_HEADER - 8);
    GST_WRITE_UINT32_LE(h + 16, 16);
    GST_WRITE_UINT16_LE(h + 20, 1);
    GST_WRITE_UINT16_LE(h + 22, 1);
    GST_WRITE_UINT32_LE(h + 24, RATE);
    GST_WRITE_UINT32_LE(h + 28, RATE * 2);
    GST_WRITE_UINT16_LE(h + 32, 2);
    GST_WRITE_UINT16_LE(h + 34, 16);
    memcpy(h + 36, "data", 4);
    GST_WRITE_UINT32_LE(h + 40, bytes);
    rewind(l->file);
    fwrite(h, 1, sizeof h, l->file);
    fseek(l->file, 0, SEEK_END);
}

static void end_window(MeetingListener *l)
{
    double rms = sqrt(l->square_sum / WINDOW) / 32768;
    gint64 to_us = l->start_us + l->n_samples * G_USEC_PER_SEC / RATE;
    gint64 from_us = to_us - G_USEC_PER_SEC * WINDOW / RATE;
    l->square_sum = 0;
    l->n_window = 0;
    if (rms < SOUND_RMS)
        return;
    Stretch *last = l->sound->len > 0 ? &g_array_index(l->sound, Stretch, l->sound->len - 1) : NULL;
    if (last != NULL && from_us - last->to_us < SOUND_GAP_US) {
        last->to_us = to_us;
        return;
    }
    Stretch stretch = {from_us, to_us};
    g_array_append_val(l->sound, stretch);
}

static void append(MeetingListener *l, const gint16 *samples, int n)
{
    if (l->file == NULL && l->path != NULL && l->n_samples == 0) {
        l->file = fopen(l->path, "wb");
        if (l->file != NULL)
            write_header(l);
        else
            g_warning("cannot write %s", l->path);
    }
    if (l->file != NULL)
        fwrite(samples, sizeof *samples, (size_t)n, l->file);
    for (int i = 0; i < n; i++) {
        l->square_sum += (double)samples[i] * samples[i];
        l->n_samples++;
        if (++l->n_window == WINDOW)
            end_window(l);
    }
}

static void append_silence(MeetingListener *l, gint64 n)
{
    static const gint16 silence[RATE / 10];
    for (; n > 0; n -= G_N_ELEMENTS(silence))
        append(l, silence, (int)MIN(n, (gint64)G_N_ELEMENTS(silence)));
}

static void hear(MeetingListener *l, guint32 timestamp, const guint8 *data, guint length,
                 gint64 at_us)
{
    gint16 samples[MAX_FRAME];
    int n = opus_decode(l->opus, data, (opus_int32)length, samples, MAX_FRAME, 0);
    if (n < 0)
        return;
    if (!l->started) {
        l->started = true;
        l->first_ts = timestamp;
        l->start_us = at_us;
    }
    gint64 ts = l->last_ts + (gint32)(timestamp - l->first_ts - (guint32)l->last_ts);
    gint64 now = (at_us - l->start_us) * RATE / G_USEC_PER_SEC;
    bool resuming = at_us - l->resumed_us < RESUMING_US;
    gint64 max_late = resuming ? MAX_LATE_RESUMED_SAMPLES : MAX_LATE_SAMPLES;
    gint64 gap = ts - l->n_samples;
    if (gap > MAX_GAP_SAMPLES || gap < -RATE || now - ts > max_late) {
        gap = MAX(0, now - l->n_samples);
        l->first_ts = timestamp - (guint32)(l->n_samples + gap);
        ts = l->n_samples + gap;
    }
    l->last_ts = ts;
    append_silence(l, gap);
    append(l, samples, n);
    l->n_packets++;
}

void meeting_listener_push_audio(MeetingListener *l, GstBuffer *packet, gint64 at_us)
{
    GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
    if (!gst_rtp_buffer_map(packet, GST_MAP_READ, &rtp))
        return;
    guint length = gst_rtp_buffer_get_payload_len(&rtp);
    g_mutex_lock(&l->lock);
    if (length > 0)
        hear(l, gst_rtp_buffer_get_timestamp(&rtp), gst_rtp_buffer_get_payload(&rtp), length,
             at_us);
    g_mutex_unlock(&l->lock);
    gst_rtp_buffer_unmap(&rtp);
}

void meeting_listener_resume(MeetingListener *l)
{
    g_mutex_lock(&l->lock);
    l->resumed_us = g_get_monotonic_time();
    g_mutex_unlock(&l->lock);
}

/* --- picture --- */

/* Length of a VP8 payload descriptor (RFC 7741, 4.2), or 0. */
static gsize descriptor_bytes(const guint8 *p, gsize length)
{
    gsize at = 1;
    if (length < 2)
        return 0;
    if (p[0] & 0x80) {
        guint8 x = p[at++];
        if (x & 0x80) {
            if (at >= length)
                return 0;
            at += p[at] & 0x80 ? 2 : 1;
        }
        at += (x & 0x40 ? 1 : 0) + (x & 0x30 ? 1 : 0);
    }
    return at < length ? at : 0;
}

static bool shows_something(const AVFrame *frame)
{
    double sum = 0, squares = 0, n = 0;
    for (int y = 0; y < frame->height; y += 4) {
        for (int x = 0; x < frame->width; x += 4) {
            double value = frame->data[0][y * frame->linesize[0] + x];
            sum += value;
            squares += value * value;
            n++;
        }
    }
    return n > 0 && sqrt(MAX(0, squares / n - sum / n * (sum / n))) > PICTURE_DEVIATION;
}

/* Looks at a key frame; others are only counted. */
static void look(MeetingListener *l)
{
    if (l->picture->len < 10 || (l->picture->data[0] & 1) != 0)
        return;
    if (l->vp8 == NULL) {
        l->vp8 = avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_VP8));
        if (avcodec_open2(l->vp8, NULL, NULL) < 0)
            avcodec_free_context(&l->vp8);
    }
    AVPacket *packet = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    if (l->vp8 != NULL && av_new_packet(packet, (int)l->picture->len) == 0) {
        memcpy(packet->data, l->picture->data, l->picture->len);
        if (avcodec_send_packet(l->vp8, packet) == 0 && avcodec_receive_frame(l->vp8, frame) == 0) {
            l->width = frame->width;
            l->height = frame->height;
            l->n_shown += shows_something(frame);
        }
    }
    av_frame_free(&frame);
    av_packet_free(&packet);
}

static void see(MeetingListener *l, GstRTPBuffer *rtp, gint64 at_us)
{
    const guint8 *payload = gst_rtp_buffer_get_payload(rtp);
    guint length = gst_rtp_buffer_get_payload_len(rtp);
    gsize skip = descriptor_bytes(payload, length);
    l->n_video_packets++;
    if (skip == 0)
        return;
    if ((payload[0] & 0x10) && (payload[0] & 0x07) == 0)
        g_byte_array_set_size(l->picture, 0);
    g_byte_array_append(l->picture, payload + skip, length - (guint)skip);
    if (!gst_rtp_buffer_get_marker(rtp))
        return;
    if (l->n_pictures++ == 0)
        l->first_picture_us = at_us;
    l->last_picture_us = at_us;
    look(l);
    g_byte_array_set_size(l->picture, 0);
}

void meeting_listener_push_video(MeetingListener *l, GstBuffer *packet, gint64 at_us)
{
    GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
    if (!gst_rtp_buffer_map(packet, GST_MAP_READ, &rtp))
        return;
    g_mutex_lock(&l->lock);
    see(l, &rtp, at_us);
    g_mutex_unlock(&l->lock);
    gst_rtp_buffer_unmap(&rtp);
}

/* --- report --- */

static void set_number(JsonBuilder *b, const char *key, double value)
{
    json_builder_set_member_name(b, key);
    json_builder_add_double_value(b, value);
}

static void set_int(JsonBuilder *b, const char *key, gint64 value)
{
    json_builder_set_member_name(b, key);
    json_builder_add_int_value(b, value);
}

static double seconds(gint64 at_us, gint64 zero_us)
{
    return (double)(at_us - zero_us) / 1e6;
}

static void report_sound(MeetingListener *l, JsonBuilder *b, gint64 zero_us)
{
    json_builder_set_member_name(b, "said");
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "wav");
    if (l->file != NULL)
        json_builder_add_string_value(b, l->path);
    else
        json_builder_add_null_value(b);
    set_int(b, "packets", l->n_packets);
    set_number(b, "duration_s", (double)l->n_samples / RATE);
    if (l->started)
        set_number(b, "start_s", seconds(l->start_us, zero_us));
    json_builder_set_member_name(b, "sound");
    json_builder_begin_array(b);
    for (guint i = 0; i < l->sound->len; i++) {
        const Stretch *stretch = &g_array_index(l->sound, Stretch, i);
        json_builder_begin_object(b);
        set_number(b, "start_s", seconds(stretch->from_us, zero_us));
        set_number(b, "end_s", seconds(stretch->to_us, zero_us));
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
}

void meeting_listener_report(MeetingListener *l, JsonBuilder *b, gint64 zero_us)
{
    g_mutex_lock(&l->lock);
    if (l->file != NULL) {
        write_header(l);
        fflush(l->file);
    }
    report_sound(l, b, zero_us);
    json_builder_set_member_name(b, "camera");
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "showed_picture");
    json_builder_add_boolean_value(b, l->n_shown > 0);
    set_int(b, "packets", l->n_video_packets);
    set_int(b, "pictures", l->n_pictures);
    set_int(b, "width", l->width);
    set_int(b, "height", l->height);
    if (l->n_pictures > 0) {
        set_number(b, "first_s", seconds(l->first_picture_us, zero_us));
        set_number(b, "last_s", seconds(l->last_picture_us, zero_us));
    }
    json_builder_end_object(b);
    g_mutex_unlock(&l->lock);
}
