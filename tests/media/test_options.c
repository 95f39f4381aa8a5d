/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memmem */
#include "tests/media/fake_encoder.h"
#include "tests/media/leaks.h"
#include "tests/media/meeting.h"

#include <glib/gstdio.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <math.h>
#include <string.h>

static const MeetingSpan alice[] = {{500, 6000}, {0, 0}};
static const MeetingSpan bob[] = {{6200, 7000}, {7400, 12000}, {0, 0}};

static void start(Meeting *meeting)
{
    g_autoptr(GError) error = NULL;
    media_engine_start_recording(meeting->engine, &error);
    g_assert_no_error(error);
}

static void clear(Playback *playback, MediaFinalized *finalized)
{
    playback_clear(playback);
    media_finalized_clear(finalized);
}

static char *in_output(const Meeting *meeting, const char *name)
{
    return g_build_filename(meeting->output_dir, name, NULL);
}

/* Loudness (mean square) of @sound from @from_s to @to_s. */
static double power(const Playback *sound, double from_s, double to_s)
{
    double sum = 0;
    guint from = (guint)(from_s * 48000), to = MIN((guint)(to_s * 48000), sound->samples->len);
    for (guint i = from; i < to; i++) {
        double value = (double)g_array_index(sound->samples, float, i);
        sum += value * value;
    }
    return from < to ? sum / (to - from) : 0;
}

/* Each voice has its own file, on the recording's time, the packets untouched, and nothing of the
 * others in it; a pause is cut out; somebody who comes again on another source goes on. */
static void voices_have_their_own_files(void)
{
    MediaEngineConfig config = meeting_config();
    config.separate_audio = true;
    g_autoptr(Meeting) meeting = meeting_new(&config);
    meeting->speech[1] = alice;
    meeting->speech[2] = bob;
    meeting->jitter_ms = 10;
    start(meeting);
    meeting_run(meeting, 8000);
    media_engine_pause_recording(meeting->engine);
    meeting_run(meeting, 9000);
    media_engine_resume_recording(meeting->engine);
    synth_voice_free(meeting->voices[2]);
    meeting->voices[2] = synth_voice_new(50, 202, 48000, false); /* he left and came again */
    media_engine_bind_audio(meeting->engine, 202, 2);
    meeting_run(meeting, 12500);
    Playback playback, one, two;
    MediaFinalized finalized;
    meeting_finish(meeting, &playback, &finalized);
    g_autofree char *first = in_output(meeting, "tracks/1.ogg");
    g_autofree char *second = in_output(meeting, "tracks/2.ogg");
    playback_load(&one, first);
    playback_load(&two, second);
    g_assert_cmpuint(one.n_errors + two.n_errors, ==, 0);
    /* A packet holds the 20 ms before it was received. */
    g_assert_cmpfloat(power(&one, 0.1, 0.45), <, 0.001);
    g_assert_cmpfloat(power(&one, 0.6, 5.9), >, 0.03);
    g_assert_cmpfloat(power(&one, 6.1, 11.0), <, 0.001);
    g_assert_cmpfloat(power(&two, 0.1, 6.1), <, 0.001);
    g_assert_cmpfloat(power(&two, 6.3, 6.95), >, 0.03);
    g_assert_cmpfloat(power(&two, 7.1, 7.35), <, 0.001);
    g_assert_cmpfloat(power(&two, 7.5, 7.95), >, 0.03);
    g_assert_cmpfloat(power(&two, 8.3, 10.9), >, 0.03); /* the pause took a second out */
    g_assert_cmpfloat(fabs((double)two.samples->len / 48000.0 - 11.5), <, 0.1);
    playback_clear(&one);
    playback_clear(&two);
    clear(&playback, &finalized);
}

static int16_t wav_sample(const char *data, gsize at)
{
    return (int16_t)((uint8_t)data[44 + 2 * at] | (uint8_t)data[45 + 2 * at] << 8);
}

static void wav_is_the_mix(void)
{
    MediaEngineConfig config = meeting_config();
    config.audio_wav = true;
    g_autoptr(Meeting) meeting = meeting_new(&config);
    meeting->speech[1] = alice;
    start(meeting);
    meeting_run(meeting, 8000);
    Playback playback;
    MediaFinalized finalized;
    meeting_finish(meeting, &playback, &finalized);
    g_autofree char *path = in_output(meeting, "audio.wav");
    g_autofree char *data = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(path, &data, &size, NULL));
    g_assert_cmpmem(data, 4, "RIFF", 4);
    g_assert_cmpmem(data + 20, 8, "\1\0\1\0\x80\x3e\0\0", 8); /* PCM, mono, 16000 */
    g_assert_cmpuint(((uint8_t)data[40] | (uint8_t)data[41] << 8 | (uint8_t)data[42] << 16), ==,
                     size - 44);
    g_assert_cmpfloat(fabs((double)(size - 44) / 32000.0 - 8.0), <, 0.02);
    gsize loud = 0;
    while (abs(wav_sample(data, loud)) < 3000) {
        loud++;
    }
    g_assert_cmpfloat(fabs((double)loud / 16000.0 - 0.52), <, 0.03);
    clear(&playback, &finalized);
}

