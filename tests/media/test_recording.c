/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/media/leaks.h"
#include "tests/media/meeting.h"

#include <math.h>
#include <stdio.h>

static const MeetingSpan alice_first[] = {{500, 4000}, {0, 0}};
static const MeetingSpan bob_second[] = {{4200, 8000}, {0, 0}};
static const MeetingSpan carla_third[] = {{8200, 12000}, {0, 0}};

static void check_whole(const Playback *playback, double expected_s)
{
    g_assert_cmpuint(playback->n_errors, ==, 0);
    g_assert_cmpfloat(fabs(playback->video_s - expected_s), <, 0.1);
    g_assert_cmpfloat(fabs(playback->audio_s - expected_s), <, 0.022); /* a frame of AAC */
    g_assert_cmpfloat(playback->audio_s, >=, expected_s - 0.001);
    g_assert_cmpfloat(g_array_index(playback->pictures, PlayedPicture, 0).time_s, <, 0.002);
}

static void right_person_is_shown_without_losing_frames(void)
{
    MediaEngineConfig config = meeting_config();
    g_autoptr(Meeting) meeting = meeting_new(&config);
    meeting->speech[1] = alice_first;
    meeting->speech[2] = bob_second;
    meeting->speech[3] = carla_third;
    meeting->jitter_ms = 12;
    g_autoptr(GError) error = NULL;
    meeting_run(meeting, 200);
    media_engine_start_recording(meeting->engine, &error);
    g_assert_no_error(error);
    meeting_run(meeting, 12200);
    Playback playback;
    MediaFinalized finalized;
    meeting_finish(meeting, &playback, &finalized);
    check_whole(&playback, 12.0);
    g_assert_false(finalized.recovered);

    double began[4] = {0};
    unsigned shown = 0, last_person = 0, last_number = 0, skipped = 0;
    for (guint i = 0; i < playback.pictures->len; i++) {
        const PlayedPicture *picture = &g_array_index(playback.pictures, PlayedPicture, i);
        g_assert_true(picture->has_band || picture->time_s < 0.3);
        if (!picture->has_band || picture->time_s < 0.3) {
            continue; /* the first moments are one picture, of what showed at the start */
        }
        g_assert_cmpuint(picture->person, >=, 1);
        g_assert_cmpuint(picture->person, <=, 3);
        if (picture->person != last_person) {
            g_assert_cmpfloat(began[picture->person], ==, 0); /* nobody flickers back */
            began[picture->person] = picture->time_s;
        } else {
            skipped += picture->number - last_number > 1 ? picture->number - last_number - 1 : 0;
        }
        last_person = picture->person;
        last_number = picture->number;
        shown++;
    }
    g_test_message("shown %u, skipped %u, switches at %.2f and %.2f s", shown, skipped, began[2],
                   began[3]);
    g_assert_cmpuint(skipped * 100, <=, shown);
    g_assert_cmpfloat(fabs(began[2] - 4.0), <, 0.6);
    g_assert_cmpfloat(fabs(began[3] - 8.0), <, 0.6);

    g_autoptr(GArray) segments = media_engine_dup_segments(meeting->engine);
    g_assert_cmpuint(segments->len, ==, 3);
    for (guint i = 0; i < 3; i++) {
        const MediaSpeechSegment *segment = &g_array_index(segments, MediaSpeechSegment, i);
        const MeetingSpan *span = meeting->speech[i + 1];
        g_assert_cmpuint(segment->participant_id, ==, i + 1);
        g_assert_cmpint(ABS(segment->start_ns / MEETING_MS - (span->from_ms - 200)), <, 60);
        g_assert_cmpint(ABS(segment->end_ns / MEETING_MS - (span->to_ms - 200)), <, 80);
    }
    playback_clear(&playback);
    media_finalized_clear(&finalized);
}

