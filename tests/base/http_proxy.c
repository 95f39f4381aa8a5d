/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/base/http_proxy.h"

#include <gio/gio.h>
#include <stdbool.h>
#include <string.h>

struct HttpProxy {
    GSocketService *service; /* owned */
    guint port, to_port;
    GMutex lock;
    GPtrArray *lines; /* owned; protected by lock */
};

typedef struct {
    GInputStream *from;
    GOutputStream *to;
    GIOStream *far;
} Way;

/* Until either side ends; then the other is told. */
static gpointer copy(gpointer data)
{
    Way *way = data;
    char buffer[8192];
    gssize n;
    while ((n = g_input_stream_read(way->from, buffer, sizeof buffer, NULL, NULL)) > 0 &&
           g_output_stream_write_all(way->to, buffer, (gsize)n, NULL, NULL, NULL)) {
    }
    GSocket *socket = g_socket_connection_get_socket(G_SOCKET_CONNECTION(way->far));
    (void)g_socket_shutdown(socket, FALSE, TRUE, NULL);
    return NULL;
}

/* The request's head, byte by byte: what follows is the tunnel's. */
static char *read_head(GInputStream *from)
{
    GString *head = g_string_new(NULL);
    char c;
    while (head->len < 65536 && !g_str_has_suffix(head->str, "\r\n\r\n") &&
           g_input_stream_read(from, &c, 1, NULL, NULL) == 1) {
        g_string_append_c(head, c);
    }
    return g_string_free(head, FALSE);
}

static gboolean on_run(GThreadedSocketService *service, GSocketConnection *near, GObject *source,
                       gpointer user_data)
{
    HttpProxy *proxy = user_data;
    GInputStream *in = g_io_stream_get_input_stream(G_IO_STREAM(near));
    GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(near));
    g_autofree char *head = read_head(in);
    g_mutex_lock(&proxy->lock);
    g_ptr_array_add(proxy->lines, g_strndup(head, strcspn(head, "\r\n")));
    g_mutex_unlock(&proxy->lock);
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_socket_client_set_enable_proxy(client, FALSE);
    g_autoptr(GSocketConnection) far =
        g_socket_client_connect_to_host(client, "127.0.0.1", (guint16)proxy->to_port, NULL, NULL);
    if (far == NULL) {
        return TRUE;
    }
    GInputStream *far_in = g_io_stream_get_input_stream(G_IO_STREAM(far));
    GOutputStream *far_out = g_io_stream_get_output_stream(G_IO_STREAM(far));
    bool tunnel = g_str_has_prefix(head, "CONNECT ");
    static const char answer[] = "HTTP/1.1 200 OK\r\n\r\n";
    (void)g_output_stream_write_all(tunnel ? out : far_out, tunnel ? answer : head,
                                    tunnel ? strlen(answer) : strlen(head), NULL, NULL, NULL);
    Way there = {in, far_out, G_IO_STREAM(far)}, back = {far_in, out, G_IO_STREAM(near)};
    GThread *thread = g_thread_new("proxy", copy, &there);
    copy(&back);
    g_thread_join(thread);
    return TRUE;
}

HttpProxy *http_proxy_new(guint to_port)
{
    g_autoptr(GError) error = NULL;
    HttpProxy *proxy = g_new0(HttpProxy, 1);
    g_mutex_init(&proxy->lock);
    proxy->to_port = to_port;
    proxy->lines = g_ptr_array_new_with_free_func(g_free);
    proxy->service = g_threaded_socket_service_new(16);
    g_autoptr(GInetAddress) loopback = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
    g_autoptr(GSocketAddress) address = g_inet_socket_address_new(loopback, 0);
    g_autoptr(GSocketAddress) bound = NULL;
    g_socket_listener_add_address(G_SOCKET_LISTENER(proxy->service), address, G_SOCKET_TYPE_STREAM,
                                  G_SOCKET_PROTOCOL_TCP, NULL, &bound, &error);
    g_assert_no_error(error);
    proxy->port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
    g_signal_connect(proxy->service, "run", G_CALLBACK(on_run), proxy);
    g_socket_service_start(proxy->service);
    return proxy;
}

void http_proxy_free(HttpProxy *proxy)
{
    g_socket_service_stop(proxy->service);
    g_socket_listener_close(G_SOCKET_LISTENER(proxy->service));
    g_object_unref(proxy->service);
    /* A thread that still copies ends with its connection and holds what is left: for ever. */
}

guint http_proxy_port(HttpProxy *proxy)
{
    return proxy->port;
}

guint http_proxy_count(HttpProxy *proxy, const char *text)
{
    guint n = 0;
    g_mutex_lock(&proxy->lock);
    for (guint i = 0; i < proxy->lines->len; i++) {
        n += strstr(g_ptr_array_index(proxy->lines, i), text) != NULL;
    }
    g_mutex_unlock(&proxy->lock);
    return n;
}