/* --- what may be uploaded while it grows --- */

typedef struct {
    char *early, *late; /* owned: what was there at two times */
    gsize early_bytes, late_bytes;
} Growth;

static void read_work(const Meeting *meeting, guint i, char **ret_data, gsize *ret_bytes)
{
    g_autofree char *path = in_output(meeting, media_growing_files()[i].work);
    g_assert_true(g_file_get_contents(path, ret_data, ret_bytes, NULL));
}

/* All but the first kilobyte and the last second is in the finished file, in one piece. */
static void check_growth(const Meeting *meeting, guint i, const Growth *growth)
{
    g_autofree char *path = in_output(meeting, media_growing_files()[i].final);
    g_autofree char *data = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(path, &data, &size, NULL));
    g_assert_cmpuint(growth->early_bytes, >, 8192);
    g_assert_cmpuint(growth->late_bytes, >, growth->early_bytes + 8192);
    g_assert_cmpmem(growth->early, growth->early_bytes, growth->late, growth->early_bytes);
    const char *found = memmem(data, size, growth->late + 1024, growth->late_bytes - 1024);
    g_assert_nonnull(found);
    g_assert_cmpint(found - data, >=, 1024);
    g_assert_cmpint(found - data, <, 65536);
}

static void growing_files_are_in_the_finished_ones(void)
{
    MediaEngineConfig config = meeting_config();
    config.mode = MEDIA_MODE_AUDIO_ONLY;
    config.audio_wav = true;
    g_autoptr(Meeting) meeting = meeting_new(&config);
    meeting->speech[1] = alice;
    start(meeting);
    Growth growth[2];
    meeting_run(meeting, 6000);
    for (guint i = 0; i < G_N_ELEMENTS(growth); i++) {
        read_work(meeting, i, &growth[i].early, &growth[i].early_bytes);
    }
    media_engine_pause_recording(meeting->engine);
    meeting_run(meeting, 8000);
    media_engine_resume_recording(meeting->engine);
    meeting_run(meeting, 20000);
    for (guint i = 0; i < G_N_ELEMENTS(growth); i++) {
        read_work(meeting, i, &growth[i].late, &growth[i].late_bytes);
    }
    g_assert_null(media_growing_files()[G_N_ELEMENTS(growth)].work);
    Playback playback;
    MediaFinalized finalized;
    meeting_finish(meeting, &playback, &finalized);
    for (guint i = 0; i < G_N_ELEMENTS(growth); i++) {
        check_growth(meeting, i, &growth[i]);
        g_free(growth[i].early);
        g_free(growth[i].late);
    }
    clear(&playback, &finalized);
}

static guint n_screenshots(const Meeting *meeting)
{
    g_autofree char *path = in_output(meeting, "screenshots");
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint n = 0;
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_assert_true(g_str_has_prefix(name, "at-00000") && g_str_has_suffix(name, ".png"));
        n++;
    }
    return n;
}

static void screenshots_are_taken_of_the_picture(void)
{
    MediaEngineConfig config = meeting_config();
    config.screenshots_s = 2;
    g_autoptr(Meeting) meeting = meeting_new(&config);
    start(meeting);
    meeting_run(meeting, 7000);
    Playback playback;
    MediaFinalized finalized;
    meeting_finish(meeting, &playback, &finalized);
    g_assert_cmpuint(n_screenshots(meeting), ==, 4); /* at 0, 2, 4 and 6 s */
    g_assert_cmpuint(meeting->warnings->len, ==, 0);
    clear(&playback, &finalized);
}

