/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/upload_ahead.h"

#include "media/finalizer.h"

#define STATE_PREFIX ".upload."

struct BotUploadAhead {
    const BotStoreConfig *config; /* borrowed */
    char *output_dir;             /* owned */
    guint poll_ms;
    GCancellable *cancellable;
    GThread *thread; /* owned until joined */
};

typedef struct {
    BotStoreAhead *file; /* owned */
    const char *name;
    bool given_up;
} Followed;

static void followed_free(gpointer data)
{
    Followed *followed = data;
    bot_store_ahead_free(followed->file);
    g_free(followed);
}

char *bot_upload_ahead_state_path(const char *output_dir, const char *name)
{
    for (const MediaGrowingFile *file = media_growing_files(); file->final != NULL; file++) {
        if (g_str_equal(file->final, name)) {
            return g_strconcat(output_dir, "/" STATE_PREFIX, name, NULL);
        }
    }
    return NULL;
}

void bot_upload_ahead_drop(BotStore *store, const char *output_dir, GCancellable *cancellable)
{
    for (const MediaGrowingFile *file = media_growing_files(); file->final != NULL; file++) {
        g_autofree char *state_path = bot_upload_ahead_state_path(output_dir, file->final);
        g_autoptr(GError) error = NULL;
        if (!bot_store_ahead_drop(store, state_path, cancellable, &error)) {
            g_info("%s: parts of no use stay in the store: %s", file->final, error->message);
        }
    }
}

/* False: the store is away. */
static bool send_what_is_whole(BotUploadAhead *ahead, Followed *followed)
{
    bool sent = !followed->given_up;
    while (sent) {
        g_autoptr(GError) error = NULL;
        if (bot_store_ahead_send(followed->file, ahead->cancellable, &sent, &error)) {
            continue;
        }
        if (g_error_matches(error, BOT_STORE_ERROR, BOT_STORE_ERROR_UNAVAILABLE)) {
            return false;
        }
        followed->given_up = true;
        if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
            g_message("%s is sent at the end only: %s", followed->name, error->message);
        }
    }
    return true;
}

static GPtrArray *follow(const BotUploadAhead *ahead, BotStore *store)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(followed_free);
    for (const MediaGrowingFile *file = media_growing_files(); file->work != NULL; file++) {
        g_autofree char *path = g_build_filename(ahead->output_dir, file->work, NULL);
        g_autofree char *state_path = bot_upload_ahead_state_path(ahead->output_dir, file->final);
        Followed *followed = g_new0(Followed, 1);
        followed->name = file->final;
        followed->file = bot_store_ahead_new(store, path, file->final, state_path);
        g_ptr_array_add(all, followed);
    }
    return all;
}

/* Returns false when cancelled. */
static bool wait(const BotUploadAhead *ahead, guint wait_ms)
{
    GPollFD poll;
    if (g_cancellable_make_pollfd(ahead->cancellable, &poll)) {
        (void)g_poll(&poll, 1, (gint)wait_ms);
        g_cancellable_release_fd(ahead->cancellable);
    }
    return !g_cancellable_is_cancelled(ahead->cancellable);
}

static gpointer run(gpointer data)
{
    BotUploadAhead *ahead = data;
    g_autoptr(GMainContext) context = g_main_context_new(); /* libsoup's, while it blocks */
    g_main_context_push_thread_default(context);
    BotStore *store = bot_store_new(ahead->config);
    bot_store_set_max_tries(store, 1); /* there is no hurry */
    GPtrArray *files = follow(ahead, store);
    for (guint wait_ms = ahead->poll_ms; wait(ahead, wait_ms);) {
        bool reached = true;
        for (guint i = 0; i < files->len; i++) {
            reached = send_what_is_whole(ahead, g_ptr_array_index(files, i)) && reached;
        }
        wait_ms =
            reached ? ahead->poll_ms : MIN(wait_ms * 2, ahead->poll_ms * BOT_UPLOAD_AHEAD_SLOWEST);
    }
    g_ptr_array_unref(files);
    bot_store_free(store);
    g_main_context_pop_thread_default(context);
    return NULL;
}

BotUploadAhead *bot_upload_ahead_new(const BotStoreConfig *config, const char *output_dir,
                                     guint poll_ms)
{
    BotUploadAhead *ahead = g_new0(BotUploadAhead, 1);
    ahead->config = config;
    ahead->output_dir = g_strdup(output_dir);
    ahead->poll_ms = poll_ms;
    ahead->cancellable = g_cancellable_new();
    ahead->thread = g_thread_new("upload-ahead", run, ahead);
    return ahead;
}

void bot_upload_ahead_free(BotUploadAhead *ahead)
{
    g_cancellable_cancel(ahead->cancellable);
    g_thread_join(ahead->thread);
    g_object_unref(ahead->cancellable);
    g_free(ahead->output_dir);
    g_free(ahead);
}
