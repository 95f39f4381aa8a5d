/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/pool.h"

#include "orchestrator/json.h"
#include "orchestrator/last_words.h"
#include "orchestrator/secrets.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WATCH_MS 1000 /* of processes that are no children */
#define STUCK_GRACE_S 5

struct OrchPool {
    char *executable, *dir, *control_url; /* owned */
    JsonObject *browser;                  /* owned; NULL: the worker's own defaults */
    JsonObject *proxy;                    /* owned; NULL: the environment's */
    char *null_dir;                       /* owned; NULL: no null: meetings, so with a browser */
    OrchPoolEvents events;
    gpointer user_data;
    GPtrArray *workers; /* of owned OrchWorker, oldest first */
    guint watch_id;
};

struct OrchWorker {
    OrchPool *pool; /* borrowed; NULL once it is freed */
    OrchWorkerState state;
    char *id, *token_hash, *bot_id; /* owned; id NULL: adopted */
    char *config_path, *log_path;   /* owned; NULL: no such file (any more) */
    char *bot_log_path;             /* owned: where its log went; NULL: it is at log_path */
    GSubprocess *process;           /* owned; NULL: no child of ours */
    pid_t pid;
    gint64 started;
    gint64 starting_us; /* monotonic: since when it is starting */
    guint kill_id;
};

gint64 orch_process_started(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
    g_autofree char *text = NULL;
    if (pid <= 0 || !g_file_get_contents(path, &text, NULL, NULL)) {
        return 0;
    }
    /* proc(5): the name may hold anything, also brackets; state follows it, starttime is 20th. */
    const char *rest = strrchr(text, ')');
    if (rest == NULL || strlen(rest) < 3 || rest[2] == 'Z' || rest[2] == 'X') {
        return 0;
    }
    g_auto(GStrv) fields = g_strsplit(rest + 2, " ", 21);
    return g_strv_length(fields) > 19 ? g_ascii_strtoll(fields[19], NULL, 10) : 0;
}

/* Its token is in there. */
static void remove_config(OrchWorker *worker)
{
    if (worker->config_path != NULL) {
        (void)g_unlink(worker->config_path);
        g_clear_pointer(&worker->config_path, g_free);
    }
}

static void worker_free(gpointer data)
{
    OrchWorker *worker = data;
    g_clear_handle_id(&worker->kill_id, g_source_remove);
    remove_config(worker);
    g_clear_object(&worker->process);
    g_free(worker->id);
    g_free(worker->token_hash);
    g_free(worker->bot_id);
    g_free(worker->log_path);
    g_free(worker->bot_log_path);
    g_free(worker);
}

static OrchWorker *worker_new(OrchPool *pool, OrchWorkerState state)
{
    OrchWorker *worker = g_new0(OrchWorker, 1);
    worker->pool = pool;
    worker->state = state;
    worker->starting_us = g_get_monotonic_time();
    g_ptr_array_add(pool->workers, worker);
    return worker;
}

static void forget(OrchWorker *worker)
{
    g_ptr_array_remove(worker->pool->workers, worker);
    worker_free(worker);
}

char *orch_worker_last_words(OrchWorker *worker)
{
    const char *path = worker->bot_log_path != NULL ? worker->bot_log_path : worker->log_path;
    return path != NULL ? orch_last_words(path) : NULL;
}

static void gone(OrchWorker *worker, int exit)
{
    OrchPool *pool = worker->pool;
    if (worker->log_path != NULL && worker->bot_id == NULL && exit == 0) {
        (void)g_unlink(worker->log_path); /* a standby that was not needed */
    }
    pool->events.on_gone(worker, exit, pool->user_data);
    forget(worker);
}

/* --- starting --- */

static void in_child(gpointer user_data)
{
    (void)setsid(); /* a Ctrl-C for the orchestrator is none for its bots */
}

static void on_child_ended(GObject *source, GAsyncResult *result, gpointer user_data)
{
    OrchWorker *worker = user_data;
    GSubprocess *process = G_SUBPROCESS(source);
    (void)g_subprocess_wait_finish(process, result, NULL);
    if (worker->pool == NULL) {
        worker_free(worker);
        return;
    }
    gone(worker, g_subprocess_get_if_exited(process) ? g_subprocess_get_exit_status(process) : -1);
}