static void chapters_follow_the_turns(void)
{
    static const MediaSpeechSegment spoken[] = {
        {1, 1, 1000, 9000},   {2, 2, 4000, 4500},   {2, 2, 8000, 15000},  {1, 1, 16000, 17000},
        {2, 2, 17500, 20000}, {1, 1, 21000, 30000}, {3, 0, 29000, 29900},
    };
    static const struct {
        int64_t at_ms;
        uint32_t who;
    } expected[] = {{0, 1}, {8000, 2}, {21000, 1}};
    g_autoptr(GArray) segments = g_array_new(FALSE, FALSE, sizeof(MediaSpeechSegment));
    for (gsize i = 0; i < G_N_ELEMENTS(spoken); i++) {
        MediaSpeechSegment segment = spoken[i];
        segment.start_ns *= MEETING_MS;
        segment.end_ns *= MEETING_MS;
        g_array_append_val(segments, segment);
    }
    g_autoptr(GArray) chapters = media_chapters_from_segments(segments);
    g_assert_cmpuint(chapters->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < chapters->len; i++) {
        const MediaChapter *chapter = &g_array_index(chapters, MediaChapter, i);
        g_assert_cmpint(chapter->start_ns, ==, expected[i].at_ms * MEETING_MS);
        g_assert_cmpuint(chapter->participant_id, ==, expected[i].who);
    }
}

static void chapters_are_in_the_file(void)
{
    MediaEngineConfig config = meeting_config();
    g_autoptr(Meeting) meeting = meeting_new(&config);
    g_autoptr(GError) error = NULL;
    meeting->speech[1] = alice;
    meeting->speech[2] = bob;
    start(meeting);
    meeting_run(meeting, 12500);
    media_engine_stop_recording(meeting->engine, false);
    meeting_idle(meeting, meeting->now_ms + 1000);
    g_autoptr(GArray) segments = media_engine_dup_segments(meeting->engine);
    g_autoptr(GArray) chapters = media_chapters_from_segments(segments);
    static const char *const titles[] = {"Alice Martin", "大谷"};
    g_assert_cmpuint(chapters->len, ==, 2);
    for (guint i = 0; i < 2; i++) {
        g_array_index(chapters, MediaChapter, i).title = g_strdup(titles[i]);
    }
    MediaFinalizeOptions options = {"A meeting", 1700000000000, chapters};
    MediaFinalized finalized;
    media_finalize(meeting->output_dir, &options, &finalized, &error);
    g_assert_no_error(error);
    AVFormatContext *context = NULL;
    g_assert_cmpint(avformat_open_input(&context, finalized.path, NULL, NULL), >=, 0);
    g_assert_cmpuint(context->nb_chapters, ==, 2);
    for (unsigned i = 0; i < 2; i++) {
        const AVChapter *chapter = context->chapters[i];
        double start_s = (double)chapter->start * av_q2d(chapter->time_base);
        g_assert_cmpstr(av_dict_get(chapter->metadata, "title", NULL, 0)->value, ==, titles[i]);
        g_assert_cmpfloat(fabs(start_s - (i == 0 ? 0.0 : 7.4)), <, 0.1);
    }
    g_assert_cmpstr(av_dict_get(context->metadata, "title", NULL, 0)->value, ==, "A meeting");
    g_assert_cmpstr(av_dict_get(context->metadata, "creation_time", NULL, 0)->value, ==,
                    "2023-11-14T22:13:20.000000Z");
    avformat_close_input(&context);
    media_finalized_clear(&finalized);
}

/* Nobody's picture is enlarged: the recording is as large as what came, or the default. */
static void automatic_size_is_what_was_received(void)
{
    for (int camera = 0; camera < 2; camera++) {
        MediaEngineConfig config = meeting_config();
        config.width = config.height = 0;
        g_autoptr(Meeting) meeting = meeting_new(&config);
        if (!camera) {
            meeting->fps[1] = meeting->fps[2] = meeting->fps[3] = 0;
        }
        start(meeting); /* before any picture came */
        meeting_run(meeting, 4000);
        Playback playback;
        MediaFinalized finalized;
        meeting_finish(meeting, &playback, &finalized);
        g_assert_cmpint(playback.width, ==, camera ? 320 : 1280);
        g_assert_cmpint(playback.height, ==, camera ? 180 : 720);
        g_assert_cmpfloat(fabs(playback.video_s - 4.0), <, 0.1);
        g_assert_cmpfloat(g_array_index(playback.pictures, PlayedPicture, 0).time_s, <, 0.002);
        clear(&playback, &finalized);
    }
}

/* Six steps of the quantizer are about twice the bits, whether the encoder knows quantizers or is
 * only told a rate. */
static void quality_is_what_was_asked_for(gconstpointer encoder)
{
    goffset bytes[2];
    for (int i = 0; i < 2; i++) {
        MediaEngineConfig config = meeting_config();
        config.encoder = encoder;
        config.video_quantizer = i == 0 ? 20 : 32;
        g_autoptr(Meeting) meeting = meeting_new(&config);
        meeting->speech[1] = alice;
        meeting->camera_noise_bits = 3;
        start(meeting);
        meeting_run(meeting, 5000);
        Playback playback;
        MediaFinalized finalized;
        meeting_finish(meeting, &playback, &finalized);
        g_assert_cmpuint(playback.n_errors, ==, 0);
        GStatBuf file;
        g_assert_cmpint(g_stat(finalized.path, &file), ==, 0);
        bytes[i] = file.st_size;
        clear(&playback, &finalized);
    }
    g_test_message("%d and %d bytes", (int)bytes[0], (int)bytes[1]);
    g_assert_cmpint(bytes[0], >, bytes[1] * 2);
}

