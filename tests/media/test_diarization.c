/* SPDX-License-Identifier: Apache-2.0 */
#include "media/stream_playout.h"
#include "tests/media/leaks.h"
#include "tests/media/synth.h"

#include <gst/gst.h>
#include <math.h>
#include <string.h>

/*
 * Who speaks when, as the live stream tells it, in ten talks of spoken sentences against what was
 * said: diarization error by NIST's definition (missed, false and confused time over the time
 * spoken, overlaps included, 0.25 s around a true boundary left out), and how far onsets are off.
 */

#define MS INT64_C(1000000)
#define START_NS INT64_C(9000000000000)
#define RATE 48000
#define PEOPLE 3
#define MAX_TURNS 16
#define SECONDS 26
#define STEP_MS 10
#define STEPS (SECONDS * 1000 / STEP_MS)
#define COLLAR_STEPS 25
#define BRIDGE_STEPS 30 /* pauses within a turn, as the detector has them */
#define ENERGY_FLOOR 0.01

typedef struct {
    int person;
    const char *wav;
    int at_ms, from_ms, for_ms; /* of the file; 0: all of it */
    double gain;                /* 0: as it is */
} Turn;

typedef struct {
    const char *name;
    double noise[PEOPLE]; /* amplitude of each microphone's */
    bool always_sends;    /* else packets come only while something is said */
    int join_ms[PEOPLE];  /* nothing is heard before */
    uint32_t jitter_ms;
    Turn turns[MAX_TURNS]; /* ended by one without a file */
} Talk;

static const Talk talks[] = {
    {"turns", .turns = {{0, "alice-1", 500},
                        {1, "bob-1", 6700},
                        {2, "carol-1", 12800},
                        {0, "alice-2", 18500}}},
    {"overlaps", .turns = {{0, "alice-1", 500},
                           {1, "bob-1", 4200},
                           {2, "carol-1", 8000},
                           {0, "alice-2", 11000},
                           {1, "bob-2", 14000}}},
    {"all_at_once",
     .turns = {{0, "alice-1", 500}, {1, "bob-1", 600}, {2, "carol-1", 700}, {1, "bob-2", 9000}}},
    {"back_channels", .turns = {{0, "alice-1", 500},
                                {1, "bob-1", 1900, 0, 450},
                                {1, "bob-2", 4000, 0, 450},
                                {0, "alice-2", 7000},
                                {2, "carol-1", 8500, 0, 450},
                                {1, "bob-3", 10500, 0, 450}}},
    {"equal_voices",
     .turns = {{0, "dan-1", 500}, {1, "dan-1", 3500}, {0, "dan-2", 10500}, {1, "dan-2", 12500}}},
    {"noise", .noise = {0.003, 0.003, 0.003}, .always_sends = true,
     .turns =
         {{0, "alice-1", 1500}, {1, "bob-1", 6000}, {2, "carol-1", 12500}, {0, "alice-3", 15000}}},
    {"one_loud_room", .noise = {0.01, 0, 0}, .always_sends = true,
     .turns =
         {{1, "bob-1", 1500}, {2, "carol-2", 8500}, {1, "bob-2", 11000}, {2, "carol-1", 18000}}},
    {"joins_while_speaking", .always_sends = true, .join_ms = {0, 3000, 10000},
     .turns =
         {{0, "alice-1", 500}, {1, "bob-1", 1500}, {2, "carol-1", 8500}, {0, "alice-2", 12000}}},
    {"quiet_speaker", .turns = {{0, "alice-1", 500, .gain = 0.1},
                                {1, "bob-1", 5000},
                                {0, "alice-2", 9000, .gain = 0.1},
                                {2, "carol-1", 13000}}},
    {"quick_exchange_with_jitter", .jitter_ms = 30,
     .turns = {{0, "alice-1", 500, 0, 1200},
               {1, "bob-1", 1900, 0, 1100},
               {0, "alice-2", 3200, 0, 1300},
               {1, "bob-2", 4700, 0, 1200},
               {2, "carol-1", 6100, 0, 1500},
               {0, "alice-3", 7800, 0, 1200},
               {1, "bob-3", 9100, 0, 1500}}},
};

typedef struct {
    float *clean[PEOPLE]; /* what was said, SECONDS long */
    bool truth[PEOPLE][STEPS];
    bool found[PEOPLE][STEPS];
    int64_t now_ns;
    GArray *onsets[PEOPLE];  /* of int64_t: ms of the talk */
    GArray *told_ms[PEOPLE]; /* and when that was told */
    int64_t since_ms[PEOPLE];
} Run;

static void on_pcm(const int16_t *samples, size_t n_samples, uint64_t first_sample,
                   gpointer user_data)
{
}

static void mark(bool *row, int64_t from_ms, int64_t to_ms)
{
    for (int64_t s = MAX(from_ms, 0) / STEP_MS; s < MIN(to_ms / STEP_MS, STEPS); s++) {
        row[s] = true;
    }
}

