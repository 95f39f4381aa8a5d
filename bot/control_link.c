/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/control_link.h"

#include "base/agent.h"
#include "base/backoff.h"
#include "base/proxy.h"
#include "bot/control_journal.h"

#include <libsoup/soup.h>
#include <string.h>

#define PROTOCOL "steno.control.v1"
#define FIRST_WAIT_MS 200u
#define LONGEST_WAIT_MS 5000u
#define KEEPALIVE_S 20

typedef struct {
    BotControlLink *link; /* borrowed; NULL once it is freed */
    SoupMessage *message; /* owned */
} Dialling;

struct BotControlLink {
    char *url, *token, *worker_id, *bot_id; /* owned; all but url may be NULL */
    unsigned stall_ms;
    BotControlLinkEvents events;
    gpointer user_data;
    BotControlJournal *journal;      /* owned */
    SoupSession *session;            /* owned */
    Dialling *dialling;              /* borrowed: its call owns it; NULL: not under way */
    GCancellable *cancellable;       /* owned: of the dialling */
    SoupWebsocketConnection *socket; /* owned; NULL: not connected */
    bool greeted;                    /* the last hello was answered */
    bool up;                         /* on_link(true) was told */
    bool warned, finishing;
    unsigned n_failures; /* in a row */
    guint dial_id, stall_id, drained_id;
};

static void dial(BotControlLink *link);
static void drop(BotControlLink *link, unsigned short code, const char *why);

BotControlLink *bot_control_link_new(const BotControlLinkConfig *config,
                                     const BotControlLinkEvents *events, gpointer user_data)
{
    BotControlLink *link = g_new0(BotControlLink, 1);
    link->url = g_strdup(config->url);
    link->token = g_strdup(config->token);
    link->worker_id = g_strdup(config->worker_id);
    link->stall_ms = config->stall_ms > 0 ? config->stall_ms : BOT_CONTROL_STALL_MS;
    link->events = *events;
    link->user_data = user_data;
    link->journal = bot_control_journal_new(config->journal_bytes > 0 ? config->journal_bytes
                                                                      : BOT_CONTROL_JOURNAL_BYTES);
    link->session = soup_session_new_with_options("user-agent", BASE_USER_AGENT, "proxy-resolver",
                                                  base_proxy_resolver(), NULL);
    return link;
}

/* --- what goes wrong --- */

static void warn(BotControlLink *link, const char *code, const char *message)
{
    if (!link->warned) {
        link->warned = true;
        link->events.on_warning(code, message, link->user_data);
    }
}

static gboolean on_stalled(gpointer user_data)
{
    BotControlLink *link = user_data;
    link->stall_id = 0;
    if (link->cancellable != NULL) {
        g_cancellable_cancel(link->cancellable);
    } else {
        drop(link, SOUP_WEBSOCKET_CLOSE_GOING_AWAY, "it does not acknowledge anything");
    }
    return G_SOURCE_REMOVE;
}

/* Whatever is waited for has this long from now. */
static void watch_for_stall(BotControlLink *link, bool waiting)
{
    g_clear_handle_id(&link->stall_id, g_source_remove);
    if (waiting) {
        link->stall_id = g_timeout_add(link->stall_ms, on_stalled, link);
    }
}

static gboolean on_dial_again(gpointer user_data)
{
    BotControlLink *link = user_data;
    link->dial_id = 0;
    dial(link);
    return G_SOURCE_REMOVE;
}

/* 0.2, 0.4 … 5 s, the upper half of it random: many bots come back to one orchestrator. */
static void dial_later(BotControlLink *link)
{
    guint wait_ms = base_backoff_ms(FIRST_WAIT_MS, LONGEST_WAIT_MS, link->n_failures);
    link->n_failures++;
    link->dial_id = g_timeout_add(base_backoff_spread_ms(wait_ms, 0.5, 1, g_random_double()),
                                  on_dial_again, link);
}

static void set_up(BotControlLink *link, bool up)
{
    if (link->up != up) {
        link->up = up;
        link->events.on_link(up, link->user_data);
    }
}

/* The connection is over, for whatever reason: another one is made. */
static void drop(BotControlLink *link, unsigned short code, const char *why)
{
    g_info("the control link is down: %s", why);
    watch_for_stall(link, false);
    g_signal_handlers_disconnect_by_data(link->socket, link);
    if (soup_websocket_connection_get_state(link->socket) == SOUP_WEBSOCKET_STATE_OPEN) {
        soup_websocket_connection_close(link->socket, code, NULL);
    }
    g_clear_object(&link->socket);
    link->greeted = false;
    bot_control_journal_rewind(link->journal);
    dial_later(link);
    set_up(link, false);
}

