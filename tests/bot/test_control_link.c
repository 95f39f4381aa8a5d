/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/command.h"
#include "bot/control_journal.h"
#include "bot/control_link.h"
#include "tests/held_port.h"

#include <glib/gstdio.h>
#include <libsoup/soup.h>
#include <string.h>

/* The orchestrator's end, a real WebSocket server on loopback that does what the test says. */
typedef struct {
    SoupServer *server; /* owned; NULL while it is away */
    guint port;
    SoupWebsocketConnection *socket; /* owned: the newest connection */
    GPtrArray *hellos;               /* of JsonObject */
    GPtrArray *results;              /* likewise */
    GArray *seqs;                    /* of gint64: the events as they came */
    gint64 kept;                     /* what hello is answered with, and the last ack */
    gint64 drop_at;                  /* an event with this seq breaks the connection; once */
    bool silent;                     /* never acknowledges */
    bool acks;                       /* acknowledges each event at once */
    const char *authorization;       /* expected */
    guint n_refused;
} Peer;

typedef struct {
    Peer peer;
    char *dir;
    BotEventLog *log;
    BotControlLink *link;
    BotCommands *commands;
    GPtrArray *warnings; /* of char* */
    guint n_run, n_up, n_down;
    bool drained;
    BotCommandDone late_done; /* of the command "later" */
    gpointer late_data;
} Fixture;

static void peer_send(Peer *peer, const char *text)
{
    soup_websocket_connection_send_text(peer->socket, text);
}

static void peer_ack(Peer *peer, gint64 seq)
{
    g_autofree char *text = g_strdup_printf("{\"type\":\"ack\",\"seq\":%" G_GINT64_FORMAT "}", seq);
    peer->kept = MAX(peer->kept, seq);
    peer_send(peer, text);
}

static void peer_take_event(Peer *peer, JsonObject *event)
{
    gint64 seq = json_object_get_int_member(event, "seq");
    g_array_append_val(peer->seqs, seq);
    if (seq == peer->drop_at) {
        peer->drop_at = 0;
        soup_websocket_connection_close(peer->socket, SOUP_WEBSOCKET_CLOSE_GOING_AWAY, NULL);
    } else if (peer->acks) {
        peer_ack(peer, seq);
    }
}

static void on_peer_message(SoupWebsocketConnection *socket, int type, GBytes *bytes,
                            gpointer user_data)
{
    Peer *peer = user_data;
    if (socket != peer->socket ||
        soup_websocket_connection_get_state(socket) != SOUP_WEBSOCKET_STATE_OPEN) {
        return; /* what was on its way when the connection broke is lost */
    }
    gsize length;
    const char *text = g_bytes_get_data(bytes, &length);
    g_autoptr(JsonParser) parser = json_parser_new();
    g_assert_true(json_parser_load_from_data(parser, text, (gssize)length, NULL));
    JsonObject *message = json_node_get_object(json_parser_get_root(parser));
    const char *kind = json_object_get_string_member(message, "type");
    if (strcmp(kind, "hello") == 0) {
        g_ptr_array_add(peer->hellos, json_object_ref(message));
        if (!peer->silent) {
            peer_ack(peer, peer->kept);
        }
    } else if (strcmp(kind, "event") == 0) {
        peer_take_event(peer, json_object_get_object_member(message, "event"));
    } else {
        g_assert_cmpstr(kind, ==, "result");
        g_ptr_array_add(peer->results, json_object_ref(message));
    }
}

static void on_peer_socket(SoupServer *server, SoupServerMessage *message, const char *path,
                           SoupWebsocketConnection *socket, gpointer user_data)
{
    Peer *peer = user_data;
    g_set_object(&peer->socket, socket);
    g_signal_connect(socket, "message", G_CALLBACK(on_peer_message), peer);
}

static void on_peer_request(SoupServer *server, SoupServerMessage *message, const char *path,
                            GHashTable *query, gpointer user_data)
{
    Peer *peer = user_data;
    const char *value = soup_message_headers_get_one(
        soup_server_message_get_request_headers(message), "Authorization");
    if (g_strcmp0(value, peer->authorization) != 0) {
        peer->n_refused++;
        soup_server_message_set_status(message, 401, NULL);
    }
}

