/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tests/media/leaks.h"
#include "tests/media/meeting.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <malloc.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

/*
 * What a recording has to live through: a disk that fills up, a bad network, senders that change
 * everything in the middle, people who come and go, hours. STENO_LONG=1 makes the last ones as long
 * as they are in life (./dev soak media).
 */

static const MeetingSpan always[] = {{0, 100000000}, {0, 0}};

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

/* --- a disk of its own ------------------------------------------------------------------------ */

/* A small disk that is gone with this process. False: not allowed here. */
static bool mount_disk(const char *path)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("steno-test", path, "tmpfs", 0, "size=64m") == 0;
}

static void resize_disk(const char *path, int kib)
{
    g_autofree char *size = g_strdup_printf("size=%dk", kib);
    g_assert_cmpint(mount("steno-test", path, "tmpfs", MS_REMOUNT, size), ==, 0);
}

static int used_kib(const char *path)
{
    g_autofree char *command = g_strdup_printf("du -sk %s", path);
    g_autofree char *text = NULL;
    g_assert_true(g_spawn_command_line_sync(command, &text, NULL, NULL, NULL));
    return atoi(text);
}

static void check_playable(const char *dir, double least_s)
{
    g_autoptr(GError) error = NULL;
    MediaFinalized finalized;
    Playback playback;
    media_finalize(dir, NULL, &finalized, &error);
    g_assert_no_error(error);
    g_assert_false(media_has_unfinished(dir));
    playback_load(&playback, finalized.path);
    g_assert_cmpuint(playback.n_errors, ==, 0);
    g_assert_cmpfloat(playback.video_s, >=, least_s);
    g_assert_cmpfloat(playback.audio_s, >=, least_s);
    g_assert_cmpuint(playback.pictures->len, >, 10);
    clear(&playback, &finalized);
}

static void expect_no_room_to_finalize(const char *dir)
{
    g_autoptr(GError) error = NULL;
    MediaFinalized finalized;
    g_assert_false(media_finalize(dir, NULL, &finalized, &error));
    g_assert_error(error, MEDIA_ERROR, MEDIA_ERROR_DISK_FULL);
    g_assert_true(media_has_unfinished(dir));
    g_autofree char *partial = g_build_filename(dir, ".recording.partial", NULL);
    g_assert_false(g_file_test(partial, G_FILE_TEST_EXISTS));
}

/* The disk fills up in the middle: the recording ends, what there is is kept, finalizing says what
 * is wrong and works once there is room. */
static void full_disk_while_recording(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("steno-disk-XXXXXX", &error);
    if (!mount_disk(dir)) {
        g_rmdir(dir);
        g_test_skip("needs the right to mount");
        return;
    }
    MediaEngineConfig config = meeting_config();
    config.output_dir = dir;
    config.audio_wav = config.separate_audio = true;
    Meeting *meeting = meeting_new(&config);
    meeting->speech[1] = always;
    start(meeting);
    meeting_run(meeting, 4000);
    g_assert_no_error(meeting->error);
    int room = used_kib(dir) + 200;
    resize_disk(dir, room);
    meeting_run(meeting, 16000);
    g_assert_error(meeting->error, MEDIA_ERROR, MEDIA_ERROR_DISK_FULL);
    media_engine_stop_recording(meeting->engine, false);
    meeting_idle(meeting, meeting->now_ms + 1000);
    const char *last = g_ptr_array_index(meeting->recording_ops, meeting->recording_ops->len - 1);
    g_assert_true(g_str_has_prefix(last, "stopped"));
    expect_no_room_to_finalize(dir);
    resize_disk(dir, 65536);
    check_playable(dir, 3.0);
    meeting_free(meeting);
    umount2(dir, MNT_DETACH);
    g_rmdir(dir);
}

/* There is room for the working files only. */
static void full_disk_while_finalizing(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("steno-disk-XXXXXX", &error);
    if (!mount_disk(dir)) {
        g_rmdir(dir);
        g_test_skip("needs the right to mount");
        return;
    }
    MediaEngineConfig config = meeting_config();
    config.output_dir = dir;
    Meeting *meeting = meeting_new(&config);
    meeting->speech[1] = always;
    start(meeting);
    meeting_run(meeting, 6000);
    media_engine_stop_recording(meeting->engine, false);
    meeting_idle(meeting, meeting->now_ms + 1000);
    g_assert_no_error(meeting->error);
    int used = used_kib(dir);
    for (int part = 0; part < 5; part++) {
        resize_disk(dir, used + used * part / 6);
        expect_no_room_to_finalize(dir);
    }
    resize_disk(dir, 65536);
    check_playable(dir, 5.9);
    meeting_free(meeting);
    umount2(dir, MNT_DETACH);
    g_rmdir(dir);
}

