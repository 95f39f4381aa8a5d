/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/workforce_priv.h"

#include "orchestrator/json.h"

#include <string.h>

#define COMMAND_TIMEOUT_MS 15000
#define CHAT_TIMEOUT_MS 75000 /* a worker tries for a minute */
#define STOP_GRACE_S 20

/* --- acknowledging what is on the disk --- */

struct OrchAck {
    OrchWorkforce *workforce; /* borrowed; NULL once the link or the workforce is gone */
    OrchLink *link;           /* borrowed */
    gint64 seq, later_seq;    /* later: written since the store was asked */
};

static void on_durable(const GError *error, gpointer user_data)
{
    OrchAck *ack = user_data;
    OrchWorkforce *workforce = ack->workforce;
    if (workforce == NULL) {
        g_free(ack);
        return;
    }
    if (error == NULL) {
        orch_link_ack(ack->link, ack->seq);
        if (ack->later_seq > ack->seq) {
            ack->seq = ack->later_seq;
            orch_store_when_durable(workforce->store, on_durable, ack);
            return;
        }
    }
    OrchLink *link = ack->link;
    g_hash_table_remove(workforce->acks, link);
    g_free(ack);
    if (error != NULL) {
        g_hash_table_remove(workforce->links, orch_link_get_token_hash(link));
        orch_link_close(link, "its events could not be stored; it will send them again");
    }
}

static void ack_when_durable(OrchWorkforce *workforce, OrchLink *link, gint64 seq)
{
    OrchAck *ack = g_hash_table_lookup(workforce->acks, link);
    if (ack != NULL) {
        ack->later_seq = seq;
        return;
    }
    ack = g_new0(OrchAck, 1);
    *ack = (OrchAck){workforce, link, seq, seq};
    g_hash_table_insert(workforce->acks, link, ack);
    orch_store_when_durable(workforce->store, on_durable, ack);
}

void orch_workforce_forget_acks(OrchWorkforce *workforce)
{
    GHashTableIter iter;
    gpointer ack;
    g_hash_table_iter_init(&iter, workforce->acks);
    while (g_hash_table_iter_next(&iter, NULL, &ack)) {
        ((OrchAck *)ack)->workforce = NULL;
    }
    g_hash_table_remove_all(workforce->acks);
}

static void forget_link(OrchWorkforce *workforce, OrchLink *link)
{
    OrchAck *ack = g_hash_table_lookup(workforce->acks, link);
    if (ack != NULL) {
        ack->workforce = NULL;
        g_hash_table_remove(workforce->acks, link);
    }
    const char *hash = orch_link_get_token_hash(link);
    if (g_hash_table_lookup(workforce->links, hash) == link) {
        g_hash_table_remove(workforce->links, hash);
    }
}

static void close_link(OrchWorkforce *workforce, OrchLink *link, const char *why)
{
    forget_link(workforce, link);
    orch_link_close(link, why);
}

void orch_workforce_close_link(OrchWorkforce *workforce, OrchWorker *worker)
{
    OrchLink *link = g_hash_table_lookup(workforce->links, orch_worker_get_token_hash(worker));
    /* What the dead process sent last may still be on its way in: a recovery sends it again. */
    if (link != NULL) {
        close_link(workforce, link, "its process is gone");
    }
}

/* --- commands --- */

void orch_workforce_command_free(gpointer data)
{
    OrchCommand *command = data;
    g_clear_handle_id(&command->timeout_id, g_source_remove);
    g_free(command->bot_id);
    g_free(command->id);
    g_free(command->name);
    g_clear_pointer(&command->args, json_object_unref);
    g_free(command);
}

/* The command is answered, one way or the other, and freed. */
static void answer(OrchCommand *command, const GError *error)
{
    OrchCommandDone done = command->done;
    gpointer done_data = command->done_data;
    g_hash_table_remove(command->workforce->commands, command->id);
    if (done != NULL) {
        done(error, done_data);
    }
}

static void answer_no_worker(OrchCommand *command, const char *why)
{
    g_autoptr(GError) error = g_error_new_literal(ORCH_BOTS_ERROR, ORCH_BOTS_ERROR_NO_WORKER, why);
    answer(command, error);
}

static gboolean on_timeout(gpointer user_data)
{
    OrchCommand *command = user_data;
    command->timeout_id = 0;
    answer_no_worker(command, "the bot's worker did not answer in time");
    return G_SOURCE_REMOVE;
}

static gboolean on_nobody(gpointer user_data)
{
    OrchCommand *command = user_data;
    command->timeout_id = 0;
    if (strcmp(command->name, "leave") == 0) {
        answer(command, NULL); /* the store keeps the wish until there is a worker to tell */
    } else {
        answer_no_worker(command, "the bot's worker is not connected");
    }
    return G_SOURCE_REMOVE;
}