/* Seconds at which the sound gets loud. */
static GArray *beeps(const Playback *playback)
{
    GArray *times = g_array_new(FALSE, FALSE, sizeof(double));
    int64_t quiet_since = 0;
    for (guint i = 0; i < playback->samples->len; i++) {
        if (fabsf(g_array_index(playback->samples, float, i)) < 0.1f) {
            continue;
        }
        if ((int64_t)i - quiet_since > 24000) {
            double time = i / 48000.0;
            g_array_append_val(times, time);
        }
        quiet_since = i;
    }
    return times;
}

static void sound_and_pictures_are_together(void)
{
    MediaEngineConfig config = meeting_config();
    g_autoptr(Meeting) meeting = meeting_new(&config);
    g_autoptr(GError) error = NULL;
    meeting->clapper = true;
    meeting->jitter_ms = 10;
    meeting_run(meeting, 500);
    media_engine_start_recording(meeting->engine, &error);
    g_assert_no_error(error);
    meeting_run(meeting, 20500);
    Playback playback;
    MediaFinalized finalized;
    meeting_finish(meeting, &playback, &finalized);
    check_whole(&playback, 20.0);
    g_autoptr(GArray) times = beeps(&playback);
    g_assert_cmpuint(times->len, >=, 19);
    /* A packet of sound is received 20 ms after its first sample was made; pictures carry the time
     * at which they were received. Picture 25 k is sent on the whole second. */
    for (guint i = 0; i < times->len; i++) {
        double beep_s = g_array_index(times, double, i);
        double wanted_s = round(beep_s - 0.5) + 0.5;
        double nearest = 1;
        for (guint k = 0; k < playback.pictures->len; k++) {
            const PlayedPicture *picture = &g_array_index(playback.pictures, PlayedPicture, k);
            if (picture->has_band && (picture->number + 1) % 25 == 0 &&
                fabs(picture->time_s - wanted_s) < fabs(nearest)) {
                nearest = picture->time_s - wanted_s;
            }
        }
        g_assert_cmpfloat(fabs(beep_s - wanted_s - 0.02 - nearest), <, 0.02);
    }
    playback_clear(&playback);
    media_finalized_clear(&finalized);
}

static void pause_is_cut_out(void)
{
    MediaEngineConfig config = meeting_config();
    g_autoptr(Meeting) meeting = meeting_new(&config);
    g_autoptr(GError) error = NULL;
    static const MeetingSpan all[] = {{0, 10000}, {0, 0}};
    meeting->speech[1] = all;
    media_engine_start_recording(meeting->engine, &error);
    g_assert_no_error(error);
    meeting_run(meeting, 3000);
    media_engine_pause_recording(meeting->engine);
    meeting_run(meeting, 7000);
    media_engine_resume_recording(meeting->engine);
    meeting_run(meeting, 10000);
    Playback playback;
    MediaFinalized finalized;
    meeting_finish(meeting, &playback, &finalized);
    check_whole(&playback, 6.0);
    unsigned last = 0, jumps = 0;
    for (guint i = 0; i < playback.pictures->len; i++) {
        const PlayedPicture *picture = &g_array_index(playback.pictures, PlayedPicture, i);
        if (picture->has_band && picture->number > last + 10) {
            jumps++;
            g_assert_cmpfloat(fabs(picture->time_s - 3.0), <, 0.05);
            g_assert_cmpint(ABS((int)(picture->number - last) - 100), <, 5);
        }
        last = picture->has_band ? picture->number : last;
    }
    g_assert_cmpuint(jumps, ==, 1);
    g_assert_cmpuint(meeting->recording_ops->len, ==, 4);
    g_assert_cmpstr(g_ptr_array_index(meeting->recording_ops, 0), ==, "started 0");
    g_assert_cmpstr(g_ptr_array_index(meeting->recording_ops, 1), ==, "paused 3000");
    g_assert_cmpstr(g_ptr_array_index(meeting->recording_ops, 2), ==, "resumed 3000");
    g_assert_cmpstr(g_ptr_array_index(meeting->recording_ops, 3), ==, "stopped 6000");
    g_autoptr(GArray) segments = media_engine_dup_segments(meeting->engine);
    g_assert_cmpuint(segments->len, ==, 1);
    const MediaSpeechSegment *segment = &g_array_index(segments, MediaSpeechSegment, 0);
    g_assert_cmpint(ABS(segment->end_ns / MEETING_MS - 6000), <, 50);
    playback_clear(&playback);
    media_finalized_clear(&finalized);
}

