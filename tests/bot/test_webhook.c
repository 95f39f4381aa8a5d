/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/webhook.h"

#include <glib/gstdio.h>
#include <libsoup/soup.h>

/* A real HTTP receiver on loopback that answers as told and writes down what it got. */
typedef struct {
    SoupServer *server;
    char *url;
    char *dir;
    GPtrArray *bodies;
    GPtrArray *keys;
    guint fail_first;  /* so many are answered fail_status */
    guint fail_status; /* 0: 503 */
    guint status;      /* the others */
    guint n_requests;
    guint n_given_up;
    bool idle;
} Receiver;

static void on_request(SoupServer *server, SoupServerMessage *message, const char *path,
                       GHashTable *query, gpointer user_data)
{
    Receiver *receiver = user_data;
    receiver->n_requests++;
    if (receiver->n_requests <= receiver->fail_first) {
        soup_server_message_set_status(
            message, receiver->fail_status != 0 ? receiver->fail_status : 503, NULL);
        return;
    }
    SoupMessageBody *body = soup_server_message_get_request_body(message);
    g_ptr_array_add(receiver->bodies, g_strndup(body->data, (gsize)body->length));
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    g_ptr_array_add(receiver->keys,
                    g_strdup(soup_message_headers_get_one(headers, "x-meeting-baas-api-key")));
    if (receiver->status == 302) {
        soup_message_headers_replace(soup_server_message_get_response_headers(message), "Location",
                                     "/elsewhere");
    }
    soup_server_message_set_status(message, receiver->status, NULL);
}

static void on_given_up(const char *event, const char *reason, gpointer user_data)
{
    ((Receiver *)user_data)->n_given_up++;
}

static void on_idle(gpointer user_data)
{
    ((Receiver *)user_data)->idle = true;
}

static const BotWebhookEvents events = {on_given_up, on_idle};

static void receiver_init(Receiver *receiver)
{
    g_autoptr(GError) error = NULL;
    *receiver = (Receiver){.status = 200};
    receiver->bodies = g_ptr_array_new_with_free_func(g_free);
    receiver->keys = g_ptr_array_new_with_free_func(g_free);
    receiver->server = soup_server_new(NULL, NULL);
    soup_server_add_handler(receiver->server, NULL, on_request, receiver, NULL);
    soup_server_listen_local(receiver->server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error);
    g_assert_no_error(error);
    GSList *uris = soup_server_get_uris(receiver->server);
    receiver->url = g_uri_to_string(uris->data);
    g_slist_free_full(uris, (GDestroyNotify)g_uri_unref);
    receiver->dir = g_dir_make_tmp("steno-webhook-XXXXXX", &error);
    g_assert_no_error(error);
}

static void receiver_clear(Receiver *receiver)
{
    g_autofree char *spool = g_build_filename(receiver->dir, ".webhooks", NULL);
    (void)g_rmdir(spool);
    g_assert_cmpint(g_rmdir(receiver->dir), ==, 0);
    soup_server_disconnect(receiver->server);
    g_object_unref(receiver->server);
    g_ptr_array_unref(receiver->bodies);
    g_ptr_array_unref(receiver->keys);
    g_free(receiver->url);
    g_free(receiver->dir);
}

static BotWebhook *open_outbox(Receiver *receiver)
{
    g_autoptr(GError) error = NULL;
    BotWebhook *webhook =
        bot_webhook_new(receiver->url, "key", receiver->dir, &events, receiver, &error);
    g_assert_no_error(error);
    return webhook;
}

static void send_number(BotWebhook *webhook, int number)
{
    JsonObject *data = json_object_new();
    json_object_set_int_member(data, "n", number);
    bot_webhook_send(webhook, "bot.status_change", data);
}

static void finish(BotWebhook *webhook, Receiver *receiver, unsigned within_s)
{
    bot_webhook_finish(webhook, within_s);
    while (!receiver->idle) {
        g_main_context_iteration(NULL, TRUE);
    }
}

static void assert_order(Receiver *receiver, guint n)
{
    g_assert_cmpuint(receiver->bodies->len, ==, n);
    for (guint i = 0; i < n; i++) {
        g_autofree char *expected =
            g_strdup_printf("{\"event\":\"bot.status_change\",\"data\":{\"n\":%u}}", i);
        g_assert_cmpstr(g_ptr_array_index(receiver->bodies, i), ==, expected);
        g_assert_cmpstr(g_ptr_array_index(receiver->keys, i), ==, "key");
    }
}

static void test_arrives_in_order_with_the_key(void)
{
    Receiver receiver;
    receiver_init(&receiver);
    g_autoptr(BotWebhook) webhook = open_outbox(&receiver);
    for (int i = 0; i < 20; i++) {
        send_number(webhook, i);
    }
    finish(webhook, &receiver, 30);
    assert_order(&receiver, 20);
    g_assert_cmpuint(bot_webhook_count_undelivered(webhook), ==, 0);
    g_clear_pointer(&webhook, bot_webhook_free);
    receiver_clear(&receiver);
}

