/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/teams/roster.h"

#include <string.h>

#define MAX_PEOPLE 5000 /* of a whole meeting; beyond it, newcomers are not named */
#define MAX_ENDPOINTS 16
#define MAX_STREAM_NAMES 512
#define MAX_TRACK_NAMES 8
#define VIDEO_PREFIX "mainVideo-"
#define SHOWN_PREFIX "shown:" /* ids of those whom only the page tells of */
#define SHOWN_SOURCES 0xf0000000u

typedef struct {
    char *id; /* owned */
    bool in_call, in_lobby;
    unsigned n_streams;
    TeamsStream streams[TEAMS_MAX_STREAMS];
} Endpoint;

/* As last reported. */
typedef struct {
    int64_t source_id;
    uint32_t track;
    bool active;
} Sent;

typedef struct {
    char *id, *name; /* owned */
    bool active, is_host, server_muted;
    bool told, is_self, muted; /* as last reported */
    GPtrArray *endpoints;      /* owned, of Endpoint */
    Sent sent[3];              /* by TeamsStreamType */
} Person;

typedef struct {
    uint32_t id;
    char *names[MAX_TRACK_NAMES]; /* owned; NULL-filled */
} Track;

struct TeamsRoster {
    TeamsRosterEvents events;
    gpointer user_data;
    char *own_name, *self_id;  /* owned; self_id NULL: not told */
    GHashTable *people;        /* id (in the Person) -> owned Person */
    GPtrArray *tracks;         /* of owned Track */
    GHashTable *subscriptions; /* owned name of a physical stream -> source id + 1 */
};

static void endpoint_free(gpointer data)
{
    Endpoint *endpoint = data;
    g_free(endpoint->id);
    g_free(endpoint);
}

static void person_free(gpointer data)
{
    Person *person = data;
    g_free(person->id);
    g_free(person->name);
    g_ptr_array_unref(person->endpoints);
    g_free(person);
}

static void track_free(gpointer data)
{
    Track *track = data;
    for (size_t i = 0; i < MAX_TRACK_NAMES; i++) {
        g_free(track->names[i]);
    }
    g_free(track);
}

TeamsRoster *teams_roster_new(const char *own_name, const TeamsRosterEvents *events,
                              gpointer user_data)
{
    TeamsRoster *roster = g_new0(TeamsRoster, 1);
    roster->events = *events;
    roster->user_data = user_data;
    roster->own_name = g_strdup(own_name);
    roster->people = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, person_free);
    roster->tracks = g_ptr_array_new_with_free_func(track_free);
    roster->subscriptions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return roster;
}

void teams_roster_set_own_name(TeamsRoster *roster, const char *own_name)
{
    g_free(roster->own_name);
    roster->own_name = g_strdup(own_name);
}

void teams_roster_free(TeamsRoster *roster)
{
    if (roster == NULL) {
        return;
    }
    g_hash_table_unref(roster->subscriptions);
    g_ptr_array_unref(roster->tracks);
    g_hash_table_unref(roster->people);
    g_free(roster->own_name);
    g_free(roster->self_id);
    g_free(roster);
}

static Person *find(TeamsRoster *roster, const char *id)
{
    return id != NULL ? g_hash_table_lookup(roster->people, id) : NULL;
}

// --- what a person is and sends ---

static bool is_self(const TeamsRoster *roster, const Person *person)
{
    bool told = roster->self_id != NULL && g_hash_table_contains(roster->people, roster->self_id);
    return told ? strcmp(roster->self_id, person->id) == 0
                : g_strcmp0(roster->own_name, person->name) == 0;
}

static bool is_shown(const Person *person)
{
    return g_str_has_prefix(person->id, SHOWN_PREFIX);
}

