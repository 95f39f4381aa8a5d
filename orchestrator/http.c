/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/http_priv.h"

#include "bot/fields.h"
#include "orchestrator/json.h"

#include <gio/gio.h>
#include <string.h>

#define JSON_TYPE "application/json"
#define RETRY_AFTER_S "30"

const char *orch_request_query(OrchRequest *request, const char *name)
{
    const char *value = g_hash_table_lookup(request->query, name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

char *orch_cursor_new(gint64 position)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, position);
    return g_base64_encode((const guchar *)text, strlen(text));
}

bool orch_request_cursor(OrchRequest *request, gint64 *ret_position)
{
    const char *cursor = orch_request_query(request, "cursor");
    if (cursor == NULL) {
        return true;
    }
    gsize size = 0;
    g_autofree guchar *bytes = g_base64_decode(cursor, &size);
    g_autofree char *text = g_strndup((const char *)bytes, size);
    return g_ascii_string_to_signed(text, 10, 1, G_MAXINT64, ret_position, NULL);
}

/* --- a request's life --- */

static void on_finished(SoupServerMessage *message, gpointer user_data)
{
    ((OrchRequest *)user_data)->gone = true;
}

OrchRequest *orch_request_new(OrchBots *bots, SoupServerMessage *message, guint *n_waiting)
{
    OrchRequest *request = g_new0(OrchRequest, 1);
    request->bots = bots;
    request->n_waiting = n_waiting;
    request->message = g_object_ref(message);
    g_signal_connect(message, "finished", G_CALLBACK(on_finished), request);
    return request;
}

static void request_free(OrchRequest *request)
{
    g_signal_handlers_disconnect_by_data(request->message, request);
    g_object_unref(request->message);
    for (gsize i = 0; i < G_N_ELEMENTS(request->params); i++) {
        g_free(request->params[i]);
    }
    g_clear_pointer(&request->query, g_hash_table_unref);
    g_clear_pointer(&request->body, json_object_unref);
    g_clear_pointer(&request->key, orch_key_free);
    g_free(request->text);
    g_free(request);
}

void orch_request_run(OrchRequest *request)
{
    request->route->handler(request);
    orch_request_settle(request);
}

void orch_request_wait(OrchRequest *request)
{
    request->paused = true;
    (*request->n_waiting)++;
    if (!request->gone) {
        soup_server_message_pause(request->message);
    }
}

void orch_request_run_waiting(OrchRequest *request)
{
    request->paused = false;
    (*request->n_waiting)--;
    if (!request->gone) {
        soup_server_message_unpause(request->message);
    }
    orch_request_run(request);
}

void orch_request_drop(OrchRequest *request)
{
    (*request->n_waiting)--;
    request_free(request);
}

void orch_request_settle(OrchRequest *request)
{
    if (request->answered) {
        request_free(request);
    } else {
        orch_request_wait(request);
    }
}

/* --- answers --- */

void orch_reply_header(OrchRequest *request, const char *name, const char *value)
{
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(request->message);
    soup_message_headers_replace(headers, name, value);
}

/* Frees a request that waited; one whose handler still runs is freed after it. */
static void finish(OrchRequest *request)
{
    g_assert(!request->answered);
    request->answered = true;
    if (!request->paused) {
        return;
    }
    (*request->n_waiting)--;
    if (!request->gone) {
        soup_server_message_unpause(request->message);
    }
    request_free(request);
}

void orch_reply_bytes(OrchRequest *request, int status, const char *content_type, GBytes *bytes)
{
    if (!request->gone) {
        soup_server_message_set_status(request->message, (guint)status, NULL);
        soup_message_headers_set_content_type(
            soup_server_message_get_response_headers(request->message), content_type, NULL);
        soup_message_body_append_bytes(soup_server_message_get_response_body(request->message),
                                       bytes);
    }
    finish(request);
}

static void reply_text(OrchRequest *request, int status, char *text)
{
    if (text == NULL) {
        if (!request->gone) {
            soup_server_message_set_status(request->message, (guint)status, NULL);
        }
        finish(request);
        return;
    }
    g_autoptr(GBytes) bytes = g_bytes_new_take(text, strlen(text));
    orch_reply_bytes(request, status, JSON_TYPE, bytes);
}

void orch_reply(OrchRequest *request, int status, JsonObject *body)
{
    g_autoptr(JsonObject) owned = body;
    reply_text(request, status, owned != NULL ? orch_json_print(owned) : NULL);
}

void orch_reply_array(OrchRequest *request, int status, JsonArray *body)
{
    g_autoptr(JsonArray) owned = body;
    reply_text(request, status, orch_json_print_array(owned));
}

static void on_durable(const GError *error, gpointer user_data)
{
    OrchRequest *request = user_data;
    if (error == NULL) {
        reply_text(request, request->status, g_steal_pointer(&request->text));
    } else {
        orch_reply_error(request, SOUP_STATUS_SERVICE_UNAVAILABLE, "StorageUnavailable",
                         "What you asked for could not be stored. Try again later.");
    }
}

void orch_reply_durable(OrchRequest *request, int status, JsonObject *body)
{
    g_autoptr(JsonObject) owned = body;
    request->status = status;
    request->text = owned != NULL ? orch_json_print(owned) : NULL;
    orch_store_when_durable(orch_bots_store(request->bots), on_durable, request);
}

/* --- errors --- */

void orch_reply_error(OrchRequest *request, int status, const char *code, const char *message)
{
    JsonObject *body = json_object_new();
    OrchAuth api = request->route != NULL ? request->route->auth : ORCH_AUTH_NONE;
    if (api == ORCH_AUTH_ATTENDEE) {
        json_object_set_string_member(body, "error", message);
        if (status == SOUP_STATUS_UNAUTHORIZED) {
            json_object_set_string_member(body, "detail", message);
        }
    } else {
        json_object_set_string_member(body, "error", code);
        json_object_set_string_member(body, "message", message);
    }
    if (status == SOUP_STATUS_UNAUTHORIZED && api != ORCH_AUTH_MBAAS) {
        orch_reply_header(request, "WWW-Authenticate",
                          api == ORCH_AUTH_ATTENDEE ? "Token" : "Bearer");
    }
    orch_reply(request, status, body);
}

void orch_reply_gerror(OrchRequest *request, const GError *error)
{
    if (g_error_matches(error, ORCH_BOTS_ERROR, ORCH_BOTS_ERROR_FULL)) {
        orch_reply_header(request, "Retry-After", RETRY_AFTER_S);
        orch_reply_error(request, ORCH_STATUS_TOO_MANY_REQUESTS, "TooManyRequests", error->message);
    } else if (error->domain == ORCH_BOTS_ERROR) {
        orch_reply_error(request, SOUP_STATUS_BAD_REQUEST, "BotStatus", error->message);
    } else if (error->domain == BOT_CONFIG_ERROR) {
        orch_reply_error(request, SOUP_STATUS_BAD_REQUEST, "InvalidParameters", error->message);
    } else {
        g_warning("%s: %s", request->route->operation, error->message);
        orch_reply_error(request, SOUP_STATUS_SERVICE_UNAVAILABLE, "StorageUnavailable",
                         "What you asked for could not be stored. Try again later.");
    }
}

OrchBot *orch_request_bot(OrchRequest *request, const char *id)
{
    OrchBot *bot = orch_bots_get(request->bots, request->key->account, id);
    if (bot == NULL) {
        orch_reply_error(request, SOUP_STATUS_NOT_FOUND, "BotNotFound", "Bot not found");
    }
    return bot;
}
