/* SPDX-License-Identifier: Apache-2.0 */
#include "media/mixer.h"
#include "media/pcm_writer.h"
#include "media/stream_playout.h"
#include "tests/media/leaks.h"
#include "tests/media/synth.h"

#include <gst/gst.h>
#include <math.h>
#include <string.h>

#define MS INT64_C(1000000)
#define START_NS INT64_C(7000000123456)

static void ignore_level(uint32_t source, int64_t time_ns, int64_t duration_ns, double level_db,
                         gpointer user_data)
{
}

/* A consumer of the stream that keeps everything. */
typedef struct {
    GArray *samples;
    GArray *speech; /* of int64_t: at_ns, negative when it stops */
    uint64_t expected_first;
} Consumer;

static void on_pcm(const int16_t *samples, size_t n_samples, uint64_t first_sample,
                   gpointer user_data)
{
    Consumer *consumer = user_data;
    g_assert_cmpuint(first_sample, ==, consumer->expected_first);
    consumer->expected_first += n_samples;
    g_array_append_vals(consumer->samples, samples, (guint)n_samples);
}

static void on_speech(uint32_t source, bool speaking, int64_t at_ns, gpointer user_data)
{
    Consumer *consumer = user_data;
    int64_t value = speaking ? at_ns : -at_ns;
    g_array_append_val(consumer->speech, value);
}

static const MediaStreamPlayoutEvents consumer_events = {on_pcm, on_speech, NULL};

static void consumer_init(Consumer *consumer)
{
    consumer->samples = g_array_new(FALSE, FALSE, sizeof(int16_t));
    consumer->speech = g_array_new(FALSE, FALSE, sizeof(int64_t));
    consumer->expected_first = 0;
}

static void consumer_clear(Consumer *consumer)
{
    g_array_unref(consumer->samples);
    g_array_unref(consumer->speech);
}

/* Deterministic pseudo-random number in 0..below-1. */
static uint32_t dice(uint32_t *state, uint32_t below)
{
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) % below;
}

/* The largest deviation from a tone of the given frequency, whose phase and amplitude are taken
 * from the first 100 ms: any sample missing or doubled turns the phase. */
static double tone_error(const int16_t *samples, size_t n, double hz, double rate_hz)
{
    double worst = 0;
    double w = 2 * G_PI * hz / rate_hz;
    double phase0 = 0;
    size_t window = (size_t)(rate_hz / 10);
    for (size_t at = 0; at + window <= n; at += window) {
        double re = 0, im = 0, energy = 0;
        for (size_t i = at; i < at + window; i++) {
            re += samples[i] * cos(w * (double)i);
            im += samples[i] * sin(w * (double)i);
            energy += (double)samples[i] * samples[i];
        }
        double phase = atan2(re, im);
        double tone = (re * re + im * im) * 2 / (double)window;
        if (at == 0) {
            phase0 = phase;
        }
        double turned = fabs(remainder(phase - phase0, 2 * G_PI));
        worst = fmax(worst, turned);
        /* What is not tone stays below -30 dB in any window: no click anywhere. */
        g_assert_cmpfloat((energy - tone) / energy, <, 1e-3);
    }
    return worst;
}

static size_t first_loud(const Consumer *consumer)
{
    for (guint i = 0; i < consumer->samples->len; i++) {
        if (abs(g_array_index(consumer->samples, int16_t, i)) > 1000) {
            return i;
        }
    }
    g_assert_not_reached();
}

/* What a late thread still has to play is from before the stream began, or from before its pause.
 */
static void stream_begins_and_pauses_on_time(void)
{
    static const struct {
        int64_t at_s;
        bool flowing;
        int64_t played_s, out_s; /* all of the stream up to then */
    } changes[] = {{2, true, 3, 1}, {4, false, 6, 2}, {8, true, 9, 3}};
    Consumer consumer;
    consumer_init(&consumer);
    g_autoptr(MediaStreamPlayout) playout =
        media_stream_playout_new(16000, 20, START_NS, &consumer_events, &consumer);
    for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
        media_stream_playout_set_flowing(playout, changes[i].flowing,
                                         START_NS + changes[i].at_s * 1000 * MS);
        media_stream_playout_advance(playout, START_NS + changes[i].played_s * 1000 * MS);
        int64_t ms = consumer.samples->len / 16;
        g_assert_cmpint(ABS(ms - changes[i].out_s * 1000), <=, 60);
    }
    consumer_clear(&consumer);
}

