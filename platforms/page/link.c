/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/page/link.h"

#include "platforms/json.h"
#include "platforms/page/clock.h"
#include "platforms/page/page_frame.h"
#include "platforms/platform.h"

#include <libsoup/soup.h>

#include <string.h>
#include <time.h>
#include <unistd.h>

#define PROTOCOL "steno.page.v1"
#define TOKEN_BYTES 16
#define MAX_INCOMING_BYTES (16u << 20)
#define MAX_TRACKS 4096 /* of one page load; a page that makes more is not a meeting */
#define MAX_WATCHES 16

struct PageLink {
    PageLinkEvents events;
    gpointer user_data;
    char *origin;       /* owned */
    SoupServer *server; /* owned */
    unsigned port;
    char *path;                      /* owned: "/" and the token, while a client is awaited */
    SoupWebsocketConnection *client; /* owned, or NULL */
    PageClock clock;
    int64_t sent_ns; /* of the message being read */
    uint32_t track_base, track_max;
    char *channels[MAX_WATCHES]; /* owned: names of watched channels and bodies, by number */
    bool freed;
};

static void link_clear(gpointer data)
{
    PageLink *link = data;
    for (size_t i = 0; i < MAX_WATCHES; i++) {
        g_free(link->channels[i]);
    }
    g_free(link->origin);
    g_free(link->path);
}

static void link_release(PageLink *link)
{
    g_rc_box_release_full(link, link_clear);
}

static int64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void drop_client(PageLink *link)
{
    if (link->client == NULL) {
        return;
    }
    SoupWebsocketConnection *client = g_steal_pointer(&link->client);
    g_signal_handlers_disconnect_by_data(client, link);
    if (soup_websocket_connection_get_state(client) == SOUP_WEBSOCKET_STATE_OPEN) {
        soup_websocket_connection_close(client, SOUP_WEBSOCKET_CLOSE_GOING_AWAY, NULL);
    }
    g_object_unref(client);
    link->track_base += link->track_max;
    link->track_max = 0;
}

static void fail_client(PageLink *link, const GError *error)
{
    drop_client(link);
    link->events.on_closed(error, link->user_data);
}

static bool note_track(PageLink *link, uint32_t track, GError **error)
{
    if (track == 0 || track > MAX_TRACKS) {
        g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL,
                    "page link: track number %u is out of range", track);
        return false;
    }
    link->track_max = MAX(link->track_max, track);
    return true;
}

static bool take_record(PageLink *link, const PageRecord *record, GBytes *message, int64_t now_ns,
                        GError **error)
{
    if (record->type == PAGE_RECORD_CHANNEL || record->type == PAGE_RECORD_FETCH) {
        const char *name = record->track < MAX_WATCHES ? link->channels[record->track] : NULL;
        if (name == NULL) {
            g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL,
                        "page link: data of no announced channel");
            return false;
        }
        const uint8_t *start = g_bytes_get_data(message, NULL);
        g_autoptr(GBytes) data = g_bytes_new_from_bytes(message, (size_t)(record->payload - start),
                                                        record->payload_size);
        link->events.on_data(record->type == PAGE_RECORD_FETCH, name, data, link->user_data);
        return true;
    }
    if (!note_track(link, record->track, error)) {
        return false;
    }
    int64_t receive_ns = page_clock_map(&link->clock, record->receive_ms, now_ns);
    g_autoptr(MediaEncodedFrame) frame =
        page_record_to_frame(record, message, link->track_base, receive_ns);
    frame->sent_ns = link->sent_ns;
    link->events.on_frame(frame, link->user_data);
    return true;
}

static void take_batch(PageLink *link, GBytes *message)
{
    SoupWebsocketConnection *client = link->client;
    int64_t now_ns = monotonic_ns();
    gsize size;
    const void *data = g_bytes_get_data(message, &size);
    g_autoptr(GError) error = NULL;
    PageFrameReader reader;
    PageRecord record;
    if (page_frame_reader_init(&reader, data, size, &error)) {
        page_clock_observe(&link->clock, reader.now_ms, now_ns);
        link->sent_ns = page_clock_map(&link->clock, reader.now_ms, now_ns);
        while (!link->freed && link->client == client &&
               page_frame_reader_next(&reader, &record, &error) &&
               take_record(link, &record, message, now_ns, &error)) {
        }
    }
    if (error != NULL && !link->freed && link->client == client) {
        fail_client(link, error);
    }
}

/* The message's "id" made unique over page loads. */
static bool adopt_track_id(PageLink *link, JsonObject *message, GError **error)
{
    int64_t id = platform_json_int(message, "id", -1);
    if (id == -1) {
        return true;
    }
    if (id < 0 || id > MAX_TRACKS || !note_track(link, (uint32_t)id, error)) {
        if (error != NULL && *error == NULL) {
            g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL,
                        "page link: track number out of range");
        }
        return false;
    }
    json_object_set_int_member(message, "id", (int64_t)link->track_base + id);
    return true;
}

static void take_text(PageLink *link, GBytes *text)
{
    gsize size;
    const char *data = g_bytes_get_data(text, &size);
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonObject) message = platform_json_parse(data, size, &error);
    if (message == NULL || !adopt_track_id(link, message, &error)) {
        fail_client(link, error);
        return;
    }
    const char *type = platform_json_string(message, "type", "");
    if (strcmp(type, "watch") == 0) {
        int64_t number = platform_json_int(message, "number", -1);
        const char *name = platform_json_string(message, "name", NULL);
        if (number >= 0 && number < MAX_WATCHES && name != NULL) {
            g_free(link->channels[number]);
            link->channels[number] = g_strdup(name);
        }
        return;
    }
    link->events.on_message(type, message, link->user_data);
}

