/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/image.h"

#include "base/address.h"
#include "base/agent.h"
#include "base/proxy.h"
#include "media/still.h"

#include <libsoup/soup.h>

#include <string.h>

struct BotImage {
    gatomicrefcount ref_count; /* the caller's, and one for each answer that is waited for */
    BotImageDone done;         /* NULL: freed */
    gpointer user_data;
    bool allow_private;
    unsigned n_hops;
    GUri *uri;                 /* owned: of this hop */
    SoupSession *session;      /* owned: of this hop */
    SoupMessage *message;      /* owned: likewise */
    GInputStream *body;        /* owned */
    GByteArray *bytes;         /* owned: read so far */
    GCancellable *cancellable; /* owned */
    GError *failure;           /* owned: reported from the main loop */
    GBytes *jpeg;              /* owned: likewise */
    unsigned deadline_id, done_id;
};

static BotImage *image_ref(BotImage *image)
{
    g_atomic_ref_count_inc(&image->ref_count);
    return image;
}

static void image_unref(BotImage *image)
{
    if (!g_atomic_ref_count_dec(&image->ref_count)) {
        return;
    }
    g_clear_pointer(&image->uri, g_uri_unref);
    g_clear_object(&image->body);
    g_clear_object(&image->message);
    g_clear_object(&image->session);
    g_clear_pointer(&image->bytes, g_byte_array_unref);
    g_clear_pointer(&image->jpeg, g_bytes_unref);
    g_clear_error(&image->failure);
    g_clear_object(&image->cancellable);
    g_free(image);
}

// --- the end ---

static gboolean on_done(gpointer data)
{
    BotImage *image = data;
    image->done_id = 0;
    BotImageDone done = image->done;
    image->done = NULL;
    if (done != NULL) {
        done(image->jpeg, image->failure, image->user_data);
    }
    return G_SOURCE_REMOVE;
}

/* What comes first counts: a deadline's failure, say, and not that of what it cancelled. */
static void finish(BotImage *image, GBytes *jpeg, GError *failure)
{
    if (image->done_id != 0 || image->done == NULL) {
        g_clear_pointer(&jpeg, g_bytes_unref);
        g_clear_error(&failure);
        return;
    }
    g_clear_handle_id(&image->deadline_id, g_source_remove);
    image->jpeg = jpeg;
    image->failure = failure;
    image->done_id =
        g_idle_add_full(G_PRIORITY_DEFAULT, on_done, image_ref(image), (GDestroyNotify)image_unref);
}

static void G_GNUC_PRINTF(2, 3) fail(BotImage *image, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    GError *failure = g_error_new_valist(G_IO_ERROR, G_IO_ERROR_FAILED, format, args);
    va_end(args);
    finish(image, NULL, failure);
}

static gboolean on_deadline(gpointer data)
{
    BotImage *image = data;
    image->deadline_id = 0;
    fail(image, "it did not come within %d s", BOT_IMAGE_TIMEOUT_S);
    g_cancellable_cancel(image->cancellable);
    return G_SOURCE_REMOVE;
}

// --- decoding ---

static void decode(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    GError *error = NULL;
    GBytes *jpeg = media_still_to_jpeg(data, BOT_IMAGE_WIDTH, BOT_IMAGE_HEIGHT, &error);
    if (jpeg == NULL) {
        g_task_return_error(task, error);
        return;
    }
    g_task_return_pointer(task, jpeg, (GDestroyNotify)g_bytes_unref);
}

static void on_decoded(GObject *source, GAsyncResult *result, gpointer data)
{
    BotImage *image = data;
    GError *error = NULL;
    GBytes *jpeg = g_task_propagate_pointer(G_TASK(result), &error);
    finish(image, jpeg, error);
    image_unref(image);
}

static void decode_later(BotImage *image)
{
    g_autoptr(GTask) task = g_task_new(NULL, image->cancellable, on_decoded, image_ref(image));
    GBytes *file = g_byte_array_free_to_bytes(g_steal_pointer(&image->bytes));
    g_task_set_task_data(task, file, (GDestroyNotify)g_bytes_unref);
    g_task_run_in_thread(task, decode);
}

// --- the answer ---