static void peer_listen(Peer *peer)
{
    static char *protocols[] = {(char *)"steno.control.v1", NULL};
    g_autoptr(GError) error = NULL;
    peer->server = soup_server_new(NULL, NULL);
    soup_server_add_early_handler(peer->server, "/control", on_peer_request, peer, NULL);
    soup_server_add_websocket_handler(peer->server, "/control", NULL, protocols, on_peer_socket,
                                      peer, NULL);
    soup_server_listen_local(peer->server, peer->port, SOUP_SERVER_LISTEN_IPV4_ONLY, &error);
    g_assert_no_error(error);
}

/* As if the process died: the connections break, the port is closed. */
static void peer_die(Peer *peer)
{
    soup_server_disconnect(peer->server);
    g_clear_object(&peer->socket);
    g_clear_object(&peer->server);
}

static void on_command(const char *id, const char *name, JsonObject *args, gpointer user_data)
{
    bot_commands_take(((Fixture *)user_data)->commands, id, name, args);
}

static void on_link(bool up, gpointer user_data)
{
    Fixture *f = user_data;
    *(up ? &f->n_up : &f->n_down) += 1;
}

static void on_warning(const char *code, const char *message, gpointer user_data)
{
    g_ptr_array_add(((Fixture *)user_data)->warnings, g_strdup_printf("%s: %s", code, message));
}

static void on_drained(gpointer user_data)
{
    ((Fixture *)user_data)->drained = true;
}

static void run_command(const char *name, JsonObject *args, BotCommandDone done, gpointer done_data,
                        gpointer user_data)
{
    Fixture *f = user_data;
    f->n_run++;
    if (strcmp(name, "later") == 0) {
        f->late_done = done;
        f->late_data = done_data;
        return;
    }
    g_autoptr(GError) error = NULL;
    if (strcmp(name, "impossible") == 0) {
        error = g_error_new(BOT_SESSION_ERROR, BOT_SESSION_ERROR_STATE, "not now");
    }
    done(error, done_data);
}

static void on_result(JsonObject *result, gpointer user_data)
{
    bot_control_link_send_result(((Fixture *)user_data)->link, result);
    json_object_unref(result);
}

static void on_event(gint64 seq, const char *event, gpointer user_data)
{
    bot_control_link_send_event(((Fixture *)user_data)->link, seq, event);
}

static void emit(Fixture *f, int n)
{
    for (int i = 0; i < n; i++) {
        JsonObject *members = json_object_new();
        json_object_set_int_member(members, "at", i);
        bot_event_log_emit(f->log, "speech", members);
    }
}

static void make_link(Fixture *f, unsigned stall_ms, gsize journal_bytes)
{
    static const BotControlLinkEvents events = {on_command, on_link, on_warning, on_drained};
    g_autofree char *url = g_strdup_printf("ws://127.0.0.1:%u/control", f->peer.port);
    BotControlLinkConfig config = {url, "secret", "worker-7", stall_ms, journal_bytes};
    f->link = bot_control_link_new(&config, &events, f);
}

static void give_bot(Fixture *f)
{
    g_autofree char *path = bot_event_log_path(f->dir);
    bot_control_link_set_bot(f->link, "bot-1", path, bot_event_log_get_last_seq(f->log));
    bot_event_log_set_sink(f->log, on_event, f);
}

static void setup(Fixture *f, gconstpointer data)
{
    static const BotCommandHandler handler = {run_command, on_result, NULL};
    g_autoptr(GError) error = NULL;
    f->dir = g_dir_make_tmp("steno-control-XXXXXX", &error);
    g_assert_no_error(error);
    f->log = bot_event_log_new(f->dir, -1, &error);
    g_assert_no_error(error);
    f->warnings = g_ptr_array_new_with_free_func(g_free);
    f->commands = bot_commands_new(&handler, f);
    f->peer.hellos = g_ptr_array_new_with_free_func((GDestroyNotify)json_object_unref);
    f->peer.results = g_ptr_array_new_with_free_func((GDestroyNotify)json_object_unref);
    f->peer.seqs = g_array_new(FALSE, FALSE, sizeof(gint64));
    f->peer.acks = true;
    f->peer.authorization = "Bearer secret";
    f->peer.port = held_port();
    peer_listen(&f->peer);
}

