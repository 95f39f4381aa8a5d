/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/json.h"
#include "platforms/meet/roster_priv.h"

#include <string.h>

#define MAX_ALIKE 8    /* more of one name are not compared: they are that many people */
#define MAX_ROOMS 1000 /* of a whole meeting */
#define MAX_ROOM_DEVICES 100
#define MAX_ROWS 1000
#define MAX_GROUP_BYTES 200

// --- whose device it is ---

static bool is_somebody(const MeetDevice *device)
{
    return device->present && device->parent == NULL && !device->is_self;
}

static bool has_sound(const MeetDevice *device)
{
    return device->audio.stream != NULL && *device->audio.stream != '\0';
}

/* Whether people of other names have it too: then it is nobody's own. */
static bool is_common_avatar(MeetRoster *roster, const MeetDevice *device)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, roster->devices);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const MeetDevice *other = value;
        if (other->present && g_strcmp0(other->avatar, device->avatar) == 0 &&
            strcmp(other->name, device->name) != 0) {
            return true;
        }
    }
    return false;
}

/* Two devices of one name and one picture, of which at most one can be heard. */
static bool is_one_person(MeetRoster *roster, const MeetDevice *device, const MeetDevice *other)
{
    bool both = device->present && other->present && has_sound(device) && has_sound(other);
    return !both && device->avatar != NULL && g_strcmp0(device->avatar, other->avatar) == 0 &&
           !is_common_avatar(roster, device);
}

/* The first of @device's person's devices among those called alike, and of that one's, if it has.
 */
static MeetDevice *eldest(MeetRoster *roster, MeetDevice *device, GPtrArray *alike)
{
    MeetDevice *found = device;
    for (guint i = 0; i < alike->len; i++) {
        MeetDevice *other = g_ptr_array_index(alike, i);
        if (other->number < found->number && is_one_person(roster, device, other)) {
            found = other;
        }
    }
    return found == device ? device : eldest(roster, found, alike);
}

static bool comes_before(const MeetDevice *device, const MeetDevice *other)
{
    return has_sound(device) != has_sound(other) ? has_sound(device)
                                                 : device->number < other->number;
}

/* Whom those called alike have for a device that the list calls a companion; or NULL. */
static MeetDevice *find_owner(MeetRoster *roster, const MeetDevice *device, GPtrArray *alike)
{
    MeetDevice *found = NULL;
    for (guint i = 0; i < alike->len; i++) {
        MeetDevice *other = g_ptr_array_index(alike, i);
        if (other != device && !other->marked && (found == NULL || comes_before(other, found)) &&
            eldest(roster, other, alike) == other) {
            found = other;
        }
    }
    return found;
}

/* Which of those called alike stands for @device's person; NULL: itself. */
static MeetDevice *find_person(MeetRoster *roster, MeetDevice *device, GPtrArray *alike)
{
    MeetDevice *first = eldest(roster, device, alike);
    MeetDevice *owner = first->marked ? find_owner(roster, first, alike) : NULL;
    return owner != NULL ? owner : first != device ? first : NULL;
}

static void report_shares(MeetRoster *roster, const MeetDevice *device)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, roster->devices);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        MeetDevice *share = value;
        if (share->present && g_strcmp0(share->parent, device->id) == 0) {
            meet_roster_report_video(roster, share);
        }
    }
}

static bool has_other_device(MeetRoster *roster, const MeetDevice *device)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, roster->devices);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const MeetDevice *other = value;
        if (other->person == device && is_somebody(other)) {
            return true;
        }
    }
    return false;
}

/* Who goes on with another device is still here, by the first one's id. */
static void appoint(MeetRoster *roster, MeetDevice *device, MeetDevice *person)
{
    bool here = device->present && device->parent == NULL;
    bool moved = device->person != person;
    bool goes_on = device->told && device->parent == NULL && has_other_device(roster, device);
    bool tell = person == NULL && (here || goes_on);
    bool joins = tell && !device->told;
    bool leaves = !tell && device->told;
    device->person = person;
    device->told = tell;
    if (joins || leaves) {
        meet_roster_report(roster, joins ? PLATFORM_PARTICIPANT_JOINED : PLATFORM_PARTICIPANT_LEFT,
                           device);
    }
    if (here && (joins || moved)) { /* outputs may have come before their user */
        meet_roster_report_audio(roster, device);
        meet_roster_report_video(roster, device);
    }
    if (here && moved) {
        report_shares(roster, device);
    }
}

static int by_number(gconstpointer a, gconstpointer b)
{
    const MeetDevice *first = *(MeetDevice *const *)a, *second = *(MeetDevice *const *)b;
    return (first->number > second->number) - (first->number < second->number);
}

static int by_youth(gconstpointer a, gconstpointer b)
{
    return by_number(b, a);
}

