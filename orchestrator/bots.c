/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/bots_priv.h"
#include "orchestrator/notify.h"

#include "bot/config.h"
#include "orchestrator/folder.h"
#include "orchestrator/json.h"
#include "orchestrator/logins.h"

#include <string.h>

G_DEFINE_QUARK(orch_bots_error, orch_bots_error)

#define DUPLICATE_WITHIN_MS (5 * 60 * 1000)
#define DUPLICATES_LOOKED_AT 50
#define PICTURE ".picture" /* no artifact: nobody gets a link to it */

gint64 orch_now_ms(void)
{
    return g_get_real_time() / 1000;
}

OrchBots *orch_bots_new(OrchStore *store, const OrchConfig *config, const OrchLinks *links)
{
    OrchBots *bots = g_new0(OrchBots, 1);
    bots->store = store;
    bots->config = config;
    bots->links = links;
    bots->bucket = orch_bucket_new(config);
    return bots;
}

void orch_bots_free(OrchBots *bots)
{
    g_free(bots->trouble);
    bots->workers = NULL;
    orch_bucket_free(bots->bucket);
    (void)orch_store_commit(bots->store, NULL); /* its callbacks point here; the store logs */
    g_free(bots);
}

void orch_bots_stop(OrchBots *bots)
{
    orch_bucket_stop(bots->bucket);
}

void orch_bots_set_trouble(OrchBots *bots, guint n_failed_starts, const char *words)
{
    bots->n_failed_starts = n_failed_starts;
    orch_set_string(&bots->trouble, words);
}

guint orch_bots_get_trouble(OrchBots *bots, const char **ret_words)
{
    *ret_words = bots->trouble;
    return bots->n_failed_starts;
}

void orch_bots_set_workers(OrchBots *bots, const OrchWorkers *workers, gpointer user_data)
{
    bots->workers = workers;
    bots->workers_data = user_data;
}

OrchStore *orch_bots_store(OrchBots *bots)
{
    return bots->store;
}

const OrchConfig *orch_bots_config(OrchBots *bots)
{
    return bots->config;
}

const OrchLinks *orch_bots_links(OrchBots *bots)
{
    return bots->links;
}

/* --- telling the others --- */

static void on_durable_look(const GError *error, gpointer user_data)
{
    OrchBots *bots = user_data;
    bots->look_soon = false;
    if (error == NULL && bots->workers != NULL) {
        bots->workers->look_again(bots->workers_data);
    }
}

void orch_bots_look_again(OrchBots *bots)
{
    if (!bots->look_soon) {
        bots->look_soon = true;
        orch_store_when_durable(bots->store, on_durable_look, bots);
    }
}

static void on_durable_webhooks(const GError *error, gpointer user_data)
{
    OrchBots *bots = user_data;
    bots->webhooks_soon = false;
    if (error == NULL && bots->workers != NULL) {
        bots->workers->webhooks_queued(bots->workers_data);
    }
}

void orch_bots_webhooks_queued(OrchBots *bots)
{
    if (!bots->webhooks_soon) {
        bots->webhooks_soon = true;
        orch_store_when_durable(bots->store, on_durable_webhooks, bots);
    }
}

/* --- creating --- */

static bool has_room(OrchBots *bots)
{
    const OrchConfig *config = bots->config;
    guint room = config->max_workers + config->max_queue;
    OrchBotFilter placed = {.with_place = true, .limit = config->max_workers};
    OrchBotFilter waiting = {
        .states = ORCH_STATE_BIT(BOT_STATE_READY), .without_place = true, .limit = room};
    return orch_store_count_bots(bots->store, &waiting) +
               orch_store_count_bots(bots->store, &placed) <
           room;
}

static bool create_checked(OrchBots *bots, OrchBot *bot, GError **error)
{
    gint64 now_ms = orch_now_ms();
    bool later = bot->join_at_ms > now_ms;
    if (!later && !has_room(bots)) {
        g_set_error(error, ORCH_BOTS_ERROR, ORCH_BOTS_ERROR_FULL,
                    "%u bots are in meetings or wait for their place: try again later",
                    bots->config->max_workers + bots->config->max_queue);
        return false;
    }
    bot->created_ms = now_ms;
    bot->state = later ? BOT_STATE_SCHEDULED : BOT_STATE_READY;
    orch_set_string(&bot->recording_state, "not_started");
    return orch_store_bot_insert(bots->store, bot, error);
}

static void give_id(OrchBots *bots, OrchBot *bot)
{
    if (bot->id == NULL) {
        bot->id = g_uuid_string_random();
    }
    if (bot->output_dir == NULL) {
        bot->output_dir = g_build_filename(bots->config->data_dir, "bots", bot->id, NULL);
    }
}