static void teardown(Fixture *f, gconstpointer data)
{
    g_clear_pointer(&f->link, bot_control_link_free);
    bot_commands_free(f->commands);
    if (f->peer.server != NULL) {
        peer_die(&f->peer);
    }
    g_ptr_array_unref(f->peer.hellos);
    g_ptr_array_unref(f->peer.results);
    g_array_unref(f->peer.seqs);
    g_ptr_array_unref(f->warnings);
    bot_event_log_free(f->log);
    g_autofree char *path = bot_event_log_path(f->dir);
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_cmpint(g_rmdir(f->dir), ==, 0);
    g_free(f->dir);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
}

#define WAIT_FOR(condition)                                                                        \
    while (!(condition)) {                                                                         \
        g_main_context_iteration(NULL, TRUE);                                                      \
    }

static void drain(Fixture *f)
{
    bot_control_link_finish(f->link);
    WAIT_FOR(f->drained);
    g_assert_false(bot_control_link_has_unacknowledged(f->link));
}

/* Without repeats the events are 1 … n. */
static void assert_all_in_order(Peer *peer, gint64 n)
{
    gint64 last = 0;
    for (guint i = 0; i < peer->seqs->len; i++) {
        gint64 seq = g_array_index(peer->seqs, gint64, i);
        g_assert_cmpint(seq, <=, last + 1);
        last = MAX(last, seq);
    }
    g_assert_cmpint(last, ==, n);
}

static JsonObject *hello_at(Peer *peer, guint i)
{
    g_assert_cmpuint(i, <, peer->hellos->len);
    return g_ptr_array_index(peer->hellos, i);
}

static void test_hello_then_events(Fixture *f, gconstpointer data)
{
    make_link(f, 0, 0);
    give_bot(f);
    emit(f, 2); /* before there is a connection */
    bot_control_link_start(f->link);
    WAIT_FOR(bot_control_link_is_up(f->link));
    emit(f, 3);
    drain(f);
    assert_all_in_order(&f->peer, 5);
    g_assert_cmpuint(f->peer.seqs->len, ==, 5);
    g_assert_cmpuint(f->peer.hellos->len, ==, 1);
    JsonObject *hello = hello_at(&f->peer, 0);
    g_assert_cmpstr(json_object_get_string_member(hello, "worker_id"), ==, "worker-7");
    g_assert_cmpstr(json_object_get_string_member(hello, "bot_id"), ==, "bot-1");
    g_assert_cmpint(json_object_get_int_member(hello, "last_seq"), ==, 2);
    g_assert_cmpuint(f->warnings->len, ==, 0);
}

static void test_standby_says_hello_twice(Fixture *f, gconstpointer data)
{
    make_link(f, 0, 0);
    bot_control_link_start(f->link);
    WAIT_FOR(bot_control_link_is_up(f->link));
    g_assert_true(json_object_get_null_member(hello_at(&f->peer, 0), "bot_id"));
    give_bot(f);
    emit(f, 2);
    drain(f);
    g_assert_cmpuint(f->peer.hellos->len, ==, 2);
    g_assert_cmpstr(json_object_get_string_member(hello_at(&f->peer, 1), "bot_id"), ==, "bot-1");
    assert_all_in_order(&f->peer, 2);
}

static void test_no_event_before_the_answer(Fixture *f, gconstpointer data)
{
    f->peer.silent = true;
    make_link(f, 0, 0);
    give_bot(f);
    emit(f, 3);
    bot_control_link_start(f->link);
    WAIT_FOR(f->peer.hellos->len == 1);
    emit(f, 1);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    g_assert_cmpuint(f->peer.seqs->len, ==, 0);
    peer_ack(&f->peer, 2); /* it has the first two */
    drain(f);
    g_assert_cmpuint(f->peer.seqs->len, ==, 2);
    g_assert_cmpint(g_array_index(f->peer.seqs, gint64, 0), ==, 3);
}

static void test_drop_sends_the_rest_again(Fixture *f, gconstpointer data)
{
    f->peer.drop_at = 3;
    make_link(f, 0, 0);
    give_bot(f);
    bot_control_link_start(f->link);
    WAIT_FOR(bot_control_link_is_up(f->link));
    emit(f, 5);
    drain(f);
    g_assert_cmpuint(f->peer.hellos->len, ==, 2);
    g_assert_cmpint(json_object_get_int_member(hello_at(&f->peer, 1), "last_seq"), ==, 5);
    assert_all_in_order(&f->peer, 5);
    g_assert_cmpuint(f->n_down, ==, 1);
    g_assert_cmpuint(f->n_up, ==, 2);
}

