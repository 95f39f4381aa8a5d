/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/mbaas.h"

#include "bot/config.h"
#include "bot/report_data.h"
#include "orchestrator/json.h"

#include <string.h>

#define SMALLEST_MILLISECONDS 100000000000 /* as seconds, the year 5138; as milliseconds, 1973 */

static const char *const modes[] = {"speaker_view", "gallery_view", "audio_only", NULL};
static const char *const frequencies[] = {"16khz", "24khz", NULL};

#define STRING(path, flags, max, help)                                                             \
    {                                                                                              \
        path, BOT_FIELD_STRING, flags, 1, max, NULL, NULL, NULL, help                              \
    }
#define TEXT(path, max, help)                                                                      \
    {                                                                                              \
        path, BOT_FIELD_STRING, BOT_FIELD_PLAIN, 0, max, NULL, NULL, NULL, help                    \
    }
#define CHOICE(path, choices, help)                                                                \
    {                                                                                              \
        path, BOT_FIELD_STRING, BOT_FIELD_PLAIN, 1, 64, choices, NULL, NULL, help                  \
    }
#define URL(path, schemes, help)                                                                   \
    {                                                                                              \
        path, BOT_FIELD_STRING, BOT_FIELD_URL, 1, 8192, NULL, schemes, NULL, help                  \
    }
#define INT(path, min, max, help)                                                                  \
    {                                                                                              \
        path, BOT_FIELD_INT, BOT_FIELD_PLAIN, min, max, NULL, NULL, NULL, help                     \
    }
#define OTHER(path, type, help)                                                                    \
    {                                                                                              \
        path, type, BOT_FIELD_PLAIN, 0, 0, NULL, NULL, NULL, help                                  \
    }

/* clang-format off: one field a line */
static const BotField fields[] = {
    STRING("meeting_url", (BotFieldFlags)(BOT_FIELD_REQUIRED | BOT_FIELD_URL), 8192,
           "the meeting's URL"),
    STRING("bot_name", BOT_FIELD_REQUIRED, 100, "the name that the bot shows"),
    CHOICE("recording_mode", modes, "what the recording shows"),
    OTHER("audio_only", BOT_FIELD_BOOL, "older way to say recording_mode audio_only"),
    URL("bot_image", "http https", "picture of the bot"),
    TEXT("entry_message", 4096, "chat message on admission"),
    OTHER("reserved", BOT_FIELD_BOOL, "keep a place, join in four minutes"),
    INT("start_time", 0, G_MAXINT64 / 1000, "Unix time in milliseconds"),
    OTHER("speech_to_text", BOT_FIELD_ANY, "provider, or {provider, api_key}"),
    OTHER("transcription_custom_parameters", BOT_FIELD_ANY, "kept as it is"),
    OTHER("automatic_leave", BOT_FIELD_OBJECT, "when the bot goes by itself"),
    INT("automatic_leave.waiting_room_timeout", 120, 1800, "seconds"),
    INT("automatic_leave.noone_joined_timeout", 120, 1800, "seconds"),
    INT("automatic_leave.silence_timeout", 300, 1800, "seconds"),
    OTHER("streaming", BOT_FIELD_OBJECT, "live audio"),
    URL("streaming.input", "ws wss", "WebSocket that receives the meeting"),
    URL("streaming.output", "ws wss", "WebSocket that supplies the bot's speech"),
    CHOICE("streaming.audio_frequency", frequencies, "sample rate"),
    URL("webhook_url", "http https", "receives the bot's webhooks"),
    STRING("deduplication_key", BOT_FIELD_PLAIN, 500, "lets another bot into the same meeting"),
    OTHER("extra", BOT_FIELD_ANY, "comes back with the bot"),
    TEXT("zoom_sdk_id", 4096, "accepted: the bot joins Zoom without"),
    TEXT("zoom_sdk_pwd", 4096, "accepted: the bot joins Zoom without"),
    TEXT("zoom_access_token_url", 8192, "accepted: the bot joins Zoom without"),
    TEXT("zoom_obf_token", 8192, "accepted: the bot joins Zoom without"),
    TEXT("zoom_obf_token_url", 8192, "accepted: the bot joins Zoom without"),
    TEXT("zoom_obf_token_user_id", 4096, "accepted: the bot joins Zoom without"),
    {NULL, BOT_FIELD_ANY, BOT_FIELD_PLAIN, 0, 0, NULL, NULL, NULL, NULL},
};
/* clang-format on */

