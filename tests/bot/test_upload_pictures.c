/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/upload_ahead.h"
#include "media/finalizer.h"
#include "media/work_state.h"
#include "media/writer.h"
#include "tests/bot/object_server.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/*
 * A recording with pictures is sent to a real S3-compatible store while its two working files grow,
 * and completed with the MP4 that the finalizer joins from them.
 */

#define NAME "recording.mp4"
#define PICTURE_BYTES 80000
#define PICTURES_S 25
#define SOUND_BYTES 300
#define SOUNDS_S 47
/* So many seconds have three parts and what must follow them. */
#define ENOUGH_S 9

static ObjectServer server;

/* --- a recording --- */

typedef struct {
    BotStoreConfig config;
    char *dir, *work_dir, *state_path; /* owned */
    MediaWorkState state;
    MediaWriter *video, *audio; /* owned; NULL: ended */
    GRand *rand;                /* owned */
    BotUploadAhead *ahead;      /* owned; NULL: cut off */
} Recording;

static MediaWriter *open_writer(const Recording *recording, const char *name, const char *caps_text,
                                int timescale)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(recording->work_dir, name, NULL);
    GstCaps *caps = gst_caps_from_string(caps_text);
    MediaWriter *writer = media_writer_new(path, caps, timescale, &error);
    g_assert_no_error(error);
    gst_caps_unref(caps);
    return writer;
}

static void recording_init(Recording *recording, const char *prefix)
{
    g_autoptr(GError) error = NULL;
    *recording = (Recording){.config = object_server_config(&server, prefix)};
    recording->dir = g_dir_make_tmp("steno-pictures-XXXXXX", NULL);
    recording->work_dir = g_build_filename(recording->dir, MEDIA_WORK_DIR, NULL);
    recording->state_path = bot_upload_ahead_state_path(recording->dir, NAME);
    recording->rand = g_rand_new_with_seed(7);
    /* It is there before the recording is, as in life. */
    recording->ahead = bot_upload_ahead_new(&recording->config, recording->dir, 10);
    g_assert_cmpint(g_mkdir(recording->work_dir, 0755), ==, 0);
    recording->state = (MediaWorkState){.mode = MEDIA_MODE_SPEAKER_VIEW, .audio_priming = 1024};
    g_assert_true(media_work_state_save(recording->work_dir, &recording->state, &error));
    recording->audio = open_writer(recording, MEDIA_WORK_AUDIO,
                                   "audio/mpeg,mpegversion=4,stream-format=raw,rate=48000,"
                                   "channels=1,codec_data=(buffer)1188",
                                   48000);
    recording->video = open_writer(recording, MEDIA_WORK_VIDEO,
                                   "video/x-h264,stream-format=avc,alignment=au,width=1280,"
                                   "height=720,codec_data=(buffer)0164001fffe100046764001f"
                                   "01000468ee3cb0",
                                   90000);
}

static void recording_clear(Recording *recording)
{
    g_clear_pointer(&recording->ahead, bot_upload_ahead_free);
    g_clear_pointer(&recording->video, media_writer_free);
    g_clear_pointer(&recording->audio, media_writer_free);
    g_rand_free(recording->rand);
    object_server_remove_tree(recording->dir);
    g_free(recording->dir);
    g_free(recording->work_dir);
    g_free(recording->state_path);
}

static void write_packet(Recording *recording, MediaWriter *writer, int size, int64_t at,
                         int64_t duration)
{
    g_autoptr(GError) error = NULL;
    GstBuffer *buffer = gst_buffer_new_and_alloc((gsize)size);
    GstMapInfo map;
    g_assert_true(gst_buffer_map(buffer, &map, GST_MAP_WRITE));
    for (gsize i = 0; i + 4 <= map.size; i += 4) {
        GST_WRITE_UINT32_BE(map.data + i, g_rand_int(recording->rand));
    }
    GST_WRITE_UINT32_BE(map.data, (guint32)size - 4); /* one NAL unit, if it is a picture */
    map.data[4] = 0x1e;                               /* of a type that nobody looks into */
    gst_buffer_unmap(buffer, &map);
    g_assert_true(media_writer_write(writer, buffer, at, at, duration, &error));
    gst_buffer_unref(buffer);
}

static void record(Recording *recording, int seconds)
{
    for (int second = 0; second < seconds; second++) {
        for (int i = 0; i < PICTURES_S; i++) {
            write_packet(recording, recording->video, PICTURE_BYTES,
                         recording->state.n_video_packets++ * 90000 / PICTURES_S,
                         90000 / PICTURES_S);
        }
        for (int i = 0; i < SOUNDS_S; i++) {
            write_packet(recording, recording->audio, SOUND_BYTES,
                         recording->state.n_audio_packets++ * 1024, 1024);
        }
        g_assert_true(media_writer_flush(recording->video, NULL));
        g_assert_true(media_writer_flush(recording->audio, NULL));
        recording->state.duration_ns += GST_SECOND;
    }
}

