/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/http.h"

#include "bot/config.h"
#include "orchestrator/json.h"

#include <string.h>

/* Cronofy Meeting Agents: one at once, one later, and no more of it. */

static const char *const webhook_types[] = {"webhook", NULL};

static const BotField fields[] = {
    {"join_url", BOT_FIELD_STRING, (BotFieldFlags)(BOT_FIELD_REQUIRED | BOT_FIELD_URL), 1, 8192,
     NULL, NULL, NULL, "the meeting's URL"},
    {"display_name", BOT_FIELD_STRING, BOT_FIELD_PLAIN, 1, 100, NULL, NULL, "\"Meeting Agent\"",
     "the name that the agent shows"},
    {"scheduling_key", BOT_FIELD_STRING, BOT_FIELD_PLAIN, 1, 500, NULL, NULL, NULL,
     "the caller's own identifier of the meeting"},
    {"join_time", BOT_FIELD_STRING, BOT_FIELD_PLAIN, 1, 64, NULL, NULL, NULL, "ISO 8601, UTC"},
    {"subscriptions", BOT_FIELD_ANY, BOT_FIELD_PLAIN, 0, 0, NULL, NULL, NULL,
     "[{type, uri, interactions}]"},
    {"on_behalf_of_attendee", BOT_FIELD_ANY, BOT_FIELD_PLAIN, 0, 0, NULL, NULL, NULL,
     "accepted: whom the bot is for changes nothing"},
    {NULL, BOT_FIELD_ANY, BOT_FIELD_PLAIN, 0, 0, NULL, NULL, NULL, NULL},
};

const BotFieldTable orch_cronofy_create_table = {fields, "docs/api.md"};

static bool refuse(GError **error, const char *sentence)
{
    g_set_error_literal(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD, sentence);
    return false;
}

/* --- subscriptions --- */

/* Returns (transfer full): what it asks to be told; NULL when it is not proper. */
static JsonArray *read_interactions(JsonObject *subscription)
{
    static const char *const known[] = {"meeting_agent_activated", "meeting_agent_complete",
                                        "meeting_agent_failed", NULL};
    JsonArray *given = orch_json_array(subscription, "interactions");
    g_autoptr(JsonArray) triggers = json_array_new();
    for (guint i = 0; given != NULL && i < json_array_get_length(given); i++) {
        JsonObject *interaction = orch_json_object_at(given, i);
        const char *type = interaction != NULL ? orch_json_string(interaction, "type") : NULL;
        if (type == NULL || !g_strv_contains(known, type)) {
            return NULL;
        }
        json_array_add_string_element(triggers, type);
    }
    return given != NULL ? g_steal_pointer(&triggers) : NULL;
}

static bool add_subscription(JsonArray *webhooks, JsonObject *subscription)
{
    const char *type = subscription != NULL ? orch_json_string(subscription, "type") : NULL;
    const char *uri = subscription != NULL ? orch_json_string(subscription, "uri") : NULL;
    const char *scheme = uri != NULL ? g_uri_peek_scheme(uri) : NULL;
    bool good = type != NULL && g_strv_contains(webhook_types, type) && scheme != NULL &&
                (strcmp(scheme, "https") == 0 || strcmp(scheme, "http") == 0);
    JsonArray *triggers = good ? read_interactions(subscription) : NULL;
    if (triggers == NULL) {
        return false;
    }
    JsonObject *webhook = json_object_new();
    json_object_set_string_member(webhook, "kind", orch_api_to_string(ORCH_API_CRONOFY));
    json_object_set_string_member(webhook, "url", uri);
    json_object_set_array_member(webhook, "triggers", triggers);
    json_array_add_object_element(webhooks, webhook);
    return true;
}

static bool read_subscriptions(JsonObject *body, OrchBot *bot, GError **error)
{
    g_autoptr(JsonArray) webhooks = json_array_new();
    JsonArray *given = orch_json_array(body, "subscriptions");
    bool good = given != NULL || !json_object_has_member(body, "subscriptions");
    for (guint i = 0; good && given != NULL && i < json_array_get_length(given); i++) {
        good = i < 10 && add_subscription(webhooks, orch_json_object_at(given, i));
    }
    if (!good) {
        return refuse(error, "$.subscriptions: each needs type \"webhook\", an http(s) uri, and "
                             "interactions [{\"type\": meeting_agent_activated, "
                             "meeting_agent_complete or meeting_agent_failed}]; at most ten");
    }
    g_autoptr(JsonObject) details = json_object_new();
    json_object_set_array_member(details, "webhooks", json_array_ref(webhooks));
    g_free(bot->details);
    bot->details = orch_json_print(details);
    return true;
}

