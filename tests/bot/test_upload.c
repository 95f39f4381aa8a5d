/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/sigv4.h"
#include "bot/store.h"
#include "bot/upload.h"
#include "tests/bot/object_server.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

/*
 * Against a real S3-compatible store (OpenStack Swift, tests/e2e/object_store.py) on loopback,
 * which checks every signature, with faults on command.
 */

#define LARGE_BYTES (20 * 1024 * 1024 + 12345) /* three parts, the last one short */

static ObjectServer server;

/* --- files --- */

typedef struct {
    char *dir, *path, *state_path, *sha256; /* owned */
    gint64 bytes;
    BotStoreFile file;
} Sample;

static void sample_init(Sample *sample, const char *name, gsize bytes)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)bytes);
    g_autofree guint32 *data = g_malloc(bytes + 4);
    for (gsize i = 0; i <= bytes / 4; i++) {
        data[i] = g_rand_int(rand);
    }
    sample->dir = g_dir_make_tmp("steno-upload-XXXXXX", NULL);
    sample->path = g_build_filename(sample->dir, name, NULL);
    sample->state_path = g_build_filename(sample->dir, ".upload", NULL);
    sample->bytes = (gint64)bytes;
    g_assert_true(g_file_set_contents(sample->path, (char *)data, (gssize)bytes, NULL));
    sample->sha256 = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guchar *)data, bytes);
    sample->file =
        (BotStoreFile){sample->path, name, sample->bytes, sample->sha256, sample->state_path};
}

static void sample_clear(Sample *sample)
{
    object_server_remove_tree(sample->dir);
    g_free(sample->dir);
    g_free(sample->path);
    g_free(sample->state_path);
    g_free(sample->sha256);
}

static void assert_put(const BotStoreConfig *config, const Sample *sample)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BotStore) store = bot_store_new(config);
    g_autofree char *url = NULL;
    g_assert_true(bot_store_put(store, &sample->file, NULL, &url, &error));
    g_assert_no_error(error);
    object_server_assert_fetched(url, sample->sha256, NULL);
    g_assert_false(g_file_test(sample->state_path, G_FILE_TEST_EXISTS));
}

/* --- tests --- */

static void small_and_large_arrive(void)
{
    BotStoreConfig config = object_server_config(&server, "bots/a b+ü/");
    Sample small, large;
    sample_init(&small, "chat.json", 1234);
    sample_init(&large, "recording.mp4", LARGE_BYTES);
    assert_put(&config, &small);
    assert_put(&config, &large);
    g_autofree char *small_url = bot_store_link(&config, "chat.json", 60);
    g_autofree char *large_url = bot_store_link(&config, "recording.mp4", 60);
    object_server_assert_fetched(small_url, NULL, "application/json");
    object_server_assert_fetched(large_url, NULL, "video/mp4");
    config.endpoint = server.vhost_endpoint;
    config.path_style = false;
    config.prefix = "";
    assert_put(&config, &small);
    g_assert_cmpuint(object_server_count(&server, "PUT recordings.store.localhost"), ==, 1);
    sample_clear(&small);
    sample_clear(&large);
}

static void expect_refusal(const BotStoreConfig *config, const char *says)
{
    Sample sample;
    sample_init(&sample, "recording.mp3", 100);
    g_autoptr(GError) error = NULL;
    g_autoptr(BotStore) store = bot_store_new(config);
    g_autofree char *url = NULL;
    g_assert_false(bot_store_put(store, &sample.file, NULL, &url, &error));
    g_assert_error(error, BOT_STORE_ERROR, BOT_STORE_ERROR_REFUSED);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, says));
    g_assert_nonnull(strstr(error->message, "recording.mp3"));
    g_assert_null(strstr(error->message, config->secret_key));
    g_assert_null(url);
    sample_clear(&sample);
}

static void refusals_are_final_and_say_why(void)
{
    guint before = object_server_count(&server, "");
    BotStoreConfig config = object_server_config(&server, "");
    config.secret_key = "quite-wrong";
    expect_refusal(&config, "SignatureDoesNotMatch");
    config = object_server_config(&server, "");
    config.bucket = "nowhere";
    expect_refusal(&config, "NoSuchBucket");
    g_assert_cmpuint(object_server_count(&server, "") - before, ==, 2);
}

