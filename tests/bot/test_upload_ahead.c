/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/upload.h"
#include "tests/bot/object_server.h"

#include <glib/gstdio.h>
#include <string.h>

/*
 * A file is sent to a real S3-compatible store while it grows, and completed once it is finished.
 */

#define MIB (1024 * 1024)
#define MP3 "recording.mp3"
#define WAV "audio.wav"
/* Two parts are whole then, and what follows them. */
#define TWO_PARTS (3 * BOT_STORE_AHEAD_PART + BOT_STORE_AHEAD_MARGIN)
#define WHOLE (TWO_PARTS + 2 * MIB + 4321)

static ObjectServer server;
static GMutex said_lock;
static GString *said;   /* owned: messages of the log; protected by said_lock */
static char *all_bytes; /* owned: what every growing file grows by */

/* --- a file that grows --- */

typedef struct {
    BotStoreConfig config;
    char *dir, *work, *final, *state_path, *name, *sha256; /* owned */
    gsize written;
    BotStore *store;      /* owned */
    BotStoreAhead *ahead; /* owned */
} Growing;

static void growing_init(Growing *growing, const char *prefix, const char *name)
{
    *growing = (Growing){.config = object_server_config(&server, prefix)};
    growing->dir = g_dir_make_tmp("steno-ahead-XXXXXX", NULL);
    g_autofree char *work_dir = g_build_filename(growing->dir, ".work", NULL);
    g_assert_cmpint(g_mkdir(work_dir, 0755), ==, 0);
    growing->work =
        g_build_filename(work_dir, strcmp(name, MP3) == 0 ? "audio.mp3" : "audio.wav", NULL);
    growing->final = g_build_filename(growing->dir, name, NULL);
    growing->state_path = bot_upload_ahead_state_path(growing->dir, name);
    growing->name = g_strdup(name);
}

/* For tests that take its steps themselves. */
static void step_by_step(Growing *growing)
{
    growing->store = bot_store_new(&growing->config);
    growing->ahead =
        bot_store_ahead_new(growing->store, growing->work, growing->name, growing->state_path);
}

/* What a crash leaves of the follower: the files. */
static void lose_follower(Growing *growing)
{
    g_clear_pointer(&growing->ahead, bot_store_ahead_free);
    g_clear_pointer(&growing->store, bot_store_free);
}

static void growing_clear(Growing *growing)
{
    lose_follower(growing);
    object_server_remove_tree(growing->dir);
    g_free(growing->dir);
    g_free(growing->work);
    g_free(growing->final);
    g_free(growing->state_path);
    g_free(growing->name);
    g_free(growing->sha256);
}

static void grow(Growing *growing, gsize to)
{
    FILE *file = g_fopen(growing->work, "ab");
    g_assert_nonnull(file);
    g_assert_cmpuint(fwrite(all_bytes + growing->written, 1, to - growing->written, file), ==,
                     to - growing->written);
    g_assert_cmpint(fclose(file), ==, 0);
    growing->written = to;
}

/* As many parts as are whole; returns how many were sent. */
static guint send_ahead(Growing *growing)
{
    g_autoptr(GError) error = NULL;
    bool sent = true;
    guint n = 0;
    while (sent) {
        g_assert_true(bot_store_ahead_send(growing->ahead, NULL, &sent, &error));
        g_assert_no_error(error);
        n += sent;
    }
    return n;
}

/* The finished file: @header, what was written but for its first @over and last @cut bytes. */
static void finish(Growing *growing, gsize header_bytes, gsize over, gsize cut)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_byte_array_set_size(bytes, (guint)header_bytes);
    memset(bytes->data, 'H', header_bytes);
    g_byte_array_append(bytes, (guint8 *)all_bytes + over, (guint)(growing->written - over - cut));
    g_assert_true(
        g_file_set_contents(growing->final, (char *)bytes->data, (gssize)bytes->len, NULL));
    g_free(growing->sha256);
    growing->sha256 = g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes->data, bytes->len);
    g_unlink(growing->work);
}

/* --- what came of it --- */

static gint64 size_of(const char *path)
{
    GStatBuf status;
    g_assert_cmpint(g_stat(path, &status), ==, 0);
    return status.st_size;
}

