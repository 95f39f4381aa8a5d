/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/control.h"

#include "orchestrator/control_message.h"
#include "orchestrator/secrets.h"

#include <string.h>

#define PROTOCOL "steno.control.v1"
#define BEARER "Bearer "
#define KEEPALIVE_S 20

struct OrchControl {
    SoupServer *server; /* borrowed with a reference */
    OrchControlEvents events;
    gpointer user_data;
    GHashTable *links; /* token hash (borrowed from the link) -> OrchLink (owned) */
};

struct OrchLink {
    OrchControl *control; /* borrowed */
    SoupWebsocketConnection *socket;
    char *token_hash, *bot_id; /* owned */
};

static void link_free(gpointer data)
{
    OrchLink *link = data;
    g_signal_handlers_disconnect_by_data(link->socket, link);
    if (soup_websocket_connection_get_state(link->socket) == SOUP_WEBSOCKET_STATE_OPEN) {
        soup_websocket_connection_close(link->socket, SOUP_WEBSOCKET_CLOSE_GOING_AWAY, NULL);
    }
    g_object_unref(link->socket);
    g_free(link->token_hash);
    g_free(link->bot_id);
    g_free(link);
}

const char *orch_link_get_token_hash(OrchLink *link)
{
    return link->token_hash;
}

const char *orch_link_get_bot_id(OrchLink *link)
{
    return link->bot_id;
}

static void send_text(OrchLink *link, const char *text)
{
    if (soup_websocket_connection_get_state(link->socket) == SOUP_WEBSOCKET_STATE_OPEN) {
        soup_websocket_connection_send_text(link->socket, text);
    }
}

void orch_link_ack(OrchLink *link, gint64 seq)
{
    g_autofree char *text = orch_control_ack(seq);
    send_text(link, text);
}

void orch_link_command(OrchLink *link, const char *id, const char *name, JsonObject *args)
{
    g_autofree char *text = orch_control_command(id, name, args);
    send_text(link, text);
}

void orch_link_close(OrchLink *link, const char *why)
{
    g_info("a worker's link is closed: %s", why);
    g_hash_table_remove(link->control->links, link->token_hash);
}

/* --- what comes --- */

static void drop(OrchLink *link, const char *why)
{
    OrchControl *control = link->control;
    control->events.on_closed(link, control->user_data);
    orch_link_close(link, why);
}

static void take(OrchLink *link, OrchControlMessage *message)
{
    OrchControl *control = link->control;
    switch (message->type) {
    case ORCH_CONTROL_HELLO:
        g_free(link->bot_id);
        link->bot_id = g_strdup(message->bot_id);
        control->events.on_hello(link, link->bot_id, control->user_data);
        break;
    case ORCH_CONTROL_EVENT:
        if (link->bot_id == NULL) {
            drop(link, "an event before the hello that names its bot");
        } else {
            control->events.on_event(link, message->event, control->user_data);
        }
        break;
    case ORCH_CONTROL_RESULT:
        control->events.on_result(link, message->id, message->ok, message->code, message->message,
                                  control->user_data);
        break;
    }
}

static void on_message(SoupWebsocketConnection *socket, int type, GBytes *bytes, gpointer user_data)
{
    OrchLink *link = user_data;
    g_autoptr(GError) error = NULL;
    OrchControlMessage message;
    gsize length;
    const char *text = g_bytes_get_data(bytes, &length);
    if (type != SOUP_WEBSOCKET_DATA_TEXT) {
        drop(link, "binary data");
    } else if (!orch_control_message_parse(text != NULL ? text : "", length, &message, &error)) {
        drop(link, error->message);
    } else {
        take(link, &message);
        orch_control_message_clear(&message);
    }
}

static void on_closed(SoupWebsocketConnection *socket, gpointer user_data)
{
    drop(user_data, "the worker's end closed it");
}

/* --- who comes --- */

/* Returns (transfer full) (nullable). */
static char *token_hash_of(SoupServerMessage *message)
{
    const char *value = soup_message_headers_get_one(
        soup_server_message_get_request_headers(message), "Authorization");
    if (value == NULL || !g_str_has_prefix(value, BEARER) || strlen(value) > 500) {
        return NULL;
    }
    return orch_hash(value + strlen(BEARER));
}

static void on_request(SoupServer *server, SoupServerMessage *message, const char *path,
                       GHashTable *query, gpointer user_data)
{
    OrchControl *control = user_data;
    g_autofree char *hash = token_hash_of(message);
    if (hash == NULL || !control->events.is_expected(hash, control->user_data)) {
        soup_server_message_set_status(message, SOUP_STATUS_UNAUTHORIZED, NULL);
    }
}

static void on_socket(SoupServer *server, SoupServerMessage *message, const char *path,
                      SoupWebsocketConnection *socket, gpointer user_data)
{
    OrchControl *control = user_data;
    g_autofree char *hash = token_hash_of(message);
    if (hash == NULL) {
        return;
    }
    OrchLink *older = g_hash_table_lookup(control->links, hash);
    if (older != NULL) {
        drop(older, "its worker connected anew");
    }
    /* The server's time-out for silent clients is not meant for a worker with nothing to say. */
    GSocket *inner = soup_server_message_get_socket(message);
    if (inner != NULL) {
        g_socket_set_timeout(inner, 0);
    }
    OrchLink *link = g_new0(OrchLink, 1);
    link->control = control;
    link->socket = g_object_ref(socket);
    link->token_hash = g_steal_pointer(&hash);
    g_hash_table_insert(control->links, link->token_hash, link);
    soup_websocket_connection_set_max_incoming_payload_size(socket, ORCH_CONTROL_MAX_BYTES);
    soup_websocket_connection_set_keepalive_interval(socket, KEEPALIVE_S);
    g_signal_connect(socket, "message", G_CALLBACK(on_message), link);
    g_signal_connect(socket, "closed", G_CALLBACK(on_closed), link);
}

OrchControl *orch_control_new(SoupServer *server, const OrchControlEvents *events,
                              gpointer user_data)
{
    static char *protocols[] = {(char *)PROTOCOL, NULL};
    OrchControl *control = g_new0(OrchControl, 1);
    control->server = g_object_ref(server);
    control->events = *events;
    control->user_data = user_data;
    control->links = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, link_free);
    soup_server_add_early_handler(server, ORCH_CONTROL_PATH, on_request, control, NULL);
    soup_server_add_websocket_handler(server, ORCH_CONTROL_PATH, NULL, protocols, on_socket,
                                      control, NULL);
    return control;
}

void orch_control_free(OrchControl *control)
{
    soup_server_remove_handler(control->server, ORCH_CONTROL_PATH);
    g_object_unref(control->server);
    g_hash_table_unref(control->links);
    g_free(control);
}