typedef struct {
    uint32_t rate_hz;
    uint32_t network_jitter_ms; /* of arrival, without reordering within a source */
    uint32_t thread_jitter_ms;
    bool hop; /* every 1.1 s to another receiver */
} ToneCase;

static void tone_survives(gconstpointer data)
{
    const ToneCase *c = data;
    enum { SECONDS = 60, PACKETS = SECONDS * 50 };
    const double hz = 990; /* a packet is no whole number of its periods, 100 ms are */
    Consumer consumer;
    consumer_init(&consumer);
    g_autoptr(MediaStreamPlayout) playout =
        media_stream_playout_new(c->rate_hz, 20, START_NS, &consumer_events, &consumer);
    media_stream_playout_set_flowing(playout, true, 0);
    g_autoptr(SynthVoice) voice = synth_voice_new(1, 4711, 128000, false);
    uint32_t seed = 1;
    int64_t wake_ns = START_NS;
    uint32_t track_ts[4] = {0, 0xffffff00u, 77, 0x80000000u};
    for (int i = 0; i < PACKETS; i++) {
        float samples[960];
        synth_tone(samples, (int64_t)i * 960, 960, hz, 0.5);
        if (c->hop && i > 0 && i % 55 == 0) {
            unsigned next = 1 + (unsigned)(i / 55) % 3;
            synth_voice_move(voice, next, track_ts[next] + (uint32_t)i * 960u, i & 0xffff);
        }
        int64_t receive_ns = START_NS + 100 * MS + i * 20 * MS;
        int64_t arrival_ns = receive_ns + 3 * MS + dice(&seed, c->network_jitter_ms + 1) * MS;
        g_autoptr(MediaEncodedFrame) frame = synth_voice_encode(voice, samples, receive_ns);
        while (wake_ns <= arrival_ns) {
            media_stream_playout_advance(playout, wake_ns);
            wake_ns += 20 * MS + dice(&seed, c->thread_jitter_ms + 1) * MS;
        }
        media_mixer_push(media_stream_playout_mixer(playout), frame, arrival_ns);
    }
    media_stream_playout_advance(playout, START_NS + (SECONDS + 1) * 1000 * MS);

    size_t begin = first_loud(&consumer) + c->rate_hz / 20;
    size_t length = (size_t)c->rate_hz * SECONDS - c->rate_hz / 5;
    g_assert_cmpuint(begin + length, <=, consumer.samples->len);
    double turned =
        tone_error(&g_array_index(consumer.samples, int16_t, begin), length, hz, c->rate_hz);
    /* One sample at 48 kHz turns this tone by 0.13 rad. */
    g_assert_cmpfloat(turned, <, 0.02);
    g_assert_cmpint(abs((int)(first_loud(&consumer) + length + c->rate_hz / 5) -
                        (int)(first_loud(&consumer) + (size_t)c->rate_hz * SECONDS)),
                    <, 2);
    consumer_clear(&consumer);
}

/* Who spoke when, in seconds from START_NS. */
typedef struct {
    double start_s[4], stop_s[4]; /* of sources 11, 22, the track and any other */
} MixWitness;

static int witness_row(uint32_t source)
{
    return source == 11 ? 0 : source == 22 ? 1 : source == 1 ? 2 : 3;
}

static void on_mix_speech(uint32_t source, bool speaking, int64_t at_ns, gpointer user_data)
{
    MixWitness *witness = user_data;
    double *times = speaking ? witness->start_s : witness->stop_s;
    times[witness_row(source)] = (double)(at_ns - START_NS) / 1e9;
}

static GArray *mix_samples;

static void on_mix_pcm(const int16_t *samples, size_t n_samples, uint64_t first_sample,
                       gpointer user_data)
{
    g_array_append_vals(mix_samples, samples, (guint)n_samples);
}

