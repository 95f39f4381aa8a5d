/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/webhook.h"

#include "base/agent.h"
#include "base/backoff.h"
#include "base/proxy.h"
#include "bot/answer.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <libsoup/soup.h>
#include <string.h>
#include <unistd.h>

#define FIRST_WAIT_MS 1000u
#define LONGEST_WAIT_MS 60000u

struct BotWebhook {
    char *url;     /* owned */
    char *api_key; /* owned; NULL: none */
    char *spool;   /* owned: the folder */
    BotWebhookEvents events;
    gpointer user_data;
    SoupSession *session;      /* owned */
    GCancellable *cancellable; /* owned: of the request under way */
    GQueue waiting;            /* owned file names, in order */
    guint64 next_number;
    guint n_tries;     /* of the first that waits */
    bool final_before; /* its last answer was one that stays */
    guint n_given_up;
    bool under_way;
    bool finishing;
    guint retry_id, deadline_id;
};

static void send_first(BotWebhook *webhook);

static int compare_names(gconstpointer a, gconstpointer b, gpointer user_data)
{
    return strcmp(a, b);
}

static bool take_up_spool(BotWebhook *webhook, GError **error)
{
    if (g_mkdir_with_parents(webhook->spool, 0700) != 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "%s: %s", webhook->spool,
                    g_strerror(errno));
        return false;
    }
    g_autoptr(GDir) dir = g_dir_open(webhook->spool, 0, error);
    if (dir == NULL) {
        return false;
    }
    const char *name;
    while ((name = g_dir_read_name(dir)) != NULL) {
        if (g_str_has_suffix(name, ".json")) {
            g_queue_insert_sorted(&webhook->waiting, g_strdup(name), compare_names, NULL);
            webhook->next_number = MAX(webhook->next_number, g_ascii_strtoull(name, NULL, 10) + 1);
        } else { /* half written when the worker was killed: it was never to be delivered */
            g_autofree char *path = g_build_filename(webhook->spool, name, NULL);
            (void)g_unlink(path);
        }
    }
    return true;
}

BotWebhook *bot_webhook_new(const char *url, const char *api_key, const char *output_dir,
                            const BotWebhookEvents *events, gpointer user_data, GError **error)
{
    g_autoptr(BotWebhook) webhook = g_new0(BotWebhook, 1);
    webhook->url = g_strdup(url);
    webhook->api_key = g_strdup(api_key);
    webhook->spool = g_build_filename(output_dir, ".webhooks", NULL);
    webhook->events = *events;
    webhook->user_data = user_data;
    webhook->next_number = 1;
    webhook->cancellable = g_cancellable_new();
    g_queue_init(&webhook->waiting);
    webhook->session = soup_session_new_with_options("timeout", BOT_WEBHOOK_TIMEOUT_S, "user-agent",
                                                     BASE_USER_AGENT, "proxy-resolver",
                                                     base_proxy_resolver(), NULL);
    if (!take_up_spool(webhook, error)) {
        return NULL;
    }
    send_first(webhook);
    return g_steal_pointer(&webhook);
}

void bot_webhook_free(BotWebhook *webhook)
{
    g_cancellable_cancel(webhook->cancellable);
    g_clear_handle_id(&webhook->retry_id, g_source_remove);
    g_clear_handle_id(&webhook->deadline_id, g_source_remove);
    (void)g_rmdir(webhook->spool); /* only goes when it is empty */
    soup_session_abort(webhook->session);
    g_object_unref(webhook->session);
    g_object_unref(webhook->cancellable);
    g_queue_clear_full(&webhook->waiting, g_free);
    g_free(webhook->url);
    g_free(webhook->api_key);
    g_free(webhook->spool);
    g_free(webhook);
}

static void check_idle(BotWebhook *webhook)
{
    if (webhook->finishing && !webhook->under_way && webhook->waiting.length == 0) {
        webhook->finishing = false;
        g_clear_handle_id(&webhook->deadline_id, g_source_remove);
        webhook->events.on_idle(webhook->user_data);
    }
}

/* The message is done with, one way or the other. */
static void drop_first(BotWebhook *webhook, bool delivered)
{
    g_autofree char *name = g_queue_pop_head(&webhook->waiting);
    g_autofree char *path = g_build_filename(webhook->spool, name, NULL);
    if (delivered) {
        (void)g_unlink(path);
    }
    webhook->n_tries = 0;
    webhook->final_before = false;
    send_first(webhook);
    check_idle(webhook);
}

static char *event_name(const char *body)
{
    g_autoptr(JsonNode) node = json_from_string(body, NULL);
    if (node == NULL || !JSON_NODE_HOLDS_OBJECT(node)) {
        return g_strdup("unreadable");
    }
    return g_strdup(
        json_object_get_string_member_with_default(json_node_get_object(node), "event", "?"));
}

static void give_up_first(BotWebhook *webhook, const char *reason)
{
    g_autofree char *path =
        g_build_filename(webhook->spool, g_queue_peek_head(&webhook->waiting), NULL);
    g_autofree char *body = NULL;
    g_file_get_contents(path, &body, NULL, NULL);
    g_autofree char *event = event_name(body != NULL ? body : "");
    webhook->n_given_up++;
    webhook->events.on_given_up(event, reason, webhook->user_data);
    drop_first(webhook, false);
}

static gboolean on_retry(gpointer user_data)
{
    BotWebhook *webhook = user_data;
    webhook->retry_id = 0;
    send_first(webhook);
    return G_SOURCE_REMOVE;
}

