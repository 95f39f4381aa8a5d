/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/server.h"

#include "orchestrator/http_priv.h"
#include "orchestrator/json.h"
#include "orchestrator/route.h"

#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>

#define COMING "steno-coming"
/* A body that is too large is still read, for the answer to be heard; so much of it. */
#define TOO_LARGE_READ_TIMES 4
#define MAX_KEY_CHARS 512
#define RELEASE_EVERY_S 2
#define OVERDUE_MS 20
#define OVERDUE_AT_ONCE 8

struct OrchServer {
    SoupServer *soup; /* owned */
    OrchBots *bots;   /* borrowed */
    const OrchConfig *config;
    guint n_connections; /* each has one message: every answer ends its connection */
    guint n_waiting;
    guint16 port;
    GPtrArray *ended[2]; /* owned: sockets of connections that ended, lately and before that */
    guint ended_id;
    GQueue writes; /* of OrchRequest; owned: what changes something, and waits for its turn */
    guint turn_id, overdue_id;
};

/* What has come of a request so far. */
typedef struct {
    OrchServer *server;
    GSocket *socket; /* owned */
    GByteArray *body;
    gsize n_bytes;
    guint timeout_id;
} Coming;

/* --- connections that ended --- */

/* libsoup before 3.4 forgets its listener's reference to the socket of each connection (its commit
 * b545d5f0). Seconds after the end nobody else has one: what is left beside ours is that one. */
static void release_socket(gpointer data)
{
    GSocket *socket = data;
    bool old = soup_get_major_version() == 3 && soup_get_minor_version() < 4;
    if (old && g_socket_is_closed(socket) && G_OBJECT(socket)->ref_count == 2) {
        g_object_unref(socket);
    }
    g_object_unref(socket);
}

