/* SPDX-License-Identifier: Apache-2.0 */
#include "streaming/client_priv.h"

#include "base/agent.h"
#include "base/backoff.h"

#include <string.h>

#define FIRST_WAIT_MS 1000u
#define LONGEST_WAIT_MS 60000u

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

void streaming_endpoint_clear(StreamingEndpoint *endpoint)
{
    endpoint->client->stats.n_frames_dropped += endpoint->audio.length;
    g_queue_clear_full(&endpoint->audio, (GDestroyNotify)streaming_message_unref);
    endpoint->queued_samples = endpoint->queued_bytes = 0;
}

/* There must be one. */
static StreamingMessage *pop_audio(StreamingEndpoint *endpoint)
{
    StreamingMessage *message = g_queue_pop_head(&endpoint->audio);
    endpoint->queued_samples -= message->n_samples;
    endpoint->queued_bytes -= message->length;
    return message;
}

void streaming_endpoint_queue(StreamingEndpoint *endpoint, StreamingMessage *message)
{
    StreamingClient *client = endpoint->client;
    gsize max_ms = STREAMING_MAX_QUEUED_MS + client->replay_s * 1000u;
    g_queue_push_tail(&endpoint->audio, streaming_message_ref(message));
    endpoint->queued_samples += message->n_samples;
    endpoint->queued_bytes += message->length;
    while (endpoint->queued_samples > client->rate_hz * max_ms / 1000 ||
           endpoint->queued_bytes > STREAMING_MAX_QUEUED_BYTES) {
        streaming_message_unref(pop_audio(endpoint));
        client->stats.n_frames_dropped++;
        client->n_dropped_untold++;
    }
}

/* 1, 2, 4 … 60 s, of which the upper half is random, and never below 1 s. */
static guint next_wait_ms(StreamingEndpoint *endpoint)
{
    guint wait_ms = base_backoff_ms(FIRST_WAIT_MS, LONGEST_WAIT_MS, endpoint->n_failures++);
    return MAX(base_backoff_spread_ms(wait_ms, 0.5, 1, g_random_double()), FIRST_WAIT_MS);
}

static void lost(StreamingEndpoint *endpoint, const char *reason)
{
    g_autofree char *given = g_steal_pointer(&endpoint->close_reason);
    reason = given != NULL ? given : reason;
    endpoint->wsi = NULL;
    endpoint->dialling = false;
    bool was_connected = endpoint->connected;
    endpoint->connected = false;
    g_mutex_lock(&endpoint->client->lock);
    endpoint->open = false;
    endpoint->n_away += endpoint->audio.length;
    if (endpoint->client->replay_s > 0) {
        endpoint->client->stats.n_frames_dropped -= endpoint->audio.length; /* may come again */
    }
    streaming_endpoint_clear(endpoint);
    g_mutex_unlock(&endpoint->client->lock);
    if (g_atomic_int_get(&endpoint->client->stopping)) {
        return;
    }
    if (was_connected || endpoint->n_failures == 0) {
        tell_connection(endpoint, false, reason);
    }
    streaming_endpoint_schedule(endpoint, next_wait_ms(endpoint));
}

/* @reason: libwebsockets' own, or NULL; the consumer's answer says more. */
static void failed(StreamingEndpoint *endpoint, struct lws *wsi, const char *reason)
{
    unsigned status = lws_http_client_http_response(wsi);
    g_autofree char *text = status >= 300 ? g_strdup_printf("refused with HTTP status %u", status)
                                          : g_strdup(reason != NULL ? reason : "connection failed");
    lost(endpoint, text);
}

