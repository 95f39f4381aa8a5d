/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/teams/signals.h"

#include "platforms/inflate.h"
#include "platforms/json.h"
#include "platforms/platform.h"

#include <string.h>

#define MAX_MESSAGE_BYTES (8u << 20)
#define MAX_STRING_BYTES 4096
#define MAX_PARTICIPANTS 2000 /* of one message */
#define MAX_ENDPOINTS 16      /* of one participant */
#define MAX_ITEMS 64          /* of one channel message */
#define MAX_CHANNEL_BYTES (1u << 20)
#define MAX_TRIES 8         /* at brackets in that prefix */
#define MAX_PREFIX_BYTES 64 /* of a channel message, before its JSON */

typedef struct {
    const TeamsSignalsSink *sink;
    gpointer user_data;
    unsigned n_left;
} Parser;

static bool refuse(GError **error, const char *what)
{
    g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL, "teams: %s", what);
    return false;
}

/* json-glib takes any bytes for a string. */
static const char *text_of(JsonObject *object, const char *name)
{
    const char *text = platform_json_string(object, name, NULL);
    return text != NULL && strlen(text) <= MAX_STRING_BYTES && g_utf8_validate(text, -1, NULL)
               ? text
               : NULL;
}

static int64_t source_of(JsonNode *node)
{
    if (node == NULL || !JSON_NODE_HOLDS_VALUE(node)) {
        return TEAMS_NO_SOURCE;
    }
    int64_t value = TEAMS_NO_SOURCE;
    if (json_node_get_value_type(node) == G_TYPE_INT64) {
        value = json_node_get_int(node);
    } else if (json_node_get_value_type(node) == G_TYPE_STRING) {
        guint64 number = 0;
        value = g_ascii_string_to_unsigned(json_node_get_string(node), 10, 0, G_MAXUINT32, &number,
                                           NULL)
                    ? (int64_t)number
                    : TEAMS_NO_SOURCE;
    }
    return value >= 0 && value <= G_MAXUINT32 ? value : TEAMS_NO_SOURCE;
}

// --- the roster ---

static bool read_stream(JsonObject *object, TeamsStream *stream)
{
    static const char *const types[] = {"audio", "video", "applicationsharing-video"};
    const char *type = platform_json_string(object, "type", "");
    const char *direction = platform_json_string(object, "direction", "");
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        if (strcmp(types[i], type) == 0) {
            stream->type = (TeamsStreamType)i;
            stream->source_id = source_of(json_object_get_member(object, "sourceId"));
            stream->sends =
                strcmp(direction, "sendrecv") == 0 || strcmp(direction, "sendonly") == 0;
            return true;
        }
    }
    return false;
}

static void read_endpoint(Parser *parser, const char *participant, const char *id, JsonNode *node)
{
    TeamsEndpoint endpoint = {.id = id};
    JsonObject *object = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    JsonObject *call = platform_json_object(object, "call");
    JsonArray *streams = platform_json_array(call, "mediaStreams");
    endpoint.gone = object == NULL;
    endpoint.in_call = call != NULL;
    endpoint.in_lobby = platform_json_object(object, "lobby") != NULL;
    endpoint.has_streams = streams != NULL;
    for (guint i = 0; streams != NULL && i < json_array_get_length(streams); i++) {
        JsonNode *stream = json_array_get_element(streams, i);
        if (endpoint.n_streams < TEAMS_MAX_STREAMS && JSON_NODE_HOLDS_OBJECT(stream) &&
            read_stream(json_node_get_object(stream), &endpoint.streams[endpoint.n_streams])) {
            endpoint.n_streams++;
        }
    }
    parser->sink->on_endpoint(participant, &endpoint, parser->user_data);
}