static void camera_off_shows_the_tile(void)
{
    MediaEngineConfig config = meeting_config();
    g_autoptr(Meeting) meeting = meeting_new(&config);
    g_autoptr(GError) error = NULL;
    static const MeetingSpan all[] = {{0, 10000}, {0, 0}}, off[] = {{3000, 6000}, {0, 0}};
    meeting->speech[1] = all;
    meeting->camera_off[1] = off;
    media_engine_start_recording(meeting->engine, &error);
    g_assert_no_error(error);
    meeting_run(meeting, 3000);
    media_engine_bind_video(meeting->engine, 21, 1, false, false);
    meeting_run(meeting, 5980);
    media_engine_bind_video(meeting->engine, 21, 1, false, true);
    g_clear_pointer(&meeting->cameras[1], synth_camera_free);
    meeting_run(meeting, 9000);
    Playback playback;
    MediaFinalized finalized;
    meeting_finish(meeting, &playback, &finalized);
    check_whole(&playback, 9.0);
    for (guint i = 0; i < playback.pictures->len; i++) {
        const PlayedPicture *picture = &g_array_index(playback.pictures, PlayedPicture, i);
        bool off_now = picture->time_s > 3.05 && picture->time_s < 5.95;
        bool on_now = picture->time_s > 6.1 || (picture->time_s > 0.3 && picture->time_s < 2.95);
        if (off_now || on_now) {
            g_assert_cmpint(picture->has_band && picture->person == 1, ==, on_now);
        }
    }
    playback_clear(&playback);
    media_finalized_clear(&finalized);
}

/* Nobody moves and nobody speaks: hardly a picture is encoded, and none is missing. */
static void still_picture_costs_little(void)
{
    MediaEngineConfig config = meeting_config();
    g_autoptr(Meeting) meeting = meeting_new(&config);
    g_autoptr(GError) error = NULL;
    meeting->fps[1] = meeting->fps[2] = meeting->fps[3] = 0;
    media_engine_start_recording(meeting->engine, &error);
    g_assert_no_error(error);
    meeting_run(meeting, 30000);
    Playback playback;
    MediaFinalized finalized;
    meeting_finish(meeting, &playback, &finalized);
    check_whole(&playback, 30.0);
    g_assert_cmpuint(playback.pictures->len, <, 60);
    g_assert_cmpuint(playback.pictures->len, >, 20);
    playback_clear(&playback);
    media_finalized_clear(&finalized);
}

/* One picture that is sent again and again, as a shared slide is; then another one. */
static void send_slide(Meeting *meeting, SynthCamera *camera, unsigned number, int64_t to_ms)
{
    g_autoptr(MediaEncodedFrame) slide = synth_camera_encode(camera, 1, number, 0);
    while (meeting->now_ms < to_ms) {
        int64_t at_ns = MEETING_START_NS + meeting->now_ms * MEETING_MS;
        g_autoptr(MediaEncodedFrame) frame = synth_copy(slide);
        frame->rtp_timestamp = (uint32_t)(at_ns * 9 / 100000);
        frame->receive_ns = at_ns;
        media_engine_push(meeting->engine, frame);
        meeting_run(meeting, meeting->now_ms + 100);
    }
}