bool orch_bots_keep_picture(OrchBots *bots, OrchBot *bot, GBytes *picture, GError **error)
{
    give_id(bots, bot);
    gsize size = 0;
    const char *data = g_bytes_get_data(picture, &size);
    g_autofree char *path = g_build_filename(bot->output_dir, PICTURE, NULL);
    (void)g_mkdir_with_parents(bot->output_dir, 0755); /* the next line says why */
    if (!g_file_set_contents_full(path, data, (gssize)size, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                  error)) {
        return false;
    }
    g_autoptr(JsonObject) document = orch_json_load(bot->document);
    json_object_set_string_member(document, "bot_image_file", path);
    g_free(bot->document);
    bot->document = orch_json_print(document);
    return true;
}

bool orch_bots_create(OrchBots *bots, OrchBot *bot, GError **error)
{
    give_id(bots, bot);
    g_autoptr(JsonObject) document = orch_bots_document(bots, bot, error);
    if (document == NULL || !orch_logins_settle(bots->config, bot, error) ||
        !create_checked(bots, bot, error)) {
        (void)orch_folder_delete(bot->output_dir);
        return false;
    }
    g_info("bot %s: made through %s", bot->id, orch_api_to_string(bot->api));
    orch_bots_look_again(bots);
    return true;
}

OrchBot *orch_bots_get(OrchBots *bots, gint64 account, const char *id)
{
    if (g_str_has_prefix(id, "bot_") || g_str_has_prefix(id, "agt_")) {
        id += 4;
    }
    g_autofree char *lower = g_ascii_strdown(id, -1);
    if (!g_uuid_string_is_valid(lower)) {
        return NULL;
    }
    g_autoptr(OrchBot) bot = orch_store_bot_get(bots->store, lower);
    return bot != NULL && bot->account == account ? g_steal_pointer(&bot) : NULL;
}

static gint64 joins_at_ms(const OrchBot *bot, gint64 now_ms)
{
    gint64 created_ms = bot->created_ms > 0 ? bot->created_ms : now_ms;
    return bot->join_at_ms > 0 ? bot->join_at_ms : created_ms;
}

/* The same meeting within five minutes, whatever link and API; callers with the same deduplication
 * key each. */
OrchBot *orch_bots_find_duplicate(OrchBots *bots, const OrchBot *bot, gint64 now_ms)
{
    OrchBotFilter filter = {.account = bot->account,
                            .meeting = bot->meeting,
                            .order = ORCH_ORDER_NEWEST,
                            .limit = DUPLICATES_LOOKED_AT};
    g_autoptr(GPtrArray) others = orch_store_bots(bots->store, &filter);
    gint64 at_ms = joins_at_ms(bot, now_ms);
    for (guint i = 0; i < others->len; i++) {
        OrchBot *other = g_ptr_array_index(others, i);
        gint64 apart_ms = ABS(joins_at_ms(other, now_ms) - at_ms);
        if (apart_ms < DUPLICATE_WITHIN_MS && g_strcmp0(other->dedup_key, bot->dedup_key) == 0) {
            return g_ptr_array_steal_index(others, i);
        }
    }
    return NULL;
}

/* --- the worker's document --- */

static void merge(JsonObject *under, JsonObject *over)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;
    json_object_iter_init(&iter, over);
    while (json_object_iter_next(&iter, &name, &node)) {
        JsonObject *below = orch_json_object(under, name);
        if (below != NULL && JSON_NODE_HOLDS_OBJECT(node) && strcmp(name, "extra") != 0) {
            merge(below, json_node_get_object(node));
        } else if (!JSON_NODE_HOLDS_NULL(node)) {
            json_object_set_member(under, name, json_node_copy(node));
        }
    }
}

JsonObject *orch_bots_document(OrchBots *bots, const OrchBot *bot, GError **error)
{
    g_autofree char *defaults = orch_json_print(bots->config->worker_defaults);
    g_autoptr(JsonObject) document = orch_json_load(defaults);
    g_autoptr(JsonObject) own = orch_json_load(bot->document);
    merge(document, own);
    orch_logins_sign_in(bots->config, bot, document);
    g_autofree char *prefix = orch_bucket_prefix(bots->config->worker_defaults, bot->id);
    if (prefix != NULL) {
        JsonObject *s3 = orch_json_object(orch_json_object(document, "upload"), "s3");
        json_object_set_string_member(s3, "prefix", prefix);
    }
    json_object_set_string_member(document, "bot_id", bot->id);
    json_object_set_string_member(document, "output_dir", bot->output_dir);
    g_autoptr(BotConfig) config = bot_config_new(document, error);
    return config != NULL ? g_steal_pointer(&document) : NULL;
}

/* --- changing --- */

bool orch_bots_save(OrchBots *bots, const OrchBot *bot, GError **error)
{
    if (!orch_store_bot_update(bots->store, bot, error)) {
        return false;
    }
    orch_bots_look_again(bots);
    return true;
}

