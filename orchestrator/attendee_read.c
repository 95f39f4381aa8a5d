/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/attendee_read.h"

#include "bot/config.h"
#include "orchestrator/json.h"

#include <string.h>

#define MAX_METADATA_CHARS 1000
#define MAX_WEBHOOKS 2
#define MAX_AHEAD_MS ((gint64)3 * 366 * 24 * 3600 * 1000)
#define WEEK_S (7 * 24 * 3600)

static const char *const formats[] = {"mp4", "mp3", NULL};
static const char *const views[] = {"speaker_view", "gallery_view", "speaker_view_no_sidebar",
                                    NULL};
static const char *const resolutions[] = {"1080p", "720p", NULL};
static const char *const recipients[] = {"everyone", NULL};
static const char *const triggers[] = {"bot.state_change",
                                       "transcript.update",
                                       "chat_messages.update",
                                       "participant_events.join_leave",
                                       "participant_events.speech_start_stop",
                                       "bot_logs.update",
                                       "async_transcription.state_change",
                                       NULL};

#define STRING(path, flags, max, help)                                                             \
    {                                                                                              \
        path, BOT_FIELD_STRING, flags, 1, max, NULL, NULL, NULL, help                              \
    }
#define CHOICE(path, choices, help)                                                                \
    {                                                                                              \
        path, BOT_FIELD_STRING, BOT_FIELD_PLAIN, 1, 64, choices, NULL, NULL, help                  \
    }
#define URL(path, help)                                                                            \
    {                                                                                              \
        path, BOT_FIELD_STRING, BOT_FIELD_URL, 1, 8192, NULL, "wss ws", NULL, help                 \
    }
#define SECONDS(path, help)                                                                        \
    {                                                                                              \
        path, BOT_FIELD_INT, BOT_FIELD_PLAIN, 1, WEEK_S, NULL, NULL, NULL, help                    \
    }
#define OTHER(path, type, help)                                                                    \
    {                                                                                              \
        path, type, BOT_FIELD_PLAIN, 0, 0, NULL, NULL, NULL, help                                  \
    }
#define UNSUPPORTED(path, help)                                                                    \
    {                                                                                              \
        path, BOT_FIELD_ANY, BOT_FIELD_UNSUPPORTED, 0, 0, NULL, NULL, NULL, help                   \
    }

#define LEAVE "automatic_leave_settings"
#define SIGNS_IN "whether the bot signs in, and with whose account"
#define ASKS_NOTHING "what asks for nothing (false, null, empty), or for what happens anyway"

