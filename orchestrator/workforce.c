/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/workforce_priv.h"

#include "orchestrator/json.h"
#include "orchestrator/logins.h"
#include "orchestrator/schedule.h"

#include <string.h>

#define LONGEST_SLEEP_MS 10000 /* the clock may be set */
#define START_WAIT_MS 30000
#define MAX_FAILED_STARTS 5
#define LONGEST_START_S 60
#define IDLE_GRACE_S 10
#define DELETE_LATE_EVERY_S 60
#define DELETE_LATE_WITHIN_MS (4 * 3600 * 1000)
#define LINGER_MS 120000 /* after the end of its bot */
#define LINGER_GRACE_S 70

void orch_workforce_save(OrchWorkforce *workforce, OrchBot *bot)
{
    g_autoptr(GError) error = NULL;
    if (!orch_bots_save(workforce->bots, bot, &error)) {
        g_critical("bot %s can't be stored: %s", bot->id, error->message);
    }
}

guint orch_workforce_count_setback(OrchWorkforce *workforce, const char *bot_id)
{
    guint n = GPOINTER_TO_UINT(g_hash_table_lookup(workforce->setbacks, bot_id)) + 1;
    g_hash_table_insert(workforce->setbacks, g_strdup(bot_id), GUINT_TO_POINTER(n));
    return n;
}

void orch_workforce_note_start(OrchWorkforce *workforce, bool good, const char *words)
{
    workforce->n_failed_starts = good ? 0 : workforce->n_failed_starts + 1;
    g_clear_pointer(&workforce->start_trouble, g_free);
    if (!good) {
        workforce->start_trouble =
            g_strdup(words != NULL ? words
                                   : "it ended without a word; run its command by hand: "
                                     "steno-worker --standby");
    }
    orch_bots_set_trouble(workforce->bots, workforce->n_failed_starts, workforce->start_trouble);
}

/* --- who starts --- */

static bool has_begun(const OrchBot *bot)
{
    return bot->state > BOT_STATE_READY || bot->worker_pid > 0;
}

static void add_candidates(GPtrArray *bots, GArray *candidates, GPtrArray *all)
{
    for (guint i = 0; i < all->len; i++) {
        OrchBot *bot = g_ptr_array_index(all, i);
        if (has_begun(bot)) {
            continue;
        }
        OrchCandidate candidate = {
            .number = bot->number,
            .created_ms = bot->created_ms,
            .due_ms = bot->join_at_ms > 0 ? bot->join_at_ms : bot->created_ms,
            .reserved = bot->reserved,
            .has_place = bot->has_place,
        };
        g_array_append_val(candidates, candidate);
        g_ptr_array_add(bots, bot);
    }
}

/* Its end is told, and still it runs: it hangs, and nobody needs it. */
static void stop_late(OrchWorkforce *workforce, const OrchBot *bot)
{
    OrchWorker *worker = orch_pool_find_bot(workforce->pool, bot->id);
    if (worker != NULL && orch_now_ms() - bot->ended_ms > LINGER_MS) {
        orch_worker_stop(worker, LINGER_GRACE_S);
    }
}

/* The bots that have a place; those that ended without a worker give it back. */
static GPtrArray *placed_bots(OrchWorkforce *workforce, guint *ret_n_places)
{
    OrchBotFilter filter = {.with_place = true};
    GPtrArray *placed = orch_store_bots(workforce->store, &filter);
    *ret_n_places = 0;
    for (guint i = 0; i < placed->len; i++) {
        OrchBot *bot = g_ptr_array_index(placed, i);
        if (bot_state_is_terminal(bot->state) && bot->worker_pid == 0) {
            orch_workforce_release(workforce, bot);
            continue;
        }
        *ret_n_places += 1;
        if (bot_state_is_terminal(bot->state)) {
            stop_late(workforce, bot);
        }
    }
    return placed;
}