static const char *recording_state_at_end(const OrchBot *bot)
{
    return orch_bots_recording_name(bot) != NULL ? "complete" : "failed";
}

static void enter(OrchBot *bot, BotState state, gint64 time_ms)
{
    BotState old = bot->state;
    bot->state = state;
    if (bot_state_is_joined(state) && bot->joined_ms == 0) {
        bot->joined_ms = time_ms;
    }
    if (state == BOT_STATE_POST_PROCESSING) {
        bot->exited_ms = time_ms;
    }
    if (bot_state_is_terminal(state) && bot->ended_ms == 0) {
        bot->ended_ms = time_ms;
    }
    bool paused = state == BOT_STATE_JOINED_RECORDING_PAUSED ||
                  state == BOT_STATE_JOINED_RECORDING_PERMISSION_DENIED;
    if (state == BOT_STATE_JOINED_RECORDING) {
        orch_set_string(&bot->recording_state, "in_progress");
    } else if (paused && bot->recording_started_ms > 0) {
        orch_set_string(&bot->recording_state, "paused");
    } else if (bot_state_is_terminal(state) && old != state && state != BOT_STATE_DATA_DELETED) {
        orch_set_string(&bot->recording_state, recording_state_at_end(bot));
    }
}

bool orch_bots_record(OrchBots *bots, OrchBot *bot, BotState state, const char *event,
                      const char *sub_type, gint64 time_ms, GError **error)
{
    OrchTransition transition = {.n = ++bot->n_events,
                                 .time_ms = time_ms,
                                 .event = (char *)event,
                                 .sub_type = (char *)sub_type,
                                 .old_state = (char *)bot_state_to_string(bot->state),
                                 .new_state = (char *)bot_state_to_string(state)};
    g_info("bot %s: %s -> %s (%s%s%s)", bot->id, transition.old_state, transition.new_state, event,
           sub_type != NULL ? ", " : "", sub_type != NULL ? sub_type : "");
    enter(bot, state, time_ms);
    return orch_store_transition_add(bots->store, bot->id, &transition, error) &&
           orch_notify_transition(bots, bot, &transition, error);
}

static bool step(OrchBots *bots, OrchBot *bot, BotEvent event, const char *sub_type, GError **error)
{
    BotStep result = bot_machine_step(bot->state, event);
    if (!result.accepted) {
        g_autofree char *refusal = bot_machine_refusal(bot->state, event);
        g_set_error_literal(error, ORCH_BOTS_ERROR, ORCH_BOTS_ERROR_STATE, refusal);
        return false;
    }
    return orch_bots_record(bots, bot, result.state, bot_event_to_string(event), sub_type,
                            orch_now_ms(), error);
}

bool orch_bots_transition(OrchBots *bots, OrchBot *bot, BotEvent event, const char *sub_type,
                          GError **error)
{
    orch_store_begin(bots->store);
    bool good =
        step(bots, bot, event, sub_type, error) && orch_store_bot_update(bots->store, bot, error);
    good = orch_store_end(bots->store, good, good ? error : NULL) && good;
    orch_bots_look_again(bots);
    return good;
}

/* --- leaving --- */

bool orch_bots_report_final(OrchBots *bots, OrchBot *bot, GError **error)
{
    if (bot->reported) {
        return orch_store_bot_update(bots->store, bot, error);
    }
    bot->reported = true;
    return orch_notify_final(bots, bot, error) && orch_store_bot_update(bots->store, bot, error);
}

static bool cancel(OrchBots *bots, OrchBot *bot, GError **error)
{
    BotStatusReport ended = {.code = "call_ended"};
    orch_set_string(&bot->end_reason, "api_request");
    orch_set_string(&bot->message, "The bot was cancelled before it joined.");
    return step(bots, bot, BOT_EVENT_CANCELLED, NULL, error) &&
           orch_notify_status(bots, bot, &ended, orch_now_ms(), error) &&
           orch_bots_report_final(bots, bot, error);
}

static bool ask_to_leave(OrchBots *bots, OrchBot *bot, GError **error)
{
    bot->leave_requested = true;
    return step(bots, bot, BOT_EVENT_LEAVE_REQUESTED, "user_requested", error) &&
           orch_store_bot_update(bots->store, bot, error);
}

static void on_leave_done(const GError *error, gpointer user_data)
{
    if (error != NULL) {
        g_info("leave: %s", error->message);
    }
}

bool orch_bots_leave(OrchBots *bots, OrchBot *bot, GError **error)
{
    if (bot->state >= BOT_STATE_LEAVING) {
        return true;
    }
    bool before = bot->state <= BOT_STATE_READY;
    orch_store_begin(bots->store);
    bool good = before ? cancel(bots, bot, error) : ask_to_leave(bots, bot, error);
    good = orch_store_end(bots->store, good, good ? error : NULL) && good;
    if (good && bot->worker_pid > 0) {
        orch_bots_command(bots, bot, "leave", NULL, on_leave_done, NULL);
    }
    orch_bots_look_again(bots);
    return good;
}