/* A store of its own, as another process has. */
static bool put(const Growing *growing, GCancellable *cancellable, char **ret_url, GError **error)
{
    g_autofree char *parts_path = g_build_filename(growing->dir, ".upload", NULL);
    BotStoreFile file = {growing->final,  growing->name, size_of(growing->final),
                         growing->sha256, parts_path,    growing->state_path};
    g_autoptr(BotStore) store = bot_store_new(&growing->config);
    return bot_store_put(store, &file, cancellable, ret_url, error);
}

static void assert_arrives(const Growing *growing)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *url = NULL;
    g_assert_true(put(growing, NULL, &url, &error));
    g_assert_no_error(error);
    object_server_assert_fetched(url, growing->sha256, NULL);
    g_assert_false(g_file_test(growing->state_path, G_FILE_TEST_EXISTS));
}

/* How many requests of @method to the file had @query. */
static guint count(const Growing *growing, const char *method, const char *query)
{
    return object_server_count_of(&server, &growing->config, method, growing->name, query);
}

/* Objects and unfinished uploads that the store had there. */
static guint count_left(const Growing *growing)
{
    g_autoptr(BotStore) store = bot_store_new(&growing->config);
    g_autoptr(GError) error = NULL;
    guint n = 0;
    g_assert_true(bot_store_clear(store, &n, NULL, &error));
    g_assert_no_error(error);
    return n;
}

static void on_message(const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
    g_mutex_lock(&said_lock);
    g_string_append_printf(said, "%s\n", message);
    g_mutex_unlock(&said_lock);
}

/* And nothing else since it was asked last. */
static void assert_said(const char *what)
{
    g_assert_nonnull(strstr(said->str, what));
    g_assert_cmpuint(strcspn(said->str, "\n") + 1, ==, said->len);
    g_string_truncate(said, 0);
}

static void assert_went_whole(const Growing *growing, const char *because)
{
    assert_arrives(growing);
    g_assert_nonnull(strstr(said->str, because));
    assert_said("goes whole");
    g_assert_cmpuint(count_left(growing), ==, 1);
}

/* --- tests --- */

static void what_grows_is_sent_ahead(void)
{
    Growing growing;
    growing_init(&growing, "front/", MP3);
    step_by_step(&growing);
    g_assert_cmpuint(send_ahead(&growing), ==, 0); /* not there yet */
    grow(&growing, 2 * BOT_STORE_AHEAD_PART + BOT_STORE_AHEAD_MARGIN - 1);
    g_assert_cmpuint(send_ahead(&growing), ==, 0);
    g_assert_cmpuint(count(&growing, "POST", "uploads="), ==, 0);
    grow(&growing, growing.written + 1);
    g_assert_cmpuint(send_ahead(&growing), ==, 1);
    g_assert_cmpuint(send_ahead(&growing), ==, 0);
    grow(&growing, WHOLE);
    g_assert_cmpuint(send_ahead(&growing), ==, 1);
    /* A long header comes in front, and the end is cut. */
    finish(&growing, 2 * MIB - 100, 0, 5000);
    assert_arrives(&growing);
    for (guint number = 1; number <= 4; number++) {
        g_autofree char *query = g_strdup_printf("partNumber=%u&", number);
        g_assert_cmpuint(count(&growing, "PUT", query), ==, 1);
    }
    g_assert_cmpuint(count(&growing, "PUT", ""), ==, 4);
    g_assert_cmpuint(count(&growing, "POST", "uploads="), ==, 1);
    g_assert_cmpuint(count_left(&growing), ==, 1);
    growing_clear(&growing);
}

/* Its header is written over; and it is small enough to go in one request otherwise. */
static void a_wav_is_sent_ahead(void)
{
    Growing growing;
    growing_init(&growing, "over/", WAV);
    step_by_step(&growing);
    grow(&growing, 11 * MIB);
    g_assert_cmpuint(send_ahead(&growing), ==, 1);
    finish(&growing, 44, 44, 0);
    assert_arrives(&growing);
    g_assert_cmpuint(count(&growing, "PUT", ""), ==, 3);
    growing_clear(&growing);
}