static void fail_unstartable(OrchWorkforce *workforce, OrchBot *bot)
{
    g_autofree char *message =
        g_strdup_printf("No worker could be started for the bot: %s", workforce->start_trouble);
    OrchFailure failure = {"bot_not_launched", "InternalError", "internal_error", message};
    g_autoptr(GError) error = NULL;
    if (!orch_bots_fail(workforce->bots, bot, &failure, &error)) {
        g_critical("bot %s: %s", bot->id, error->message);
    }
    orch_workforce_release(workforce, bot);
}

static void fail_signed_out(OrchWorkforce *workforce, OrchBot *bot)
{
    g_autoptr(GPtrArray) states = orch_logins_states(workforce->store, workforce->config);
    g_autofree char *message = orch_logins_why_none(states, bot->login_class);
    OrchFailure failure = {"login_required", "CannotJoinMeeting", "authentication_error", message};
    g_autoptr(GError) error = NULL;
    g_warning("bot %s: %s", bot->id, message);
    if (!orch_bots_fail(workforce->bots, bot, &failure, &error)) {
        g_critical("bot %s: %s", bot->id, error->message);
    }
    orch_workforce_release(workforce, bot);
}

/* Whether it has the account that it needs, if any. */
static bool sign_in(OrchWorkforce *workforce, OrchBot *bot)
{
    OrchLoginAnswer answer = orch_workforce_sign_in(workforce, bot);
    if (answer == ORCH_LOGIN_NONE) {
        fail_signed_out(workforce, bot);
    } else if (answer == ORCH_LOGIN_WAIT && !bot->reserved) { /* another one may have its place */
        bot->has_place = false;
        orch_workforce_save(workforce, bot);
    }
    return answer == ORCH_LOGIN_READY;
}

/* Its time has come, or soon will; returns whether it has to wait for a worker. */
static bool start(OrchWorkforce *workforce, OrchBot *bot)
{
    if (!sign_in(workforce, bot)) {
        return false;
    }
    OrchWorker *worker = orch_pool_find_idle(workforce->pool);
    if (worker != NULL) {
        orch_workforce_assign(workforce, worker, bot);
        return false;
    }
    if (workforce->n_failed_starts >= MAX_FAILED_STARTS) {
        fail_unstartable(workforce, bot);
        return false;
    }
    return true;
}

/* As many standbys as the pool wants, and one for each bot that waits for its worker. */
static void fill_pool(OrchWorkforce *workforce, guint n_waiting)
{
    OrchPool *pool = workforce->pool;
    guint wanted = workforce->config->pool_size + n_waiting;
    guint n = orch_pool_count(pool, ORCH_WORKER_STARTING) + orch_pool_count(pool, ORCH_WORKER_IDLE);
    if (workforce->config->max_workers == 0 || orch_now_ms() < workforce->no_start_before_ms) {
        return;
    }
    OrchWorker *idle = n > wanted ? orch_pool_find_idle(pool) : NULL;
    if (idle != NULL) { /* its bot was cancelled, perhaps */
        orch_worker_retire(idle, IDLE_GRACE_S);
    }
    for (; n < wanted; n++) {
        g_autoptr(GError) error = NULL;
        if (orch_pool_spawn(pool, &error) == NULL) {
            g_warning("a worker can't be started: %s", error->message);
            orch_workforce_note_start(workforce, false, error->message);
            workforce->no_start_before_ms = orch_now_ms() + START_WAIT_MS;
            return;
        }
    }
}

static gboolean on_timer(gpointer user_data)
{
    OrchWorkforce *workforce = user_data;
    workforce->timer_id = 0;
    orch_workforce_look_soon(workforce);
    return G_SOURCE_REMOVE;
}

static void look_at(OrchWorkforce *workforce, gint64 at_ms)
{
    gint64 now_ms = orch_now_ms();
    if (workforce->no_start_before_ms > now_ms) {
        at_ms = MIN(at_ms, workforce->no_start_before_ms);
    }
    gint64 wait_ms = at_ms < now_ms + LONGEST_SLEEP_MS ? at_ms - now_ms : LONGEST_SLEEP_MS;
    g_clear_handle_id(&workforce->timer_id, g_source_remove);
    workforce->timer_id = g_timeout_add((guint)MAX(wait_ms, 1), on_timer, workforce);
}