/* Who only waits in the lobby is not here; who says nothing of devices is. */
static bool is_present(const Person *person)
{
    bool in_call = false, in_lobby = false;
    for (guint i = 0; i < person->endpoints->len; i++) {
        const Endpoint *endpoint = g_ptr_array_index(person->endpoints, i);
        in_call = in_call || endpoint->in_call;
        in_lobby = in_lobby || endpoint->in_lobby;
    }
    return person->active && *person->name != '\0' && (in_call || !in_lobby);
}

/* The stream of @type that counts: one that sends, else any with a number. */
static const TeamsStream *stream_of(const Person *person, TeamsStreamType type)
{
    const TeamsStream *best = NULL;
    for (guint i = 0; i < person->endpoints->len; i++) {
        const Endpoint *endpoint = g_ptr_array_index(person->endpoints, i);
        for (unsigned k = 0; k < endpoint->n_streams; k++) {
            const TeamsStream *stream = &endpoint->streams[k];
            if (stream->type == type && stream->source_id != TEAMS_NO_SOURCE &&
                (best == NULL || (stream->sends && !best->sends))) {
                best = stream;
            }
        }
    }
    return best;
}

/* The page's number of the stream stands alone or behind its kind: "7", "mainVideo-7". */
static bool names_stream(const char *name, const char *stream)
{
    return strcmp(name, stream) == 0 || (g_str_has_prefix(name, VIDEO_PREFIX) &&
                                         strcmp(name + strlen(VIDEO_PREFIX), stream) == 0);
}

/* The newest track that brings @source_id; 0: none. */
static uint32_t track_of(TeamsRoster *roster, int64_t source_id)
{
    uint32_t found = 0;
    GHashTableIter iter;
    gpointer stream, value;
    g_hash_table_iter_init(&iter, roster->subscriptions);
    while (g_hash_table_iter_next(&iter, &stream, &value)) {
        if ((int64_t)GPOINTER_TO_SIZE(value) - 1 != source_id) {
            continue;
        }
        for (guint i = 0; i < roster->tracks->len; i++) {
            const Track *track = g_ptr_array_index(roster->tracks, i);
            for (size_t k = 0; k < MAX_TRACK_NAMES && track->names[k] != NULL; k++) {
                found = names_stream(track->names[k], stream) ? MAX(found, track->id) : found;
            }
        }
    }
    return found;
}

static void report(TeamsRoster *roster, PlatformParticipantOp op, const Person *person)
{
    PlatformParticipant participant = {.platform_id = person->id,
                                       .name = person->name,
                                       .is_host = person->is_host,
                                       .is_self = person->is_self,
                                       .muted = person->muted};
    roster->events.on_participant(op, &participant, roster->user_data);
}

static void report_source(TeamsRoster *roster, const Person *person, TeamsStreamType type,
                          uint32_t source, bool active)
{
    static const PlatformSourceKind kinds[] = {PLATFORM_SOURCE_AUDIO, PLATFORM_SOURCE_VIDEO,
                                               PLATFORM_SOURCE_SCREEN};
    PlatformSource event = {
        .kind = kinds[type], .source = source, .platform_id = person->id, .active = active};
    roster->events.on_source(&event, roster->user_data);
}

static void update_audio(TeamsRoster *roster, Person *person)
{
    const TeamsStream *stream = stream_of(person, TEAMS_STREAM_AUDIO);
    Sent *sent = &person->sent[TEAMS_STREAM_AUDIO];
    if (stream == NULL ||
        (sent->source_id == stream->source_id && sent->active == !person->muted)) {
        return;
    }
    sent->source_id = stream->source_id;
    sent->active = !person->muted;
    report_source(roster, person, TEAMS_STREAM_AUDIO, (uint32_t)stream->source_id, sent->active);
}

/* A picture comes when somebody sends it and the page asked for it. */
static void update_picture(TeamsRoster *roster, Person *person, TeamsStreamType type)
{
    const TeamsStream *stream = stream_of(person, type);
    Sent *sent = &person->sent[type];
    bool sends = stream != NULL && stream->sends && person->told;
    uint32_t track = sends ? track_of(roster, stream->source_id) : 0;
    if (sent->track != 0 && sent->active && sent->track != track) {
        sent->active = false;
        report_source(roster, person, type, sent->track, false);
    }
    if (track == 0 || (sent->track == track && sent->active)) {
        return;
    }
    *sent = (Sent){.source_id = stream->source_id, .track = track, .active = true};
    report_source(roster, person, type, track, true);
}