static void what_changed_goes_whole(void)
{
    Growing growing;
    growing_init(&growing, "changed/", MP3);
    step_by_step(&growing);
    grow(&growing, WHOLE);
    g_assert_cmpuint(send_ahead(&growing), ==, 2);
    all_bytes[2 * BOT_STORE_AHEAD_PART + 17] ^= 1;
    finish(&growing, 10, 0, 0);
    all_bytes[2 * BOT_STORE_AHEAD_PART + 17] ^= 1;
    assert_went_whole(&growing, "is not what was sent");
    /* What a power failure took from the end. */
    growing.written = 0;
    grow(&growing, WHOLE);
    lose_follower(&growing);
    step_by_step(&growing);
    g_assert_cmpuint(send_ahead(&growing), ==, 2);
    finish(&growing, 10, 0, WHOLE - 2 * BOT_STORE_AHEAD_PART);
    assert_went_whole(&growing, "is shorter than what was sent");
    growing_clear(&growing);
}

/* delete_data in the middle, or a bucket's rule that ends what is old. */
static void what_the_store_forgot_goes_whole(void)
{
    Growing growing;
    growing_init(&growing, "forgotten/", MP3);
    step_by_step(&growing);
    grow(&growing, 2 * BOT_STORE_AHEAD_PART + BOT_STORE_AHEAD_MARGIN);
    g_assert_cmpuint(send_ahead(&growing), ==, 1);
    g_assert_cmpuint(count_left(&growing), ==, 1); /* clears it */
    grow(&growing, WHOLE);
    bool sent = true;
    g_autoptr(GError) error = NULL;
    g_assert_false(bot_store_ahead_send(growing.ahead, NULL, &sent, &error));
    g_assert_error(error, BOT_STORE_ERROR, BOT_STORE_ERROR_REFUSED);
    g_assert_false(sent);
    finish(&growing, 10, 0, 0);
    assert_went_whole(&growing, "NoSuchUpload");
    growing_clear(&growing);
}

static void other_parts_are_refused_late(void)
{
    /* A store that wants all parts of one size says so at the very end. */
    Growing growing;
    growing_init(&growing, "uneven/", MP3);
    step_by_step(&growing);
    grow(&growing, WHOLE);
    g_assert_cmpuint(send_ahead(&growing), ==, 2);
    finish(&growing, 10, 0, 0);
    object_server_set_faults(&server, "POST uneven/recording.mp3?uploadId 400 1\n");
    assert_went_whole(&growing, "HTTP 400");
    g_assert_cmpuint(count(&growing, "DELETE", "uploadId="), ==, 1);
    growing_clear(&growing);
}

static void where_parts_must_be_of_one_size(void)
{
    BotStoreConfig config = object_server_config(&server, "");
    g_assert_true(bot_store_ahead_takes_uneven(&config));
    config.endpoint = "https://0123456789abcdef.eu.r2.cloudflarestorage.com";
    g_assert_false(bot_store_ahead_takes_uneven(&config));
    config.endpoint = "https://r2.cloudflarestorage.com.example.com";
    g_assert_true(bot_store_ahead_takes_uneven(&config));
}

/* --- crashes --- */

static void a_crash_loses_nothing_that_was_sent(void)
{
    Growing growing;
    growing_init(&growing, "crash/", MP3);
    step_by_step(&growing);
    grow(&growing, WHOLE);
    g_assert_cmpuint(send_ahead(&growing), ==, 2);
    lose_follower(&growing);
    finish(&growing, 333, 0, 0);
    assert_arrives(&growing);
    g_assert_cmpuint(count(&growing, "PUT", ""), ==, 4);
    growing_clear(&growing);
}

typedef struct {
    const Growing *growing;
    GCancellable *cancellable;
} Canceller;

static gpointer cancel_at_last_part(gpointer data)
{
    Canceller *canceller = data;
    while (count(canceller->growing, "PUT", "partNumber=4&") == 0) {
        g_usleep(20000);
    }
    g_cancellable_cancel(canceller->cancellable);
    return NULL;
}

