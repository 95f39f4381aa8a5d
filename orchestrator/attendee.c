/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/attendee.h"

#include "bot/report_data.h"
#include "orchestrator/json.h"

#include <string.h>

char *orch_attendee_bot_id(const OrchBot *bot)
{
    return g_strconcat("bot_", bot->id, NULL);
}

char *orch_attendee_time(gint64 unix_ms)
{
    return unix_ms > 0 ? bot_report_iso_time(unix_ms) : NULL;
}

JsonObject *orch_attendee_metadata(const OrchBot *bot)
{
    return orch_json_load(bot->extra);
}

void orch_person_free(OrchPerson *person)
{
    g_free(person->name);
    g_free(person->platform_id);
    g_free(person);
}

static gpointer to_key(gint64 id)
{
    return GUINT_TO_POINTER((guint)id);
}

GHashTable *orch_attendee_people(GPtrArray *events)
{
    GHashTable *people = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)orch_person_free);
    for (guint i = 0; i < events->len; i++) {
        g_autoptr(JsonObject) event = orch_json_load(g_ptr_array_index(events, i));
        gint64 id = orch_json_int(event, "id", 0);
        if (id < 1 || id > G_MAXINT32) {
            continue;
        }
        OrchPerson *person = g_hash_table_lookup(people, to_key(id));
        if (person == NULL) {
            person = g_new0(OrchPerson, 1);
            person->id = id;
            g_hash_table_insert(people, to_key(id), person);
        }
        const char *name = orch_json_string(event, "name");
        const char *platform_id = orch_json_string(event, "platform_id");
        orch_set_string(&person->name, name != NULL ? name : person->name);
        orch_set_string(&person->platform_id,
                        platform_id != NULL ? platform_id : person->platform_id);
        person->is_host = orch_json_bool(event, "is_host", person->is_host);
        person->is_room = person->is_room || json_object_has_member(event, "members");
    }
    return people;
}

static const char *event_type(const char *type, JsonObject *event)
{
    static const struct {
        const char *type, *op, *name;
    } names[] = {
        {"participant", "joined", "join"},    {"participant", "left", "leave"},
        {"participant", "updated", "update"}, {"speech", "start", "speech_start"},
        {"speech", "stop", "speech_stop"},
    };
    const char *op = orch_json_string(event, "op");
    for (gsize i = 0; op != NULL && i < G_N_ELEMENTS(names); i++) {
        if (strcmp(names[i].type, type) == 0 && strcmp(names[i].op, op) == 0) {
            return names[i].name;
        }
    }
    return NULL;
}

static char *person_uuid(const OrchPerson *person, gint64 id)
{
    return person != NULL && person->platform_id != NULL
               ? g_strdup(person->platform_id)
               : g_strdup_printf("participant-%" G_GINT64_FORMAT, id);
}

static void set_id(JsonObject *object, const char *prefix, const OrchBot *bot, JsonObject *event)
{
    g_autofree char *id =
        g_strdup_printf("%s_%s-%" G_GINT64_FORMAT, prefix, bot->id, orch_json_int(event, "seq", 0));
    json_object_set_string_member(object, "id", id);
}

JsonObject *orch_attendee_participant_event(const OrchBot *bot, const char *type, JsonObject *event,
                                            const OrchPerson *person)
{
    const char *name = event_type(type, event);
    bool comes_or_goes = strcmp(type, "participant") == 0;
    if (name == NULL || (comes_or_goes && person != NULL && person->is_room)) {
        return NULL;
    }
    JsonObject *object = json_object_new();
    g_autofree char *uuid = person_uuid(person, orch_json_int(event, "id", 0));
    set_id(object, "pe", bot, event);
    json_object_set_string_member(object, "participant_name",
                                  person != NULL && person->name != NULL ? person->name : "");
    json_object_set_string_member(object, "participant_uuid", uuid);
    json_object_set_null_member(object, "participant_user_uuid");
    json_object_set_boolean_member(object, "participant_is_host",
                                   person != NULL && person->is_host);
    json_object_set_string_member(object, "event_type", name);
    json_object_set_object_member(object, "event_data", json_object_new());
    json_object_set_int_member(object, "timestamp_ms", orch_json_int(event, "time", 0));
    return object;
}

JsonObject *orch_attendee_chat_message(const OrchBot *bot, JsonObject *event,
                                       const OrchPerson *person)
{
    JsonObject *object = json_object_new();
    gint64 time_ms = orch_json_int(event, "time", 0);
    const char *name = orch_json_string(event, "name");
    const char *text = orch_json_string(event, "text");
    g_autofree char *uuid = person_uuid(person, orch_json_int(event, "id", 0));
    set_id(object, "msg", bot, event);
    json_object_set_string_member(object, "text", text != NULL ? text : "");
    json_object_set_int_member(object, "timestamp_ms", time_ms);
    json_object_set_int_member(object, "timestamp", time_ms / 1000);
    json_object_set_string_member(object, "to", "everyone");
    json_object_set_string_member(object, "sender_name", name != NULL ? name : "");
    json_object_set_string_member(object, "sender_uuid", uuid);
    json_object_set_null_member(object, "sender_user_uuid");
    json_object_set_object_member(object, "additional_data", json_object_new());
    return object;
}

JsonObject *orch_attendee_person(const OrchBot *bot, const OrchPerson *person)
{
    JsonObject *object = json_object_new();
    g_autofree char *uuid = person_uuid(person, person->id);
    g_autofree char *id = g_strdup_printf("par_%s-%" G_GINT64_FORMAT, bot->id, person->id);
    json_object_set_string_member(object, "id", id);
    json_object_set_string_member(object, "name", person->name != NULL ? person->name : "");
    json_object_set_string_member(object, "uuid", uuid);
    json_object_set_null_member(object, "user_uuid");
    json_object_set_boolean_member(object, "is_host", person->is_host);
    return object;
}

static JsonArray *make_events(OrchStore *store, const OrchBot *bot)
{
    JsonArray *events = json_array_new();
    g_autoptr(GPtrArray) history = orch_store_transitions(store, bot->id);
    for (guint i = 0; i < history->len; i++) {
        const OrchTransition *transition = g_ptr_array_index(history, i);
        g_autofree char *time = orch_attendee_time(transition->time_ms);
        JsonObject *event = json_object_new();
        json_object_set_string_member(event, "type", transition->event);
        orch_json_set(event, "sub_type", transition->sub_type);
        orch_json_set(event, "created_at", time);
        json_array_add_object_element(events, event);
    }
    return events;
}

JsonObject *orch_attendee_bot(OrchStore *store, const OrchBot *bot)
{
    JsonObject *object = json_object_new();
    g_autofree char *id = orch_attendee_bot_id(bot);
    g_autofree char *join_at = orch_attendee_time(bot->join_at_ms);
    json_object_set_string_member(object, "id", id);
    json_object_set_object_member(object, "metadata", orch_attendee_metadata(bot));
    json_object_set_string_member(object, "meeting_url", bot->meeting_url);
    json_object_set_string_member(object, "state", bot_state_to_string(bot->state));
    json_object_set_array_member(object, "events", make_events(store, bot));
    json_object_set_string_member(object, "transcription_state", "not_started");
    json_object_set_string_member(object, "recording_state", bot->recording_state);
    orch_json_set(object, "join_at", join_at);
    orch_json_set(object, "deduplication_key", bot->dedup_key);
    return object;
}
