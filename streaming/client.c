/* SPDX-License-Identifier: Apache-2.0 */
#include "streaming/client_priv.h"

#include "base/proxy.h"

#include <string.h>

G_DEFINE_QUARK(streaming_error, streaming_error)

#define DROPPED_EVERY_US G_USEC_PER_SEC
#define CLOSE_WITHIN_US (G_USEC_PER_SEC / 5)
/* A dial into a network that swallows everything must not keep the next one waiting. */
#define HANDSHAKE_WITHIN_S 5

static void log_line(int level, const char *line)
{
    g_autofree char *text = g_strchomp(g_strdup(line));
    g_debug("libwebsockets: %s", text);
}

/* --- the mailbox: from the service thread to the main thread --- */

static gboolean mailbox_dispatch(GSource *source, GSourceFunc callback, gpointer user_data)
{
    g_source_set_ready_time(source, -1);
    return callback(user_data);
}

static GSourceFuncs mailbox_funcs = {.dispatch = mailbox_dispatch};

void streaming_client_tell(StreamingClient *client, const StreamingNote *note)
{
    g_mutex_lock(&client->lock);
    g_queue_push_tail(&client->notes, g_memdup2(note, sizeof *note));
    g_mutex_unlock(&client->lock);
    g_source_set_ready_time(client->mailbox, 0);
}

static void note_free(StreamingNote *note)
{
    g_free(note->reason);
    g_free(note);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StreamingNote, note_free)

static void deliver(StreamingClient *client, const StreamingNote *note)
{
    switch (note->kind) {
    case STREAMING_NOTE_CONNECTION:
        if (client->events.on_connection != NULL) {
            client->events.on_connection(note->url, note->connected, note->reason,
                                         client->user_data);
        }
        break;
    case STREAMING_NOTE_SPEECH:
        g_mutex_lock(&client->lock);
        client->speech_noted = false;
        g_mutex_unlock(&client->lock);
        if (client->events.on_speech != NULL) {
            client->events.on_speech(client->user_data);
        }
        break;
    case STREAMING_NOTE_FLUSH:
        if (client->events.on_flush != NULL) {
            client->events.on_flush(client->user_data);
        }
        break;
    }
}

static void deliver_dropped(StreamingClient *client)
{
    g_mutex_lock(&client->lock);
    uint64_t n = client->n_dropped_untold, n_speech = client->n_speech_untold;
    int64_t now_us = g_get_monotonic_time();
    int64_t due_us = client->dropped_told_us + DROPPED_EVERY_US;
    bool due = n + n_speech > 0 && now_us >= due_us;
    if (n + n_speech > 0 && !due && client->notes.length == 0) {
        g_source_set_ready_time(client->mailbox, due_us);
    }
    if (due) {
        client->n_dropped_untold = client->n_speech_untold = 0;
        client->dropped_told_us = now_us;
    }
    g_mutex_unlock(&client->lock);
    if (due && client->events.on_dropped != NULL) {
        client->events.on_dropped(n, n_speech, client->user_data);
    }
}

/* One note a turn, so that an event may free the client. */
static gboolean read_mailbox(gpointer user_data)
{
    StreamingClient *client = user_data;
    GSource *mailbox = g_source_ref(client->mailbox);
    g_mutex_lock(&client->lock);
    g_autoptr(StreamingNote) note = g_queue_pop_head(&client->notes);
    bool more = client->notes.length > 0;
    g_mutex_unlock(&client->lock);
    if (more) {
        g_source_set_ready_time(mailbox, 0);
    }
    if (note != NULL) {
        deliver(client, note);
    }
    if (!g_source_is_destroyed(mailbox)) {
        deliver_dropped(client);
    }
    g_source_unref(mailbox);
    return G_SOURCE_CONTINUE;
}

/* --- the service thread --- */