/* --- creating --- */

static bool read_join_time(JsonObject *body, OrchBot *bot, GError **error)
{
    const char *text = orch_json_string(body, "join_time");
    if ((text == NULL) != (bot->scheduling_key == NULL)) {
        return refuse(error, text == NULL ? "$.join_time: missing; a scheduling_key needs one"
                                          : "$.scheduling_key: missing; a join_time needs one");
    }
    if (text == NULL) {
        return true;
    }
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, utc);
    if (time == NULL) {
        return refuse(error, "$.join_time: is not an ISO 8601 time, such as 2026-05-01T12:00:00Z");
    }
    bot->join_at_ms = g_date_time_to_unix(time) * 1000;
    return true;
}

static bool read_create(JsonObject *body, OrchBot *bot, GError **error)
{
    if (!bot_fields_check(&orch_cronofy_create_table, body, error) ||
        !bot_fields_fill_in(&orch_cronofy_create_table, body, error)) {
        return false;
    }
    g_autoptr(JsonObject) document = json_object_new();
    bot->api = ORCH_API_CRONOFY;
    orch_bot_set_meeting_url(bot, orch_json_string(body, "join_url"));
    orch_set_string(&bot->bot_name, orch_json_string(body, "display_name"));
    orch_set_string(&bot->scheduling_key, orch_json_string(body, "scheduling_key"));
    json_object_set_string_member(document, "meeting_url", bot->meeting_url);
    json_object_set_string_member(document, "bot_name", bot->bot_name);
    bot->document = orch_json_print(document);
    return read_subscriptions(body, bot, error) && read_join_time(body, bot, error);
}

/* Those that have not begun to join; with the same key there is one at most. */
static bool cancel_scheduled(OrchRequest *request, const char *key, GError **error)
{
    OrchBotFilter filter = {.account = request->key->account,
                            .scheduling_key = key,
                            .states = ORCH_STATE_BIT(BOT_STATE_SCHEDULED) |
                                      ORCH_STATE_BIT(BOT_STATE_STAGED) |
                                      ORCH_STATE_BIT(BOT_STATE_READY)};
    g_autoptr(GPtrArray) bots = orch_store_bots(orch_bots_store(request->bots), &filter);
    for (guint i = 0; i < bots->len; i++) {
        if (!orch_bots_leave(request->bots, g_ptr_array_index(bots, i), error)) {
            return false;
        }
    }
    return true;
}

static JsonObject *make_agent(const OrchBot *bot)
{
    JsonObject *body = json_object_new();
    JsonObject *agent = json_object_new();
    g_autofree char *sub = g_strconcat("agt_", bot->id, NULL);
    json_object_set_string_member(agent, "sub", sub);
    json_object_set_string_member(agent, "state", "created");
    json_object_set_array_member(agent, "resources", json_array_new());
    json_object_set_object_member(body, "meeting_agent", agent);
    return body;
}

static void create_agent(OrchRequest *request)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OrchBot) bot = orch_bot_new();
    bot->account = request->key->account;
    bot->key_id = g_strdup(request->key->id);
    bool good =
        read_create(request->body, bot, &error) &&
        (bot->scheduling_key == NULL || cancel_scheduled(request, bot->scheduling_key, &error)) &&
        orch_bots_create(request->bots, bot, &error);
    if (!good) {
        orch_reply_gerror(request, error);
    } else if (bot->scheduling_key != NULL) {
        orch_reply_durable(request, SOUP_STATUS_ACCEPTED, NULL);
    } else {
        orch_reply_durable(request, SOUP_STATUS_OK, make_agent(bot));
    }
}

static void cancel_agent(OrchRequest *request)
{
    g_autoptr(GError) error = NULL;
    const char *key = orch_json_string(request->body, "scheduling_key");
    if (key == NULL) {
        orch_reply_error(request, SOUP_STATUS_BAD_REQUEST, "InvalidParameters",
                         "$.scheduling_key: missing; expected the one that the agent was "
                         "scheduled with");
    } else if (cancel_scheduled(request, key, &error)) {
        orch_reply_durable(request, SOUP_STATUS_ACCEPTED, NULL);
    } else {
        orch_reply_gerror(request, error);
    }
}

const OrchRoute orch_cronofy_routes[] = {
    {"POST", "/v1/meeting_agents", ORCH_AUTH_CRONOFY, true, create_agent, "cronofy_create_agent"},
    {"DELETE", "/v1/meeting_agents", ORCH_AUTH_CRONOFY, true, cancel_agent, "cronofy_cancel_agent"},
    {NULL, NULL, ORCH_AUTH_NONE, false, NULL, NULL},
};
