/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/delivery.h"

#include "base/address.h"
#include "base/agent.h"
#include "base/proxy.h"
#include "orchestrator/json.h"
#include "orchestrator/secrets.h"

#include <string.h>

#define MAX_ANSWER_BYTES 1000

struct OrchDeliveryTry {
    SoupMessage *message;      /* owned */
    GCancellable *cancellable; /* owned */
    GInputStream *stream;      /* owned: the answer's body */
    OrchDeliveryDone done;     /* NULL once it was cancelled */
    gpointer user_data;
    gint64 begun_us;
    guint timeout_ms, timeout_id, fail_id;
    bool allow_private, refused, timed_out, bad_url, by_proxy;
    char answer[MAX_ANSWER_BYTES];
};

/* --- headers --- */

static char *hmac(const guint8 *key, gsize key_length, const char *head, GBytes *body)
{
    g_autoptr(GByteArray) text = g_byte_array_new();
    gsize length;
    const guint8 *data = g_bytes_get_data(body, &length);
    g_byte_array_append(text, (const guint8 *)head, (guint)strlen(head));
    g_byte_array_append(text, data, (guint)length);
    return orch_hmac_sha256(key, key_length, text->data, text->len);
}

static void add_standard(const OrchDelivery *delivery, const guint8 *key, gsize key_length,
                         gint64 now_ms, SoupMessageHeaders *headers)
{
    g_autofree char *time = g_strdup_printf("%" G_GINT64_FORMAT, now_ms / 1000);
    g_autofree char *head = g_strdup_printf("%s.%s.", delivery->id, time);
    g_autofree char *signature = hmac(key, key_length, head, delivery->body);
    g_autofree char *value = g_strconcat("v1,", signature, NULL);
    soup_message_headers_replace(headers, "webhook-timestamp", time);
    soup_message_headers_replace(headers, "webhook-signature", value);
}

static void add_attendee(const OrchDelivery *delivery, const guint8 *key, gsize key_length,
                         SoupMessageHeaders *headers)
{
    gsize length;
    const char *text = g_bytes_get_data(delivery->body, &length);
    g_autoptr(JsonObject) object = orch_json_parse_object(text, length, NULL);
    if (object != NULL) {
        g_autofree char *canonical = orch_json_canonical(object);
        g_autofree char *signature =
            orch_hmac_sha256(key, key_length, canonical, strlen(canonical));
        soup_message_headers_replace(headers, "X-Webhook-Signature", signature);
    }
}

void orch_delivery_headers(const OrchDelivery *delivery, const OrchDeliverySecrets *secrets,
                           gint64 now_ms, SoupMessageHeaders *headers)
{
    gsize key_length = 0;
    g_autofree guchar *key =
        secrets->secret != NULL ? g_base64_decode(secrets->secret, &key_length) : NULL;
    soup_message_headers_replace(headers, "webhook-id", delivery->id);
    if (key != NULL) {
        add_standard(delivery, key, key_length, now_ms, headers);
    }
    switch (delivery->kind) {
    case ORCH_API_MBAAS:
        if (secrets->api_key != NULL) {
            soup_message_headers_replace(headers, "x-meeting-baas-api-key", secrets->api_key);
        }
        break;
    case ORCH_API_ATTENDEE:
        if (key != NULL) {
            add_attendee(delivery, key, key_length, headers);
        }
        break;
    case ORCH_API_CRONOFY:
        if (key != NULL) {
            g_autofree char *signature =
                hmac((const guint8 *)secrets->secret, strlen(secrets->secret), "", delivery->body);
            soup_message_headers_replace(headers, "Cronofy-HMAC-SHA256", signature);
        }
        break;
    case ORCH_N_APIS:
        g_assert_not_reached();
    }
}

/* --- the try --- */

void orch_delivery_result_clear(OrchDeliveryResult *result)
{
    g_free(result->error);
    g_free(result->answer);
}

