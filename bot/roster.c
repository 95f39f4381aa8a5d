/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/roster.h"

struct BotRoster {
    GPtrArray *people;  /* owned BotPerson; index = id - 1 */
    GHashTable *by_key; /* platform id -> borrowed BotPerson */
    GHashTable *ignored;
};

static void person_free(gpointer data)
{
    BotPerson *person = data;
    g_free(person->platform_id);
    g_free(person->name);
    g_clear_pointer(&person->members, g_array_unref);
    g_free(person);
}

BotRoster *bot_roster_new(void)
{
    BotRoster *roster = g_new0(BotRoster, 1);
    roster->people = g_ptr_array_new_with_free_func(person_free);
    roster->by_key = g_hash_table_new(g_str_hash, g_str_equal);
    roster->ignored = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return roster;
}

void bot_roster_free(BotRoster *roster)
{
    g_hash_table_unref(roster->by_key);
    g_hash_table_unref(roster->ignored);
    g_ptr_array_unref(roster->people);
    g_free(roster);
}

static char *fold(const char *name)
{
    g_autofree char *copy = g_strdup(name);
    return g_utf8_casefold(g_strstrip(copy), -1);
}

void bot_roster_ignore(BotRoster *roster, const char *name)
{
    g_hash_table_add(roster->ignored, fold(name));
}

static BotPerson *add_person(BotRoster *roster, const char *platform_id, int64_t now_us)
{
    BotPerson *person = g_new0(BotPerson, 1);
    person->id = roster->people->len + 1;
    person->platform_id = g_strdup(platform_id);
    person->name = g_strdup("");
    person->joined_us = now_us;
    person->left_us = -1;
    g_ptr_array_add(roster->people, person);
    if (platform_id != NULL) {
        g_hash_table_insert(roster->by_key, person->platform_id, person);
    }
    return person;
}

BotPerson *bot_roster_ensure(BotRoster *roster, const char *platform_id, int64_t now_us)
{
    BotPerson *person = bot_roster_find(roster, platform_id);
    return person != NULL ? person : add_person(roster, platform_id, now_us);
}

BotPerson *bot_roster_update(BotRoster *roster, const char *platform_id, const char *name,
                             int64_t now_us, bool *ret_is_new)
{
    BotPerson *person = bot_roster_ensure(roster, platform_id, now_us);
    *ret_is_new = !person->present;
    person->present = true;
    person->left_us = -1;
    if (name[0] != '\0' && g_strcmp0(person->name, name) != 0) {
        g_free(person->name);
        person->name = g_utf8_make_valid(name, -1);
    }
    g_autofree char *key = fold(person->name);
    person->ignored = g_hash_table_contains(roster->ignored, key);
    return person;
}

/* Whoever's voice it is that of now; those whom another room has got stay there. */
static void set_room(BotRoster *roster, const BotPerson *room, uint32_t from_id, uint32_t to_id)
{
    for (guint i = 0; room->members != NULL && i < room->members->len; i++) {
        BotPerson *member = bot_roster_get(roster, g_array_index(room->members, uint32_t, i));
        if (from_id == 0 || member->room_id == from_id) {
            member->room_id = to_id;
        }
    }
}

void bot_roster_set_members(BotRoster *roster, BotPerson *room, const char *const *platform_ids,
                            int64_t now_us)
{
    set_room(roster, room, room->id, 0);
    g_clear_pointer(&room->members, g_array_unref);
    for (gsize i = 0; platform_ids != NULL && platform_ids[i] != NULL; i++) {
        const BotPerson *member = bot_roster_ensure(roster, platform_ids[i], now_us);
        if (room->members == NULL) {
            room->members = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        }
        if (member != room) {
            g_array_append_val(room->members, member->id);
        }
    }
    set_room(roster, room, 0, room->id);
}

void bot_person_tell_members(const BotPerson *person, JsonObject *object)
{
    if (person->members == NULL) {
        return;
    }
    JsonArray *ids = json_array_new();
    for (guint i = 0; i < person->members->len; i++) {
        json_array_add_int_element(ids, g_array_index(person->members, uint32_t, i));
    }
    json_object_set_array_member(object, "members", ids);
}

BotPerson *bot_roster_leave(BotRoster *roster, const char *platform_id, int64_t now_us)
{
    BotPerson *person = bot_roster_find(roster, platform_id);
    if (person == NULL || !person->present) {
        return NULL;
    }
    person->present = false;
    person->speaking = false;
    person->left_us = now_us;
    set_room(roster, person, person->id, 0);
    return person;
}

BotPerson *bot_roster_find(BotRoster *roster, const char *platform_id)
{
    return g_hash_table_lookup(roster->by_key, platform_id);
}

BotPerson *bot_roster_get(BotRoster *roster, uint32_t id)
{
    return id >= 1 && id <= roster->people->len ? g_ptr_array_index(roster->people, id - 1) : NULL;
}

BotPerson *bot_roster_add_unnamed(BotRoster *roster, int64_t now_us)
{
    BotPerson *person = add_person(roster, NULL, now_us);
    g_free(person->name);
    person->name = g_strdup_printf("Participant %u", person->id);
    person->present = true;
    return person;
}

guint bot_roster_length(BotRoster *roster)
{
    return roster->people->len;
}

BotPerson *bot_roster_nth(BotRoster *roster, guint n)
{
    return g_ptr_array_index(roster->people, n);
}

guint bot_roster_count_company(BotRoster *roster)
{
    guint n = 0;
    for (guint i = 0; i < roster->people->len; i++) {
        const BotPerson *person = g_ptr_array_index(roster->people, i);
        n += person->present && !person->ignored && person->members == NULL;
    }
    return n;
}
