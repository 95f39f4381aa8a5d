/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/meet/roster_priv.h"

#include <string.h>

#define MAX_DEVICES 5000 /* of a whole meeting; beyond it, newcomers are not named */
#define STATUS_IN_MEETING 1
#define FIRST_OWN_SOURCE 0xf2000000u /* no contributing source of a packet looks like this */

typedef struct {
    uint32_t id;
    char *stream; /* owned */
} Track;

static void device_free(gpointer data)
{
    MeetDevice *device = data;
    g_free(device->id);
    g_free(device->name);
    g_free(device->avatar);
    g_free(device->parent);
    g_free(device->group);
    g_free(device->audio.stream);
    g_free(device->video.stream);
    g_free(device);
}

static void track_free(gpointer data)
{
    Track *track = data;
    g_free(track->stream);
    g_free(track);
}

MeetRoster *meet_roster_new(const MeetRosterEvents *events, gpointer user_data)
{
    MeetRoster *roster = g_new0(MeetRoster, 1);
    roster->events = *events;
    roster->user_data = user_data;
    roster->devices = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, device_free);
    roster->tracks = g_ptr_array_new_with_free_func(track_free);
    roster->rooms = g_ptr_array_new_with_free_func(meet_room_free);
    return roster;
}

void meet_roster_free(MeetRoster *roster)
{
    if (roster == NULL) {
        return;
    }
    g_hash_table_unref(roster->devices);
    g_ptr_array_unref(roster->tracks);
    g_ptr_array_unref(roster->rooms);
    g_clear_pointer(&roster->rows, json_array_unref);
    g_free(roster);
}

MeetDevice *meet_roster_find(MeetRoster *roster, const char *id)
{
    return id != NULL ? g_hash_table_lookup(roster->devices, id) : NULL;
}

static MeetDevice *find_or_add(MeetRoster *roster, const char *id)
{
    MeetDevice *device = meet_roster_find(roster, id);
    if (device == NULL && g_hash_table_size(roster->devices) < MAX_DEVICES) {
        device = g_new0(MeetDevice, 1);
        device->id = g_strdup(id);
        device->name = g_strdup("");
        device->number = g_hash_table_size(roster->devices);
        g_hash_table_insert(roster->devices, device->id, device);
    }
    return device;
}

void meet_roster_report(MeetRoster *roster, PlatformParticipantOp op, const MeetDevice *device)
{
    PlatformParticipant participant = {.platform_id = device->id,
                                       .name = device->name,
                                       .avatar_url = device->avatar,
                                       .is_host = device->is_host,
                                       .is_self = device->is_self,
                                       .muted = device->muted};
    roster->events.on_participant(op, &participant, roster->user_data);
}

static uint32_t track_of(MeetRoster *roster, const char *stream)
{
    uint32_t found = 0; /* the newest one: page loads and renegotiations leave older ones behind */
    for (guint i = 0; i < roster->tracks->len; i++) {
        const Track *track = g_ptr_array_index(roster->tracks, i);
        found = strcmp(track->stream, stream) == 0 ? MAX(found, track->id) : found;
    }
    return found;
}

/* For whom a device acts: a share for who shows it, a companion for the person. */
static const MeetDevice *person_of(MeetRoster *roster, const MeetDevice *device)
{
    const MeetDevice *owner = meet_roster_find(roster, device->parent);
    device = owner != NULL ? owner : device;
    return device->person != NULL ? device->person : device;
}

static void report_source(MeetRoster *roster, PlatformSourceKind kind, uint32_t source,
                          const char *owner, bool active)
{
    PlatformSource event = {.kind = kind, .source = source, .platform_id = owner, .active = active};
    roster->events.on_source(&event, roster->user_data);
}

/* Of a device, or of the person or device that a share's entry names before it is known itself. */
static const char *owner_id(MeetRoster *roster, const MeetDevice *device)
{
    bool unknown = device->parent != NULL && meet_roster_find(roster, device->parent) == NULL;
    return unknown ? device->parent : person_of(roster, device)->id;
}

/* 0: the wire names none. */
static uint32_t audio_source(const MeetDevice *device)
{
    guint64 csrc = 0;
    bool named = device->audio.stream != NULL &&
                 g_ascii_string_to_unsigned(device->audio.stream, 10, 0, G_MAXUINT32, &csrc, NULL);
    return named ? (uint32_t)csrc : 0;
}

/* What is heard from one of a room's devices is the room's, which is muted when all of them are. */
static void report_audio_as(MeetRoster *roster, const MeetDevice *device, uint32_t source,
                            bool active)
{
    if (device->room != NULL) {
        report_source(roster, PLATFORM_SOURCE_AUDIO, source, device->room->id,
                      !meet_room_is_muted(device->room));
    } else if (device->person == NULL || active || audio_source(device->person) == 0) {
        /* The silence of a second device is not the person's who can be heard on the first. */
        report_source(roster, PLATFORM_SOURCE_AUDIO, source, owner_id(roster, device), active);
    }
}