static bool anything_open(StreamingClient *client)
{
    for (guint i = 0; i < client->n_endpoints; i++) {
        if (client->endpoints[i].connected) {
            return true;
        }
    }
    return false;
}

static gpointer serve(gpointer user_data)
{
    StreamingClient *client = user_data;
    while (!g_atomic_int_get(&client->stopping)) {
        lws_service(client->context, 0);
    }
    int64_t until_us = g_get_monotonic_time() + CLOSE_WITHIN_US;
    for (guint i = 0; i < client->n_endpoints; i++) {
        lws_sul_cancel(&client->endpoints[i].sul);
        if (client->endpoints[i].connected) {
            lws_callback_on_writable(client->endpoints[i].wsi);
            lws_set_timer_usecs(client->endpoints[i].wsi, CLOSE_WITHIN_US);
        }
    }
    while (anything_open(client) && g_get_monotonic_time() < until_us) {
        lws_service(client->context, 0);
    }
    return NULL;
}

/* --- making and freeing --- */

static bool init_endpoint(StreamingClient *client, StreamingEndpoint *endpoint, GError **error)
{
    endpoint->client = client;
    endpoint->url = g_strdup(endpoint->socket.url);
    endpoint->text = g_string_new(NULL);
    endpoint->scratch = g_byte_array_new();
    g_queue_init(&endpoint->audio);
    g_autoptr(GUri) uri = g_uri_parse(endpoint->url, G_URI_FLAGS_ENCODED, error);
    if (uri == NULL) {
        g_prefix_error(error, "streaming URL: ");
        return false;
    }
    if (g_uri_get_host(uri) == NULL || g_uri_get_host(uri)[0] == '\0') {
        g_set_error(error, STREAMING_ERROR, STREAMING_ERROR_URL, "streaming URL: no host in it");
        return false;
    }
    endpoint->tls = strcmp(g_uri_get_scheme(uri), "wss") == 0;
    int port = g_uri_get_port(uri);
    endpoint->port = (guint16)(port > 0 ? port : endpoint->tls ? 443 : 80);
    endpoint->address = g_strdup(g_uri_get_host(uri));
    endpoint->host =
        port > 0 ? g_strdup_printf("%s:%d", endpoint->address, port) : g_strdup(endpoint->address);
    const char *path = g_uri_get_path(uri);
    const char *query = g_uri_get_query(uri);
    endpoint->path = g_strconcat(path[0] != '\0' ? path : "/", query != NULL ? "?" : "",
                                 query != NULL ? query : "", NULL);
    return true;
}

/* A proxy is a virtual host's: each socket has one of its own, with what the rule says for it. */
static bool make_vhost(StreamingEndpoint *endpoint, struct lws_context_creation_info *info)
{
    g_autofree char *proxy = base_proxy_for(endpoint->url);
    g_autofree char *name = g_strdup_printf("socket %p", (void *)endpoint);
    info->vhost_name = name;
    info->http_proxy_address = proxy != NULL ? proxy + strlen("http://") : NULL;
    endpoint->vhost = lws_create_vhost(endpoint->client->context, info);
    return endpoint->vhost != NULL;
}

static bool make_context(StreamingClient *client, GError **error)
{
    lws_set_log_level(LLL_ERR | LLL_WARN, log_line);
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = streaming_protocols,
        .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .fd_limit_per_thread = 64,
        .timeout_secs = HANDSHAKE_WITHIN_S,
        .connect_timeout_secs = HANDSHAKE_WITHIN_S,
        .user = client,
    };
    client->context = lws_create_context(&info);
    bool good = client->context != NULL;
    for (guint i = 0; good && i < client->n_endpoints; i++) {
        good = make_vhost(&client->endpoints[i], &info);
    }
    if (!good) {
        g_set_error(error, STREAMING_ERROR, STREAMING_ERROR_FAILED,
                    "libwebsockets could not be started");
        return false;
    }
    return true;
}

