/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/upload_ahead.h"

#include "base/backoff.h"
#include "media/finalizer.h"
#include "media/follow.h"

#include <glib/gstdio.h>
#include <string.h>

#define STATE_PREFIX ".upload."
/* A recording with pictures grows faster; and what is there is read in small steps. */
#define FOLLOW_POLL_MS 5000

struct BotUploadAhead {
    const BotStoreConfig *config; /* borrowed */
    char *output_dir;             /* owned */
    guint poll_ms;
    GCancellable *cancellable;
    GThread *files, *pictures; /* owned until joined; NULL: none */
};

/* A file of the threads' own. */
typedef struct {
    BotStoreAhead *file; /* owned */
    const char *name;
    bool given_up;
} Followed;

typedef struct {
    BotUploadAhead *ahead; /* borrowed */
    BotStoreAhead *file;   /* borrowed */
    GBytes *head;          /* owned; NULL: not known yet */
} Pictures;

static void followed_free(gpointer data)
{
    Followed *followed = data;
    bot_store_ahead_free(followed->file);
    g_free(followed);
}

/* --- what is remembered --- */

static char *state_path(const char *output_dir, const char *name)
{
    return g_strconcat(output_dir, "/" STATE_PREFIX, name, NULL);
}

static bool goes_ahead(const char *name)
{
    bool found = g_str_equal(name, MEDIA_FINAL_MP4);
    for (const MediaGrowingFile *file = media_growing_files(); file->final != NULL; file++) {
        found = found || g_str_equal(name, file->final);
    }
    return found;
}

char *bot_upload_ahead_state_path(const char *output_dir, const char *name)
{
    return goes_ahead(name) ? state_path(output_dir, name) : NULL;
}

static void drop(BotStore *store, const char *output_dir, const char *name,
                 GCancellable *cancellable)
{
    g_autofree char *path = state_path(output_dir, name);
    g_autoptr(GError) error = NULL;
    if (!bot_store_ahead_drop(store, path, cancellable, &error)) {
        g_info("%s: parts of no use stay in the store: %s", name, error->message);
    }
}

/* What a killed worker was just writing. */
static void remove_half_written(const char *output_dir)
{
    g_autoptr(GDir) dir = g_dir_open(output_dir, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        if (g_str_has_prefix(name, STATE_PREFIX) && !goes_ahead(name + strlen(STATE_PREFIX))) {
            g_autofree char *path = g_build_filename(output_dir, name, NULL);
            (void)g_unlink(path);
        }
    }
}

void bot_upload_ahead_drop(BotStore *store, const char *output_dir, GCancellable *cancellable)
{
    remove_half_written(output_dir);
    drop(store, output_dir, MEDIA_FINAL_MP4, cancellable);
    for (const MediaGrowingFile *file = media_growing_files(); file->final != NULL; file++) {
        drop(store, output_dir, file->final, cancellable);
    }
}

/* --- waiting --- */

static guint wait_longer(const BotUploadAhead *ahead, guint wait_ms)
{
    return base_backoff_ms(wait_ms, ahead->poll_ms * BOT_UPLOAD_AHEAD_SLOWEST, 1);
}

/* Whether it is worth another try; else it is said why not. */
static bool is_away(const char *name, const GError *error)
{
    if (g_error_matches(error, BOT_STORE_ERROR, BOT_STORE_ERROR_UNAVAILABLE)) {
        return true;
    }
    if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        g_message("%s is sent at the end only: %s", name, error->message);
    }
    return false;
}

/* --- files that grow --- */

/* False: the store is away. */
static bool send_what_is_whole(BotUploadAhead *ahead, Followed *followed)
{
    bool sent = !followed->given_up;
    while (sent) {
        g_autoptr(GError) error = NULL;
        if (bot_store_ahead_send(followed->file, ahead->cancellable, &sent, &error)) {
            continue;
        }
        if (is_away(followed->name, error)) {
            return false;
        }
        followed->given_up = true;
    }
    return true;
}