const BotFieldTable orch_mbaas_join_table = {fields, "docs/api.md"};

/* --- in --- */

gint64 orch_mbaas_join_at_ms(gint64 start_time, guint lead_s, gint64 now_ms)
{
    bool in_ms = start_time >= SMALLEST_MILLISECONDS;
    gint64 at_ms = in_ms ? start_time - (gint64)lead_s * 1000 : start_time * 1000;
    return at_ms > now_ms ? at_ms : 0;
}

static bool refuse(GError **error, const char *sentence)
{
    g_set_error_literal(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD, sentence);
    return false;
}

static bool is_provider(const char *name)
{
    static const char *const providers[] = {"Gladia", "Runpod", "Default", NULL};
    return name != NULL && g_strv_contains(providers, name);
}

/* The key of somebody else's service is kept sealed. */
static bool read_speech_to_text(JsonObject *body, const OrchSecrets *secrets, JsonObject *details,
                                GError **error)
{
    if (!json_object_has_member(body, "speech_to_text")) {
        return true;
    }
    JsonObject *given = orch_json_object(body, "speech_to_text");
    const char *provider = given != NULL ? orch_json_string(given, "provider")
                                         : orch_json_string(body, "speech_to_text");
    if (!is_provider(provider)) {
        return refuse(error, "$.speech_to_text: is not a provider or an object with one; "
                             "providers are Gladia, Runpod and Default");
    }
    JsonObject *kept = json_object_new();
    json_object_set_string_member(kept, "provider", provider);
    const char *api_key = given != NULL ? orch_json_string(given, "api_key") : NULL;
    if (api_key != NULL) {
        g_autofree char *sealed = orch_secrets_seal(secrets, api_key);
        json_object_set_string_member(kept, "sealed_api_key", sealed);
    }
    json_object_set_object_member(details, "speech_to_text", kept);
    return true;
}

static void copy_member(JsonObject *from, const char *name, JsonObject *to, const char *as)
{
    JsonNode *node = json_object_get_member(from, name);
    if (node != NULL && !JSON_NODE_HOLDS_NULL(node)) {
        json_object_set_member(to, as, json_node_copy(node));
    }
}

static char *make_document(JsonObject *body)
{
    static const char *const same[] = {"meeting_url",    "bot_name",        "bot_image",
                                       "recording_mode", "automatic_leave", "streaming"};
    g_autoptr(JsonObject) document = json_object_new();
    for (gsize i = 0; i < G_N_ELEMENTS(same); i++) {
        copy_member(body, same[i], document, same[i]);
    }
    const char *message = orch_json_string(body, "entry_message");
    if (message != NULL && message[0] != '\0') {
        json_object_set_string_member(document, "entry_message", message);
    }
    if (orch_json_bool(body, "audio_only", false)) {
        json_object_set_string_member(document, "recording_mode", "audio_only");
    }
    return orch_json_print(document);
}

static void add_webhook(JsonObject *details, const char *url)
{
    if (url == NULL) {
        return;
    }
    JsonArray *webhooks = json_array_new();
    JsonObject *webhook = json_object_new();
    json_object_set_string_member(webhook, "kind", orch_api_to_string(ORCH_API_MBAAS));
    json_object_set_string_member(webhook, "url", url);
    json_array_add_object_element(webhooks, webhook);
    json_object_set_array_member(details, "webhooks", webhooks);
}

