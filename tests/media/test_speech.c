/* SPDX-License-Identifier: Apache-2.0 */
#include "media/dominant.h"
#include "media/ledger.h"
#include "media/vad.h"
#include "tests/media/leaks.h"

#define MS INT64_C(1000000)
#define STEP_NS (10 * MS)
#define LOUD_DB (-20.0)
#define QUIET_DB (-70.0)

typedef struct {
    int64_t from_ms, to_ms;
    double db;
} Stretch;

/* The level of a signal made of stretches over @floor_db. */
static double level_at(const Stretch *stretches, int64_t at_ms, double floor_db)
{
    double db = floor_db;
    for (; stretches->to_ms > 0; stretches++) {
        if (at_ms >= stretches->from_ms && at_ms < stretches->to_ms) {
            db = stretches->db;
        }
    }
    return db;
}

/* Returns the turns found, as pairs of milliseconds, ended by -1. */
static GArray *detect(const Stretch *stretches, int64_t length_ms, double floor_db)
{
    GArray *turns = g_array_new(FALSE, FALSE, sizeof(int64_t));
    MediaVad vad;
    media_vad_init(&vad);
    for (int64_t at = 0; at < length_ms; at += 10) {
        MediaVadEvent event =
            media_vad_feed(&vad, at * MS, STEP_NS, level_at(stretches, at, floor_db));
        if (event == MEDIA_VAD_START) {
            g_assert_cmpint(at * MS - vad.at_ns, <, 100 * MS); /* told in time */
        }
        if (event != MEDIA_VAD_NOTHING) {
            int64_t ms = vad.at_ns / MS;
            g_array_append_val(turns, ms);
        }
    }
    if (media_vad_elapse(&vad, (length_ms + 1000) * MS) == MEDIA_VAD_STOP) {
        int64_t ms = vad.at_ns / MS;
        g_array_append_val(turns, ms);
    }
    return turns;
}

static void assert_turns(GArray *turns, const int64_t *expected, guint n)
{
    g_assert_cmpuint(turns->len, ==, n);
    for (guint i = 0; i < n; i++) {
        g_assert_cmpint(ABS(g_array_index(turns, int64_t, i) - expected[i]), <=, 10);
    }
    g_array_unref(turns);
}

static void turns_begin_and_end_with_the_energy(void)
{
    static const Stretch talk[] = {
        {1000, 2000, LOUD_DB}, {2200, 3000, LOUD_DB}, {4000, 4500, LOUD_DB}, {0, 0, 0}};
    static const int64_t expected[] = {1000, 3000, 4000, 4500};
    assert_turns(detect(talk, 6000, QUIET_DB), expected, 4);
    assert_turns(detect(talk, 6000, -60), expected, 4);
}

static void clicks_are_no_speech(void)
{
    static const Stretch clicks[] = {
        {500, 520, LOUD_DB}, {1000, 1030, LOUD_DB}, {2000, 2010, -3}, {0, 0, 0}};
    assert_turns(detect(clicks, 3000, QUIET_DB), NULL, 0);
}

static void steady_noise_becomes_the_floor(void)
{
    static const Stretch talk[] = {{30000, 31000, -25}, {0, 0, 0}};
    static const int64_t expected[] = {30000, 31000};
    /* A fan at -55 dB never counts; a voice over it does. */
    assert_turns(detect(talk, 33000, -55), expected, 2);
}

/* Louder noise, there from the first packet on: it is nobody's turn, and a voice over it is. */
static void soft_noise_is_no_turn_from_the_start(void)
{
    static const Stretch talk[] = {{3000, 4000, -22}, {6000, 6800, -25}, {0, 0, 0}};
    static const int64_t expected[] = {3000, 4000, 6000, 6800};
    assert_turns(detect(talk, 9000, -42), expected, 4);
}

static void packets_that_stop_end_the_turn(void)
{
    MediaVad vad;
    media_vad_init(&vad);
    int n_starts = 0;
    for (int64_t at = 0; at < 500; at += 10) {
        n_starts += media_vad_feed(&vad, at * MS, STEP_NS, LOUD_DB) == MEDIA_VAD_START;
    }
    g_assert_cmpint(n_starts, ==, 1);
    g_assert_cmpint(media_vad_elapse(&vad, 700 * MS), ==, MEDIA_VAD_NOTHING);
    g_assert_cmpint(media_vad_elapse(&vad, 900 * MS), ==, MEDIA_VAD_STOP);
    g_assert_cmpint(vad.at_ns, ==, 500 * MS);
}

/* Runs two or three signals and returns when (ms) @source became the speaker; -1: never. */
static int64_t taken_over(const Stretch *const signals[3], uint32_t source, int64_t length_ms)
{
    MediaDominant *dominant = media_dominant_new();
    int64_t when = -1;
    for (int64_t at = 0; at < length_ms; at += 10) {
        for (uint32_t s = 0; s < 3 && signals[s] != NULL; s++) {
            double db = level_at(signals[s], at, QUIET_DB);
            media_dominant_feed(dominant, s + 1, at * MS, db, db > -50);
        }
        media_dominant_step(dominant, at * MS);
        uint32_t now;
        if (media_dominant_get(dominant, &now) && now == source && when < 0) {
            when = at;
        }
    }
    media_dominant_free(dominant);
    return when;
}