static void on_speech(uint32_t source, bool speaking, int64_t at_ns, gpointer user_data)
{
    Run *run = user_data;
    uint32_t p = source - 101;
    g_assert_cmpuint(p, <, PEOPLE);
    int64_t at_ms = (at_ns - START_NS) / MS;
    if (speaking) {
        int64_t told_ms = (run->now_ns - START_NS) / MS;
        run->since_ms[p] = at_ms;
        g_array_append_val(run->onsets[p], at_ms);
        g_array_append_val(run->told_ms[p], told_ms);
    } else {
        mark(run->found[p], run->since_ms[p], at_ms);
        run->since_ms[p] = -1;
    }
}

/* Adds a turn: a mono 16-bit WAV at 22.05 kHz, stretched to 48. */
static void say(float *to, const Turn *turn)
{
    g_autofree char *name = g_strconcat(turn->wav, ".wav", NULL);
    g_autofree char *path =
        g_build_filename(g_getenv("G_TEST_BUILDDIR"), "meeting", "speech", name, NULL);
    g_autofree char *bytes = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    const int16_t *pcm = (const int16_t *)(void *)(bytes + 44);
    gsize n = (size - 44) / sizeof *pcm;
    double step = 22050.0 / RATE, gain = turn->gain > 0 ? turn->gain : 1;
    int64_t begin = (int64_t)turn->at_ms * RATE / 1000;
    int64_t length = turn->for_ms > 0 ? (int64_t)turn->for_ms * RATE / 1000 : INT64_MAX;
    for (int64_t i = 0; i < length && begin + i < SECONDS * RATE; i++) {
        double x = (double)i * step + turn->from_ms * 22.05;
        gsize k = (gsize)x;
        if (k + 1 >= n) {
            break;
        }
        double share = x - (double)k;
        to[begin + i] += (float)(gain * (pcm[k] * (1 - share) + pcm[k + 1] * share) / 32768.0);
    }
}

/* Where there is energy, pauses bridged; the loudness of the quiet is what its gain made of it. */
static void find_truth(Run *run, const Talk *talk, int p)
{
    double floor = ENERGY_FLOOR;
    for (const Turn *turn = talk->turns; turn->wav != NULL; turn++) {
        floor = turn->person == p && turn->gain > 0 ? ENERGY_FLOOR * turn->gain : floor;
    }
    int last = -1;
    for (int s = talk->join_ms[p] / STEP_MS; s < STEPS; s++) {
        const int n = RATE * STEP_MS / 1000;
        double sum = 0;
        for (int i = 0; i < n; i++) {
            sum += (double)run->clean[p][s * n + i] * (double)run->clean[p][s * n + i];
        }
        if (sqrt(sum / n) > floor) {
            run->truth[p][s] = true;
            if (last >= 0 && s - last <= BRIDGE_STEPS) {
                mark(run->truth[p], last * STEP_MS, s * STEP_MS);
            }
            last = s;
        }
    }
}

static float random_sample(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (float)(int32_t)*seed / 2147483648.0f;
}

/* Whether the person's packet number @i is sent: a little before and after what is said, too. */
static bool sends(const Run *run, const Talk *talk, int p, int i)
{
    if (i * 20 < talk->join_ms[p]) {
        return false;
    }
    bool near = talk->always_sends;
    for (int s = MAX(i * 2 - 10, 0); s < MIN(i * 2 + 30, STEPS) && !near; s++) {
        near = run->truth[p][s];
    }
    return near;
}

static void play_talk(Run *run, const Talk *talk)
{
    static const MediaStreamPlayoutEvents events = {on_pcm, on_speech, NULL};
    g_autoptr(MediaStreamPlayout) playout =
        media_stream_playout_new(24000, 20, START_NS, &events, run);
    SynthVoice *voices[PEOPLE];
    uint32_t seed = 7;
    for (int p = 0; p < PEOPLE; p++) {
        voices[p] = synth_voice_new((uint32_t)p + 1, (uint32_t)p + 101, 48000, false);
    }
    for (int i = 0; i < SECONDS * 50; i++) {
        for (int p = 0; p < PEOPLE; p++) {
            float samples[960];
            for (int s = 0; s < 960; s++) {
                samples[s] = run->clean[p][i * 960 + s] +
                             (float)(talk->noise[p] * 1.7) * random_sample(&seed);
            }
            int64_t sent_ns = START_NS + (i * 20 + p * 6) * MS;
            uint32_t late_ms = talk->jitter_ms > 0 ? (seed >> 8) % talk->jitter_ms : 0;
            g_autoptr(MediaEncodedFrame) frame = synth_voice_encode(voices[p], samples, sent_ns);
            if (sends(run, talk, p, i)) {
                frame->receive_ns += late_ms * MS;
                run->now_ns = MAX(run->now_ns, frame->receive_ns);
                media_mixer_push(media_stream_playout_mixer(playout), frame, run->now_ns);
            }
            run->now_ns = MAX(run->now_ns, sent_ns);
            media_stream_playout_advance(playout, run->now_ns);
        }
    }
    run->now_ns += 2000 * MS;
    media_stream_playout_advance(playout, run->now_ns);
    for (int p = 0; p < PEOPLE; p++) {
        synth_voice_free(voices[p]);
    }
}

