/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/api_attendee_priv.h"

#include "orchestrator/attendee.h"
#include "orchestrator/json.h"

#include <string.h>

/* Attendee: what a bot's call left behind. Lists page by the seq of the worker's events. */

#define PAGE 250
#define RECORDING_LINK_S (30 * 60)

bool orch_attendee_read_cursor(OrchRequest *request, gint64 *ret_number)
{
    if (!orch_request_cursor(request, ret_number)) {
        orch_reply_error(request, SOUP_STATUS_BAD_REQUEST, "InvalidCursor", ORCH_CURSOR_REFUSAL);
        return false;
    }
    return true;
}

/* The request's own URL with another cursor. */
static char *next_url(OrchRequest *request, gint64 next)
{
    GUri *uri = soup_server_message_get_uri(request->message);
    g_hash_table_replace(request->query, g_strdup("cursor"), orch_cursor_new(next));
    g_autofree char *query = soup_form_encode_hash(request->query);
    return g_strdup_printf("%s%s?%s", orch_bots_links(request->bots)->public_url,
                           g_uri_get_path(uri), query);
}

void orch_attendee_reply_page(OrchRequest *request, JsonArray *results, gint64 next)
{
    JsonObject *body = json_object_new();
    g_autofree char *url = next > 0 ? next_url(request, next) : NULL;
    orch_json_set(body, "next", url);
    json_object_set_null_member(body, "previous");
    json_object_set_array_member(body, "results", results);
    orch_reply(request, SOUP_STATUS_OK, body);
}

void orch_attendee_recording(OrchRequest *request)
{
    g_autoptr(OrchBot) bot = orch_request_bot(request, request->params[0]);
    if (bot == NULL) {
        return;
    }
    const char *name = orch_bots_recording_name(bot);
    g_autofree char *url = orch_bots_link_for(request->bots, bot, name, RECORDING_LINK_S);
    if (url == NULL) {
        orch_reply_error(request, SOUP_STATUS_NOT_FOUND, "RecordingNotFound",
                         "No recording file found for bot");
        return;
    }
    JsonObject *body = json_object_new();
    json_object_set_string_member(body, "url", url);
    json_object_set_int_member(body, "start_timestamp_ms", bot->recording_started_ms);
    orch_reply(request, SOUP_STATUS_OK, body);
}

/* Nothing is transcribed yet: there is nothing to list, which is not the same as silence. */
void orch_attendee_transcript(OrchRequest *request)
{
    g_autoptr(OrchBot) bot = orch_request_bot(request, request->params[0]);
    if (bot != NULL) {
        orch_reply_array(request, SOUP_STATUS_OK, json_array_new());
    }
}

static GHashTable *load_people(OrchRequest *request, const OrchBot *bot)
{
    g_autoptr(GPtrArray) events =
        orch_store_events(orch_bots_store(request->bots), bot->id, "participant", 0, 0);
    return orch_attendee_people(events);
}

static int compare_people(gconstpointer a, gconstpointer b)
{
    const OrchPerson *left = a;
    const OrchPerson *right = b;
    return (left->id > right->id) - (left->id < right->id);
}

void orch_attendee_participants(OrchRequest *request)
{
    g_autoptr(OrchBot) bot = orch_request_bot(request, request->params[0]);
    if (bot == NULL) {
        return;
    }
    g_autoptr(GHashTable) people = load_people(request, bot);
    g_autoptr(GList) list = g_list_sort(g_hash_table_get_values(people), compare_people);
    JsonArray *results = json_array_new();
    for (GList *item = list; item != NULL; item = item->next) {
        if (!((const OrchPerson *)item->data)->is_room) {
            json_array_add_object_element(results, orch_attendee_person(bot, item->data));
        }
    }
    orch_attendee_reply_page(request, results, 0);
}

typedef JsonObject *(*MakeEntry)(const OrchBot *bot, JsonObject *event, const OrchPerson *person);

/* @types: of events, NULL-terminated. */
static void list_events(OrchRequest *request, const char *const *types, MakeEntry make)
{
    gint64 after = 0;
    g_autoptr(OrchBot) bot = orch_request_bot(request, request->params[0]);
    if (bot == NULL || !orch_attendee_read_cursor(request, &after)) {
        return;
    }
    g_autoptr(GHashTable) people = load_people(request, bot);
    g_autoptr(GPtrArray) events =
        orch_store_events(orch_bots_store(request->bots), bot->id, NULL, after, 0);
    JsonArray *results = json_array_new();
    gint64 last = 0;
    gint64 next = 0;
    for (guint i = 0; i < events->len && next == 0; i++) {
        g_autoptr(JsonObject) event = orch_json_load(g_ptr_array_index(events, i));
        const char *type = orch_json_string(event, "type");
        if (type == NULL || !g_strv_contains(types, type)) {
            continue;
        }
        if (json_array_get_length(results) == PAGE) {
            next = last;
            continue;
        }
        const OrchPerson *person =
            g_hash_table_lookup(people, GUINT_TO_POINTER((guint)orch_json_int(event, "id", 0)));
        JsonObject *entry = make(bot, event, person);
        if (entry != NULL) {
            json_array_add_object_element(results, entry);
        }
        last = orch_json_int(event, "seq", 0);
    }
    orch_attendee_reply_page(request, results, next);
}

static JsonObject *make_participant_event(const OrchBot *bot, JsonObject *event,
                                          const OrchPerson *person)
{
    return orch_attendee_participant_event(bot, orch_json_string(event, "type"), event, person);
}

void orch_attendee_participant_events(OrchRequest *request)
{
    static const char *const types[] = {"participant", "speech", NULL};
    list_events(request, types, make_participant_event);
}

void orch_attendee_chat_messages(OrchRequest *request)
{
    static const char *const types[] = {"chat", NULL};
    list_events(request, types, orch_attendee_chat_message);
}
