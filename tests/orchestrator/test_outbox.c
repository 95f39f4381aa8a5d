/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/delivery.h"
#include "orchestrator/json.h"
#include "orchestrator/keys.h"
#include "orchestrator/outbox.h"
#include "tests/held_port.h"
#include "tests/orchestrator/fixture.h"

#include <string.h>

/* A real HTTP receiver on loopback that answers as told. */
typedef struct {
    SoupServer *server;
    guint port;
    GPtrArray *bodies;  /* of char*, as they came */
    GPtrArray *headers; /* of GHashTable */
    guint fail_first;   /* so many are answered fail_status */
    guint fail_status;  /* 0: 503 */
    guint status;       /* the others */
    guint n_requests;
    bool hangs;
} Receiver;

typedef struct {
    Fixture base;
    Receiver receiver;
    OrchOutbox *outbox;
} World;

static const guint quick_retries[] = {0, 0, 0};

static void keep_header(const char *name, const char *value, gpointer user_data)
{
    g_hash_table_insert(user_data, g_ascii_strdown(name, -1), g_strdup(value));
}

static void on_request(SoupServer *server, SoupServerMessage *message, const char *path,
                       GHashTable *query, gpointer user_data)
{
    Receiver *receiver = user_data;
    receiver->n_requests++;
    if (receiver->hangs) {
        soup_server_message_pause(message);
        return;
    }
    if (receiver->n_requests <= receiver->fail_first) {
        soup_server_message_set_status(
            message, receiver->fail_status != 0 ? receiver->fail_status : 503, NULL);
        soup_server_message_set_response(message, "text/plain", SOUP_MEMORY_STATIC, "busy\xff", 5);
        return;
    }
    SoupMessageBody *body = soup_server_message_get_request_body(message);
    g_ptr_array_add(receiver->bodies, g_strndup(body->data, (gsize)body->length));
    GHashTable *headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    soup_message_headers_foreach(soup_server_message_get_request_headers(message), keep_header,
                                 headers);
    g_ptr_array_add(receiver->headers, headers);
    if (receiver->status == 307) {
        soup_message_headers_replace(soup_server_message_get_response_headers(message), "Location",
                                     "/elsewhere");
    }
    soup_server_message_set_status(message, receiver->status, NULL);
}

static void listen_now(Receiver *receiver)
{
    g_autoptr(GError) error = NULL;
    receiver->server = soup_server_new(NULL, NULL);
    soup_server_add_handler(receiver->server, NULL, on_request, receiver, NULL);
    soup_server_listen_local(receiver->server, receiver->port, SOUP_SERVER_LISTEN_IPV4_ONLY,
                             &error);
    g_assert_no_error(error);
}

static void hang_up(Receiver *receiver)
{
    soup_server_disconnect(receiver->server);
    g_clear_object(&receiver->server);
}

static void open_outbox_with(World *world, const guint *retry_s, guint n, bool allow_private)
{
    OrchOutboxConfig config = {.store = world->base.store,
                               .secrets = world->base.secrets,
                               .retry_s = retry_s,
                               .n_retries = n,
                               .allow_private = allow_private,
                               .try_ms = world->receiver.hangs ? 100 : 5000};
    world->outbox = orch_outbox_new(&config);
}

static void open_outbox(World *world)
{
    open_outbox_with(world, quick_retries, G_N_ELEMENTS(quick_retries), true);
}

static void set_up(World *world, gconstpointer data)
{
    fixture_set_up(&world->base, NULL);
    world->receiver.status = 200;
    world->receiver.bodies = g_ptr_array_new_with_free_func(g_free);
    world->receiver.headers = g_ptr_array_new_with_free_func((GDestroyNotify)g_hash_table_unref);
    world->receiver.port = held_port();
    listen_now(&world->receiver);
}

static void tear_down(World *world, gconstpointer data)
{
    g_clear_pointer(&world->outbox, orch_outbox_free);
    if (world->receiver.server != NULL) {
        hang_up(&world->receiver);
    }
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    fixture_tear_down(&world->base);
    g_ptr_array_unref(world->receiver.bodies);
    g_ptr_array_unref(world->receiver.headers);
}