/* @status: 0 when there was no answer. */
static void failed_once(BotWebhook *webhook, unsigned status, const char *reason)
{
    webhook->n_tries++;
    g_info("webhook try %u of %u failed: %s", webhook->n_tries, BOT_WEBHOOK_MAX_TRIES, reason);
    bool is_final = bot_answer_is_final(status), twice = is_final && webhook->final_before;
    webhook->final_before = is_final;
    if (twice || webhook->n_tries >= BOT_WEBHOOK_MAX_TRIES) {
        give_up_first(webhook, reason);
        return;
    }
    guint wait_ms = base_backoff_ms(FIRST_WAIT_MS, LONGEST_WAIT_MS, webhook->n_tries - 1);
    webhook->retry_id = g_timeout_add(wait_ms, on_retry, webhook);
}

typedef struct {
    BotWebhook *webhook;  /* borrowed; not touched when the request was cancelled */
    SoupMessage *message; /* owned */
} Request;

/* Reads the answer only to let the connection be used again, and never much of it. */
static void on_answer(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autofree Request *request = user_data;
    g_autoptr(SoupMessage) message = request->message;
    g_autoptr(GError) error = NULL;
    g_autoptr(GInputStream) stream = soup_session_send_finish(SOUP_SESSION(source), result, &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return;
    }
    BotWebhook *webhook = request->webhook;
    webhook->under_way = false;
    if (stream == NULL) {
        failed_once(webhook, 0, error->message);
        return;
    }
    guint status = soup_message_get_status(message);
    if (SOUP_STATUS_IS_SUCCESSFUL(status)) {
        drop_first(webhook, true);
        return;
    }
    g_autofree char *reason =
        g_strdup_printf("HTTP %u %s", status, soup_message_get_reason_phrase(message));
    failed_once(webhook, status, reason);
}

static void send_first(BotWebhook *webhook)
{
    if (webhook->under_way || webhook->retry_id != 0 || webhook->waiting.length == 0) {
        return;
    }
    g_autofree char *path =
        g_build_filename(webhook->spool, g_queue_peek_head(&webhook->waiting), NULL);
    g_autofree char *body = NULL;
    gsize length;
    g_autoptr(GError) error = NULL;
    if (!g_file_get_contents(path, &body, &length, &error)) {
        give_up_first(webhook, error->message);
        return;
    }
    SoupMessage *message = soup_message_new("POST", webhook->url);
    if (message == NULL) {
        give_up_first(webhook, "the URL can't be called");
        return;
    }
    soup_message_add_flags(message, SOUP_MESSAGE_NO_REDIRECT);
    if (webhook->api_key != NULL) {
        soup_message_headers_replace(soup_message_get_request_headers(message),
                                     "x-meeting-baas-api-key", webhook->api_key);
    }
    g_autoptr(GBytes) bytes = g_bytes_new_take(g_steal_pointer(&body), length);
    soup_message_set_request_body_from_bytes(message, "application/json", bytes);
    Request *request = g_new0(Request, 1);
    request->webhook = webhook;
    request->message = message;
    webhook->under_way = true;
    soup_session_send_async(webhook->session, message, G_PRIORITY_DEFAULT, webhook->cancellable,
                            on_answer, request);
}

void bot_webhook_send(BotWebhook *webhook, const char *event, JsonObject *data)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    JsonObject *body = json_object_new();
    json_object_set_string_member(body, "event", event);
    json_object_set_object_member(body, "data", data);
    json_node_take_object(node, body);
    g_autofree char *text = json_to_string(node, FALSE);
    char *name = g_strdup_printf("%08" G_GUINT64_FORMAT ".json", webhook->next_number++);
    g_autofree char *path = g_build_filename(webhook->spool, name, NULL);
    g_autoptr(GError) error = NULL;
    if (!g_file_set_contents_full(path, text, -1,
                                  G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                  0600, &error)) {
        webhook->n_given_up++;
        webhook->events.on_given_up(event, error->message, webhook->user_data);
        g_free(name);
        return;
    }
    g_queue_push_tail(&webhook->waiting, name);
    send_first(webhook);
}

static gboolean on_deadline(gpointer user_data)
{
    BotWebhook *webhook = user_data;
    webhook->deadline_id = 0;
    g_clear_handle_id(&webhook->retry_id, g_source_remove);
    g_cancellable_cancel(webhook->cancellable);
    webhook->under_way = true; /* nothing new is begun */
    guint n = webhook->waiting.length;
    g_autofree char *reason =
        g_strdup_printf("time is over; %u wait in %s for --recover", n, webhook->spool);
    webhook->n_given_up += n;
    g_queue_clear_full(&webhook->waiting, g_free);
    webhook->events.on_given_up("(several)", reason, webhook->user_data);
    webhook->finishing = false;
    webhook->events.on_idle(webhook->user_data);
    return G_SOURCE_REMOVE;
}

static gboolean on_finish(gpointer user_data)
{
    BotWebhook *webhook = user_data;
    webhook->deadline_id = 0;
    check_idle(webhook);
    return G_SOURCE_REMOVE;
}

void bot_webhook_finish(BotWebhook *webhook, unsigned within_s)
{
    webhook->finishing = true;
    if (!webhook->under_way && webhook->waiting.length == 0) {
        webhook->deadline_id = g_idle_add(on_finish, webhook);
        return;
    }
    g_clear_handle_id(&webhook->deadline_id, g_source_remove);
    webhook->deadline_id = g_timeout_add_seconds(within_s, on_deadline, webhook);
}

guint bot_webhook_count_undelivered(BotWebhook *webhook)
{
    return webhook->n_given_up + webhook->waiting.length;
}
