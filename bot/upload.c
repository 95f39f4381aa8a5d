/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/upload.h"

#include "media/finalizer.h"

#include <glib/gstdio.h>
#include <string.h>

#define STATE_FILE ".upload"
#define MAX_ASKED 3
#define ANSWER_WITHIN_US (60 * G_USEC_PER_SEC)

typedef struct {
    char *name, *sha256; /* owned */
    gint64 bytes;
} Item;

struct BotUpload {
    const BotUploadConfig *config; /* borrowed; the thread's, and by lock while it asks */
    char *output_dir;              /* owned */
    BotUploadEvents events;
    gpointer user_data;
    GPtrArray *items;      /* owned Item; read by the thread only */
    BotUploadAhead *ahead; /* owned, the thread's; NULL: none */
    GCancellable *cancellable;
    GMainContext *context; /* owned: of the creating thread */
    GThread *thread;       /* owned until joined */
    GPtrArray *sources;    /* owned GSource: events under way; main thread and thread, by lock */
    GMutex lock;
    /* --- protected by lock */
    GCond answered;
    bool asking, has_answer;
};

/* One event on its way to the main thread. */
typedef struct {
    BotUpload *upload; /* borrowed: sources are destroyed before it goes */
    char *name, *url;  /* owned; name NULL: done, or asked */
    char *question;    /* owned; NULL: none */
    GError *error;     /* owned */
} Message;

static void item_free(gpointer data)
{
    Item *item = data;
    g_free(item->name);
    g_free(item->sha256);
    g_free(item);
}

static void message_free(gpointer data)
{
    Message *message = data;
    g_free(message->name);
    g_free(message->url);
    g_free(message->question);
    g_clear_error(&message->error);
    g_free(message);
}

static gboolean on_message(gpointer data)
{
    Message *message = data;
    BotUpload *upload = message->upload;
    if (message->question != NULL) {
        upload->events.on_credentials_needed(message->question, upload->user_data);
    } else if (message->name != NULL) {
        upload->events.on_uploaded(message->name, message->url, upload->user_data);
    } else {
        upload->events.on_done(message->error, upload->user_data);
    }
    return G_SOURCE_REMOVE;
}

/* Thread: the upload's. @message: its strings are taken. */
static void post(BotUpload *upload, const Message *from)
{
    Message *message = g_memdup2(from, sizeof *from);
    message->upload = upload;
    GSource *source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, on_message, message, message_free);
    g_mutex_lock(&upload->lock);
    g_ptr_array_add(upload->sources, source);
    g_mutex_unlock(&upload->lock);
    g_source_attach(source, upload->context);
}

static void tell(BotUpload *upload, const char *name, const char *url, GError *error)
{
    Message message = {.name = g_strdup(name), .url = g_strdup(url), .error = error};
    post(upload, &message);
}

/* Returns whether there are other credentials now, in upload->config. */
static bool ask(BotUpload *upload, const char *reason)
{
    const BotUploadConfig *before = upload->config;
    gint64 until_us = g_get_monotonic_time() + ANSWER_WITHIN_US;
    Message message = {.question = g_strdup(reason)};
    g_mutex_lock(&upload->lock);
    upload->asking = true;
    upload->has_answer = false;
    g_mutex_unlock(&upload->lock);
    post(upload, &message);
    g_mutex_lock(&upload->lock);
    while (!upload->has_answer && !g_cancellable_is_cancelled(upload->cancellable) &&
           g_cond_wait_until(&upload->answered, &upload->lock, until_us)) {
    }
    upload->asking = false;
    bool changed = upload->config != before;
    g_mutex_unlock(&upload->lock);
    return changed;
}

bool bot_upload_answer(BotUpload *upload, const BotUploadConfig *config)
{
    g_mutex_lock(&upload->lock);
    bool asked = upload->asking && !upload->has_answer;
    if (asked) {
        upload->config = config != NULL ? config : upload->config;
        upload->has_answer = true;
        g_cond_signal(&upload->answered);
    }
    g_mutex_unlock(&upload->lock);
    return asked;
}

static void wake(BotUpload *upload)
{
    g_mutex_lock(&upload->lock);
    g_cond_signal(&upload->answered);
    g_mutex_unlock(&upload->lock);
}

static bool upload_item(BotUpload *upload, BotStore *store, const Item *item, GError **error)
{
    g_autofree char *path = g_build_filename(upload->output_dir, item->name, NULL);
    g_autofree char *state_path = g_build_filename(upload->output_dir, STATE_FILE, NULL);
    g_autofree char *ahead_path = bot_upload_ahead_state_path(upload->output_dir, item->name);
    BotStoreFile file = {path, item->name, item->bytes, item->sha256, state_path, ahead_path};
    g_autofree char *url = NULL;
    if (!bot_store_put(store, &file, upload->cancellable, &url, error)) {
        g_prefix_error(error, "%s stays in %s: ", item->name, upload->output_dir);
        return false;
    }
    if (upload->config->delete_after && g_unlink(path) != 0) {
        g_info("%s was uploaded, but can't be deleted", path);
    }
    tell(upload, item->name, url, NULL);
    return true;
}

