/* SPDX-License-Identifier: Apache-2.0 */
#include "media/stream_playout.h"
#include "tests/media/leaks.h"
#include "tests/media/synth.h"

#include <gst/gst.h>
#include <math.h>
#include <opus.h>
#include <string.h>

/* The stream against what a decoder of its own makes of the same Opus packets. */

#define MS INT64_C(1000000)
#define START_NS INT64_C(3000000000000)
#define PACKETS 500
#define N_SAMPLES (PACKETS * 960)

typedef struct {
    GArray *samples;
} Consumer;

static void on_pcm(const int16_t *samples, size_t n_samples, uint64_t first_sample,
                   gpointer user_data)
{
    Consumer *consumer = user_data;
    g_assert_cmpuint(first_sample, ==, consumer->samples->len);
    g_array_append_vals(consumer->samples, samples, (guint)n_samples);
}

static void on_speech(uint32_t source, bool speaking, int64_t at_ns, gpointer user_data)
{
}

static const MediaStreamPlayoutEvents events = {on_pcm, on_speech, NULL};

/* A chord whose notes wander: no two stretches are alike, and all of it is below 10 kHz. */
static void chord(float *out, int64_t from)
{
    for (int i = 0; i < 960; i++) {
        double t = (double)(from + i) / 48000;
        out[i] = (float)(0.2 * sin(2 * G_PI * (300 * t + 20 * sin(t))) +
                         0.15 * sin(2 * G_PI * (1234 * t + 5 * cos(3 * t))) +
                         0.1 * sin(2 * G_PI * (5000 * t + 40 * sin(0.7 * t))));
    }
}

/* Streams the chord with packets up to @jitter_ms late; *ret_decoded: what Opus makes of it. */
static GArray *stream(uint32_t rate_hz, uint16_t frame_ms, uint32_t jitter_ms, float **ret_decoded)
{
    Consumer consumer = {g_array_new(FALSE, FALSE, sizeof(int16_t))};
    g_autoptr(MediaStreamPlayout) playout =
        media_stream_playout_new(rate_hz, frame_ms, START_NS, &events, &consumer);
    g_autoptr(SynthVoice) voice = synth_voice_new(1, 0, 96000, false);
    media_stream_playout_set_flowing(playout, true, 0);
    int error;
    OpusDecoder *decoder = opus_decoder_create(48000, 1, &error);
    float *decoded = g_new0(float, N_SAMPLES);
    uint32_t seed = 5;
    int64_t now_ns = START_NS;
    for (int i = 0; i < PACKETS; i++) {
        float samples[960];
        chord(samples, (int64_t)i * 960);
        int64_t sent_ns = START_NS + 100 * MS + i * 20 * MS;
        g_autoptr(MediaEncodedFrame) frame = synth_voice_encode(voice, samples, sent_ns);
        gsize size;
        const guint8 *packet = g_bytes_get_data(frame->payload, &size);
        int n = opus_decode_float(decoder, packet, (opus_int32)size, decoded + i * 960, 960, 0);
        g_assert_cmpint(n, ==, 960);
        seed = seed * 1664525u + 1013904223u;
        int64_t arrival_ns = sent_ns + (jitter_ms > 0 ? (seed >> 8) % jitter_ms : 0) * MS;
        for (; now_ns < arrival_ns; now_ns += 3 * MS) {
            media_stream_playout_advance(playout, now_ns);
        }
        now_ns = MAX(now_ns, arrival_ns);
        frame->receive_ns = now_ns;
        media_mixer_push(media_stream_playout_mixer(playout), frame, now_ns);
        media_stream_playout_advance(playout, now_ns);
    }
    media_stream_playout_advance(playout, now_ns + 1000 * MS);
    opus_decoder_destroy(decoder);
    *ret_decoded = decoded;
    return consumer.samples;
}

static guint first_sound(GArray *samples)
{
    guint i = 0;
    while (g_array_index(samples, int16_t, i) == 0) {
        i++;
        g_assert_cmpuint(i, <, samples->len);
    }
    return i;
}

/* At 48 kHz every sample of every packet is there, once, bit for bit. */
static void test_no_sample_missing_or_doubled(gconstpointer data)
{
    uint32_t jitter_ms = GPOINTER_TO_UINT(data);
    g_autofree float *decoded = NULL;
    g_autoptr(GArray) got = stream(48000, 20, jitter_ms, &decoded);
    gint64 skip = 0;
    while (lrintf(decoded[skip] * 32768.0f) == 0) {
        skip++;
    }
    guint begin = first_sound(got);
    g_assert_cmpuint(begin + N_SAMPLES - skip, <=, got->len);
    for (gint64 i = skip; i < N_SAMPLES; i++) {
        int wanted = (int)lrintf(fminf(fmaxf(decoded[i] * 32768.0f, -32768.0f), 32767.0f));
        int found = g_array_index(got, int16_t, begin + (guint)(i - skip));
        g_assert_cmpint(found, ==, wanted);
    }
}

