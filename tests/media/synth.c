/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/media/synth.h"

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