void meet_roster_report_audio(MeetRoster *roster, const MeetDevice *device)
{
    uint32_t source = audio_source(device);
    if (source != 0) {
        report_audio_as(roster, device, source, !device->audio.disabled);
    }
    if (device->own_source != 0) {
        report_audio_as(roster, device, device->own_source, true);
    }
}

void meet_roster_report_video(MeetRoster *roster, MeetDevice *device)
{
    if (device->video.stream == NULL) {
        return;
    }
    device->video_track = track_of(roster, device->video.stream);
    bool is_share = device->parent != NULL;
    /* A share ends by leaving; outputs that still speak of it come after that. */
    bool active = !device->video.disabled && (!is_share || device->present);
    report_source(roster, is_share ? PLATFORM_SOURCE_SCREEN : PLATFORM_SOURCE_VIDEO,
                  device->video_track, owner_id(roster, device), active);
}

static bool replace_string(char **place, const char *value)
{
    if (g_strcmp0(*place, value) == 0) {
        return false;
    }
    g_free(*place);
    *place = g_strdup(value);
    return true;
}

static void leave(MeetRoster *roster, MeetDevice *device)
{
    bool was_here = device->present;
    device->present = false;
    if (was_here || device->told) { /* told while another device of theirs is here */
        meet_roster_settle(roster, device);
    }
    if (was_here && device->parent != NULL) {
        meet_roster_report_video(roster, device);
    }
}

/* Who says that a device is somebody's share takes it out of the people. */
static void take_share(MeetRoster *roster, MeetDevice *device, bool is_news)
{
    if (is_news) {
        meet_roster_settle(roster, device);
        meet_roster_report_audio(roster, device);
        meet_roster_report_video(roster, device);
    }
}

/* Returns whether there is anything new about the person. */
static bool take_details(MeetDevice *device, const MeetUser *user)
{
    bool changed = user->avatar_url != NULL && replace_string(&device->avatar, user->avatar_url);
    changed = changed || device->is_host != user->is_host || device->is_self != user->is_self;
    device->is_host = user->is_host;
    device->is_self = user->is_self;
    return changed;
}

void meet_roster_user(MeetRoster *roster, const MeetUser *user)
{
    MeetDevice *device = find_or_add(roster, user->device);
    if (device == NULL) {
        return;
    }
    g_autofree char *old_name = g_strdup(device->name);
    bool new_owner = replace_string(&device->parent, user->parent);
    bool renamed = user->name != NULL && replace_string(&device->name, user->name);
    bool changed = take_details(device, user) || renamed;
    device->in_sync = true;
    if (user->status > STATUS_IN_MEETING) { /* left, removed, or not yet let in */
        leave(roster, device);
        meet_roster_settle_name(roster, old_name);
        return;
    }
    bool joined = !device->present;
    bool told = device->told;
    device->present = true;
    if (device->parent != NULL) {
        take_share(roster, device, joined || new_owner);
    } else if (joined || changed || new_owner) {
        meet_roster_settle(roster, device);
    }
    if (renamed) {
        meet_roster_settle_name(roster, old_name);
    }
    if (joined && roster->rows != NULL) {
        meet_roster_list_again(roster); /* it may have told of this one before */
    }
    if (changed && told && device->told) {
        meet_roster_report(roster, PLATFORM_PARTICIPANT_UPDATED, device);
    }
}

static void take_audio(MeetRoster *roster, MeetDevice *device, bool disabled)
{
    bool muted_changed = device->muted != disabled;
    device->muted = disabled;
    if (device->present && device->parent == NULL) {
        meet_roster_settle(roster, device); /* who has a sound of their own is no companion */
    }
    meet_roster_report_audio(roster, device);
    if (muted_changed && device->told) {
        meet_roster_report(roster, PLATFORM_PARTICIPANT_UPDATED, device);
    }
}

void meet_roster_output(MeetRoster *roster, const MeetOutput *output)
{
    MeetDevice *device = find_or_add(roster, output->device);
    if (device == NULL) {
        return;
    }
    MeetOutput *mine = output->type == MEET_OUTPUT_AUDIO ? &device->audio : &device->video;
    /* An output that goes off may leave out its stream. */
    bool changed = output->stream != NULL && replace_string(&mine->stream, output->stream);
    changed = changed || mine->disabled != output->disabled;
    mine->type = output->type;
    mine->disabled = output->disabled;
    if (changed && output->type == MEET_OUTPUT_VIDEO) {
        meet_roster_report_video(roster, device);
    } else if (changed) {
        take_audio(roster, device, output->disabled);
    }
}