/* A server's mix: one decoder whoever contributes, and everybody who contributes speaks. */
static void a_mix_is_one_stream_of_many_voices(void)
{
    static const MediaStreamPlayoutEvents events = {on_mix_pcm, on_mix_speech};
    static const struct {
        uint8_t n;
        uint32_t csrcs[2];
    } seconds[] = {{1, {11}}, {2, {22, 11}}, {1, {22}}, {0, {0}}};
    MixWitness witness = {0};
    mix_samples = g_array_new(FALSE, FALSE, sizeof(int16_t));
    g_autoptr(MediaStreamPlayout) playout =
        media_stream_playout_new(48000, 20, START_NS, &events, &witness);
    media_stream_playout_set_flowing(playout, true, 0);
    g_autoptr(SynthVoice) voice = synth_voice_new(1, 0, 128000, false);
    for (int i = 0; i < 200; i++) {
        float samples[960];
        synth_tone(samples, (int64_t)i * 960, 960, 990, 0.5);
        int64_t receive_ns = START_NS + i * 20 * MS;
        g_autoptr(MediaEncodedFrame) frame = synth_voice_encode(voice, samples, receive_ns);
        frame->mixed = true;
        frame->n_csrcs = seconds[i / 50].n;
        memcpy(frame->csrcs, seconds[i / 50].csrcs, sizeof seconds[0].csrcs);
        media_mixer_push(media_stream_playout_mixer(playout), frame, receive_ns);
        media_stream_playout_advance(playout, receive_ns + 5 * MS);
    }
    media_stream_playout_advance(playout, START_NS + 6000 * MS);

    guint begin = 0;
    while (abs(g_array_index(mix_samples, int16_t, begin)) < 1000) {
        begin++;
    }
    g_assert_cmpuint(begin, <, 9600);
    /* No step where the contributors change: the decoder never changed. */
    double turned = tone_error(&g_array_index(mix_samples, int16_t, begin + 2400),
                               (size_t)48000 * 39 / 10, 990, 48000);
    g_assert_cmpfloat(turned, <, 0.02);
    static const double expected[3][2] = {{0, 2}, {1, 3}, {3, 4}};
    for (int i = 0; i < 3; i++) {
        g_assert_cmpfloat_with_epsilon(witness.start_s[i], expected[i][0], 0.1);
        g_assert_cmpfloat_with_epsilon(witness.stop_s[i], expected[i][1], 0.1);
    }
    g_assert_cmpfloat(witness.start_s[3], ==, 0); /* nobody else */
    g_array_unref(mix_samples);
}

static void sum_below_full_scale_is_untouched(void)
{
    g_autoptr(MediaMixer) mixer = media_mixer_new(false, START_NS, ignore_level, NULL);
    int16_t samples[2][960];
    for (int i = 0; i < 960; i++) {
        samples[0][i] = (int16_t)(i * 13 % 16001 - 8000);
        samples[1][i] = (int16_t)(i * 7 % 30001 - 15000);
    }
    for (uint32_t t = 0; t < 2; t++) {
        g_autoptr(MediaEncodedFrame) frame =
            media_encoded_frame_new(MEDIA_CODEC_PCM, g_bytes_new(samples[t], sizeof samples[t]));
        frame->track_id = t + 1;
        frame->receive_ns = START_NS + 10 * MS;
        media_mixer_push(mixer, frame, START_NS);
    }
    float out[960 * 2];
    media_mixer_render(mixer, out, 960 * 2);
    int at = 0;
    while (out[at] == 0.0f) {
        at++;
    }
    g_assert_cmpint(at, >=, 479);
    g_assert_cmpint(at, <=, 481);
    for (int i = 0; i < 960; i++) {
        g_assert_cmpint((int)(out[at + i] * 32768.0f), ==, samples[0][i] + samples[1][i]);
    }
}

static void loud_sum_is_limited(void)
{
    g_autoptr(MediaMixer) mixer = media_mixer_new(false, START_NS, ignore_level, NULL);
    int16_t samples[960];
    for (int i = 0; i < 960; i++) {
        samples[i] = (int16_t)(30000 * sin(i * 0.1));
    }
    for (uint32_t t = 0; t < 4; t++) {
        g_autoptr(MediaEncodedFrame) frame =
            media_encoded_frame_new(MEDIA_CODEC_PCM, g_bytes_new(samples, sizeof samples));
        frame->track_id = t + 1;
        frame->receive_ns = START_NS;
        media_mixer_push(mixer, frame, START_NS);
    }
    float out[960];
    media_mixer_render(mixer, out, 960);
    float peak = 0;
    for (int i = 0; i < 960; i++) {
        peak = fmaxf(peak, fabsf(out[i]));
    }
    g_assert_cmpfloat(peak, <=, 1.0f);
    g_assert_cmpfloat(peak, >, 0.9f);
}