static void on_message(SoupWebsocketConnection *client, gint type, GBytes *message,
                       gpointer user_data)
{
    PageLink *link = g_rc_box_acquire(user_data);
    if (type == SOUP_WEBSOCKET_DATA_BINARY) {
        take_batch(link, message);
    } else {
        take_text(link, message);
    }
    link_release(link);
}

static void on_client_closed(SoupWebsocketConnection *client, gpointer user_data)
{
    fail_client(user_data, NULL);
}

static void on_client_error(SoupWebsocketConnection *client, GError *error, gpointer user_data)
{
    g_info("page link: %s", error->message); /* "closed" follows */
}

static void revoke_token(PageLink *link)
{
    if (link->path != NULL) {
        soup_server_remove_handler(link->server, link->path);
        g_clear_pointer(&link->path, g_free);
    }
}

static void on_client(SoupServer *server, SoupServerMessage *request, const char *path,
                      SoupWebsocketConnection *client, gpointer user_data)
{
    PageLink *link = user_data;
    if (g_strcmp0(path, link->path) != 0) { /* libsoup matches prefixes */
        soup_websocket_connection_close(client, SOUP_WEBSOCKET_CLOSE_POLICY_VIOLATION, NULL);
        return;
    }
    revoke_token(link);
    link->client = g_object_ref(client);
    link->clock = (PageClock){0};
    soup_websocket_connection_set_max_incoming_payload_size(client, MAX_INCOMING_BYTES);
    g_signal_connect(client, "message", G_CALLBACK(on_message), link);
    g_signal_connect(client, "closed", G_CALLBACK(on_client_closed), link);
    g_signal_connect(client, "error", G_CALLBACK(on_client_error), link);
    link->events.on_open(link->user_data);
}

PageLink *page_link_new(const char *origin, const PageLinkEvents *events, gpointer user_data,
                        GError **error)
{
    g_autoptr(SoupServer) server = soup_server_new(NULL, NULL);
    /* No compression: the bytes stay on this machine. */
    soup_server_remove_websocket_extension(server, SOUP_TYPE_WEBSOCKET_EXTENSION_DEFLATE);
    g_autoptr(GInetAddress) loopback = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
    g_autoptr(GSocketAddress) address = g_inet_socket_address_new(loopback, 0);
    if (!soup_server_listen(server, address, 0, error)) {
        g_prefix_error(error, "page link: ");
        return NULL;
    }
    GSList *uris = soup_server_get_uris(server);
    PageLink *link = g_rc_box_new0(PageLink);
    link->port = (unsigned)g_uri_get_port(uris->data);
    g_slist_free_full(uris, (GDestroyNotify)g_uri_unref);
    link->events = *events;
    link->user_data = user_data;
    link->origin = g_strdup(origin);
    link->server = g_steal_pointer(&server);
    return link;
}

void page_link_set_origin(PageLink *link, const char *origin)
{
    g_free(link->origin);
    link->origin = g_strdup(origin);
}

void page_link_free(PageLink *link)
{
    if (link == NULL) {
        return;
    }
    link->freed = true;
    revoke_token(link);
    drop_client(link);
    soup_server_disconnect(link->server);
    g_clear_object(&link->server);
    link_release(link);
}

static char *new_token(void)
{
    GString *token = g_string_sized_new(TOKEN_BYTES * 2);
    uint8_t bytes[TOKEN_BYTES];
    if (getentropy(bytes, sizeof bytes) != 0) {
        g_error("the system has no random bytes");
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        g_string_append_printf(token, "%02x", bytes[i]);
    }
    return g_string_free(token, FALSE);
}

char *page_link_invite(PageLink *link)
{
    static const char *const protocols[] = {PROTOCOL, NULL};
    revoke_token(link);
    drop_client(link);
    g_autofree char *token = new_token();
    link->path = g_strconcat("/", token, NULL);
    soup_server_add_websocket_handler(link->server, link->path, link->origin, (char **)protocols,
                                      on_client, link, NULL);
    return g_strdup_printf("ws://127.0.0.1:%u%s", link->port, link->path);
}

bool page_link_is_open(PageLink *link)
{
    return link->client != NULL &&
           soup_websocket_connection_get_state(link->client) == SOUP_WEBSOCKET_STATE_OPEN;
}

bool page_link_send_speech(PageLink *link, const int16_t *samples, size_t n_samples)
{
    if (!page_link_is_open(link)) {
        return false;
    }
    g_autofree int16_t *wire = g_new(int16_t, n_samples);
    for (size_t i = 0; i < n_samples; i++) {
        wire[i] = (int16_t)GUINT16_TO_LE((uint16_t)samples[i]);
    }
    soup_websocket_connection_send_binary(link->client, wire, n_samples * sizeof *wire);
    return true;
}

bool page_link_request_key_frame(PageLink *link, uint32_t track_id)
{
    if (track_id <= link->track_base || track_id - link->track_base > link->track_max) {
        return false;
    }
    g_autofree char *json =
        g_strdup_printf("{\"type\":\"key_frame\",\"id\":%u}", track_id - link->track_base);
    return page_link_send_text(link, json);
}

bool page_link_send_text(PageLink *link, const char *json)
{
    if (!page_link_is_open(link)) {
        return false;
    }
    soup_websocket_connection_send_text(link->client, json);
    return true;
}