/* --- what is sent --- */

static bool is_open(BotControlLink *link)
{
    return link->socket != NULL &&
           soup_websocket_connection_get_state(link->socket) == SOUP_WEBSOCKET_STATE_OPEN;
}

static void send_events(BotControlLink *link)
{
    if (!is_open(link) || !link->greeted || link->bot_id == NULL) {
        return;
    }
    bool was_waiting = bot_control_journal_is_waiting(link->journal);
    const char *event;
    while ((event = bot_control_journal_next(link->journal)) != NULL) {
        g_autofree char *message = bot_control_event(event);
        soup_websocket_connection_send_text(link->socket, message);
    }
    if (!was_waiting) {
        watch_for_stall(link, bot_control_journal_is_waiting(link->journal));
    }
}

static void say_hello(BotControlLink *link)
{
    link->greeted = false;
    g_autofree char *hello = bot_control_hello(link->worker_id, link->bot_id,
                                               bot_control_journal_get_last_seq(link->journal));
    soup_websocket_connection_send_text(link->socket, hello);
    watch_for_stall(link, true);
}

void bot_control_link_set_bot(BotControlLink *link, const char *bot_id, const char *events_path,
                              gint64 last_seq)
{
    g_assert(link->bot_id == NULL);
    link->bot_id = g_strdup(bot_id);
    bot_control_journal_open(link->journal, events_path, last_seq);
    if (is_open(link)) {
        say_hello(link);
    }
}

void bot_control_link_send_event(BotControlLink *link, gint64 seq, const char *event)
{
    bot_control_journal_add(link->journal, seq, event);
    send_events(link);
}

void bot_control_link_send_result(BotControlLink *link, JsonObject *result)
{
    if (is_open(link)) {
        g_autofree char *message = bot_control_result(result);
        soup_websocket_connection_send_text(link->socket, message);
    }
}

/* --- what comes --- */

static gboolean on_drained(gpointer user_data)
{
    BotControlLink *link = user_data;
    link->drained_id = 0;
    if (bot_control_journal_is_empty(link->journal)) {
        link->finishing = false;
        link->events.on_drained(link->user_data);
    }
    return G_SOURCE_REMOVE;
}

static void check_drained(BotControlLink *link)
{
    if (link->finishing && link->drained_id == 0 && bot_control_journal_is_empty(link->journal)) {
        link->drained_id = g_idle_add(on_drained, link);
    }
}

static void take_ack(BotControlLink *link, gint64 seq)
{
    if (!bot_control_journal_ack(link->journal, seq)) {
        warn(link, "control_message", "The orchestrator acknowledged an event that never was.");
        drop(link, SOUP_WEBSOCKET_CLOSE_PROTOCOL_ERROR, "a wrong acknowledgement");
        return;
    }
    link->greeted = true;
    link->n_failures = 0;
    link->warned = false;
    send_events(link);
    watch_for_stall(link, bot_control_journal_is_waiting(link->journal));
    check_drained(link);
    set_up(link, true);
}

static void refuse_message(BotControlLink *link, const char *what)
{
    g_autofree char *message =
        g_strdup_printf("The orchestrator sent what is no message of %s: %s", PROTOCOL, what);
    warn(link, "control_message", message);
    drop(link, SOUP_WEBSOCKET_CLOSE_PROTOCOL_ERROR, what);
}

static void on_message(SoupWebsocketConnection *socket, int type, GBytes *bytes, gpointer user_data)
{
    BotControlLink *link = user_data;
    if (type != SOUP_WEBSOCKET_DATA_TEXT) {
        refuse_message(link, "binary data");
        return;
    }
    g_autoptr(GError) error = NULL;
    BotControlMessage message;
    gsize length;
    const char *text = g_bytes_get_data(bytes, &length);
    if (!bot_control_message_parse(text != NULL ? text : "", length, &message, &error)) {
        refuse_message(link, error->message);
        return;
    }
    switch (message.type) {
    case BOT_CONTROL_ACK:
        take_ack(link, message.seq);
        break;
    case BOT_CONTROL_COMMAND:
        link->events.on_command(message.id, message.name, message.args, link->user_data);
        break;
    }
    bot_control_message_clear(&message);
}

