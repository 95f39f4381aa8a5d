/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/bucket.h"

#include "bot/config.h"
#include "bot/store.h"
#include "orchestrator/json.h"

#include <string.h>

struct OrchBucket {
    BotConfig *config;   /* owned: of a bot that never is, for its store */
    GPtrArray *clearing; /* borrowed: of Clearing; what runs */
};

/* One bot's. */
typedef struct {
    OrchBucket *bucket;    /* borrowed */
    BotStoreConfig config; /* what it points to is the bucket's, but prefix */
    char *prefix;          /* owned */
    GCancellable *cancellable;
    guint timeout_id, within_s;
    guint n;
    OrchBucketCleared cleared;
    gpointer user_data;
} Clearing;

/* --- what the configuration says --- */

static JsonObject *s3_of(JsonObject *defaults)
{
    JsonObject *upload = defaults != NULL ? orch_json_object(defaults, "upload") : NULL;
    return upload != NULL ? orch_json_object(upload, "s3") : NULL;
}

char *orch_bucket_prefix(JsonObject *defaults, const char *bot_id)
{
    JsonObject *s3 = s3_of(defaults);
    const char *prefix = s3 != NULL ? orch_json_string(s3, "prefix") : NULL;
    return s3 != NULL ? g_strconcat(prefix != NULL ? prefix : "", bot_id, "/", NULL) : NULL;
}

OrchBucket *orch_bucket_new(const OrchConfig *config)
{
    if (s3_of(config->worker_defaults) == NULL) {
        return NULL;
    }
    g_autoptr(JsonObject) document = json_object_new();
    json_object_set_string_member(document, "bot_id", "none");
    json_object_set_string_member(document, "output_dir", config->data_dir);
    json_object_set_string_member(document, "meeting_url", "https://meet.google.com/aaa-aaaa-aaa");
    json_object_set_object_member(
        document, "upload", json_object_ref(orch_json_object(config->worker_defaults, "upload")));
    BotConfig *bot = bot_config_new(document, NULL);
    g_assert(bot != NULL); /* the configuration was checked as a worker's */
    OrchBucket *bucket = g_new0(OrchBucket, 1);
    bucket->config = bot;
    bucket->clearing = g_ptr_array_new();
    return bucket;
}

static char *prefix_of(const OrchBucket *bucket, const char *bot_id)
{
    return orch_bucket_prefix(bucket->config->document, bot_id);
}

/* --- links --- */

char *orch_bucket_link(const OrchBucket *bucket, const char *bot_id, const char *name,
                       guint expires_s)
{
    g_autofree char *prefix = prefix_of(bucket, bot_id);
    BotStoreConfig config = bucket->config->upload.store;
    config.prefix = prefix;
    return bot_store_link(&config, name, expires_s);
}

bool orch_bucket_holds(const OrchBucket *bucket, const char *bot_id, const char *name,
                       const char *url)
{
    g_autofree char *own = orch_bucket_link(bucket, bot_id, name, 1);
    gsize length = strcspn(own, "?");
    return strcspn(url, "?") == length && strncmp(own, url, length) == 0;
}

/* --- deleting --- */

static void clearing_free(gpointer data)
{
    Clearing *clearing = data;
    g_clear_handle_id(&clearing->timeout_id, g_source_remove);
    g_object_unref(clearing->cancellable);
    g_free(clearing->prefix);
    g_free(clearing);
}

static void clear_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    Clearing *clearing = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(BotStore) store = bot_store_new(&clearing->config);
    if (bot_store_clear(store, &clearing->n, cancellable, &error)) {
        g_task_return_boolean(task, TRUE);
    } else {
        g_task_return_error(task, g_steal_pointer(&error));
    }
}

static void on_cleared(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Clearing *clearing = user_data;
    g_autoptr(GError) error = NULL;
    (void)g_task_propagate_boolean(G_TASK(result), &error);
    bool timed_out = clearing->timeout_id == 0;
    if (timed_out && g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        g_clear_error(&error);
        g_set_error(&error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "not done within %u s",
                    clearing->within_s);
    }
    g_clear_handle_id(&clearing->timeout_id, g_source_remove);
    g_ptr_array_remove_fast(clearing->bucket->clearing, clearing);
    clearing->cleared(clearing->n, error, clearing->user_data);
}

static gboolean on_too_long(gpointer user_data)
{
    Clearing *clearing = user_data;
    clearing->timeout_id = 0;
    g_cancellable_cancel(clearing->cancellable);
    return G_SOURCE_REMOVE;
}

void orch_bucket_clear(OrchBucket *bucket, const char *bot_id, guint within_s,
                       OrchBucketCleared cleared, gpointer user_data)
{
    Clearing *clearing = g_new0(Clearing, 1);
    clearing->bucket = bucket;
    clearing->prefix = prefix_of(bucket, bot_id);
    clearing->config = bucket->config->upload.store;
    clearing->config.prefix = clearing->prefix;
    clearing->cancellable = g_cancellable_new();
    clearing->cleared = cleared;
    clearing->user_data = user_data;
    clearing->within_s = within_s;
    clearing->timeout_id = g_timeout_add_seconds(within_s, on_too_long, clearing);
    g_ptr_array_add(bucket->clearing, clearing);
    g_autoptr(GTask) task = g_task_new(NULL, clearing->cancellable, on_cleared, clearing);
    g_task_set_task_data(task, clearing, clearing_free);
    g_task_run_in_thread(task, clear_in_thread);
}

void orch_bucket_stop(OrchBucket *bucket)
{
    if (bucket == NULL) {
        return;
    }
    for (guint i = 0; i < bucket->clearing->len; i++) {
        Clearing *clearing = g_ptr_array_index(bucket->clearing, i);
        g_cancellable_cancel(clearing->cancellable);
    }
    while (bucket->clearing->len > 0) {
        g_main_context_iteration(NULL, TRUE);
    }
}

void orch_bucket_free(OrchBucket *bucket)
{
    if (bucket == NULL) {
        return;
    }
    orch_bucket_stop(bucket);
    g_ptr_array_unref(bucket->clearing);
    bot_config_free(bucket->config);
    g_free(bucket);
}
