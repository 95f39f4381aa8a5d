/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Microsoft Teams: who is there comes from the signalling socket and HTTP answers, who speaks from
 * the mix's contributing sources and `main-channel`, which picture is whose from what our own page
 * asks for on that channel. The rest is rules.
 */
#include "platforms/adapter/adapter.h"
#include "platforms/json.h"
#include "platforms/teams/calls.h"
#include "platforms/teams/url.h"
#include "platforms/teams/voices.h"

#include <string.h>

#define MAX_CHAT_IDS 4096
/* Pages of a gallery turn: who has no tile for so long has gone. */
#define UNSHOWN_NS (INT64_C(60) * G_USEC_PER_SEC * 1000)
#define MAX_TILES 100
#define MAX_NAME_BYTES 400
/* The wire gets so long, from the call on, before the page is believed instead. */
#define WIRE_FIRST_NS (INT64_C(5) * G_USEC_PER_SEC * 1000)
#define WANT_CAPTIONS_NS (INT64_C(8) * G_USEC_PER_SEC * 1000)

typedef struct {
    Adapter adapter;
    TeamsRoster *roster;    /* owned */
    TeamsCalls *calls;      /* owned */
    GHashTable *seen_chat;  /* owned: set of message ids */
    GHashTable *tiles;      /* owned: name -> when it was shown last, in seconds */
    int64_t first_tiles_ns; /* 0: none yet */
    TeamsVoices voices;
    TeamsEvidence evidence; /* of the last packet */
    bool asked_captions;
} Teams;

static Teams *to_teams(Adapter *adapter)
{
    g_assert(adapter->base.impl == &teams_impl);
    return (Teams *)adapter;
}

static int64_t now_ns(void)
{
    return g_get_monotonic_time() * 1000;
}

static void on_roster_participant(PlatformParticipantOp op, const PlatformParticipant *participant,
                                  gpointer user_data)
{
    adapter_report_participant(user_data, op, participant);
}

static void on_roster_source(const PlatformSource *source, gpointer user_data)
{
    adapter_report_source(user_data, source);
}

static void teams_init(Adapter *adapter)
{
    static const TeamsRosterEvents events = {.on_participant = on_roster_participant,
                                             .on_source = on_roster_source};
    Teams *teams = to_teams(adapter);
    teams->roster = teams_roster_new(adapter->bot_name, &events, teams);
    teams->calls = teams_calls_new();
    teams->seen_chat = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    teams->tiles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    teams_voices_init(&teams->voices);
}

static void teams_on_named(Adapter *adapter)
{
    teams_roster_set_own_name(to_teams(adapter)->roster, adapter->bot_name);
}

static void teams_clear(Adapter *adapter)
{
    Teams *teams = to_teams(adapter);
    teams_roster_free(teams->roster);
    teams_calls_free(teams->calls);
    g_clear_pointer(&teams->seen_chat, g_hash_table_unref);
    g_clear_pointer(&teams->tiles, g_hash_table_unref);
}

// --- signals ---

static void on_participant(const TeamsParticipant *participant, gpointer user_data)
{
    teams_roster_participant(((Teams *)user_data)->roster, participant);
}

static void on_endpoint(const char *participant_id, const TeamsEndpoint *endpoint,
                        gpointer user_data)
{
    teams_roster_endpoint(((Teams *)user_data)->roster, participant_id, endpoint);
}

static void on_conversation_end(const TeamsConversationEnd *end, gpointer user_data)
{
    static const struct {
        int64_t sub_code;
        PlatformLeft left;
        const char *message;
    } known[] = {
        {5854, PLATFORM_LEFT_DENIED, "the request to join was denied"},
        {5723, PLATFORM_LEFT_LOGIN_REQUIRED, "the organizer's tenant lets no anonymous guests in"},
        {5000, PLATFORM_LEFT_REMOVED, "somebody removed the bot from the meeting"},
        {5300, PLATFORM_LEFT_REMOVED, "somebody removed the bot from the meeting"},
    };
    Teams *teams = user_data;
    if (end->sender_id != NULL && teams_roster_is_self(teams->roster, end->sender_id)) {
        return; /* our own leaving */
    }
    if (!teams_calls_is_ours(teams->calls, end->call_id)) {
        g_info("another call of this account ended");
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        if (known[i].sub_code == end->sub_code) {
            adapter_tell_left(&teams->adapter, known[i].left, known[i].message);
            return;
        }
    }
    adapter_tell_left(&teams->adapter, PLATFORM_LEFT_ENDED, "the meeting ended");
}