/* libsoup's own checks: UTF-8, framing, the largest message; it closes by itself. */
static void on_error(SoupWebsocketConnection *socket, GError *error, gpointer user_data)
{
    BotControlLink *link = user_data;
    if (error->domain == SOUP_WEBSOCKET_ERROR) {
        refuse_message(link, error->message);
    }
}

static void on_closed(SoupWebsocketConnection *socket, gpointer user_data)
{
    drop(user_data, SOUP_WEBSOCKET_CLOSE_NORMAL, "the other end closed it");
}

/* --- dialling --- */

static void refused(BotControlLink *link, guint status)
{
    g_autofree char *message = g_strdup_printf(
        "The orchestrator does not take this worker (HTTP %u): check control_url and control_token",
        status);
    warn(link, "control_refused", message);
}

static void connected(BotControlLink *link, SoupWebsocketConnection *socket)
{
    g_info("the control link is connected");
    link->socket = g_object_ref(socket);
    soup_websocket_connection_set_max_incoming_payload_size(socket, BOT_CONTROL_MAX_BYTES);
    soup_websocket_connection_set_keepalive_interval(socket, KEEPALIVE_S);
    g_signal_connect(socket, "message", G_CALLBACK(on_message), link);
    g_signal_connect(socket, "error", G_CALLBACK(on_error), link);
    g_signal_connect(socket, "closed", G_CALLBACK(on_closed), link);
    say_hello(link);
}

static void on_dialled(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autofree Dialling *dialling = user_data;
    g_autoptr(SoupMessage) message = dialling->message;
    g_autoptr(GError) error = NULL;
    g_autoptr(SoupWebsocketConnection) socket =
        soup_session_websocket_connect_finish(SOUP_SESSION(source), result, &error);
    BotControlLink *link = dialling->link;
    if (link == NULL) {
        return; /* it was freed meanwhile */
    }
    link->dialling = NULL;
    g_clear_object(&link->cancellable);
    watch_for_stall(link, false);
    if (socket != NULL) {
        connected(link, socket);
        return;
    }
    g_info("the control link can't be made: %s", error->message);
    guint status = soup_message_get_status(message);
    dial_later(link);
    if (status >= 400 && status < 500) {
        refused(link, status);
    }
}

static void dial(BotControlLink *link)
{
    Dialling *dialling = g_new0(Dialling, 1);
    dialling->link = link;
    dialling->message = soup_message_new("GET", link->url);
    if (link->token != NULL) {
        g_autofree char *value = g_strconcat("Bearer ", link->token, NULL);
        soup_message_headers_replace(soup_message_get_request_headers(dialling->message),
                                     "Authorization", value);
    }
    link->dialling = dialling;
    link->cancellable = g_cancellable_new();
    watch_for_stall(link, true);
    static char *protocols[] = {(char *)PROTOCOL, NULL};
    soup_session_websocket_connect_async(link->session, dialling->message, NULL, protocols,
                                         G_PRIORITY_DEFAULT, link->cancellable, on_dialled,
                                         dialling);
}

void bot_control_link_start(BotControlLink *link)
{
    dial(link);
}

/* --- the end --- */

void bot_control_link_finish(BotControlLink *link)
{
    link->finishing = true;
    check_drained(link);
}

bool bot_control_link_has_unacknowledged(BotControlLink *link)
{
    return !bot_control_journal_is_empty(link->journal);
}

bool bot_control_link_is_up(BotControlLink *link)
{
    return link->up;
}

void bot_control_link_free(BotControlLink *link)
{
    g_clear_handle_id(&link->dial_id, g_source_remove);
    g_clear_handle_id(&link->stall_id, g_source_remove);
    g_clear_handle_id(&link->drained_id, g_source_remove);
    if (link->dialling != NULL) {
        link->dialling->link = NULL;
        g_cancellable_cancel(link->cancellable);
    }
    g_clear_object(&link->cancellable);
    if (link->socket != NULL) {
        g_signal_handlers_disconnect_by_data(link->socket, link);
        g_object_unref(link->socket);
    }
    g_object_unref(link->session);
    bot_control_journal_free(link->journal);
    g_free(link->url);
    g_free(link->token);
    g_free(link->worker_id);
    g_free(link->bot_id);
    g_free(link);
}
