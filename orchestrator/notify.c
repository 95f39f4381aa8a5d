/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/notify.h"

#include "orchestrator/attendee.h"
#include "orchestrator/bots_priv.h"
#include "orchestrator/json.h"

#include <string.h>

/* --- who wants to know --- */

static bool wants(JsonObject *webhook, const char *trigger)
{
    JsonArray *triggers = orch_json_array(webhook, "triggers");
    if (triggers == NULL) {
        return true;
    }
    for (guint i = 0; i < json_array_get_length(triggers); i++) {
        if (g_strcmp0(orch_json_string_at(triggers, i), trigger) == 0) {
            return true;
        }
    }
    return false;
}

/* The bot's own subscriptions replace the account's. */
static void add_own(GPtrArray *urls, const OrchBot *bot, OrchApi kind, const char *trigger,
                    bool *ret_any)
{
    g_autoptr(JsonObject) details = orch_json_load(bot->details);
    JsonArray *webhooks = orch_json_array(details, "webhooks");
    for (guint i = 0; webhooks != NULL && i < json_array_get_length(webhooks); i++) {
        JsonObject *webhook = orch_json_object_at(webhooks, i);
        if (webhook == NULL ||
            g_strcmp0(orch_json_string(webhook, "kind"), orch_api_to_string(kind)) != 0) {
            continue;
        }
        *ret_any = true;
        const char *url = orch_json_string(webhook, "url");
        if (url != NULL && wants(webhook, trigger)) {
            g_ptr_array_add(urls, g_strdup(url));
        }
    }
}

static void add_accounts(GPtrArray *urls, OrchBots *bots, const OrchBot *bot, OrchApi kind,
                         const char *trigger)
{
    g_autoptr(OrchAccount) account = orch_store_account_get(bots->store, bot->account);
    if (account == NULL || bot->api != kind) {
        return;
    }
    if (kind == ORCH_API_MBAAS && account->webhook_url != NULL) {
        g_ptr_array_add(urls, g_strdup(account->webhook_url));
    } else if (kind == ORCH_API_ATTENDEE) {
        g_autoptr(JsonArray) webhooks = orch_json_load_array(account->webhooks);
        for (guint i = 0; i < json_array_get_length(webhooks); i++) {
            JsonObject *webhook = orch_json_object_at(webhooks, i);
            const char *url = webhook != NULL ? orch_json_string(webhook, "url") : NULL;
            if (url != NULL && wants(webhook, trigger)) {
                g_ptr_array_add(urls, g_strdup(url));
            }
        }
    }
}

static GPtrArray *find_urls(OrchBots *bots, const OrchBot *bot, OrchApi kind, const char *trigger)
{
    GPtrArray *urls = g_ptr_array_new_with_free_func(g_free);
    bool any = false;
    add_own(urls, bot, kind, trigger, &any);
    if (!any) {
        add_accounts(urls, bots, bot, kind, trigger);
    }
    return urls;
}

/* --- the bytes --- */

static char *mbaas_body(const char *trigger, JsonObject *data)
{
    g_autoptr(JsonObject) body = json_object_new();
    json_object_set_string_member(body, "event", trigger);
    json_object_set_object_member(body, "data", json_object_ref(data));
    return orch_json_print(body);
}

/* Canonical, so that a receiver who signs what it parsed and one who signs what it got agree. */
static char *attendee_body(const OrchBot *bot, const char *id, const char *trigger,
                           JsonObject *data)
{
    g_autoptr(JsonObject) body = json_object_new();
    g_autofree char *bot_id = orch_attendee_bot_id(bot);
    json_object_set_string_member(body, "idempotency_key", id);
    json_object_set_string_member(body, "bot_id", bot_id);
    json_object_set_object_member(body, "bot_metadata", orch_attendee_metadata(bot));
    json_object_set_string_member(body, "trigger", trigger);
    json_object_set_object_member(body, "data", json_object_ref(data));
    return orch_json_canonical(body);
}

static char *cronofy_body(const char *trigger, JsonObject *agent)
{
    g_autoptr(JsonObject) body = json_object_new();
    JsonObject *notification = json_object_new();
    JsonArray *interactions = json_array_new();
    JsonObject *interaction = json_object_new();
    json_object_set_string_member(interaction, "type", trigger);
    json_array_add_object_element(interactions, interaction);
    json_object_set_string_member(notification, "type", "event_subscription");
    json_object_set_array_member(notification, "interactions", interactions);
    json_object_set_object_member(body, "notification", notification);
    json_object_set_object_member(body, "meeting_agent", json_object_ref(agent));
    return orch_json_print(body);
}