static void dial(lws_sorted_usec_list_t *sul)
{
    StreamingEndpoint *endpoint = lws_container_of(sul, StreamingEndpoint, sul);
    struct lws_client_connect_info info = {
        .context = endpoint->client->context,
        .vhost = endpoint->vhost,
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
    endpoint->dialling = true;
    guint failures = endpoint->n_failures;
    if (lws_client_connect_via_info(&info) == NULL && endpoint->n_failures == failures) {
        lost(endpoint, "could not be dialled");
    }
}

void streaming_endpoint_schedule(StreamingEndpoint *endpoint, guint wait_ms)
{
    lws_sul_schedule(endpoint->client->context, 0, &endpoint->sul, dial,
                     (lws_usec_t)wait_ms * LWS_US_PER_MS);
}

/* Adds one header to the upgrade request; nonzero ends the attempt. */
static int append_header(struct lws *wsi, const char *name, const char *value, guint8 **position,
                         guint8 *end)
{
    g_autofree char *with_colon = g_strconcat(name, ":", NULL);
    return lws_add_http_header_by_name(wsi, (const guint8 *)with_colon, (const guint8 *)value,
                                       (int)strlen(value), position, end);
}

static bool has_header(const StreamingClient *client, const char *name)
{
    g_autoptr(GList) names =
        client->headers != NULL ? json_object_get_members(client->headers) : NULL;
    for (GList *item = names; item != NULL; item = item->next) {
        if (g_ascii_strcasecmp(item->data, name) == 0) {
            return true;
        }
    }
    return false;
}

static int append_headers(StreamingEndpoint *endpoint, struct lws *wsi, void *in, size_t length)
{
    const StreamingClient *client = endpoint->client;
    guint8 **position = in;
    guint8 *end = *position + length;
    if (client->authorization != NULL &&
        append_header(wsi, "Authorization", client->authorization, position, end) != 0) {
        return -1;
    }
    if (!has_header(client, "User-Agent") &&
        append_header(wsi, "User-Agent", BASE_USER_AGENT, position, end) != 0) {
        return -1;
    }
    if (client->headers == NULL) {
        return 0;
    }
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;
    json_object_iter_init(&iter, client->headers);
    while (json_object_iter_next(&iter, &name, &value)) {
        if (append_header(wsi, name, json_node_get_string(value), position, end) != 0) {
            return -1;
        }
    }
    return 0;
}

/* What came while it was away goes on from where @replay_s reaches back to; the rest is gone. */
static void replay(StreamingEndpoint *endpoint)
{
    StreamingClient *client = endpoint->client;
    streaming_endpoint_clear(endpoint);
    for (GList *item = client->recent.head; item != NULL; item = item->next) {
        streaming_endpoint_queue(endpoint, item->data);
    }
    uint64_t n_replayed = MIN(client->recent.length, endpoint->n_away);
    client->stats.n_frames_replayed += n_replayed;
    uint64_t n_gone = endpoint->n_away - n_replayed;
    client->stats.n_frames_dropped += client->replay_s > 0 ? n_gone : 0;
    client->n_dropped_untold += n_gone;
    endpoint->n_away = 0;
}

static void established(StreamingEndpoint *endpoint, struct lws *wsi)
{
    StreamingClient *client = endpoint->client;
    endpoint->wsi = wsi;
    endpoint->connected = true;
    endpoint->dialling = false;
    endpoint->handshake_due =
        endpoint->socket.gets_meeting && client->format == STREAMING_FORMAT_RAW;
    g_string_truncate(endpoint->text, 0);
    endpoint->n_failures = 0;
    g_mutex_lock(&client->lock);
    endpoint->open = true;
    if (endpoint->socket.gets_meeting) {
        replay(endpoint);
    }
    g_free(endpoint->speakers);
    endpoint->speakers = g_strdup(endpoint->last_speakers);
    client->stats.n_connects++;
    g_mutex_unlock(&client->lock);
    tell_connection(endpoint, true, NULL);
    if (endpoint->socket.gets_meeting) {
        lws_callback_on_writable(wsi);
    }
}

static int write_message(StreamingEndpoint *endpoint, const void *data, gsize length, bool text)
{
    g_byte_array_set_size(endpoint->scratch, (guint)(LWS_PRE + length));
    guint8 *buffer = endpoint->scratch->data + LWS_PRE;
    memcpy(buffer, data, length);
    int n = lws_write(endpoint->wsi, buffer, length, text ? LWS_WRITE_TEXT : LWS_WRITE_BINARY);
    return n < (int)length ? -1 : 0;
}

static int write_text(StreamingEndpoint *endpoint, const char *text)
{
    return write_message(endpoint, text, strlen(text), true);
}

/* The offset is that of the audio that follows: what was queued before is gone by now. */
static char *handshake_text(StreamingEndpoint *endpoint)
{
    StreamingClient *client = endpoint->client;
    g_mutex_lock(&client->lock);
    uint64_t next_sample = client->next_sample;
    for (GList *item = endpoint->audio.head; item != NULL; item = item->next) {
        next_sample -= ((const StreamingMessage *)item->data)->n_samples;
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
    bool is_audio = speakers == NULL && endpoint->audio.length > 0;
    g_autoptr(StreamingMessage) message = is_audio ? pop_audio(endpoint) : NULL;
    client->stats.n_frames_sent += is_audio;
    bool more = endpoint->audio.length > 0;
    g_mutex_unlock(&client->lock);
    bool stopping = g_atomic_int_get(&client->stopping);
    if (more || stopping) {
        lws_callback_on_writable(endpoint->wsi);
    }
    if (speakers != NULL) {
        return write_text(endpoint, speakers);
    }
    if (is_audio) {
        return write_message(endpoint, message->data, message->length, message->text);
    }
    if (stopping) {
        lws_close_reason(endpoint->wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
    }
    return stopping ? -1 : 0;
}

static void received_speech(StreamingClient *client, const guint8 *data, gsize length,
                            uint32_t rate_hz)
{
    g_mutex_lock(&client->lock);
    gsize n = streaming_speech_buffer_push(client->speech, data, length, rate_hz);
    client->stats.n_speech_dropped += n;
    client->n_speech_untold += n;
    bool tell = !client->speech_noted;
    client->speech_noted = true;
    g_mutex_unlock(&client->lock);
    if (n > 0) {
        g_source_set_ready_time(client->mailbox, 0);
    }
    if (tell) {
        StreamingNote note = {.kind = STREAMING_NOTE_SPEECH};
        streaming_client_tell(client, &note);
    }
}

static void read_text(StreamingEndpoint *endpoint)
{
    StreamingClient *client = endpoint->client;
    g_autoptr(GBytes) pcm = NULL;
    uint32_t rate_hz = 0;
    StreamingTextKind kind =
        streaming_text_read(endpoint->text->str, endpoint->text->len, &pcm, &rate_hz);
    if (kind == STREAMING_TEXT_FLUSH) {
        streaming_client_flush_speech(client);
        StreamingNote note = {.kind = STREAMING_NOTE_FLUSH};
        streaming_client_tell(client, &note);
    } else if (kind == STREAMING_TEXT_BOT_OUTPUT && client->format == STREAMING_FORMAT_ATTENDEE) {
        gsize n_bytes;
        const guint8 *data = g_bytes_get_data(pcm, &n_bytes);
        received_speech(client, data, n_bytes / 2 * 2, rate_hz);
    }
}

static void received_text(StreamingEndpoint *endpoint, const char *data, gsize length, bool final)
{
    gsize max_bytes = endpoint->client->format == STREAMING_FORMAT_ATTENDEE
                          ? STREAMING_MAX_ATTENDEE_BYTES
                          : STREAMING_MAX_TEXT_BYTES;
    gsize room = max_bytes - MIN(endpoint->text->len, max_bytes);
    g_string_append_len(endpoint->text, data, (gssize)MIN(length, room));
    if (!final) {
        return;
    }
    if (endpoint->text->len < max_bytes) {
        read_text(endpoint);
    }
    g_string_truncate(endpoint->text, 0);
}

static void received(StreamingEndpoint *endpoint, struct lws *wsi, const void *data, gsize length)
{
    if (!endpoint->socket.gives_speech) {
        return;
    }
    if (lws_frame_is_binary(wsi)) {
        if (endpoint->client->format == STREAMING_FORMAT_RAW) {
            received_speech(endpoint->client, data, length, endpoint->client->rate_hz);
        }
    } else {
        received_text(endpoint, data, length,
                      lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0);
    }
}

/* @data: the code, big-endian, and perhaps a text (RFC 6455, 5.5.1). */
static void peer_closes(StreamingEndpoint *endpoint, const guint8 *data, gsize length)
{
    if (data == NULL || length < 2) {
        return;
    }
    gsize n_text = MIN(length - 2, 123);
    g_autofree char *text = g_utf8_make_valid((const char *)data + 2, (gssize)n_text);
    g_free(endpoint->close_reason);
    endpoint->close_reason = g_strdup_printf("closed with code %u%s%s", data[0] << 8 | data[1],
                                             n_text > 0 ? ": " : "", text);
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
        failed(endpoint, wsi, in);
        return 0;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        peer_closes(endpoint, in, length);
        return 0;
    case LWS_CALLBACK_CLOSED_CLIENT_HTTP: /* all that is told of a handshake nobody answers */
        if (endpoint->dialling) {
            lost(endpoint, "no answer to the handshake");
        }
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