/* The same with newer credentials, as often as there are some; @store is made anew with them. */
static bool upload_with_any(BotUpload *upload, BotStore **store, const Item *item, GError **error)
{
    for (guint n_asked = 0;; n_asked++) {
        g_autoptr(GError) failure = NULL;
        if (upload_item(upload, *store, item, &failure)) {
            return true;
        }
        bool askable = upload->events.on_credentials_needed != NULL && n_asked < MAX_ASKED &&
                       g_error_matches(failure, BOT_STORE_ERROR, BOT_STORE_ERROR_REFUSED) &&
                       bot_store_wants_credentials(*store);
        if (!askable || !ask(upload, failure->message)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        bot_store_free(*store);
        *store = bot_store_new(&upload->config->store);
    }
}

/* Returns (transfer full): why something was not delivered; NULL: everything was. */
static GError *upload_items(BotUpload *upload, BotStore **store)
{
    g_autoptr(GError) first = NULL;
    for (guint i = 0; i < upload->items->len; i++) {
        g_autoptr(GError) error = NULL;
        if (!upload_with_any(upload, store, upload->items->pdata[i], &error)) {
            /* What one file was refused for the next will be refused for, mostly; but a file that
             * is gone or changed says nothing about the others. */
            bool of_file = g_error_matches(error, BOT_STORE_ERROR, BOT_STORE_ERROR_CHANGED);
            if (first == NULL) {
                first = g_steal_pointer(&error);
            }
            if (!of_file) {
                break;
            }
        }
    }
    return g_steal_pointer(&first);
}

static gpointer run(gpointer data)
{
    BotUpload *upload = data;
    g_clear_pointer(&upload->ahead, bot_upload_ahead_free);
    g_autoptr(GMainContext) context = g_main_context_new(); /* libsoup's, while it blocks */
    g_main_context_push_thread_default(context);
    BotStore *store = bot_store_new(&upload->config->store);
    GError *error = upload_items(upload, &store);
    /* What is not finalized yet a recovery will finalize and deliver. */
    if (error == NULL && upload->config->store.put_url == NULL &&
        !media_has_unfinished(upload->output_dir)) {
        bot_upload_ahead_drop(store, upload->output_dir, upload->cancellable);
    }
    bot_store_free(store);
    g_main_context_pop_thread_default(context);
    tell(upload, NULL, NULL, error);
    return NULL;
}

static void take_items(BotUpload *upload, JsonArray *artifacts)
{
    for (guint i = 0; i < json_array_get_length(artifacts); i++) {
        JsonObject *artifact = json_array_get_object_element(artifacts, i);
        const char *name = json_object_get_string_member(artifact, "name");
        bool recording = g_str_has_prefix(name, "recording.");
        if (upload->config->store.put_url != NULL && !recording) {
            continue;
        }
        Item *item = g_new0(Item, 1);
        item->name = g_strdup(name);
        item->sha256 = g_strdup(json_object_get_string_member(artifact, "sha256"));
        item->bytes = json_object_get_int_member(artifact, "bytes");
        g_ptr_array_insert(upload->items, recording ? 0 : -1, item);
    }
}

BotUpload *bot_upload_new(const BotUploadConfig *config, const char *output_dir,
                          JsonArray *artifacts, BotUploadAhead *ahead,
                          const BotUploadEvents *events, gpointer user_data)
{
    BotUpload *upload = g_new0(BotUpload, 1);
    upload->config = config;
    upload->output_dir = g_strdup(output_dir);
    upload->ahead = ahead;
    upload->events = *events;
    upload->user_data = user_data;
    upload->items = g_ptr_array_new_with_free_func(item_free);
    upload->sources = g_ptr_array_new_with_free_func((GDestroyNotify)g_source_unref);
    upload->cancellable = g_cancellable_new();
    upload->context = g_main_context_ref_thread_default();
    g_mutex_init(&upload->lock);
    g_cond_init(&upload->answered);
    take_items(upload, artifacts);
    upload->thread = g_thread_new("upload", run, upload);
    return upload;
}

void bot_upload_cancel(BotUpload *upload)
{
    g_cancellable_cancel(upload->cancellable);
    wake(upload);
}

void bot_upload_free(BotUpload *upload)
{
    bot_upload_cancel(upload);
    g_thread_join(upload->thread);
    for (guint i = 0; i < upload->sources->len; i++) {
        g_source_destroy(upload->sources->pdata[i]);
    }
    g_ptr_array_unref(upload->sources);
    g_ptr_array_unref(upload->items);
    g_object_unref(upload->cancellable);
    g_main_context_unref(upload->context);
    g_mutex_clear(&upload->lock);
    g_cond_clear(&upload->answered);
    g_free(upload->output_dir);
    g_free(upload);
}