/* Losses of one packet in ten: no gap, and nothing moves in time. */
static void losses_are_concealed_in_place(void)
{
    g_autoptr(MediaMixer) mixer = media_mixer_new(false, START_NS, ignore_level, NULL);
    g_autoptr(SynthVoice) voice = synth_voice_new(1, 0, 64000, false);
    enum { PACKETS = 200 };
    int lost = 0;
    for (int i = 0; i < PACKETS; i++) {
        float samples[960];
        synth_tone(samples, (int64_t)i * 960, 960, 440, 0.5);
        g_autoptr(MediaEncodedFrame) frame =
            synth_voice_encode(voice, samples, START_NS + i * 20 * MS);
        if (i % 10 == 5) {
            lost++;
            continue;
        }
        media_mixer_push(mixer, frame, frame->receive_ns);
    }
    g_autofree float *out = g_new0(float, PACKETS * 960);
    media_mixer_render(mixer, out, PACKETS * 960);
    for (int i = 1; i < PACKETS; i++) {
        double sum = 0;
        for (int s = 0; s < 960; s++) {
            sum += (double)out[i * 960 + s] * (double)out[i * 960 + s];
        }
        g_assert_cmpfloat(sum / 960, >, 0.125 / 8);
    }
    MediaMixerStats stats;
    media_mixer_get_stats(mixer, &stats);
    g_assert_cmpuint(stats.n_lost, ==, (unsigned)lost);
    g_assert_cmpuint(stats.n_concealed, >=, (unsigned)lost);
}

/* A talkspurt that ends must not drone on, and what follows stands where the clock says. */
static void pause_is_silent_and_next_talkspurt_is_on_time(void)
{
    g_autoptr(MediaMixer) mixer = media_mixer_new(false, START_NS, ignore_level, NULL);
    g_autoptr(SynthVoice) voice = synth_voice_new(1, 0, 64000, false);
    for (int i = 0; i < 100; i++) {
        float samples[960];
        synth_tone(samples, (int64_t)i * 960, 960, 440, 0.5);
        int64_t receive_ns = START_NS + i * 20 * MS;
        g_autoptr(MediaEncodedFrame) frame = synth_voice_encode(voice, samples, receive_ns);
        if (i < 25 || i >= 75) { /* 0 .. 0.5 s and 1.5 .. 2 s; the sequence runs on: loss */
            media_mixer_push(mixer, frame, receive_ns);
        }
    }
    g_autofree float *out = g_new0(float, 100 * 960);
    media_mixer_render(mixer, out, 100 * 960);
    for (int i = 31 * 960; i < 75 * 960 - 4800; i++) {
        g_assert_cmpfloat(fabsf(out[i]), <, 0.02f);
    }
    double sum = 0;
    for (int i = 76 * 960; i < 77 * 960; i++) {
        sum += (double)out[i] * (double)out[i];
    }
    g_assert_cmpfloat(sum / 960, >, 0.05);
}

/* The end of one talkspurt must not sound at the beginning of the next one. */
static void talkspurts_do_not_leak_into_one_another(void)
{
    g_autoptr(MediaMixer) mixer = media_mixer_new(false, START_NS, ignore_level, NULL);
    for (int spurt = 0; spurt < 2; spurt++) {
        g_autoptr(SynthVoice) voice = synth_voice_new(1, 0, 64000, false);
        synth_voice_move(voice, 1, (uint32_t)spurt * 48000u, spurt * 25);
        for (int i = 0; i < 25; i++) {
            float samples[960];
            synth_tone(samples, (int64_t)i * 960, 960, 440, spurt == 0 ? 0.5 : 0);
            int64_t receive_ns = START_NS + (spurt * 50 + i) * 20 * MS;
            g_autoptr(MediaEncodedFrame) frame = synth_voice_encode(voice, samples, receive_ns);
            frame->sequence += spurt * 25; /* the meantime was not forwarded */
            media_mixer_push(mixer, frame, receive_ns);
        }
    }
    g_autofree float *out = g_new0(float, 75 * 960);
    media_mixer_render(mixer, out, 75 * 960);
    for (int i = 30 * 960; i < 75 * 960; i++) {
        g_assert_cmpfloat(fabsf(out[i]), <, 0.01f);
    }
}