/* Returns (transfer full): its id. */
static char *queue(World *world, const char *bot_id, OrchApi kind, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OrchDelivery) delivery = orch_delivery_new();
    delivery->id = g_uuid_string_random();
    delivery->account = world->base.key->account;
    delivery->bot_id = g_strdup(bot_id);
    delivery->key_id = g_strdup(world->base.key->id);
    delivery->kind = kind;
    delivery->trigger = g_strdup("bot.status_change");
    delivery->url = g_strdup_printf("http://127.0.0.1:%u/hook", world->receiver.port);
    delivery->body = g_bytes_new(text, strlen(text));
    delivery->created_ms = delivery->next_attempt_ms = orch_now_ms();
    g_assert_true(orch_store_delivery_insert(world->base.store, delivery, &error));
    g_assert_no_error(error);
    if (world->outbox != NULL) {
        orch_outbox_wake(world->outbox);
    }
    return g_strdup(delivery->id);
}

static void queue_numbers(World *world, const char *bot_id, int n)
{
    for (int i = 0; i < n; i++) {
        g_autofree char *text = g_strdup_printf("{\"bot\":\"%s\",\"n\":%d}", bot_id, i);
        g_autofree char *id = queue(world, bot_id, ORCH_API_MBAAS, text);
    }
}

#define WAIT_FOR(condition)                                                                        \
    while (!(condition)) {                                                                         \
        g_main_context_iteration(NULL, TRUE);                                                      \
    }

static gint64 state_of(World *world, const char *id)
{
    g_autoptr(OrchDelivery) delivery = orch_store_delivery_get(world->base.store, id);
    return delivery->state;
}

/* What came of one bot is 0 … n - 1, in order. */
static void assert_order(Receiver *receiver, const char *bot_id, gint64 n)
{
    gint64 next = 0;
    for (guint i = 0; i < receiver->bodies->len; i++) {
        g_autoptr(JsonObject) body = orch_json_load(g_ptr_array_index(receiver->bodies, i));
        if (strcmp(orch_json_string(body, "bot"), bot_id) == 0) {
            g_assert_cmpint(orch_json_int(body, "n", -1), ==, next);
            next++;
        }
    }
    g_assert_cmpint(next, ==, n);
}

static void test_in_order(World *world, gconstpointer data)
{
    open_outbox(world);
    queue_numbers(world, "a", 10);
    queue_numbers(world, "b", 10);
    WAIT_FOR(world->receiver.bodies->len == 20);
    assert_order(&world->receiver, "a", 10);
    assert_order(&world->receiver, "b", 10);
}

static void test_retries_keep_order(World *world, gconstpointer data)
{
    world->receiver.fail_first = 2;
    open_outbox(world);
    g_autofree char *id = queue(world, "a", ORCH_API_MBAAS, "{\"bot\":\"a\",\"n\":0}");
    g_autofree char *second = queue(world, "a", ORCH_API_MBAAS, "{\"bot\":\"a\",\"n\":1}");
    WAIT_FOR(world->receiver.bodies->len == 2);
    assert_order(&world->receiver, "a", 2);
    WAIT_FOR(state_of(world, second) == ORCH_DELIVERY_DELIVERED);
    g_autoptr(GPtrArray) attempts = orch_store_attempts(world->base.store, id);
    g_assert_cmpuint(attempts->len, ==, 3);
    const OrchAttempt *failed = g_ptr_array_index(attempts, 0);
    g_assert_cmpint(failed->status, ==, 503);
    g_assert_cmpstr(failed->answer, ==, "busy\xef\xbf\xbd");
    g_assert_nonnull(failed->error);
    const OrchAttempt *last = g_ptr_array_index(attempts, 2);
    g_assert_cmpint(last->status, ==, 200);
    g_assert_null(last->error);
}

static void look_again(gpointer user_data)
{
}

static void webhooks_queued(gpointer user_data)
{
    orch_outbox_wake(((World *)user_data)->outbox);
}