static GPtrArray *follow_files(const BotUploadAhead *ahead, BotStore *store)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(followed_free);
    bool uneven = bot_store_ahead_takes_uneven(ahead->config);
    for (const MediaGrowingFile *file = media_growing_files(); file->work != NULL; file++) {
        if (!uneven && !file->in_place) {
            continue;
        }
        g_autofree char *path = g_build_filename(ahead->output_dir, file->work, NULL);
        g_autofree char *state = state_path(ahead->output_dir, file->final);
        Followed *followed = g_new0(Followed, 1);
        followed->name = file->final;
        followed->file = bot_store_ahead_new(store, path, file->final, state);
        g_ptr_array_add(all, followed);
    }
    return all;
}

static void send_files(BotUploadAhead *ahead, BotStore *store)
{
    g_autoptr(GPtrArray) files = follow_files(ahead, store);
    for (guint wait_ms = ahead->poll_ms; base_backoff_wait(wait_ms, ahead->cancellable);) {
        bool reached = true;
        for (guint i = 0; i < files->len; i++) {
            reached = send_what_is_whole(ahead, g_ptr_array_index(files, i)) && reached;
        }
        wait_ms = reached ? ahead->poll_ms : wait_longer(ahead, wait_ms);
    }
}

/* --- a recording with pictures --- */

/* Of the first part, which stays back, only the beginning is needed. */
static bool on_part(GBytes *part, gpointer user_data)
{
    Pictures *pictures = user_data;
    BotUploadAhead *ahead = pictures->ahead;
    if (pictures->head == NULL) {
        pictures->head = g_bytes_new(g_bytes_get_data(part, NULL), BOT_STORE_AHEAD_HEAD);
        return true;
    }
    for (guint wait_ms = ahead->poll_ms;; wait_ms = wait_longer(ahead, wait_ms)) {
        g_autoptr(GError) error = NULL;
        if (bot_store_ahead_push(pictures->file, pictures->head, part, ahead->cancellable,
                                 &error)) {
            return true;
        }
        if (!is_away(MEDIA_FINAL_MP4, error) || !base_backoff_wait(wait_ms, ahead->cancellable)) {
            return false;
        }
    }
}

static void send_pictures(BotUploadAhead *ahead, BotStore *store)
{
    MediaFollowConfig config = {.part_bytes = BOT_STORE_AHEAD_PART,
                                .margin_bytes = BOT_STORE_AHEAD_MARGIN,
                                .poll_ms = MIN(ahead->poll_ms, FOLLOW_POLL_MS)};
    g_autofree char *state = state_path(ahead->output_dir, MEDIA_FINAL_MP4);
    g_autoptr(BotStoreAhead) file = bot_store_ahead_new(store, NULL, MEDIA_FINAL_MP4, state);
    Pictures pictures = {ahead, file, NULL};
    media_follow(ahead->output_dir, &config, on_part, &pictures, ahead->cancellable);
    g_clear_pointer(&pictures.head, g_bytes_unref);
}

/* --- the threads --- */

static void run(BotUploadAhead *ahead, void (*send)(BotUploadAhead *, BotStore *))
{
    g_autoptr(GMainContext) context = g_main_context_new(); /* libsoup's, while it blocks */
    g_main_context_push_thread_default(context);
    BotStore *store = bot_store_new(ahead->config);
    bot_store_set_max_tries(store, 1); /* there is no hurry */
    send(ahead, store);
    bot_store_free(store);
    g_main_context_pop_thread_default(context);
}

static gpointer run_files(gpointer data)
{
    run(data, send_files);
    return NULL;
}

static gpointer run_pictures(gpointer data)
{
    run(data, send_pictures);
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
    ahead->files = g_thread_new("upload-files", run_files, ahead);
    if (bot_store_ahead_takes_uneven(config)) {
        ahead->pictures = g_thread_new("upload-pictures", run_pictures, ahead);
    }
    return ahead;
}

void bot_upload_ahead_free(BotUploadAhead *ahead)
{
    g_cancellable_cancel(ahead->cancellable);
    g_thread_join(ahead->files);
    g_clear_pointer(&ahead->pictures, g_thread_join);
    g_object_unref(ahead->cancellable);
    g_free(ahead->output_dir);
    g_free(ahead);
}