/* Late units delay what follows instead of being cut out, and the depth comes back in silence. */
static void depth_grows_when_late_and_shrinks_in_silence(void)
{
    Consumer consumer;
    consumer_init(&consumer);
    g_autoptr(MediaStreamPlayout) playout =
        media_stream_playout_new(48000, 20, START_NS, &consumer_events, &consumer);
    MediaMixer *mixer = media_stream_playout_mixer(playout);
    g_autoptr(SynthVoice) voice = synth_voice_new(1, 0, 64000, false);
    MediaMixerStats stats;
    int64_t grown = 0;
    for (int i = 0; i < 2000; i++) {
        float samples[960];
        synth_tone(samples, (int64_t)i * 960, 960, 440, i < 200 ? 0.5 : 0);
        int64_t receive_ns = START_NS + i * 20 * MS;
        bool late = i >= 100 && i < 103;
        int64_t arrival_ns = receive_ns + (late ? 65 : 2) * MS;
        g_autoptr(MediaEncodedFrame) frame = synth_voice_encode(voice, samples, receive_ns);
        if (late) {
            arrival_ns = START_NS + 102 * 20 * MS + 65 * MS;
            media_stream_playout_advance(playout, START_NS + (i + 1) * 20 * MS + 10 * MS);
            frame->receive_ns = arrival_ns;
        } else {
            media_stream_playout_advance(playout, arrival_ns);
        }
        media_mixer_push(mixer, frame, arrival_ns);
        media_mixer_get_stats(mixer, &stats);
        grown = MAX(grown, stats.delay_ns);
    }
    g_assert_cmpint(grown, >=, 40 * MS);
    g_assert_cmpint(stats.delay_ns, <=, 20 * MS);
    consumer_clear(&consumer);
}

static uint64_t samples_out(const Consumer *consumer)
{
    return consumer->expected_first;
}

/* No clock stands between a packet and the consumer: its block goes out when it comes, and again
 * so after a second in which the page stood still; then nothing is made up and nothing missing. */
static void packets_go_out_when_they_come(void)
{
    enum { STALL_AT = 100, STALL_MS = 350, PACKETS = 300 };
    Consumer consumer;
    consumer_init(&consumer);
    g_autoptr(MediaStreamPlayout) playout =
        media_stream_playout_new(48000, 20, START_NS, &consumer_events, &consumer);
    media_stream_playout_set_flowing(playout, true, 0);
    g_autoptr(SynthVoice) voice = synth_voice_new(1, 0, 128000, false);
    int64_t stall_ns = START_NS + STALL_AT * 20 * MS + STALL_MS * MS;
    int64_t wake_ns = START_NS;
    for (int i = 0; i < PACKETS; i++) {
        float samples[960];
        synth_tone(samples, (int64_t)i * 960, 960, 990, 0.5);
        int64_t receive_ns = START_NS + 100 * MS + i * 20 * MS;
        bool stalled = i >= STALL_AT && receive_ns < stall_ns;
        g_autoptr(MediaEncodedFrame) frame = synth_voice_encode(voice, samples, receive_ns);
        int64_t arrival_ns = stalled ? stall_ns : receive_ns + MS;
        /* The thread wakes whenever it wants to meanwhile. */
        for (; wake_ns < arrival_ns; wake_ns += 5 * MS) {
            media_stream_playout_advance(playout, wake_ns);
        }
        media_mixer_push(media_stream_playout_mixer(playout), frame, arrival_ns);
        uint64_t before = samples_out(&consumer);
        media_stream_playout_advance(playout, arrival_ns);
        g_assert_cmpuint(samples_out(&consumer), >=, before + 960);
    }
    size_t begin = first_loud(&consumer) + 2400;
    size_t length = PACKETS * 960 - 2 * 2400;
    length -= length % 4800;
    g_assert_cmpuint(begin + length, <=, consumer.samples->len);
    double turned =
        tone_error(&g_array_index(consumer.samples, int16_t, begin), length, 990, 48000);
    g_assert_cmpfloat(turned, <, 0.02);
    MediaMixerStats stats;
    media_mixer_get_stats(media_stream_playout_mixer(playout), &stats);
    g_assert_cmpuint(stats.n_concealed, ==, 0);
    consumer_clear(&consumer);
}

