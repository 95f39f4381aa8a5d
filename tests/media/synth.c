/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/media/synth.h"

#include "media/element.h"

#include <math.h>
#include <opus.h>
#include <string.h>

struct SynthVoice {
    OpusEncoder *encoder;
    uint32_t track_id, csrc;
    uint32_t ts;
    int32_t sequence;
};

SynthVoice *synth_voice_new(uint32_t track_id, uint32_t csrc, int bitrate_bps, bool fec)
{
    SynthVoice *voice = g_new0(SynthVoice, 1);
    int error;
    voice->encoder = opus_encoder_create(
        48000, 1, fec ? OPUS_APPLICATION_VOIP : OPUS_APPLICATION_RESTRICTED_LOWDELAY, &error);
    g_assert_cmpint(error, ==, OPUS_OK);
    opus_encoder_ctl(voice->encoder, OPUS_SET_BITRATE(bitrate_bps));
    opus_encoder_ctl(voice->encoder, OPUS_SET_COMPLEXITY(3));
    if (fec) {
        opus_encoder_ctl(voice->encoder, OPUS_SET_INBAND_FEC(1));
        opus_encoder_ctl(voice->encoder, OPUS_SET_PACKET_LOSS_PERC(20));
    }
    voice->track_id = track_id;
    voice->csrc = csrc;
    voice->ts = 0xffffff00u; /* so that every test wraps early */
    voice->sequence = 65500;
    return voice;
}

void synth_voice_free(SynthVoice *voice)
{
    opus_encoder_destroy(voice->encoder);
    g_free(voice);
}

void synth_voice_move(SynthVoice *voice, uint32_t track_id, uint32_t ts, int32_t sequence)
{
    voice->track_id = track_id;
    voice->ts = ts;
    voice->sequence = sequence;
}

MediaEncodedFrame *synth_voice_encode(SynthVoice *voice, const float *samples, int64_t receive_ns)
{
    uint8_t packet[1500];
    int size = opus_encode_float(voice->encoder, samples, 960, packet, sizeof packet);
    g_assert_cmpint(size, >, 0);
    MediaEncodedFrame *frame =
        media_encoded_frame_new(MEDIA_CODEC_OPUS, g_bytes_new(packet, (gsize)size));
    frame->track_id = voice->track_id;
    frame->ssrc = 1000 + voice->track_id;
    frame->rtp_timestamp = voice->ts;
    frame->sequence = voice->sequence;
    frame->receive_ns = receive_ns;
    if (voice->csrc != 0) {
        frame->n_csrcs = 1;
        frame->csrcs[0] = voice->csrc;
    }
    voice->ts += 960;
    voice->sequence = (voice->sequence + 1) & 0xffff;
    return frame;
}

void synth_tone(float *out, int64_t from, int64_t n, double hz, double amplitude)
{
    for (int64_t i = 0; i < n; i++) {
        out[i] = (float)(amplitude * sin(2 * G_PI * hz * (double)(from + i) / 48000.0));
    }
}

MediaEncodedFrame *synth_copy(const MediaEncodedFrame *frame)
{
    MediaEncodedFrame *copy = media_encoded_frame_new(frame->codec, g_bytes_ref(frame->payload));
    copy->track_id = frame->track_id;
    copy->ssrc = frame->ssrc;
    copy->rtp_timestamp = frame->rtp_timestamp;
    copy->sequence = frame->sequence;
    copy->receive_ns = frame->receive_ns;
    copy->key_frame = frame->key_frame;
    copy->width = frame->width;
    copy->height = frame->height;
    copy->spatial_layer = frame->spatial_layer;
    copy->n_csrcs = frame->n_csrcs;
    memcpy(copy->csrcs, frame->csrcs, sizeof copy->csrcs);
    return copy;
}

#define BAND_CELLS 20 /* 4 bits of person, 16 of number, most significant first */

struct SynthCamera {
    MediaElement *encoder;
    uint32_t track_id;
    MediaCodec codec;
    int width, height, key_interval;
    int n;
    bool plain;
    int noise_bits;
    SynthPainter painter;
    gpointer painter_data;
    uint32_t random;
    GstBuffer *encoded; /* owned: what the last push gave */
};

static void on_encoded(const MediaElementOutput *output, gpointer user_data)
{
    SynthCamera *camera = user_data;
    gst_buffer_replace(&camera->encoded, output->buffer);
}

SynthCamera *synth_camera_new(uint32_t track_id, MediaCodec codec, int width, int height,
                              int key_interval)
{
    SynthCamera *camera = g_new0(SynthCamera, 1);
    g_autoptr(GError) error = NULL;
    g_autofree char *caps_text =
        g_strdup_printf("video/x-raw,format=I420,width=%d,height=%d,framerate=25/1", width, height);
    g_autoptr(GstCaps) caps = gst_caps_from_string(caps_text);
    g_autofree char *description = NULL;
    if (codec == MEDIA_CODEC_H264) {
        description = g_strdup_printf(
            "x264enc tune=zerolatency speed-preset=ultrafast threads=1 key-int-max=%d "
            "quantizer=20 pass=quant ! capsfilter "
            "caps=video/x-h264,stream-format=byte-stream,profile=baseline",
            key_interval);
    } else if (codec == MEDIA_CODEC_AV1) {
        description = g_strdup_printf("av1enc usage-profile=realtime cpu-used=9 lag-in-frames=0 "
                                      "threads=1 keyframe-max-dist=%d target-bitrate=1500",
                                      key_interval);
    } else {
        description = g_strdup_printf("%s deadline=1 cpu-used=%d threads=1 lag-in-frames=0 "
                                      "keyframe-max-dist=%d target-bitrate=1500000",
                                      codec == MEDIA_CODEC_VP9 ? "vp9enc" : "vp8enc",
                                      codec == MEDIA_CODEC_VP9 ? 8 : 16, key_interval);
    }
    camera->encoder = media_element_new(description, caps, on_encoded, camera, &error);
    g_assert_no_error(error);
    camera->track_id = track_id;
    camera->codec = codec;
    camera->width = width;
    camera->height = height;
    camera->key_interval = key_interval;
    camera->noise_bits = 1;
    return camera;
}

