/* SPDX-License-Identifier: Apache-2.0 */
#include "streaming/client_priv.h"

#include <string.h>

/* RFC 6455 pings find a peer that vanished without a word. */
static const lws_retry_bo_t idle_policy = {
    .secs_since_valid_ping = 20,
    .secs_since_valid_hangup = 40,
};

static void tell_connection(StreamingEndpoint *endpoint, bool connected, const char *reason)
{
    StreamingNote note = {STREAMING_NOTE_CONNECTION, endpoint->url, connected, g_strdup(reason)};
    streaming_client_tell(endpoint->client, &note);
}

static void clear_queue(StreamingEndpoint *endpoint)
{
    endpoint->client->stats.n_frames_dropped += endpoint->audio.length;
    g_queue_clear_full(&endpoint->audio, (GDestroyNotify)g_byte_array_unref);
    endpoint->queued_samples = 0;
}

static void lost(StreamingEndpoint *endpoint, const char *reason)
{
    endpoint->wsi = NULL;
    bool was_connected = endpoint->connected;
    endpoint->connected = false;
    g_mutex_lock(&endpoint->client->lock);
    endpoint->open = false;
    clear_queue(endpoint);
    g_mutex_unlock(&endpoint->client->lock);
    if (g_atomic_int_get(&endpoint->client->stopping)) {
        return;
    }
    if (was_connected || endpoint->backoff.n_failures == 0) {
        tell_connection(endpoint, false, reason);
    }
    streaming_endpoint_schedule(endpoint,
                                streaming_backoff_next_ms(&endpoint->backoff, g_random_double()));
}

static void dial(lws_sorted_usec_list_t *sul)
{
    StreamingEndpoint *endpoint = lws_container_of(sul, StreamingEndpoint, sul);
    struct lws_client_connect_info info = {
        .context = endpoint->client->context,
        .address = endpoint->address,
        .port = endpoint->port,
        .path = endpoint->path,
        .host = endpoint->host,
        .origin = NULL,
        .ssl_connection = endpoint->tls ? LCCSCF_USE_SSL : 0,
        .local_protocol_name = streaming_protocols[0].name,
        .retry_and_idle_policy = &idle_policy,
        .userdata = endpoint,
        .pwsi = &endpoint->wsi,
    };
    /* A refusal may already have been reported by the callback, which then has scheduled. */
    guint failures = endpoint->backoff.n_failures;
    if (lws_client_connect_via_info(&info) == NULL && endpoint->backoff.n_failures == failures) {
        lost(endpoint, "could not be dialled");
    }
}

void streaming_endpoint_schedule(StreamingEndpoint *endpoint, guint wait_ms)
{
    lws_sul_schedule(endpoint->client->context, 0, &endpoint->sul, dial,
                     (lws_usec_t)wait_ms * LWS_US_PER_MS);
}

/* Adds one configured header to the upgrade request; nonzero ends the attempt. */
static int append_header(StreamingEndpoint *endpoint, const char *name, JsonNode *value,
                         guint8 **position, guint8 *end)
{
    const char *text = json_node_get_string(value);
    g_autofree char *with_colon = g_strconcat(name, ":", NULL);
    return lws_add_http_header_by_name(endpoint->wsi, (const guint8 *)with_colon,
                                       (const guint8 *)text, (int)strlen(text), position, end);
}

static int append_headers(StreamingEndpoint *endpoint, struct lws *wsi, void *in, size_t length)
{
    if (endpoint->client->headers == NULL) {
        return 0;
    }
    endpoint->wsi = wsi;
    guint8 **position = in;
    guint8 *end = *position + length;
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;
    json_object_iter_init(&iter, endpoint->client->headers);
    while (json_object_iter_next(&iter, &name, &value)) {
        if (append_header(endpoint, name, value, position, end) != 0) {
            return -1;
        }
    }
    return 0;
}

static void established(StreamingEndpoint *endpoint, struct lws *wsi)
{
    StreamingClient *client = endpoint->client;
    endpoint->wsi = wsi;
    endpoint->connected = true;
    endpoint->handshake_due = endpoint->socket.gets_meeting;
    streaming_backoff_reset(&endpoint->backoff);
    g_mutex_lock(&client->lock);
    endpoint->open = true;
    g_free(endpoint->speakers);
    endpoint->speakers = g_strdup(endpoint->last_speakers);
    client->stats.n_connects++;
    g_mutex_unlock(&client->lock);
    tell_connection(endpoint, true, NULL);
    if (endpoint->handshake_due) {
        lws_callback_on_writable(wsi);
    }
}

static int write_text(StreamingEndpoint *endpoint, const char *text)
{
    gsize length = strlen(text);
    g_autofree guint8 *buffer = g_malloc(LWS_PRE + length);
    memcpy(buffer + LWS_PRE, text, length);
    int n = lws_write(endpoint->wsi, buffer + LWS_PRE, length, LWS_WRITE_TEXT);
    return n < (int)length ? -1 : 0;
}

/* The offset is that of the audio that follows: what was queued before is gone by now. */
static char *handshake_text(StreamingEndpoint *endpoint)
{
    StreamingClient *client = endpoint->client;
    g_mutex_lock(&client->lock);
    uint64_t next_sample = client->next_sample;
    for (GList *item = endpoint->audio.head; item != NULL; item = item->next) {
        GByteArray *frame = item->data;
        next_sample -= (frame->len - LWS_PRE) / sizeof(int16_t);
    }
    g_mutex_unlock(&client->lock);
    g_autoptr(JsonObject) object = json_object_new();
    json_object_set_int_member(object, "protocol_version", 1);
    json_object_set_string_member(object, "bot_id", client->bot_id);
    json_object_set_double_member(object, "offset", (double)next_sample / client->rate_hz);
    json_object_set_int_member(object, "sample_rate", client->rate_hz);
    g_autoptr(JsonNode) node = json_node_alloc();
    json_node_init_object(node, object);
    return json_to_string(node, FALSE);
}

