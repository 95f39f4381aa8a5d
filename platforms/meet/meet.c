/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Google Meet: who is there and what they send comes from the `collections` channel and the bodies
 * of its sync call; the rest is rules.
 */
#include "platforms/adapter/adapter.h"
#include "platforms/adapter/marks.h"
#include "platforms/json.h"
#include "platforms/meet/roster.h"
#include "platforms/meet/url.h"

#include <string.h>

#define MAX_CHAT_IDS 4096
/* 10 ms each: what the page plays for longer, and nobody's tile tells of, is no chime. */
#define CHIME_FRAMES 300

typedef struct {
    Adapter adapter;
    MeetRoster *roster;    /* owned */
    GHashTable *seen_chat; /* owned: set of message ids */
    GHashTable *played;    /* owned: set of tracks that the page plays by itself */
    AdapterMarks marks;    /* devices whose tiles have one */
    unsigned n_untold;     /* frames of such tracks before anybody's tile told of sound */
} Meet;

static Meet *to_meet(Adapter *adapter)
{
    g_assert(adapter->base.impl == &meet_impl);
    return (Meet *)adapter;
}

static void on_participant(PlatformParticipantOp op, const PlatformParticipant *participant,
                           gpointer user_data)
{
    adapter_report_participant(user_data, op, participant);
}

static void on_source(const PlatformSource *source, gpointer user_data)
{
    adapter_report_source(user_data, source);
}

static void meet_init(Adapter *adapter)
{
    static const MeetRosterEvents events = {.on_participant = on_participant,
                                            .on_source = on_source};
    Meet *meet = to_meet(adapter);
    meet->roster = meet_roster_new(&events, meet);
    meet->seen_chat = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    meet->played = g_hash_table_new(NULL, NULL);
}

static void meet_clear(Adapter *adapter)
{
    Meet *meet = to_meet(adapter);
    meet_roster_free(meet->roster);
    g_clear_pointer(&meet->seen_chat, g_hash_table_unref);
    g_clear_pointer(&meet->played, g_hash_table_unref);
    adapter_marks_clear(&meet->marks);
}

static void on_user(const MeetUser *user, gpointer user_data)
{
    meet_roster_user(((Meet *)user_data)->roster, user);
}

static void on_output(const MeetOutput *output, gpointer user_data)
{
    meet_roster_output(((Meet *)user_data)->roster, output);
}

static void on_chat(const MeetChat *chat, gpointer user_data)
{
    Meet *meet = user_data;
    if (meet_roster_is_self(meet->roster, chat->device)) {
        return;
    }
    if (chat->id != NULL && g_hash_table_size(meet->seen_chat) < MAX_CHAT_IDS &&
        !g_hash_table_add(meet->seen_chat, g_strdup(chat->id))) {
        return; /* told twice */
    }
    const char *name = meet_roster_name(meet->roster, chat->device);
    adapter_report_chat(&meet->adapter, meet_roster_person(meet->roster, chat->device),
                        name != NULL ? name : "", chat->text);
}

static void meet_on_data(Adapter *adapter, bool fetch, const char *name, GBytes *data)
{
    static const MeetCollectionsSink sink = {
        .on_user = on_user, .on_output = on_output, .on_chat = on_chat};
    Meet *meet = to_meet(adapter);
    g_autoptr(GError) error = NULL;
    gsize size;
    const void *bytes = g_bytes_get_data(data, &size);
    bool good;
    if (fetch) {
        meet_roster_begin_sync(meet->roster);
        good = meet_collections_parse_sync(bytes, size, &sink, meet, &error);
        if (good) {
            meet_roster_end_sync(meet->roster);
        }
    } else {
        good = meet_collections_parse(bytes, size, &sink, meet, &error);
    }
    if (!good) {
        adapter_warn(adapter, "roster_message", error->message);
    }
}

static void meet_on_track(Adapter *adapter, uint32_t id, JsonObject *track)
{
    if (strcmp(platform_json_string(track, "kind", ""), "video") == 0) {
        meet_roster_track(to_meet(adapter)->roster, id, platform_json_array(track, "streams"));
    } else if (strcmp(platform_json_string(track, "mode", ""), "page") == 0) {
        g_hash_table_add(to_meet(adapter)->played, GUINT_TO_POINTER(id));
    }
}

static void meet_on_track_ended(Adapter *adapter, uint32_t id)
{
    g_hash_table_remove(to_meet(adapter)->played, GUINT_TO_POINTER(id));
    meet_roster_track_ended(to_meet(adapter)->roster, id);
}

/* Who speaks in sound that the page decodes itself is what its tiles tell; who sits in one room, or
 * has a second device, is what its list tells. */
static void meet_on_message(Adapter *adapter, const char *type, JsonObject *message)
{
    if (strcmp(type, "list") == 0) {
        meet_roster_list(to_meet(adapter)->roster, platform_json_array(message, "rows"));
    } else if (strcmp(type, "speaking") == 0) {
        adapter_marks_take(&to_meet(adapter)->marks, platform_json_array(message, "ids"),
                           g_get_monotonic_time() * 1000);
    }
}

static bool has_source(const MediaEncodedFrame *frame, uint32_t source)
{
    for (int i = 0; i < frame->n_csrcs; i++) {
        if (frame->csrcs[i] == source) {
            return true;
        }
    }
    return false;
}

/* Meet keeps people apart, but for a mix that the page plays. */
static MediaEncodedFrame *meet_on_frame(Adapter *adapter, MediaEncodedFrame *frame)
{
    Meet *meet = to_meet(adapter);
    if (!g_hash_table_contains(meet->played, GUINT_TO_POINTER(frame->track_id))) {
        return media_encoded_frame_ref(frame);
    }
    const char *const *devices = adapter_marks_get(&meet->marks, frame->receive_ns);
    if (devices[0] != NULL) {
        meet->n_untold = CHIME_FRAMES;
    } else if (meet->n_untold < CHIME_FRAMES) {
        meet->n_untold++;
        return NULL;
    }
    MediaEncodedFrame *mixed = adapter_new_mixed(frame);
    for (size_t i = 0; devices[i] != NULL; i++) {
        uint32_t source;
        if (meet_roster_voice(meet->roster, devices[i], &source) && !has_source(mixed, source)) {
            mixed->csrcs[mixed->n_csrcs++] = source;
        }
    }
    return mixed;
}

static Platform *meet_create(const PlatformConfig *config, const char *url,
                             const PlatformEvents *events, gpointer user_data, GError **error)
{
    static const AdapterKind kind = {
        .impl = &meet_impl,
        .size = sizeof(Meet),
        .classic_audio = true,
        .names_accounts = true,
        .page_sound = true,
        .script = "/steno/meet/page.js",
        .init = meet_init,
        .clear = meet_clear,
        .on_data = meet_on_data,
        .on_message = meet_on_message,
        .on_track = meet_on_track,
        .on_track_ended = meet_on_track_ended,
        .on_frame = meet_on_frame,
    };
    return adapter_create(&kind, config, url, events, user_data, error);
}

const PlatformImpl meet_impl = {
    .name = "meet",
    .create = meet_create,
    ADAPTER_SLOTS,
};
