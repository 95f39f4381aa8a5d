/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/workforce_priv.h"

#include "base/backoff.h"

#define START_AGAIN_MS 1000u /* after a worker died at its start; doubling */
#define LONGEST_START_WAIT_MS 30000u
#define RECOVER_AGAIN_S 5
#define MAX_SETBACKS 3

void orch_workforce_release(OrchWorkforce *workforce, OrchBot *bot)
{
    bot->worker_pid = 0;
    bot->worker_started = 0;
    bot->has_place = false;
    orch_set_string(&bot->control_token_hash, NULL);
    orch_workforce_save(workforce, bot);
    orch_workforce_return_login(workforce, bot, true);
    g_hash_table_remove(workforce->setbacks, bot->id);
    orch_workforce_look_soon(workforce);
}

static void give_up(OrchWorkforce *workforce, OrchBot *bot, int exit, const char *words)
{
    g_autofree char *message =
        exit >= 0 ? g_strdup_printf("The worker ended with exit code %d, and what it left could "
                                    "not be recovered%s%s",
                                    exit, words != NULL ? ": " : ".", words != NULL ? words : "")
                  : g_strdup("The worker was killed, and what it left could not be recovered.");
    OrchFailure failure = {"process_terminated", "InternalError", "internal_error", message};
    g_autoptr(GError) error = NULL;
    if (!orch_bots_fail(workforce->bots, bot, &failure, &error)) {
        g_critical("bot %s: %s", bot->id, error->message);
    }
    orch_workforce_release(workforce, bot);
}

/* The worker died before it had anything of the bot's: another one takes it. */
static void begin_anew(OrchWorkforce *workforce, OrchBot *bot, int exit, const char *words)
{
    if (orch_workforce_count_setback(workforce, bot->id) > MAX_SETBACKS) {
        give_up(workforce, bot, exit, words);
        return;
    }
    g_message("bot %s: its worker ended before it began%s%s; another one takes it", bot->id,
              words != NULL ? ": " : "", words != NULL ? words : "");
    bot->worker_pid = 0;
    bot->worker_started = 0;
    orch_set_string(&bot->control_token_hash, NULL);
    orch_workforce_save(workforce, bot);
    orch_workforce_return_login(workforce, bot, false);
    orch_workforce_look_soon(workforce);
}

static void recover(OrchWorkforce *workforce, OrchBot *bot)
{
    g_autoptr(GError) error = NULL;
    OrchWorker *worker =
        orch_pool_recover(workforce->pool, bot->id, bot->output_dir,
                          bot->control_token_hash != NULL ? bot->control_token_hash : "", &error);
    if (worker == NULL) {
        g_warning("bot %s: --recover can't be started: %s", bot->id, error->message);
        give_up(workforce, bot, -1, error->message);
        return;
    }
    bot->worker_pid = orch_worker_get_pid(worker);
    bot->worker_started = orch_worker_get_started(worker);
    orch_workforce_save(workforce, bot);
}

typedef struct {
    OrchWorkforce *workforce; /* borrowed */
    char *bot_id;             /* owned by the table of retries */
} Retry;

static gboolean on_recover_again(gpointer user_data)
{
    Retry *retry = user_data;
    OrchWorkforce *workforce = retry->workforce;
    g_autoptr(OrchBot) bot = orch_store_bot_get(workforce->store, retry->bot_id);
    g_hash_table_remove(workforce->retries, retry->bot_id);
    if (bot != NULL) {
        recover(workforce, bot);
    }
    return G_SOURCE_REMOVE;
}

/* At once; later once more, should the folder still be in use, or the disk full. */
static void recover_again(OrchWorkforce *workforce, OrchBot *bot, int exit, const char *words)
{
    guint n = orch_workforce_count_setback(workforce, bot->id);
    if (n > MAX_SETBACKS) {
        give_up(workforce, bot, exit, words);
    } else if (n == 1) {
        recover(workforce, bot);
    } else {
        Retry *retry = g_new0(Retry, 1);
        retry->workforce = workforce;
        retry->bot_id = g_strdup(bot->id);
        guint source = g_timeout_add_seconds_full(G_PRIORITY_DEFAULT, RECOVER_AGAIN_S,
                                                  on_recover_again, retry, g_free);
        g_hash_table_insert(workforce->retries, retry->bot_id, GUINT_TO_POINTER(source));
    }
}

static bool left_something(const OrchBot *bot)
{
    g_autofree char *kept = g_build_filename(bot->output_dir, ".worker.json", NULL);
    return g_file_test(kept, G_FILE_TEST_EXISTS);
}

/* The worker of a guest that was refused is gone: the bot comes again, with an account. */
static void come_again(OrchWorkforce *workforce, OrchBot *bot)
{
    bot->login_run = ORCH_LOGIN_RUN_SECOND;
    bot->worker_pid = 0;
    bot->worker_started = 0;
    orch_set_string(&bot->control_token_hash, NULL);
    orch_workforce_save(workforce, bot);
    g_hash_table_remove(workforce->setbacks, bot->id);
    orch_workforce_look_soon(workforce);
}

void orch_workforce_bury(OrchWorkforce *workforce, OrchBot *bot, int exit, const char *words)
{
    if (bot_state_is_terminal(bot->state) && bot->reported) {
        orch_workforce_release(workforce, bot);
    } else if (left_something(bot)) {
        recover_again(workforce, bot, exit, words);
    } else if (bot->login_run == ORCH_LOGIN_RUN_REFUSED) {
        come_again(workforce, bot);
    } else if (bot->state <= BOT_STATE_READY) {
        begin_anew(workforce, bot, exit, words);
    } else {
        give_up(workforce, bot, exit, words);
    }
}

static void start_later(OrchWorkforce *workforce, const char *words)
{
    guint wait_ms =
        base_backoff_ms(START_AGAIN_MS, LONGEST_START_WAIT_MS, workforce->n_failed_starts);
    orch_workforce_note_start(workforce, false, words);
    workforce->no_start_before_ms = orch_now_ms() + wait_ms;
}

static void on_gone(OrchWorker *worker, int exit, gpointer user_data)
{
    OrchWorkforce *workforce = user_data;
    OrchWorkerState state = orch_worker_get_state(worker);
    const char *bot_id = orch_worker_get_bot_id(worker);
    g_autofree char *words = exit != 0 ? orch_worker_last_words(worker) : NULL;
    orch_workforce_close_link(workforce, worker);
    g_info("process %d ended with exit code %d", (int)orch_worker_get_pid(worker), exit);
    if (state == ORCH_WORKER_STARTING) {
        start_later(workforce, words);
        g_warning("a worker ended with exit code %d before it stood by: %s", exit,
                  workforce->start_trouble);
    }
    g_autoptr(OrchBot) bot = bot_id != NULL ? orch_store_bot_get(workforce->store, bot_id) : NULL;
    if (bot != NULL) {
        orch_workforce_drop_commands(workforce, bot->id, "the bot's worker is gone");
        g_clear_pointer(&bot, orch_bot_free);
        bot = orch_store_bot_get(workforce->store, bot_id); /* whoever waited may have acted */
        orch_workforce_bury(workforce, bot, exit, words);
    }
    orch_workforce_look_soon(workforce);
}

const OrchPoolEvents orch_workforce_pool_events = {on_gone};
