/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/media/leaks.h"
#include "tests/media/meeting.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MS MEETING_MS

static const MeetingSpan always[] = {{0, 100000000}, {0, 0}};

static void start(Meeting *meeting)
{
    g_autoptr(GError) error = NULL;
    media_engine_start_recording(meeting->engine, &error);
    g_assert_no_error(error);
}

/* Frames of a camera of any codec in place of person 1's. */
static void every_codec_is_decoded(void)
{
    static const MediaCodec codecs[] = {MEDIA_CODEC_VP8, MEDIA_CODEC_VP9, MEDIA_CODEC_H264};
    MediaEngineConfig config = meeting_config();
    g_autoptr(Meeting) meeting = meeting_new(&config);
    meeting->speech[1] = always;
    meeting->fps[2] = meeting->fps[3] = 0;
    start(meeting);
    /* The codec and the size change in the middle of one track. */
    for (gsize i = 0; i < G_N_ELEMENTS(codecs); i++) {
        g_clear_pointer(&meeting->cameras[1], synth_camera_free);
        meeting->cameras[1] =
            synth_camera_new(21, codecs[i], 320 + 160 * (int)i, 180 + 90 * (int)i, 30);
        meeting_run(meeting, 2000 * (1 + (int)i));
    }
    Playback playback;
    MediaFinalized finalized;
    meeting_finish(meeting, &playback, &finalized);
    g_assert_cmpuint(playback.n_errors, ==, 0);
    unsigned seen[3] = {0}, last = 0, n = 0;
    for (guint i = 0; i < playback.pictures->len; i++) {
        const PlayedPicture *picture = &g_array_index(playback.pictures, PlayedPicture, i);
        if (picture->has_band && picture->person == 1) {
            seen[MIN((int)(picture->time_s / 2.0), 2)]++;
            n += picture->number != last;
            last = picture->number;
        }
    }
    for (int i = 0; i < 3; i++) {
        g_assert_cmpuint(seen[i], >=, 40);
    }
    g_assert_cmpuint(n, >=, meeting->n_pictures[1] * 95 / 100);
    playback_clear(&playback);
    media_finalized_clear(&finalized);
}

/* Random bytes as frames of every codec among the good ones: no crash, and the good ones of other
 * people still show. */
static void garbage_frames_harm_nobody_else(void)
{
    MediaEngineConfig config = meeting_config();
    g_autoptr(Meeting) meeting = meeting_new(&config);
    static const MeetingSpan bob[] = {{3000, 9000}, {0, 0}}, alice[] = {{0, 2800}, {0, 0}};
    meeting->speech[1] = alice;
    meeting->speech[2] = bob;
    start(meeting);
    uint32_t seed = 99;
    while (meeting->now_ms < 6000) {
        meeting_run(meeting, meeting->now_ms + 20);
        for (uint32_t k = 0; k < 3; k++) {
            uint8_t bytes[400];
            for (gsize b = 0; b < sizeof bytes; b++) {
                seed = seed * 1664525u + 1013904223u;
                bytes[b] = (uint8_t)(seed >> 24);
            }
            g_autoptr(MediaEncodedFrame) frame = media_encoded_frame_new(
                (MediaCodec)(MEDIA_CODEC_VP8 + (seed >> 16) % 4), g_bytes_new(bytes, seed % 400));
            frame->track_id = k == 0 ? 21 : 60 + k;
            frame->ssrc = seed >> 20;
            frame->rtp_timestamp = seed;
            frame->receive_ns = MEETING_START_NS + meeting->now_ms * MS;
            frame->key_frame = seed & 1;
            media_engine_push(meeting->engine, frame);
        }
    }
    Playback playback;
    MediaFinalized finalized;
    meeting_finish(meeting, &playback, &finalized);
    g_assert_cmpuint(playback.n_errors, ==, 0);
    unsigned good = 0;
    for (guint i = 0; i < playback.pictures->len; i++) {
        const PlayedPicture *picture = &g_array_index(playback.pictures, PlayedPicture, i);
        good += picture->time_s > 3.5 && picture->has_band && picture->person == 2;
    }
    g_assert_cmpuint(good, >=, 55);
    playback_clear(&playback);
    media_finalized_clear(&finalized);
}