static bool spawn(OrchWorker *worker, const char *const *argv, bool keep_stdin, GError **error)
{
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
        (GSubprocessFlags)(G_SUBPROCESS_FLAGS_STDOUT_SILENCE |
                           (keep_stdin ? G_SUBPROCESS_FLAGS_STDIN_PIPE : 0)));
    g_subprocess_launcher_unsetenv(launcher, "STENO_SECRET");
    g_subprocess_launcher_set_stderr_file_path(launcher, worker->log_path);
    g_subprocess_launcher_set_child_setup(launcher, in_child, NULL, NULL);
    worker->process = g_subprocess_launcher_spawnv(launcher, argv, error);
    if (worker->process == NULL) {
        return false;
    }
    /* NULL for one that has ended already; its end is told all the same. */
    const char *pid = g_subprocess_get_identifier(worker->process);
    worker->pid = pid != NULL ? (pid_t)g_ascii_strtoll(pid, NULL, 10) : 0;
    worker->started = orch_process_started(worker->pid);
    g_subprocess_wait_async(worker->process, NULL, on_child_ended, worker);
    return true;
}

/* What a standby has before its bot: readable by us alone, for it holds the token. */
static bool write_config(OrchWorker *worker, const char *token, GError **error)
{
    OrchPool *pool = worker->pool;
    g_autoptr(JsonObject) document = json_object_new();
    json_object_set_string_member(document, "control_url", pool->control_url);
    json_object_set_string_member(document, "control_token", token);
    json_object_set_string_member(document, "worker_id", worker->id);
    if (pool->browser != NULL) {
        json_object_set_object_member(document, "browser", json_object_ref(pool->browser));
    }
    if (pool->proxy != NULL) {
        json_object_set_object_member(document, "proxy", json_object_ref(pool->proxy));
    }
    if (pool->null_dir != NULL) {
        json_object_set_string_member(document, "null_dir", pool->null_dir);
    }
    g_autofree char *text = orch_json_print(document);
    return g_file_set_contents_full(worker->config_path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT,
                                    0600, error);
}

OrchWorker *orch_pool_spawn(OrchPool *pool, GError **error)
{
    g_autofree char *token = orch_random_secret();
    OrchWorker *worker = worker_new(pool, ORCH_WORKER_STARTING);
    worker->id = g_uuid_string_random();
    worker->token_hash = orch_hash(token);
    g_autofree char *config_name = g_strconcat(worker->id, ".json", NULL);
    g_autofree char *log_name = g_strconcat(worker->id, ".log", NULL);
    worker->config_path = g_build_filename(pool->dir, config_name, NULL);
    worker->log_path = g_build_filename(pool->dir, log_name, NULL);
    const char *argv[] = {pool->executable, "--standby", "--config", worker->config_path, NULL};
    if (!write_config(worker, token, error) || !spawn(worker, argv, true, error)) {
        forget(worker);
        return NULL;
    }
    g_info("worker %s started, process %d", worker->id, (int)worker->pid);
    return worker;
}

OrchWorker *orch_pool_recover(OrchPool *pool, const char *bot_id, const char *output_dir,
                              const char *token_hash, GError **error)
{
    OrchWorker *worker = worker_new(pool, ORCH_WORKER_RECOVERING);
    worker->bot_id = g_strdup(bot_id);
    worker->token_hash = g_strdup(token_hash);
    worker->log_path = g_build_filename(output_dir, "recover.log", NULL);
    const char *argv[] = {pool->executable, "--recover", output_dir, NULL};
    if (!spawn(worker, argv, false, error)) {
        forget(worker);
        return NULL;
    }
    g_info("bot %s: recovering, process %d", bot_id, (int)worker->pid);
    return worker;
}

/* --- those of an earlier orchestrator --- */