bool orch_bots_remove(OrchBots *bots, OrchBot *bot, GError **error)
{
    if (bot->state != BOT_STATE_SCHEDULED) {
        g_autofree char *refusal = bot_machine_refusal(bot->state, BOT_EVENT_CANCELLED);
        g_set_error_literal(error, ORCH_BOTS_ERROR, ORCH_BOTS_ERROR_STATE, refusal);
        return false;
    }
    orch_store_begin(bots->store);
    bool good = orch_store_bot_remove(bots->store, bot->id, error);
    good = orch_store_end(bots->store, good, good ? error : NULL) && good;
    if (good) {
        (void)orch_folder_delete(bot->output_dir);
    }
    orch_bots_look_again(bots);
    return good;
}

bool orch_bots_fail(OrchBots *bots, OrchBot *bot, const OrchFailure *failure, GError **error)
{
    if (bot->reported) {
        return true;
    }
    BotStatusReport status = {.code = "meeting_error",
                              .error_message = failure->message,
                              .error_type = failure->error_code};
    orch_set_string(&bot->error, failure->error);
    orch_set_string(&bot->error_code, failure->error_code);
    orch_set_string(&bot->message, failure->message);
    gint64 now_ms = orch_now_ms();
    orch_store_begin(bots->store);
    bool good = bot_state_is_terminal(bot->state) ||
                orch_bots_record(bots, bot, BOT_STATE_FATAL_ERROR,
                                 bot_event_to_string(BOT_EVENT_FATAL_ERROR), failure->sub_type,
                                 now_ms, error);
    good = good && orch_notify_status(bots, bot, &status, now_ms, error) &&
           orch_bots_report_final(bots, bot, error);
    good = orch_store_end(bots->store, good, good ? error : NULL) && good;
    orch_bots_look_again(bots);
    return good;
}

void orch_bots_command(OrchBots *bots, const OrchBot *bot, const char *name, JsonObject *args,
                       OrchCommandDone done, gpointer user_data)
{
    if (bots->workers == NULL || bot->worker_pid == 0) {
        g_autoptr(GError) error = g_error_new_literal(ORCH_BOTS_ERROR, ORCH_BOTS_ERROR_NO_WORKER,
                                                      "the bot has no worker");
        done(error, user_data);
        return;
    }
    bots->workers->command(bot->id, name, args, done, user_data, bots->workers_data);
}

bool orch_bots_resend(OrchBots *bots, OrchDelivery *delivery, GError **error)
{
    delivery->state = ORCH_DELIVERY_WAITING;
    delivery->next_attempt_ms = orch_now_ms();
    delivery->delivered_ms = 0;
    if (!orch_store_delivery_update(bots->store, delivery, error)) {
        return false;
    }
    orch_bots_webhooks_queued(bots);
    return true;
}

/* --- files --- */

static JsonObject *find_artifact(JsonArray *artifacts, const char *name)
{
    for (guint i = 0; i < json_array_get_length(artifacts); i++) {
        JsonObject *artifact = orch_json_object_at(artifacts, i);
        if (artifact != NULL && g_strcmp0(orch_json_string(artifact, "name"), name) == 0) {
            return artifact;
        }
    }
    return NULL;
}

char *orch_bots_link(OrchBots *bots, const OrchBot *bot, const char *name)
{
    return orch_bots_link_for(bots, bot, name, bots->links->valid_s);
}

char *orch_bots_link_for(OrchBots *bots, const OrchBot *bot, const char *name, guint valid_s)
{
    g_autoptr(JsonArray) artifacts = orch_json_load_array(bot->artifacts);
    JsonObject *artifact = name != NULL ? find_artifact(artifacts, name) : NULL;
    if (artifact == NULL || bot->deleted_ms > 0) {
        return NULL;
    }
    const char *url = orch_json_string(artifact, "url");
    if (url == NULL) {
        return orch_links_make(bots->links, bot->id, name, orch_now_ms(), valid_s);
    }
    bool ours = bots->bucket != NULL && orch_bucket_holds(bots->bucket, bot->id, name, url);
    return ours ? orch_bucket_link(bots->bucket, bot->id, name, valid_s) : g_strdup(url);
}

const char *orch_bots_recording_name(const OrchBot *bot)
{
    static const char *const names[] = {"recording.mp4", "recording.mp3"};
    g_autoptr(JsonArray) artifacts = orch_json_load_array(bot->artifacts);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (find_artifact(artifacts, names[i]) != NULL) {
            return names[i];
        }
    }
    return NULL;
}