typedef struct {
    const char *encoder;
    FakeEncoderFault fault;
    const char *warning; /* its beginning; NULL: none */
    int n_started;
    bool fails;
} EncoderCase;

static void encoder_faults_are_told_and_survived(gconstpointer data)
{
    const EncoderCase *c = data;
    MediaEngineConfig config = meeting_config();
    config.encoder = c->encoder;
    fake_encoder_install(c->fault, 60);
    Meeting *meeting = meeting_new(&config);
    meeting->speech[1] = alice;
    start(meeting);
    meeting_run(meeting, 8000);
    meeting_dispatch(meeting);
    g_assert_cmpuint(meeting->warnings->len, ==, c->warning != NULL ? 1 : 0);
    if (c->warning != NULL) {
        const char *warning = g_ptr_array_index(meeting->warnings, 0);
        g_test_message("%s", warning);
        g_assert_true(g_str_has_prefix(warning, c->warning));
    }
    g_assert_cmpint(fake_encoder_n_started(), ==, c->n_started);
    if (c->fails) {
        g_assert_error(meeting->error, MEDIA_ERROR, MEDIA_ERROR_ENCODER);
    } else {
        g_assert_no_error(meeting->error);
    }
    Playback playback;
    MediaFinalized finalized;
    meeting_finish(meeting, &playback, &finalized);
    g_assert_cmpuint(playback.n_errors, ==, 0);
    g_assert_cmpfloat(playback.video_s, >, c->fails ? 3.5 : 7.9);
    unsigned distinct = 0, last = 0;
    for (guint i = 0; i < playback.pictures->len; i++) {
        const PlayedPicture *picture = &g_array_index(playback.pictures, PlayedPicture, i);
        distinct += picture->has_band && picture->number != last;
        last = picture->number;
    }
    g_assert_cmpuint(distinct, >, c->fails ? 85 : 170);
    clear(&playback, &finalized);
    meeting_free(meeting);
    g_assert_cmpint(fake_encoder_n_alive(), ==, 0);
}

int main(int argc, char **argv)
{
    static const EncoderCase cases[] = {
        {"x264", FAKE_ENCODER_WORKS, NULL, 0, false},
        {"openh264", FAKE_ENCODER_WORKS, NULL, 0, false},
        {"vaapi", FAKE_ENCODER_WORKS, "encoder_fallback: ", 0, false},
        {"nvenc", FAKE_ENCODER_WORKS, NULL, 1, false},
        {"nvenc", FAKE_ENCODER_DOES_NOT_START, "encoder_fallback: ", 1, false},
        {"nvenc", FAKE_ENCODER_FAILS_AT_ONCE, "encoder_restarted: ", 1, false},
        {"nvenc", FAKE_ENCODER_DIES_ONCE, "encoder_restarted: ", 2, false},
        {"nvenc", FAKE_ENCODER_DIES, "encoder_restarted: ", 2, true},
    };
    static const char *const faults[] = {"works", "does_not_start", "fails_at_once", "dies",
                                         "dies_once"};
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/options/voices_have_their_own_files", voices_have_their_own_files);
    g_test_add_func("/options/wav_is_the_mix", wav_is_the_mix);
    g_test_add_func("/options/growing_files_are_in_the_finished_ones",
                    growing_files_are_in_the_finished_ones);
    g_test_add_func("/options/screenshots_are_taken_of_the_picture",
                    screenshots_are_taken_of_the_picture);
    g_test_add_func("/options/chapters_follow_the_turns", chapters_follow_the_turns);
    g_test_add_func("/options/chapters_are_in_the_file", chapters_are_in_the_file);
    g_test_add_func("/options/automatic_size_is_what_was_received",
                    automatic_size_is_what_was_received);
    g_test_add_data_func("/options/quality_x264", "x264", quality_is_what_was_asked_for);
    g_test_add_data_func("/options/quality_openh264", "openh264", quality_is_what_was_asked_for);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path =
            g_strdup_printf("/options/encoder_%s_%s", cases[i].encoder, faults[cases[i].fault]);
        g_test_add_data_func(path, &cases[i], encoder_faults_are_told_and_survived);
    }
    return leaks_test_run();
}