/* Those who came last first: who is only here by another device must know of it. */
static void appoint_alike(MeetRoster *roster, const char *name)
{
    g_autoptr(GPtrArray) alike = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, roster->devices);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const MeetDevice *device = value;
        bool counts = is_somebody(device) || (device->told && !device->is_self);
        if (counts && strcmp(device->name, name) == 0) {
            g_ptr_array_add(alike, value);
        }
    }
    g_ptr_array_sort(alike, by_youth);
    for (guint i = 0; i < alike->len; i++) {
        MeetDevice *device = g_ptr_array_index(alike, i);
        bool may_be = *name != '\0' && alike->len > 1 && alike->len <= MAX_ALIKE;
        appoint(roster, device, may_be ? find_person(roster, device, alike) : NULL);
    }
}

// --- who sits in one room ---

void meet_room_free(gpointer data)
{
    MeetRoom *room = data;
    g_free(room->id);
    g_free(room->name);
    g_ptr_array_unref(room->members);
    g_free(room);
}

bool meet_room_is_muted(const MeetRoom *room)
{
    bool muted = true;
    for (guint i = 0; i < room->members->len; i++) {
        muted = muted && ((MeetDevice *)g_ptr_array_index(room->members, i))->muted;
    }
    return muted;
}

static void report_room(MeetRoster *roster, PlatformParticipantOp op, const MeetRoom *room)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    for (guint i = 0; i < room->members->len; i++) {
        g_ptr_array_add(ids, ((MeetDevice *)g_ptr_array_index(room->members, i))->id);
    }
    g_ptr_array_add(ids, NULL);
    PlatformParticipant participant = {.platform_id = room->id,
                                       .name = room->name,
                                       .muted = meet_room_is_muted(room),
                                       .members = (const char *const *)ids->pdata};
    roster->events.on_participant(op, &participant, roster->user_data);
}

static char *name_room(GPtrArray *members)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < members->len; i++) {
        const MeetDevice *device = g_ptr_array_index(members, i);
        if (*device->name != '\0') {
            g_ptr_array_add(names, device->name);
        }
    }
    g_ptr_array_add(names, NULL);
    return g_strjoinv(", ", (char **)names->pdata);
}

/* The room of just these; NULL when there were too many rooms. */
static MeetRoom *room_of(MeetRoster *roster, GPtrArray *members)
{
    for (guint i = 0; i < roster->rooms->len; i++) {
        MeetRoom *room = g_ptr_array_index(roster->rooms, i);
        if (room->members->len == members->len &&
            memcmp(room->members->pdata, members->pdata, members->len * sizeof(gpointer)) == 0) {
            return room;
        }
    }
    if (roster->rooms->len >= MAX_ROOMS) {
        return NULL;
    }
    MeetRoom *room = g_new0(MeetRoom, 1);
    room->id = g_strdup_printf("merged-audio/%u", roster->rooms->len + 1);
    room->members = g_ptr_array_ref(members);
    g_ptr_array_add(roster->rooms, room);
    return room;
}

static void furnish(MeetRoster *roster, GPtrArray *members)
{
    MeetRoom *room = room_of(roster, members);
    if (room == NULL) {
        return;
    }
    g_autofree char *name = name_room(members);
    bool renamed = g_strcmp0(room->name, name) != 0;
    bool is_new = !room->present;
    if (renamed) {
        g_free(room->name);
        room->name = g_steal_pointer(&name);
    }
    room->wanted = true;
    room->present = true;
    for (guint i = 0; i < members->len; i++) {
        ((MeetDevice *)g_ptr_array_index(members, i))->next_room = room;
    }
    if (is_new || renamed) {
        report_room(roster, is_new ? PLATFORM_PARTICIPANT_JOINED : PLATFORM_PARTICIPANT_UPDATED,
                    room);
    }
}

/* Everybody by the order in which they came, so that events come in one order too. */
static GPtrArray *in_order(MeetRoster *roster)
{
    GPtrArray *devices = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, roster->devices);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        g_ptr_array_add(devices, value);
    }
    g_ptr_array_sort(devices, by_number);
    return devices;
}

static void add_member(GHashTable *groups, GPtrArray *list, const MeetDevice *device)
{
    MeetDevice *who = device->person != NULL ? device->person : (MeetDevice *)device;
    GPtrArray *members = g_hash_table_lookup(groups, device->group);
    if (members == NULL) {
        members = g_ptr_array_new();
        g_hash_table_insert(groups, device->group, members);
        g_ptr_array_add(list, members);
    }
    if (who->told && members->len < MAX_ROOM_DEVICES && !g_ptr_array_find(members, who, NULL)) {
        g_ptr_array_add(members, who);
    }
}

/* (element-type GPtrArray): of each group, who is here of it, in the order in which they came. */
static GPtrArray *collect_groups(GPtrArray *devices)
{
    g_autoptr(GHashTable) groups = g_hash_table_new(g_str_hash, g_str_equal);
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    for (guint i = 0; i < devices->len; i++) {
        MeetDevice *device = g_ptr_array_index(devices, i);
        device->next_room = NULL;
        if (device->group != NULL && is_somebody(device)) {
            add_member(groups, list, device);
        }
    }
    for (guint i = 0; i < list->len; i++) {
        g_ptr_array_sort(g_ptr_array_index(list, i), by_number);
    }
    return list;
}