static void test_restart_on_the_same_port(Fixture *f, gconstpointer data)
{
    make_link(f, 0, 0);
    give_bot(f);
    bot_control_link_start(f->link);
    WAIT_FOR(bot_control_link_is_up(f->link));
    emit(f, 2);
    WAIT_FOR(f->peer.kept == 2);
    peer_die(&f->peer);
    WAIT_FOR(f->n_down == 1);
    emit(f, 3);
    g_assert_true(bot_control_link_has_unacknowledged(f->link));
    peer_listen(&f->peer);
    drain(f);
    assert_all_in_order(&f->peer, 5);
}

static void test_late_start_of_the_orchestrator(Fixture *f, gconstpointer data)
{
    peer_die(&f->peer);
    make_link(f, 0, 0);
    give_bot(f);
    bot_control_link_start(f->link);
    emit(f, 1);
    gint64 until_us = g_get_monotonic_time() + 300 * 1000;
    WAIT_FOR(g_get_monotonic_time() > until_us);
    peer_listen(&f->peer);
    drain(f);
    assert_all_in_order(&f->peer, 1);
}

static void test_silence_breaks_the_connection(Fixture *f, gconstpointer data)
{
    f->peer.silent = true;
    make_link(f, 50, 0);
    give_bot(f);
    bot_control_link_start(f->link);
    WAIT_FOR(f->peer.hellos->len == 2);
    f->peer.silent = false;
    f->peer.acks = false; /* the hello is answered, the event is not */
    WAIT_FOR(bot_control_link_is_up(f->link));
    emit(f, 1);
    WAIT_FOR(f->n_down == 1);
    f->peer.acks = true;
    drain(f);
    assert_all_in_order(&f->peer, 1);
}

static void test_long_outage_is_bounded_in_memory(Fixture *f, gconstpointer data)
{
    peer_die(&f->peer);
    make_link(f, 0, 2000);
    give_bot(f);
    bot_control_link_start(f->link);
    emit(f, 700);
    peer_listen(&f->peer);
    WAIT_FOR(f->peer.kept > 100);
    emit(f, 300); /* while the old ones are still read back */
    drain(f);
    assert_all_in_order(&f->peer, 1000);
    g_assert_cmpuint(f->peer.seqs->len, ==, 1000);
}

static void test_takes_up_a_dead_workers_log(Fixture *f, gconstpointer data)
{
    emit(f, 10);
    g_autofree char *path = bot_event_log_path(f->dir);
    f->peer.kept = 6;
    make_link(f, 0, 0);
    give_bot(f);
    emit(f, 2);
    bot_control_link_start(f->link);
    drain(f);
    g_assert_cmpint(g_array_index(f->peer.seqs, gint64, 0), ==, 7);
    g_assert_cmpuint(f->peer.seqs->len, ==, 6);
}

static void test_commands_run_once(Fixture *f, gconstpointer data)
{
    make_link(f, 0, 0);
    give_bot(f);
    bot_control_link_start(f->link);
    WAIT_FOR(bot_control_link_is_up(f->link));
    static const char possible[] = "{\"type\":\"command\",\"id\":\"a\",\"name\":\"leave\"}";
    peer_send(&f->peer, possible);
    peer_send(&f->peer, "{\"type\":\"command\",\"id\":\"b\",\"name\":\"impossible\",\"args\":{}}");
    peer_send(&f->peer, possible);
    WAIT_FOR(f->peer.results->len == 3);
    g_assert_cmpuint(f->n_run, ==, 2);
    JsonObject *again = g_ptr_array_index(f->peer.results, 2);
    g_assert_cmpstr(json_object_get_string_member(again, "id"), ==, "a");
    g_assert_true(json_object_get_boolean_member(again, "ok"));
    JsonObject *refused = g_ptr_array_index(f->peer.results, 1);
    g_assert_false(json_object_get_boolean_member(refused, "ok"));
    JsonObject *error = json_object_get_object_member(refused, "error");
    g_assert_cmpstr(json_object_get_string_member(error, "code"), ==, "state");
    g_assert_cmpstr(json_object_get_string_member(error, "message"), ==, "not now");
}