static gboolean on_ended_tick(gpointer user_data)
{
    OrchServer *server = user_data;
    GPtrArray *released = server->ended[1];
    server->ended[1] = server->ended[0];
    server->ended[0] = released;
    g_ptr_array_set_size(released, 0);
    bool more = server->ended[1]->len > 0;
    server->ended_id = more ? server->ended_id : 0;
    return more ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* @socket: (transfer full) */
static void release_later(OrchServer *server, GSocket *socket)
{
    g_ptr_array_add(server->ended[0], socket);
    if (server->ended_id == 0) {
        server->ended_id = g_timeout_add_seconds(RELEASE_EVERY_S, on_ended_tick, server);
    }
}

static void coming_free(gpointer data)
{
    Coming *coming = data;
    coming->server->n_connections--;
    g_clear_handle_id(&coming->timeout_id, g_source_remove);
    if (coming->socket != NULL) {
        release_later(coming->server, g_steal_pointer(&coming->socket));
    }
    g_byte_array_unref(coming->body);
    g_free(coming);
}

static void hang_up(GSocket *socket)
{
    if (socket != NULL) {
        (void)g_socket_shutdown(socket, TRUE, TRUE, NULL);
    }
}

static gboolean on_too_slow(gpointer user_data)
{
    Coming *coming = user_data;
    coming->timeout_id = 0;
    hang_up(coming->socket);
    return G_SOURCE_REMOVE;
}

/* --- a request comes in --- */

static void on_chunk(SoupServerMessage *message, GBytes *chunk, gpointer user_data)
{
    Coming *coming = user_data;
    gsize max = coming->server->config->max_body_bytes;
    coming->n_bytes += g_bytes_get_size(chunk);
    if (coming->n_bytes <= max) {
        g_byte_array_append(coming->body, g_bytes_get_data(chunk, NULL),
                            (guint)g_bytes_get_size(chunk));
    } else if (coming->n_bytes > max * TOO_LARGE_READ_TIMES) {
        hang_up(coming->socket);
    } else {
        g_byte_array_set_size(coming->body, 0);
    }
}

static bool has_sound_length(SoupServerMessage *message)
{
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    const char *length = soup_message_headers_get_list(headers, "Content-Length");
    return length == NULL || g_ascii_string_to_unsigned(length, 10, 0, G_MAXINT64, NULL, NULL);
}

/* libsoup reads "-52" as a length, too (RFC 9110, section 8.6: digits only), and has laid down how
 * much it reads by now: the connection is taken from it. */
static void on_headers(SoupServerMessage *message, gpointer user_data)
{
    static const char refusal[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
                                  "Content-Type: text/plain\r\n\r\n"
                                  "Content-Length is not a number of bytes.\n";
    if (has_sound_length(message)) {
        return;
    }
    g_autoptr(GIOStream) stream = soup_server_message_steal_connection(message);
    if (stream != NULL) {
        GPollableOutputStream *out =
            G_POLLABLE_OUTPUT_STREAM(g_io_stream_get_output_stream(stream));
        (void)g_pollable_output_stream_write_nonblocking(out, refusal, strlen(refusal), NULL, NULL);
        (void)g_io_stream_close(stream, NULL, NULL);
    }
}

/* libsoup 3.2 forgets a kept-alive connection that its client closes: the socket stays open. */
static void end_connection(SoupServerMessage *message)
{
    soup_message_headers_replace(soup_server_message_get_response_headers(message), "Connection",
                                 "close");
}

static void on_request_started(SoupServer *soup, SoupServerMessage *message, gpointer user_data)
{
    OrchServer *server = user_data;
    GSocket *socket = soup_server_message_get_socket(message);
    if (server->n_connections >= server->config->max_connections) {
        hang_up(socket);
        if (socket != NULL) {
            release_later(server, g_object_ref(socket));
        }
        return;
    }
    if (socket != NULL) {
        g_socket_set_timeout(socket, server->config->request_timeout_s);
    }
    server->n_connections++;
    Coming *coming = g_new0(Coming, 1);
    coming->server = server;
    coming->socket = socket != NULL ? g_object_ref(socket) : NULL;
    coming->body = g_byte_array_new();
    coming->timeout_id =
        g_timeout_add_seconds(server->config->request_timeout_s, on_too_slow, coming);
    g_object_set_data_full(G_OBJECT(message), COMING, coming, coming_free);
    end_connection(message);
    soup_message_body_set_accumulate(soup_server_message_get_request_body(message), FALSE);
    g_signal_connect(message, "got-headers", G_CALLBACK(on_headers), NULL);
    g_signal_connect(message, "got-chunk", G_CALLBACK(on_chunk), coming);
}

/* --- who calls --- */

static char *bearer(SoupMessageHeaders *headers, const char *scheme)
{
    const char *value = soup_message_headers_get_one(headers, "Authorization");
    gsize length = strlen(scheme);
    if (value == NULL || g_ascii_strncasecmp(value, scheme, length) != 0 || value[length] != ' ') {
        return NULL;
    }
    return g_strstrip(g_strdup(value + length));
}

static char *sent_key(OrchRequest *request)
{
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(request->message);
    switch (request->route->auth) {
    case ORCH_AUTH_MBAAS: {
        const char *key = soup_message_headers_get_one(headers, "x-meeting-baas-api-key");
        return g_strdup(key != NULL ? key
                                    : soup_message_headers_get_one(headers, "x-spoke-api-key"));
    }
    case ORCH_AUTH_ATTENDEE:
        return bearer(headers, "Token");
    case ORCH_AUTH_CRONOFY:
        return bearer(headers, "Bearer");
    case ORCH_AUTH_NONE:
        break;
    }
    return NULL;
}

static bool authenticate(OrchRequest *request)
{
    static const char *const how[] = {
        [ORCH_AUTH_MBAAS] = "Send a valid API key in the header x-meeting-baas-api-key.",
        [ORCH_AUTH_ATTENDEE] = "Send a valid API key in the header Authorization: Token KEY.",
        [ORCH_AUTH_CRONOFY] = "Send a valid API key in the header Authorization: Bearer KEY.",
    };
    if (request->route->auth == ORCH_AUTH_NONE) {
        return true;
    }
    g_autofree char *key = sent_key(request);
    if (key != NULL && key[0] != '\0' && strlen(key) <= MAX_KEY_CHARS) {
        g_autofree char *hash = orch_hash(key);
        request->key = orch_store_key_find(orch_bots_store(request->bots), hash);
    }
    if (request->key == NULL) {
        orch_reply_error(request, SOUP_STATUS_UNAUTHORIZED, "InvalidApiKey",
                         how[request->route->auth]);
    }
    return request->key != NULL;
}

/* --- what is asked --- */

static bool read_body(OrchRequest *request, const Coming *coming)
{
    if (coming->n_bytes > coming->server->config->max_body_bytes) {
        g_autofree char *message = g_strdup_printf("The body is larger than %u bytes.",
                                                   coming->server->config->max_body_bytes);
        orch_reply_error(request, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, "BodyTooLarge", message);
        return false;
    }
    if (!request->route->takes_body || coming->body->len == 0) {
        request->body = json_object_new();
        return true;
    }
    g_autoptr(GError) error = NULL;
    request->body =
        orch_json_parse_object((const char *)coming->body->data, coming->body->len, &error);
    if (request->body == NULL) {
        g_autofree char *message = g_strdup_printf("The body is %s", error->message);
        orch_reply_error(request, SOUP_STATUS_BAD_REQUEST, "InvalidJson", message);
    }
    return request->body != NULL;
}

/* (transfer full): what is no UTF-8 is left out. A table of our own: values of libsoup's are parts
 * of their keys, and one that is put in later would never be freed. */
static GHashTable *decode_query(const char *query)
{
    GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GHashTable) decoded = query != NULL ? soup_form_decode(query) : NULL;
    GHashTableIter iter;
    gpointer name, value;
    if (decoded == NULL) {
        return table;
    }
    g_hash_table_iter_init(&iter, decoded);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        if (g_utf8_validate(value, -1, NULL)) {
            g_hash_table_insert(table, g_strdup(name), g_strdup(value));
        }
    }
    return table;
}

