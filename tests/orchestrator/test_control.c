/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/control.h"
#include "orchestrator/control_message.h"
#include "orchestrator/json.h"
#include "orchestrator/secrets.h"

#include <string.h>

/* The server's end of the link against real WebSocket clients. */

#define TOKEN "worker's own token"

typedef struct {
    SoupServer *server;
    OrchControl *control;
    char *url;
    SoupSession *session;
    SoupWebsocketConnection *client; /* the newest */
    GPtrArray *received;             /* of char*: by the client */
    OrchLink *link;                  /* the one that said hello last; NULL: gone */
    char *bot_id;
    guint n_hellos, n_events, n_results, n_closed, n_client_closed;
    gint64 last_seq;
    bool dialled, last_ok;
    char *last_message;
    guint status; /* of a refused handshake */
    bool close_at_hello;
} Fixture;

static bool is_expected(const char *token_hash, gpointer user_data)
{
    g_autofree char *hash = orch_hash(TOKEN);
    return strcmp(hash, token_hash) == 0;
}

static void on_hello(OrchLink *link, const char *bot_id, gpointer user_data)
{
    Fixture *f = user_data;
    f->n_hellos++;
    g_free(f->bot_id);
    f->bot_id = g_strdup(bot_id);
    if (f->close_at_hello) {
        orch_link_close(link, "the test says so");
        return;
    }
    f->link = link;
    orch_link_ack(link, 7);
}

static void on_event(OrchLink *link, JsonObject *event, gpointer user_data)
{
    Fixture *f = user_data;
    f->n_events++;
    f->last_seq = orch_json_int(event, "seq", -1);
}

static void on_result(OrchLink *link, const char *id, bool ok, const char *code,
                      const char *message, gpointer user_data)
{
    Fixture *f = user_data;
    f->n_results++;
    f->last_ok = ok;
    g_free(f->last_message);
    f->last_message = g_strdup(message);
}

static void on_closed(OrchLink *link, gpointer user_data)
{
    Fixture *f = user_data;
    f->n_closed++;
    if (f->link == link) {
        f->link = NULL;
    }
}

static void set_up(Fixture *f, gconstpointer data)
{
    static const OrchControlEvents events = {is_expected, on_hello, on_event, on_result, on_closed};
    g_autoptr(GError) error = NULL;
    f->server = soup_server_new(NULL, NULL);
    f->control = orch_control_new(f->server, &events, f);
    soup_server_listen_local(f->server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error);
    g_assert_no_error(error);
    GSList *uris = soup_server_get_uris(f->server);
    f->url = g_strdup_printf("ws://127.0.0.1:%d%s", g_uri_get_port(uris->data), ORCH_CONTROL_PATH);
    g_slist_free_full(uris, (GDestroyNotify)g_uri_unref);
    f->session = soup_session_new();
    f->received = g_ptr_array_new_with_free_func(g_free);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    if (f->client != NULL) {
        g_signal_handlers_disconnect_by_data(f->client, f);
        g_clear_object(&f->client);
    }
    g_clear_pointer(&f->control, orch_control_free);
    soup_server_disconnect(f->server);
    g_object_unref(f->server);
    g_object_unref(f->session);
    g_ptr_array_unref(f->received);
    g_free(f->url);
    g_free(f->bot_id);
    g_free(f->last_message);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
}

#define WAIT_FOR(condition)                                                                        \
    while (!(condition)) {                                                                         \
        g_main_context_iteration(NULL, TRUE);                                                      \
    }

static void on_client_message(SoupWebsocketConnection *client, int type, GBytes *bytes,
                              gpointer user_data)
{
    Fixture *f = user_data;
    gsize length;
    const char *text = g_bytes_get_data(bytes, &length);
    g_ptr_array_add(f->received, g_strndup(text, length));
}

static void on_client_closed(SoupWebsocketConnection *client, gpointer user_data)
{
    ((Fixture *)user_data)->n_client_closed++;
}

static void on_dialled(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Fixture *f = user_data;
    g_autoptr(GError) error = NULL;
    g_clear_object(&f->client);
    f->client = soup_session_websocket_connect_finish(SOUP_SESSION(source), result, &error);
    f->dialled = true;
}

static void dial(Fixture *f, const char *token)
{
    static char *protocols[] = {(char *)"steno.control.v1", NULL};
    g_autoptr(SoupMessage) message = soup_message_new("GET", f->url);
    if (token != NULL) {
        g_autofree char *value = g_strconcat("Bearer ", token, NULL);
        soup_message_headers_replace(soup_message_get_request_headers(message), "Authorization",
                                     value);
    }
    f->dialled = false;
    soup_session_websocket_connect_async(f->session, message, NULL, protocols, G_PRIORITY_DEFAULT,
                                         NULL, on_dialled, f);
    WAIT_FOR(f->dialled);
    f->status = soup_message_get_status(message);
    if (f->client != NULL) {
        g_signal_connect(f->client, "message", G_CALLBACK(on_client_message), f);
        g_signal_connect(f->client, "closed", G_CALLBACK(on_client_closed), f);
    }
}

static void say(Fixture *f, const char *text)
{
    soup_websocket_connection_send_text(f->client, text);
}

