/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memmem */
#include "media/follow.h"
#include "tests/media/leaks.h"
#include "tests/media/meeting.h"

#include <string.h>

/*
 * What is told of an MP4 while it is recorded stands in the finished file, in one piece.
 */

#define PART (8 * 1024)
#define MARGIN (8 * 1024)

static const MeetingSpan alice[] = {{500, 6000}, {0, 0}};
static const MeetingSpan bob[] = {{6200, 7000}, {7400, 60000}, {0, 0}};

/* --- a follower in its thread --- */

typedef struct {
    char *output_dir; /* owned */
    GCancellable *cancellable;
    GThread *thread;
    guint n_wanted; /* it says no after so many; 0: never */
    GMutex lock;
    GCond told;
    GByteArray *bytes; /* protected by lock, like n_parts */
    guint n_parts;
} Follower;

static bool on_part(GBytes *part, gpointer user_data)
{
    Follower *follower = user_data;
    gsize size;
    const guint8 *data = g_bytes_get_data(part, &size);
    g_assert_cmpuint(size, ==, PART);
    g_mutex_lock(&follower->lock);
    g_byte_array_append(follower->bytes, data, (guint)size);
    follower->n_parts++;
    g_cond_signal(&follower->told);
    g_mutex_unlock(&follower->lock);
    return follower->n_parts != follower->n_wanted;
}

static gpointer follow(gpointer data)
{
    static const MediaFollowConfig config = {PART, MARGIN, 2};
    Follower *follower = data;
    media_follow(follower->output_dir, &config, on_part, follower, follower->cancellable);
    return NULL;
}

static void follower_start(Follower *follower, const Meeting *meeting, guint n_wanted)
{
    *follower = (Follower){.output_dir = g_strdup(meeting->output_dir),
                           .cancellable = g_cancellable_new(),
                           .n_wanted = n_wanted,
                           .bytes = g_byte_array_new()};
    g_mutex_init(&follower->lock);
    g_cond_init(&follower->told);
    follower->thread = g_thread_new("follow", follow, follower);
}

static void await_parts(Follower *follower, guint n_parts)
{
    g_mutex_lock(&follower->lock);
    while (follower->n_parts < n_parts) {
        g_cond_wait(&follower->told, &follower->lock);
    }
    g_mutex_unlock(&follower->lock);
}

static void follower_stop(Follower *follower)
{
    g_cancellable_cancel(follower->cancellable);
    g_thread_join(follower->thread);
}

static void follower_clear(Follower *follower)
{
    g_free(follower->output_dir);
    g_object_unref(follower->cancellable);
    g_byte_array_unref(follower->bytes);
    g_mutex_clear(&follower->lock);
    g_cond_clear(&follower->told);
}

static void check_told(const Follower *follower, const char *path)
{
    g_autofree char *data = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(path, &data, &size, NULL));
    const char *found = memmem(data, size, follower->bytes->data, follower->bytes->len);
    g_assert_nonnull(found);
    g_test_message("%u of %zu bytes, from %zd on", follower->bytes->len, size, found - data);
}

static Meeting *begin(MediaMode mode, Follower *follower, guint n_wanted)
{
    MediaEngineConfig config = meeting_config();
    config.mode = mode;
    Meeting *meeting = meeting_new(&config);
    meeting->speech[1] = alice;
    meeting->speech[2] = bob;
    meeting_run(meeting, 200);
    follower_start(follower, meeting, n_wanted);
    g_autoptr(GError) error = NULL;
    media_engine_start_recording(meeting->engine, &error);
    g_assert_no_error(error);
    return meeting;
}

/* --- tests --- */

static void what_is_told_is_in_the_finished_file(void)
{
    Follower follower;
    g_autoptr(Meeting) meeting = begin(MEDIA_MODE_SPEAKER_VIEW, &follower, 0);
    meeting_run(meeting, 4000);
    await_parts(&follower, 2); /* while it is made, that is */
    media_engine_pause_recording(meeting->engine);
    meeting_run(meeting, 5000);
    media_engine_resume_recording(meeting->engine);
    meeting_run(meeting, 12000);
    await_parts(&follower, 8);
    Playback playback;
    MediaFinalized finalized;
    meeting_finish(meeting, &playback, &finalized);
    follower_stop(&follower);
    check_told(&follower, finalized.path);
    playback_clear(&playback);
    media_finalized_clear(&finalized);
    follower_clear(&follower);
}

static void it_is_in_a_recovered_file_too(void)
{
    Follower follower;
    g_autoptr(Meeting) meeting = begin(MEDIA_MODE_GALLERY_VIEW, &follower, 0);
    meeting_run(meeting, 8000);
    await_parts(&follower, 4);
    g_clear_pointer(&meeting->engine, media_engine_free);
    follower_stop(&follower);
    g_autoptr(GError) error = NULL;
    MediaFinalized finalized;
    media_finalize(meeting->output_dir, NULL, &finalized, &error);
    g_assert_no_error(error);
    g_assert_true(finalized.recovered);
    check_told(&follower, finalized.path);
    media_finalized_clear(&finalized);
    follower_clear(&follower);
}

static void who_wants_no_more_gets_no_more(void)
{
    Follower follower;
    g_autoptr(Meeting) meeting = begin(MEDIA_MODE_SPEAKER_VIEW, &follower, 2);
    meeting_run(meeting, 8000);
    g_thread_join(follower.thread);
    g_assert_cmpuint(follower.n_parts, ==, 2);
    follower_clear(&follower);
}

static void without_pictures_there_is_nothing_to_tell(void)
{
    Follower follower;
    g_autoptr(Meeting) meeting = begin(MEDIA_MODE_AUDIO_ONLY, &follower, 0);
    meeting_run(meeting, 2000);
    g_thread_join(follower.thread);
    g_assert_cmpuint(follower.n_parts, ==, 0);
    follower_clear(&follower);
}

static void one_that_never_begins_can_be_stopped(void)
{
    MediaEngineConfig config = meeting_config();
    g_autoptr(Meeting) meeting = meeting_new(&config);
    Follower follower;
    follower_start(&follower, meeting, 0);
    follower_stop(&follower);
    g_assert_cmpuint(follower.n_parts, ==, 0);
    follower_clear(&follower);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/follow/what_is_told_is_in_the_finished_file",
                    what_is_told_is_in_the_finished_file);
    g_test_add_func("/follow/it_is_in_a_recovered_file_too", it_is_in_a_recovered_file_too);
    g_test_add_func("/follow/who_wants_no_more_gets_no_more", who_wants_no_more_gets_no_more);
    g_test_add_func("/follow/without_pictures_there_is_nothing_to_tell",
                    without_pictures_there_is_nothing_to_tell);
    g_test_add_func("/follow/one_that_never_begins_can_be_stopped",
                    one_that_never_begins_can_be_stopped);
    return leaks_test_run();
}