/* The command runs while the link breaks; after that its result is told to whoever repeats it. */
static void test_result_after_a_reconnect(Fixture *f, gconstpointer data)
{
    static const char later[] = "{\"type\":\"command\",\"id\":\"c\",\"name\":\"later\"}";
    make_link(f, 0, 0);
    give_bot(f);
    bot_control_link_start(f->link);
    WAIT_FOR(bot_control_link_is_up(f->link));
    peer_send(&f->peer, later);
    WAIT_FOR(f->n_run == 1);
    peer_die(&f->peer);
    WAIT_FOR(f->n_down == 1);
    f->late_done(NULL, f->late_data);
    peer_listen(&f->peer);
    WAIT_FOR(f->n_up == 2);
    g_assert_cmpuint(f->peer.results->len, ==, 0);
    peer_send(&f->peer, later);
    WAIT_FOR(f->peer.results->len == 1);
    g_assert_cmpuint(f->n_run, ==, 1);
}

static void send_hostile(Peer *peer, const char *what)
{
    if (strcmp(what, "binary") == 0) {
        soup_websocket_connection_send_binary(peer->socket, "\x00\xff", 2);
    } else if (strcmp(what, "huge") == 0) {
        gsize length = BOT_CONTROL_MAX_BYTES + 10;
        g_autofree char *text = g_malloc(length + 1);
        memset(text, 'x', length);
        text[length] = '\0';
        soup_websocket_connection_send_text(peer->socket, text);
    } else if (strcmp(what, "deep") == 0) {
        g_autofree char *text = g_malloc0(100001);
        memset(text, '[', 100000);
        soup_websocket_connection_send_text(peer->socket, text);
    } else {
        soup_websocket_connection_send_text(peer->socket, what);
    }
}

static void test_hostile_messages(Fixture *f, gconstpointer data)
{
    make_link(f, 0, 0);
    give_bot(f);
    emit(f, 1);
    bot_control_link_start(f->link);
    WAIT_FOR(bot_control_link_is_up(f->link));
    send_hostile(&f->peer, data);
    WAIT_FOR(f->n_up == 2); /* it comes back, and goes on */
    emit(f, 1);
    drain(f);
    assert_all_in_order(&f->peer, 2);
    g_assert_cmpuint(f->warnings->len, ==, 1);
    g_assert_true(g_str_has_prefix(g_ptr_array_index(f->warnings, 0), "control_message: "));
}

static void test_refused_token(Fixture *f, gconstpointer data)
{
    f->peer.authorization = "Bearer another";
    make_link(f, 0, 0);
    give_bot(f);
    emit(f, 1);
    bot_control_link_start(f->link);
    WAIT_FOR(f->peer.n_refused == 3);
    g_assert_cmpuint(f->warnings->len, ==, 1);
    g_assert_true(g_str_has_prefix(g_ptr_array_index(f->warnings, 0), "control_refused: "));
    g_assert_null(strstr(g_ptr_array_index(f->warnings, 0), "secret"));
    f->peer.authorization = "Bearer secret";
    drain(f);
    assert_all_in_order(&f->peer, 1);
}

static void test_freed_at_any_moment(Fixture *f, gconstpointer data)
{
    for (int i = 0; i < 4; i++) {
        guint n_hellos = f->peer.hellos->len;
        make_link(f, 0, 0);
        bot_control_link_start(f->link);
        if (i == 1) {
            g_main_context_iteration(NULL, TRUE);
        } else if (i == 2) {
            WAIT_FOR(f->peer.hellos->len > n_hellos);
        } else if (i == 3) {
            WAIT_FOR(bot_control_link_is_up(f->link));
        }
        g_clear_pointer(&f->link, bot_control_link_free);
        while (g_main_context_iteration(NULL, FALSE)) {
        }
    }
    g_assert_cmpuint(f->n_down, ==, 0);
}

