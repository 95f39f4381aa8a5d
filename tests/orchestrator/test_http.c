/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/attendee_read.h"
#include "orchestrator/json.h"
#include "orchestrator/mbaas.h"
#include "tests/orchestrator/client.h"

#include <gio/gio.h>
#include <string.h>

/* What strangers may send: wrong paths, values, bytes and amounts. */

#define MEET "\"meeting_url\":\"https://meet.google.com/abc-defg-hij\",\"bot_name\":\"Notes\""
#define UNKNOWN "00000000-0000-4000-8000-000000000000"

static void test_paths_and_methods(void)
{
    static const struct {
        const char *method, *path;
        guint status;
    } cases[] = {
        {"GET", "/health", 200},
        {"GET", "/health/", 200},
        {"POST", "/health", 405},
        {"GET", "/", 404},
        {"GET", "//bots", 404},
        {"PUT", "/bots", 405},
        {"DELETE", "/bots/" UNKNOWN, 404},
        {"DELETE", "/bots/%27%20OR%201%3D1%20--", 404},
        {"DELETE", "/bots/%2e%2e%2fsteno.db", 404},
        {"DELETE", "/bots/%00", 404},
        {"DELETE", "/bots/%ff%fe", 404},
        {"GET", "/files/../../etc/passwd", 404},
        {"GET", "/files/" UNKNOWN "/..%2f..%2fsteno.db", 403},
        {"GET", "/bots/meeting_data?bot_id=%00", 400},
        {"GET", "/bots/meeting_data?bot_id=%ff", 400},
        {"GET", "/bots/meeting_data?bot_id=x&bot_id=y", 404},
        {"GET", "/bots/webhooks", 200},
        {"GET", "/bots/webhooks/bot", 200},
        {"GET", "/bots/webhooks/calendar", 200},
    };
    Client client = {0};
    client_set_up(&client, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        client_call(&client, cases[i].method, cases[i].path, "meeting_baas", NULL);
        if (client.status != cases[i].status) {
            g_test_message("%s %s: %u", cases[i].method, cases[i].path, client.status);
            g_test_fail();
        }
    }
    client_tear_down(&client);
}

static void test_only_so_much_is_read(void)
{
    Client client = {0};
    client_set_up(&client, "{\"limits\": {\"body_bytes\": 2000, \"request_timeout_s\": 1}}");
    g_autofree char *big = g_strnfill(3000, ' ');
    client_call(&client, "POST", "/bots", "meeting_baas", big);
    g_assert_cmpuint(client.status, ==, 413);
    g_autofree char *deep = g_strnfill(1000, '[');
    g_autofree char *body = g_strconcat("{\"a\":", deep, NULL);
    client_call(&client, "POST", "/bots", "meeting_baas", body);
    g_assert_cmpuint(client.status, ==, 400);
    g_assert_cmpstr(client_string(&client, "message"), ==, "The body is nested too deep");
    GString *huge = g_string_new("POST /bots HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n"
                                 "x-meeting-baas-api-key: k\r\n\r\n");
    gsize head = huge->len;
    g_string_set_size(huge, head + 1000000);
    memset(huge->str + head, 'x', 1000000);
    GString *got = client_raw(&client, huge->str, huge->len);
    g_assert_false(g_str_has_prefix(got->str, "HTTP/1.1 2")); /* it hangs up */
    g_string_free(got, TRUE);
    g_string_free(huge, TRUE);
    client_call(&client, "GET", "/health", NULL, NULL); /* and serves on */
    g_assert_cmpuint(client.status, ==, 200);
    client_tear_down(&client);
}

static void test_connections_that_ended_do_not_count(void)
{
    Client client = {0};
    client_set_up(&client, "{\"limits\": {\"connections\": 3}}");
    for (guint i = 0; i < 20; i++) {
        client_call(&client, "GET", "/health", NULL, NULL);
        g_assert_cmpuint(client.status, ==, 200);
    }
    client_tear_down(&client);
}

static void on_socket_gone(gpointer user_data, GObject *where)
{
    (*(guint *)user_data)--;
}

static void on_request_started(SoupServer *soup, SoupServerMessage *message, gpointer user_data)
{
    guint *n_sockets = user_data;
    (*n_sockets)++;
    g_object_weak_ref(G_OBJECT(soup_server_message_get_socket(message)), on_socket_gone, n_sockets);
}

/* libsoup 3.2 keeps a reference to each. */
static void test_connections_that_ended_keep_no_memory(void)
{
    Client client = {0};
    guint n_sockets = 0;
    client_set_up(&client, NULL);
    g_signal_connect(orch_server_soup(client.server), "request-started",
                     G_CALLBACK(on_request_started), &n_sockets);
    for (guint i = 0; i < 20; i++) {
        client_call(&client, "GET", i % 2 == 0 ? "/health" : "/nothing", NULL, NULL);
    }
    GString *got = client_raw(&client, "GET\r\n\r\n", 7);
    g_string_free(got, TRUE);
    g_assert_cmpuint(n_sockets, >=, 20);
    while (n_sockets > 0) {
        g_main_context_iteration(NULL, TRUE);
    }
    client_tear_down(&client);
}