/* --- the network ------------------------------------------------------------------------------ */

/* Of the pieces of 50 ms between the two times, how many are loud. */
static double loud_share(const Playback *sound, double from_s, double to_s)
{
    int n = 0, n_loud = 0;
    for (guint at = (guint)(from_s * 48000); at + 2400 < (guint)(to_s * 48000); at += 2400) {
        double sum = 0;
        for (guint i = 0; i < 2400 && at + i < sound->samples->len; i++) {
            double value = (double)g_array_index(sound->samples, float, at + i);
            sum += value * value;
        }
        n++;
        n_loud += sum / 2400 > 0.01;
    }
    return (double)n_loud / MAX(n, 1);
}

static unsigned count_distinct(const Playback *playback, unsigned person, double from_s)
{
    unsigned distinct = 0, last = G_MAXUINT;
    for (guint i = 0; i < playback->pictures->len; i++) {
        const PlayedPicture *picture = &g_array_index(playback->pictures, PlayedPicture, i);
        if (picture->time_s >= from_s && picture->has_band && picture->person == person) {
            distinct += picture->number != last;
            last = picture->number;
        }
    }
    return distinct;
}

static void loss_and_reordering_are_survived(void)
{
    MediaEngineConfig config = meeting_config();
    g_autoptr(Meeting) meeting = meeting_new(&config);
    meeting->speech[1] = always;
    meeting->loss_percent = 20;
    meeting->double_percent = 5;
    meeting->jitter_ms = 90; /* packets of 20 ms: most overtake one another */
    start(meeting);
    meeting_run(meeting, 15000);
    Playback playback;
    MediaFinalized finalized;
    meeting_finish(meeting, &playback, &finalized);
    g_assert_no_error(meeting->error);
    g_assert_cmpuint(playback.n_errors, ==, 0);
    g_assert_cmpfloat(fabs(playback.video_s - 15.0), <, 0.1);
    g_assert_cmpfloat(fabs(playback.audio_s - 15.0), <, 0.03);
    g_assert_cmpfloat(loud_share(&playback, 1, 14), >, 0.9);
    /* Without sequence numbers nobody knows that a picture's reference is missing: what can be read
     * is little, but it goes on after every key frame (each second one), to the end. */
    g_assert_cmpuint(count_distinct(&playback, 1, 1.0), >, 20);
    g_assert_cmpuint(count_distinct(&playback, 1, 10.0), >, 5);
    clear(&playback, &finalized);
}

/* New SSRCs and numbers in the middle of a word, timestamps and sequence numbers that wrap, another
 * codec and size: nothing of it is heard or seen. */
static void senders_may_change_everything(void)
{
    MediaEngineConfig config = meeting_config();
    g_autoptr(Meeting) meeting = meeting_new(&config);
    meeting->speech[1] = always;
    meeting->jitter_ms = 10;
    meeting->rtp_offset =
        0u - (uint32_t)(MEETING_START_NS * 9 / 100000) - 90000u * 3; /* wraps at 3 s */
    start(meeting);
    meeting_run(meeting, 5000);
    g_clear_pointer(&meeting->cameras[1], synth_camera_free); /* begins with a key frame */
    meeting->ssrc = 77;
    meeting->rtp_offset = 0x12345678;
    synth_voice_move(meeting->voices[1], 11, 0xffff0000u, 65000); /* wraps again soon */
    meeting_run(meeting, 9000);
    g_clear_pointer(&meeting->cameras[1], synth_camera_free);
    meeting->cameras[1] = synth_camera_new(21, MEDIA_CODEC_H264, 480, 270, 50);
    meeting->ssrc = 99;
    meeting_run(meeting, 12000);
    Playback playback;
    MediaFinalized finalized;
    meeting_finish(meeting, &playback, &finalized);
    g_assert_cmpuint(playback.n_errors, ==, 0);
    g_assert_cmpfloat(fabs(playback.audio_s - 12.0), <, 0.03);
    g_assert_cmpfloat(loud_share(&playback, 0.5, 11.5), >, 0.98);
    g_assert_cmpuint(count_distinct(&playback, 1, 1.0), >, 11 * 25 * 94 / 100);
    clear(&playback, &finalized);
}

/* --- people ----------------------------------------------------------------------------------- */