StreamingClient *streaming_client_new(const StreamingConfig *config, const StreamingEvents *events,
                                      gpointer user_data, GError **error)
{
    g_autoptr(StreamingClient) client = g_new0(StreamingClient, 1);
    g_mutex_init(&client->lock);
    g_queue_init(&client->notes);
    client->bot_id = g_strdup(config->bot_id);
    client->rate_hz = config->rate_hz;
    client->headers = config->headers != NULL ? json_object_ref(config->headers) : NULL;
    client->authorization =
        config->token != NULL ? g_strconcat("Bearer ", config->token, NULL) : NULL;
    client->format = config->format;
    client->per_participant = config->per_participant;
    client->replay_s = config->replay_s;
    g_queue_init(&client->recent);
    client->uuids = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    client->events = *events;
    client->user_data = user_data;
    client->speech = streaming_speech_buffer_new((gsize)config->rate_hz * STREAMING_MAX_SPEECH_S);
    client->mailbox = g_source_new(&mailbox_funcs, sizeof(GSource));
    g_source_set_callback(client->mailbox, read_mailbox, client, NULL);
    g_source_attach(client->mailbox, g_main_context_get_thread_default());

    StreamingSocket sockets[STREAMING_MAX_SOCKETS];
    guint n = streaming_plan(config->input, config->output, config->service_directions, sockets);
    for (guint i = 0; i < n; i++) {
        client->endpoints[i].socket = sockets[i];
        client->n_endpoints = i + 1;
        if (!init_endpoint(client, &client->endpoints[i], error)) {
            return NULL;
        }
    }
    if (!make_context(client, error)) {
        return NULL;
    }
    for (guint i = 0; i < n; i++) {
        streaming_endpoint_schedule(&client->endpoints[i], 0);
    }
    client->thread = g_thread_new("streaming", serve, client);
    return g_steal_pointer(&client);
}

static void clear_endpoint(StreamingEndpoint *endpoint)
{
    g_queue_clear_full(&endpoint->audio, (GDestroyNotify)streaming_message_unref);
    g_string_free(endpoint->text, TRUE);
    g_byte_array_unref(endpoint->scratch);
    g_free(endpoint->close_reason);
    g_free(endpoint->url);
    g_free(endpoint->address);
    g_free(endpoint->path);
    g_free(endpoint->host);
    g_free(endpoint->speakers);
    g_free(endpoint->last_speakers);
}

void streaming_client_free(StreamingClient *client)
{
    g_atomic_int_set(&client->stopping, 1);
    if (client->thread != NULL) {
        lws_cancel_service(client->context);
        g_thread_join(client->thread);
    }
    g_clear_pointer(&client->context, lws_context_destroy);
    g_source_destroy(client->mailbox);
    g_source_unref(client->mailbox);
    for (guint i = 0; i < client->n_endpoints; i++) {
        clear_endpoint(&client->endpoints[i]);
    }
    g_queue_clear_full(&client->notes, (GDestroyNotify)note_free);
    g_queue_clear_full(&client->recent, (GDestroyNotify)streaming_message_unref);
    g_hash_table_unref(client->uuids);
    g_free(client->authorization);
    streaming_speech_buffer_free(client->speech);
    g_clear_pointer(&client->headers, json_object_unref);
    g_mutex_clear(&client->lock);
    g_free(client->bot_id);
    g_free(client);
}

/* --- from any thread --- */

static StreamingMessage *make_message(StreamingClient *client, const StreamingBlock *block)
{
    if (client->format == STREAMING_FORMAT_RAW) {
        return client->per_participant ? streaming_message_framed(block)
                                       : streaming_message_pcm(block);
    }
    g_mutex_lock(&client->lock);
    g_autofree char *uuid =
        g_strdup(g_hash_table_lookup(client->uuids, GUINT_TO_POINTER(block->participant_id)));
    g_mutex_unlock(&client->lock);
    if (uuid == NULL) {
        uuid = g_strdup_printf("%u", block->participant_id);
    }
    return streaming_message_attendee(block, client->bot_id, uuid, client->rate_hz,
                                      g_get_real_time() / 1000);
}

