/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/workforce_priv.h"

#include "base/profile.h"
#include "orchestrator/folder.h"
#include "orchestrator/logins.h"
#include "orchestrator/profile.h"

#include <string.h>

/* The accounts that bots sign in with: who gets one and when it is free again. Profiles are copied
 * in threads: they may be large. */

#define PROFILES "profiles"

/* --- work on the files of one bot's copy --- */

struct OrchLoginJob {
    OrchWorkforce *workforce; /* borrowed; NULL once it is gone */
    char *bot_id, *name;      /* owned, like all but what is said; name: of the account */
    char *copy;               /* the bot's folder of the profile */
    char *profile;            /* the account's; NULL: it has none, or nothing is kept of the run */
    char *stamp;              /* of the account's session when it was copied */
    OrchLoginCopied done;     /* of a copy */
    gpointer done_data;
    GDestroyNotify free_data;
};

static void job_free(gpointer data)
{
    OrchLoginJob *job = data;
    if (job->free_data != NULL && job->done_data != NULL) {
        job->free_data(job->done_data);
    }
    g_free(job->bot_id);
    g_free(job->name);
    g_free(job->copy);
    g_free(job->profile);
    g_free(job->stamp);
    g_free(job);
}

static OrchLoginJob *job_new(OrchWorkforce *workforce, const OrchBot *bot)
{
    OrchLoginJob *job = g_new0(OrchLoginJob, 1);
    job->workforce = workforce;
    job->bot_id = g_strdup(bot->id);
    job->name = g_strdup(bot->login);
    job->stamp = g_strdup(bot->login_stamp);
    job->copy = g_build_filename(workforce->config->data_dir, PROFILES, bot->id, NULL);
    g_hash_table_insert(workforce->login_jobs, job->bot_id, job);
    return job;
}

static void run_job(OrchLoginJob *job, GTaskThreadFunc work, GAsyncReadyCallback done)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, done, NULL);
    g_task_set_task_data(task, job, job_free);
    g_task_run_in_thread(task, work);
}

static void return_result(GTask *task, bool good, GError *error)
{
    if (good) {
        g_task_return_boolean(task, TRUE);
    } else {
        g_task_return_error(task, error);
    }
}

/* The job of a @result that has come; NULL: nobody is there any more. */
static OrchLoginJob *finish_job(GAsyncResult *result)
{
    OrchLoginJob *job = g_task_get_task_data(G_TASK(result));
    if (job->workforce == NULL) {
        return NULL;
    }
    g_hash_table_remove(job->workforce->login_jobs, job->bot_id);
    return job;
}

void orch_workforce_forget_login_jobs(OrchWorkforce *workforce)
{
    GHashTableIter iter;
    gpointer job;
    g_hash_table_iter_init(&iter, workforce->login_jobs);
    while (g_hash_table_iter_next(&iter, NULL, &job)) {
        ((OrchLoginJob *)job)->workforce = NULL;
    }
    g_hash_table_remove_all(workforce->login_jobs);
}

static void save(OrchWorkforce *workforce, OrchBot *bot)
{
    g_autoptr(GError) error = NULL;
    if (!orch_bots_save(workforce->bots, bot, &error)) {
        g_critical("the account of bot %s can't be stored: %s", bot->id, error->message);
    }
}

/* --- a copy for the run --- */

static void copy_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    OrchLoginJob *job = data;
    GError *error = NULL;
    (void)orch_folder_delete(job->copy); /* of a run that never began */
    bool good = orch_profile_copy(job->profile, job->copy, &error);
    return_result(task, good, error);
}

static void on_copied(GObject *source, GAsyncResult *result, gpointer user_data)
{
    OrchLoginJob *job = finish_job(result);
    g_autoptr(GError) error = NULL;
    (void)g_task_propagate_boolean(G_TASK(result), &error);
    if (job != NULL) {
        g_prefix_error(&error, "The profile of account \"%s\" can't be copied: ", job->name);
        job->done(error, g_steal_pointer(&job->done_data));
    }
}

void orch_workforce_copy_login(OrchWorkforce *workforce, const OrchBot *bot, OrchLoginCopied done,
                               gpointer done_data, GDestroyNotify free_data)
{
    const OrchLogin *login = orch_logins_find(workforce->config->logins, bot->login);
    if (login == NULL || login->profile_dir == NULL) {
        done(NULL, done_data);
        return;
    }
    OrchLoginJob *job = job_new(workforce, bot);
    job->profile = g_strdup(login->profile_dir);
    job->done = done;
    job->done_data = done_data;
    job->free_data = free_data;
    run_job(job, copy_in_thread, on_copied);
}

/* --- given back --- */

static bool is_unchanged(const OrchLoginJob *job)
{
    g_autofree char *stamp = orch_profile_stamp(job->profile);
    return g_strcmp0(stamp, job->stamp) == 0;
}

