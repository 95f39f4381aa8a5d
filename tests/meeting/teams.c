// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/teams.h"

#include <json-glib/json-glib.h>
#include <string.h>

guint32 meeting_teams_video_source(guint32 csrc)
{
    return csrc + 10000;
}

guint32 meeting_teams_screen_source(guint32 csrc)
{
    return csrc + 20000;
}

static void set_string(JsonBuilder *b, const char *key, const char *value)
{
    json_builder_set_member_name(b, key);
    json_builder_add_string_value(b, value);
}

static void set_int(JsonBuilder *b, const char *key, gint64 value)
{
    json_builder_set_member_name(b, key);
    json_builder_add_int_value(b, value);
}

static void begin_object(JsonBuilder *b, const char *key)
{
    json_builder_set_member_name(b, key);
    json_builder_begin_object(b);
}

static char *finish(JsonBuilder *b)
{
    g_autoptr(JsonNode) root = json_builder_get_root(b);
    return json_to_string(root, FALSE);
}

// --- the roster ---

static const MeetingUser *find(GPtrArray *users, const char *device)
{
    for (guint i = 0; i < users->len; i++) {
        const MeetingUser *user = g_ptr_array_index(users, i);
        if (g_str_equal(user->device, device))
            return user;
    }
    return NULL;
}

static const MeetingUser *screen_of(GPtrArray *users, const MeetingUser *user)
{
    for (guint i = 0; i < users->len; i++) {
        const MeetingUser *screen = g_ptr_array_index(users, i);
        if (g_strcmp0(screen->parent, user->device) == 0)
            return screen;
    }
    return NULL;
}

static void add_stream(JsonBuilder *b, const char *type, guint32 source, const char *direction)
{
    json_builder_begin_object(b);
    set_string(b, "type", type);
    set_int(b, "sourceId", source);
    set_string(b, "direction", direction);
    json_builder_end_object(b);
}

static void add_endpoints(JsonBuilder *b, const MeetingUser *user, const MeetingUser *screen)
{
    begin_object(b, "endpoints");
    begin_object(b, "00000000-0000-4000-8000-000000000001");
    begin_object(b, "call");
    json_builder_set_member_name(b, "mediaStreams");
    json_builder_begin_array(b);
    if (user->csrc != 0) {
        bool shows = user->video_stream != NULL && !user->video_off;
        add_stream(b, "audio", user->csrc, user->muted ? "recvonly" : "sendrecv");
        add_stream(b, "video", meeting_teams_video_source(user->csrc),
                   shows ? "sendrecv" : "recvonly");
        if (screen != NULL)
            add_stream(b, "applicationsharing-video", meeting_teams_screen_source(user->csrc),
                       "sendonly");
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
    json_builder_end_object(b);
    json_builder_end_object(b);
}

static void add_user(JsonBuilder *b, const MeetingUser *user, const MeetingUser *before,
                     const MeetingUser *screen)
{
    begin_object(b, user->device);
    if (before == NULL) {
        begin_object(b, "details");
        set_string(b, "id", user->device);
        set_string(b, "displayName", user->name);
        json_builder_end_object(b);
        set_string(b, "state", "active");
        set_string(b, "meetingRole", user->host ? "organizer" : "attendee");
    }
    add_endpoints(b, user, screen);
    json_builder_end_object(b);
}

static void add_gone(JsonBuilder *b, const MeetingUser *user)
{
    begin_object(b, user->device);
    set_string(b, "state", "inactive");
    begin_object(b, "endpoints");
    json_builder_set_member_name(b, "00000000-0000-4000-8000-000000000001");
    json_builder_add_null_value(b);
    json_builder_end_object(b);
    json_builder_end_object(b);
}

static bool has_changed(GPtrArray *users, GPtrArray *known, const MeetingUser *user)
{
    const MeetingUser *before = find(known, user->device);
    return before == NULL || !meeting_user_equal(before, user) ||
           (screen_of(users, user) == NULL) != (screen_of(known, user) == NULL);
}

/* Writes "participants" with what changed. Returns how many did. */
static guint add_participants(JsonBuilder *b, GPtrArray *users, GPtrArray *known)
{
    guint n = 0;
    begin_object(b, "participants");
    for (guint i = 0; i < users->len; i++) {
        const MeetingUser *user = g_ptr_array_index(users, i);
        if (user->parent == NULL && has_changed(users, known, user)) {
            add_user(b, user, find(known, user->device), screen_of(users, user));
            n++;
        }
    }
    for (guint i = 0; i < known->len; i++) {
        const MeetingUser *user = g_ptr_array_index(known, i);
        if (user->parent == NULL && find(users, user->device) == NULL) {
            add_gone(b, user);
            n++;
        }
    }
    json_builder_end_object(b);
    return n;
}

// --- frames ---

static char *pack(const char *json)
{
    g_autoptr(GZlibCompressor) compressor = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 6);
    g_autoptr(GOutputStream) memory = g_memory_output_stream_new_resizable();
    g_autoptr(GOutputStream) stream =
        g_converter_output_stream_new(memory, G_CONVERTER(compressor));
    g_output_stream_write_all(stream, json, strlen(json), NULL, NULL, NULL);
    g_output_stream_close(stream, NULL, NULL);
    g_autoptr(GBytes) bytes = g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(memory));
    return g_base64_encode(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

static char *frame(const char *path, const char *call, const char *body)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    set_int(b, "id", 1);
    set_string(b, "method", "POST");
    set_string(b, "url", path);
    begin_object(b, "headers");
    set_string(b, "X-Microsoft-Skype-Chain-ID", call);
    json_builder_end_object(b);
    set_string(b, "body", body);
    json_builder_end_object(b);
    g_autofree char *json = finish(b);
    return g_strconcat("3:::", json, NULL);
}