static char *make_body(const OrchBot *bot, OrchApi kind, const char *id, const char *trigger,
                       JsonObject *data)
{
    switch (kind) {
    case ORCH_API_MBAAS:
        return mbaas_body(trigger, data);
    case ORCH_API_ATTENDEE:
        return attendee_body(bot, id, trigger, data);
    case ORCH_API_CRONOFY:
        return cronofy_body(trigger, data);
    case ORCH_N_APIS:
        break;
    }
    g_assert_not_reached();
}

static bool queue_one(OrchBots *bots, const OrchBot *bot, OrchApi kind, const char *trigger,
                      const char *url, JsonObject *data, GError **error)
{
    gint64 now_ms = orch_now_ms();
    g_autoptr(OrchDelivery) delivery = orch_delivery_new();
    delivery->id = g_uuid_string_random();
    delivery->account = bot->account;
    delivery->bot_id = g_strdup(bot->id);
    delivery->key_id = g_strdup(bot->key_id);
    delivery->kind = kind;
    delivery->trigger = g_strdup(trigger);
    delivery->url = g_strdup(url);
    char *body = make_body(bot, kind, delivery->id, trigger, data);
    delivery->body = g_bytes_new_take(body, strlen(body));
    delivery->created_ms = now_ms;
    delivery->next_attempt_ms = now_ms;
    return orch_store_delivery_insert(bots->store, delivery, error);
}

/* @data: (transfer full) */
static bool queue(OrchBots *bots, const OrchBot *bot, OrchApi kind, const char *trigger,
                  JsonObject *data, GError **error)
{
    g_autoptr(JsonObject) owned = data;
    g_autoptr(GPtrArray) urls = find_urls(bots, bot, kind, trigger);
    for (guint i = 0; i < urls->len; i++) {
        if (!queue_one(bots, bot, kind, trigger, g_ptr_array_index(urls, i), owned, error)) {
            return false;
        }
    }
    if (urls->len > 0) {
        orch_bots_webhooks_queued(bots);
    }
    return true;
}

/* --- what happened --- */

static JsonObject *transition_data(const OrchBot *bot, const OrchTransition *transition)
{
    JsonObject *data = json_object_new();
    JsonObject *metadata = json_object_new();
    g_autofree char *time = orch_attendee_time(transition->time_ms);
    if (bot_state_is_terminal(bot->state) && bot->joined_ms > 0) {
        json_object_set_int_member(metadata, "bot_duration_seconds",
                                   (transition->time_ms - bot->joined_ms) / 1000);
    }
    if (bot_state_is_terminal(bot->state) && bot->login_out && bot->login != NULL) {
        json_object_set_string_member(metadata, "signed_out_account", bot->login);
    }
    json_object_set_string_member(data, "event_type", transition->event);
    orch_json_set(data, "event_sub_type", transition->sub_type);
    json_object_set_object_member(data, "event_metadata", metadata);
    json_object_set_string_member(data, "old_state", transition->old_state);
    json_object_set_string_member(data, "new_state", transition->new_state);
    orch_json_set(data, "created_at", time);
    return data;
}

static void add_resource(JsonArray *resources, const char *type, char *url)
{
    g_autofree char *owned = url;
    if (owned != NULL) {
        JsonObject *resource = json_object_new();
        json_object_set_string_member(resource, "category", "steno");
        json_object_set_string_member(resource, "type", type);
        json_object_set_string_member(resource, "url", owned);
        json_array_add_object_element(resources, resource);
    }
}

static JsonObject *agent_data(OrchBots *bots, const OrchBot *bot, const char *state)
{
    JsonObject *agent = json_object_new();
    JsonArray *resources = json_array_new();
    g_autofree char *sub = g_strconcat("agt_", bot->id, NULL);
    add_resource(resources, "recording", orch_bots_link(bots, bot, orch_bots_recording_name(bot)));
    add_resource(resources, "diarization", orch_bots_link(bots, bot, "diarization.jsonl"));
    json_object_set_string_member(agent, "sub", sub);
    json_object_set_string_member(agent, "state", state);
    json_object_set_array_member(agent, "resources", resources);
    return agent;
}