/* --- every voice alone --- */

typedef struct {
    Consumer mix;
    int32_t sum[960]; /* of the voices in the block that was given last */
    int16_t block[960];
    guint n_voices, n_blocks[2];
    int64_t at_ns[2];
    double worst;
} Parts;

static void compare_parts(Parts *parts)
{
    for (int i = 0; i < 480; i++) {
        parts->worst = fmax(parts->worst, fabs((double)(parts->sum[i] - parts->block[i])));
    }
}

static void parts_pcm(const int16_t *samples, size_t n_samples, uint64_t first_sample,
                      gpointer user_data)
{
    Parts *parts = user_data;
    compare_parts(parts); /* the block before is complete */
    memset(parts->sum, 0, sizeof parts->sum);
    memcpy(parts->block, samples, n_samples * sizeof *samples);
    on_pcm(samples, n_samples, first_sample, &parts->mix);
}

static void parts_speech(uint32_t source, bool speaking, int64_t at_ns, gpointer user_data)
{
}

static void parts_voice(uint32_t source, const int16_t *samples, size_t n_samples,
                        uint64_t first_sample, int64_t at_ns, gpointer user_data)
{
    Parts *parts = user_data;
    g_assert_cmpuint(first_sample + n_samples, ==, parts->mix.expected_first);
    source -= 1000; /* no packet names a contributing source: they are their own SSRCs */
    g_assert_true(source == 1 || source == 2);
    parts->n_blocks[source - 1]++;
    for (size_t i = 0; i < n_samples; i++) {
        parts->sum[i] += samples[i];
        if (parts->at_ns[source - 1] == 0 && abs(samples[i]) > 1000) {
            parts->at_ns[source - 1] = at_ns + (int64_t)i * 1000000000 / 24000;
        }
    }
}

/* Two people, the second from 0.5 s on, the first until 1 s: each is given only while it is heard,
 * with the time at which it was said, and both together are the mix. */
static void voices_add_up_to_the_mix(void)
{
    static const MediaStreamPlayoutEvents events = {parts_pcm, parts_speech, parts_voice};
    Parts parts = {0};
    consumer_init(&parts.mix);
    g_autoptr(MediaStreamPlayout) playout =
        media_stream_playout_new(24000, 20, START_NS, &events, &parts);
    media_stream_playout_set_flowing(playout, true, 0);
    g_autoptr(SynthVoice) first = synth_voice_new(1, 0, 64000, false);
    g_autoptr(SynthVoice) second = synth_voice_new(2, 0, 64000, false);
    SynthVoice *voices[] = {first, second};
    for (int i = 0; i < 75; i++) {
        int64_t receive_ns = START_NS + i * 20 * MS;
        for (int v = 0; v < 2; v++) {
            if (v == 0 ? i >= 50 : i < 25) {
                continue;
            }
            float samples[960];
            synth_tone(samples, (int64_t)i * 960, 960, v == 0 ? 440 : 700, 0.3);
            g_autoptr(MediaEncodedFrame) frame =
                synth_voice_encode(voices[v], samples, receive_ns + v * 7 * MS);
            media_stream_playout_advance(playout, frame->receive_ns);
            media_mixer_push(media_stream_playout_mixer(playout), frame, frame->receive_ns);
            media_stream_playout_advance(playout, frame->receive_ns);
        }
    }
    media_stream_playout_advance(playout, START_NS + 4000 * MS);
    g_assert_cmpfloat(parts.worst, <=, 2); /* each is rounded to 16 bits */
    g_assert_cmpuint(parts.n_blocks[0], >=, 50);
    g_assert_cmpuint(parts.n_blocks[0], <, 62); /* concealment of the end, and the filter's */
    g_assert_cmpuint(parts.n_blocks[1], >=, 50);
    g_assert_cmpuint(parts.n_blocks[1], <, 62);
    /* Opus begins softly, and looks 6.5 ms ahead. */
    g_assert_cmpint(llabs(parts.at_ns[0] - START_NS), <, 15 * MS);
    g_assert_cmpint(llabs(parts.at_ns[1] - (START_NS + 507 * MS)), <, 15 * MS);
    consumer_clear(&parts.mix);
}

