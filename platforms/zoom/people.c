/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/zoom/people.h"

#include <string.h>

#define MAX_PEOPLE 5000 /* of a whole meeting; beyond it, newcomers are not named */
#define MAX_NAME_BYTES 400
#define UNSEEN_MS 60000
#define MISSED_READINGS 2
#define FIRST_SOURCE 0xf1000000u /* no contributing source of a packet looks like this */

typedef struct {
    char *id, *name; /* owned */
    uint32_t source;
    bool here, is_host, is_self, muted;
    bool source_active; /* as last reported */
    unsigned n_missed;  /* complete readings */
    int64_t seen_ms;
    unsigned turn; /* the reading that it was in last */
} Person;

struct ZoomPeople {
    ZoomPeopleEvents events;
    gpointer user_data;
    char *own_name;     /* owned */
    GHashTable *by_key; /* id (in the Person) -> owned Person */
    unsigned turn;
};

static void person_free(gpointer data)
{
    Person *person = data;
    g_free(person->id);
    g_free(person->name);
    g_free(person);
}

ZoomPeople *zoom_people_new(const char *own_name, const ZoomPeopleEvents *events,
                            gpointer user_data)
{
    ZoomPeople *people = g_new0(ZoomPeople, 1);
    people->events = *events;
    people->user_data = user_data;
    people->own_name = g_strdup(own_name);
    people->by_key = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, person_free);
    return people;
}

void zoom_people_free(ZoomPeople *people)
{
    if (people == NULL) {
        return;
    }
    g_hash_table_unref(people->by_key);
    g_free(people->own_name);
    g_free(people);
}

static void report(ZoomPeople *people, PlatformParticipantOp op, const Person *person)
{
    PlatformParticipant participant = {.platform_id = person->id,
                                       .name = person->name,
                                       .is_host = person->is_host,
                                       .is_self = person->is_self,
                                       .muted = person->muted};
    people->events.on_participant(op, &participant, people->user_data);
}

static void report_source(ZoomPeople *people, Person *person)
{
    person->source_active = !person->muted;
    PlatformSource source = {.kind = PLATFORM_SOURCE_AUDIO,
                             .source = person->source,
                             .platform_id = person->id,
                             .active = person->source_active};
    people->events.on_source(&source, people->user_data);
}

/* The number stands before the name, which may be any text: no two people get one id. */
static char *make_id(const char *name, unsigned number)
{
    return number == 1 ? g_strdup_printf("zoom:%s", name)
                       : g_strdup_printf("zoom#%u:%s", number, name);
}

/* The person of @name that this reading has not named yet, or NULL when there are too many. */
static Person *take(ZoomPeople *people, const char *name)
{
    for (unsigned number = 1;; number++) {
        g_autofree char *id = make_id(name, number);
        Person *person = g_hash_table_lookup(people->by_key, id);
        if (person != NULL && person->turn == people->turn) {
            continue;
        }
        if (person == NULL && g_hash_table_size(people->by_key) < MAX_PEOPLE) {
            person = g_new0(Person, 1);
            person->id = g_steal_pointer(&id);
            person->name = g_strdup(name);
            person->source = FIRST_SOURCE + g_hash_table_size(people->by_key);
            g_hash_table_insert(people->by_key, person->id, person);
        }
        return person;
    }
}

static void see(ZoomPeople *people, const ZoomRow *row, bool is_self, bool has_state,
                int64_t now_ms)
{
    Person *person = take(people, row->name);
    if (person == NULL) {
        return;
    }
    bool host = has_state ? row->is_host : person->is_host;
    bool muted = has_state ? row->muted : person->muted;
    bool changed = host != person->is_host || muted != person->muted || is_self != person->is_self;
    bool joined = !person->here;
    person->turn = people->turn;
    person->seen_ms = now_ms;
    person->n_missed = 0;
    person->is_host = host;
    person->muted = muted;
    person->is_self = is_self;
    person->here = true;
    if (joined || changed) {
        report(people, joined ? PLATFORM_PARTICIPANT_JOINED : PLATFORM_PARTICIPANT_UPDATED, person);
    }
    if (!is_self && (joined || person->source_active == muted)) {
        report_source(people, person);
    }
}

static void drop_missing(ZoomPeople *people, bool complete, int64_t now_ms)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, people->by_key);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Person *person = value;
        if (!person->here || person->turn == people->turn) {
            continue;
        }
        person->n_missed += complete ? 1 : 0;
        if (person->n_missed >= MISSED_READINGS || now_ms - person->seen_ms >= UNSEEN_MS) {
            person->here = false;
            report(people, PLATFORM_PARTICIPANT_LEFT, person);
        }
    }
}

static bool is_usable(const ZoomRow *row)
{
    return *row->name != '\0' && strlen(row->name) <= MAX_NAME_BYTES;
}

void zoom_people_read(ZoomPeople *people, const ZoomRow *rows, size_t n_rows, ZoomReading reading,
                      int64_t now_ms)
{
    bool marked = false;
    people->turn++;
    for (size_t i = 0; i < n_rows; i++) {
        marked = marked || rows[i].is_self;
    }
    for (size_t i = 0; i < n_rows; i++) {
        if (!is_usable(&rows[i])) {
            continue;
        }
        bool named = strcmp(rows[i].name, people->own_name) == 0;
        see(people, &rows[i], marked ? rows[i].is_self : named, reading != ZOOM_READ_TILES, now_ms);
    }
    drop_missing(people, reading == ZOOM_READ_COMPLETE, now_ms);
}

static const Person *only(ZoomPeople *people, const char *name)
{
    const Person *found = NULL;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, people->by_key);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Person *person = value;
        if (person->here && strcmp(person->name, name) == 0) {
            if (found != NULL) {
                return NULL;
            }
            found = person;
        }
    }
    return found;
}

const char *zoom_people_voice(ZoomPeople *people, const char *name, uint32_t *ret_source)
{
    const Person *person = only(people, name);
    if (person == NULL || person->is_self || person->muted) {
        return NULL;
    }
    *ret_source = person->source;
    return person->id;
}

const char *zoom_people_named(ZoomPeople *people, const char *name)
{
    const Person *person = only(people, name);
    return person != NULL ? person->id : NULL;
}