static OrchLink *find_link(OrchWorkforce *workforce, const char *bot_id)
{
    OrchWorker *worker = orch_pool_find_bot(workforce->pool, bot_id);
    return worker != NULL
               ? g_hash_table_lookup(workforce->links, orch_worker_get_token_hash(worker))
               : NULL;
}

bool orch_workforce_has_link(OrchWorkforce *workforce, const char *bot_id)
{
    return find_link(workforce, bot_id) != NULL;
}

void orch_workforce_send(OrchWorkforce *workforce, const char *bot_id, const char *id,
                         const char *name, JsonObject *args, OrchCommandDone done,
                         gpointer done_data)
{
    OrchCommand *command = g_new0(OrchCommand, 1);
    command->workforce = workforce;
    command->bot_id = g_strdup(bot_id);
    command->name = g_strdup(name);
    command->args = args != NULL ? json_object_ref(args) : NULL;
    command->done = done;
    command->done_data = done_data;
    bool taken = id != NULL && g_hash_table_contains(workforce->commands, id);
    command->id = id != NULL && !taken ? g_strdup(id)
                                       : g_strdup_printf("%s-%" G_GUINT64_FORMAT, workforce->nonce,
                                                         ++workforce->n_commands);
    g_hash_table_insert(workforce->commands, command->id, command);
    OrchLink *link = find_link(workforce, bot_id);
    if (link == NULL) {
        command->timeout_id = g_idle_add(on_nobody, command);
        return;
    }
    bool is_chat = strcmp(name, "send_chat_message") == 0;
    command->timeout_id =
        g_timeout_add(is_chat ? CHAT_TIMEOUT_MS : COMMAND_TIMEOUT_MS, on_timeout, command);
    orch_link_command(link, command->id, command->name, command->args);
}

static GPtrArray *commands_of(OrchWorkforce *workforce, const char *bot_id)
{
    GPtrArray *found = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, workforce->commands);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        if (bot_id == NULL || strcmp(((OrchCommand *)value)->bot_id, bot_id) == 0) {
            g_ptr_array_add(found, value);
        }
    }
    return found;
}

void orch_workforce_drop_commands(OrchWorkforce *workforce, const char *bot_id, const char *why)
{
    g_autoptr(GPtrArray) commands = commands_of(workforce, bot_id);
    for (guint i = 0; i < commands->len; i++) {
        answer_no_worker(g_ptr_array_index(commands, i), why);
    }
}

/* --- giving a standby its bot --- */

typedef struct {
    OrchWorkforce *workforce; /* borrowed */
    char *bot_id;             /* owned */
    JsonObject *document;     /* owned */
} Assignment;

static void assignment_free(Assignment *assignment)
{
    g_free(assignment->bot_id);
    json_object_unref(assignment->document);
    g_free(assignment);
}

static void fail(OrchWorkforce *workforce, OrchBot *bot, const char *message)
{
    OrchFailure failure = {"bot_not_launched", "InternalError", "internal_error", message};
    g_autoptr(GError) error = NULL;
    if (!orch_bots_fail(workforce->bots, bot, &failure, &error)) {
        g_critical("bot %s: %s", bot->id, error->message);
    }
}

/* A worker that refuses its bot, or says nothing, is not asked again. */
static void on_assigned(const GError *error, gpointer user_data)
{
    Assignment *assignment = user_data;
    OrchWorkforce *workforce = assignment->workforce;
    if (error != NULL && !workforce->stopping) {
        OrchWorker *worker = orch_pool_find_bot(workforce->pool, assignment->bot_id);
        g_autoptr(OrchBot) bot = orch_store_bot_get(workforce->store, assignment->bot_id);
        bool refused = g_error_matches(error, ORCH_BOTS_ERROR, ORCH_BOTS_ERROR_REFUSED);
        g_warning("bot %s: its worker did not take it: %s", assignment->bot_id, error->message);
        if (refused && bot != NULL) {
            fail(workforce, bot, error->message);
        }
        if (worker != NULL) {
            orch_worker_stop(worker, STOP_GRACE_S);
        }
    }
    assignment_free(assignment);
}

/* It was cancelled meanwhile: the standby is still one. */
static bool is_cancelled(OrchWorkforce *workforce, const char *bot_id)
{
    g_autoptr(OrchBot) bot = orch_store_bot_get(workforce->store, bot_id);
    if (bot != NULL && !bot_state_is_terminal(bot->state)) {
        return false;
    }
    OrchWorker *worker = orch_pool_find_bot(workforce->pool, bot_id);
    if (worker != NULL) {
        orch_worker_set_idle(worker);
    }
    if (bot != NULL) {
        orch_workforce_release(workforce, bot);
    }
    return true;
}