/* clang-format off: one field a line */
static const BotField fields[] = {
    STRING("meeting_url", (BotFieldFlags)(BOT_FIELD_REQUIRED | BOT_FIELD_URL), 8192,
           "the meeting's URL"),
    STRING("bot_name", BOT_FIELD_REQUIRED, 100, "the name that the bot shows"),
    OTHER("bot_image", BOT_FIELD_OBJECT, "picture of the bot"),
    STRING("bot_image.type", BOT_FIELD_PLAIN, 64, "the picture itself says what it is"),
    STRING("bot_image.data", BOT_FIELD_PLAIN, 14 * 1024 * 1024, "base64"),
    OTHER("metadata", BOT_FIELD_ANY, "an object of strings, comes back with the bot"),
    OTHER("bot_chat_message", BOT_FIELD_OBJECT, "sent on admission"),
    CHOICE("bot_chat_message.to", recipients, "who gets it"),
    STRING("bot_chat_message.message", BOT_FIELD_PLAIN, 4096, "its text"),
    STRING("join_at", BOT_FIELD_PLAIN, 64, "ISO 8601 time"),
    STRING("deduplication_key", BOT_FIELD_PLAIN, 500, "refuses a second bot with the same one"),
    OTHER("webhooks", BOT_FIELD_ANY, "at most two of {url, triggers}"),
    OTHER("recording_settings", BOT_FIELD_OBJECT, "the recording"),
    CHOICE("recording_settings.format", formats, "mp4 or mp3"),
    CHOICE("recording_settings.view", views, "what it shows"),
    CHOICE("recording_settings.resolution", resolutions, "its size"),
    OTHER("recording_settings.record_chat_messages_when_paused", BOT_FIELD_BOOL, "they always are"),
    OTHER("recording_settings.reserve_additional_storage", BOT_FIELD_BOOL,
          "the disk is the machine's"),
    OTHER("recording_settings.record_async_transcription_audio_chunks", BOT_FIELD_BOOL,
          "false: this version does not transcribe"),
    OTHER("recording_settings.record_participant_speech_start_stop_events", BOT_FIELD_BOOL,
          "they always are"),
    OTHER("websocket_settings", BOT_FIELD_OBJECT, "live audio"),
    OTHER("websocket_settings.audio", BOT_FIELD_OBJECT, "both ways"),
    URL("websocket_settings.audio.url", "WebSocket"),
    {"websocket_settings.audio.sample_rate", BOT_FIELD_INT, BOT_FIELD_PLAIN, 8000, 24000, NULL,
     NULL, NULL, "16000 or 24000"},
    UNSUPPORTED("websocket_settings.per_participant_audio", "each participant alone"),
    UNSUPPORTED("websocket_settings.per_participant_video", "pictures"),
    OTHER(LEAVE, BOT_FIELD_OBJECT, "when the bot goes by itself"),
    SECONDS(LEAVE ".silence_timeout_seconds", "without speech"),
    SECONDS(LEAVE ".only_participant_in_meeting_timeout_seconds", "after the others left"),
    SECONDS(LEAVE ".wait_for_host_to_start_meeting_timeout_seconds", "until the host comes"),
    SECONDS(LEAVE ".waiting_room_timeout_seconds", "in the waiting room"),
    SECONDS(LEAVE ".max_uptime_seconds", "in the call"),
    {LEAVE ".silence_activate_after_seconds", BOT_FIELD_INT, BOT_FIELD_PLAIN, 0, WEEK_S, NULL, NULL,
     NULL, "in the call until silence counts"},
    UNSUPPORTED(LEAVE ".enable_closed_captions_timeout_seconds", "the platform's captions"),
    UNSUPPORTED(LEAVE ".authorized_user_not_in_meeting_timeout_seconds", "authorized users"),
    OTHER(LEAVE ".bot_keywords", BOT_FIELD_STRINGS, "names that are no company"),
    OTHER("transcription_settings", BOT_FIELD_ANY, "kept; this version does not transcribe"),
    OTHER("google_meet_settings", BOT_FIELD_ANY, SIGNS_IN),
    OTHER("teams_settings", BOT_FIELD_ANY, SIGNS_IN),
    OTHER("zoom_settings", BOT_FIELD_ANY, ASKS_NOTHING),
    OTHER("debug_settings", BOT_FIELD_ANY, ASKS_NOTHING),
    OTHER("kubernetes_settings", BOT_FIELD_ANY, "a bot's size, which is the machine's here"),
    OTHER("callback_settings", BOT_FIELD_ANY, ASKS_NOTHING),
    UNSUPPORTED("calendar_event_id", "calendars"),
    UNSUPPORTED("rtmp_settings", "RTMP"),
    UNSUPPORTED("voice_agent_settings", "voice agent pages"),
    UNSUPPORTED("external_media_storage_settings", "storage of the caller"),
    {NULL, BOT_FIELD_ANY, BOT_FIELD_PLAIN, 0, 0, NULL, NULL, NULL, NULL},
};
/* clang-format on */

const BotFieldTable orch_attendee_create_table = {fields, "docs/api.md"};

static bool refuse(GError **error, const char *sentence)
{
    g_set_error_literal(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD, sentence);
    return false;
}

/* --- the worker's document --- */

static void read_recording(JsonObject *document, JsonObject *settings)
{
    const char *format = orch_json_string(settings, "format");
    const char *view = orch_json_string(settings, "view");
    const char *resolution = orch_json_string(settings, "resolution");
    if (g_strcmp0(format, "mp3") == 0) {
        json_object_set_string_member(document, "recording_mode", "audio_only");
    } else if (view != NULL) {
        json_object_set_string_member(document, "recording_mode",
                                      strcmp(view, "gallery_view") == 0 ? "gallery_view"
                                                                        : "speaker_view");
    }
    if (resolution != NULL) {
        JsonObject *recording = json_object_new();
        json_object_set_string_member(recording, "resolution", resolution);
        json_object_set_object_member(document, "recording", recording);
    }
}

static void read_leaving(JsonObject *document, JsonObject *settings)
{
    static const struct {
        const char *theirs, *ours;
    } names[] = {
        {"silence_timeout_seconds", "silence_timeout"},
        {"only_participant_in_meeting_timeout_seconds", "alone_timeout"},
        {"wait_for_host_to_start_meeting_timeout_seconds", "noone_joined_timeout"},
        {"waiting_room_timeout_seconds", "waiting_room_timeout"},
        {"max_uptime_seconds", "max_duration"},
        {"silence_activate_after_seconds", "silence_activate_after"},
    };
    JsonObject *leave = json_object_new();
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        gint64 seconds = orch_json_int(settings, names[i].theirs, 0);
        if (seconds > 0) {
            json_object_set_int_member(leave, names[i].ours, seconds);
        }
    }
    JsonArray *keywords = orch_json_array(settings, "bot_keywords");
    if (keywords != NULL) {
        json_object_set_array_member(leave, "ignored_names", json_array_ref(keywords));
    }
    json_object_set_object_member(document, "automatic_leave", leave);
}