/* Somebody comes, speaks, shows a picture and leaves, a hundred times, each time on new numbers;
 * the one who comes after that is heard and seen. */
static void a_hundred_come_and_go(void)
{
    MediaEngineConfig config = meeting_config();
    config.mode = MEDIA_MODE_GALLERY_VIEW;
    config.separate_audio = true;
    g_autoptr(Meeting) meeting = meeting_new(&config);
    for (int p = 1; p <= MEETING_PEOPLE; p++) {
        media_engine_set_participant(meeting->engine, (uint32_t)p, "", false, false);
        media_engine_end_track(meeting->engine, (uint32_t)(20 + p));
        meeting->fps[p] = 0;
    }
    start(meeting);
    meeting_run(meeting, 300);
    for (uint32_t guest = 0; guest <= 100; guest++) {
        uint32_t id = 1000 + guest, voice_track = 2000 + guest, camera_track = 3000 + guest;
        g_autofree char *name = g_strdup_printf("Guest %u", guest);
        synth_voice_free(meeting->voices[1]);
        g_clear_pointer(&meeting->cameras[1], synth_camera_free);
        meeting->voices[1] = synth_voice_new(voice_track, 5000 + guest, 32000, false);
        meeting->cameras[1] = synth_camera_new(camera_track, MEDIA_CODEC_VP8, 160, 90, 50);
        media_engine_set_participant(meeting->engine, id, name, true, false);
        media_engine_bind_audio(meeting->engine, 5000 + guest, id);
        media_engine_bind_video(meeting->engine, camera_track, id, false, true);
        meeting->speech[1] = always;
        meeting->fps[1] = 25;
        meeting_run(meeting, meeting->now_ms + (guest < 100 ? 160 : 3000));
        if (guest < 100) {
            media_engine_end_track(meeting->engine, voice_track);
            media_engine_end_track(meeting->engine, camera_track);
            media_engine_set_participant(meeting->engine, id, name, false, false);
            meeting_run(meeting, meeting->now_ms + 40);
        }
    }
    double end_s = (double)meeting->now_ms / 1000;
    Playback playback;
    MediaFinalized finalized;
    meeting_finish(meeting, &playback, &finalized);
    g_assert_no_error(meeting->error);
    g_assert_cmpuint(playback.n_errors, ==, 0);
    g_assert_cmpfloat(fabs(playback.video_s - end_s), <, 0.1);
    g_assert_cmpfloat(loud_share(&playback, end_s - 2.5, end_s - 0.1), >, 0.95);
    g_assert_cmpuint(count_distinct(&playback, 1, end_s - 2), >, 40);
    g_autofree char *last = g_build_filename(meeting->output_dir, "tracks", "1100.ogg", NULL);
    g_assert_true(g_file_test(last, G_FILE_TEST_EXISTS));
    clear(&playback, &finalized);
}

/* --- hours ------------------------------------------------------------------------------------ */

static bool is_long(void)
{
    return g_getenv("STENO_LONG") != NULL;
}

/* Small pictures: what is tested is time. */
static Meeting *new_long_meeting(MediaEngineConfig *config)
{
    config->width = 320;
    config->height = 180;
    Meeting *meeting = meeting_new(config);
    meeting->camera_width = 160;
    return meeting;
}

/* A meeting with turns, pauses of speech, a share and people who come and go, for two minutes or
 * four hours: what is in use after a while stays what it is. */
static void memory_stays_flat(void)
{
    static const MeetingSpan turns[2][3] = {{{0, 9000}, {0, 0}}, {{10000, 19000}, {0, 0}}};
    int64_t length_ms = is_long() ? 4 * 3600 * 1000 : 120 * 1000;
    MediaEngineConfig config = meeting_config();
    config.stream_rate_hz = 16000;
    g_autoptr(Meeting) meeting = new_long_meeting(&config);
    meeting->speech[1] = turns[0];
    meeting->speech[2] = turns[1];
    meeting->fps[1] = meeting->fps[2] = 5;
    meeting->fps[3] = 0;
    media_engine_start_stream(meeting->engine);
    start(meeting);
    gsize first = 0, last = 0;
    MeetingSpan spans[2][2] = {0};
    for (int64_t at_ms = 0; at_ms < length_ms; at_ms += 20000) {
        for (int p = 0; p < 2; p++) {
            spans[p][0] = (MeetingSpan){at_ms + turns[p][0].from_ms, at_ms + turns[p][0].to_ms};
            meeting->speech[p + 1] = spans[p];
        }
        uint32_t guest = 100 + (uint32_t)(at_ms / 20000);
        media_engine_set_participant(meeting->engine, guest, "Guest", true, false);
        meeting_run(meeting, at_ms + 20000);
        media_engine_set_participant(meeting->engine, guest, "Guest", false, false);
        meeting_forget(meeting);
        last = mallinfo2().uordblks + mallinfo2().hblkhd;
        if (at_ms == 40000) {
            first = last;
        }
    }
    g_test_message("%.1f MB in use after a minute, %.1f MB at the end", (double)first / 1e6,
                   (double)last / 1e6);
    g_assert_cmpuint(last, <, first + 1500000);
    media_engine_stop_recording(meeting->engine, false);
    meeting_idle(meeting, meeting->now_ms + 1000);
    g_autoptr(GError) error = NULL;
    MediaFinalized finalized;
    media_finalize(meeting->output_dir, NULL, &finalized, &error);
    g_assert_no_error(error);
    g_assert_cmpfloat(fabs(finalized.duration_s - (double)length_ms / 1000), <, 0.1);
    media_finalized_clear(&finalized);
}