/* Its profile, if it has one, is there. */
static void on_login_copied(const GError *error, gpointer user_data)
{
    Assignment *assignment = user_data;
    OrchWorkforce *workforce = assignment->workforce;
    g_autoptr(OrchBot) bot =
        error != NULL ? orch_store_bot_get(workforce->store, assignment->bot_id) : NULL;
    if (bot != NULL) {
        g_warning("bot %s: %s", bot->id, error->message);
        fail(workforce, bot, error->message);
    }
    if (workforce->stopping || workforce->leaving || is_cancelled(workforce, assignment->bot_id)) {
        assignment_free(assignment);
        return;
    }
    g_autofree char *id = g_strconcat("assign-", assignment->bot_id, NULL);
    orch_workforce_send(workforce, assignment->bot_id, id, "assign", assignment->document,
                        on_assigned, assignment);
}

/* Only now: a worker with a bot that the store does not know of would be a ghost. */
static void on_assignment_durable(const GError *error, gpointer user_data)
{
    Assignment *assignment = user_data;
    OrchWorkforce *workforce = assignment->workforce;
    OrchWorker *worker = orch_pool_find_bot(workforce->pool, assignment->bot_id);
    if (error != NULL && worker != NULL) {
        orch_worker_stop(worker, STOP_GRACE_S);
    }
    if (error != NULL || workforce->stopping || workforce->leaving ||
        is_cancelled(workforce, assignment->bot_id)) {
        assignment_free(assignment);
        return;
    }
    g_autoptr(OrchBot) bot = orch_store_bot_get(workforce->store, assignment->bot_id);
    orch_workforce_copy_login(workforce, bot, on_login_copied, assignment,
                              (GDestroyNotify)assignment_free);
}

void orch_workforce_assign(OrchWorkforce *workforce, OrchWorker *worker, OrchBot *bot)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonObject) document = orch_bots_document(workforce->bots, bot, &error);
    if (document == NULL) {
        fail(workforce, bot, error->message);
        return;
    }
    bot->has_place = true;
    bot->worker_pid = orch_worker_get_pid(worker);
    bot->worker_started = orch_worker_get_started(worker);
    bot->worker_seen_ms = orch_now_ms();
    orch_set_string(&bot->control_token_hash, orch_worker_get_token_hash(worker));
    bool stored = bot->state == BOT_STATE_SCHEDULED
                      ? orch_bots_transition(workforce->bots, bot, BOT_EVENT_STAGED, NULL, &error)
                      : orch_bots_save(workforce->bots, bot, &error);
    if (!stored) {
        g_critical("bot %s can't be stored: %s", bot->id, error->message);
        return;
    }
    g_info("bot %s: given to process %" G_GINT64_FORMAT, bot->id, bot->worker_pid);
    orch_worker_set_bot(worker, bot->id, bot->output_dir);
    Assignment *assignment = g_new0(Assignment, 1);
    assignment->workforce = workforce;
    assignment->bot_id = g_strdup(bot->id);
    assignment->document = g_steal_pointer(&document);
    orch_store_when_durable(workforce->store, on_assignment_durable, assignment);
}

/* --- what workers say --- */

static bool is_expected(const char *token_hash, gpointer user_data)
{
    OrchWorkforce *workforce = user_data;
    return orch_pool_find_token(workforce->pool, token_hash) != NULL;
}

static void send_again(OrchWorkforce *workforce, OrchLink *link, const char *bot_id)
{
    g_autoptr(GPtrArray) commands = commands_of(workforce, bot_id);
    for (guint i = 0; i < commands->len; i++) {
        OrchCommand *command = g_ptr_array_index(commands, i);
        orch_link_command(link, command->id, command->name, command->args);
    }
}

static void hello_of_standby(OrchWorkforce *workforce, OrchLink *link, OrchWorker *worker)
{
    orch_link_ack(link, 0);
    if (orch_worker_get_state(worker) != ORCH_WORKER_BUSY) {
        orch_workforce_note_start(workforce, true, NULL);
        orch_worker_set_idle(worker);
        orch_workforce_look_soon(workforce);
        return;
    }
    const char *bot_id = orch_worker_get_bot_id(worker);
    g_autofree char *assign = g_strconcat("assign-", bot_id, NULL);
    if (g_hash_table_contains(workforce->commands, assign)) {
        send_again(workforce, link, bot_id);
    }
}