static void read_endpoints(Parser *parser, const char *participant, JsonObject *endpoints)
{
    JsonObjectIter iter;
    const char *id;
    JsonNode *node;
    unsigned n = 0;
    json_object_iter_init(&iter, endpoints);
    while (json_object_iter_next(&iter, &id, &node) && n++ < MAX_ENDPOINTS) {
        if (strlen(id) <= MAX_STRING_BYTES && g_utf8_validate(id, -1, NULL)) {
            read_endpoint(parser, participant, id, node);
        }
    }
}

static void read_participant(Parser *parser, const char *key, JsonObject *object)
{
    JsonObject *details = platform_json_object(object, "details");
    const char *state = platform_json_string(object, "state", NULL);
    const char *role = platform_json_string(object, "meetingRole", NULL);
    TeamsParticipant participant = {.id = text_of(details, "id")};
    if (participant.id == NULL || *participant.id == '\0') {
        participant.id = key;
    }
    if (*participant.id == '\0' || strlen(participant.id) > MAX_STRING_BYTES ||
        !g_utf8_validate(participant.id, -1, NULL)) {
        return;
    }
    participant.name = text_of(details, "displayName");
    if (state != NULL) {
        participant.state =
            strcmp(state, "inactive") == 0 ? TEAMS_STATE_INACTIVE : TEAMS_STATE_ACTIVE;
    }
    if (role != NULL) {
        participant.role = strcmp(role, "organizer") == 0 ? TEAMS_ROLE_ORGANIZER : TEAMS_ROLE_OTHER;
    }
    if (json_object_has_member(object, "isServerMuted")) {
        participant.server_mute =
            platform_json_bool(object, "isServerMuted", false) ? TEAMS_MUTED : TEAMS_NOT_MUTED;
    }
    JsonObject *endpoints = platform_json_object(object, "endpoints");
    if (endpoints != NULL) {
        read_endpoints(parser, participant.id, endpoints);
    }
    parser->sink->on_participant(&participant, parser->user_data);
}

static void read_participants(Parser *parser, JsonObject *participants)
{
    JsonObjectIter iter;
    const char *key;
    JsonNode *node;
    json_object_iter_init(&iter, participants);
    while (json_object_iter_next(&iter, &key, &node) && parser->n_left > 0) {
        parser->n_left--;
        if (JSON_NODE_HOLDS_OBJECT(node)) {
            read_participant(parser, key, json_node_get_object(node));
        }
    }
}

/* The roster stands at the top or in "roster", as an answer to joining has it. */
static void read_roster(Parser *parser, JsonObject *root)
{
    JsonObject *participants = platform_json_object(root, "participants");
    if (participants == NULL) {
        participants = platform_json_object(platform_json_object(root, "roster"), "participants");
    }
    if (participants != NULL) {
        read_participants(parser, participants);
    }
}

// --- trouter ---

/* The body as an object: itself, JSON text, or base64 of (compressed) JSON text. */
static JsonObject *open_body(JsonObject *frame, GError **error)
{
    JsonObject *body = platform_json_object(frame, "body");
    const char *text = platform_json_string(frame, "body", NULL);
    if (body != NULL) {
        return json_object_ref(body);
    }
    if (text == NULL) {
        refuse(error, "a frame without a body");
        return NULL;
    }
    while (g_ascii_isspace(*text)) {
        text++;
    }
    if (*text == '{') {
        return platform_json_parse(text, strlen(text), error);
    }
    gsize size = 0;
    g_autofree guchar *packed = g_base64_decode(text, &size);
    g_autoptr(GBytes) plain =
        packed != NULL ? platform_inflate(packed, size, MAX_MESSAGE_BYTES, error) : NULL;
    if (plain == NULL) {
        return NULL;
    }
    const char *json = g_bytes_get_data(plain, &size);
    return platform_json_parse(json != NULL ? json : "", size, error);
}

/* The last part of the URL's path, a query and a trailing slash left out. */
static bool url_ends_with(const char *url, const char *last)
{
    size_t length = strcspn(url, "?#"), tail = strlen(last);
    while (length > 0 && url[length - 1] == '/') {
        length--;
    }
    return length >= tail && strncmp(url + length - tail, last, tail) == 0 &&
           (length == tail || url[length - tail - 1] == '/');
}