static int compare_doubles(gconstpointer a, gconstpointer b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Beeps and the pictures that belong to them, on the delivered file: how far apart (95th
 * percentile, seconds). A packet of sound is received 20 ms after its first sample was made. */
static double sync_error(const Playback *playback, double stretch)
{
    g_autoptr(GArray) apart = g_array_new(FALSE, FALSE, sizeof(double));
    gsize quiet_since = 0;
    guint k = 0;
    for (gsize i = 0; i < playback->samples->len; i++) {
        if (fabsf(g_array_index(playback->samples, float, i)) < 0.1f) {
            continue;
        }
        bool onset = i - quiet_since > 24000;
        quiet_since = i;
        double beep_s = (double)i / 48000.0 - 0.02;
        double second = round(beep_s / stretch);
        /* Pictures come 25 a second, number 25 n - 1 on the whole second n. */
        while (k < playback->pictures->len &&
               g_array_index(playback->pictures, PlayedPicture, k).time_s < beep_s - 0.3) {
            k++;
        }
        for (guint j = k; onset && j < playback->pictures->len && j < k + 20; j++) {
            const PlayedPicture *picture = &g_array_index(playback->pictures, PlayedPicture, j);
            if (picture->has_band && picture->number == ((unsigned)second * 25 - 1) % 65536) {
                double difference = fabs(picture->time_s - beep_s);
                g_array_append_val(apart, difference);
                break;
            }
        }
    }
    g_array_sort(apart, compare_doubles);
    g_test_message("%u beeps found their picture", apart->len);
    g_assert_cmpuint(apart->len, >, 20);
    return g_array_index(apart, double, apart->len * 95 / 100);
}

/* The senders' clock runs fast: by 180 ms in all, over a minute and a half or an hour. */
static void drift_does_not_part_sound_and_picture(void)
{
    int length_s = is_long() ? 3600 : 90;
    MediaEngineConfig config = meeting_config();
    g_autoptr(Meeting) meeting = new_long_meeting(&config);
    meeting->clapper = true;
    meeting->jitter_ms = 10;
    meeting->drift_ppm = is_long() ? 50 : 2000;
    meeting->fps[2] = meeting->fps[3] = 0;
    start(meeting);
    meeting_run(meeting, length_s * 1000);
    Playback playback;
    MediaFinalized finalized;
    meeting_finish(meeting, &playback, &finalized);
    double stretch = 1 - meeting->drift_ppm * 1e-6;
    g_assert_cmpuint(playback.n_errors, ==, 0);
    g_assert_cmpfloat(fabs(playback.video_s - length_s * stretch), <, 0.1);
    double p95 = sync_error(&playback, stretch);
    g_test_message("95th percentile %.1f ms", p95 * 1000);
    g_assert_cmpfloat(p95, <=, 0.040);
    clear(&playback, &finalized);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/faults/full_disk_while_recording", full_disk_while_recording);
    g_test_add_func("/faults/full_disk_while_finalizing", full_disk_while_finalizing);
    g_test_add_func("/faults/loss_and_reordering_are_survived", loss_and_reordering_are_survived);
    g_test_add_func("/faults/senders_may_change_everything", senders_may_change_everything);
    g_test_add_func("/faults/a_hundred_come_and_go", a_hundred_come_and_go);
    g_test_add_func("/faults/memory_stays_flat", memory_stays_flat);
    g_test_add_func("/faults/drift_does_not_part_sound_and_picture",
                    drift_does_not_part_sound_and_picture);
    return leaks_test_run();
}