bool orch_mbaas_read_join(JsonObject *body, const OrchConfig *config, const OrchSecrets *secrets,
                          gint64 now_ms, OrchBot *bot, GError **error)
{
    if (!bot_fields_check(&orch_mbaas_join_table, body, error) ||
        !bot_fields_fill_in(&orch_mbaas_join_table, body, error)) {
        return false;
    }
    g_autoptr(JsonObject) details = json_object_new();
    if (!read_speech_to_text(body, secrets, details, error)) {
        return false;
    }
    add_webhook(details, orch_json_string(body, "webhook_url"));
    copy_member(body, "bot_image", details, "bot_image");
    copy_member(body, "transcription_custom_parameters", details,
                "transcription_custom_parameters");
    bot->api = ORCH_API_MBAAS;
    orch_bot_set_meeting_url(bot, orch_json_string(body, "meeting_url"));
    orch_set_string(&bot->bot_name, orch_json_string(body, "bot_name"));
    orch_set_string(&bot->dedup_key, orch_json_string(body, "deduplication_key"));
    g_free(bot->document);
    bot->document = make_document(body);
    g_free(bot->details);
    bot->details = orch_json_print(details);
    JsonNode *extra = json_object_get_member(body, "extra");
    g_free(bot->extra);
    bot->extra = extra != NULL ? json_to_string(extra, FALSE) : NULL;
    bot->reserved = orch_json_bool(body, "reserved", false);
    gint64 start_time = orch_json_int(body, "start_time", 0);
    if (start_time > 0) {
        bot->join_at_ms = orch_mbaas_join_at_ms(start_time, config->join_lead_s, now_ms);
    } else if (bot->reserved) {
        bot->join_at_ms = now_ms + (gint64)config->join_lead_s * 1000;
    }
    return true;
}

/* --- out --- */

static void set_time(JsonObject *object, const char *name, gint64 unix_ms)
{
    g_autofree char *text = unix_ms > 0 ? bot_report_iso_time(unix_ms) : NULL;
    orch_json_set(object, name, text);
}

/* The SDK's validators want an object where nothing was given. */
static void set_or_empty(JsonObject *object, const char *name, JsonNode *value)
{
    if (value != NULL) {
        json_object_set_member(object, name, value);
    } else {
        json_object_set_object_member(object, name, json_object_new());
    }
}

static void set_extra(JsonObject *object, const OrchBot *bot)
{
    set_or_empty(object, "extra", bot->extra != NULL ? json_from_string(bot->extra, NULL) : NULL);
}

static void set_int_or_null(JsonObject *object, const char *name, JsonObject *from,
                            const char *member)
{
    gint64 value = from != NULL ? orch_json_int(from, member, -1) : -1;
    if (value >= 0) {
        json_object_set_int_member(object, name, value);
    } else {
        json_object_set_null_member(object, name);
    }
}

static const char *own_webhook(JsonObject *details)
{
    JsonArray *webhooks = orch_json_array(details, "webhooks");
    for (guint i = 0; webhooks != NULL && i < json_array_get_length(webhooks); i++) {
        JsonObject *webhook = orch_json_object_at(webhooks, i);
        if (g_strcmp0(orch_json_string(webhook, "kind"), orch_api_to_string(ORCH_API_MBAAS)) == 0) {
            return orch_json_string(webhook, "url");
        }
    }
    return NULL;
}

/* What it was asked for; in the names of the service's database row. */
static void add_params(JsonObject *object, const OrchBot *bot)
{
    g_autoptr(JsonObject) document = orch_json_load(bot->document);
    g_autoptr(JsonObject) details = orch_json_load(bot->details);
    JsonObject *leave = orch_json_object(document, "automatic_leave");
    JsonObject *streaming = orch_json_object(document, "streaming");
    JsonObject *stt = orch_json_object(details, "speech_to_text");
    const char *mode = orch_json_string(document, "recording_mode");
    orch_json_set(object, "bot_image", orch_json_string(details, "bot_image"));
    orch_json_set(object, "enter_message", orch_json_string(document, "entry_message"));
    orch_json_set(object, "recording_mode", mode != NULL ? mode : "speaker_view");
    orch_json_set(object, "deduplication_key", bot->dedup_key);
    set_int_or_null(object, "waiting_room_timeout", leave, "waiting_room_timeout");
    set_int_or_null(object, "noone_joined_timeout", leave, "noone_joined_timeout");
    set_int_or_null(object, "silence_timeout", leave, "silence_timeout");
    orch_json_set(object, "streaming_input",
                  streaming != NULL ? orch_json_string(streaming, "input") : NULL);
    orch_json_set(object, "streaming_output",
                  streaming != NULL ? orch_json_string(streaming, "output") : NULL);
    orch_json_set(object, "streaming_audio_frequency",
                  streaming != NULL ? orch_json_string(streaming, "audio_frequency") : NULL);
    orch_json_set(object, "speech_to_text_provider",
                  stt != NULL ? orch_json_string(stt, "provider") : NULL);
    json_object_set_null_member(object, "speech_to_text_api_key");
    JsonNode *custom = json_object_get_member(details, "transcription_custom_parameters");
    set_or_empty(object, "transcription_custom_parameters",
                 custom != NULL ? json_node_copy(custom) : NULL);
    const char *webhook = own_webhook(details);
    json_object_set_string_member(object, "webhook_url", webhook != NULL ? webhook : "");
}