/* As the API asks for it. */
static void send_again(World *world, const char *id)
{
    static const OrchWorkers workers = {look_again, webhooks_queued, NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(OrchDelivery) delivery = orch_store_delivery_get(world->base.store, id);
    orch_bots_set_workers(world->base.bots, &workers, world);
    g_assert_true(orch_bots_resend(world->base.bots, delivery, &error));
    g_assert_no_error(error);
}

static void test_parked_then_sent_again(World *world, gconstpointer data)
{
    world->receiver.fail_first = 4;
    open_outbox(world);
    g_autofree char *id = queue(world, "a", ORCH_API_MBAAS, "{\"bot\":\"a\",\"n\":1}");
    g_autofree char *next = queue(world, "a", ORCH_API_MBAAS, "{\"bot\":\"a\",\"n\":0}");
    WAIT_FOR(state_of(world, next) == ORCH_DELIVERY_DELIVERED);
    g_assert_cmpint(state_of(world, id), ==, ORCH_DELIVERY_PARKED);
    g_autoptr(OrchDelivery) parked = orch_store_delivery_get(world->base.store, id);
    g_assert_cmpint(parked->n_attempts, ==, 4);
    send_again(world, id);
    WAIT_FOR(state_of(world, id) == ORCH_DELIVERY_DELIVERED);
    send_again(world, next); /* one that was delivered: the same bytes once more */
    WAIT_FOR(world->receiver.bodies->len == 3);
    g_assert_cmpstr(world->receiver.bodies->pdata[0], ==, world->receiver.bodies->pdata[2]);
}

/* Who says "gone" will say so in two hours, too: asked once more, and the bot's next one goes. */
static void test_final_answers_are_final(World *world, gconstpointer data)
{
    static const guint statuses[] = {400, 401, 403, 404, 410, 422, 308};
    const guint slow[] = {0, 3600};
    open_outbox_with(world, slow, G_N_ELEMENTS(slow), true);
    for (gsize i = 0; i < G_N_ELEMENTS(statuses); i++) {
        world->receiver.fail_first = world->receiver.n_requests + 2;
        world->receiver.fail_status = statuses[i];
        g_autofree char *id = queue(world, "a", ORCH_API_MBAAS, "{\"bot\":\"a\",\"n\":9}");
        g_autofree char *next = queue(world, "a", ORCH_API_MBAAS, "{\"bot\":\"a\",\"n\":0}");
        WAIT_FOR(state_of(world, next) == ORCH_DELIVERY_DELIVERED);
        g_assert_cmpint(state_of(world, id), ==, ORCH_DELIVERY_PARKED);
        g_autoptr(GPtrArray) attempts = orch_store_attempts(world->base.store, id);
        g_assert_cmpuint(attempts->len, ==, 2);
    }
}

/* "Too early", "too many", "time is over": the receiver asks for another try. */
static void test_passing_answers_are_not(World *world, gconstpointer data)
{
    static const guint statuses[] = {408, 425, 429, 500, 503, 302};
    open_outbox(world);
    for (gsize i = 0; i < G_N_ELEMENTS(statuses); i++) {
        world->receiver.fail_first = world->receiver.n_requests + 3;
        world->receiver.fail_status = statuses[i];
        g_autofree char *id = queue(world, "a", ORCH_API_MBAAS, "{\"bot\":\"a\",\"n\":0}");
        WAIT_FOR(state_of(world, id) == ORCH_DELIVERY_DELIVERED);
        g_autoptr(GPtrArray) attempts = orch_store_attempts(world->base.store, id);
        g_assert_cmpuint(attempts->len, ==, 4);
    }
}

static void test_no_url_is_not_tried_again(World *world, gconstpointer data)
{
    const guint slow[] = {3600};
    g_autoptr(OrchDelivery) delivery = orch_delivery_new();
    delivery->id = g_uuid_string_random();
    delivery->account = world->base.key->account;
    delivery->bot_id = g_strdup("a");
    delivery->trigger = g_strdup("bot.status_change");
    delivery->url = g_strdup("gopher://example.org/");
    delivery->body = g_bytes_new("{}", 2);
    delivery->created_ms = delivery->next_attempt_ms = orch_now_ms();
    g_assert_true(orch_store_delivery_insert(world->base.store, delivery, NULL));
    open_outbox_with(world, slow, G_N_ELEMENTS(slow), true);
    WAIT_FOR(state_of(world, delivery->id) == ORCH_DELIVERY_PARKED);
}

static void test_redirect_is_no_delivery(World *world, gconstpointer data)
{
    world->receiver.status = 307;
    open_outbox_with(world, NULL, 0, true);
    g_autofree char *id = queue(world, "a", ORCH_API_MBAAS, "{}");
    WAIT_FOR(state_of(world, id) == ORCH_DELIVERY_PARKED);
    g_assert_cmpuint(world->receiver.n_requests, ==, 1);
    g_autoptr(OrchDelivery) delivery = orch_store_delivery_get(world->base.store, id);
    g_assert_nonnull(strstr(delivery->last_error, "redirects are not followed"));
}

static void test_slow_receiver(World *world, gconstpointer data)
{
    world->receiver.hangs = true;
    open_outbox_with(world, NULL, 0, true);
    g_autofree char *id = queue(world, "a", ORCH_API_MBAAS, "{}");
    WAIT_FOR(state_of(world, id) == ORCH_DELIVERY_PARKED);
    g_autoptr(OrchDelivery) delivery = orch_store_delivery_get(world->base.store, id);
    g_assert_nonnull(strstr(delivery->last_error, "no answer within 100 ms"));
    g_assert_cmpint(delivery->last_status, ==, 0);
}

/* By address, by name, and inside an IPv6 address. */
static void test_private_targets(World *world, gconstpointer data)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]"};
    open_outbox_with(world, NULL, 0, false);
    for (gsize i = 0; i < G_N_ELEMENTS(hosts); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(OrchDelivery) delivery = orch_delivery_new();
        delivery->id = g_uuid_string_random();
        delivery->account = world->base.key->account;
        delivery->bot_id = g_strdup("a");
        delivery->trigger = g_strdup("x");
        delivery->url = g_strdup_printf("http://%s:%u/hook", hosts[i], world->receiver.port);
        delivery->body = g_bytes_new_static("{}", 2);
        g_assert_true(orch_store_delivery_insert(world->base.store, delivery, &error));
        orch_outbox_wake(world->outbox);
        WAIT_FOR(state_of(world, delivery->id) == ORCH_DELIVERY_PARKED);
        g_autoptr(OrchDelivery) done = orch_store_delivery_get(world->base.store, delivery->id);
        g_assert_nonnull(strstr(done->last_error, "private network"));
    }
    g_assert_cmpuint(world->receiver.n_requests, ==, 0);
}