static void on_roster_call(const char *call_id, gpointer user_data)
{
    teams_calls_note_roster(((Teams *)user_data)->calls, call_id);
}

static void on_dominant(const int64_t *source_ids, unsigned n, gpointer user_data)
{
    Teams *teams = user_data;
    const char *id = n > 0 ? teams_roster_speaker(teams->roster, source_ids[0]) : NULL;
    teams_voices_dominant(&teams->voices, source_ids, n, now_ns());
    if (id != NULL && !teams_roster_is_self(teams->roster, id)) {
        adapter_report_speaker(&teams->adapter, id);
    }
}

static void on_caption(const char *user_id, bool is_final, gpointer user_data)
{
    Teams *teams = user_data;
    teams_voices_caption(&teams->voices, teams->roster, user_id, now_ns());
}

static void on_subscription(int64_t source_id, const char *stream, gpointer user_data)
{
    teams_roster_subscription(((Teams *)user_data)->roster, source_id, stream);
}

static void teams_on_data(Adapter *adapter, bool fetch, const char *name, GBytes *data)
{
    static const TeamsSignalsSink sink = {
        .on_participant = on_participant,
        .on_endpoint = on_endpoint,
        .on_conversation_end = on_conversation_end,
        .on_dominant = on_dominant,
        .on_caption = on_caption,
        .on_subscription = on_subscription,
        .on_roster_call = on_roster_call,
    };
    Teams *teams = to_teams(adapter);
    g_autoptr(GError) error = NULL;
    gsize size;
    const void *bytes = g_bytes_get_data(data, &size);
    if (fetch) {
        teams_signals_parse_snapshot(bytes, size, &sink, teams);
    } else if (g_str_has_prefix(name, "main-channel")) {
        teams_signals_parse_channel(bytes, size, &sink, teams, &error);
    } else {
        teams_signals_parse_trouter(bytes, size, &sink, teams, &error);
    }
    if (error != NULL) {
        adapter_warn(adapter, "roster_message", error->message);
    }
}

// --- the page's own words ---

/* A label behind a name is the page's, unless the wire knows somebody by the whole of it. */
static const char *name_in(Teams *teams, JsonObject *message)
{
    const char *shown = platform_json_string(message, "shown", "");
    return teams_roster_named(teams->roster, shown) != NULL
               ? shown
               : platform_json_string(message, "name", shown);
}

/* A chat message that the page shows. */
static void take_chat(Teams *teams, JsonObject *message)
{
    const char *id = platform_json_string(message, "id", "");
    const char *from = name_in(teams, message);
    const char *text = platform_json_string(message, "text", "");
    if (*text == '\0' || g_strcmp0(from, teams->adapter.bot_name) == 0 ||
        g_hash_table_size(teams->seen_chat) >= MAX_CHAT_IDS ||
        !g_hash_table_add(teams->seen_chat, g_strdup(id))) {
        return;
    }
    const char *who = teams_roster_named(teams->roster, from);
    adapter_report_chat(&teams->adapter, who != NULL ? who : "", from, text);
}

static gboolean is_gone(gpointer name, gpointer shown_s, gpointer user_data)
{
    Teams *teams = user_data;
    int64_t since_s = GPOINTER_TO_INT(shown_s);
    if (now_ns() / 1000000000 - since_s < UNSHOWN_NS / 1000000000) {
        return false;
    }
    teams_roster_unshown(teams->roster, name);
    return true;
}

/* Who has a tile, and a ring around it. */
static void take_tiles(Teams *teams, JsonArray *people)
{
    uint32_t speaking[MEDIA_MAX_CSRCS];
    unsigned n = 0;
    guint length = people != NULL ? MIN(json_array_get_length(people), MAX_TILES) : 0;
    teams->first_tiles_ns = teams->first_tiles_ns != 0 ? teams->first_tiles_ns : now_ns();
    if (now_ns() - teams->first_tiles_ns < WIRE_FIRST_NS) {
        return;
    }
    for (guint i = 0; i < length; i++) {
        JsonNode *node = json_array_get_element(people, i);
        JsonObject *person = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
        const char *name = name_in(teams, person);
        if (*name == '\0' || strlen(name) > MAX_NAME_BYTES) {
            continue;
        }
        int64_t source =
            teams_roster_shown(teams->roster, name, platform_json_bool(person, "muted", false));
        if (g_hash_table_size(teams->tiles) < MAX_TILES) {
            g_hash_table_replace(teams->tiles, g_strdup(name),
                                 GINT_TO_POINTER((int)(now_ns() / 1000000000)));
        }
        if (source != TEAMS_NO_SOURCE && platform_json_bool(person, "speaking", false) &&
            n < MEDIA_MAX_CSRCS) {
            speaking[n++] = (uint32_t)source;
        }
    }
    teams_voices_shown(&teams->voices, speaking, n);
    g_hash_table_foreach_remove(teams->tiles, is_gone, teams);
}

