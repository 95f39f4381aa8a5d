/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/orchestrator/client.h"

#include "orchestrator/json.h"

#include <gio/gio.h>
#include <string.h>

void client_set_up(Client *client, const char *config)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonObject) document = orch_json_load(config);
    if (!json_object_has_member(document, "listen")) {
        JsonObject *listen = json_object_new();
        json_object_set_int_member(listen, "port", 0);
        json_object_set_object_member(document, "listen", listen);
    }
    g_autofree char *text = orch_json_print(document);
    fixture_set_up(&client->fixture, text);
    client->server = orch_server_new(client->fixture.bots, &error);
    g_assert_no_error(error);
    client->session = soup_session_new();
    client->url = g_strdup_printf("http://127.0.0.1:%u", orch_server_port(client->server));
    client->fixture.links.public_url = client->url;
}

static void forget(Client *client)
{
    g_clear_pointer(&client->json, json_object_unref);
    g_clear_pointer(&client->array, json_array_unref);
    g_clear_pointer(&client->bytes, g_bytes_unref);
    g_clear_object(&client->last);
}

void client_tear_down(Client *client)
{
    forget(client);
    g_clear_object(&client->session);
    g_assert_true(orch_store_commit(client->fixture.store, NULL));
    g_clear_pointer(&client->server, orch_server_free);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    fixture_tear_down(&client->fixture);
    g_clear_pointer(&client->url, g_free);
}

static void on_answer(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Client *client = user_data;
    g_autoptr(GError) error = NULL;
    client->bytes = soup_session_send_and_read_finish(SOUP_SESSION(source), result, &error);
    g_assert_no_error(error);
}

static void send_message(Client *client, SoupMessage *message)
{
    forget(client);
    client->last = g_object_ref(message);
    soup_session_send_and_read_async(client->session, message, G_PRIORITY_DEFAULT, NULL, on_answer,
                                     client);
    while (client->bytes == NULL) {
        g_main_context_iteration(NULL, TRUE);
    }
    gsize size = 0;
    const char *data = g_bytes_get_data(client->bytes, &size);
    g_autofree char *text = size > 0 ? g_strndup(data, size) : g_strdup("");
    client->status = soup_message_get_status(message);
    client->json = orch_json_load(text);
    client->array = text[0] == '[' ? orch_json_load_array(text) : NULL;
}

static void authorize(Client *client, SoupMessage *message, const char *auth)
{
    SoupMessageHeaders *headers = soup_message_get_request_headers(message);
    const char *key = client->fixture.key_text;
    if (auth == NULL) {
        return;
    }
    if (strcmp(auth, "meeting_baas") == 0) {
        soup_message_headers_append(headers, "x-meeting-baas-api-key", key);
        return;
    }
    const char *colon = strchr(auth, ':');
    if (colon != NULL) {
        g_autofree char *name = g_strndup(auth, (gsize)(colon - auth));
        soup_message_headers_append(headers, name, colon + 1);
        return;
    }
    g_autofree char *value =
        g_strconcat(strcmp(auth, "attendee") == 0 ? "Token " : "Bearer ", key, NULL);
    soup_message_headers_append(headers, "Authorization", value);
}

void client_call(Client *client, const char *method, const char *path, const char *auth,
                 const char *body)
{
    g_autofree char *url = g_strconcat(client->url, path, NULL);
    g_autoptr(GUri) uri = g_uri_parse(url, SOUP_HTTP_URI_FLAGS, NULL);
    g_autoptr(SoupMessage) message = soup_message_new_from_uri(method, uri);
    authorize(client, message, auth);
    if (body != NULL) {
        g_autoptr(GBytes) bytes = g_bytes_new(body, strlen(body));
        soup_message_set_request_body_from_bytes(message, "application/json", bytes);
    }
    send_message(client, message);
}

void client_get_range(Client *client, const char *url, const char *range)
{
    g_autoptr(SoupMessage) message = soup_message_new("GET", url);
    if (range != NULL) {
        soup_message_headers_append(soup_message_get_request_headers(message), "Range", range);
    }
    send_message(client, message);
}

const char *client_string(Client *client, const char *path)
{
    g_auto(GStrv) names = g_strsplit(path, ".", -1);
    JsonObject *object = client->json;
    guint n = g_strv_length(names);
    for (guint i = 0; object != NULL && i + 1 < n; i++) {
        object = orch_json_object(object, names[i]);
    }
    return object != NULL ? orch_json_string(object, names[n - 1]) : NULL;
}

/* --- raw --- */

typedef struct {
    GString *got;
    bool ended;
    char block[4096];
} Reading;

static void on_read(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Reading *reading = user_data;
    gssize n = g_input_stream_read_finish(G_INPUT_STREAM(source), result, NULL);
    if (n <= 0) {
        reading->ended = true;
        return;
    }
    g_string_append_len(reading->got, reading->block, n);
    g_input_stream_read_async(G_INPUT_STREAM(source), reading->block, sizeof reading->block,
                              G_PRIORITY_DEFAULT, NULL, on_read, reading);
}

GString *client_raw(Client *client, const void *data, gsize length)
{
    g_autoptr(GSocketClient) dialer = g_socket_client_new();
    g_autoptr(GSocketConnection) connection = g_socket_client_connect_to_host(
        dialer, "127.0.0.1", orch_server_port(client->server), NULL, NULL);
    g_assert_nonnull(connection);
    GInputStream *in = g_io_stream_get_input_stream(G_IO_STREAM(connection));
    GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(connection));
    Reading reading = {.got = g_string_new(NULL)};
    g_input_stream_read_async(in, reading.block, sizeof reading.block, G_PRIORITY_DEFAULT, NULL,
                              on_read, &reading);
    for (gsize sent = 0; sent < length;) {
        gssize n = g_pollable_output_stream_write_nonblocking(
            G_POLLABLE_OUTPUT_STREAM(out), (const char *)data + sent, length - sent, NULL, NULL);
        if (n > 0) {
            sent += (gsize)n;
        } else if (reading.ended) {
            break;
        }
        g_main_context_iteration(NULL, FALSE);
    }
    (void)g_socket_shutdown(g_socket_connection_get_socket(connection), FALSE, TRUE, NULL);
    while (!reading.ended) {
        g_main_context_iteration(NULL, TRUE);
    }
    return reading.got;
}