/* Kept for a reconnect. */
static void remember(StreamingClient *client, StreamingMessage *message)
{
    if (client->replay_s == 0) {
        return;
    }
    g_queue_push_tail(&client->recent, streaming_message_ref(message));
    client->recent_samples += message->n_samples;
    client->recent_bytes += message->length;
    while (client->recent_samples > (gsize)client->replay_s * client->rate_hz ||
           client->recent_bytes > STREAMING_MAX_QUEUED_BYTES) {
        g_autoptr(StreamingMessage) oldest = g_queue_pop_head(&client->recent);
        client->recent_samples -= oldest->n_samples;
        client->recent_bytes -= oldest->length;
    }
}

void streaming_client_push(StreamingClient *client, const StreamingBlock *block)
{
    g_autoptr(StreamingMessage) message = make_message(client, block);
    bool wake = false;
    g_mutex_lock(&client->lock);
    if (block->is_mix) {
        client->next_sample = block->first_sample + block->n_samples;
    }
    remember(client, message);
    for (guint i = 0; i < client->n_endpoints; i++) {
        StreamingEndpoint *endpoint = &client->endpoints[i];
        if (!endpoint->socket.gets_meeting) {
            continue;
        }
        if (!endpoint->open) {
            endpoint->n_away++;
            client->stats.n_frames_dropped += client->replay_s == 0;
            continue;
        }
        uint64_t before = client->n_dropped_untold;
        streaming_endpoint_queue(endpoint, message);
        wake = true;
        if (client->n_dropped_untold != before) {
            g_source_set_ready_time(client->mailbox, 0);
        }
    }
    g_mutex_unlock(&client->lock);
    if (wake) {
        lws_cancel_service(client->context);
    }
}

void streaming_client_name_participant(StreamingClient *client, uint32_t participant_id,
                                       const char *uuid)
{
    g_mutex_lock(&client->lock);
    g_hash_table_insert(client->uuids, GUINT_TO_POINTER(participant_id), g_strdup(uuid));
    g_mutex_unlock(&client->lock);
}

void streaming_client_set_speakers(StreamingClient *client, const StreamingSpeaker *speakers,
                                   gsize n_speakers, int64_t time_unix_ms)
{
    if (client->format != STREAMING_FORMAT_RAW) {
        return; /* there it is not known */
    }
    g_autofree char *json = streaming_speakers_to_json(speakers, n_speakers, time_unix_ms);
    g_mutex_lock(&client->lock);
    for (guint i = 0; i < client->n_endpoints; i++) {
        StreamingEndpoint *endpoint = &client->endpoints[i];
        if (endpoint->socket.gets_meeting) {
            g_free(endpoint->speakers);
            g_free(endpoint->last_speakers);
            endpoint->speakers = g_strdup(json);
            endpoint->last_speakers = g_strdup(json);
        }
    }
    g_mutex_unlock(&client->lock);
    lws_cancel_service(client->context);
}

gsize streaming_client_pop_speech(StreamingClient *client, int16_t *ret_samples, gsize max_samples,
                                  uint32_t *ret_rate_hz)
{
    g_mutex_lock(&client->lock);
    gsize n = streaming_speech_buffer_pop(client->speech, ret_samples, max_samples, ret_rate_hz);
    g_mutex_unlock(&client->lock);
    return n;
}

void streaming_client_flush_speech(StreamingClient *client)
{
    g_mutex_lock(&client->lock);
    streaming_speech_buffer_flush(client->speech);
    g_mutex_unlock(&client->lock);
}

void streaming_client_get_stats(StreamingClient *client, StreamingStats *ret_stats)
{
    g_mutex_lock(&client->lock);
    *ret_stats = client->stats;
    g_mutex_unlock(&client->lock);
}
