/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/meet/roster.h"

#include <string.h>

#define MAX_DEVICES 5000 /* of a whole meeting; beyond it, newcomers are not named */
#define STATUS_IN_MEETING 1
#define FIRST_OWN_SOURCE 0xf2000000u /* no contributing source of a packet looks like this */

typedef struct {
    char *id;     /* owned */
    char *name;   /* owned */
    char *avatar; /* owned, or NULL */
    char *parent; /* owned, or NULL: this is a screen share of that device */
    bool is_host, is_self, muted;
    bool present;
    bool in_sync;            /* seen since begin_sync */
    MeetOutput audio, video; /* stream and device owned; stream NULL: none */
    uint32_t video_track;    /* last reported for its stream; 0: none */
    uint32_t own_source;     /* of its sound, when the wire names none; 0: not needed yet */
} Device;

typedef struct {
    uint32_t id;
    char *stream; /* owned */
} Track;

struct MeetRoster {
    MeetRosterEvents events;
    gpointer user_data;
    GHashTable *devices; /* id (in the Device) -> owned Device */
    GPtrArray *tracks;   /* of owned Track */
    uint32_t n_own_sources;
};

static void device_free(gpointer data)
{
    Device *device = data;
    g_free(device->id);
    g_free(device->name);
    g_free(device->avatar);
    g_free(device->parent);
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
    return roster;
}

void meet_roster_free(MeetRoster *roster)
{
    if (roster == NULL) {
        return;
    }
    g_hash_table_unref(roster->devices);
    g_ptr_array_unref(roster->tracks);
    g_free(roster);
}

static Device *find(MeetRoster *roster, const char *id)
{
    return id != NULL ? g_hash_table_lookup(roster->devices, id) : NULL;
}

static Device *find_or_add(MeetRoster *roster, const char *id)
{
    Device *device = find(roster, id);
    if (device == NULL && g_hash_table_size(roster->devices) < MAX_DEVICES) {
        device = g_new0(Device, 1);
        device->id = g_strdup(id);
        device->name = g_strdup("");
        g_hash_table_insert(roster->devices, device->id, device);
    }
    return device;
}

static void report(MeetRoster *roster, PlatformParticipantOp op, const Device *device)
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

static void report_source(MeetRoster *roster, PlatformSourceKind kind, uint32_t source,
                          const Device *device, bool active)
{
    const char *owner = device->parent != NULL ? device->parent : device->id;
    PlatformSource event = {.kind = kind, .source = source, .platform_id = owner, .active = active};
    roster->events.on_source(&event, roster->user_data);
}

/* 0: the wire names none. */
static uint32_t audio_source(const Device *device)
{
    guint64 csrc = 0;
    bool named = device->audio.stream != NULL &&
                 g_ascii_string_to_unsigned(device->audio.stream, 10, 0, G_MAXUINT32, &csrc, NULL);
    return named ? (uint32_t)csrc : 0;
}

static void report_audio(MeetRoster *roster, const Device *device)
{
    uint32_t source = audio_source(device);
    if (source != 0) {
        report_source(roster, PLATFORM_SOURCE_AUDIO, source, device, !device->audio.disabled);
    }
}

