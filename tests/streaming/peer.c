/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/streaming/peer.h"
#include "tests/held_port.h"

static void on_message(SoupWebsocketConnection *connection, int type, GBytes *message,
                       gpointer user_data)
{
    StreamingPeer *peer = user_data;
    gsize length;
    const char *data = g_bytes_get_data(message, &length);
    if (type == SOUP_WEBSOCKET_DATA_TEXT) {
        g_ptr_array_add(peer->texts, g_strndup(data, length));
        return;
    }
    guint n = (guint)length;
    g_byte_array_append(peer->audio, (const guint8 *)data, n);
    g_array_append_val(peer->audio_lengths, n);
}

static void on_closed(SoupWebsocketConnection *connection, gpointer user_data)
{
    StreamingPeer *peer = user_data;
    g_ptr_array_remove(peer->connections, connection);
}

static void on_websocket(SoupServer *server, SoupServerMessage *message, const char *path,
                         SoupWebsocketConnection *connection, gpointer user_data)
{
    StreamingPeer *peer = user_data;
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    g_free(peer->last_header);
    peer->last_header = g_strdup(soup_message_headers_get_one(headers, "X-Test"));
    g_free(peer->last_authorization);
    peer->last_authorization = g_strdup(soup_message_headers_get_one(headers, "Authorization"));
    g_free(peer->last_path);
    g_autofree char *uri = g_uri_to_string(soup_server_message_get_uri(message));
    peer->last_path = g_strdup(strstr(uri, path));
    peer->n_connects++;
    g_ptr_array_add(peer->connections, g_object_ref(connection));
    soup_websocket_connection_set_max_incoming_payload_size(connection, 0);
    g_signal_connect(connection, "message", G_CALLBACK(on_message), peer);
    g_signal_connect(connection, "closed", G_CALLBACK(on_closed), peer);
}

static void on_request(SoupServer *server, SoupServerMessage *message, const char *path,
                       GHashTable *query, gpointer user_data)
{
    StreamingPeer *peer = user_data;
    if (peer->refuse > 0) {
        peer->refuse--;
        peer->n_refused++;
        soup_server_message_set_status(message, SOUP_STATUS_FORBIDDEN, NULL);
    }
}

static void listen_now(StreamingPeer *peer)
{
    g_autoptr(GError) error = NULL;
    peer->server = soup_server_new(NULL, NULL);
    soup_server_add_early_handler(peer->server, NULL, on_request, peer, NULL);
    if (peer->certificate != NULL) {
        soup_server_set_tls_certificate(peer->server, peer->certificate);
    }
    soup_server_add_websocket_handler(peer->server, NULL, NULL, NULL, on_websocket, peer, NULL);
    soup_server_listen_local(
        peer->server, peer->port,
        (SoupServerListenOptions)(SOUP_SERVER_LISTEN_IPV4_ONLY |
                                  (peer->certificate != NULL ? SOUP_SERVER_LISTEN_HTTPS : 0)),
        &error);
    g_assert_no_error(error);
}

void streaming_peer_init_tls(StreamingPeer *peer, GTlsCertificate *certificate)
{
    *peer = (StreamingPeer){.certificate = certificate};
    peer->connections = g_ptr_array_new_with_free_func(g_object_unref);
    peer->texts = g_ptr_array_new_with_free_func(g_free);
    peer->audio = g_byte_array_new();
    peer->audio_lengths = g_array_new(FALSE, FALSE, sizeof(guint));
    peer->port = held_port();
    listen_now(peer);
}

void streaming_peer_init(StreamingPeer *peer)
{
    streaming_peer_init_tls(peer, NULL);
}

char *streaming_peer_url(StreamingPeer *peer, const char *path)
{
    return peer->certificate != NULL ? g_strdup_printf("wss://localhost:%u%s", peer->port, path)
                                     : g_strdup_printf("ws://127.0.0.1:%u%s", peer->port, path);
}

void streaming_peer_close(StreamingPeer *peer, gushort code, const char *text)
{
    for (guint i = 0; i < peer->connections->len; i++) {
        soup_websocket_connection_close(g_ptr_array_index(peer->connections, i), code, text);
    }
}

void streaming_peer_go_away(StreamingPeer *peer)
{
    for (guint i = 0; i < peer->connections->len; i++) {
        SoupWebsocketConnection *connection = g_ptr_array_index(peer->connections, i);
        g_signal_handlers_disconnect_by_data(connection, peer);
        soup_websocket_connection_close(connection, SOUP_WEBSOCKET_CLOSE_GOING_AWAY, NULL);
    }
    g_ptr_array_set_size(peer->connections, 0);
    soup_server_disconnect(peer->server);
    g_clear_object(&peer->server);
}

void streaming_peer_come_back(StreamingPeer *peer)
{
    listen_now(peer);
}

void streaming_peer_send(StreamingPeer *peer, const void *data, gsize length, bool text)
{
    SoupWebsocketConnection *connection = g_ptr_array_index(peer->connections, 0);
    g_autoptr(GBytes) bytes = g_bytes_new(data, length);
    soup_websocket_connection_send_message(
        connection, text ? SOUP_WEBSOCKET_DATA_TEXT : SOUP_WEBSOCKET_DATA_BINARY, bytes);
}

void streaming_peer_clear(StreamingPeer *peer)
{
    if (peer->server != NULL) {
        streaming_peer_go_away(peer);
    }
    g_ptr_array_unref(peer->connections);
    g_ptr_array_unref(peer->texts);
    g_byte_array_unref(peer->audio);
    g_array_unref(peer->audio_lengths);
    g_free(peer->last_header);
    g_free(peer->last_authorization);
    g_free(peer->last_path);
    g_clear_object(&peer->certificate);
}