/* @candidates and @bots go together. */
static gint64 place_and_start(OrchWorkforce *workforce, GPtrArray *bots, GArray *candidates,
                              guint n_free, gint64 now_ms)
{
    gint64 next_ms =
        orch_schedule((OrchCandidate *)(gpointer)candidates->data, candidates->len, n_free, now_ms);
    guint n_waiting = 0;
    for (guint i = 0; i < bots->len; i++) {
        OrchCandidate *candidate = &g_array_index(candidates, OrchCandidate, i);
        OrchBot *bot = g_ptr_array_index(bots, i);
        if (candidate->takes_place) {
            bot->has_place = true;
            orch_workforce_save(workforce, bot);
        }
        if (candidate->starts) {
            n_waiting += start(workforce, bot);
        } else if (candidate->is_near) {
            n_waiting++;
        }
    }
    fill_pool(workforce, MIN(n_waiting, workforce->config->max_workers));
    return next_ms;
}

/* Those whose turn it is: nobody behind them can get one of the @n_free places now. */
static GPtrArray *next_wanting(OrchWorkforce *workforce, guint n_free, gint64 now_ms)
{
    OrchBotFilter filter = {
        .wants_until_ms = now_ms, .order = ORCH_ORDER_WANTS, .guests = true, .limit = n_free};
    GPtrArray *wanting = n_free > 0 ? orch_store_bots(workforce->store, &filter)
                                    : g_ptr_array_new_with_free_func((GDestroyNotify)orch_bot_free);
    g_autoptr(GPtrArray) hopeless = g_ptr_array_new_with_free_func((GDestroyNotify)orch_bot_free);
    orch_workforce_add_signed_in(workforce, wanting, hopeless, n_free, now_ms);
    for (guint i = 0; i < hopeless->len; i++) {
        fail_signed_out(workforce, g_ptr_array_index(hopeless, i));
    }
    return wanting;
}

/* Those whose time comes next: as many as workers are made ready for, and one that says when to
 * look again. */
static GPtrArray *next_coming(OrchWorkforce *workforce, gint64 now_ms)
{
    OrchBotFilter filter = {.wants_after_ms = now_ms,
                            .order = ORCH_ORDER_WANTS,
                            .limit = workforce->config->max_workers + 1};
    return orch_store_bots(workforce->store, &filter);
}

static gboolean on_look(gpointer user_data)
{
    OrchWorkforce *workforce = user_data;
    workforce->look_id = 0;
    if (workforce->leaving) {
        return G_SOURCE_REMOVE;
    }
    orch_pool_stop_stuck(workforce->pool, LONGEST_START_S);
    guint n_places;
    g_autoptr(GPtrArray) placed = placed_bots(workforce, &n_places);
    orch_workforce_tell_company(workforce, placed);
    guint max = workforce->config->max_workers;
    guint n_free = max > n_places ? max - n_places : 0;
    gint64 now_ms = orch_now_ms();
    g_autoptr(GPtrArray) wanting = next_wanting(workforce, n_free, now_ms);
    g_autoptr(GPtrArray) coming = next_coming(workforce, now_ms);
    g_autoptr(GPtrArray) bots = g_ptr_array_new();
    g_autoptr(GArray) candidates = g_array_new(FALSE, FALSE, sizeof(OrchCandidate));
    add_candidates(bots, candidates, placed);
    add_candidates(bots, candidates, wanting);
    add_candidates(bots, candidates, coming);
    look_at(workforce, place_and_start(workforce, bots, candidates, n_free, now_ms));
    return G_SOURCE_REMOVE;
}

void orch_workforce_look_soon(OrchWorkforce *workforce)
{
    if (workforce->look_id == 0) {
        workforce->look_id = g_idle_add(on_look, workforce);
    }
}

/* --- after a restart --- */

