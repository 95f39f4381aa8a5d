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
    uint64_t number; /* Zoom's own, 0: it did not show yet */
    uint32_t source;
    bool here, is_host, is_self, muted;
    bool source_active; /* as last reported */
    unsigned n_missed;  /* complete readings */
    int64_t seen_ms;
    unsigned turn;        /* the reading that it was in last */
    unsigned number_turn; /* likewise its number */
} Person;

/* What a reading holds of one name. */
typedef struct {
    unsigned n_rows, n_here;
    bool muted; /* all of them */
} Namesakes;

struct ZoomPeople {
    ZoomPeopleEvents events;
    gpointer user_data;
    char *own_name;        /* owned */
    GHashTable *by_key;    /* id (in the Person) -> owned Person */
    GHashTable *by_name;   /* owned name -> owned array of borrowed Person, in their order */
    GHashTable *by_number; /* number (in the Person) -> borrowed Person */
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
    people->by_name =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    people->by_number = g_hash_table_new(g_int64_hash, g_int64_equal);
    return people;
}

void zoom_people_set_own_name(ZoomPeople *people, const char *own_name)
{
    g_free(people->own_name);
    people->own_name = g_strdup(own_name);
}

void zoom_people_free(ZoomPeople *people)
{
    if (people == NULL) {
        return;
    }
    g_hash_table_unref(people->by_number);
    g_hash_table_unref(people->by_name);
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

// --- Zoom's numbers ---

/* 0: none. The low bits are of a stream, one of several that a person has. */
static uint64_t parse_number(const char *text)
{
    guint64 number;
    return text != NULL && g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT64, &number, NULL)
               ? number & ~UINT64_C(0x3ff)
               : 0;
}

/* The person of @name whose number this is, or NULL. */
static Person *find_number(ZoomPeople *people, const char *name, uint64_t number)
{
    Person *person = number != 0 ? g_hash_table_lookup(people->by_number, &number) : NULL;
    return person != NULL && strcmp(person->name, name) == 0 ? person : NULL;
}

static void give_number(ZoomPeople *people, Person *person, uint64_t number)
{
    Person *before = g_hash_table_lookup(people->by_number, &number);
    if (before != NULL) { /* who has another name now is another person */
        g_hash_table_remove(people->by_number, &number);
        before->number = 0;
    }
    person->number = number;
    g_hash_table_insert(people->by_number, &person->number, person);
}

void zoom_people_tie(ZoomPeople *people, const char *name, const char *text)
{
    uint64_t number = parse_number(text);
    Person *found = find_number(people, name, number);
    GPtrArray *known = g_hash_table_lookup(people->by_name, name);
    for (guint i = 0; known != NULL && number != 0 && found == NULL && i < known->len; i++) {
        Person *person = g_ptr_array_index(known, i);
        if (person->here && person->number == 0) {
            give_number(people, person, number);
            found = person;
        }
    }
    if (found != NULL) {
        found->number_turn = people->turn + 1;
    }
}

// --- readings ---

static Person *add(ZoomPeople *people, const char *name)
{
    if (g_hash_table_size(people->by_key) >= MAX_PEOPLE) {
        return NULL;
    }
    GPtrArray *known = g_hash_table_lookup(people->by_name, name);
    if (known == NULL) {
        known = g_ptr_array_new();
        g_hash_table_insert(people->by_name, g_strdup(name), known);
    }
    Person *person = g_new0(Person, 1);
    person->id = make_id(name, known->len + 1);
    person->name = g_strdup(name);
    person->source = FIRST_SOURCE + g_hash_table_size(people->by_key);
    g_hash_table_insert(people->by_key, person->id, person);
    g_ptr_array_add(known, person);
    return person;
}

/* The first person of @name whom this reading has not named yet, or NULL. @numberless: and whose
 * number is not known; @prefer_numbered: rather one whose number shows. */
static Person *find_free(ZoomPeople *people, const char *name, bool numberless,
                         bool prefer_numbered)
{
    GPtrArray *known = g_hash_table_lookup(people->by_name, name);
    Person *found = NULL;
    for (guint i = 0; known != NULL && i < known->len; i++) {
        Person *person = g_ptr_array_index(known, i);
        if (person->turn == people->turn || (numberless && person->number != 0)) {
            continue;
        }
        if (!prefer_numbered || person->number_turn == people->turn) {
            return person;
        }
        found = found != NULL ? found : person;
    }
    return found;
}