static bool read_streaming(JsonObject *document, JsonObject *settings, GError **error)
{
    JsonObject *audio = orch_json_object(settings, "audio");
    const char *url = audio != NULL ? orch_json_string(audio, "url") : NULL;
    if (audio == NULL) {
        return true;
    }
    gint64 rate_hz = orch_json_int(audio, "sample_rate", 16000);
    if (url == NULL || (rate_hz != 16000 && rate_hz != 24000)) {
        return refuse(error, url == NULL ? "$.websocket_settings.audio.url: missing; expected wss:"
                                         : "$.websocket_settings.audio.sample_rate: is not 16000 "
                                           "or 24000, which this version can send");
    }
    JsonObject *streaming = json_object_new();
    json_object_set_string_member(streaming, "input", url);
    json_object_set_string_member(streaming, "output", url);
    json_object_set_string_member(streaming, "format", "attendee");
    json_object_set_string_member(streaming, "audio_frequency",
                                  rate_hz == 16000 ? "16khz" : "24khz");
    json_object_set_object_member(document, "streaming", streaming);
    return true;
}

static bool make_document(JsonObject *body, OrchBot *bot, GError **error)
{
    g_autoptr(JsonObject) document = json_object_new();
    JsonObject *message = orch_json_object(body, "bot_chat_message");
    JsonObject *leaving = orch_json_object(body, LEAVE);
    JsonObject *streaming = orch_json_object(body, "websocket_settings");
    JsonObject *recording = orch_json_object(body, "recording_settings");
    json_object_set_string_member(document, "meeting_url", bot->meeting_url);
    json_object_set_string_member(document, "bot_name", bot->bot_name);
    if (message != NULL && orch_json_string(message, "message") != NULL) {
        json_object_set_string_member(document, "entry_message",
                                      orch_json_string(message, "message"));
    }
    if (recording != NULL) {
        read_recording(document, recording);
    }
    if (leaving != NULL) {
        read_leaving(document, leaving);
    }
    if (streaming != NULL && !read_streaming(document, streaming, error)) {
        return false;
    }
    g_free(bot->document);
    bot->document = orch_json_print(document);
    return true;
}

/* --- the rest --- */

static bool read_metadata(JsonObject *body, OrchBot *bot, GError **error)
{
    JsonNode *node = json_object_get_member(body, "metadata");
    if (node == NULL) {
        return true;
    }
    JsonObject *metadata = orch_json_object(body, "metadata");
    glong n_chars = 0;
    g_autoptr(GList) names = metadata != NULL ? json_object_get_members(metadata) : NULL;
    bool good = metadata != NULL;
    for (GList *item = names; good && item != NULL; item = item->next) {
        const char *value = orch_json_string(metadata, item->data);
        good = value != NULL;
        n_chars += g_utf8_strlen(item->data, -1) + (good ? g_utf8_strlen(value, -1) : 0);
    }
    if (!good || n_chars >= MAX_METADATA_CHARS) {
        return refuse(error, "$.metadata: is not an object of strings of less than 1000 "
                             "characters in all");
    }
    g_free(bot->extra);
    bot->extra = json_to_string(node, FALSE);
    return true;
}

static bool read_join_at(JsonObject *body, gint64 now_ms, OrchBot *bot, GError **error)
{
    const char *text = orch_json_string(body, "join_at");
    if (text == NULL) {
        return true;
    }
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, utc);
    if (time == NULL) {
        return refuse(error, "$.join_at: is not an ISO 8601 time, such as 2026-05-01T12:00:00Z");
    }
    gint64 at_ms = g_date_time_to_unix(time) * 1000;
    if (at_ms < now_ms) {
        return refuse(error, "$.join_at: is in the past");
    }
    if (at_ms > now_ms + MAX_AHEAD_MS) {
        return refuse(error, "$.join_at: is more than three years ahead");
    }
    bot->join_at_ms = at_ms;
    return true;
}