/* A sender whose clocks run 100 ppm fast for twenty minutes, without a pause in which to hide it.
 */
static void drifting_clocks_stay_together(void)
{
    MediaEngineConfig config = meeting_config();
    config.stream_rate_hz = 16000;
    g_autoptr(Meeting) meeting = meeting_new(&config);
    media_engine_start_stream(meeting->engine);
    enum { PACKETS = 20 * 60 * 50 };
    uint64_t n_before = 0;
    for (int i = 0; i < PACKETS; i++) {
        float samples[960];
        synth_tone(samples, (int64_t)i * 960, 960, 440, 0.3);
        int64_t sent_ns = MEETING_START_NS + (int64_t)((double)i * 20e6 * (1 - 100e-6));
        g_autoptr(MediaEncodedFrame) frame =
            synth_voice_encode(meeting->voices[1], samples, sent_ns);
        media_engine_advance(meeting->engine, sent_ns + 3 * MS);
        media_engine_push(meeting->engine, frame);
        if (i == PACKETS / 2) {
            n_before = meeting->pcm->len;
        }
    }
    MediaEngineStats stats;
    media_engine_get_stats(meeting->engine, &stats);
    /* 120 ms too much sound has come in: it was left out somewhere, the depth did not grow by it.
     */
    g_assert_cmpuint(stats.stream_depth_ms, <=, 80);
    g_assert_cmpuint(n_before, >, 0);
    GArray *pcm = meeting->pcm;
    unsigned silent = 0;
    for (guint at = 16000; at + 160 < pcm->len; at += 160) {
        int peak = 0;
        for (guint k = 0; k < 160; k++) {
            peak = MAX(peak, abs(g_array_index(pcm, int16_t, at + k)));
        }
        silent += peak < 1000;
    }
    g_assert_cmpuint(silent, <, 20);
}

/* Speech is reported on the meeting's time, whichever playout hears it. */
static void speech_events_are_on_time(void)
{
    for (int streaming = 0; streaming < 2; streaming++) {
        MediaEngineConfig config = meeting_config();
        config.stream_rate_hz = streaming ? 24000 : 0;
        g_autoptr(Meeting) meeting = meeting_new(&config);
        static const MeetingSpan talk[] = {{1000, 2000}, {3000, 4000}, {0, 0}};
        meeting->speech[2] = talk;
        meeting->fps[1] = meeting->fps[2] = meeting->fps[3] = 0;
        start(meeting);
        meeting_run(meeting, 6000);
        g_assert_cmpuint(meeting->speech_events->len, ==, 4);
        static const int64_t expected_ms[] = {1000, 2000, 3000, 4000};
        for (guint i = 0; i < 4; i++) {
            const MediaSpeech *speech = &g_array_index(meeting->speech_events, MediaSpeech, i);
            g_assert_cmpuint(speech->source, ==, 102);
            g_assert_cmpuint(speech->participant_id, ==, 2);
            g_assert_cmpint(speech->speaking, ==, i % 2 == 0);
            g_assert_cmpint(ABS((speech->at_ns - MEETING_START_NS) / MS - expected_ms[i]), <, 80);
            g_assert_cmpint(ABS(speech->recording_ns / MS - expected_ms[i]), <, 80);
        }
        MediaEngineStats stats;
        media_engine_get_stats(meeting->engine, &stats);
        g_assert_cmpuint(stats.active_speaker, ==, 2);
        g_assert_cmpfloat(fabs(stats.silence_s - 2.0), <, 0.5);
    }
}

/* A word that moves to another receiver stays one turn of one person. */
static void word_over_two_receivers_is_one_turn(void)
{
    MediaEngineConfig config = meeting_config();
    g_autoptr(Meeting) meeting = meeting_new(&config);
    static const MeetingSpan talk[] = {{1000, 3000}, {0, 0}};
    meeting->speech[1] = talk;
    meeting->fps[1] = meeting->fps[2] = meeting->fps[3] = 0;
    start(meeting);
    meeting_run(meeting, 2000);
    synth_voice_move(meeting->voices[1], 14, 123456, 77);
    meeting_run(meeting, 5000);
    g_autoptr(GArray) segments = media_engine_dup_segments(meeting->engine);
    g_assert_cmpuint(segments->len, ==, 1);
    const MediaSpeechSegment *segment = &g_array_index(segments, MediaSpeechSegment, 0);
    g_assert_cmpuint(segment->participant_id, ==, 1);
    g_assert_cmpint(ABS(segment->end_ns / MS - 3000), <, 80);
}