/* The bot's own voice, come back from the meeting. */
static void an_ignored_source_is_not_heard(void)
{
    g_autoptr(MediaMixer) mixer = media_mixer_new(true, START_NS, ignore_level, NULL);
    g_autoptr(SynthVoice) voice = synth_voice_new(1, 0, 64000, false);
    media_mixer_ignore(mixer, 1001);
    for (int i = 0; i < 20; i++) {
        float samples[960], out[960];
        synth_tone(samples, (int64_t)i * 960, 960, 440, 0.5);
        int64_t receive_ns = START_NS + i * 20 * MS;
        g_autoptr(MediaEncodedFrame) frame = synth_voice_encode(voice, samples, receive_ns);
        media_mixer_push(mixer, frame, receive_ns);
        media_mixer_render(mixer, out, 960);
        for (int s = 0; s < 960; s++) {
            g_assert_cmpfloat(out[s], ==, 0.0f);
        }
    }
}

/* A server that forwards packets unchanged: two people after one another on one track, each known
 * by their SSRC; a mix stays one voice whatever its SSRC. */
static void without_contributing_sources_the_ssrc_is_the_voice(void)
{
    g_autoptr(MediaEncodedFrame) frame =
        media_encoded_frame_new(MEDIA_CODEC_OPUS, g_bytes_new_static("x", 1));
    frame->track_id = 7;
    g_assert_cmpuint(media_encoded_frame_source(frame), ==, 7);
    frame->ssrc = 6666;
    g_assert_cmpuint(media_encoded_frame_source(frame), ==, 6666);
    frame->n_csrcs = 1;
    frame->csrcs[0] = 42;
    g_assert_cmpuint(media_encoded_frame_source(frame), ==, 42);
    frame->mixed = true;
    g_assert_cmpuint(media_encoded_frame_source(frame), ==, 7);
}

static void fec_restores_a_lost_packet(void)
{
    double error[2] = {0};
    for (int with = 0; with < 2; with++) {
        g_autoptr(MediaMixer) mixer = media_mixer_new(false, START_NS, ignore_level, NULL);
        g_autoptr(MediaMixer) whole = media_mixer_new(false, START_NS, ignore_level, NULL);
        g_autoptr(SynthVoice) voice = synth_voice_new(1, 0, 24000, with == 1);
        uint32_t seed = 3;
        for (int i = 0; i < 100; i++) {
            float samples[960];
            /* A new note every 60 ms: what was lost can't be guessed. */
            static double hz;
            if (i % 3 == 0) {
                hz = 150 + dice(&seed, 600);
            }
            synth_tone(samples, (int64_t)i * 960, 960, hz, 0.5);
            g_autoptr(MediaEncodedFrame) frame =
                synth_voice_encode(voice, samples, START_NS + i * 20 * MS);
            media_mixer_push(whole, frame, frame->receive_ns);
            if (i % 9 != 6) {
                media_mixer_push(mixer, frame, frame->receive_ns);
            }
        }
        g_autofree float *got = g_new0(float, 100 * 960);
        g_autofree float *wanted = g_new0(float, 100 * 960);
        media_mixer_render(mixer, got, 100 * 960);
        media_mixer_render(whole, wanted, 100 * 960);
        for (int i = 0; i < 100 * 960; i++) {
            error[with] += fabs((double)(got[i] - wanted[i]));
        }
    }
    g_assert_cmpfloat(error[1], <, error[0] * 0.7);
}

static void resampler_is_clean(void)
{
    static const uint32_t rates[] = {16000, 24000, 32000};
    for (gsize r = 0; r < G_N_ELEMENTS(rates); r++) {
        g_autoptr(MediaPcmWriter) writer = media_pcm_writer_new(rates[r], 20);
        g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(int16_t));
        gint64 n = media_pcm_writer_block_out(writer);
        for (int i = 0; i < 100; i++) {
            float in[960];
            int16_t out[960];
            synth_tone(in, (int64_t)i * 960, 960, 997, 0.5);
            media_pcm_writer_convert(writer, in, out);
            g_array_append_vals(all, out, (guint)n);
        }
        double w = 2 * G_PI * 997 / rates[r];
        guint from = rates[r] / 2, length = rates[r];
        double re = 0, im = 0, energy = 0;
        for (guint i = from; i < from + length; i++) {
            double v = g_array_index(all, int16_t, i);
            re += v * cos(w * i);
            im += v * sin(w * i);
            energy += v * v;
        }
        double tone = (re * re + im * im) * 2 / length;
        double thd_n_db = 10 * log10((energy - tone) / energy);
        g_test_message("%u Hz: THD+N %.1f dB", rates[r], thd_n_db);
        g_assert_cmpfloat(thd_n_db, <, -60);
    }
}