static bool is_good_webhook(JsonObject *webhook, const OrchConfig *config, GError **error)
{
    const char *url = webhook != NULL ? orch_json_string(webhook, "url") : NULL;
    g_autoptr(GUri) uri = url != NULL ? g_uri_parse(url, G_URI_FLAGS_NONE, NULL) : NULL;
    bool secure = uri != NULL && g_uri_get_host(uri) != NULL &&
                  (strcmp(g_uri_get_scheme(uri), "https") == 0 ||
                   (config->allow_private_webhooks && strcmp(g_uri_get_scheme(uri), "http") == 0));
    JsonArray *list = webhook != NULL ? orch_json_array(webhook, "triggers") : NULL;
    if (!secure || list == NULL) {
        return refuse(error, "$.webhooks: each needs a url with https and an array of triggers");
    }
    for (guint i = 0; i < json_array_get_length(list); i++) {
        const char *trigger = orch_json_string_at(list, i);
        if (trigger == NULL || !g_strv_contains(triggers, trigger)) {
            g_autofree char *known = g_strjoinv(", ", (char **)triggers);
            g_autofree char *sentence =
                g_strdup_printf("$.webhooks: there is no trigger \"%s\"; there are: %s",
                                trigger != NULL ? trigger : "", known);
            return refuse(error, sentence);
        }
    }
    return true;
}

JsonArray *orch_attendee_read_webhooks(JsonObject *body, const OrchConfig *config, const char *kind,
                                       GError **error)
{
    g_autoptr(JsonArray) kept = json_array_new();
    JsonArray *given = orch_json_array(body, "webhooks");
    if (given == NULL && json_object_has_member(body, "webhooks")) {
        refuse(error, "$.webhooks: is not an array");
        return NULL;
    }
    for (guint i = 0; given != NULL && i < json_array_get_length(given); i++) {
        JsonObject *webhook = orch_json_object_at(given, i);
        if (i >= MAX_WEBHOOKS) {
            refuse(error, "$.webhooks: at most two");
            return NULL;
        }
        if (!is_good_webhook(webhook, config, error)) {
            return NULL;
        }
        JsonObject *copy = json_object_new();
        if (kind != NULL) {
            json_object_set_string_member(copy, "kind", kind);
        }
        json_object_set_string_member(copy, "url", orch_json_string(webhook, "url"));
        json_object_set_array_member(copy, "triggers",
                                     json_array_ref(orch_json_array(webhook, "triggers")));
        json_array_add_object_element(kept, copy);
    }
    return g_steal_pointer(&kept);
}

/* The bot is an honest guest: what would have it act a person is refused, not left alone. */
static bool is_honest(JsonObject *body, GError **error)
{
    JsonObject *settings = orch_json_object(body, "google_meet_settings");
    const char *mode = settings != NULL ? orch_json_string(settings, "ui_interaction_mode") : NULL;
    return g_strcmp0(mode, "humanized") != 0 ||
           refuse(error, "$.google_meet_settings.ui_interaction_mode: this bot does not imitate "
                         "a person's input; leave it out");
}

static bool asks_for_nothing(JsonNode *node)
{
    if (JSON_NODE_HOLDS_NULL(node)) {
        return true;
    }
    if (JSON_NODE_HOLDS_OBJECT(node)) {
        g_autoptr(GList) values = json_object_get_values(json_node_get_object(node));
        bool nothing = true;
        for (GList *item = values; item != NULL; item = item->next) {
            nothing = nothing && asks_for_nothing(item->data);
        }
        return nothing;
    }
    if (JSON_NODE_HOLDS_ARRAY(node)) {
        return json_array_get_length(json_node_get_array(node)) == 0;
    }
    GType type = json_node_get_value_type(node);
    return (type == G_TYPE_BOOLEAN && !json_node_get_boolean(node)) ||
           (type == G_TYPE_STRING && *json_node_get_string(node) == '\0');
}

/* Zoom's web client is the way in that there is. */
static bool happens_anyway(const char *settings, const char *name, JsonNode *node)
{
    return strcmp(settings, "zoom_settings") == 0 && strcmp(name, "sdk") == 0 &&
           JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING &&
           strcmp(json_node_get_string(node), "web") == 0;
}