static void test_a_whole_talk(Fixture *f, gconstpointer data)
{
    dial(f, TOKEN);
    g_assert_nonnull(f->client);
    say(f, "{\"type\":\"hello\",\"bot_id\":null,\"last_seq\":0}");
    WAIT_FOR(f->received->len == 1);
    g_assert_cmpstr(g_ptr_array_index(f->received, 0), ==, "{\"type\":\"ack\",\"seq\":7}");
    g_assert_null(f->bot_id);
    g_autoptr(JsonObject) args = orch_json_load("{\"message\":\"hi\"}");
    orch_link_command(f->link, "c1", "send_chat_message", args);
    WAIT_FOR(f->received->len == 2);
    g_assert_cmpstr(g_ptr_array_index(f->received, 1), ==,
                    "{\"type\":\"command\",\"id\":\"c1\",\"name\":\"send_chat_message\","
                    "\"args\":{\"message\":\"hi\"}}");
    say(f, "{\"type\":\"result\",\"id\":\"c1\",\"ok\":false,\"error\":{\"code\":\"state\","
           "\"message\":\"not now\"}}");
    WAIT_FOR(f->n_results == 1);
    g_assert_false(f->last_ok);
    g_assert_cmpstr(f->last_message, ==, "not now");
    say(f, "{\"type\":\"hello\",\"bot_id\":\"bot-1\",\"last_seq\":0}");
    say(f, "{\"type\":\"event\",\"event\":{\"type\":\"state\",\"seq\":1}}");
    WAIT_FOR(f->n_events == 1);
    g_assert_cmpstr(f->bot_id, ==, "bot-1");
    g_assert_cmpint(f->last_seq, ==, 1);
    soup_websocket_connection_close(f->client, SOUP_WEBSOCKET_CLOSE_NORMAL, NULL);
    WAIT_FOR(f->n_closed == 1);
}

static void test_strangers_are_refused(Fixture *f, gconstpointer data)
{
    static const char *const tokens[] = {"wrong", "", NULL};
    for (gsize i = 0; i < G_N_ELEMENTS(tokens); i++) {
        dial(f, tokens[i]);
        g_assert_null(f->client);
        g_assert_cmpuint(f->status, ==, 401);
    }
    g_assert_cmpuint(f->n_hellos, ==, 0);
}

static void test_hostile_workers(Fixture *f, gconstpointer data)
{
    dial(f, TOKEN);
    say(f, "{\"type\":\"hello\",\"bot_id\":\"bot-1\",\"last_seq\":0}");
    WAIT_FOR(f->n_hellos == 1);
    if (strcmp(data, "huge") == 0) {
        g_autofree char *text = g_malloc(ORCH_CONTROL_MAX_BYTES + 2);
        memset(text, 'x', ORCH_CONTROL_MAX_BYTES + 1);
        text[ORCH_CONTROL_MAX_BYTES + 1] = '\0';
        say(f, text);
    } else if (strcmp(data, "binary") == 0) {
        soup_websocket_connection_send_binary(f->client, "\x00\x01", 2);
    } else {
        say(f, data);
    }
    WAIT_FOR(f->n_closed == 1 && f->n_client_closed == 1);
    g_assert_cmpuint(f->n_events, ==, 0);
    dial(f, TOKEN); /* and may come again */
    g_assert_nonnull(f->client);
}

static void test_the_newest_connection_counts(Fixture *f, gconstpointer data)
{
    dial(f, TOKEN);
    g_autoptr(SoupWebsocketConnection) first = g_object_ref(f->client);
    say(f, "{\"type\":\"hello\",\"bot_id\":\"bot-1\",\"last_seq\":0}");
    WAIT_FOR(f->n_hellos == 1);
    dial(f, TOKEN);
    WAIT_FOR(f->n_closed == 1);
    say(f, "{\"type\":\"hello\",\"bot_id\":\"bot-1\",\"last_seq\":0}");
    WAIT_FOR(f->n_hellos == 2 && f->n_client_closed == 1);
    g_assert_nonnull(f->link);
    g_signal_handlers_disconnect_by_data(first, f);
}

static void test_closed_inside_hello(Fixture *f, gconstpointer data)
{
    f->close_at_hello = true;
    dial(f, TOKEN);
    say(f, "{\"type\":\"hello\",\"bot_id\":\"bot-1\",\"last_seq\":0}");
    WAIT_FOR(f->n_client_closed == 1);
    g_assert_cmpuint(f->n_closed, ==, 0); /* we did it ourselves */
}

static void add(const char *path, void (*test)(Fixture *, gconstpointer), gconstpointer data)
{
    g_test_add(path, Fixture, data, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/control/a_whole_talk", test_a_whole_talk, NULL);
    add("/control/strangers_are_refused", test_strangers_are_refused, NULL);
    add("/control/the_newest_connection_counts", test_the_newest_connection_counts, NULL);
    add("/control/closed_inside_hello", test_closed_inside_hello, NULL);
    add("/control/hostile/garbage", test_hostile_workers, "][");
    add("/control/hostile/no_type", test_hostile_workers, "{}");
    add("/control/hostile/no_seq", test_hostile_workers,
        "{\"type\":\"event\",\"event\":{\"type\":\"x\"}}");
    add("/control/hostile/event_is_no_object", test_hostile_workers,
        "{\"type\":\"event\",\"event\":[1]}");
    add("/control/hostile/result_without_id", test_hostile_workers, "{\"type\":\"result\"}");
    add("/control/hostile/event_without_bot", test_hostile_workers,
        "{\"type\":\"hello\",\"bot_id\":17,\"last_seq\":0}");
    add("/control/hostile/binary", test_hostile_workers, "binary");
    add("/control/hostile/huge", test_hostile_workers, "huge");
    return g_test_run();
}