static void hello_with_bot(OrchWorkforce *workforce, OrchLink *link, OrchWorker *worker,
                           const char *bot_id)
{
    g_autoptr(OrchBot) bot = orch_store_bot_get(workforce->store, bot_id);
    if (bot == NULL || g_strcmp0(orch_worker_get_bot_id(worker), bot_id) != 0) {
        g_warning("a worker says that it has bot %s, which is not its own: it is stopped", bot_id);
        orch_worker_stop(worker, STOP_GRACE_S);
        close_link(workforce, link, "another bot's worker");
        return;
    }
    ack_when_durable(workforce, link, bot->last_seq);
    send_again(workforce, link, bot_id);
    g_autofree char *leave = g_strconcat("leave-", bot_id, NULL);
    bool unwanted = bot->leave_requested || bot_state_is_terminal(bot->state);
    if (unwanted && orch_worker_get_state(worker) == ORCH_WORKER_BUSY &&
        !g_hash_table_contains(workforce->commands, leave)) {
        orch_workforce_send(workforce, bot_id, leave, "leave", NULL, NULL, NULL);
    }
}

static void on_hello(OrchLink *link, const char *bot_id, gpointer user_data)
{
    OrchWorkforce *workforce = user_data;
    const char *hash = orch_link_get_token_hash(link);
    OrchWorker *worker = orch_pool_find_token(workforce->pool, hash);
    if (worker == NULL || orch_worker_get_state(worker) == ORCH_WORKER_RETIRED) {
        close_link(workforce, link, "nobody needs it any more");
        return;
    }
    g_hash_table_insert(workforce->links, g_strdup(hash), link);
    if (bot_id == NULL) {
        hello_of_standby(workforce, link, worker);
    } else {
        hello_with_bot(workforce, link, worker, bot_id);
    }
}

/* The keys that the configuration has now; nothing when it has none: then nobody need wait. */
static void send_credentials(OrchWorkforce *workforce, const char *bot_id)
{
    static const char *const names[] = {"access_key", "secret_key", "session_token"};
    JsonObject *upload = orch_json_object(workforce->config->worker_defaults, "upload");
    JsonObject *s3 = upload != NULL ? orch_json_object(upload, "s3") : NULL;
    g_autoptr(JsonObject) args = json_object_new();
    if (s3 != NULL) {
        JsonObject *keys = json_object_new(), *given = json_object_new();
        for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
            if (json_object_has_member(s3, names[i])) {
                json_object_set_member(keys, names[i],
                                       json_node_copy(json_object_get_member(s3, names[i])));
            }
        }
        json_object_set_object_member(given, "s3", keys);
        json_object_set_object_member(args, "upload", given);
    }
    orch_workforce_send(workforce, bot_id, NULL, "credentials", args, NULL, NULL);
}

static void on_event(OrchLink *link, JsonObject *event, gpointer user_data)
{
    OrchWorkforce *workforce = user_data;
    g_autoptr(GError) error = NULL;
    if (!orch_bots_apply_event(workforce->bots, orch_link_get_bot_id(link), event, &error)) {
        g_warning("bot %s: an event is not taken: %s", orch_link_get_bot_id(link), error->message);
        close_link(workforce, link, "it will send its events again");
        return;
    }
    ack_when_durable(workforce, link, orch_json_int(event, "seq", 0));
    if (g_strcmp0(orch_json_string(event, "type"), "credentials_needed") == 0) {
        send_credentials(workforce, orch_link_get_bot_id(link));
    }
}

static void on_result(OrchLink *link, const char *id, bool ok, const char *code,
                      const char *message, gpointer user_data)
{
    OrchWorkforce *workforce = user_data;
    OrchCommand *command = g_hash_table_lookup(workforce->commands, id);
    OrchWorker *worker = orch_pool_find_token(workforce->pool, orch_link_get_token_hash(link));
    if (command == NULL || worker == NULL ||
        g_strcmp0(orch_worker_get_bot_id(worker), command->bot_id) != 0) {
        g_debug("a result that nobody waits for");
        return;
    }
    g_autoptr(GError) error =
        ok ? NULL : g_error_new(ORCH_BOTS_ERROR, ORCH_BOTS_ERROR_REFUSED, "%s (%s)", message, code);
    answer(command, error);
}

static void on_closed(OrchLink *link, gpointer user_data)
{
    OrchWorkforce *workforce = user_data;
    OrchWorker *worker = orch_pool_find_token(workforce->pool, orch_link_get_token_hash(link));
    forget_link(workforce, link);
    if (worker != NULL && orch_worker_get_state(worker) == ORCH_WORKER_IDLE) {
        orch_worker_set_starting(worker);
    }
}

const OrchControlEvents orch_workforce_control_events = {is_expected, on_hello, on_event, on_result,
                                                         on_closed};