/* What a caller asks for and does not get is refused by its name. */
static bool check_settings(JsonObject *body, GError **error)
{
    static const char *const settings[] = {"google_meet_settings", "teams_settings",
                                           "zoom_settings", "debug_settings", "callback_settings"};
    for (gsize i = 0; i < G_N_ELEMENTS(settings); i++) {
        JsonObject *object = orch_json_object(body, settings[i]);
        JsonObjectIter iter;
        const char *name;
        JsonNode *node;
        if (object == NULL) {
            continue;
        }
        json_object_iter_init(&iter, object);
        while (json_object_iter_next(&iter, &name, &node)) {
            if (!asks_for_nothing(node) && !happens_anyway(settings[i], name, node) &&
                !orch_attendee_is_login_field(settings[i], name)) {
                g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_UNSUPPORTED,
                            "$.%s.%s: not supported by this version; leave it out", settings[i],
                            name);
                return false;
            }
        }
    }
    JsonObject *recording = orch_json_object(body, "recording_settings");
    return recording == NULL ||
           !json_object_get_boolean_member_with_default(
               recording, "record_async_transcription_audio_chunks", FALSE) ||
           refuse(error, "$.recording_settings.record_async_transcription_audio_chunks: this "
                         "version does not transcribe; leave it out");
}

static bool read_details(JsonObject *body, const OrchConfig *config, OrchBot *bot, GError **error)
{
    static const char *const kept[] = {"transcription_settings"};
    JsonArray *webhooks =
        orch_attendee_read_webhooks(body, config, orch_api_to_string(ORCH_API_ATTENDEE), error);
    if (webhooks == NULL) {
        return false;
    }
    g_autoptr(JsonObject) details = json_object_new();
    if (json_array_get_length(webhooks) > 0) {
        json_object_set_array_member(details, "webhooks", json_array_ref(webhooks));
    }
    json_array_unref(webhooks);
    for (gsize i = 0; i < G_N_ELEMENTS(kept); i++) {
        JsonNode *node = json_object_get_member(body, kept[i]);
        if (node != NULL) {
            json_object_set_member(details, kept[i], json_node_copy(node));
        }
    }
    if (!orch_attendee_read_login(body, details, error)) {
        return false;
    }
    g_free(bot->details);
    bot->details = orch_json_print(details);
    return true;
}

bool orch_attendee_read_create(JsonObject *body, const OrchConfig *config, gint64 now_ms,
                               OrchBot *bot, GError **error)
{
    if (!bot_fields_check(&orch_attendee_create_table, body, error) ||
        !bot_fields_fill_in(&orch_attendee_create_table, body, error) || !is_honest(body, error) ||
        !check_settings(body, error)) {
        return false;
    }
    bot->api = ORCH_API_ATTENDEE;
    orch_bot_set_meeting_url(bot, orch_json_string(body, "meeting_url"));
    orch_set_string(&bot->bot_name, orch_json_string(body, "bot_name"));
    orch_set_string(&bot->dedup_key, orch_json_string(body, "deduplication_key"));
    return make_document(body, bot, error) && read_details(body, config, bot, error) &&
           read_metadata(body, bot, error) && read_join_at(body, now_ms, bot, error);
}

/* --- changing --- */

static bool check_patch(JsonObject *body, const OrchBot *bot, GError **error)
{
    static const char *const while_scheduled[] = {"join_at",   "meeting_url",        "bot_name",
                                                  "bot_image", "recording_settings", NULL};
    g_autoptr(GList) names = json_object_get_members(body);
    for (GList *item = names; item != NULL; item = item->next) {
        bool late = g_strv_contains(while_scheduled, item->data);
        if (!late && strcmp(item->data, "metadata") != 0) {
            g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD, "$.%s: can't be changed",
                        (const char *)item->data);
            return false;
        }
        if (late && bot->state != BOT_STATE_SCHEDULED) {
            g_set_error(error, ORCH_BOTS_ERROR, ORCH_BOTS_ERROR_STATE,
                        "Bot is in state %s but can only be updated when in scheduled state",
                        bot_state_to_string(bot->state));
            return false;
        }
    }
    return true;
}

bool orch_attendee_read_patch(JsonObject *body, gint64 now_ms, OrchBot *bot, GError **error)
{
    if (!check_patch(body, bot, error) ||
        !bot_fields_check(&orch_attendee_create_table, body, error)) {
        return false;
    }
    g_autoptr(JsonObject) document = orch_json_load(bot->document);
    const char *url = orch_json_string(body, "meeting_url");
    const char *name = orch_json_string(body, "bot_name");
    JsonObject *recording = orch_json_object(body, "recording_settings");
    if (url != NULL) {
        orch_bot_set_meeting_url(bot, url);
        json_object_set_string_member(document, "meeting_url", url);
    }
    if (name != NULL) {
        orch_set_string(&bot->bot_name, name);
        json_object_set_string_member(document, "bot_name", name);
    }
    if (recording != NULL) {
        read_recording(document, recording);
    }
    g_free(bot->document);
    bot->document = orch_json_print(document);
    return read_metadata(body, bot, error) && read_join_at(body, now_ms, bot, error);
}