static void end(Recording *recording)
{
    g_assert_true(media_writer_close(recording->video, NULL));
    g_assert_true(media_writer_close(recording->audio, NULL));
    recording->state.ended = true;
    g_assert_true(media_work_state_save(recording->work_dir, &recording->state, NULL));
}

static void finalize(Recording *recording, bool recovered)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) chapters = g_array_new(FALSE, TRUE, sizeof(MediaChapter));
    MediaChapter chapter = {.title = (char *)"Alice Martin"};
    g_array_append_val(chapters, chapter);
    MediaFinalizeOptions options = {"A meeting", 1700000000000, chapters};
    MediaFinalized finalized;
    media_finalize(recording->dir, &options, &finalized, &error);
    g_assert_no_error(error);
    g_assert_cmpint(finalized.recovered, ==, recovered);
    media_finalized_clear(&finalized);
}

/* --- what came of it --- */

static guint count(const Recording *recording, const char *method, const char *query)
{
    return object_server_count_of(&server, &recording->config, method, NAME, query);
}

static void assert_arrives(Recording *recording)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(recording->dir, NAME, NULL);
    g_autofree char *parts_path = g_build_filename(recording->dir, ".upload", NULL);
    g_autofree char *data = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(path, &data, &size, NULL));
    g_autofree char *sha256 = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guchar *)data, size);
    BotStoreFile file = {path, NAME, (gint64)size, sha256, parts_path, recording->state_path};
    g_clear_pointer(&recording->ahead, bot_upload_ahead_free);
    g_autoptr(BotStore) store = bot_store_new(&recording->config);
    g_autofree char *url = NULL;
    g_assert_true(bot_store_put(store, &file, NULL, &url, &error));
    g_assert_no_error(error);
    object_server_assert_fetched(url, sha256, NULL);
    g_assert_false(g_file_test(recording->state_path, G_FILE_TEST_EXISTS));
}

/* --- tests --- */

static void pictures_go_ahead(void)
{
    Recording recording;
    recording_init(&recording, "pictures/");
    record(&recording, ENOUGH_S);
    object_server_await_ahead(recording.state_path, 2);
    record(&recording, 1);
    end(&recording);
    finalize(&recording, false);
    assert_arrives(&recording);
    g_assert_cmpuint(count(&recording, "PUT", "partNumber=2&"), ==, 1);
    g_assert_cmpuint(count(&recording, "PUT", "partNumber=3&"), ==, 1);
    g_assert_cmpuint(count(&recording, "PUT", ""), ==, 4);
    recording_clear(&recording);
}

/* The store is away for a moment; then the worker is killed, and its last fragment was cut. */
static void a_killed_one_goes_on(void)
{
    Recording recording;
    recording_init(&recording, "killed/");
    object_server_set_faults(&server, "POST killed/recording.mp4?uploads= 503 1\n"
                                      "PUT killed/recording.mp4?partNumber=3 deaf 1\n");
    record(&recording, ENOUGH_S);
    object_server_await_ahead(recording.state_path, 2);
    record(&recording, 1);
    g_clear_pointer(&recording.ahead, bot_upload_ahead_free);
    g_autofree char *path = g_build_filename(recording.work_dir, MEDIA_WORK_VIDEO, NULL);
    GStatBuf status;
    g_assert_cmpint(g_stat(path, &status), ==, 0);
    g_assert_cmpint(truncate(path, status.st_size - PICTURE_BYTES / 2), ==, 0);
    finalize(&recording, true);
    assert_arrives(&recording);
    g_assert_cmpuint(count(&recording, "POST", "uploads="), ==, 2);
    g_assert_cmpuint(count(&recording, "PUT", "partNumber=2&"), ==, 1);
    g_assert_cmpuint(count(&recording, "PUT", "partNumber=3&"), ==, 2);
    recording_clear(&recording);
}

static void a_refusal_harms_nothing(void)
{
    Recording recording;
    recording_init(&recording, "refusal/");
    object_server_set_faults(&server, "PUT refusal/recording.mp4?partNumber=2 400 1\n");
    record(&recording, ENOUGH_S);
    while (count(&recording, "PUT", "partNumber=2&") == 0) {
        g_usleep(20000);
    }
    end(&recording);
    finalize(&recording, false);
    assert_arrives(&recording); /* in parts of the usual length */
    g_assert_cmpuint(count(&recording, "PUT", "partNumber=3&"), ==, 1);
    g_assert_cmpuint(count(&recording, "POST", "uploads="), ==, 2);
    g_assert_cmpuint(count(&recording, "DELETE", "uploadId="), ==, 1);
    recording_clear(&recording);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(media_init(NULL));
    object_server_start(&server);
    g_test_add_func("/upload_pictures/pictures_go_ahead", pictures_go_ahead);
    g_test_add_func("/upload_pictures/a_killed_one_goes_on", a_killed_one_goes_on);
    g_test_add_func("/upload_pictures/a_refusal_harms_nothing", a_refusal_harms_nothing);
    int result = g_test_run();
    object_server_stop(&server);
    return result;
}