static void teams_on_message(Adapter *adapter, const char *type, JsonObject *message)
{
    Teams *teams = to_teams(adapter);
    const char *id = platform_json_string(message, "id", "");
    if (strcmp(type, "self") == 0 && *id != '\0') {
        teams_roster_set_self(teams->roster, id);
    } else if (strcmp(type, "call") == 0 && *id != '\0') {
        teams_calls_set_own(teams->calls, id);
    } else if (strcmp(type, "chat") == 0) {
        take_chat(teams, message);
    } else if (strcmp(type, "tiles") == 0) {
        take_tiles(teams, platform_json_array(message, "people"));
    }
}

// --- media ---

static JsonArray *names_of(JsonObject *track)
{
    static const char *const members[] = {"streams", "attributes"};
    JsonArray *names = json_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        JsonArray *more = platform_json_array(track, members[i]);
        for (guint k = 0; more != NULL && k < json_array_get_length(more); k++) {
            json_array_add_element(names, json_node_copy(json_array_get_element(more, k)));
        }
    }
    return names;
}

static void teams_on_track(Adapter *adapter, uint32_t id, JsonObject *track)
{
    if (strcmp(platform_json_string(track, "kind", ""), "video") == 0) {
        g_autoptr(JsonArray) names = names_of(track);
        teams_roster_track(to_teams(adapter)->roster, id, names);
    }
}

static void teams_on_track_ended(Adapter *adapter, uint32_t id)
{
    teams_roster_track_ended(to_teams(adapter)->roster, id);
}

static void note_evidence(Teams *teams, TeamsEvidence evidence)
{
    static const char *const names[] = {
        [TEAMS_EVIDENCE_NONE] = "nothing",
        [TEAMS_EVIDENCE_SOURCES] = "contributing sources",
        [TEAMS_EVIDENCE_DOMINANT] = "dominant speaker",
        [TEAMS_EVIDENCE_SHOWN] = "rings on the page",
        [TEAMS_EVIDENCE_CAPTION] = "captions",
        [TEAMS_EVIDENCE_STALE] = "dominant speaker, a while ago",
    };
    if (evidence != teams->evidence) {
        g_debug("who speaks is told by: %s", names[evidence]);
        teams->evidence = evidence;
    }
    if (!teams->asked_captions &&
        teams_voices_want_captions(&teams->voices, now_ns(), WANT_CAPTIONS_NS)) {
        teams->asked_captions = true;
        adapter_walk_menu(&teams->adapter, FLOW_MENU_BUTTON, FLOW_CAPTIONS_ITEM,
                          FLOW_CAPTIONS_BUTTON, "captions",
                          "nothing tells who speaks, and captions could not be turned on");
    }
}

/* Every audio track of Teams is the server's mix. */
static MediaEncodedFrame *teams_on_frame(Adapter *adapter, MediaEncodedFrame *frame)
{
    Teams *teams = to_teams(adapter);
    if (media_codec_is_video(frame->codec)) {
        return media_encoded_frame_ref(frame);
    }
    MediaEncodedFrame *mixed = adapter_new_mixed(frame);
    note_evidence(teams, teams_voices_attribute(&teams->voices, teams->roster, frame, mixed->csrcs,
                                                &mixed->n_csrcs));
    return mixed;
}

static Platform *teams_create(const PlatformConfig *config, const char *url,
                              const PlatformEvents *events, gpointer user_data, GError **error)
{
    static const AdapterKind kind = {
        .impl = &teams_impl,
        .names_accounts = true,
        .size = sizeof(Teams),
        .classic_audio = true,
        .script = "/steno/teams/page.js",
        .init = teams_init,
        .clear = teams_clear,
        .on_named = teams_on_named,
        .on_data = teams_on_data,
        .on_message = teams_on_message,
        .on_track = teams_on_track,
        .on_track_ended = teams_on_track_ended,
        .on_frame = teams_on_frame,
    };
    return adapter_create(&kind, config, url, events, user_data, error);
}

const PlatformImpl teams_impl = {
    .name = "teams",
    .create = teams_create,
    ADAPTER_SLOTS,
};