static void report_video(MeetRoster *roster, Device *device)
{
    if (device->video.stream == NULL) {
        return;
    }
    device->video_track = track_of(roster, device->video.stream);
    bool is_share = device->parent != NULL;
    /* A share ends by leaving; outputs that still speak of it come after that. */
    bool active = !device->video.disabled && (!is_share || device->present);
    report_source(roster, is_share ? PLATFORM_SOURCE_SCREEN : PLATFORM_SOURCE_VIDEO,
                  device->video_track, device, active);
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

static void leave(MeetRoster *roster, Device *device)
{
    if (!device->present) {
        return;
    }
    device->present = false;
    if (device->parent == NULL) {
        report(roster, PLATFORM_PARTICIPANT_LEFT, device);
    } else {
        report_video(roster, device);
    }
}

void meet_roster_user(MeetRoster *roster, const MeetUser *user)
{
    Device *device = find_or_add(roster, user->device);
    if (device == NULL) {
        return;
    }
    bool new_owner = replace_string(&device->parent, user->parent);
    bool changed = user->name != NULL && replace_string(&device->name, user->name);
    changed =
        (user->avatar_url != NULL && replace_string(&device->avatar, user->avatar_url)) || changed;
    changed = changed || device->is_host != user->is_host || device->is_self != user->is_self;
    device->is_host = user->is_host;
    device->is_self = user->is_self;
    device->in_sync = true;
    if (user->status > STATUS_IN_MEETING) { /* left, removed, or not yet let in */
        leave(roster, device);
        return;
    }
    bool joined = !device->present;
    device->present = true;
    if (device->parent == NULL && (joined || changed)) {
        report(roster, joined ? PLATFORM_PARTICIPANT_JOINED : PLATFORM_PARTICIPANT_UPDATED, device);
    }
    if (joined || new_owner) { /* outputs may have come before their user */
        report_audio(roster, device);
        report_video(roster, device);
    }
}

void meet_roster_output(MeetRoster *roster, const MeetOutput *output)
{
    Device *device = find_or_add(roster, output->device);
    if (device == NULL) {
        return;
    }
    MeetOutput *mine = output->type == MEET_OUTPUT_AUDIO ? &device->audio : &device->video;
    /* An output that goes off may leave out its stream. */
    bool changed = output->stream != NULL && replace_string(&mine->stream, output->stream);
    changed = changed || mine->disabled != output->disabled;
    mine->type = output->type;
    mine->disabled = output->disabled;
    if (!changed) {
        return;
    }
    if (output->type == MEET_OUTPUT_VIDEO) {
        report_video(roster, device);
        return;
    }
    report_audio(roster, device);
    bool muted_changed = device->muted != output->disabled;
    device->muted = output->disabled;
    if (muted_changed && device->present && device->parent == NULL) {
        report(roster, PLATFORM_PARTICIPANT_UPDATED, device);
    }
}

void meet_roster_begin_sync(MeetRoster *roster)
{
    GHashTableIter iter;
    gpointer device;
    g_hash_table_iter_init(&iter, roster->devices);
    while (g_hash_table_iter_next(&iter, NULL, &device)) {
        ((Device *)device)->in_sync = false;
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
        Device *device = value;
        any = any || device->in_sync;
        if (!device->in_sync && device->present) {
            g_ptr_array_add(gone, device);
        }
    }
    for (guint i = 0; any && i < gone->len; i++) {
        leave(roster, g_ptr_array_index(gone, i));
    }
}

static Device *device_of_stream(MeetRoster *roster, const char *stream)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, roster->devices);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Device *device = value;
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
    Device *device = device_of_stream(roster, stream);
    if (device != NULL && track_of(roster, stream) != device->video_track) {
        report_video(roster, device);
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

const char *meet_roster_name(MeetRoster *roster, const char *device)
{
    Device *found = find(roster, device);
    if (found != NULL && found->parent != NULL) {
        found = find(roster, found->parent);
    }
    return found != NULL ? found->name : NULL;
}

bool meet_roster_voice(MeetRoster *roster, const char *id, uint32_t *ret_source)
{
    Device *device = find(roster, id);
    if (device == NULL || !device->present || device->is_self || device->parent != NULL) {
        return false;
    }
    *ret_source = audio_source(device);
    if (*ret_source == 0) {
        bool is_new = device->own_source == 0;
        device->own_source =
            is_new ? FIRST_OWN_SOURCE + roster->n_own_sources++ : device->own_source;
        *ret_source = device->own_source;
        if (is_new) {
            report_source(roster, PLATFORM_SOURCE_AUDIO, device->own_source, device, true);
        }
    }
    return true;
}

bool meet_roster_is_self(MeetRoster *roster, const char *device)
{
    Device *found = find(roster, device);
    return found != NULL && found->is_self;
}

unsigned meet_roster_n_present(MeetRoster *roster)
{
    unsigned n = 0;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, roster->devices);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Device *device = value;
        n += device->present && device->parent == NULL ? 1 : 0;
    }
    return n;
}