static bool is_muted(const Person *person)
{
    const TeamsStream *stream = stream_of(person, TEAMS_STREAM_AUDIO);
    return person->server_muted || (stream != NULL && !stream->sends);
}

/* The wire has begun to tell: those whom only the page told of are its people by other ids. */
static void drop_shown(TeamsRoster *roster)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, roster->people);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Person *person = value;
        if (is_shown(person) && person->told) {
            person->active = person->told = false;
            report(roster, PLATFORM_PARTICIPANT_LEFT, person);
        }
    }
}

/* Tells what is new about @person. @changed: its name or role. */
static void update(TeamsRoster *roster, Person *person, bool changed)
{
    bool present = is_present(person), muted = is_muted(person), self = is_self(roster, person);
    changed = changed || muted != person->muted || self != person->is_self;
    person->muted = muted;
    person->is_self = self;
    if (present && (!person->told || changed)) {
        bool joined = !person->told;
        person->told = true;
        if (joined && !self && !is_shown(person)) {
            drop_shown(roster);
        }
        report(roster, joined ? PLATFORM_PARTICIPANT_JOINED : PLATFORM_PARTICIPANT_UPDATED, person);
    } else if (!present && person->told) {
        person->told = false;
        report(roster, PLATFORM_PARTICIPANT_LEFT, person);
    }
    if (person->told) {
        update_audio(roster, person);
    }
    update_picture(roster, person, TEAMS_STREAM_VIDEO);
    update_picture(roster, person, TEAMS_STREAM_SCREEN);
}

/* Those who lose a stream first: nobody is shown under another's name. */
static void update_pictures(TeamsRoster *roster)
{
    for (int turn = 0; turn < 2; turn++) {
        GHashTableIter iter;
        gpointer value;
        g_hash_table_iter_init(&iter, roster->people);
        while (g_hash_table_iter_next(&iter, NULL, &value)) {
            Person *person = value;
            bool has =
                person->sent[TEAMS_STREAM_VIDEO].active || person->sent[TEAMS_STREAM_SCREEN].active;
            if (has == (turn == 0)) {
                update_picture(roster, person, TEAMS_STREAM_VIDEO);
                update_picture(roster, person, TEAMS_STREAM_SCREEN);
            }
        }
    }
}

// --- what comes ---

static Person *find_or_add(TeamsRoster *roster, const char *id)
{
    Person *person = find(roster, id);
    if (person == NULL && g_hash_table_size(roster->people) < MAX_PEOPLE) {
        person = g_new0(Person, 1);
        person->id = g_strdup(id);
        person->name = g_strdup("");
        person->active = true;
        person->endpoints = g_ptr_array_new_with_free_func(endpoint_free);
        for (int i = 0; i < 3; i++) {
            person->sent[i].source_id = TEAMS_NO_SOURCE;
        }
        g_hash_table_insert(roster->people, person->id, person);
    }
    return person;
}

void teams_roster_participant(TeamsRoster *roster, const TeamsParticipant *participant)
{
    Person *person = find_or_add(roster, participant->id);
    if (person == NULL) {
        return;
    }
    bool changed = false;
    if (participant->name != NULL && strcmp(participant->name, person->name) != 0) {
        g_free(person->name);
        person->name = g_strdup(participant->name);
        changed = true;
    }
    if (participant->state != TEAMS_STATE_UNSAID) {
        person->active = participant->state == TEAMS_STATE_ACTIVE;
    }
    if (participant->role != TEAMS_ROLE_UNSAID) {
        bool is_host = participant->role == TEAMS_ROLE_ORGANIZER;
        changed = changed || is_host != person->is_host;
        person->is_host = is_host;
    }
    if (participant->server_mute != TEAMS_MUTE_UNSAID) {
        person->server_muted = participant->server_mute == TEAMS_MUTED;
    }
    update(roster, person, changed);
}