SoupSession *orch_delivery_session(guint max_connections)
{
    SoupSession *session = soup_session_new_with_options("user-agent", BASE_USER_AGENT, "max-conns",
                                                         max_connections, "max-conns-per-host",
                                                         max_connections, "idle-timeout", 30, NULL);
    soup_session_set_proxy_resolver(session, base_proxy_resolver());
    soup_session_remove_feature_by_type(session, SOUP_TYPE_CONTENT_DECODER);
    return session;
}

static void try_free(OrchDeliveryTry *attempt)
{
    g_clear_handle_id(&attempt->timeout_id, g_source_remove);
    g_clear_handle_id(&attempt->fail_id, g_source_remove);
    g_clear_object(&attempt->message);
    g_clear_object(&attempt->stream);
    g_object_unref(attempt->cancellable);
    g_free(attempt);
}

/* The one way out of a try that is not cancelled. @error: (nullable): why there is no answer. */
static void finish(OrchDeliveryTry *attempt, const GError *error, gsize answer_length)
{
    OrchDeliveryResult result = {.duration_ms =
                                     (g_get_monotonic_time() - attempt->begun_us) / 1000};
    if (error == NULL) {
        result.status = soup_message_get_status(attempt->message);
        result.answer =
            answer_length > 0 ? g_utf8_make_valid(attempt->answer, (gssize)answer_length) : NULL;
        if (!SOUP_STATUS_IS_SUCCESSFUL(result.status)) {
            const char *phrase = soup_message_get_reason_phrase(attempt->message);
            result.error = g_strdup_printf(
                "HTTP %u %s%s", result.status, phrase != NULL ? phrase : "",
                SOUP_STATUS_IS_REDIRECTION(result.status) ? " (redirects are not followed)" : "");
        }
    } else if (attempt->refused) {
        result.error = g_strdup("the target is on this machine or in a private network; "
                                "webhooks.allow_private allows that");
    } else if (attempt->timed_out) {
        result.error = g_strdup_printf("no answer within %u ms", attempt->timeout_ms);
    } else {
        result.error = g_strdup(error->message);
        result.hopeless = attempt->bad_url;
    }
    attempt->done(&result, attempt->user_data);
    orch_delivery_result_clear(&result);
    try_free(attempt);
}

static gboolean on_timeout(gpointer user_data)
{
    OrchDeliveryTry *attempt = user_data;
    attempt->timeout_id = 0;
    attempt->timed_out = true;
    g_cancellable_cancel(attempt->cancellable);
    return G_SOURCE_REMOVE;
}

/* The status decides; the body is only for the log, and a broken one changes nothing. */
static void on_body(GObject *source, GAsyncResult *result, gpointer user_data)
{
    OrchDeliveryTry *attempt = user_data;
    gsize length = 0;
    g_autoptr(GError) error = NULL;
    g_input_stream_read_all_finish(G_INPUT_STREAM(source), result, &length, &error);
    if (attempt->done == NULL) {
        try_free(attempt);
        return;
    }
    finish(attempt, NULL, length);
}

static void on_answer(GObject *source, GAsyncResult *result, gpointer user_data)
{
    OrchDeliveryTry *attempt = user_data;
    g_autoptr(GError) error = NULL;
    attempt->stream = soup_session_send_finish(SOUP_SESSION(source), result, &error);
    if (attempt->done == NULL) {
        try_free(attempt);
        return;
    }
    if (attempt->stream == NULL) {
        finish(attempt, error, 0);
        return;
    }
    g_input_stream_read_all_async(attempt->stream, attempt->answer, sizeof attempt->answer,
                                  G_PRIORITY_DEFAULT, attempt->cancellable, on_body, attempt);
}

/* Before the first packet goes out to an address that may not be called. */
static void on_network(SoupMessage *message, GSocketClientEvent event, GIOStream *connection,
                       gpointer user_data)
{
    OrchDeliveryTry *attempt = user_data;
    if (attempt->allow_private || attempt->by_proxy || !G_IS_SOCKET_CONNECTION(connection) ||
        (event != G_SOCKET_CLIENT_CONNECTING && event != G_SOCKET_CLIENT_CONNECTED)) {
        return;
    }
    g_autoptr(GSocketAddress) address =
        g_socket_connection_get_remote_address(G_SOCKET_CONNECTION(connection), NULL);
    bool is_public =
        address != NULL && G_IS_INET_SOCKET_ADDRESS(address) &&
        base_address_is_public(g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address)));
    if (!is_public) {
        attempt->refused = true;
        g_cancellable_cancel(attempt->cancellable);
    }
}