static void passing_faults_are_tried_again(void)
{
    BotStoreConfig config = object_server_config(&server, "faults/");
    Sample small, large;
    sample_init(&small, "diarization.jsonl", 5000);
    sample_init(&large, "recording.mp4", LARGE_BYTES);
    object_server_set_faults(&server, "PUT diarization 503 1\nHEAD diarization cut 1\n");
    assert_put(&config, &small);
    /* The last fault loses the answer to the completion: the store has the object by then. */
    object_server_set_faults(
        &server, "POST uploads= 500 1\nPUT partNumber=1 cut 1\nPUT partNumber=2 deaf 1\n"
                 "POST uploadId deaf 1\n");
    assert_put(&config, &large);
    g_assert_cmpuint(object_server_count(&server, "partNumber=2"), >=, 2);
    sample_clear(&small);
    sample_clear(&large);
}

typedef struct {
    GCancellable *cancellable;
    guint before;
} Canceller;

static gpointer cancel_at_third_part(gpointer data)
{
    Canceller *canceller = data;
    while (object_server_count(&server, "partNumber=3") == canceller->before) {
        g_usleep(20000);
    }
    g_cancellable_cancel(canceller->cancellable);
    return NULL;
}

/* Cancelled while its third part is refused again and again. */
static void cut_upload(const BotStoreConfig *config, const Sample *large)
{
    object_server_set_faults(&server, "PUT partNumber=3 503 100\n");
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    Canceller canceller = {cancellable, object_server_count(&server, "partNumber=3")};
    GThread *thread = g_thread_new("canceller", cancel_at_third_part, &canceller);
    g_autoptr(GError) error = NULL;
    g_autofree char *url = NULL;
    BotStore *store = bot_store_new(config);
    g_assert_false(bot_store_put(store, &large->file, cancellable, &url, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    bot_store_free(store);
    g_thread_join(thread);
    g_assert_true(g_file_test(large->state_path, G_FILE_TEST_EXISTS));
    object_server_set_faults(&server, "");
}

static void a_cut_upload_is_resumed(void)
{
    BotStoreConfig config = object_server_config(&server, "resumed/");
    Sample large;
    sample_init(&large, "recording.mp4", LARGE_BYTES);
    cut_upload(&config, &large);
    guint first = object_server_count(&server, "resumed/recording.mp4?partNumber=1");
    guint begun = object_server_count(&server, "POST 127");
    assert_put(&config, &large);
    g_assert_cmpuint(object_server_count(&server, "resumed/recording.mp4?partNumber=1"), ==, first);
    g_assert_cmpuint(object_server_count(&server, "POST 127"), ==,
                     begun + 1); /* the completion only */
    sample_clear(&large);
}

static void a_lost_upload_begins_anew(void)
{
    BotStoreConfig config = object_server_config(&server, "anew/");
    Sample large;
    sample_init(&large, "recording.mp4", LARGE_BYTES);
    g_autofree char *state =
        g_strdup_printf("[upload]\nid=Z29uZQ\nname=recording.mp4\nsha256=%s\npart_bytes=%d\n",
                        large.sha256, BOT_STORE_PART);
    g_assert_true(g_file_set_contents(large.state_path, state, -1, NULL));
    assert_put(&config, &large);
    sample_clear(&large);
}

static char *presigned_put(const char *name)
{
    BotSigV4Key key = {"test:tester", "testing", NULL, "us-east-1"};
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *date = g_date_time_format(now, "%Y%m%dT%H%M%SZ");
    g_autofree char *host = g_strdup_printf("127.0.0.1:%d", server.port);
    g_autofree char *path = g_strdup_printf("/recordings/presigned/%s", name);
    g_autofree char *query = bot_sigv4_presign(&key, "PUT", host, path, date, 600);
    return g_strconcat(server.endpoint, path, "?", query, NULL);
}

static void a_presigned_url_takes_the_recording(void)
{
    Sample large;
    sample_init(&large, "recording.mp4", LARGE_BYTES);
    g_autofree char *put_url = presigned_put("recording.mp4");
    BotStoreConfig config = {.put_url = put_url};
    g_autoptr(BotStore) store = bot_store_new(&config);
    g_autoptr(GError) error = NULL;
    g_autofree char *url = NULL;
    object_server_set_faults(&server, "PUT presigned cut 1\n");
    g_assert_true(bot_store_put(store, &large.file, NULL, &url, &error));
    g_assert_no_error(error);
    g_assert_null(strstr(url, "?"));
    g_assert_cmpuint(object_server_count(&server, "presigned/recording.mp4?X-Amz"), ==, 2);
    /* A link that is not signed right is refused at once, and is not shown. */
    g_autofree char *wrong = g_strconcat(put_url, "0", NULL);
    BotStoreConfig bad = {.put_url = wrong};
    g_autoptr(BotStore) refusing = bot_store_new(&bad);
    g_assert_false(bot_store_put(refusing, &large.file, NULL, &url, &error));
    g_assert_error(error, BOT_STORE_ERROR, BOT_STORE_ERROR_REFUSED);
    g_assert_null(strstr(error->message, "X-Amz-Signature"));
    sample_clear(&large);
}

/* --- a bot's whole folder --- */

typedef struct {
    GPtrArray *names; /* owned, in the order of on_uploaded */
    GError *error;    /* owned */
    bool done;
} Delivery;

static void on_uploaded(const char *name, const char *url, gpointer user_data)
{
    Delivery *delivery = user_data;
    g_assert_false(delivery->done);
    g_assert_nonnull(url);
    g_ptr_array_add(delivery->names, g_strdup(name));
}

static void on_done(const GError *error, gpointer user_data)
{
    Delivery *delivery = user_data;
    g_assert_false(delivery->done);
    delivery->done = true;
    delivery->error = error != NULL ? g_error_copy(error) : NULL;
}

static void deliver(const BotUploadConfig *config, const char *dir, JsonArray *artifacts,
                    Delivery *delivery)
{
    static const BotUploadEvents events = {on_uploaded, on_done};
    *delivery = (Delivery){.names = g_ptr_array_new_with_free_func(g_free)};
    BotUpload *upload = bot_upload_new(config, dir, artifacts, NULL, &events, delivery);
    while (!delivery->done) {
        g_main_context_iteration(NULL, TRUE);
    }
    bot_upload_free(upload);
}

static void delivery_clear(Delivery *delivery)
{
    g_ptr_array_unref(delivery->names);
    g_clear_error(&delivery->error);
}

static JsonArray *make_folder(char **ret_dir)
{
    *ret_dir = g_dir_make_tmp("steno-upload-XXXXXX", NULL);
    JsonArray *artifacts = json_array_new();
    static const char *const names[] = {"chat.json", "recording.mp4", "metadata.json"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(*ret_dir, names[i], NULL);
        g_assert_true(g_file_set_contents(path, names[i], -1, NULL));
        g_autofree char *sha256 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, names[i], -1);
        JsonObject *artifact = json_object_new();
        json_object_set_string_member(artifact, "name", names[i]);
        json_object_set_int_member(artifact, "bytes", (gint64)strlen(names[i]));
        json_object_set_string_member(artifact, "sha256", sha256);
        json_array_add_object_element(artifacts, artifact);
    }
    return artifacts;
}

static bool is_there(const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* What is answered, one after the other; NULL: there are none. */
typedef struct {
    Delivery delivery; /* first: the events' user data */
    BotUpload *upload;
    const BotUploadConfig *answers[4];
    guint n_asked;
} Questions;

static void on_asked(const char *reason, gpointer user_data)
{
    Questions *questions = user_data;
    g_assert_nonnull(strstr(reason, "SignatureDoesNotMatch"));
    g_assert_null(strstr(reason, "quite-wrong"));
    const BotUploadConfig *answer = questions->answers[questions->n_asked++];
    g_assert_true(bot_upload_answer(questions->upload, answer));
    g_assert_false(bot_upload_answer(questions->upload, answer));
}

static void deliver_asking(Questions *questions, const BotUploadConfig *config)
{
    static const BotUploadEvents events = {on_uploaded, on_done, on_asked};
    g_autofree char *dir = NULL;
    g_autoptr(JsonArray) artifacts = make_folder(&dir);
    questions->delivery.names = g_ptr_array_new_with_free_func(g_free);
    questions->upload = bot_upload_new(config, dir, artifacts, NULL, &events, questions);
    g_assert_false(bot_upload_answer(questions->upload, config)); /* nobody asked */
    while (!questions->delivery.done) {
        g_main_context_iteration(NULL, TRUE);
    }
    bot_upload_free(questions->upload);
    object_server_remove_tree(dir);
}

static void newer_credentials_are_asked_for(void)
{
    BotUploadConfig good = {.store = object_server_config(&server, "asked/")};
    BotUploadConfig old = good, other = good;
    old.store.secret_key = "quite-wrong";
    other.store.secret_key = "quite-wrong, too";

    Questions questions = {.answers = {&other, &good}};
    deliver_asking(&questions, &old);
    g_assert_no_error(questions.delivery.error);
    g_assert_cmpuint(questions.n_asked, ==, 2);
    g_assert_cmpuint(questions.delivery.names->len, ==, 3);
    delivery_clear(&questions.delivery);

    Questions none = {.answers = {NULL}};
    deliver_asking(&none, &old);
    g_assert_error(none.delivery.error, BOT_STORE_ERROR, BOT_STORE_ERROR_REFUSED);
    g_assert_cmpuint(none.n_asked, ==, 1);
    delivery_clear(&none.delivery);

    Questions never = {.answers = {&other, &old, &other, &old}};
    deliver_asking(&never, &old);
    g_assert_error(never.delivery.error, BOT_STORE_ERROR, BOT_STORE_ERROR_REFUSED);
    g_assert_cmpuint(never.n_asked, ==, 3);
    delivery_clear(&never.delivery);
}

/* A meeting's end may come before the answer. */
static void on_asked_in_vain(const char *reason, gpointer user_data)
{
    bot_upload_cancel(((Questions *)user_data)->upload);
}

static void nobody_waits_longer_than_the_upload(void)
{
    static const BotUploadEvents events = {on_uploaded, on_done, on_asked_in_vain};
    BotUploadConfig config = {.store = object_server_config(&server, "vain/")};
    config.store.secret_key = "quite-wrong";
    g_autofree char *dir = NULL;
    g_autoptr(JsonArray) artifacts = make_folder(&dir);
    Questions questions = {.delivery.names = g_ptr_array_new_with_free_func(g_free)};
    questions.upload = bot_upload_new(&config, dir, artifacts, NULL, &events, &questions);
    while (!questions.delivery.done) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_assert_nonnull(questions.delivery.error);
    bot_upload_free(questions.upload);
    delivery_clear(&questions.delivery);
    object_server_remove_tree(dir);
}

static void what_is_confirmed_may_go(void)
{
    g_autofree char *dir = NULL;
    g_autoptr(JsonArray) artifacts = make_folder(&dir);
    BotUploadConfig config = {object_server_config(&server, "whole/"), false};
    Delivery delivery;
    deliver(&config, dir, artifacts, &delivery);
    g_assert_no_error(delivery.error);
    g_assert_cmpuint(delivery.names->len, ==, 3);
    g_assert_cmpstr(delivery.names->pdata[0], ==, "recording.mp4");
    g_assert_cmpstr(delivery.names->pdata[2], ==, "metadata.json");
    g_assert_true(is_there(dir, "recording.mp4"));
    delivery_clear(&delivery);
    /* Refused in the middle: the confirmed file is gone, the others are kept. */
    config.delete_after = true;
    object_server_set_faults(&server, "PUT chat.json 403 1\n");
    deliver(&config, dir, artifacts, &delivery);
    g_assert_error(delivery.error, BOT_STORE_ERROR, BOT_STORE_ERROR_REFUSED);
    g_assert_nonnull(strstr(delivery.error->message, dir));
    g_assert_cmpuint(delivery.names->len, ==, 1);
    g_assert_false(is_there(dir, "recording.mp4"));
    g_assert_true(is_there(dir, "chat.json") && is_there(dir, "metadata.json"));
    delivery_clear(&delivery);
    object_server_set_faults(&server, "");
    object_server_remove_tree(dir);
}

/* A store that says 200 and has something else: nothing is deleted. */
static void an_unconfirmed_file_stays(void)
{
    g_autofree char *dir = NULL;
    g_autoptr(JsonArray) artifacts = make_folder(&dir);
    BotUploadConfig config = {object_server_config(&server, "unconfirmed/"), true};
    object_server_set_faults(&server, "HEAD recording.mp4 404 1\n");
    Delivery delivery;
    deliver(&config, dir, artifacts, &delivery);
    g_assert_error(delivery.error, BOT_STORE_ERROR, BOT_STORE_ERROR_REFUSED);
    g_assert_true(is_there(dir, "recording.mp4"));
    delivery_clear(&delivery);
    /* The file is not what its description says. */
    g_autofree char *path = g_build_filename(dir, "recording.mp4", NULL);
    g_assert_true(g_file_set_contents(path, "RECORDING.MP4", -1, NULL));
    deliver(&config, dir, artifacts, &delivery);
    g_assert_error(delivery.error, BOT_STORE_ERROR, BOT_STORE_ERROR_CHANGED);
    g_assert_true(is_there(dir, "recording.mp4"));
    delivery_clear(&delivery);
    object_server_remove_tree(dir);
}

static guint count_under(const char *prefix)
{
    BotStoreConfig config = object_server_config(&server, prefix);
    g_autoptr(BotStore) store = bot_store_new(&config);
    g_autoptr(GError) error = NULL;
    guint n = 0;
    g_assert_true(bot_store_clear(store, &n, NULL, &error));
    g_assert_no_error(error);
    return n;
}

/* What was begun in parts and never completed goes, too; what stands beside it stays. */
static void a_bots_objects_are_cleared(void)
{
    BotStoreConfig config = object_server_config(&server, "all/4 2+ü/");
    BotStoreConfig other = object_server_config(&server, "all/4 2+ü-not/");
    Sample small, large;
    sample_init(&small, "chat.json", 1234);
    sample_init(&large, "recording.mp4", LARGE_BYTES);
    assert_put(&config, &small);
    assert_put(&other, &small);
    cut_upload(&config, &large);
    g_autoptr(BotStore) store = bot_store_new(&config);
    g_autoptr(GError) error = NULL;
    guint n = 0;
    object_server_set_faults(&server, "DELETE chat.json 503 1\nGET prefix= cut 1\n");
    g_assert_true(bot_store_clear(store, &n, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(n, ==, 2);
    g_assert_cmpuint(count_under(config.prefix), ==, 0);
    assert_put(&config, &large); /* the upload in parts is unknown: it begins anew */
    g_assert_cmpuint(count_under("all/"), >=, 2);
    sample_clear(&small);
    sample_clear(&large);
}

static void a_refused_clearing_says_so(void)
{
    BotStoreConfig config = object_server_config(&server, "all/");
    config.secret_key = "quite-wrong";
    g_autoptr(BotStore) store = bot_store_new(&config);
    g_autoptr(GError) error = NULL;
    guint n = 7;
    g_assert_false(bot_store_clear(store, &n, NULL, &error));
    g_assert_error(error, BOT_STORE_ERROR, BOT_STORE_ERROR_REFUSED);
    g_assert_cmpuint(n, ==, 0);
    g_assert_nonnull(strstr(error->message, "SignatureDoesNotMatch"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    object_server_start(&server);
    g_test_add_func("/upload/small_and_large_arrive", small_and_large_arrive);
    g_test_add_func("/upload/refusals_are_final_and_say_why", refusals_are_final_and_say_why);
    g_test_add_func("/upload/passing_faults_are_tried_again", passing_faults_are_tried_again);
    g_test_add_func("/upload/a_cut_upload_is_resumed", a_cut_upload_is_resumed);
    g_test_add_func("/upload/a_lost_upload_begins_anew", a_lost_upload_begins_anew);
    g_test_add_func("/upload/a_presigned_url_takes_the_recording",
                    a_presigned_url_takes_the_recording);
    g_test_add_func("/upload/newer_credentials_are_asked_for", newer_credentials_are_asked_for);
    g_test_add_func("/upload/nobody_waits_longer_than_the_upload",
                    nobody_waits_longer_than_the_upload);
    g_test_add_func("/upload/what_is_confirmed_may_go", what_is_confirmed_may_go);
    g_test_add_func("/upload/an_unconfirmed_file_stays", an_unconfirmed_file_stays);
    g_test_add_func("/upload/a_bots_objects_are_cleared", a_bots_objects_are_cleared);
    g_test_add_func("/upload/a_refused_clearing_says_so", a_refused_clearing_says_so);
    int result = g_test_run();
    object_server_stop(&server);
    return result;
}