static void same_picture_costs_little(void)
{
    MediaEngineConfig config = meeting_config();
    g_autoptr(Meeting) meeting = meeting_new(&config);
    g_autoptr(SynthCamera) camera = synth_camera_new(21, MEDIA_CODEC_VP8, 640, 360, 1);
    g_autoptr(GError) error = NULL;
    meeting->fps[1] = meeting->fps[2] = meeting->fps[3] = 0;
    media_engine_start_recording(meeting->engine, &error);
    g_assert_no_error(error);
    send_slide(meeting, camera, 7, 15000);
    send_slide(meeting, camera, 8, 30000);
    Playback playback;
    MediaFinalized finalized;
    meeting_finish(meeting, &playback, &finalized);
    check_whole(&playback, 30.0);
    g_assert_cmpuint(playback.pictures->len, <, 80); /* of 300 that came */
    for (guint i = 0; i < playback.pictures->len; i++) {
        const PlayedPicture *picture = &g_array_index(playback.pictures, PlayedPicture, i);
        if (picture->time_s > 0.5 && fabs(picture->time_s - 15.0) > 0.3) {
            g_assert_cmpuint(picture->number, ==, picture->time_s < 15.0 ? 7 : 8);
        }
    }
    playback_clear(&playback);
    media_finalized_clear(&finalized);
}

static void audio_only_gives_an_mp3(void)
{
    MediaEngineConfig config = meeting_config();
    config.mode = MEDIA_MODE_AUDIO_ONLY;
    g_autoptr(Meeting) meeting = meeting_new(&config);
    g_autoptr(GError) error = NULL;
    meeting->speech[1] = alice_first;
    media_engine_start_recording(meeting->engine, &error);
    g_assert_no_error(error);
    meeting_run(meeting, 6000);
    Playback playback;
    MediaFinalized finalized;
    meeting_finish(meeting, &playback, &finalized);
    g_assert_true(g_str_has_suffix(finalized.path, "/recording.mp3"));
    g_assert_cmpfloat(fabs(playback.audio_s - 6.0), <, 0.1);
    g_assert_cmpuint(playback.n_errors, ==, 0);
    guint at = 0;
    while (fabsf(g_array_index(playback.samples, float, at)) < 0.1f) {
        at++;
    }
    g_assert_cmpfloat(fabs(at / 48000.0 - 0.52), <, 0.03);
    playback_clear(&playback);
    media_finalized_clear(&finalized);
}

static void finalizing_twice_tells_the_same(void)
{
    MediaEngineConfig config = meeting_config();
    g_autoptr(Meeting) meeting = meeting_new(&config);
    g_autoptr(GError) error = NULL;
    MediaFinalized first, second;
    g_assert_false(media_finalize(meeting->output_dir, NULL, &first, &error));
    g_assert_error(error, MEDIA_ERROR, MEDIA_ERROR_NOTHING_RECORDED);
    g_clear_error(&error);
    media_engine_start_recording(meeting->engine, &error);
    g_assert_no_error(error);
    g_assert_true(media_has_unfinished(meeting->output_dir));
    meeting_run(meeting, 3000);
    Playback playback;
    meeting_finish(meeting, &playback, &first);
    g_assert_false(media_has_unfinished(meeting->output_dir));
    g_assert_true(media_finalize(meeting->output_dir, NULL, &second, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(first.path, ==, second.path);
    g_assert_cmpfloat(fabs(first.duration_s - second.duration_s), <, 0.03);
    playback_clear(&playback);
    media_finalized_clear(&first);
    media_finalized_clear(&second);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/recording/right_person_is_shown_without_losing_frames",
                    right_person_is_shown_without_losing_frames);
    g_test_add_func("/recording/sound_and_pictures_are_together", sound_and_pictures_are_together);
    g_test_add_func("/recording/pause_is_cut_out", pause_is_cut_out);
    g_test_add_func("/recording/camera_off_shows_the_tile", camera_off_shows_the_tile);
    g_test_add_func("/recording/still_picture_costs_little", still_picture_costs_little);
    g_test_add_func("/recording/same_picture_costs_little", same_picture_costs_little);
    g_test_add_func("/recording/audio_only_gives_an_mp3", audio_only_gives_an_mp3);
    g_test_add_func("/recording/finalizing_twice_tells_the_same", finalizing_twice_tells_the_same);
    return leaks_test_run();
}