static gboolean on_bad_url(gpointer user_data)
{
    OrchDeliveryTry *attempt = user_data;
    attempt->fail_id = 0;
    attempt->bad_url = true;
    g_autoptr(GError) error = g_error_new_literal(G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                                                  "the target is no http or https URL");
    finish(attempt, error, 0);
    return G_SOURCE_REMOVE;
}

static gboolean on_refused(gpointer user_data)
{
    OrchDeliveryTry *attempt = user_data;
    attempt->fail_id = 0;
    g_autoptr(GError) error = g_error_new_literal(G_IO_ERROR, G_IO_ERROR_CANCELLED, "refused");
    finish(attempt, error, 0);
    return G_SOURCE_REMOVE;
}

/* What goes by a proxy is looked up there; an address in the URL can be judged here. */
static bool goes_by_proxy(const OrchDelivery *delivery, GUri *uri, bool *ret_refused)
{
    g_autofree char *proxy = base_proxy_for(delivery->url);
    g_autoptr(GInetAddress) address =
        proxy != NULL ? g_inet_address_new_from_string(g_uri_get_host(uri)) : NULL;
    *ret_refused = address != NULL && !base_address_is_public(address);
    return proxy != NULL;
}

static void copy_header(const char *name, const char *value, gpointer user_data)
{
    soup_message_headers_replace(user_data, name, value);
}

OrchDeliveryTry *orch_delivery_try(SoupSession *session, const OrchDelivery *delivery,
                                   SoupMessageHeaders *headers, bool allow_private,
                                   guint timeout_ms, OrchDeliveryDone done, gpointer user_data)
{
    OrchDeliveryTry *attempt = g_new0(OrchDeliveryTry, 1);
    attempt->done = done;
    attempt->user_data = user_data;
    attempt->allow_private = allow_private;
    attempt->timeout_ms = timeout_ms;
    attempt->cancellable = g_cancellable_new();
    attempt->begun_us = g_get_monotonic_time();
    attempt->message = soup_message_new("POST", delivery->url);
    const char *scheme =
        attempt->message != NULL ? g_uri_get_scheme(soup_message_get_uri(attempt->message)) : "";
    if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0) {
        attempt->fail_id = g_idle_add(on_bad_url, attempt);
        return attempt;
    }
    bool is_private = false;
    attempt->by_proxy =
        goes_by_proxy(delivery, soup_message_get_uri(attempt->message), &is_private);
    attempt->refused = is_private && !allow_private;
    if (attempt->refused) {
        attempt->fail_id = g_idle_add(on_refused, attempt);
        return attempt;
    }
    soup_message_add_flags(attempt->message, SOUP_MESSAGE_NO_REDIRECT);
    g_signal_connect(attempt->message, "network-event", G_CALLBACK(on_network), attempt);
    soup_message_headers_foreach(headers, copy_header,
                                 soup_message_get_request_headers(attempt->message));
    soup_message_set_request_body_from_bytes(attempt->message, "application/json", delivery->body);
    attempt->timeout_id = g_timeout_add(timeout_ms, on_timeout, attempt);
    soup_session_send_async(session, attempt->message, G_PRIORITY_DEFAULT, attempt->cancellable,
                            on_answer, attempt);
    return attempt;
}

void orch_delivery_cancel(OrchDeliveryTry *attempt)
{
    attempt->done = NULL;
    g_clear_handle_id(&attempt->timeout_id, g_source_remove);
    if (attempt->message != NULL) {
        g_signal_handlers_disconnect_by_data(attempt->message, attempt);
    }
    if (attempt->fail_id != 0) {
        try_free(attempt);
    } else {
        g_cancellable_cancel(attempt->cancellable);
    }
}
