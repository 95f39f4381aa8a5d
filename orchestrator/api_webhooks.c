/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/http.h"

#include "bot/report_data.h"
#include "orchestrator/json.h"

#include <string.h>

/* The delivery log, which none of the three APIs has: what was sent where, and sending it again. */

#define PAGE 100

static void set_time(JsonObject *object, const char *name, gint64 unix_ms)
{
    g_autofree char *text = unix_ms > 0 ? bot_report_iso_time(unix_ms) : NULL;
    orch_json_set(object, name, text);
}

static JsonObject *make_delivery(const OrchDelivery *delivery)
{
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "id", delivery->id);
    json_object_set_string_member(object, "bot_id", delivery->bot_id);
    json_object_set_string_member(object, "api", orch_api_to_string(delivery->kind));
    json_object_set_string_member(object, "trigger", delivery->trigger);
    json_object_set_string_member(object, "url", delivery->url);
    json_object_set_string_member(object, "state", orch_delivery_state_to_string(delivery->state));
    json_object_set_int_member(object, "attempts", delivery->n_attempts);
    json_object_set_int_member(object, "last_status", delivery->last_status);
    orch_json_set(object, "last_error", delivery->last_error);
    set_time(object, "created_at", delivery->created_ms);
    set_time(object, "next_attempt_at",
             delivery->state == ORCH_DELIVERY_WAITING ? delivery->next_attempt_ms : 0);
    set_time(object, "finished_at", delivery->delivered_ms);
    return object;
}

static JsonArray *make_attempts(OrchStore *store, const char *id)
{
    g_autoptr(GPtrArray) attempts = orch_store_attempts(store, id);
    JsonArray *list = json_array_new();
    for (guint i = 0; i < attempts->len; i++) {
        const OrchAttempt *attempt = g_ptr_array_index(attempts, i);
        JsonObject *object = json_object_new();
        json_object_set_int_member(object, "n", attempt->n);
        set_time(object, "time", attempt->time_ms);
        json_object_set_int_member(object, "duration_ms", attempt->duration_ms);
        json_object_set_int_member(object, "status", attempt->status);
        orch_json_set(object, "error", attempt->error);
        orch_json_set(object, "answer", attempt->answer);
        json_array_add_object_element(list, object);
    }
    return list;
}

/* The delivery that the path names, if it is the caller's; otherwise answers. */
static OrchDelivery *find(OrchRequest *request)
{
    g_autoptr(OrchDelivery) delivery =
        orch_store_delivery_get(orch_bots_store(request->bots), request->params[0]);
    if (delivery == NULL || delivery->account != request->key->account) {
        orch_reply_error(request, SOUP_STATUS_NOT_FOUND, "WebhookNotFound", "Webhook not found");
        return NULL;
    }
    return g_steal_pointer(&delivery);
}

static void list_deliveries(OrchRequest *request)
{
    const char *cursor = orch_request_query(request, "cursor");
    const char *bot_id = orch_request_query(request, "bot_id");
    guint64 before = 0;
    if (cursor != NULL && !g_ascii_string_to_unsigned(cursor, 10, 1, G_MAXINT64, &before, NULL)) {
        orch_reply_error(request, SOUP_STATUS_BAD_REQUEST, "InvalidParameters",
                         "cursor: is not one that an earlier answer gave");
        return;
    }
    g_autoptr(GPtrArray) deliveries = orch_store_deliveries(
        orch_bots_store(request->bots), request->key->account, bot_id, (gint64)before, PAGE + 1);
    JsonArray *list = json_array_new();
    g_autofree char *next = NULL;
    for (guint i = 0; i < deliveries->len && i < PAGE; i++) {
        const OrchDelivery *delivery = g_ptr_array_index(deliveries, i);
        json_array_add_object_element(list, make_delivery(delivery));
        if (i + 1 == PAGE && deliveries->len > PAGE) {
            next = g_strdup_printf("%" G_GINT64_FORMAT, delivery->number);
        }
    }
    JsonObject *body = json_object_new();
    json_object_set_array_member(body, "webhooks", list);
    orch_json_set(body, "next_cursor", next);
    orch_reply(request, SOUP_STATUS_OK, body);
}

static void get_delivery(OrchRequest *request)
{
    g_autoptr(OrchDelivery) delivery = find(request);
    if (delivery == NULL) {
        return;
    }
    gsize size = 0;
    const char *data = g_bytes_get_data(delivery->body, &size);
    g_autofree char *text = g_utf8_make_valid(data, (gssize)size);
    JsonObject *body = make_delivery(delivery);
    json_object_set_string_member(body, "body", text);
    json_object_set_array_member(body, "tries",
                                 make_attempts(orch_bots_store(request->bots), delivery->id));
    orch_reply(request, SOUP_STATUS_OK, body);
}

static void resend(OrchRequest *request)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OrchDelivery) delivery = find(request);
    if (delivery == NULL) {
        return;
    }
    if (orch_bots_resend(request->bots, delivery, &error)) {
        orch_reply_durable(request, SOUP_STATUS_ACCEPTED, make_delivery(delivery));
    } else {
        orch_reply_gerror(request, error);
    }
}

const OrchRoute orch_webhook_routes[] = {
    {"GET", "/webhooks", ORCH_AUTH_MBAAS, false, list_deliveries, "list_webhooks"},
    {"GET", "/webhooks/{id}", ORCH_AUTH_MBAAS, false, get_delivery, "get_webhook"},
    {"POST", "/webhooks/{id}/resend", ORCH_AUTH_MBAAS, false, resend, "resend_webhook"},
    {NULL, NULL, ORCH_AUTH_NONE, false, NULL, NULL},
};
