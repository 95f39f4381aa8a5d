/* SPDX-License-Identifier: Apache-2.0 */
#include "media/tone.h"

#include "media/frame.h"

#include <math.h>
#include <opus.h>

#define PACKET_SAMPLES 960    /* 20 ms */
#define MAX_PACKET_BYTES 1275 /* RFC 6716, 3.4 */
#define BITRATE_BPS 24000
#define AMPLITUDE 0.25

static GBytes *encode_packet(OpusEncoder *encoder, unsigned hz, unsigned nth)
{
    float samples[PACKET_SAMPLES];
    for (unsigned i = 0; i < PACKET_SAMPLES; i++) {
        double turns = (double)hz * (nth * PACKET_SAMPLES + i) / MEDIA_AUDIO_RATE_HZ;
        samples[i] = (float)(AMPLITUDE * sin(2 * G_PI * turns));
    }
    guint8 packet[MAX_PACKET_BYTES];
    int n_bytes = opus_encode_float(encoder, samples, PACKET_SAMPLES, packet, sizeof packet);
    g_assert(n_bytes > 0);
    return g_bytes_new(packet, (gsize)n_bytes);
}

GPtrArray *media_tone_new(unsigned hz)
{
    int error = OPUS_OK;
    OpusEncoder *encoder =
        opus_encoder_create(MEDIA_AUDIO_RATE_HZ, 1, OPUS_APPLICATION_AUDIO, &error);
    g_assert(error == OPUS_OK);
    opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(0));
    opus_encoder_ctl(encoder, OPUS_SET_BITRATE(BITRATE_BPS));
    GPtrArray *packets = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    /* The first second only brings the encoder to the state that the last packet leaves it in. */
    for (unsigned i = 0; i < 2 * MEDIA_TONE_PACKETS; i++) {
        GBytes *packet = encode_packet(encoder, hz, i % MEDIA_TONE_PACKETS);
        if (i < MEDIA_TONE_PACKETS) {
            g_bytes_unref(packet);
        } else {
            g_ptr_array_add(packets, packet);
        }
    }
    opus_encoder_destroy(encoder);
    return packets;
}