static void unknown_encoder_is_named(void)
{
    MediaEngineConfig config = meeting_config();
    static const MediaEngineEvents none = {0};
    g_autoptr(GError) error = NULL;
    config.output_dir = "/nonexistent";
    config.encoder = "quantum";
    g_assert_null(media_engine_new(&config, &none, NULL, &error));
    g_assert_error(error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED);
    g_assert_nonnull(strstr(error->message, "quantum"));
    g_clear_error(&error);
    config.encoder = "auto";
    config.output_dir = "/proc/nothing";
    g_assert_null(media_engine_new(&config, &none, NULL, &error));
    g_assert_error(error, MEDIA_ERROR, MEDIA_ERROR_IO);
}

/* --- with the engine's own threads and clock ---------------------------------------------------
 */

typedef struct {
    GMainLoop *loop;
    GThread *main_thread;
    MediaEngine *engine;
    uint64_t n_samples; /* touched by the stream thread only, read after it ended */
    bool stopped;
} Live;

static void live_pcm(const int16_t *samples, size_t n_samples, uint64_t first_sample,
                     gpointer user_data)
{
    Live *live = user_data;
    g_assert_true(g_thread_self() != live->main_thread);
    g_assert_cmpuint(first_sample, ==, live->n_samples);
    live->n_samples += n_samples;
}

static void live_recording(MediaRecordingOp op, int64_t recording_ns, gpointer user_data)
{
    Live *live = user_data;
    g_assert_true(g_thread_self() == live->main_thread);
    if (op == MEDIA_RECORDING_STOPPED) {
        live->stopped = true;
        /* Freeing inside an event is allowed. */
        g_clear_pointer(&live->engine, media_engine_free);
        g_main_loop_quit(live->loop);
    }
}

static gboolean live_stop(gpointer user_data)
{
    Live *live = user_data;
    media_engine_stop_recording(live->engine, true);
    return G_SOURCE_REMOVE;
}

static void threads_play_and_stop(void)
{
    static const MediaEngineEvents events = {.on_pcm = live_pcm, .on_recording = live_recording};
    Live live = {.loop = g_main_loop_new(NULL, FALSE), .main_thread = g_thread_self()};
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("steno-live-XXXXXX", &error);
    MediaEngineConfig config = meeting_config();
    config.output_dir = dir;
    config.stream_rate_hz = 16000;
    live.engine = media_engine_new(&config, &events, &live, &error);
    g_assert_no_error(error);
    media_engine_start_stream(live.engine);
    media_engine_set_participant(live.engine, 1, "Ada", true, false);
    g_assert_true(media_engine_start_recording(live.engine, &error));
    g_timeout_add(1200, live_stop, &live);
    g_main_loop_run(live.loop);
    g_assert_true(live.stopped);
    g_assert_cmpuint(live.n_samples, >=, 16000);
    MediaFinalized finalized;
    g_assert_true(media_finalize(dir, NULL, &finalized, &error));
    g_assert_no_error(error);
    g_assert_cmpfloat(finalized.duration_s, >=, 1.0);
    remove(finalized.path);
    remove(dir);
    media_finalized_clear(&finalized);
    g_main_loop_unref(live.loop);
}

typedef struct {
    Live live;
    SynthVoice *voice;
    int64_t begun_ns;
    int64_t n_packets; /* sent so far */
    bool was_stopped;
} Talk;

#define TALK_PACKETS 150 /* of 20 ms */
#define STOP_AT 50