void synth_camera_free(SynthCamera *camera)
{
    media_element_free(camera->encoder);
    gst_clear_buffer(&camera->encoded);
    g_free(camera);
}

void synth_camera_set_plain(SynthCamera *camera, bool plain)
{
    camera->plain = plain;
}

void synth_camera_set_noise(SynthCamera *camera, int bits)
{
    g_assert(bits > 0 && bits <= 6);
    camera->noise_bits = bits;
}

void synth_camera_set_painter(SynthCamera *camera, SynthPainter painter, gpointer user_data)
{
    camera->painter = painter;
    camera->painter_data = user_data;
}

static void paint_plain(const SynthCamera *camera, uint8_t *data, unsigned person)
{
    int w = camera->width, h = camera->height;
    memset(data, (int)(50 + person % 8 * 16), (size_t)(w * h));
    for (int y = h / 4; y < h * 3 / 4; y++) {
        memset(data + y * w + w * 3 / 8, (int)(110 + person % 8 * 16), (size_t)(w / 4));
    }
    memset(data + w * h, (int)(88 + person * 37 % 80), (size_t)(w * h / 4));
    memset(data + w * h * 5 / 4, (int)(88 + person * 53 % 80), (size_t)(w * h / 4));
}

static void paint(SynthCamera *camera, uint8_t *data, unsigned person, unsigned number)
{
    int w = camera->width, h = camera->height;
    unsigned value = (person & 15) << 16 | (number & 0xffff);
    for (int x = 0; x < w; x++) {
        int cell = x * BAND_CELLS / w;
        data[x] = value >> (BAND_CELLS - 1 - cell) & 1 ? 235 : 16;
    }
    for (int y = 1; y < h / 12; y++) {
        memcpy(data + y * w, data, (size_t)w);
    }
    int shift = 32 - camera->noise_bits;
    for (int y = h / 12; y < h; y++) { /* without a division for each pixel */
        unsigned ramp = ((unsigned)y + number * 3) % 100;
        for (int x = 0; x < w; x++) {
            camera->random = camera->random * 1664525u + 1013904223u;
            data[y * w + x] = (uint8_t)(64 + ramp + (camera->random >> shift));
            ramp = ramp == 99 ? 0 : ramp + 1;
        }
    }
    memset(data + w * h, (int)(100 + person * 10), (size_t)(w * h / 4));
    memset(data + w * h * 5 / 4, (int)(160 - person * 8), (size_t)(w * h / 4));
}

MediaEncodedFrame *synth_camera_encode(SynthCamera *camera, unsigned person, unsigned number,
                                       int64_t at_ns)
{
    gsize size = (gsize)(camera->width * camera->height * 3 / 2);
    uint8_t *data = g_malloc(size);
    if (camera->painter != NULL) {
        gsize luma = (gsize)(camera->width * camera->height);
        uint8_t *const planes[3] = {data, data + luma, data + luma * 5 / 4};
        camera->painter(planes, number, camera->painter_data);
    } else if (camera->plain) {
        paint_plain(camera, data, person);
    } else {
        paint(camera, data, person, number);
    }
    GstBuffer *buffer = gst_buffer_new_wrapped(data, size);
    GST_BUFFER_PTS(buffer) = (GstClockTime)camera->n++ * 40 * GST_MSECOND;
    GST_BUFFER_DURATION(buffer) = 40 * GST_MSECOND;
    gst_clear_buffer(&camera->encoded);
    g_autoptr(GError) error = NULL;
    media_element_push(camera->encoder, buffer, &error);
    g_assert_no_error(error);
    g_assert_nonnull(camera->encoded);
    GstMapInfo map;
    gst_buffer_map(camera->encoded, &map, GST_MAP_READ);
    MediaEncodedFrame *frame =
        media_encoded_frame_new(camera->codec, g_bytes_new(map.data, map.size));
    gst_buffer_unmap(camera->encoded, &map);
    frame->track_id = camera->track_id;
    frame->ssrc = 5000 + camera->track_id;
    frame->rtp_timestamp = (uint32_t)(at_ns * 9 / 100000);
    frame->receive_ns = at_ns;
    frame->key_frame = !GST_BUFFER_FLAG_IS_SET(camera->encoded, GST_BUFFER_FLAG_DELTA_UNIT);
    frame->width = (uint16_t)camera->width;
    frame->height = (uint16_t)camera->height;
    return frame;
}

bool synth_read_band(const uint8_t *luma, int stride, int x, int y, int width, int height,
                     unsigned *ret_person, unsigned *ret_number)
{
    unsigned value = 0;
    for (int cell = 0; cell < BAND_CELLS; cell++) {
        int sum = 0, n = 0;
        for (int row = height / 48; row < height / 16; row++) {
            for (int i = width * (4 * cell + 1) / 80; i < width * (4 * cell + 3) / 80; i++) {
                sum += luma[(y + row) * stride + x + i];
                n++;
            }
        }
        int mean = sum / MAX(n, 1);
        if (mean > 70 && mean < 180) {
            return false;
        }
        value = value << 1 | (mean >= 180);
    }
    *ret_person = value >> 16;
    *ret_number = value & 0xffff;
    return true;
}