/* An ideal low pass and every n-th sample: a windowed sinc far longer than the product's filter. */
static double ideal(const float *in, double position, double cutoff)
{
    const int half = 1200;
    gint64 centre = (gint64)floor(position);
    double sum = 0;
    for (gint64 k = centre - half; k <= centre + half; k++) {
        double x = (double)k - position;
        double sinc = x == 0 ? cutoff : sin(G_PI * cutoff * x) / (G_PI * x);
        double window = 0.5 + 0.5 * cos(G_PI * x / (half + 1));
        sum += k >= 0 && k < N_SAMPLES ? (double)in[k] * sinc * window : 0;
    }
    return sum;
}

typedef struct {
    GArray *got;
    const float *decoded;
    uint32_t rate_hz;
    guint begin;  /* output sample that decoded[0] is nearest to */
    double shift; /* and how far from it, in input samples */
} Comparison;

/* Level in dB of what differs from the ideal, over @n samples from one second on. */
static double difference_db(const Comparison *c, guint n)
{
    double ratio = 48000.0 / c->rate_hz, error = 0, energy = 0;
    for (guint i = c->rate_hz; i < c->rate_hz + n; i++) {
        double wanted = ideal(c->decoded, i * ratio + c->shift, 1 / ratio);
        double is = g_array_index(c->got, int16_t, c->begin + i) / 32768.0;
        error += (is - wanted) * (is - wanted);
        energy += wanted * wanted;
    }
    return 10 * log10(error / energy + 1e-12);
}

/* A delay is no distortion: find the filter's, first to a sample, then to a part of one. */
static void align(Comparison *c)
{
    Comparison best = *c;
    double least_db = 0;
    for (guint at = c->begin - 60; at < c->begin + 60; at++) {
        Comparison here = *c;
        here.begin = at;
        double db = difference_db(&here, 100);
        if (db < least_db) {
            least_db = db;
            best = here;
        }
    }
    double low = -48000.0 / c->rate_hz, high = -low;
    for (int i = 0; i < 40; i++) {
        Comparison a = best, b = best;
        a.shift = low + (high - low) / 3;
        b.shift = high - (high - low) / 3;
        if (difference_db(&a, 100) < difference_db(&b, 100)) {
            high = b.shift;
        } else {
            low = a.shift;
        }
    }
    best.shift = (low + high) / 2;
    *c = best;
}

/* What differs from the decoded Opus, resampled ideally, is below -60 dB of it. */
static void test_other_rates_are_clean(gconstpointer data)
{
    uint32_t rate_hz = GPOINTER_TO_UINT(data);
    g_autofree float *decoded = NULL;
    g_autoptr(GArray) got = stream(rate_hz, 20, 15, &decoded);
    Comparison c = {got, decoded, rate_hz, first_sound(got), 0};
    align(&c);
    double thd_n_db = difference_db(&c, rate_hz / 2);
    g_test_message("%u Hz: THD+N %.1f dB against the decoded Opus", rate_hz, thd_n_db);
    g_assert_cmpfloat(thd_n_db, <, -60);
}

/* Every length of message, whole and continuous. */
static void test_every_frame_length(void)
{
    static const uint16_t lengths_ms[] = {10, 13, 20, 30, 60, 100};
    for (gsize i = 0; i < G_N_ELEMENTS(lengths_ms); i++) {
        g_autofree float *decoded = NULL;
        g_autoptr(GArray) got = stream(48000, lengths_ms[i], 15, &decoded);
        g_assert_cmpuint(got->len % (48u * lengths_ms[i]), ==, 0);
        guint begin = first_sound(got);
        gint64 skip = 0;
        while (lrintf(decoded[skip] * 32768.0f) == 0) {
            skip++;
        }
        for (gint64 s = skip; s < N_SAMPLES; s++) {
            g_assert_cmpint(g_array_index(got, int16_t, begin + (guint)(s - skip)), ==,
                            lrintf(decoded[s] * 32768.0f));
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/stream_exact/no_sample_missing_or_doubled", NULL,
                         test_no_sample_missing_or_doubled);
    g_test_add_data_func("/stream_exact/no_sample_missing_or_doubled_with_jitter",
                         GUINT_TO_POINTER(40), test_no_sample_missing_or_doubled);
    static const guint rates[] = {16000, 24000, 32000};
    for (gsize i = 0; i < G_N_ELEMENTS(rates); i++) {
        g_autofree char *path = g_strdup_printf("/stream_exact/clean_at_%u_hz", rates[i]);
        g_test_add_data_func(path, GUINT_TO_POINTER(rates[i]), test_other_rates_are_clean);
    }
    g_test_add_func("/stream_exact/every_frame_length", test_every_frame_length);
    return leaks_test_run();
}