/* Header names have no case. */
static const char *call_of(JsonObject *frame)
{
    JsonObject *headers = platform_json_object(frame, "headers");
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;
    if (headers == NULL) {
        return NULL;
    }
    json_object_iter_init(&iter, headers);
    while (json_object_iter_next(&iter, &name, &node)) {
        if (g_ascii_strcasecmp(name, "X-Microsoft-Skype-Chain-ID") == 0) {
            const char *id = text_of(headers, name);
            return id != NULL && *id != '\0' ? id : NULL;
        }
    }
    return NULL;
}

static void read_end(Parser *parser, JsonObject *body, const char *call_id)
{
    JsonObject *sender = platform_json_object(body, "sender");
    TeamsConversationEnd end = {.sub_code = platform_json_int(body, "subCode", 0),
                                .sender_id = text_of(sender, "id"),
                                .sender_name = text_of(sender, "displayName"),
                                .call_id = call_id};
    parser->sink->on_conversation_end(&end, parser->user_data);
}

bool teams_signals_parse_trouter(const void *data, size_t size, const TeamsSignalsSink *sink,
                                 gpointer user_data, GError **error)
{
    static const char head[] = "3:::";
    const char *text = data;
    if (size < sizeof head - 1 || strncmp(text, head, sizeof head - 1) != 0) {
        return true;
    }
    if (size > MAX_MESSAGE_BYTES) {
        return refuse(error, "a frame that is too large");
    }
    g_autoptr(JsonObject) frame =
        platform_json_parse(text + sizeof head - 1, size - (sizeof head - 1), error);
    if (frame == NULL) {
        return false;
    }
    const char *url = platform_json_string(frame, "url", "");
    bool is_roster = url_ends_with(url, "rosterUpdate");
    if (!is_roster && !url_ends_with(url, "conversationEnd")) {
        return true;
    }
    g_autoptr(JsonObject) body = open_body(frame, error);
    if (body == NULL) {
        return false;
    }
    Parser parser = {.sink = sink, .user_data = user_data, .n_left = MAX_PARTICIPANTS};
    const char *call_id = call_of(frame);
    if (!is_roster) {
        read_end(&parser, body, call_id);
        return true;
    }
    if (call_id != NULL) {
        sink->on_roster_call(call_id, user_data);
    }
    read_roster(&parser, body);
    return true;
}

void teams_signals_parse_snapshot(const void *data, size_t size, const TeamsSignalsSink *sink,
                                  gpointer user_data)
{
    g_autoptr(JsonObject) root =
        size <= MAX_MESSAGE_BYTES ? platform_json_parse(data, size, NULL) : NULL;
    if (root != NULL) {
        Parser parser = {.sink = sink, .user_data = user_data, .n_left = MAX_PARTICIPANTS};
        read_roster(&parser, root);
    }
}

// --- main-channel ---

static void read_dominant(Parser *parser, JsonObject *item)
{
    JsonArray *history = platform_json_array(item, "history");
    int64_t sources[TEAMS_MAX_SPEAKERS];
    unsigned n = 0;
    for (guint i = 0; history != NULL && i < json_array_get_length(history); i++) {
        int64_t source = source_of(json_array_get_element(history, i));
        if (source != TEAMS_NO_SOURCE && n < TEAMS_MAX_SPEAKERS) {
            sources[n++] = source;
        }
    }
    parser->sink->on_dominant(sources, n, parser->user_data);
}

static void read_captions(Parser *parser, JsonArray *results)
{
    for (guint i = 0; i < MIN(json_array_get_length(results), MAX_ITEMS); i++) {
        JsonNode *node = json_array_get_element(results, i);
        JsonObject *result = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
        const char *user = text_of(result, "userId");
        const char *text = platform_json_string(result, "text", "");
        if (user != NULL && *user != '\0' && *text != '\0') {
            parser->sink->on_caption(user, platform_json_bool(result, "isFinal", false),
                                     parser->user_data);
        }
    }
}