/* The person whom @row means; NULL: there are too many, or it says again what this reading said. */
static Person *take(ZoomPeople *people, const ZoomRow *row, const Namesakes *namesakes)
{
    uint64_t number = parse_number(row->number);
    Person *person = find_number(people, row->name, number);
    if (person != NULL) {
        return person->turn != people->turn ? person : NULL;
    }
    person = find_free(people, row->name, number != 0, namesakes->n_here > namesakes->n_rows);
    person = person != NULL ? person : add(people, row->name);
    if (person != NULL && number != 0) {
        give_number(people, person, number);
    }
    return person;
}

static void see(ZoomPeople *people, const ZoomRow *row, const Namesakes *namesakes, bool is_self,
                bool has_state, int64_t now_ms)
{
    Person *person = take(people, row, namesakes);
    if (person == NULL) {
        return;
    }
    bool host = has_state ? row->is_host : person->is_host;
    /* Of namesakes the list does not say which one is muted. */
    bool muted = has_state ? namesakes->muted : person->muted;
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

/* (transfer full): borrowed name -> owned Namesakes. */
static GHashTable *count_names(ZoomPeople *people, const ZoomRow *rows, size_t n_rows)
{
    GHashTable *counts = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    for (size_t i = 0; i < n_rows; i++) {
        Namesakes *namesakes = g_hash_table_lookup(counts, rows[i].name);
        GPtrArray *known = g_hash_table_lookup(people->by_name, rows[i].name);
        if (namesakes == NULL) {
            namesakes = g_new0(Namesakes, 1);
            namesakes->muted = true;
            g_hash_table_insert(counts, (gpointer)rows[i].name, namesakes);
            for (guint k = 0; known != NULL && k < known->len; k++) {
                namesakes->n_here += ((Person *)g_ptr_array_index(known, k))->here ? 1 : 0;
            }
        }
        namesakes->n_rows++;
        namesakes->muted = namesakes->muted && rows[i].muted;
    }
    return counts;
}

void zoom_people_read(ZoomPeople *people, const ZoomRow *rows, size_t n_rows, ZoomReading reading,
                      int64_t now_ms)
{
    g_autoptr(GHashTable) counts = count_names(people, rows, n_rows);
    bool marked = false;
    people->turn++;
    for (size_t i = 0; i < n_rows; i++) {
        marked = marked || rows[i].is_self;
    }
    for (int turn = 0; turn < 2; turn++) { /* those with a number first: they are certain */
        for (size_t i = 0; i < n_rows; i++) {
            if (!is_usable(&rows[i]) || (parse_number(rows[i].number) == 0) != (turn == 1)) {
                continue;
            }
            bool named = strcmp(rows[i].name, people->own_name) == 0;
            see(people, &rows[i], g_hash_table_lookup(counts, rows[i].name),
                marked ? rows[i].is_self : named, reading != ZOOM_READ_TILES, now_ms);
        }
    }
    drop_missing(people, reading == ZOOM_READ_COMPLETE, now_ms);
}

/* The person of @text as a number, else the only one of @name, who is here; or NULL. */
static const Person *find(ZoomPeople *people, const char *name, const char *text)
{
    const Person *found = find_number(people, name, parse_number(text));
    GPtrArray *known = g_hash_table_lookup(people->by_name, name);
    if (found != NULL) {
        return found->here ? found : NULL;
    }
    for (guint i = 0; known != NULL && i < known->len; i++) {
        const Person *person = g_ptr_array_index(known, i);
        if (person->here && found != NULL) {
            return NULL;
        }
        found = person->here ? person : found;
    }
    return found;
}

const char *zoom_people_voice(ZoomPeople *people, const char *name, const char *number,
                              uint32_t *ret_source)
{
    const Person *person = find(people, name, number);
    if (person == NULL || person->is_self || person->muted) {
        return NULL;
    }
    *ret_source = person->source;
    return person->id;
}

const char *zoom_people_named(ZoomPeople *people, const char *name, const char *number)
{
    const Person *person = find(people, name, number);
    return person != NULL ? person->id : NULL;
}