static void answer_takes_over_at_once(void)
{
    static const Stretch a[] = {{0, 5000, LOUD_DB}, {0, 0, 0}},
                         b[] = {{5200, 9000, -30}, {0, 0, 0}};
    int64_t when = taken_over((const Stretch *const[3]){a, b, NULL}, 2, 9000);
    g_assert_cmpint(when, >, 5200);
    g_assert_cmpint(when, <, 5500);
}

static void cough_does_not_take_over(void)
{
    static const Stretch a[] = {{0, 9000, LOUD_DB}, {0, 0, 0}},
                         b[] = {{3000, 3200, -10}, {5000, 5150, -10}, {0, 0, 0}};
    g_assert_cmpint(taken_over((const Stretch *const[3]){a, b, NULL}, 2, 9000), ==, -1);
}

static void interrupter_who_stays_takes_over(void)
{
    static const Stretch a[] = {{0, 5000, LOUD_DB}, {0, 0, 0}},
                         b[] = {{3000, 9000, -18}, {0, 0, 0}};
    int64_t when = taken_over((const Stretch *const[3]){a, b, NULL}, 2, 9000);
    g_assert_cmpint(when, >=, 3000);
    g_assert_cmpint(when, <, 5500);
}

static void last_speaker_stays_through_silence(void)
{
    static const Stretch a[] = {{0, 1000, LOUD_DB}, {0, 0, 0}};
    MediaDominant *dominant = media_dominant_new();
    uint32_t now = 0;
    for (int64_t at = 0; at < 60000; at += 10) {
        double db = level_at(a, at, QUIET_DB);
        media_dominant_feed(dominant, 5, at * MS, db, db > -50);
        media_dominant_step(dominant, at * MS);
    }
    g_assert_true(media_dominant_get(dominant, &now));
    g_assert_cmpuint(now, ==, 5);
    media_dominant_free(dominant);
}

static void late_binding_counts_for_the_past(void)
{
    MediaLedger *ledger = media_ledger_new();
    media_ledger_start(ledger, 1000 * MS);
    media_ledger_speech(ledger, 77, true, 500 * MS);
    media_ledger_speech(ledger, 78, true, 2500 * MS);
    media_ledger_speech(ledger, 77, false, 3000 * MS);
    media_ledger_pause(ledger, 4000 * MS);
    media_ledger_resume(ledger, 6000 * MS);
    media_ledger_speech(ledger, 78, false, 7000 * MS);
    media_ledger_bind(ledger, 77, 3, 9000 * MS);
    media_ledger_bind(ledger, 77, 4, 9500 * MS);
    g_autoptr(GArray) segments = media_ledger_dup_segments(ledger, 10000 * MS);
    g_assert_cmpuint(segments->len, ==, 2);
    const MediaSpeechSegment *first = &g_array_index(segments, MediaSpeechSegment, 0);
    const MediaSpeechSegment *second = &g_array_index(segments, MediaSpeechSegment, 1);
    g_assert_cmpuint(first->participant_id, ==, 3);
    g_assert_cmpint(first->start_ns, ==, 0);
    g_assert_cmpint(first->end_ns, ==, 2000 * MS);
    g_assert_cmpuint(second->participant_id, ==, 0);
    g_assert_cmpint(second->start_ns, ==, 1500 * MS);
    g_assert_cmpint(second->end_ns, ==, 4000 * MS); /* two of the seconds were cut out */
    g_assert_false(media_ledger_records(ledger, 4000 * MS));
    g_assert_true(media_ledger_records(ledger, 6000 * MS));
    g_assert_cmpint(media_ledger_to_recording(ledger, 5000 * MS), ==, 3000 * MS);
    g_assert_cmpint(media_ledger_to_recording(ledger, 999 * MS), ==, -1);
    media_ledger_free(ledger);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/speech/turns_begin_and_end_with_the_energy",
                    turns_begin_and_end_with_the_energy);
    g_test_add_func("/speech/clicks_are_no_speech", clicks_are_no_speech);
    g_test_add_func("/speech/steady_noise_becomes_the_floor", steady_noise_becomes_the_floor);
    g_test_add_func("/speech/soft_noise_is_no_turn_from_the_start",
                    soft_noise_is_no_turn_from_the_start);
    g_test_add_func("/speech/packets_that_stop_end_the_turn", packets_that_stop_end_the_turn);
    g_test_add_func("/speech/answer_takes_over_at_once", answer_takes_over_at_once);
    g_test_add_func("/speech/cough_does_not_take_over", cough_does_not_take_over);
    g_test_add_func("/speech/interrupter_who_stays_takes_over", interrupter_who_stays_takes_over);
    g_test_add_func("/speech/last_speaker_stays_through_silence",
                    last_speaker_stays_through_silence);
    g_test_add_func("/speech/late_binding_counts_for_the_past", late_binding_counts_for_the_past);
    return leaks_test_run();
}