/* Whoever lives connects by itself; whoever died meanwhile is buried. */
static void take_up(OrchWorkforce *workforce)
{
    OrchBotFilter filter = {.with_worker = true};
    g_autoptr(GPtrArray) bots = orch_store_bots(workforce->store, &filter);
    for (guint i = 0; i < bots->len; i++) {
        OrchBot *bot = g_ptr_array_index(bots, i);
        if (bot->control_token_hash != NULL &&
            orch_pool_adopt(workforce->pool, bot->id, bot->control_token_hash,
                            (pid_t)bot->worker_pid, bot->worker_started) != NULL) {
            g_message("bot %s: its worker lives, process %" G_GINT64_FORMAT, bot->id,
                      bot->worker_pid);
        } else {
            g_message("bot %s: its worker is gone", bot->id);
            orch_workforce_bury(workforce, bot, -1, NULL);
        }
    }
    orch_workforce_sweep_logins(workforce);
}

/* Workers that wrote after their bot's data was deleted. */
static gboolean on_delete_late(gpointer user_data)
{
    OrchWorkforce *workforce = user_data;
    orch_bots_delete_late(workforce->bots, orch_now_ms() - DELETE_LATE_WITHIN_MS);
    orch_workforce_sweep_logins(workforce);
    return G_SOURCE_CONTINUE;
}

/* --- what the bots ask --- */

static void look_again(gpointer user_data)
{
    orch_workforce_look_soon(user_data);
}

static void webhooks_queued(gpointer user_data)
{
    orch_outbox_wake(((OrchWorkforce *)user_data)->outbox);
}

static void command(const char *bot_id, const char *name, JsonObject *args, OrchCommandDone done,
                    gpointer done_data, gpointer user_data)
{
    g_autofree char *id = strcmp(name, "leave") == 0 ? g_strconcat("leave-", bot_id, NULL) : NULL;
    orch_workforce_send(user_data, bot_id, id, name, args, done, done_data);
}

/* --- from start to end --- */

static OrchOutbox *make_outbox(OrchWorkforce *workforce, const OrchSecrets *secrets)
{
    JsonArray *retry_s = workforce->config->retry_s;
    guint n = retry_s != NULL ? json_array_get_length(retry_s) : 0;
    g_autofree guint *waits = g_new0(guint, n + 1);
    for (guint i = 0; i < n; i++) {
        waits[i] = (guint)json_array_get_int_element(retry_s, i);
    }
    OrchOutboxConfig config = {.store = workforce->store,
                               .secrets = secrets,
                               .retry_s = waits,
                               .n_retries = n,
                               .allow_private = workforce->config->allow_private_webhooks};
    return orch_outbox_new(&config);
}

/* Where a worker on this machine reaches the server. */
static char *control_url(const OrchConfig *config, guint16 port)
{
    const char *host = config->address;
    if (strcmp(host, "0.0.0.0") == 0) {
        host = "127.0.0.1";
    } else if (strcmp(host, "::") == 0) {
        host = "::1";
    }
    return g_strdup_printf(strchr(host, ':') != NULL ? "ws://[%s]:%u%s" : "ws://%s:%u%s", host,
                           port, ORCH_CONTROL_PATH);
}

static OrchPool *make_pool(OrchWorkforce *workforce, guint16 port, GError **error)
{
    g_autofree char *dir = orch_config_path(workforce->config, "workers");
    g_autofree char *url = control_url(workforce->config, port);
    JsonObject *defaults = workforce->config->worker_defaults;
    OrchPoolConfig config = {.executable = workforce->config->worker,
                             .dir = dir,
                             .control_url = url,
                             .browser = orch_json_object(defaults, "browser"),
                             .proxy = orch_json_object(defaults, "proxy"),
                             .null_dir = orch_json_string(defaults, "null_dir")};
    return orch_pool_new(&config, &orch_workforce_pool_events, workforce, error);
}

