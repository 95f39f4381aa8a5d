/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zoom's web client: its wire is opaque and its sound and pictures are decoded by the page itself.
 * Sound is heard as the page plays it, one mix of everybody; who is there and who speaks in it is
 * what the page shows. The rest is rules.
 */
#include "platforms/adapter/adapter.h"
#include "platforms/adapter/marks.h"
#include "platforms/json.h"
#include "platforms/zoom/people.h"
#include "platforms/zoom/url.h"

#include <string.h>

#define MAX_CHAT_IDS 4096
#define MAX_ROWS 1000

typedef struct {
    Adapter adapter;
    ZoomPeople *people;    /* owned */
    GHashTable *seen_chat; /* owned: set of message ids */
    AdapterMarks marks;    /* of Zoom's number, or nothing, a line feed and the name */
} Zoom;

static Zoom *to_zoom(Adapter *adapter)
{
    g_assert(adapter->base.impl == &zoom_impl);
    return (Zoom *)adapter;
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

static void zoom_init(Adapter *adapter)
{
    static const ZoomPeopleEvents events = {.on_participant = on_participant,
                                            .on_source = on_source};
    Zoom *zoom = to_zoom(adapter);
    zoom->people = zoom_people_new(adapter->bot_name, &events, zoom);
    zoom->seen_chat = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    adapter->passcode = zoom_url_passcode(adapter->url);
}

static void zoom_on_named(Adapter *adapter)
{
    zoom_people_set_own_name(to_zoom(adapter)->people, adapter->bot_name);
}

static void zoom_clear(Adapter *adapter)
{
    Zoom *zoom = to_zoom(adapter);
    adapter_marks_clear(&zoom->marks);
    zoom_people_free(zoom->people);
    g_clear_pointer(&zoom->seen_chat, g_hash_table_unref);
}

// --- what the page tells ---

static JsonObject *object_at(JsonArray *array, guint i)
{
    JsonNode *node = json_array_get_element(array, i);
    return JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

/* The list has no numbers: those of the tiles beside it belong to its people. */
static void take_numbers(Zoom *zoom, JsonArray *tiles)
{
    guint n = tiles != NULL ? MIN(json_array_get_length(tiles), MAX_ROWS) : 0;
    for (guint i = 0; i < n; i++) {
        JsonObject *tile = object_at(tiles, i);
        zoom_people_tie(zoom->people, platform_json_string(tile, "name", ""),
                        platform_json_string(tile, "number", ""));
    }
}

static void take_people(Zoom *zoom, JsonObject *message)
{
    take_numbers(zoom, platform_json_array(message, "tiles"));
    JsonArray *array = platform_json_array(message, "rows");
    guint n = array != NULL ? MIN(json_array_get_length(array), MAX_ROWS) : 0;
    g_autofree ZoomRow *rows = g_new0(ZoomRow, n + 1);
    for (guint i = 0; i < n; i++) {
        JsonObject *row = object_at(array, i);
        rows[i] = (ZoomRow){.name = platform_json_string(row, "name", ""),
                            .is_host = platform_json_bool(row, "host", false),
                            .is_self = platform_json_bool(row, "self", false),
                            .muted = platform_json_bool(row, "muted", false),
                            .number = platform_json_string(row, "number", NULL)};
    }
    ZoomReading reading = !platform_json_bool(message, "listed", false)    ? ZOOM_READ_TILES
                          : platform_json_bool(message, "complete", false) ? ZOOM_READ_COMPLETE
                                                                           : ZOOM_READ_PART;
    zoom_people_read(zoom->people, rows, n, reading, adapter_now_ms());
}

/* Whom a mark means, see zoom_people_voice. */
static const char *voice_of(Zoom *zoom, const char *mark, uint32_t *ret_source)
{
    const char *name = strchr(mark, '\n');
    g_autofree char *number = name != NULL ? g_strndup(mark, (gsize)(name - mark)) : NULL;
    return name != NULL ? zoom_people_voice(zoom->people, name + 1, number, ret_source) : NULL;
}

static void take_speaking(Zoom *zoom, JsonObject *message)
{
    int64_t now_ns = g_get_monotonic_time() * 1000;
    adapter_marks_take(&zoom->marks, platform_json_array(message, "marks"), now_ns);
    const char *const *marks = adapter_marks_get(&zoom->marks, now_ns);
    for (size_t i = 0; marks[i] != NULL; i++) {
        uint32_t source;
        const char *id = voice_of(zoom, marks[i], &source);
        if (id != NULL) {
            adapter_report_speaker(&zoom->adapter, id);
        }
    }
}

static void take_chat(Zoom *zoom, JsonObject *message)
{
    const char *id = platform_json_string(message, "id", "");
    const char *from = platform_json_string(message, "from", "");
    const char *text = platform_json_string(message, "text", "");
    if (*text == '\0' || platform_json_bool(message, "own", false) ||
        g_strcmp0(from, zoom->adapter.bot_name) == 0 ||
        g_hash_table_size(zoom->seen_chat) >= MAX_CHAT_IDS ||
        !g_hash_table_add(zoom->seen_chat, g_strdup(id))) {
        return;
    }
    const char *number = platform_json_string(message, "number", NULL);
    zoom_people_tie(zoom->people, from, number);
    const char *who = zoom_people_named(zoom->people, from, number);
    adapter_report_chat(&zoom->adapter, who != NULL ? who : "", from, text);
}

static void zoom_on_message(Adapter *adapter, const char *type, JsonObject *message)
{
    Zoom *zoom = to_zoom(adapter);
    if (strcmp(type, "people") == 0) {
        take_people(zoom, message);
    } else if (strcmp(type, "speaking") == 0) {
        take_speaking(zoom, message);
    } else if (strcmp(type, "chat") == 0) {
        take_chat(zoom, message);
    }
}

// --- media ---

/* All sound is a mix, however it came; the page's marks say whose voices are in it. */
static MediaEncodedFrame *zoom_on_frame(Adapter *adapter, MediaEncodedFrame *frame)
{
    Zoom *zoom = to_zoom(adapter);
    if (media_codec_is_video(frame->codec)) {
        return media_encoded_frame_ref(frame);
    }
    MediaEncodedFrame *mixed = adapter_new_mixed(frame);
    const char *const *marks = adapter_marks_get(&zoom->marks, frame->receive_ns);
    for (size_t i = 0; marks[i] != NULL; i++) {
        uint32_t source;
        if (voice_of(zoom, marks[i], &source) != NULL) {
            mixed->csrcs[mixed->n_csrcs++] = source;
        }
    }
    return mixed;
}

static Platform *zoom_create(const PlatformConfig *config, const char *url,
                             const PlatformEvents *events, gpointer user_data, GError **error)
{
    static const AdapterKind kind = {
        .impl = &zoom_impl,
        .size = sizeof(Zoom),
        .drawn_video = true,
        .page_sound = true,
        .frames = true,
        .script = "/steno/zoom/page.js",
        .init = zoom_init,
        .clear = zoom_clear,
        .on_named = zoom_on_named,
        .on_message = zoom_on_message,
        .on_frame = zoom_on_frame,
    };
    return adapter_create(&kind, config, url, events, user_data, error);
}

const PlatformImpl zoom_impl = {
    .name = "zoom",
    .create = zoom_create,
    ADAPTER_SLOTS,
};