static void drop_endpoint(Person *person, const char *id)
{
    for (guint i = 0; i < person->endpoints->len; i++) {
        const Endpoint *endpoint = g_ptr_array_index(person->endpoints, i);
        if (strcmp(endpoint->id, id) == 0) {
            g_ptr_array_remove_index(person->endpoints, i);
            return;
        }
    }
}

static Endpoint *endpoint_of(Person *person, const char *id)
{
    for (guint i = 0; i < person->endpoints->len; i++) {
        Endpoint *endpoint = g_ptr_array_index(person->endpoints, i);
        if (strcmp(endpoint->id, id) == 0) {
            return endpoint;
        }
    }
    if (person->endpoints->len >= MAX_ENDPOINTS) {
        return NULL;
    }
    Endpoint *endpoint = g_new0(Endpoint, 1);
    endpoint->id = g_strdup(id);
    g_ptr_array_add(person->endpoints, endpoint);
    return endpoint;
}

void teams_roster_endpoint(TeamsRoster *roster, const char *id, const TeamsEndpoint *said)
{
    Person *person = find_or_add(roster, id);
    if (person == NULL) {
        return;
    }
    Endpoint *endpoint = said->gone ? NULL : endpoint_of(person, said->id);
    if (said->gone) {
        drop_endpoint(person, said->id);
    } else if (endpoint != NULL && (said->in_call || said->in_lobby)) {
        endpoint->in_call = said->in_call;
        endpoint->in_lobby = said->in_lobby;
    }
    if (endpoint != NULL && said->has_streams) {
        endpoint->n_streams = said->n_streams;
        memcpy(endpoint->streams, said->streams, sizeof *said->streams * said->n_streams);
    }
    update(roster, person, false);
}

void teams_roster_subscription(TeamsRoster *roster, int64_t source_id, const char *stream)
{
    if (source_id == TEAMS_NO_SOURCE) {
        g_hash_table_remove(roster->subscriptions, stream);
    } else if (g_hash_table_size(roster->subscriptions) < MAX_STREAM_NAMES ||
               g_hash_table_contains(roster->subscriptions, stream)) {
        g_hash_table_replace(roster->subscriptions, g_strdup(stream),
                             GSIZE_TO_POINTER((gsize)source_id + 1));
    }
    update_pictures(roster);
}

static void drop_track(TeamsRoster *roster, uint32_t track_id)
{
    for (guint i = roster->tracks->len; i > 0; i--) {
        const Track *track = g_ptr_array_index(roster->tracks, i - 1);
        if (track->id == track_id) {
            g_ptr_array_remove_index(roster->tracks, i - 1);
        }
    }
}

void teams_roster_track(TeamsRoster *roster, uint32_t track_id, JsonArray *names)
{
    drop_track(roster, track_id);
    Track *track = g_new0(Track, 1);
    size_t n = 0;
    track->id = track_id;
    for (guint i = 0; names != NULL && i < json_array_get_length(names); i++) {
        JsonNode *node = json_array_get_element(names, i);
        if (n < MAX_TRACK_NAMES && JSON_NODE_HOLDS_VALUE(node) &&
            json_node_get_value_type(node) == G_TYPE_STRING) {
            track->names[n++] = g_strdup(json_node_get_string(node));
        }
    }
    g_ptr_array_add(roster->tracks, track);
    update_pictures(roster);
}

void teams_roster_track_ended(TeamsRoster *roster, uint32_t track_id)
{
    drop_track(roster, track_id);
    update_pictures(roster);
}

void teams_roster_set_self(TeamsRoster *roster, const char *id)
{
    g_free(roster->self_id);
    roster->self_id = g_strdup(id);
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, roster->people);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        update(roster, value, false);
    }
}