static gboolean on_watch(gpointer user_data)
{
    OrchPool *pool = user_data;
    bool any = false;
    for (guint i = pool->workers->len; i-- > 0;) {
        OrchWorker *worker = g_ptr_array_index(pool->workers, i);
        if (worker->process != NULL) {
            continue;
        }
        any = true;
        if (orch_process_started(worker->pid) != worker->started) {
            gone(worker, -1);
        }
    }
    if (!any) {
        pool->watch_id = 0;
    }
    return any ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

OrchWorker *orch_pool_adopt(OrchPool *pool, const char *bot_id, const char *token_hash, pid_t pid,
                            gint64 started)
{
    if (started == 0 || orch_process_started(pid) != started) {
        return NULL;
    }
    OrchWorker *worker = worker_new(pool, ORCH_WORKER_BUSY);
    worker->bot_id = g_strdup(bot_id);
    worker->token_hash = g_strdup(token_hash);
    worker->pid = pid;
    worker->started = started;
    if (pool->watch_id == 0) {
        pool->watch_id = g_timeout_add(WATCH_MS, on_watch, pool);
    }
    return worker;
}

/* --- finding --- */

OrchWorker *orch_pool_find_token(OrchPool *pool, const char *token_hash)
{
    for (guint i = 0; i < pool->workers->len; i++) {
        OrchWorker *worker = g_ptr_array_index(pool->workers, i);
        if (g_strcmp0(worker->token_hash, token_hash) == 0) {
            return worker;
        }
    }
    return NULL;
}

OrchWorker *orch_pool_find_bot(OrchPool *pool, const char *bot_id)
{
    for (guint i = 0; i < pool->workers->len; i++) {
        OrchWorker *worker = g_ptr_array_index(pool->workers, i);
        if (g_strcmp0(worker->bot_id, bot_id) == 0) {
            return worker;
        }
    }
    return NULL;
}

OrchWorker *orch_pool_find_idle(OrchPool *pool)
{
    for (guint i = 0; i < pool->workers->len; i++) {
        OrchWorker *worker = g_ptr_array_index(pool->workers, i);
        if (worker->state == ORCH_WORKER_IDLE) {
            return worker;
        }
    }
    return NULL;
}

guint orch_pool_count(OrchPool *pool, OrchWorkerState state)
{
    guint n = 0;
    for (guint i = 0; i < pool->workers->len; i++) {
        n += ((OrchWorker *)g_ptr_array_index(pool->workers, i))->state == state;
    }
    return n;
}

/* --- one worker --- */

OrchWorkerState orch_worker_get_state(OrchWorker *worker)
{
    return worker->state;
}

const char *orch_worker_get_bot_id(OrchWorker *worker)
{
    return worker->bot_id;
}

const char *orch_worker_get_token_hash(OrchWorker *worker)
{
    return worker->token_hash;
}

pid_t orch_worker_get_pid(OrchWorker *worker)
{
    return worker->pid;
}

gint64 orch_worker_get_started(OrchWorker *worker)
{
    return worker->started;
}

void orch_worker_set_idle(OrchWorker *worker)
{
    g_clear_pointer(&worker->bot_id, g_free);
    worker->state = ORCH_WORKER_IDLE;
    remove_config(worker); /* it has read it */
}

void orch_worker_set_starting(OrchWorker *worker)
{
    worker->state = ORCH_WORKER_STARTING;
    worker->starting_us = g_get_monotonic_time();
}

void orch_worker_set_bot(OrchWorker *worker, const char *bot_id, const char *output_dir)
{
    worker->state = ORCH_WORKER_BUSY;
    g_free(worker->bot_id);
    worker->bot_id = g_strdup(bot_id);
    if (worker->log_path == NULL || output_dir == NULL) {
        return;
    }
    g_autofree char *path = g_build_filename(output_dir, "worker.log", NULL);
    if (g_mkdir_with_parents(output_dir, 0755) == 0 && g_rename(worker->log_path, path) == 0) {
        g_clear_pointer(&worker->log_path, g_free);
        worker->bot_log_path = g_steal_pointer(&path);
    }
}

/* Never true of a process that only has the same id. */
static bool is_alive(const OrchWorker *worker)
{
    return worker->started != 0 && orch_process_started(worker->pid) == worker->started;
}

static gboolean on_kill(gpointer user_data)
{
    OrchWorker *worker = user_data;
    worker->kill_id = 0;
    g_message("process %d did not end when told to: it is killed", (int)worker->pid);
    if (is_alive(worker)) {
        (void)kill(-worker->pid, SIGKILL);
    }
    return G_SOURCE_REMOVE;
}

void orch_worker_stop(OrchWorker *worker, guint grace_s)
{
    if (worker->kill_id == 0 && is_alive(worker)) {
        (void)kill(worker->pid, SIGTERM);
        worker->kill_id = g_timeout_add_seconds(grace_s, on_kill, worker);
    }
}

void orch_worker_retire(OrchWorker *worker, guint grace_s)
{
    worker->state = ORCH_WORKER_RETIRED;
    orch_worker_stop(worker, grace_s);
}

void orch_pool_stop_all(OrchPool *pool, guint grace_s)
{
    for (guint i = 0; i < pool->workers->len; i++) {
        OrchWorker *worker = g_ptr_array_index(pool->workers, i);
        if (worker->bot_id == NULL) {
            orch_worker_retire(worker, STUCK_GRACE_S);
        } else if (worker->state == ORCH_WORKER_BUSY) {
            orch_worker_stop(worker, grace_s);
        }
    }
}

guint orch_pool_size(OrchPool *pool)
{
    return pool->workers->len;
}

void orch_pool_stop_stuck(OrchPool *pool, guint longest_s)
{
    gint64 before_us = g_get_monotonic_time() - longest_s * G_USEC_PER_SEC;
    for (guint i = 0; i < pool->workers->len; i++) {
        OrchWorker *worker = g_ptr_array_index(pool->workers, i);
        if (worker->state == ORCH_WORKER_STARTING && worker->starting_us < before_us) {
            orch_worker_stop(worker, STUCK_GRACE_S);
        }
    }
}

/* --- the pool --- */

/* Standbys of an orchestrator that was killed end with it, and leave these. */
static void remove_leftovers(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        if (g_str_has_suffix(name, ".json") || g_str_has_suffix(name, ".log")) {
            g_autofree char *file = g_build_filename(path, name, NULL);
            (void)g_unlink(file);
        }
    }
}