static void on_read(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    BotImage *image = data;
    g_autoptr(GBytes) part = g_input_stream_read_bytes_finish(image->body, result, &error);
    gsize n = part != NULL ? g_bytes_get_size(part) : 0;
    if (part == NULL) {
        fail(image, "it was not read: %s", error->message);
    } else if (n == 0) {
        decode_later(image);
    } else if (image->bytes->len + n > BOT_IMAGE_MAX_BYTES) {
        fail(image, "it is larger than %d MiB", BOT_IMAGE_MAX_BYTES >> 20);
    } else {
        g_byte_array_append(image->bytes, g_bytes_get_data(part, NULL), (guint)n);
        g_input_stream_read_bytes_async(image->body, 65536, G_PRIORITY_DEFAULT, image->cancellable,
                                        on_read, image_ref(image));
    }
    image_unref(image);
}

/* @body: (transfer full) */
static void start_reading(BotImage *image, GInputStream *body)
{
    image->bytes = g_byte_array_new();
    image->body = body;
    g_input_stream_read_bytes_async(body, 65536, G_PRIORITY_DEFAULT, image->cancellable, on_read,
                                    image_ref(image));
}

static bool has_known_type(SoupMessageHeaders *headers)
{
    static const char *const types[] = {"image/png", "image/jpeg", "image/webp"};
    const char *type = soup_message_headers_get_content_type(headers, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        if (type != NULL && g_ascii_strcasecmp(type, types[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void begin_hop(BotImage *image, GUri *uri);

static void follow(BotImage *image, SoupMessageHeaders *headers)
{
    const char *location = soup_message_headers_get_one(headers, "Location");
    g_autoptr(GUri) next =
        location != NULL ? g_uri_parse_relative(image->uri, location, SOUP_HTTP_URI_FLAGS, NULL)
                         : NULL;
    if (next == NULL) {
        fail(image, "%s sends to nowhere", g_uri_get_host(image->uri));
    } else if (image->n_hops >= BOT_IMAGE_MAX_HOPS) {
        fail(image, "it is sent from place to place more than %d times", BOT_IMAGE_MAX_HOPS - 1);
    } else {
        begin_hop(image, next);
    }
}

static void on_answer(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    BotImage *image = data;
    g_autoptr(GInputStream) body = soup_session_send_finish(SOUP_SESSION(source), result, &error);
    guint status = body != NULL ? soup_message_get_status(image->message) : 0;
    SoupMessageHeaders *headers =
        body != NULL ? soup_message_get_response_headers(image->message) : NULL;
    if (body == NULL) {
        fail(image, "%s: %s", g_uri_get_host(image->uri), error->message);
    } else if (SOUP_STATUS_IS_REDIRECTION(status)) {
        follow(image, headers);
    } else if (status != SOUP_STATUS_OK) {
        fail(image, "%s answers %u", g_uri_get_host(image->uri), status);
    } else if (!has_known_type(headers)) {
        fail(image, "it is neither image/png nor image/jpeg nor image/webp");
    } else if (soup_message_headers_get_content_length(headers) > BOT_IMAGE_MAX_BYTES) {
        fail(image, "it is larger than %d MiB", BOT_IMAGE_MAX_BYTES >> 20);
    } else {
        start_reading(image, g_steal_pointer(&body));
    }
    image_unref(image);
}

/* Where the URL of this hop is asked for; NULL: by the proxy, which looks its host up. */
static GSocketAddress *get_address(const BotImage *image, GInetAddress *address)
{
    bool tls = g_str_equal(g_uri_get_scheme(image->uri), "https");
    int port = g_uri_get_port(image->uri);
    return address == NULL ? NULL
                           : g_inet_socket_address_new(address, (guint16)(port > 0 ? port
                                                                          : tls    ? 443
                                                                                   : 80));
}

/* Asks @address, and nobody else, for the URL of this hop; NULL: the proxy. */
static void ask(BotImage *image, GInetAddress *address)
{
    g_autoptr(GSocketAddress) socket_address = get_address(image, address);
    g_clear_object(&image->message);
    g_clear_object(&image->session);
    image->session =
        soup_session_new_with_options("remote-connectable", socket_address, "proxy-resolver",
                                      address == NULL ? base_proxy_resolver() : NULL, "timeout",
                                      BOT_IMAGE_TIMEOUT_S, "user-agent", BASE_USER_AGENT, NULL);
    image->message = soup_message_new_from_uri(SOUP_METHOD_GET, image->uri);
    soup_message_add_flags(image->message, SOUP_MESSAGE_NO_REDIRECT);
    soup_session_send_async(image->session, image->message, G_PRIORITY_DEFAULT, image->cancellable,
                            on_answer, image_ref(image));
}

/* A name behind a proxy is the proxy's to judge; an address can be judged here. */
static void ask_by_proxy(BotImage *image)
{
    g_autoptr(GInetAddress) address = g_inet_address_new_from_string(g_uri_get_host(image->uri));
    bool any = image->allow_private && image->n_hops == 1;
    if (address != NULL && !any && !base_address_is_public(address)) {
        fail(image, "%s is a private address", g_uri_get_host(image->uri));
    } else {
        ask(image, NULL);
    }
}

// --- a hop ---

static void on_resolved(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    BotImage *image = data;
    GList *addresses = g_resolver_lookup_by_name_finish(G_RESOLVER(source), result, &error);
    bool any = image->allow_private && image->n_hops == 1;
    GInetAddress *good = NULL;
    for (GList *l = addresses; l != NULL && good == NULL; l = l->next) {
        good = any || base_address_is_public(l->data) ? l->data : NULL;
    }
    if (error != NULL) {
        fail(image, "%s is not found: %s", g_uri_get_host(image->uri), error->message);
    } else if (good == NULL) {
        fail(image, "%s has a private address%s", g_uri_get_host(image->uri),
             image->n_hops > 1 ? ", and a redirect may not lead to one" : "");
    } else {
        ask(image, good);
    }
    g_resolver_free_addresses(addresses);
    image_unref(image);
}

static void begin_hop(BotImage *image, GUri *uri)
{
    const char *scheme = g_uri_get_scheme(uri), *host = g_uri_get_host(uri);
    bool web = g_str_equal(scheme, "https") || g_str_equal(scheme, "http");
    if (!web || host == NULL || *host == '\0' || g_uri_get_userinfo(uri) != NULL) {
        fail(image, "its URL must be http or https with a host, and without a user name");
        return;
    }
    if (image->n_hops > 0 && g_str_equal(scheme, "http") &&
        g_str_equal(g_uri_get_scheme(image->uri), "https")) {
        fail(image, "%s sends from https to http", g_uri_get_host(image->uri));
        return;
    }
    image->n_hops++;
    g_uri_ref(uri);
    g_clear_pointer(&image->uri, g_uri_unref);
    image->uri = uri;
    g_autofree char *url = g_uri_to_string(uri);
    g_autofree char *proxy = base_proxy_for(url);
    if (proxy != NULL) {
        ask_by_proxy(image);
        return;
    }
    g_autoptr(GResolver) resolver = g_resolver_get_default();
    g_resolver_lookup_by_name_async(resolver, host, image->cancellable, on_resolved,
                                    image_ref(image));
}

// --- in and out ---

static BotImage *image_new(BotImageDone done, gpointer user_data)
{
    BotImage *image = g_new0(BotImage, 1);
    g_atomic_ref_count_init(&image->ref_count);
    image->done = done;
    image->user_data = user_data;
    image->cancellable = g_cancellable_new();
    image->deadline_id = g_timeout_add_seconds(BOT_IMAGE_TIMEOUT_S, on_deadline, image);
    return image;
}

static void on_opened(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    BotImage *image = data;
    GFileInputStream *body = g_file_read_finish(G_FILE(source), result, &error);
    if (body == NULL) {
        fail(image, "%s", error->message);
    } else {
        start_reading(image, G_INPUT_STREAM(body));
    }
    image_unref(image);
}

BotImage *bot_image_read(const char *path, BotImageDone done, gpointer user_data)
{
    BotImage *image = image_new(done, user_data);
    g_autoptr(GFile) file = g_file_new_for_path(path);
    g_file_read_async(file, G_PRIORITY_DEFAULT, image->cancellable, on_opened, image_ref(image));
    return image;
}

BotImage *bot_image_fetch(const char *url, bool allow_private, BotImageDone done,
                          gpointer user_data)
{
    BotImage *image = image_new(done, user_data);
    image->allow_private = allow_private;
    g_autoptr(GUri) uri = g_uri_parse(url, SOUP_HTTP_URI_FLAGS, NULL);
    if (uri == NULL) {
        fail(image, "its URL is none");
    } else {
        begin_hop(image, uri);
    }
    return image;
}

void bot_image_free(BotImage *image)
{
    if (image == NULL) {
        return;
    }
    image->done = NULL;
    g_clear_handle_id(&image->deadline_id, g_source_remove);
    g_cancellable_cancel(image->cancellable);
    image_unref(image);
}