#define N_WRITES 40

/* A connection over which @request was sent; the server has not run meanwhile. */
static GSocket *send_request(Client *client, const char *request)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GSocketAddress) address =
        g_inet_socket_address_new_from_string("127.0.0.1", orch_server_port(client->server));
    GSocket *socket = g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, 0, &error);
    g_assert_no_error(error);
    g_assert_true(g_socket_connect(socket, address, NULL, &error));
    g_assert_cmpint(g_socket_send(socket, request, strlen(request), NULL, &error), >, 0);
    g_assert_no_error(error);
    return socket;
}

static guint count_answered(GPtrArray *sockets)
{
    guint n = 0;
    for (guint i = 0; i < sockets->len; i++) {
        n += (g_socket_condition_check(sockets->pdata[i], G_IO_IN) & G_IO_IN) != 0;
    }
    return n;
}

static void test_reads_overtake_writes(void)
{
    Client client = {0};
    client_set_up(&client, NULL);
    g_autofree char *write = g_strdup_printf("POST /bots HTTP/1.1\r\nHost: x\r\n"
                                             "x-meeting-baas-api-key: %s\r\n"
                                             "Content-Length: 2\r\n\r\n{}",
                                             client.fixture.key_text);
    g_autoptr(GPtrArray) writes = g_ptr_array_new_with_free_func(g_object_unref);
    for (guint i = 0; i < N_WRITES; i++) {
        g_ptr_array_add(writes, send_request(&client, write));
    }
    g_autoptr(GPtrArray) reads = g_ptr_array_new_with_free_func(g_object_unref);
    g_ptr_array_add(reads, send_request(&client, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"));
    while (count_answered(reads) == 0) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_assert_cmpuint(count_answered(writes), <, N_WRITES);
    while (count_answered(writes) < N_WRITES) {
        g_main_context_iteration(NULL, TRUE);
    }
    for (guint i = 0; i < N_WRITES; i++) {
        char answer[13] = "";
        g_assert_cmpint(g_socket_receive(writes->pdata[i], answer, 12, NULL, NULL), ==, 12);
        g_assert_cmpstr(answer, ==, "HTTP/1.1 400");
    }
    client_tear_down(&client);
}

/* Every field of a body holding every wrong thing: a sentence or an answer, never a fault. */
static void try_values(Client *client, const char *path, const char *auth,
                       const BotFieldTable *table, const char *key_field)
{
    g_autofree char *long_text = g_strnfill(20000, 'x');
    g_autofree char *long_value = g_strdup_printf("\"%s\"", long_text);
    const char *const values[] = {"null",
                                  "true",
                                  "-1",
                                  "9223372036854775807",
                                  "1e400",
                                  "\"\"",
                                  "\"\\u0000\\ud800\"",
                                  "[]",
                                  "{}",
                                  "[[{\"a\":[null]}]]",
                                  "\"'; DROP TABLE bots; --\"",
                                  "\"../../../../etc/passwd\"",
                                  "\"%s%n%s%n\"",
                                  "\"https://[::1]:99999/\"",
                                  long_value};
    guint n = 0;
    for (const BotField *field = table->fields; field->path != NULL; field++) {
        for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
            g_autoptr(JsonObject) body = orch_json_load("{" MEET "}");
            g_autofree char *unique = g_strdup_printf("try-%u", n++);
            json_object_set_string_member(body, key_field, unique);
            const char *name;
            JsonObject *parent = bot_fields_parent(body, field->path, &name);
            JsonNode *node = json_from_string(values[i], NULL);
            if (node == NULL) {
                continue;
            }
            json_object_set_member(parent, name, node);
            g_autofree char *text = orch_json_print(body);
            client_call(client, "POST", path, auth, text);
            bool taken = client->status == 200 || client->status == 201;
            bool refused = client->status == 400 || client->status == 409;
            gsize size = 0;
            const char *answer = g_bytes_get_data(client->bytes, &size);
            if ((!taken && !refused) || size == 0 ||
                g_strstr_len(answer, (gssize)size, client->fixture.dir) != NULL) {
                g_test_message("%s = %.60s: %u", field->path, values[i], client->status);
                g_test_fail();
            }
        }
    }
    g_assert_cmpuint(n, >, 300);
}

static void test_wrong_values_are_refused_or_taken(void)
{
    Client client = {0};
    client_set_up(&client, "{\"workers\": {\"queue\": 100000}}");
    try_values(&client, "/bots", "meeting_baas", &orch_mbaas_join_table, "deduplication_key");
    try_values(&client, "/api/v1/bots", "attendee", &orch_attendee_create_table,
               "deduplication_key");
    OrchBotFilter all = {.order = ORCH_ORDER_NEWEST};
    g_autoptr(GPtrArray) bots = orch_store_bots(client.fixture.store, &all);
    for (guint i = 0; i < bots->len; i++) { /* and what was taken, a worker takes, too */
        g_autoptr(GError) error = NULL;
        g_autoptr(JsonObject) document =
            orch_bots_document(client.fixture.bots, g_ptr_array_index(bots, i), &error);
        g_assert_no_error(error);
    }
    client_tear_down(&client);
}

static void test_malformed_requests_do_no_harm(void)
{
    static const char *const raws[] = {
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET /health HTTP/9.9\r\n\r\n",
        "GET /health\r\n\r\n",
        "G\xff\xfeT /health HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: x\r\n\r\n",
        "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /bots HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST /bots HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        "POST /bots HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST /bots HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\nx",
        "GET /health HTTP/1.1\r\nHost: x\r\nBroken header\r\n: empty\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\x16\x03\x01\x02\x01\x01\xfc\x03\x03",
    };
    Client client = {0};
    client_set_up(&client, "{\"limits\": {\"request_timeout_s\": 1}}");
    for (gsize i = 0; i < G_N_ELEMENTS(raws); i++) {
        g_test_message("raw %zu", i);
        GString *got = client_raw(&client, raws[i], strlen(raws[i]));
        if (strstr(got->str, " 500 ") != NULL || strstr(got->str, client.fixture.dir) != NULL) {
            g_test_message("%s: %s", raws[i], got->str);
            g_test_fail();
        }
        g_string_free(got, TRUE);
        client_call(&client, "GET", "/health", NULL, NULL);
        g_assert_cmpuint(client.status, ==, 200);
    }
    client_tear_down(&client);
}

/* --- a client that does not wait for its answer --- */

typedef struct {
    OrchCommandDone done; /* NULL: no command came */
    gpointer done_data;
} Slow;

static void on_slow_command(const char *bot_id, const char *name, JsonObject *args,
                            OrchCommandDone done, gpointer done_data, gpointer user_data)
{
    Slow *slow = user_data;
    slow->done = done;
    slow->done_data = done_data;
}

static void on_change(gpointer user_data)
{
}

static void test_an_answer_may_find_nobody(void)
{
    static const OrchWorkers workers = {on_change, on_change, on_slow_command};
    Client client = {0};
    Slow slow = {0};
    client_set_up(&client, NULL);
    orch_bots_set_workers(client.fixture.bots, &workers, &slow);
    g_autoptr(OrchBot) made = fixture_bot(&client.fixture, ORCH_API_ATTENDEE, NULL);
    fixture_event(&client.fixture, made,
                  "{\"seq\":1,\"time\":1,\"type\":\"state\",\"new\":\"joined_recording\","
                  "\"event\":\"recording_permission_granted\"}");
    g_autoptr(OrchBot) bot = fixture_reload(&client.fixture, made);
    bot->worker_pid = 1;
    g_assert_true(orch_bots_save(client.fixture.bots, bot, NULL));
    g_autofree char *raw = g_strdup_printf("POST /api/v1/bots/bot_%s/pause_recording HTTP/1.1\r\n"
                                           "Host: x\r\nAuthorization: Token %s\r\n"
                                           "Content-Length: 0\r\n\r\n",
                                           bot->id, client.fixture.key_text);
    g_autoptr(GSocketClient) dialer = g_socket_client_new();
    GSocketConnection *connection = g_socket_client_connect_to_host(
        dialer, "127.0.0.1", orch_server_port(client.server), NULL, NULL);
    g_assert_nonnull(connection);
    GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(connection));
    g_assert_true(g_output_stream_write_all(out, raw, strlen(raw), NULL, NULL, NULL));
    while (slow.done == NULL) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_assert_cmpuint(orch_server_busy(client.server), ==, 1);
    g_assert_true(g_io_stream_close(G_IO_STREAM(connection), NULL, NULL));
    g_object_unref(connection);
    client_call(&client, "GET", "/health", NULL, NULL); /* time for the server to notice */
    slow.done(NULL, slow.done_data);
    g_assert_cmpuint(orch_server_busy(client.server), ==, 0);
    client_call(&client, "GET", "/health", NULL, NULL);
    g_assert_cmpuint(client.status, ==, 200);
    orch_bots_set_workers(client.fixture.bots, NULL, NULL);
    client_tear_down(&client);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http/paths_and_methods", test_paths_and_methods);
    g_test_add_func("/http/only_so_much_is_read", test_only_so_much_is_read);
    g_test_add_func("/http/connections_that_ended_keep_no_memory",
                    test_connections_that_ended_keep_no_memory);
    g_test_add_func("/http/connections_that_ended_do_not_count",
                    test_connections_that_ended_do_not_count);
    g_test_add_func("/http/reads_overtake_writes", test_reads_overtake_writes);
    g_test_add_func("/http/wrong_values_are_refused_or_taken",
                    test_wrong_values_are_refused_or_taken);
    g_test_add_func("/http/malformed_requests_do_no_harm", test_malformed_requests_do_no_harm);
    g_test_add_func("/http/an_answer_may_find_nobody", test_an_answer_may_find_nobody);
    return g_test_run();
}