/* Cookies change in a run, and old ones may not be good for another. */
static bool keep_session(const OrchLoginJob *job, GError **error)
{
    if (job->profile == NULL || !g_file_test(job->copy, G_FILE_TEST_IS_DIR)) {
        return true;
    }
    if (base_profile_user(job->copy) != 0 || base_profile_user(job->profile) != 0) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_BUSY, "a browser still uses the profile");
        return false;
    }
    if (!is_unchanged(job)) {
        g_info("account \"%s\": somebody signed in meanwhile, which stays", job->name);
        return true;
    }
    return orch_profile_replace(job->profile, job->copy, error);
}

static void return_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    OrchLoginJob *job = data;
    GError *error = NULL;
    bool good = keep_session(job, &error);
    (void)orch_folder_delete(job->copy);
    return_result(task, good, error);
}

static void on_returned(GObject *source, GAsyncResult *result, gpointer user_data)
{
    OrchLoginJob *job = finish_job(result);
    g_autoptr(GError) error = NULL;
    if (!g_task_propagate_boolean(G_TASK(result), &error)) {
        g_warning("the session of a run is not kept, so a session that changed may be over soon: "
                  "%s",
                  error->message);
    }
    g_autoptr(OrchBot) bot =
        job != NULL ? orch_store_bot_get(job->workforce->store, job->bot_id) : NULL;
    if (bot != NULL) {
        orch_logins_clear(bot);
        save(job->workforce, bot); /* whoever waits for the account is looked at then */
    }
}

void orch_workforce_return_login(OrchWorkforce *workforce, OrchBot *bot, bool keep)
{
    if (bot->login == NULL || g_hash_table_contains(workforce->login_jobs, bot->id)) {
        return;
    }
    const OrchLogin *login = orch_logins_find(workforce->config->logins, bot->login);
    OrchLoginJob *job = job_new(workforce, bot);
    bool kept = keep && login != NULL && !bot->login_shared && !bot->login_out;
    job->profile = kept ? g_strdup(login->profile_dir) : NULL;
    run_job(job, return_in_thread, on_returned);
}

/* --- who gets one --- */

void orch_workforce_add_signed_in(OrchWorkforce *workforce, GPtrArray *bots, GPtrArray *hopeless,
                                  guint n_free, gint64 now_ms)
{
    g_autoptr(GPtrArray) classes = orch_store_login_classes(workforce->store, now_ms);
    g_autoptr(GPtrArray) states =
        classes->len > 0 ? orch_logins_states(workforce->store, workforce->config) : NULL;
    for (guint i = 0; i < classes->len; i++) {
        bool none;
        const char *login_class = g_ptr_array_index(classes, i);
        guint n = MIN(orch_logins_count_free(states, login_class, &none), n_free);
        OrchBotFilter filter = {.wants_until_ms = now_ms,
                                .order = ORCH_ORDER_WANTS,
                                .login_class = login_class,
                                .limit = none ? 0 : n};
        if (none || n > 0) {
            g_ptr_array_extend_and_steal(none ? hopeless : bots,
                                         orch_store_bots(workforce->store, &filter));
        }
    }
}

OrchLoginAnswer orch_workforce_sign_in(OrchWorkforce *workforce, OrchBot *bot)
{
    g_autoptr(GError) error = NULL;
    if (g_hash_table_contains(workforce->login_jobs, bot->id)) {
        return ORCH_LOGIN_SOON;
    }
    if (bot->login_class == NULL || bot->login != NULL) {
        return ORCH_LOGIN_READY;
    }
    if (orch_logins_lease(workforce->store, workforce->config, bot, &error)) {
        save(workforce, bot);
        return ORCH_LOGIN_READY;
    }
    if (error != NULL) {
        g_critical("bot %s: %s", bot->id, error->message);
        return ORCH_LOGIN_SOON;
    }
    bool none = false;
    g_autoptr(GPtrArray) states = orch_logins_states(workforce->store, workforce->config);
    (void)orch_logins_count_free(states, bot->login_class, &none);
    return none ? ORCH_LOGIN_NONE : ORCH_LOGIN_WAIT;
}

/* --- what was left --- */

void orch_workforce_sweep_logins(OrchWorkforce *workforce)
{
    OrchBotFilter filter = {.with_login = true};
    g_autoptr(GPtrArray) bots = orch_store_bots(workforce->store, &filter);
    g_autoptr(GHashTable) wanted = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < bots->len; i++) {
        OrchBot *bot = g_ptr_array_index(bots, i);
        g_hash_table_add(wanted, bot->id);
        bool waits = bot->has_place && !bot_state_is_terminal(bot->state);
        if (bot->worker_pid == 0 && !waits) {
            orch_workforce_return_login(workforce, bot, true);
        }
    }
    g_autofree char *folder = g_build_filename(workforce->config->data_dir, PROFILES, NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        if (!g_hash_table_contains(wanted, name) &&
            !g_hash_table_contains(workforce->login_jobs, name)) {
            g_autofree char *path = g_build_filename(folder, name, NULL);
            (void)orch_folder_delete(path);
        }
    }
}
