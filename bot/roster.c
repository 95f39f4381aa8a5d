/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/roster.h"

#include <string.h>

struct BotRoster {
    GPtrArray *people;  /* owned BotPerson; index = id - 1 */
    GHashTable *by_key; /* platform id -> borrowed BotPerson */
    GPtrArray *ignored; /* owned folded texts */
    GHashTable *bots;   /* owned folded name -> how many bots of it */
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
    roster->ignored = g_ptr_array_new_with_free_func(g_free);
    roster->bots = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return roster;
}

void bot_roster_free(BotRoster *roster)
{
    g_hash_table_unref(roster->by_key);
    g_ptr_array_unref(roster->ignored);
    g_hash_table_unref(roster->bots);
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
    char *text = fold(name);
    if (*text != '\0') {
        g_ptr_array_add(roster->ignored, g_steal_pointer(&text));
    }
    g_free(text);
}

void bot_roster_set_bots(BotRoster *roster, const char *const *names)
{
    g_hash_table_remove_all(roster->bots);
    for (gsize i = 0; names[i] != NULL; i++) {
        char *name = fold(names[i]);
        guint n = GPOINTER_TO_UINT(g_hash_table_lookup(roster->bots, name));
        g_hash_table_insert(roster->bots, name, GUINT_TO_POINTER(n + 1));
    }
}

/* In these scripts words stand without blanks between them. */
static bool is_written_together(gunichar c)
{
    switch ((int)g_unichar_get_script(c)) {
    case G_UNICODE_SCRIPT_HAN:
    case G_UNICODE_SCRIPT_HIRAGANA:
    case G_UNICODE_SCRIPT_KATAKANA:
    case G_UNICODE_SCRIPT_HANGUL:
    case G_UNICODE_SCRIPT_THAI:
    case G_UNICODE_SCRIPT_LAO:
    case G_UNICODE_SCRIPT_KHMER:
    case G_UNICODE_SCRIPT_MYANMAR:
        return true;
    default:
        return false;
    }
}

/* Whether a word ends between these two; 0: there is nothing. */
static bool is_border(gunichar left, gunichar right)
{
    return left == 0 || right == 0 || !g_unichar_isalnum(left) || !g_unichar_isalnum(right) ||
           is_written_together(left) || is_written_together(right);
}

static bool has_words(const char *name, const char *words)
{
    size_t length = strlen(words);
    for (const char *at = strstr(name, words); at != NULL; at = strstr(at + 1, words)) {
        gunichar before = at > name ? g_utf8_get_char(g_utf8_prev_char(at)) : 0;
        gunichar first = g_utf8_get_char(words);
        gunichar last = g_utf8_get_char(g_utf8_prev_char(words + length));
        if (is_border(before, first) && is_border(last, g_utf8_get_char(at + length))) {
            return true;
        }
    }
    return false;
}

static bool is_ignored(BotRoster *roster, const char *name)
{
    g_autofree char *folded = fold(name);
    for (guint i = 0; i < roster->ignored->len; i++) {
        if (has_words(folded, g_ptr_array_index(roster->ignored, i))) {
            return true;
        }
    }
    return false;
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
    if (person == NULL) {
        person = add_person(roster, platform_id, now_us);
    }
    person->unconfirmed = false;
    return person;
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
    person->ignored = is_ignored(roster, person->name);
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

void bot_roster_doubt_all(BotRoster *roster)
{
    for (guint i = 0; i < roster->people->len; i++) {
        BotPerson *person = g_ptr_array_index(roster->people, i);
        person->unconfirmed = person->present && person->platform_id != NULL;
    }
}

const BotPerson *bot_roster_next_unconfirmed(BotRoster *roster)
{
    for (guint i = 0; i < roster->people->len; i++) {
        const BotPerson *person = g_ptr_array_index(roster->people, i);
        if (person->present && person->unconfirmed) {
            return person;
        }
    }
    return NULL;
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

/* One of the bots of its name; @seen and @keys count how many of them were met. */
static bool is_own_bot(BotRoster *roster, const BotPerson *person, GHashTable *seen,
                       GPtrArray *keys)
{
    if (g_hash_table_size(roster->bots) == 0) {
        return false;
    }
    char *key = fold(person->name);
    g_ptr_array_add(keys, key);
    guint n_bots = GPOINTER_TO_UINT(g_hash_table_lookup(roster->bots, key));
    guint n_seen = GPOINTER_TO_UINT(g_hash_table_lookup(seen, key));
    g_hash_table_insert(seen, key, GUINT_TO_POINTER(n_seen + 1));
    return n_seen < n_bots;
}

guint bot_roster_count_company(BotRoster *roster)
{
    guint n = 0;
    g_autoptr(GHashTable) bots = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < roster->people->len; i++) {
        const BotPerson *person = g_ptr_array_index(roster->people, i);
        if (person->present && !person->ignored && person->members == NULL) {
            n += !is_own_bot(roster, person, bots, keys);
        }
    }
    return n;
}