OrchWorkforce *orch_workforce_new(OrchBots *bots, const OrchSecrets *secrets, SoupServer *server,
                                  guint16 port, GError **error)
{
    static const OrchWorkers workers = {look_again, webhooks_queued, command};
    OrchWorkforce *workforce = g_new0(OrchWorkforce, 1);
    workforce->bots = bots;
    workforce->store = orch_bots_store(bots);
    workforce->config = orch_bots_config(bots);
    workforce->pool = make_pool(workforce, port, error);
    if (workforce->pool == NULL) {
        g_free(workforce);
        return NULL;
    }
    workforce->nonce = g_uuid_string_random();
    workforce->links = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    workforce->acks = g_hash_table_new(NULL, NULL);
    workforce->retries = g_hash_table_new(g_str_hash, g_str_equal);
    workforce->commands =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, orch_workforce_command_free);
    workforce->setbacks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    workforce->login_jobs = g_hash_table_new(g_str_hash, g_str_equal);
    workforce->company = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    workforce->control = orch_control_new(server, &orch_workforce_control_events, workforce);
    workforce->outbox = make_outbox(workforce, secrets);
    orch_bots_set_workers(bots, &workers, workforce);
    workforce->delete_id = g_timeout_add_seconds(DELETE_LATE_EVERY_S, on_delete_late, workforce);
    take_up(workforce);
    orch_workforce_look_soon(workforce);
    return workforce;
}

void orch_workforce_leave(OrchWorkforce *workforce)
{
    workforce->leaving = true;
    orch_pool_stop_all(workforce->pool, workforce->config->stop_grace_s);
}

bool orch_workforce_has_left(OrchWorkforce *workforce)
{
    return orch_pool_size(workforce->pool) == 0 && g_hash_table_size(workforce->login_jobs) == 0 &&
           orch_outbox_count_under_way(workforce->outbox) == 0 &&
           orch_store_next_delivery_ms(workforce->store) > orch_now_ms();
}

static void stop_retries(OrchWorkforce *workforce)
{
    GHashTableIter iter;
    gpointer source;
    g_hash_table_iter_init(&iter, workforce->retries);
    while (g_hash_table_iter_next(&iter, NULL, &source)) {
        g_source_remove(GPOINTER_TO_UINT(source));
    }
    g_hash_table_unref(workforce->retries);
}

void orch_workforce_free(OrchWorkforce *workforce)
{
    workforce->stopping = true;
    orch_bots_set_workers(workforce->bots, NULL, NULL);
    orch_workforce_forget_acks(workforce);
    orch_workforce_forget_login_jobs(workforce);
    (void)orch_store_commit(workforce->store, NULL); /* its callbacks point here; it logs */
    orch_workforce_drop_commands(workforce, NULL, "the orchestrator stops");
    stop_retries(workforce);
    g_clear_handle_id(&workforce->look_id, g_source_remove);
    g_clear_handle_id(&workforce->timer_id, g_source_remove);
    g_clear_handle_id(&workforce->delete_id, g_source_remove);
    orch_control_free(workforce->control);
    orch_pool_free(workforce->pool);
    orch_outbox_free(workforce->outbox);
    g_hash_table_unref(workforce->commands);
    g_hash_table_unref(workforce->links);
    g_hash_table_unref(workforce->acks);
    g_hash_table_unref(workforce->setbacks);
    g_hash_table_unref(workforce->company);
    g_hash_table_unref(workforce->login_jobs);
    g_free(workforce->start_trouble);
    g_free(workforce->nonce);
    g_free(workforce);
}

void orch_workforce_get_stats(OrchWorkforce *workforce, OrchWorkforceStats *ret_stats)
{
    OrchPool *pool = workforce->pool;
    *ret_stats = (OrchWorkforceStats){
        .n_idle = orch_pool_count(pool, ORCH_WORKER_IDLE),
        .n_starting = orch_pool_count(pool, ORCH_WORKER_STARTING),
        .n_busy = orch_pool_count(pool, ORCH_WORKER_BUSY),
        .n_recovering = orch_pool_count(pool, ORCH_WORKER_RECOVERING),
        .n_webhooks_under_way = orch_outbox_count_under_way(workforce->outbox),
    };
}