void meet_roster_begin_sync(MeetRoster *roster)
{
    GHashTableIter iter;
    gpointer device;
    g_hash_table_iter_init(&iter, roster->devices);
    while (g_hash_table_iter_next(&iter, NULL, &device)) {
        ((MeetDevice *)device)->in_sync = false;
    }
}

void meet_roster_end_sync(MeetRoster *roster)
{
    g_autoptr(GPtrArray) gone = g_ptr_array_new();
    bool any = false; /* an empty list is no list: Meet never leaves out the asker */
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, roster->devices);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        MeetDevice *device = value;
        any = any || device->in_sync;
        if (!device->in_sync && device->present) {
            g_ptr_array_add(gone, device);
        }
    }
    for (guint i = 0; any && i < gone->len; i++) {
        leave(roster, g_ptr_array_index(gone, i));
    }
}

static MeetDevice *device_of_stream(MeetRoster *roster, const char *stream)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, roster->devices);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        MeetDevice *device = value;
        if (g_strcmp0(device->video.stream, stream) == 0) {
            return device;
        }
    }
    return NULL;
}

static void add_stream(MeetRoster *roster, uint32_t track_id, const char *stream)
{
    for (guint i = 0; i < roster->tracks->len; i++) {
        const Track *track = g_ptr_array_index(roster->tracks, i);
        if (track->id == track_id && strcmp(track->stream, stream) == 0) {
            return;
        }
    }
    Track *track = g_new0(Track, 1);
    track->id = track_id;
    track->stream = g_strdup(stream);
    g_ptr_array_add(roster->tracks, track);
    MeetDevice *device = device_of_stream(roster, stream);
    if (device != NULL && track_of(roster, stream) != device->video_track) {
        meet_roster_report_video(roster, device);
    }
}

static void drop_track(MeetRoster *roster, uint32_t track_id, JsonArray *but)
{
    for (guint i = roster->tracks->len; i > 0; i--) {
        const Track *track = g_ptr_array_index(roster->tracks, i - 1);
        bool keep = track->id != track_id;
        for (guint k = 0; !keep && but != NULL && k < json_array_get_length(but); k++) {
            JsonNode *node = json_array_get_element(but, k);
            keep = JSON_NODE_HOLDS_VALUE(node) &&
                   g_strcmp0(json_node_get_string(node), track->stream) == 0;
        }
        if (!keep) {
            g_ptr_array_remove_index(roster->tracks, i - 1);
        }
    }
}

void meet_roster_track(MeetRoster *roster, uint32_t track_id, JsonArray *streams)
{
    drop_track(roster, track_id, streams);
    for (guint i = 0; streams != NULL && i < json_array_get_length(streams); i++) {
        JsonNode *node = json_array_get_element(streams, i);
        if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING) {
            add_stream(roster, track_id, json_node_get_string(node));
        }
    }
}

void meet_roster_track_ended(MeetRoster *roster, uint32_t track_id)
{
    drop_track(roster, track_id, NULL);
}

static const MeetDevice *actor(MeetRoster *roster, const char *id)
{
    const MeetDevice *device = meet_roster_find(roster, id);
    return device != NULL ? person_of(roster, device) : NULL;
}

const char *meet_roster_name(MeetRoster *roster, const char *device)
{
    const MeetDevice *person = actor(roster, device);
    return person != NULL ? person->name : NULL;
}

const char *meet_roster_person(MeetRoster *roster, const char *device)
{
    const MeetDevice *person = actor(roster, device);
    return person != NULL ? person->id : device;
}

/* Whose source stands for what @id says: of a room, its first device's; NULL: nobody's. */
static MeetDevice *voice_of(MeetRoster *roster, const char *id)
{
    MeetDevice *device = meet_roster_find(roster, id);
    if (device == NULL || !device->present || device->parent != NULL || device->is_self) {
        return NULL;
    }
    device = device->person != NULL ? device->person : device;
    return device->room != NULL ? g_ptr_array_index(device->room->members, 0) : device;
}

bool meet_roster_voice(MeetRoster *roster, const char *id, uint32_t *ret_source)
{
    MeetDevice *device = voice_of(roster, id);
    if (device == NULL || !device->told) {
        return false;
    }
    *ret_source = audio_source(device);
    if (*ret_source == 0) {
        bool is_new = device->own_source == 0;
        device->own_source =
            is_new ? FIRST_OWN_SOURCE + roster->n_own_sources++ : device->own_source;
        *ret_source = device->own_source;
        if (is_new) {
            report_audio_as(roster, device, device->own_source, true);
        }
    }
    return true;
}

bool meet_roster_is_self(MeetRoster *roster, const char *device)
{
    const MeetDevice *found = meet_roster_find(roster, device);
    return found != NULL && found->is_self;
}

unsigned meet_roster_n_present(MeetRoster *roster)
{
    unsigned n = 0;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, roster->devices);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        n += ((const MeetDevice *)value)->told ? 1 : 0;
    }
    return n;
}