static void test_journal_window(void)
{
    g_autoptr(BotControlJournal) journal = bot_control_journal_new(1 << 20);
    for (gint64 seq = 1; seq <= 600; seq++) {
        bot_control_journal_add(journal, seq, "{}");
    }
    guint n = 0;
    while (bot_control_journal_next(journal) != NULL) {
        n++;
    }
    g_assert_cmpuint(n, ==, 500);
    g_assert_true(bot_control_journal_ack(journal, 10));
    g_assert_true(bot_control_journal_ack(journal, 4)); /* an old one changes nothing */
    g_assert_false(bot_control_journal_ack(journal, 601));
    for (n = 0; bot_control_journal_next(journal) != NULL; n++) {
    }
    g_assert_cmpuint(n, ==, 10);
    bot_control_journal_rewind(journal);
    g_assert_false(bot_control_journal_is_waiting(journal));
    g_assert_true(bot_control_journal_ack(journal, 600));
    g_assert_true(bot_control_journal_is_empty(journal));
    g_assert_null(bot_control_journal_next(journal));
}

static void test_messages(void)
{
    static const char *const wrong[] = {
        "",
        "[]",
        "{}",
        "{\"type\":1}",
        "{\"type\":\"ack\"}",
        "{\"type\":\"ack\",\"seq\":-1}",
        "{\"type\":\"ack\",\"seq\":1.5}",
        "{\"type\":\"command\",\"id\":\"\",\"name\":\"leave\"}",
        "{\"type\":\"command\",\"id\":\"a\"}",
        "{\"type\":\"command\",\"id\":\"a\",\"name\":\"leave\",\"args\":[]}",
        "{\"type\":\"hello\"}",
        "{\"type\":\"ack\",\"seq\":\"\xff\"}",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        BotControlMessage message;
        g_autoptr(GError) error = NULL;
        g_assert_false(bot_control_message_parse(wrong[i], strlen(wrong[i]), &message, &error));
        g_assert_error(error, BOT_CONTROL_ERROR, BOT_CONTROL_ERROR_MESSAGE);
    }
    static const char right[] =
        "{\"type\":\"command\",\"id\":\"a\",\"name\":\"speak\",\"args\":null}";
    BotControlMessage message;
    g_assert_true(bot_control_message_parse(right, strlen(right), &message, NULL));
    g_assert_cmpint(message.type, ==, BOT_CONTROL_COMMAND);
    g_assert_cmpstr(message.name, ==, "speak");
    g_assert_null(message.args);
    bot_control_message_clear(&message);
}

static void add(const char *path, void (*test)(Fixture *, gconstpointer), gconstpointer data)
{
    g_test_add(path, Fixture, data, setup, test, teardown);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/control/messages", test_messages);
    g_test_add_func("/control/journal/at_most_500_under_way", test_journal_window);
    add("/control/link/says_hello_then_sends_events", test_hello_then_events, NULL);
    add("/control/link/a_standby_says_hello_twice", test_standby_says_hello_twice, NULL);
    add("/control/link/no_event_before_hello_is_answered", test_no_event_before_the_answer, NULL);
    add("/control/link/a_drop_sends_the_rest_again", test_drop_sends_the_rest_again, NULL);
    add("/control/link/survives_a_restart_of_the_peer", test_restart_on_the_same_port, NULL);
    add("/control/link/the_peer_may_come_later", test_late_start_of_the_orchestrator, NULL);
    add("/control/link/silence_breaks_the_connection", test_silence_breaks_the_connection, NULL);
    add("/control/link/a_long_outage_is_bounded_in_memory", test_long_outage_is_bounded_in_memory,
        NULL);
    add("/control/link/takes_up_a_dead_workers_log", test_takes_up_a_dead_workers_log, NULL);
    add("/control/link/a_repeated_command_runs_once", test_commands_run_once, NULL);
    add("/control/link/a_result_is_told_again", test_result_after_a_reconnect, NULL);
    add("/control/link/hostile/garbage", test_hostile_messages, "} garbage {");
    add("/control/link/hostile/another_type", test_hostile_messages, "{\"type\":\"event\"}");
    add("/control/link/hostile/wrong_types", test_hostile_messages,
        "{\"type\":\"command\",\"id\":[1],\"name\":{}}");
    add("/control/link/hostile/future_ack", test_hostile_messages,
        "{\"type\":\"ack\",\"seq\":9007199254740993}");
    add("/control/link/hostile/deep", test_hostile_messages, "deep");
    add("/control/link/hostile/binary", test_hostile_messages, "binary");
    add("/control/link/hostile/huge", test_hostile_messages, "huge");
    add("/control/link/a_refused_token_is_told_once", test_refused_token, NULL);
    add("/control/link/freed_at_any_moment", test_freed_at_any_moment, NULL);
    return g_test_run();
}