/* Somebody else stops this whole process, and lets it go on after 0.9 s. */
static void stand_still(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *script =
        g_strdup_printf("kill -STOP %d; sleep 0.9; kill -CONT %d", (int)getpid(), (int)getpid());
    char *argv[] = {(char *)"/bin/sh", (char *)"-c", script, NULL};
    g_spawn_async(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
}

/* What is due by now, all at once if need be: so do packets come that waited with everybody else.
 */
static gboolean talk_on(gpointer user_data)
{
    Talk *talk = user_data;
    int64_t now_ns = g_get_monotonic_time() * 1000;
    while (talk->n_packets < TALK_PACKETS &&
           talk->begun_ns + talk->n_packets * 20 * 1000000 <= now_ns) {
        float samples[960];
        synth_tone(samples, talk->n_packets++ * 960, 960, 300, 0.3);
        g_autoptr(MediaEncodedFrame) frame = synth_voice_encode(talk->voice, samples, now_ns);
        media_engine_push(talk->live.engine, frame);
    }
    if (talk->n_packets >= STOP_AT && !talk->was_stopped) {
        talk->was_stopped = true;
        stand_still();
    }
    if (talk->n_packets < TALK_PACKETS) {
        return G_SOURCE_CONTINUE;
    }
    g_timeout_add(1500, live_stop, &talk->live);
    return G_SOURCE_REMOVE;
}

/* Blocks of 10 ms of the tone that are not in a file of 16 kHz. */
static int count_quiet(const char *path)
{
    g_autofree char *wav = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(path, &wav, &size, NULL));
    const int16_t *samples = (const void *)(wav + 44);
    gsize n = (size - 44) / 2, first = 0;
    while (first < n && abs(samples[first]) < 3000) {
        first++;
    }
    int n_quiet = 0;
    for (gsize at = first; at < first + 16000 * 29 / 10; at += 160) {
        int peak = 0;
        for (gsize i = at; i < MIN(n, at + 160); i++) {
            peak = MAX(peak, abs(samples[i]));
        }
        n_quiet += peak < 9000;
    }
    return n_quiet;
}

/* Stopped as a whole for longer than the recording lies behind: a container that is paused. */
static void a_process_that_stood_still_loses_nothing(void)
{
    static const MediaEngineEvents events = {.on_recording = live_recording};
    Talk talk = {.live = {.loop = g_main_loop_new(NULL, FALSE), .main_thread = g_thread_self()},
                 .voice = synth_voice_new(1, 0, 48000, false)};
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("steno-stall-XXXXXX", &error);
    MediaEngineConfig config = meeting_config();
    config.output_dir = dir;
    config.mode = MEDIA_MODE_AUDIO_ONLY;
    config.audio_wav = true;
    talk.live.engine = media_engine_new(&config, &events, &talk.live, &error);
    g_assert_no_error(error);
    g_assert_true(media_engine_start_recording(talk.live.engine, &error));
    talk.begun_ns = g_get_monotonic_time() * 1000;
    g_timeout_add(5, talk_on, &talk);
    g_main_loop_run(talk.live.loop);
    MediaFinalized finalized;
    g_assert_true(media_finalize(dir, NULL, &finalized, &error));
    g_assert_no_error(error);
    g_autofree char *wav = g_build_filename(dir, "audio.wav", NULL);
    g_assert_cmpint(count_quiet(wav), ==, 0);
    remove(wav);
    remove(finalized.path);
    g_assert_cmpint(remove(dir), ==, 0);
    media_finalized_clear(&finalized);
    synth_voice_free(talk.voice);
    g_main_loop_unref(talk.live.loop);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/engine/every_codec_is_decoded", every_codec_is_decoded);
    g_test_add_func("/engine/garbage_frames_harm_nobody_else", garbage_frames_harm_nobody_else);
    g_test_add_func("/engine/drifting_clocks_stay_together", drifting_clocks_stay_together);
    g_test_add_func("/engine/speech_events_are_on_time", speech_events_are_on_time);
    g_test_add_func("/engine/word_over_two_receivers_is_one_turn",
                    word_over_two_receivers_is_one_turn);
    g_test_add_func("/engine/unknown_encoder_is_named", unknown_encoder_is_named);
    g_test_add_func("/engine/threads_play_and_stop", threads_play_and_stop);
    g_test_add_func("/engine/a_process_that_stood_still_loses_nothing",
                    a_process_that_stood_still_loses_nothing);
    return leaks_test_run();
}