static void test_goes_on_after_a_restart(World *world, gconstpointer data)
{
    guint port = world->receiver.port;
    hang_up(&world->receiver);
    open_outbox(world);
    queue_numbers(world, "a", 3);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    orch_outbox_free(world->outbox);
    world->outbox = NULL;
    g_assert_true(orch_store_commit(world->base.store, NULL));
    fixture_reopen(&world->base);
    world->receiver.port = port;
    listen_now(&world->receiver);
    open_outbox(world);
    WAIT_FOR(world->receiver.bodies->len == 3);
    assert_order(&world->receiver, "a", 3);
}

static char *hmac_of(const char *key_base64, const char *text)
{
    gsize length;
    g_autofree guchar *key = g_base64_decode(key_base64, &length);
    g_autoptr(GHmac) hmac = g_hmac_new(G_CHECKSUM_SHA256, key, length);
    g_hmac_update(hmac, (const guchar *)text, (gssize)strlen(text));
    guint8 digest[32];
    gsize size = sizeof digest;
    g_hmac_get_digest(hmac, digest, &size);
    return g_base64_encode(digest, size);
}

static void test_signatures(World *world, gconstpointer data)
{
    static const char text[] = "{\"b\":\"\xc3\xa9\",\"a\":1}";
    static const char canonical[] = "{\"a\":1,\"b\":\"\xc3\xa9\"}";
    g_autoptr(OrchAccount) account =
        orch_store_account_get(world->base.store, world->base.key->account);
    g_autofree char *secret = orch_secrets_open(world->base.secrets, account->sealed_secret);
    open_outbox(world);
    g_autofree char *first = queue(world, "a", ORCH_API_MBAAS, text);
    g_autofree char *second = queue(world, "a", ORCH_API_ATTENDEE, text);
    g_autofree char *third = queue(world, "a", ORCH_API_CRONOFY, text);
    WAIT_FOR(world->receiver.headers->len == 3);
    GHashTable *headers = g_ptr_array_index(world->receiver.headers, 0);
    g_assert_cmpstr(g_hash_table_lookup(headers, "x-meeting-baas-api-key"), ==,
                    world->base.key_text);
    g_assert_cmpstr(g_hash_table_lookup(headers, "webhook-id"), ==, first);
    g_autofree char *signed_text = g_strdup_printf(
        "%s.%s.%s", first, (char *)g_hash_table_lookup(headers, "webhook-timestamp"), text);
    g_autofree char *signature = hmac_of(secret, signed_text);
    g_autofree char *expected = g_strconcat("v1,", signature, NULL);
    g_assert_cmpstr(g_hash_table_lookup(headers, "webhook-signature"), ==, expected);
    headers = g_ptr_array_index(world->receiver.headers, 1);
    g_autofree char *attendee = hmac_of(secret, canonical);
    g_assert_cmpstr(g_hash_table_lookup(headers, "x-webhook-signature"), ==, attendee);
    g_assert_null(g_hash_table_lookup(headers, "x-meeting-baas-api-key"));
    headers = g_ptr_array_index(world->receiver.headers, 2);
    g_autofree char *cronofy_key = g_base64_encode((const guchar *)secret, strlen(secret));
    g_autofree char *cronofy = hmac_of(cronofy_key, text);
    g_assert_cmpstr(g_hash_table_lookup(headers, "cronofy-hmac-sha256"), ==, cronofy);
    for (guint i = 0; i < 3; i++) {
        g_assert_cmpstr(g_ptr_array_index(world->receiver.bodies, i), ==, text);
    }
}