static void test_is_retried_and_later_ones_wait(void)
{
    Receiver receiver;
    receiver_init(&receiver);
    receiver.fail_first = 2;
    g_autoptr(BotWebhook) webhook = open_outbox(&receiver);
    send_number(webhook, 0);
    send_number(webhook, 1);
    finish(webhook, &receiver, 30);
    assert_order(&receiver, 2);
    g_assert_cmpuint(receiver.n_requests, ==, 4);
    g_assert_cmpuint(receiver.n_given_up, ==, 0);
    g_clear_pointer(&webhook, bot_webhook_free);
    receiver_clear(&receiver);
}

static void test_a_redirect_is_no_delivery(void)
{
    Receiver receiver;
    receiver_init(&receiver);
    receiver.status = 302;
    g_autoptr(BotWebhook) webhook = open_outbox(&receiver);
    send_number(webhook, 0);
    finish(webhook, &receiver, 1);
    g_assert_cmpuint(receiver.n_given_up, ==, 1);
    g_assert_cmpuint(bot_webhook_count_undelivered(webhook), ==, 1);
    g_clear_pointer(&webhook, bot_webhook_free);

    /* What was given up on waits in the spool, and the next worker delivers it first. */
    receiver.status = 200;
    receiver.idle = false;
    g_ptr_array_set_size(receiver.bodies, 0);
    g_ptr_array_set_size(receiver.keys, 0);
    webhook = open_outbox(&receiver);
    send_number(webhook, 1);
    finish(webhook, &receiver, 30);
    assert_order(&receiver, 2);
    g_clear_pointer(&webhook, bot_webhook_free);
    receiver_clear(&receiver);
}

static void test_a_final_answer_is_repeated_once_and_no_more(void)
{
    Receiver receiver;
    receiver_init(&receiver);
    receiver.fail_first = 2;
    receiver.fail_status = 410;
    g_autoptr(BotWebhook) webhook = open_outbox(&receiver);
    send_number(webhook, 9);
    send_number(webhook, 0);
    finish(webhook, &receiver, 30);
    assert_order(&receiver, 1); /* later ones go on */
    g_assert_cmpuint(receiver.n_requests, ==, 3);
    g_assert_cmpuint(receiver.n_given_up, ==, 1);
    g_clear_pointer(&webhook, bot_webhook_free);
    g_autofree char *path = g_build_filename(receiver.dir, ".webhooks", "00000001.json", NULL);
    g_assert_cmpint(g_unlink(path), ==, 0); /* kept for --recover */
    receiver_clear(&receiver);
}

static void test_nobody_listens(void)
{
    Receiver receiver;
    receiver_init(&receiver);
    soup_server_disconnect(receiver.server);
    g_autoptr(BotWebhook) webhook = open_outbox(&receiver);
    send_number(webhook, 0);
    finish(webhook, &receiver, 1);
    g_assert_cmpuint(receiver.n_given_up, ==, 1);
    g_autofree char *path = g_build_filename(receiver.dir, ".webhooks", "00000001.json", NULL);
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_clear_pointer(&webhook, bot_webhook_free);
    receiver_clear(&receiver);
}

/* A worker that is killed may leave what it was writing: that goes, and hides nothing. */
static void test_half_written_by_a_dead_worker(void)
{
    Receiver receiver;
    receiver_init(&receiver);
    g_autofree char *spool = g_build_filename(receiver.dir, ".webhooks", NULL);
    g_autofree char *path = g_build_filename(spool, "00000001.json.EX65Y3", NULL);
    g_assert_cmpint(g_mkdir(spool, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, "{\"event\": \"bot.stat", -1, NULL));
    g_autoptr(BotWebhook) webhook = open_outbox(&receiver);
    send_number(webhook, 0);
    finish(webhook, &receiver, 30);
    assert_order(&receiver, 1);
    g_clear_pointer(&webhook, bot_webhook_free);
    g_assert_false(g_file_test(spool, G_FILE_TEST_EXISTS));
    receiver_clear(&receiver);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/webhook/arrives_in_order_with_the_key", test_arrives_in_order_with_the_key);
    g_test_add_func("/webhook/is_retried_and_later_ones_wait", test_is_retried_and_later_ones_wait);
    g_test_add_func("/webhook/a_redirect_is_no_delivery", test_a_redirect_is_no_delivery);
    g_test_add_func("/webhook/a_final_answer_is_repeated_once_and_no_more",
                    test_a_final_answer_is_repeated_once_and_no_more);
    g_test_add_func("/webhook/nobody_listens", test_nobody_listens);
    g_test_add_func("/webhook/half_written_by_a_dead_worker", test_half_written_by_a_dead_worker);
    return g_test_run();
}
