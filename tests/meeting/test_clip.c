// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/clip.h"

#include <glib/gstdio.h>
#include <gst/gst.h>

static MeetingCamera small(const char *source, MeetingCodec codec)
{
    return (MeetingCamera){(char *)source, codec, 160, 90, 10, 2};
}

static void assert_keys(const MeetingClip *clip, guint first)
{
    g_assert_cmpuint(clip->n_frames, ==, 20);
    for (guint i = 0; i < clip->n_frames; i++) {
        g_assert_cmpuint(clip->frames[i].payloads->len, >, 0);
        g_assert_cmpint(clip->frames[i].key, ==, i % 10 == first % 10);
    }
}

static void test_codecs(void)
{
    for (int codec = 0; codec < MEETING_N_CODECS; codec++) {
        g_autoptr(GError) error = NULL;
        MeetingCamera camera = small("pattern:webcam", (MeetingCodec)codec);
        g_autoptr(MeetingClip) clip = meeting_clip_new(&camera, 1, NULL, &error);
        g_assert_no_error(error);
        assert_keys(clip, 0);
        g_assert_cmpint(clip->phase_us, ==, 0);
    }
}

static void test_spread(void)
{
    MeetingCamera ball = small("pattern:ball", MEETING_CODEC_VP8);
    MeetingCamera flash = small("flash_beep", MEETING_CODEC_VP8);
    g_autoptr(MeetingClip) second = meeting_clip_new(&ball, 2, NULL, NULL);
    g_autoptr(MeetingClip) clapper = meeting_clip_new(&flash, 2, NULL, NULL);
    assert_keys(second, 1);
    g_assert_cmpint(second->phase_us, ==, 28000);
    assert_keys(clapper, 0);
    g_assert_cmpint(clapper->phase_us, ==, 0);
}

static char *only_file(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name = g_dir_read_name(dir);
    g_assert_nonnull(name);
    g_assert_null(g_dir_read_name(dir));
    return g_build_filename(folder, name, NULL);
}

/* A clip comes back from the cache; a broken file there is replaced. */
static void test_cache(void)
{
    g_autofree char *folder = g_dir_make_tmp("steno-clip-XXXXXX", NULL);
    MeetingCamera camera = small("flash_beep", MEETING_CODEC_VP8);
    g_autoptr(MeetingClip) made = meeting_clip_new(&camera, 1, folder, NULL);
    g_autoptr(MeetingClip) kept = meeting_clip_new(&camera, 1, folder, NULL);
    for (guint i = 0; i < made->n_frames; i++)
        g_assert_true(g_bytes_equal(g_ptr_array_index(made->frames[i].payloads, 0),
                                    g_ptr_array_index(kept->frames[i].payloads, 0)));
    g_autofree char *path = only_file(folder);
    g_autofree char *whole = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(path, &whole, &length, NULL));
    g_assert_true(g_file_set_contents(path, whole, (gssize)length / 2, NULL));
    g_autoptr(MeetingClip) again = meeting_clip_new(&camera, 1, folder, NULL);
    assert_keys(again, 0);
    g_autofree char *repaired = NULL;
    gsize repaired_length;
    g_assert_true(g_file_get_contents(path, &repaired, &repaired_length, NULL));
    g_assert_cmpuint(repaired_length, ==, length);
    g_unlink(path);
    g_rmdir(folder);
}

static void test_no_picture(void)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("steno-clip-XXXXXX", &path, NULL);
    g_assert_true(g_close(fd, NULL));
    g_autofree char *source = g_strconcat("file:", path, NULL);
    MeetingCamera camera = small(source, MEETING_CODEC_VP8);
    g_autoptr(GError) error = NULL;
    g_assert_null(meeting_clip_new(&camera, 1, NULL, &error));
    g_assert_error(error, MEETING_ERROR, MEETING_ERROR_MEDIA);
    g_unlink(path);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/clip/every_codec_has_a_key_frame_a_second", test_codecs);
    g_test_add_func("/clip/people_are_spread_over_time", test_spread);
    g_test_add_func("/clip/the_cache_is_used_and_repaired", test_cache);
    g_test_add_func("/clip/a_file_without_pictures_is_an_error", test_no_picture);
    return g_test_run();
}