static bool find_route(OrchRequest *request)
{
    GUri *uri = soup_server_message_get_uri(request->message);
    const char *method = soup_server_message_get_method(request->message);
    switch (orch_route_find(method, g_uri_get_path(uri), &request->route, request->params)) {
    case ORCH_ROUTE_FOUND:
        request->query = decode_query(g_uri_get_query(uri));
        return true;
    case ORCH_ROUTE_METHOD:
        orch_reply_error(request, SOUP_STATUS_METHOD_NOT_ALLOWED, "MethodNotAllowed",
                         "This path exists, but not with this method: see /openapi.json.");
        return false;
    case ORCH_ROUTE_NONE:
        orch_reply_error(request, SOUP_STATUS_NOT_FOUND, "NotFound",
                         "There is nothing at this path: see /openapi.json.");
        return false;
    }
    g_assert_not_reached();
}

/* --- who comes first --- */

/* A burst of requests that write must not hold up those that only read: they run one at a time when
 * nothing else is to be done, or, on a machine that is never idle, some of them every so often. */

static void run_one(OrchServer *server)
{
    OrchRequest *request = g_queue_pop_head(&server->writes);
    if (request != NULL) {
        orch_request_run_waiting(request);
    }
}

static gboolean on_turn(gpointer user_data)
{
    OrchServer *server = user_data;
    run_one(server);
    bool more = !g_queue_is_empty(&server->writes);
    server->turn_id = more ? server->turn_id : 0;
    if (!more) {
        g_clear_handle_id(&server->overdue_id, g_source_remove);
    }
    return more ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static gboolean on_overdue(gpointer user_data)
{
    OrchServer *server = user_data;
    for (guint i = 0; i < OVERDUE_AT_ONCE; i++) {
        run_one(server);
    }
    bool more = !g_queue_is_empty(&server->writes);
    server->overdue_id = more ? server->overdue_id : 0;
    return more ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void run_in_turn(OrchServer *server, OrchRequest *request)
{
    if (strcmp(request->route->method, "GET") == 0) {
        orch_request_run(request);
        return;
    }
    orch_request_wait(request);
    g_queue_push_tail(&server->writes, request);
    if (server->turn_id == 0) {
        server->turn_id = g_idle_add_full(G_PRIORITY_DEFAULT + 50, on_turn, server, NULL);
    }
    if (server->overdue_id == 0) {
        server->overdue_id = g_timeout_add(OVERDUE_MS, on_overdue, server);
    }
}

static void on_request(SoupServer *soup, SoupServerMessage *message, const char *path,
                       GHashTable *query, gpointer user_data)
{
    OrchServer *server = user_data;
    Coming *coming = g_object_get_data(G_OBJECT(message), COMING);
    OrchRequest *request = orch_request_new(server->bots, message, &server->n_waiting);
    end_connection(message); /* a "100 Continue" took the header along */
    if (coming == NULL) {
        orch_reply_error(request, SOUP_STATUS_SERVICE_UNAVAILABLE, "TooManyConnections",
                         "The server has as many connections as it takes. Try again later.");
        orch_request_settle(request);
        return;
    }
    g_clear_handle_id(&coming->timeout_id, g_source_remove);
    if (find_route(request) && authenticate(request) && read_body(request, coming)) {
        run_in_turn(server, request);
    } else {
        orch_request_settle(request);
    }
}

/* --- the server --- */

static bool listen_on(OrchServer *server, GError **error)
{
    g_autoptr(GSocketAddress) address =
        g_inet_socket_address_new_from_string(server->config->address, server->config->port);
    if (!soup_server_listen(server->soup, address, 0, error)) {
        g_prefix_error(error, "%s port %u: ", server->config->address, server->config->port);
        return false;
    }
    /* GSocket queues 10 connections; the eleventh at a time would try again after a second. */
    GSList *listeners = soup_server_get_listeners(server->soup);
    for (GSList *item = listeners; item != NULL; item = item->next) {
        (void)listen(g_socket_get_fd(item->data), SOMAXCONN);
    }
    g_slist_free(listeners);
    GSList *uris = soup_server_get_uris(server->soup);
    server->port = (guint16)g_uri_get_port(uris->data);
    g_slist_free_full(uris, (GDestroyNotify)g_uri_unref);
    return true;
}

OrchServer *orch_server_new(OrchBots *bots, GError **error)
{
    OrchServer *server = g_new0(OrchServer, 1);
    server->bots = bots;
    server->config = orch_bots_config(bots);
    for (gsize i = 0; i < G_N_ELEMENTS(server->ended); i++) {
        server->ended[i] = g_ptr_array_new_with_free_func(release_socket);
    }
    server->soup = soup_server_new("server-header", "steno", "raw-paths", TRUE, NULL);
    g_signal_connect(server->soup, "request-started", G_CALLBACK(on_request_started), server);
    soup_server_add_handler(server->soup, NULL, on_request, server, NULL);
    if (!listen_on(server, error)) {
        orch_server_free(server);
        return NULL;
    }
    return server;
}

void orch_server_stop(OrchServer *server)
{
    GSList *listeners = soup_server_get_listeners(server->soup);
    for (GSList *item = listeners; item != NULL; item = item->next) {
        (void)g_socket_close(item->data, NULL);
    }
    g_slist_free(listeners);
}

void orch_server_free(OrchServer *server)
{
    soup_server_disconnect(server->soup);
    g_signal_handlers_disconnect_by_data(server->soup, server);
    g_clear_handle_id(&server->turn_id, g_source_remove);
    g_clear_handle_id(&server->overdue_id, g_source_remove);
    g_queue_clear_full(&server->writes, (GDestroyNotify)orch_request_drop);
    g_object_unref(server->soup);
    g_clear_handle_id(&server->ended_id, g_source_remove);
    for (gsize i = 0; i < G_N_ELEMENTS(server->ended); i++) {
        g_ptr_array_set_free_func(server->ended[i], g_object_unref); /* too early to be sure */
        g_ptr_array_unref(server->ended[i]);
    }
    g_free(server);
}

guint16 orch_server_port(OrchServer *server)
{
    return server->port;
}

SoupServer *orch_server_soup(OrchServer *server)
{
    return server->soup;
}

guint orch_server_busy(OrchServer *server)
{
    return server->n_waiting;
}