static JsonObject *make_bot(const OrchBot *bot)
{
    JsonObject *object = json_object_new();
    json_object_set_int_member(object, "id", bot->number);
    json_object_set_string_member(object, "uuid", bot->id);
    json_object_set_int_member(object, "account_id", bot->account);
    json_object_set_int_member(object, "bot_param_id", bot->number);
    json_object_set_string_member(object, "bot_name", bot->bot_name);
    json_object_set_string_member(object, "meeting_url", bot->meeting_url);
    set_time(object, "created_at", bot->created_ms);
    set_time(object, "bot_joined_at", bot->joined_ms);
    set_time(object, "bot_exited_at", bot->exited_ms);
    set_time(object, "ended_at", bot->ended_ms);
    json_object_set_boolean_member(object, "is_stopped", bot_state_is_terminal(bot->state));
    json_object_set_boolean_member(object, "reserved", bot->reserved);
    json_object_set_boolean_member(object, "diarization_v2", TRUE);
    orch_json_set(object, "errors", bot->error != NULL ? bot->message : NULL);
    json_object_set_null_member(object, "event_id");
    json_object_set_null_member(object, "scheduled_bot_id");
    json_object_set_null_member(object, "session_id");
    const char *name = orch_bots_recording_name(bot);
    g_autofree char *path = name != NULL ? g_strdup_printf("%s/%s", bot->id, name) : NULL;
    json_object_set_string_member(object, "mp4_s3_path", path != NULL ? path : "");
    set_extra(object, bot);
    add_params(object, bot);
    return object;
}

static void set_link(JsonObject *object, const char *member, OrchBots *bots, const OrchBot *bot,
                     const char *name)
{
    g_autofree char *url = orch_bots_link(bots, bot, name);
    json_object_set_string_member(object, member, url != NULL ? url : "");
}

static char *name_of(GHashTable *names, gint64 id)
{
    const char *name = g_hash_table_lookup(names, GUINT_TO_POINTER((guint)id));
    return name != NULL ? g_strdup(name) : g_strdup_printf("Participant %" G_GINT64_FORMAT, id);
}

static void add_turn(JsonArray *turns, const OrchBot *bot, GHashTable *names, JsonObject *start,
                     double end_s)
{
    JsonObject *turn = json_object_new();
    gint64 id = orch_json_int(start, "id", 0);
    g_autofree char *name = name_of(names, id);
    json_object_set_int_member(turn, "id", (gint64)json_array_get_length(turns) + 1);
    json_object_set_int_member(turn, "bot_id", bot->number);
    json_object_set_string_member(turn, "speaker", name);
    json_object_set_int_member(turn, "user_id", id);
    json_object_set_double_member(turn, "start_time", orch_json_double(start, "at_s", 0));
    json_object_set_double_member(turn, "end_time", end_s);
    json_object_set_null_member(turn, "lang");
    json_object_set_array_member(turn, "words", json_array_new());
    json_array_add_object_element(turns, turn);
}

static GHashTable *load_names(OrchBots *bots, const OrchBot *bot)
{
    GHashTable *names = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    g_autoptr(GPtrArray) events =
        orch_store_events(orch_bots_store(bots), bot->id, "participant", 0, 0);
    for (guint i = 0; i < events->len; i++) {
        g_autoptr(JsonObject) event = orch_json_load(g_ptr_array_index(events, i));
        const char *name = orch_json_string(event, "name");
        if (name != NULL) {
            g_hash_table_insert(names, GUINT_TO_POINTER((guint)orch_json_int(event, "id", 0)),
                                g_strdup(name));
        }
    }
    return names;
}