OrchPool *orch_pool_new(const OrchPoolConfig *config, const OrchPoolEvents *events,
                        gpointer user_data, GError **error)
{
    if (g_mkdir_with_parents(config->dir, 0700) != 0) {
        int code = errno;
        g_set_error(error, G_IO_ERROR, (gint)g_io_error_from_errno(code), "%s: %s", config->dir,
                    g_strerror(code));
        return NULL;
    }
    remove_leftovers(config->dir);
    OrchPool *pool = g_new0(OrchPool, 1);
    pool->executable = g_strdup(config->executable);
    pool->dir = g_strdup(config->dir);
    pool->control_url = g_strdup(config->control_url);
    pool->browser = config->browser != NULL ? json_object_ref(config->browser) : NULL;
    pool->proxy = config->proxy != NULL ? json_object_ref(config->proxy) : NULL;
    pool->null_dir = g_strdup(config->null_dir);
    pool->events = *events;
    pool->user_data = user_data;
    pool->workers = g_ptr_array_new();
    return pool;
}

void orch_pool_free(OrchPool *pool)
{
    g_clear_handle_id(&pool->watch_id, g_source_remove);
    for (guint i = 0; i < pool->workers->len; i++) {
        OrchWorker *worker = g_ptr_array_index(pool->workers, i);
        worker->pool = NULL;
        g_clear_handle_id(&worker->kill_id, g_source_remove);
        if (worker->bot_id == NULL && worker->log_path != NULL) {
            (void)g_unlink(worker->log_path);
        }
        if (worker->process == NULL) {
            worker_free(worker);
            continue;
        }
        remove_config(worker); /* who has not read it yet ends anyway */
        GOutputStream *input = g_subprocess_get_stdin_pipe(worker->process);
        if (input != NULL) {
            (void)g_output_stream_close(input, NULL, NULL);
        }
    }
    g_ptr_array_unref(pool->workers);
    g_clear_pointer(&pool->browser, json_object_unref);
    g_clear_pointer(&pool->proxy, json_object_unref);
    g_free(pool->null_dir);
    g_free(pool->executable);
    g_free(pool->dir);
    g_free(pool->control_url);
    g_free(pool);
}