/* One message a call, as libwebsockets asks; speaker state goes before audio, it is newer. */
static int writable(StreamingEndpoint *endpoint)
{
    StreamingClient *client = endpoint->client;
    if (endpoint->handshake_due) {
        g_autofree char *text = handshake_text(endpoint);
        endpoint->handshake_due = false;
        lws_callback_on_writable(endpoint->wsi);
        return write_text(endpoint, text);
    }
    g_mutex_lock(&client->lock);
    g_autofree char *speakers = g_steal_pointer(&endpoint->speakers);
    g_autoptr(GByteArray) frame = speakers == NULL ? g_queue_pop_head(&endpoint->audio) : NULL;
    if (frame != NULL) {
        endpoint->queued_samples -= (frame->len - LWS_PRE) / sizeof(int16_t);
        client->stats.n_frames_sent++;
    }
    bool more = endpoint->audio.length > 0;
    g_mutex_unlock(&client->lock);
    bool stopping = g_atomic_int_get(&client->stopping);
    if (more || stopping) {
        lws_callback_on_writable(endpoint->wsi);
    }
    if (speakers != NULL) {
        return write_text(endpoint, speakers);
    }
    if (frame == NULL) {
        if (stopping) {
            lws_close_reason(endpoint->wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
        }
        return stopping ? -1 : 0;
    }
    gsize length = frame->len - LWS_PRE;
    int n = lws_write(endpoint->wsi, frame->data + LWS_PRE, length, LWS_WRITE_BINARY);
    return n < (int)length ? -1 : 0;
}

static bool is_flush(const char *text)
{
    g_autoptr(JsonNode) node = json_from_string(text, NULL);
    if (node == NULL || !JSON_NODE_HOLDS_OBJECT(node)) {
        return false;
    }
    JsonNode *type = json_object_get_member(json_node_get_object(node), "type");
    return type != NULL && JSON_NODE_HOLDS_VALUE(type) &&
           json_node_get_value_type(type) == G_TYPE_STRING &&
           strcmp(json_node_get_string(type), "flush") == 0;
}

static void received_text(StreamingEndpoint *endpoint, const char *data, gsize length, bool final)
{
    gsize room = STREAMING_MAX_TEXT_BYTES - MIN(endpoint->text->len, STREAMING_MAX_TEXT_BYTES);
    g_string_append_len(endpoint->text, data, (gssize)MIN(length, room));
    if (!final) {
        return;
    }
    if (endpoint->text->len < STREAMING_MAX_TEXT_BYTES &&
        g_utf8_validate(endpoint->text->str, (gssize)endpoint->text->len, NULL) &&
        is_flush(endpoint->text->str)) {
        streaming_client_flush_speech(endpoint->client);
        StreamingNote note = {.kind = STREAMING_NOTE_FLUSH};
        streaming_client_tell(endpoint->client, &note);
    }
    g_string_truncate(endpoint->text, 0);
}

static void received_speech(StreamingClient *client, const guint8 *data, gsize length)
{
    g_mutex_lock(&client->lock);
    client->stats.n_speech_dropped += streaming_speech_buffer_push(client->speech, data, length);
    bool tell = !client->speech_noted;
    client->speech_noted = true;
    g_mutex_unlock(&client->lock);
    if (tell) {
        StreamingNote note = {.kind = STREAMING_NOTE_SPEECH};
        streaming_client_tell(client, &note);
    }
}

static void received(StreamingEndpoint *endpoint, struct lws *wsi, const void *data, gsize length)
{
    if (!endpoint->socket.gives_speech) {
        return;
    }
    if (lws_frame_is_binary(wsi)) {
        received_speech(endpoint->client, data, length);
    } else {
        received_text(endpoint, data, length,
                      lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0);
    }
}

static void request_writes(StreamingClient *client)
{
    for (guint i = 0; i < client->n_endpoints; i++) {
        StreamingEndpoint *endpoint = &client->endpoints[i];
        if (!endpoint->connected) {
            continue;
        }
        g_mutex_lock(&client->lock);
        bool waiting = endpoint->audio.length > 0 || endpoint->speakers != NULL;
        g_mutex_unlock(&client->lock);
        if (waiting) {
            lws_callback_on_writable(endpoint->wsi);
        }
    }
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                  size_t length)
{
    StreamingEndpoint *endpoint = user;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum"
    switch (reason) {
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        request_writes(lws_context_user(lws_get_context(wsi)));
        return 0;
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return append_headers(endpoint, wsi, in, length);
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        established(endpoint, wsi);
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        lost(endpoint, in != NULL ? in : "connection failed");
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        lost(endpoint, "closed");
        return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return writable(endpoint);
    case LWS_CALLBACK_CLIENT_RECEIVE:
        received(endpoint, wsi, in, length);
        return 0;
    default:
        return 0;
    }
#pragma GCC diagnostic pop
}

const struct lws_protocols streaming_protocols[] = {
    {"steno", on_lws, 0, 65536, 0, NULL, 0},
    {NULL, NULL, 0, 0, 0, NULL, 0},
};