static void furnish_all(MeetRoster *roster, GPtrArray *devices)
{
    g_autoptr(GPtrArray) groups = collect_groups(devices);
    for (guint i = 0; i < groups->len; i++) {
        GPtrArray *members = g_ptr_array_index(groups, i);
        if (members->len > 1) {
            furnish(roster, members);
        }
    }
}

/* A room is told of before the sound that becomes its own, and its end after it. */
static void regroup(MeetRoster *roster)
{
    g_autoptr(GPtrArray) devices = in_order(roster);
    for (guint i = 0; i < roster->rooms->len; i++) {
        ((MeetRoom *)g_ptr_array_index(roster->rooms, i))->wanted = false;
    }
    furnish_all(roster, devices);
    for (guint i = 0; i < devices->len; i++) {
        MeetDevice *device = g_ptr_array_index(devices, i);
        const MeetDevice *who = device->person != NULL ? device->person : device;
        bool moved = device->room != who->next_room;
        device->room = who->next_room;
        if (moved && is_somebody(device)) {
            meet_roster_report_audio(roster, device);
        }
    }
    for (guint i = 0; i < roster->rooms->len; i++) {
        MeetRoom *room = g_ptr_array_index(roster->rooms, i);
        if (room->present && !room->wanted) {
            room->present = false;
            report_room(roster, PLATFORM_PARTICIPANT_LEFT, room);
        }
    }
}

// --- both ---

void meet_roster_settle(MeetRoster *roster, MeetDevice *device)
{
    if (!is_somebody(device)) {
        appoint(roster, device, NULL);
    }
    meet_roster_settle_name(roster, device->name);
    if (device->group != NULL || device->room != NULL) {
        regroup(roster);
    }
}

void meet_roster_settle_name(MeetRoster *roster, const char *name)
{
    g_autofree char *kept = g_strdup(name);
    appoint_alike(roster, kept);
}

// --- what the page's list says ---

/* A row without a device's id: the only one who is called so, or of several the one that may be a
 * companion, for having no sound. */
static MeetDevice *named(MeetRoster *roster, const char *name, bool companion)
{
    MeetDevice *found = NULL;
    unsigned n = 0, n_silent = 0;
    MeetDevice *silent = NULL;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, roster->devices);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        MeetDevice *device = value;
        if (!is_somebody(device) || strcmp(device->name, name) != 0) {
            continue;
        }
        n++;
        found = device;
        n_silent += has_sound(device) ? 0 : 1;
        silent = has_sound(device) ? silent : device;
    }
    if (n > 1) {
        found = companion && n_silent == 1 ? silent : NULL;
    }
    return found;
}

typedef struct {
    const char *group; /* borrowed, or NULL */
    bool companion;
} Mark;

/* device -> owned Mark */
static GHashTable *read_rows(MeetRoster *roster, JsonArray *rows)
{
    GHashTable *marks = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    for (guint i = 0; i < json_array_get_length(rows) && i < MAX_ROWS; i++) {
        JsonNode *node = json_array_get_element(rows, i);
        if (!JSON_NODE_HOLDS_OBJECT(node)) {
            continue;
        }
        JsonObject *row = json_node_get_object(node);
        const char *id = platform_json_string(row, "device", "");
        const char *name = platform_json_string(row, "name", "");
        const char *group = platform_json_string(row, "group", "");
        bool companion = platform_json_bool(row, "companion", false);
        MeetDevice *device =
            *id != '\0' ? meet_roster_find(roster, id) : named(roster, name, companion);
        if (device != NULL) {
            bool usable = *group != '\0' && strlen(group) <= MAX_GROUP_BYTES;
            Mark mark = {usable ? group : NULL, companion};
            g_hash_table_replace(marks, device, g_memdup2(&mark, sizeof mark));
        }
    }
    return marks;
}

void meet_roster_list(MeetRoster *roster, JsonArray *rows)
{
    g_clear_pointer(&roster->rows, json_array_unref);
    roster->rows = rows != NULL ? json_array_ref(rows) : json_array_new();
    meet_roster_list_again(roster);
}

void meet_roster_list_again(MeetRoster *roster)
{
    static const Mark none = {NULL, false};
    g_autoptr(GHashTable) marks = read_rows(roster, roster->rows);
    g_autoptr(GPtrArray) devices = in_order(roster);
    bool regrouped = false;
    for (guint i = 0; i < devices->len; i++) {
        MeetDevice *device = g_ptr_array_index(devices, i);
        const Mark *mark = g_hash_table_lookup(marks, device);
        mark = mark != NULL ? mark : &none;
        if (g_strcmp0(device->group, mark->group) != 0) {
            g_free(device->group);
            device->group = g_strdup(mark->group);
            regrouped = true;
        }
        if (device->marked != mark->companion) {
            device->marked = mark->companion;
            meet_roster_settle_name(roster, device->name);
            regrouped = true;
        }
    }
    if (regrouped) {
        regroup(roster);
    }
}