static void read_subscription(Parser *parser, JsonObject *info)
{
    JsonNode *node = json_object_get_member(info, "streamMsid");
    char number[24];
    const char *stream = text_of(info, "streamMsid");
    if (stream == NULL && node != NULL && JSON_NODE_HOLDS_VALUE(node) &&
        json_node_get_value_type(node) == G_TYPE_INT64) {
        g_snprintf(number, sizeof number, "%" G_GINT64_FORMAT, json_node_get_int(node));
        stream = number;
    }
    if (stream != NULL && *stream != '\0') {
        parser->sink->on_subscription(source_of(json_object_get_member(info, "sourceId")), stream,
                                      parser->user_data);
    }
}

static void read_subscriptions(Parser *parser, JsonObject *item)
{
    JsonObject *control = platform_json_object(item, "controlVideoStreaming");
    JsonObject *one = platform_json_object(control, "controlInfo");
    JsonArray *many = platform_json_array(control, "controlInfo");
    if (one != NULL) {
        read_subscription(parser, one);
    }
    for (guint i = 0; many != NULL && i < MIN(json_array_get_length(many), MAX_ITEMS); i++) {
        JsonNode *node = json_array_get_element(many, i);
        if (JSON_NODE_HOLDS_OBJECT(node)) {
            read_subscription(parser, json_node_get_object(node));
        }
    }
}

static void read_item(Parser *parser, JsonObject *item)
{
    const char *type = platform_json_string(item, "type", "");
    JsonArray *results = platform_json_array(item, "recognitionResults");
    if (strcmp(type, "dsh") == 0) {
        read_dominant(parser, item);
    } else if (strcmp(type, "sr") == 0) {
        read_subscriptions(parser, item);
    } else if (results != NULL) {
        read_captions(parser, results);
    }
}

/* The JSON behind the prefix, as the member "items" of an object; NULL: there is none. */
static JsonObject *find_json(const char *text, size_t size)
{
    unsigned n_tries = 0;
    for (size_t i = 0; i < MIN(size, MAX_PREFIX_BYTES) && n_tries < MAX_TRIES; i++) {
        char closer = text[i] == '[' ? ']' : text[i] == '{' ? '}' : '\0';
        size_t end = size;
        while (closer != '\0' && end > i + 1 && text[end - 1] != closer) {
            end--;
        }
        if (closer == '\0' || end <= i + 1) {
            continue;
        }
        n_tries++;
        g_autofree char *whole = g_strdup_printf("{\"items\":%.*s}", (int)(end - i), text + i);
        JsonObject *root = platform_json_parse(whole, strlen(whole), NULL);
        if (root != NULL) {
            return root;
        }
    }
    return NULL;
}

bool teams_signals_parse_channel(const void *data, size_t size, const TeamsSignalsSink *sink,
                                 gpointer user_data, GError **error)
{
    if (size > MAX_CHANNEL_BYTES) {
        return refuse(error, "a channel message that is too large");
    }
    g_autoptr(JsonObject) root = find_json(data, size);
    if (root == NULL) {
        return refuse(error, "a channel message without JSON");
    }
    Parser parser = {.sink = sink, .user_data = user_data};
    JsonObject *one = platform_json_object(root, "items");
    JsonArray *many = platform_json_array(root, "items");
    if (one != NULL) {
        read_item(&parser, one);
    }
    for (guint i = 0; many != NULL && i < MIN(json_array_get_length(many), MAX_ITEMS); i++) {
        JsonNode *node = json_array_get_element(many, i);
        if (JSON_NODE_HOLDS_OBJECT(node)) {
            read_item(&parser, json_node_get_object(node));
        }
    }
    return true;
}