static void test_retry_times(void)
{
    static const guint retry_s[] = {5, 10, 300};
    g_assert_cmpint(orch_outbox_retry_ms(retry_s, 3, 1, 0.0), ==, 4000);
    g_assert_cmpint(orch_outbox_retry_ms(retry_s, 3, 1, 1.0), ==, 6000);
    g_assert_cmpint(orch_outbox_retry_ms(retry_s, 3, 3, 0.5), ==, 300000);
    g_assert_cmpint(orch_outbox_retry_ms(retry_s, 3, 4, 0.5), ==, -1);
    g_assert_cmpint(orch_outbox_retry_ms(NULL, 0, 1, 0.5), ==, -1);
}

static void add(const char *path, void (*test)(World *, gconstpointer))
{
    g_test_add(path, World, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/outbox/retry_times", test_retry_times);
    add("/outbox/one_bots_arrive_in_order", test_in_order);
    add("/outbox/retries_keep_the_order", test_retries_keep_order);
    add("/outbox/parked_then_sent_again", test_parked_then_sent_again);
    add("/outbox/a_redirect_is_no_delivery", test_redirect_is_no_delivery);
    add("/outbox/final_answers_are_final", test_final_answers_are_final);
    add("/outbox/passing_answers_are_not", test_passing_answers_are_not);
    add("/outbox/no_url_is_not_tried_again", test_no_url_is_not_tried_again);
    add("/outbox/a_slow_receiver_is_given_up_on", test_slow_receiver);
    add("/outbox/private_targets_are_refused", test_private_targets);
    add("/outbox/goes_on_after_a_restart", test_goes_on_after_a_restart);
    add("/outbox/signatures", test_signatures);
    return g_test_run();
}