// --- what the page shows ---

/* Whether anybody else is known from the wire. */
static bool wire_tells(TeamsRoster *roster)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, roster->people);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Person *person = value;
        if (!is_shown(person) && person->told && !person->is_self) {
            return true;
        }
    }
    return false;
}

int64_t teams_roster_shown(TeamsRoster *roster, const char *name, bool muted)
{
    const char *known = teams_roster_named(roster, name);
    if (known != NULL && !g_str_has_prefix(known, SHOWN_PREFIX)) {
        return teams_roster_is_self(roster, known) ? TEAMS_NO_SOURCE
                                                   : teams_roster_audio_of(roster, known);
    }
    if (wire_tells(roster) || strcmp(name, roster->own_name) == 0) {
        return TEAMS_NO_SOURCE;
    }
    g_autofree char *id = g_strconcat(SHOWN_PREFIX, name, NULL);
    TeamsEndpoint endpoint = {.id = "tile", .in_call = true, .has_streams = true, .n_streams = 1};
    endpoint.streams[0] = (TeamsStream){.type = TEAMS_STREAM_AUDIO,
                                        .source_id = SHOWN_SOURCES | (g_str_hash(name) & 0xffffff),
                                        .sends = !muted};
    TeamsParticipant participant = {.id = id, .name = name, .state = TEAMS_STATE_ACTIVE};
    teams_roster_endpoint(roster, id, &endpoint);
    teams_roster_participant(roster, &participant);
    return teams_roster_audio_of(roster, id);
}

void teams_roster_unshown(TeamsRoster *roster, const char *name)
{
    g_autofree char *id = g_strconcat(SHOWN_PREFIX, name, NULL);
    if (find(roster, id) != NULL) {
        TeamsParticipant participant = {.id = id, .state = TEAMS_STATE_INACTIVE};
        teams_roster_participant(roster, &participant);
    }
}

// --- questions ---

const char *teams_roster_name(TeamsRoster *roster, const char *id)
{
    const Person *person = find(roster, id);
    return person != NULL ? person->name : NULL;
}

bool teams_roster_is_self(TeamsRoster *roster, const char *id)
{
    const Person *person = find(roster, id);
    return person != NULL && is_self(roster, person);
}

static const Person *speaker(TeamsRoster *roster, int64_t source_id)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, roster->people);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Person *person = value;
        if (source_id != TEAMS_NO_SOURCE &&
            person->sent[TEAMS_STREAM_AUDIO].source_id == source_id) {
            return person;
        }
    }
    return NULL;
}

const char *teams_roster_speaker(TeamsRoster *roster, int64_t source_id)
{
    const Person *person = speaker(roster, source_id);
    return person != NULL ? person->id : NULL;
}

bool teams_roster_can_speak(TeamsRoster *roster, int64_t source_id)
{
    const Person *person = speaker(roster, source_id);
    return person != NULL && person->told && !person->muted && !person->is_self;
}

int64_t teams_roster_audio_of(TeamsRoster *roster, const char *id)
{
    const Person *person = find(roster, id);
    return person != NULL ? person->sent[TEAMS_STREAM_AUDIO].source_id : TEAMS_NO_SOURCE;
}

const char *teams_roster_named(TeamsRoster *roster, const char *name)
{
    const Person *here = NULL, *gone = NULL;
    unsigned n_here = 0, n_gone = 0;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, roster->people);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Person *person = value;
        if (strcmp(person->name, name) != 0) {
            continue;
        }
        if (person->told) {
            here = person;
            n_here++;
        } else {
            gone = person;
            n_gone++;
        }
    }
    if (n_here + (n_here == 0 ? n_gone : 0) != 1) {
        return NULL;
    }
    return here != NULL ? here->id : gone->id;
}

unsigned teams_roster_n_present(TeamsRoster *roster)
{
    unsigned n = 0;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, roster->people);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        n += ((const Person *)value)->told ? 1 : 0;
    }
    return n;
}