/* Who spoke when; without words, as nothing is transcribed yet. */
static JsonArray *make_turns(OrchBots *bots, const OrchBot *bot)
{
    JsonArray *turns = json_array_new();
    g_autoptr(GHashTable) names = load_names(bots, bot);
    g_autoptr(GHashTable) open =
        g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)json_object_unref);
    g_autoptr(GPtrArray) events = orch_store_events(orch_bots_store(bots), bot->id, "speech", 0, 0);
    for (guint i = 0; i < events->len; i++) {
        g_autoptr(JsonObject) event = orch_json_load(g_ptr_array_index(events, i));
        gpointer id = GUINT_TO_POINTER((guint)orch_json_int(event, "id", 0));
        double at_s = orch_json_double(event, "at_s", -1);
        JsonObject *start = g_hash_table_lookup(open, id);
        if (g_strcmp0(orch_json_string(event, "op"), "start") == 0 && at_s >= 0) {
            g_hash_table_insert(open, id, json_object_ref(event));
        } else if (start != NULL && at_s >= 0) {
            add_turn(turns, bot, names, start, at_s);
            g_hash_table_remove(open, id);
        }
    }
    return turns;
}

JsonObject *orch_mbaas_meeting_data(OrchBots *bots, const OrchBot *bot, bool with_transcripts)
{
    JsonObject *object = json_object_new();
    JsonObject *data = json_object_new();
    json_object_set_object_member(data, "bot", make_bot(bot));
    json_object_set_null_member(data, "event_uuid");
    json_object_set_array_member(data, "transcripts",
                                 with_transcripts ? make_turns(bots, bot) : json_array_new());
    json_object_set_object_member(object, "bot_data", data);
    json_object_set_int_member(object, "duration", bot->duration_ms / 1000);
    set_link(object, "mp4", bots, bot, orch_bots_recording_name(bot));
    set_link(object, "audio", bots, bot, "audio.wav");
    set_link(object, "speaker_diarization_file", bots, bot, "diarization.jsonl");
    set_link(object, "speaker_diarization_file_network", bots, bot, "diarization.jsonl");
    set_link(object, "meeting_participants_file", bots, bot, "participants.json");
    return object;
}

JsonObject *orch_mbaas_recent(const OrchBot *bot)
{
    JsonObject *object = json_object_new();
    json_object_set_int_member(object, "id", bot->number);
    json_object_set_string_member(object, "uuid", bot->id);
    json_object_set_string_member(object, "bot_name", bot->bot_name);
    json_object_set_string_member(object, "meeting_url", bot->meeting_url);
    set_time(object, "created_at", bot->created_ms);
    set_time(object, "ended_at", bot->ended_ms);
    if (bot->ended_ms > 0) {
        json_object_set_int_member(object, "duration", bot->duration_ms / 1000);
    } else {
        json_object_set_null_member(object, "duration");
    }
    json_object_set_array_member(object, "speakers", orch_json_load_array(bot->speakers));
    json_object_set_null_member(object, "session_id");
    set_extra(object, bot);
    return object;
}

/* --- the caller's own data --- */

char *orch_mbaas_extra_text(const OrchBot *bot, const char *field)
{
    g_autoptr(JsonObject) extra = orch_json_load(bot->extra);
    JsonNode *node = json_object_get_member(extra, field);
    if (node == NULL || JSON_NODE_HOLDS_NULL(node)) {
        return NULL;
    }
    const char *string = orch_json_string(extra, field);
    return string != NULL ? g_strdup(string) : json_to_string(node, FALSE);
}

bool orch_mbaas_extra_matches(const OrchBot *bot, const char *filter)
{
    g_auto(GStrv) conditions = g_strsplit(filter, ",", -1);
    for (char **condition = conditions; *condition != NULL; condition++) {
        char *colon = strchr(*condition, ':');
        if (colon == NULL) {
            return false;
        }
        *colon = '\0';
        g_autofree char *value = orch_mbaas_extra_text(bot, g_strstrip(*condition));
        if (value == NULL || strcmp(value, colon + 1) != 0) {
            return false;
        }
    }
    return true;
}