/* After the beginning was sent, before the end was. */
static void a_cut_completion_is_resumed(void)
{
    Growing growing;
    growing_init(&growing, "cut/", MP3);
    step_by_step(&growing);
    grow(&growing, WHOLE);
    g_assert_cmpuint(send_ahead(&growing), ==, 2);
    finish(&growing, 333, 0, 0);
    object_server_set_faults(&server, "PUT cut/recording.mp3?partNumber=4 503 100\n");
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    Canceller canceller = {&growing, cancellable};
    GThread *thread = g_thread_new("canceller", cancel_at_last_part, &canceller);
    g_autoptr(GError) error = NULL;
    char *url = NULL;
    g_assert_false(put(&growing, cancellable, &url, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    g_thread_join(thread);
    /* The answer to the completion is lost, too: the store has the object by then. */
    object_server_set_faults(&server, "POST cut/recording.mp3?uploadId deaf 1\n");
    assert_arrives(&growing);
    g_assert_cmpuint(count(&growing, "PUT", "partNumber=1&"), ==, 1);
    g_assert_cmpuint(count(&growing, "POST", "uploads="), ==, 1);
    growing_clear(&growing);
}

static void what_is_remembered_wrongly_is_not_used(void)
{
    static const char *const states[] = {
        "",
        "[upload]\nid=x\n",
        "[upload]\nid=\nname=recording.mp3\nhead=AAAA\npart_bytes=5242880\n",
        "[upload]\nid=x\nname=recording.mp3\nhead=AAAA\npart_bytes=5242880\nahead=1\n",
        "[upload]\nid=x\nname=recording.mp3\nhead=!\npart_bytes=5242880\nahead=0\n",
        "[upload]\nid=x\nname=recording.mp3\nhead=AAAA\npart_bytes=-1\nahead=0\n",
        "[upload]\nid=x\nname=recording.mp3\nhead=AAAA\npart_bytes=5242880\nahead=4294967298\n"};
    for (gsize i = 0; i < G_N_ELEMENTS(states); i++) {
        Growing growing;
        growing_init(&growing, "wrong/", MP3);
        g_assert_true(g_file_set_contents(growing.state_path, states[i], -1, NULL));
        grow(&growing, 1000);
        finish(&growing, 1, 0, 0);
        assert_arrives(&growing);
        g_assert_cmpuint(count(&growing, "DELETE", "uploadId="), ==, 0);
        growing_clear(&growing);
    }
}

/* --- dropping --- */

static void a_dropped_one_leaves_nothing(void)
{
    Growing growing;
    growing_init(&growing, "dropped/", WAV);
    step_by_step(&growing);
    grow(&growing, 11 * MIB);
    g_assert_cmpuint(send_ahead(&growing), ==, 1);
    g_autoptr(GError) error = NULL;
    object_server_set_faults(&server, "DELETE dropped/ 503 1\n");
    bot_store_set_max_tries(growing.store, 1);
    g_assert_false(bot_store_ahead_drop(growing.store, growing.state_path, NULL, &error));
    g_assert_error(error, BOT_STORE_ERROR, BOT_STORE_ERROR_UNAVAILABLE);
    g_assert_true(g_file_test(growing.state_path, G_FILE_TEST_EXISTS));
    g_clear_error(&error);
    g_assert_true(bot_store_ahead_drop(growing.store, growing.state_path, NULL, &error));
    g_assert_no_error(error);
    g_assert_false(g_file_test(growing.state_path, G_FILE_TEST_EXISTS));
    g_assert_cmpuint(count_left(&growing), ==, 0);
    growing_clear(&growing);
}

/* An earlier recording in the same folder was never delivered. */
static void a_new_file_takes_the_place_of_an_old_one(void)
{
    Growing growing;
    growing_init(&growing, "again/", WAV);
    step_by_step(&growing);
    grow(&growing, 11 * MIB);
    g_assert_cmpuint(send_ahead(&growing), ==, 1);
    lose_follower(&growing);
    step_by_step(&growing);
    g_assert_cmpuint(send_ahead(&growing), ==, 1);
    g_assert_cmpuint(count(&growing, "DELETE", "uploadId="), ==, 1);
    finish(&growing, 44, 44, 0);
    assert_arrives(&growing);
    g_assert_cmpuint(count_left(&growing), ==, 1);
    growing_clear(&growing);
}

static void what_can_not_be_remembered_is_not_begun(void)
{
    Growing growing;
    growing_init(&growing, "amnesia/", WAV);
    g_free(growing.state_path);
    growing.state_path = g_build_filename(growing.dir, "gone", "state", NULL);
    step_by_step(&growing);
    grow(&growing, 11 * MIB);
    g_autoptr(GError) error = NULL;
    bool sent = true;
    g_assert_false(bot_store_ahead_send(growing.ahead, NULL, &sent, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
    g_assert_cmpuint(count(&growing, "POST", "uploads="), ==, 1);
    g_assert_cmpuint(count_left(&growing), ==, 0);
    growing_clear(&growing);
}

/* --- the follower --- */

static void wait_for(const Growing *growing, const char *method, const char *query, guint n)
{
    while (count(growing, method, query) < n) {
        g_usleep(20000);
    }
}

static void a_store_that_was_away_catches_up(void)
{
    Growing growing;
    growing_init(&growing, "away/", MP3);
    object_server_set_faults(&server, "POST away/recording.mp3?uploads= cut 2\n"
                                      "PUT away/recording.mp3?partNumber=2 503 2\n"
                                      "PUT away/recording.mp3?partNumber=3 deaf 1\n");
    BotUploadAhead *ahead = bot_upload_ahead_new(&growing.config, growing.dir, 20);
    grow(&growing, MIB);
    grow(&growing, 2 * BOT_STORE_AHEAD_PART + BOT_STORE_AHEAD_MARGIN);
    wait_for(&growing, "PUT", "partNumber=2&", 3);
    grow(&growing, WHOLE);
    object_server_await_ahead(growing.state_path, 2);
    bot_upload_ahead_free(ahead);
    g_assert_cmpuint(count(&growing, "PUT", "partNumber=3&"), ==, 2);
    g_assert_cmpuint(count(&growing, "POST", "uploads="), ==, 3);
    finish(&growing, 20, 0, 0);
    assert_arrives(&growing);
    g_assert_cmpuint(count(&growing, "PUT", "partNumber=2&"), ==, 3);
    growing_clear(&growing);
}

/* The meeting ends while the store is away; it is back for the end. */
static void a_follower_can_be_cut_off(void)
{
    Growing growing;
    growing_init(&growing, "off/", MP3);
    object_server_set_faults(&server, "PUT off/recording.mp3?partNumber=2 503 100000\n");
    BotUploadAhead *ahead = bot_upload_ahead_new(&growing.config, growing.dir, 20);
    grow(&growing, WHOLE);
    wait_for(&growing, "PUT", "partNumber=2&", 2);
    bot_upload_ahead_free(ahead);
    object_server_set_faults(&server, "");
    finish(&growing, 20, 0, 0);
    assert_arrives(&growing); /* without a word: nothing had been sent */
    g_assert_cmpuint(count_left(&growing), ==, 1);
    growing_clear(&growing);
}

static void a_refusal_ends_following(void)
{
    Growing growing;
    growing_init(&growing, "refused/", MP3);
    growing.config.secret_key = "quite-wrong";
    grow(&growing, WHOLE);
    BotUploadAhead *ahead = bot_upload_ahead_new(&growing.config, growing.dir, 1);
    wait_for(&growing, "POST", "uploads=", 1);
    g_usleep(200000); /* two hundred times its turn */
    bot_upload_ahead_free(ahead);
    g_assert_nonnull(strstr(said->str, "SignatureDoesNotMatch"));
    assert_said("is sent at the end only");
    g_assert_cmpuint(count(&growing, "POST", "uploads="), ==, 1);
    growing_clear(&growing);
}

/* --- a bot's whole folder --- */

typedef struct {
    guint n_uploaded;
    GError *error; /* owned */
    bool done;
} Delivery;

static void on_uploaded(const char *name, const char *url, gpointer user_data)
{
    ((Delivery *)user_data)->n_uploaded++;
}

static void on_done(const GError *error, gpointer user_data)
{
    Delivery *delivery = user_data;
    delivery->done = true;
    delivery->error = error != NULL ? g_error_copy(error) : NULL;
}

static void deliver(const Growing *growing, BotUploadAhead *ahead)
{
    static const BotUploadEvents events = {on_uploaded, on_done};
    BotUploadConfig config = {growing->config, true};
    g_autoptr(JsonArray) artifacts = json_array_new();
    JsonObject *artifact = json_object_new();
    json_object_set_string_member(artifact, "name", growing->name);
    json_object_set_int_member(artifact, "bytes", size_of(growing->final));
    json_object_set_string_member(artifact, "sha256", growing->sha256);
    json_array_add_object_element(artifacts, artifact);
    Delivery delivery = {0};
    BotUpload *upload = bot_upload_new(&config, growing->dir, artifacts, ahead, &events, &delivery);
    while (!delivery.done) {
        g_main_context_iteration(NULL, TRUE);
    }
    bot_upload_free(upload);
    g_assert_no_error(delivery.error);
    g_assert_cmpuint(delivery.n_uploaded, ==, 1);
    g_assert_false(g_file_test(growing->final, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(growing->state_path, G_FILE_TEST_EXISTS));
}

/* audio.wav was sent ahead, and then there was none: it stays as long as it may still be made. So
 * does what a killed worker had begun to remember. */
static void what_never_came_is_dropped(void)
{
    Growing growing, lost;
    growing_init(&growing, "folder/", MP3);
    g_autofree char *work_dir = g_path_get_dirname(growing.work);
    growing_init(&lost, "folder/", WAV);
    g_autofree char *own_dir = g_steal_pointer(&lost.dir);
    g_free(lost.state_path);
    lost.state_path = bot_upload_ahead_state_path(growing.dir, WAV);
    step_by_step(&lost);
    grow(&lost, 11 * MIB);
    g_assert_cmpuint(send_ahead(&lost), ==, 1);
    g_autofree char *half = g_strconcat(growing.state_path, ".4TJ2X1", NULL);
    g_assert_true(g_file_set_contents(half, "{", 1, NULL));
    BotUploadAhead *ahead = bot_upload_ahead_new(&growing.config, growing.dir, 20);
    grow(&growing, WHOLE);
    object_server_await_ahead(growing.state_path, 2);
    finish(&growing, 20, 0, 0);
    deliver(&growing, ahead);
    g_assert_cmpuint(count(&growing, "PUT", ""), ==, 4);
    g_assert_true(g_file_test(lost.state_path, G_FILE_TEST_EXISTS));
    g_assert_cmpint(g_rmdir(work_dir), ==, 0);
    finish(&growing, 20, 0, 0);
    deliver(&growing, NULL);
    g_assert_false(g_file_test(lost.state_path, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(half, G_FILE_TEST_EXISTS));
    g_assert_cmpuint(count_left(&growing), ==, 1);
    lost.dir = g_steal_pointer(&own_dir);
    growing_clear(&lost);
    growing_clear(&growing);
}

static void make_bytes(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(20);
    guint32 *words = g_new(guint32, WHOLE / 4 + 1);
    for (gsize i = 0; i <= WHOLE / 4; i++) {
        words[i] = g_rand_int(rand);
    }
    all_bytes = (char *)words;
}

#define ADD(test) g_test_add_func("/upload_ahead/" #test, test)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    object_server_start(&server);
    make_bytes();
    said = g_string_new(NULL);
    g_log_set_handler("bot", G_LOG_LEVEL_MESSAGE, on_message, NULL);
    ADD(what_grows_is_sent_ahead);
    ADD(a_wav_is_sent_ahead);
    ADD(what_changed_goes_whole);
    ADD(what_the_store_forgot_goes_whole);
    ADD(other_parts_are_refused_late);
    ADD(where_parts_must_be_of_one_size);
    ADD(a_crash_loses_nothing_that_was_sent);
    ADD(a_cut_completion_is_resumed);
    ADD(what_is_remembered_wrongly_is_not_used);
    ADD(a_dropped_one_leaves_nothing);
    ADD(a_new_file_takes_the_place_of_an_old_one);
    ADD(what_can_not_be_remembered_is_not_begun);
    ADD(a_store_that_was_away_catches_up);
    ADD(a_follower_can_be_cut_off);
    ADD(a_refusal_ends_following);
    ADD(what_never_came_is_dropped);
    int result = g_test_run();
    g_assert_cmpstr(said->str, ==, "");
    g_string_free(said, TRUE);
    g_free(all_bytes);
    object_server_stop(&server);
    return result;
}