char *meeting_teams_update(GPtrArray *users, GPtrArray *known)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    guint n = add_participants(b, users, known);
    json_builder_end_object(b);
    g_autofree char *json = finish(b), *body = pack(json);
    return n > 0 ? frame("/v4/f/steno/call/rosterUpdate/", MEETING_TEAMS_CALL, body) : NULL;
}

char *meeting_teams_snapshot(GPtrArray *users)
{
    g_autoptr(GPtrArray) nobody = g_ptr_array_new();
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    begin_object(b, "roster");
    set_int(b, "sequenceNumber", 1);
    add_participants(b, users, nobody);
    json_builder_end_object(b);
    json_builder_end_object(b);
    return finish(b);
}

char *meeting_teams_end(int sub_code, const char *sender_id, const char *sender_name,
                        const char *call)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    set_int(b, "code", 0);
    set_int(b, "subCode", sub_code);
    if (sender_id != NULL) {
        begin_object(b, "sender");
        set_string(b, "id", sender_id);
        set_string(b, "displayName", sender_name);
        json_builder_end_object(b);
    }
    json_builder_end_object(b);
    g_autofree char *json = finish(b);
    g_autofree char *body = sender_id != NULL ? pack(json) : g_strdup(json); /* both are seen */
    return frame("/v4/f/steno/conversation/conversationEnd/", call, body);
}

// --- main-channel ---

/* A few bytes of binary, then JSON. */
static GBytes *channel_message(const char *json)
{
    guint32 length = (guint32)strlen(json);
    guint8 head[6] = {
        0x00,          0x01, (guint8)(length >> 24), (guint8)(length >> 16), (guint8)(length >> 8),
        (guint8)length};
    g_autoptr(GByteArray) message = g_byte_array_new();
    g_byte_array_append(message, head, sizeof head);
    g_byte_array_append(message, (const guint8 *)json, length);
    return g_byte_array_free_to_bytes(g_steal_pointer(&message));
}

GBytes *meeting_teams_dominant(const guint32 *sources, guint n)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_array(b);
    json_builder_begin_object(b);
    set_string(b, "type", "dsh");
    json_builder_set_member_name(b, "history");
    json_builder_begin_array(b);
    for (guint i = 0; i < n; i++)
        json_builder_add_int_value(b, sources[i]);
    json_builder_end_array(b);
    json_builder_end_object(b);
    json_builder_end_array(b);
    g_autofree char *json = finish(b);
    return channel_message(json);
}

GBytes *meeting_teams_caption(const char *user_id, const char *text, bool is_final)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "recognitionResults");
    json_builder_begin_array(b);
    json_builder_begin_object(b);
    set_string(b, "userId", user_id);
    set_string(b, "text", text);
    json_builder_set_member_name(b, "isFinal");
    json_builder_add_boolean_value(b, is_final);
    /* 100 ns since 1900 */
    set_int(b, "timestampAudioSent",
            (g_get_real_time() + G_GINT64_CONSTANT(2208988800) * G_USEC_PER_SEC) * 10);
    set_int(b, "duration", 5000000);
    json_builder_end_object(b);
    json_builder_end_array(b);
    json_builder_end_object(b);
    g_autofree char *json = finish(b);
    return channel_message(json);
}