static void garbage_is_survived(void)
{
    g_autoptr(MediaMixer) mixer = media_mixer_new(true, START_NS, ignore_level, NULL);
    uint32_t seed = 42;
    float out[480];
    for (int i = 0; i < 5000; i++) {
        uint8_t bytes[64];
        for (gsize b = 0; b < sizeof bytes; b++) {
            bytes[b] = (uint8_t)dice(&seed, 256);
        }
        MediaCodec codec = (MediaCodec)(MEDIA_CODEC_OPUS + dice(&seed, 3));
        g_autoptr(MediaEncodedFrame) frame =
            media_encoded_frame_new(codec, g_bytes_new(bytes, dice(&seed, sizeof bytes)));
        frame->track_id = dice(&seed, 1000);
        frame->ssrc = dice(&seed, 3);
        frame->rtp_timestamp = dice(&seed, UINT32_MAX);
        frame->sequence = (int32_t)dice(&seed, 65536);
        frame->receive_ns = START_NS + (int64_t)dice(&seed, 4000) * MS;
        frame->n_csrcs = (uint8_t)dice(&seed, 2);
        frame->csrcs[0] = dice(&seed, 1000);
        media_mixer_push(mixer, frame, START_NS + i * MS);
        if (i % 10 == 0) {
            media_mixer_render(mixer, out, 480);
            for (int s = 0; s < 480; s++) {
                g_assert_cmpfloat(fabsf(out[s]), <=, 1.0f);
            }
        }
    }
}

int main(int argc, char **argv)
{
    static const ToneCase cases[] = {
        {48000, 0, 0, false},   {24000, 0, 0, false},   {16000, 0, 0, false},
        {48000, 15, 90, false}, {24000, 15, 90, false}, {16000, 15, 90, false},
        {48000, 5, 0, true},    {24000, 5, 40, true},
    };
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf(
            "/mixer/tone_survives_%uhz_network_%ums_thread_%ums%s", cases[i].rate_hz,
            cases[i].network_jitter_ms, cases[i].thread_jitter_ms, cases[i].hop ? "_hopping" : "");
        g_test_add_data_func(path, &cases[i], tone_survives);
    }
    g_test_add_func("/mixer/stream_begins_and_pauses_on_time", stream_begins_and_pauses_on_time);
    g_test_add_func("/mixer/a_mix_is_one_stream_of_many_voices",
                    a_mix_is_one_stream_of_many_voices);
    g_test_add_func("/mixer/sum_below_full_scale_is_untouched", sum_below_full_scale_is_untouched);
    g_test_add_func("/mixer/loud_sum_is_limited", loud_sum_is_limited);
    g_test_add_func("/mixer/losses_are_concealed_in_place", losses_are_concealed_in_place);
    g_test_add_func("/mixer/pause_is_silent_and_next_talkspurt_is_on_time",
                    pause_is_silent_and_next_talkspurt_is_on_time);
    g_test_add_func("/mixer/talkspurts_do_not_leak_into_one_another",
                    talkspurts_do_not_leak_into_one_another);
    g_test_add_func("/mixer/depth_grows_when_late_and_shrinks_in_silence",
                    depth_grows_when_late_and_shrinks_in_silence);
    g_test_add_func("/mixer/packets_go_out_when_they_come", packets_go_out_when_they_come);
    g_test_add_func("/mixer/voices_add_up_to_the_mix", voices_add_up_to_the_mix);
    g_test_add_func("/mixer/an_ignored_source_is_not_heard", an_ignored_source_is_not_heard);
    g_test_add_func("/mixer/without_contributing_sources_the_ssrc_is_the_voice",
                    without_contributing_sources_the_ssrc_is_the_voice);
    g_test_add_func("/mixer/fec_restores_a_lost_packet", fec_restores_a_lost_packet);
    g_test_add_func("/mixer/resampler_is_clean", resampler_is_clean);
    g_test_add_func("/mixer/garbage_is_survived", garbage_is_survived);
    return leaks_test_run();
}