bool orch_notify_transition(OrchBots *bots, const OrchBot *bot, const OrchTransition *transition,
                            GError **error)
{
    bool activated = strcmp(transition->event, bot_event_to_string(BOT_EVENT_JOIN_REQUESTED)) == 0;
    return queue(bots, bot, ORCH_API_ATTENDEE, "bot.state_change", transition_data(bot, transition),
                 error) &&
           (!activated || queue(bots, bot, ORCH_API_CRONOFY, "meeting_agent_activated",
                                agent_data(bots, bot, "activated"), error));
}

bool orch_notify_status(OrchBots *bots, const OrchBot *bot, const BotStatusReport *status,
                        gint64 time_ms, GError **error)
{
    JsonObject *data = bot_report_status_data(bot->id, status, time_ms);
    json_object_set_null_member(data, "event_uuid");
    return queue(bots, bot, ORCH_API_MBAAS, "bot.status_change", data, error);
}

static JsonObject *complete_data(OrchBots *bots, const OrchBot *bot, JsonNode *extra)
{
    g_autoptr(JsonArray) speakers = orch_json_load_array(bot->speakers);
    g_autofree char *recording = orch_bots_link(bots, bot, orch_bots_recording_name(bot));
    g_autofree char *audio = orch_bots_link(bots, bot, "audio.wav");
    BotCompleteReport report = {
        .end_reason = bot->end_reason != NULL ? bot->end_reason : "meeting_ended",
        .recording_url = recording,
        .speakers = speakers,
    };
    JsonObject *data = bot_report_complete_data(bot->id, extra, &report);
    json_object_set_string_member(data, "audio", audio != NULL ? audio : "");
    g_autoptr(JsonObject) details = orch_json_load(bot->details);
    if (json_object_has_member(details, "speech_to_text")) {
        json_object_set_array_member(data, "transcript", json_array_new());
    }
    return data;
}

bool orch_notify_final(OrchBots *bots, const OrchBot *bot, GError **error)
{
    g_autoptr(JsonNode) extra = bot->extra != NULL ? json_from_string(bot->extra, NULL) : NULL;
    bool failed = bot->error != NULL;
    JsonObject *data;
    if (failed) {
        BotFailedReport report = {bot->error,
                                  bot->error_code != NULL ? bot->error_code : "internal_error",
                                  bot->message != NULL ? bot->message : ""};
        data = bot_report_failed_data(bot->id, extra, &report);
    } else {
        data = complete_data(bots, bot, extra);
    }
    json_object_set_null_member(data, "event_uuid");
    return queue(bots, bot, ORCH_API_MBAAS, failed ? "failed" : "complete", data, error) &&
           queue(bots, bot, ORCH_API_CRONOFY,
                 failed ? "meeting_agent_failed" : "meeting_agent_complete",
                 agent_data(bots, bot, failed ? "failed" : "complete"), error);
}

static const char *attendee_trigger(const char *type)
{
    if (strcmp(type, "chat") == 0) {
        return "chat_messages.update";
    }
    return strcmp(type, "speech") == 0 ? "participant_events.speech_start_stop"
                                       : "participant_events.join_leave";
}

bool orch_notify_event(OrchBots *bots, const OrchBot *bot, const char *type, JsonObject *event,
                       GError **error)
{
    const char *trigger = attendee_trigger(type);
    g_autoptr(GPtrArray) urls = find_urls(bots, bot, ORCH_API_ATTENDEE, trigger);
    if (urls->len == 0) {
        return true;
    }
    g_autoptr(GPtrArray) events = orch_store_events(bots->store, bot->id, "participant", 0, 0);
    g_autoptr(GHashTable) people = orch_attendee_people(events);
    const OrchPerson *person =
        g_hash_table_lookup(people, GUINT_TO_POINTER((guint)orch_json_int(event, "id", 0)));
    JsonObject *data = strcmp(type, "chat") == 0
                           ? orch_attendee_chat_message(bot, event, person)
                           : orch_attendee_participant_event(bot, type, event, person);
    return data == NULL || queue(bots, bot, ORCH_API_ATTENDEE, trigger, data, error);
}