static bool near_a_boundary(const Run *run, int s)
{
    for (int p = 0; p < PEOPLE; p++) {
        for (int k = MAX(s - COLLAR_STEPS, 1); k <= MIN(s + COLLAR_STEPS, STEPS - 1); k++) {
            if (run->truth[p][k] != run->truth[p][k - 1]) {
                return true;
            }
        }
    }
    return false;
}

static double error_rate(const Run *run)
{
    int errors = 0, spoken = 0;
    for (int s = 0; s < STEPS; s++) {
        int n_truth = 0, n_found = 0, n_both = 0;
        for (int p = 0; p < PEOPLE; p++) {
            n_truth += run->truth[p][s];
            n_found += run->found[p][s];
            n_both += run->truth[p][s] && run->found[p][s];
        }
        if (!near_a_boundary(run, s)) {
            errors += MAX(n_truth, n_found) - n_both;
            spoken += n_truth;
        }
    }
    return (double)errors / spoken;
}

/* Whether somebody begins here who was silent for long enough that no detector would bridge it. */
static bool is_onset(const bool *truth, int s)
{
    for (int k = MAX(s - 2 * BRIDGE_STEPS, 0); k < s; k++) {
        if (truth[k]) {
            return false;
        }
    }
    return truth[s];
}

/* How far each true onset is from the nearest one told, and from when it was told. */
static void add_onsets(const Run *run, GArray *off_ms, GArray *told_after_ms)
{
    for (int p = 0; p < PEOPLE; p++) {
        for (int s = 1; s < STEPS; s++) {
            if (!is_onset(run->truth[p], s)) {
                continue;
            }
            double best = 1e9, told = 1e9;
            for (guint i = 0; i < run->onsets[p]->len; i++) {
                double off = (double)(g_array_index(run->onsets[p], int64_t, i) - s * STEP_MS);
                if (fabs(off) < fabs(best)) {
                    best = off;
                    told = (double)(g_array_index(run->told_ms[p], int64_t, i) - s * STEP_MS);
                }
            }
            best = fabs(best);
            g_array_append_val(off_ms, best);
            g_array_append_val(told_after_ms, told);
        }
    }
}

static int by_value(gconstpointer a, gconstpointer b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double p95(GArray *values)
{
    g_array_sort(values, by_value);
    return g_array_index(values, double, values->len * 95 / 100);
}

static double run_talk(const Talk *talk, GArray *off_ms, GArray *told_after_ms)
{
    g_autofree Run *run = g_new0(Run, 1);
    run->now_ns = START_NS;
    for (int p = 0; p < PEOPLE; p++) {
        run->clean[p] = g_new0(float, SECONDS *RATE);
        run->onsets[p] = g_array_new(FALSE, FALSE, sizeof(int64_t));
        run->told_ms[p] = g_array_new(FALSE, FALSE, sizeof(int64_t));
        run->since_ms[p] = -1;
    }
    for (const Turn *turn = talk->turns; turn->wav != NULL; turn++) {
        say(run->clean[turn->person], turn);
    }
    for (int p = 0; p < PEOPLE; p++) {
        find_truth(run, talk, p);
    }
    play_talk(run, talk);
    double error = error_rate(run);
    add_onsets(run, off_ms, told_after_ms);
    for (int p = 0; p < PEOPLE; p++) {
        g_assert_cmpint(run->since_ms[p], ==, -1); /* everybody's turn ended */
        g_free(run->clean[p]);
        g_array_unref(run->onsets[p]);
        g_array_unref(run->told_ms[p]);
    }
    return error;
}

static void test_ten_talks(void)
{
    g_autoptr(GArray) off_ms = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) told_after_ms = g_array_new(FALSE, FALSE, sizeof(double));
    double worst = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(talks); i++) {
        double error = run_talk(&talks[i], off_ms, told_after_ms);
        g_test_message("%s: diarization error %.2f %%", talks[i].name, error * 100);
        worst = fmax(worst, error);
    }
    double off = p95(off_ms), told = p95(told_after_ms);
    g_test_message("%u onsets: off by %.0f ms, told after %.0f ms at the 95th percentile",
                   off_ms->len, off, told);
    g_assert_cmpuint(off_ms->len, >, 40);
    g_assert_cmpfloat(worst, <, 0.05);
    g_assert_cmpfloat(off, <=, 150);
    g_assert_cmpfloat(told, <=, 150);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/diarization/ten_talks", test_ten_talks);
    return leaks_test_run();
}
