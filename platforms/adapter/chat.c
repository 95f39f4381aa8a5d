/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/adapter/chat.h"

#include "platforms/adapter/adapter.h"
#include "platforms/json.h"

#include <string.h>

#define TRY_TIMEOUT_MS 9000
#define TRY_GRACE_MS 3000 /* then its answer does not come: the page is another one */
#define TRY_AGAIN_MS 1000
#define PATIENCE_MS 60000
#define MIN_LIMIT 16 /* a field that takes less is none for messages */

typedef struct {
    GTask *task;  /* owned */
    char **parts; /* owned */
    unsigned n_sent;
    int64_t since_ms; /* of the part under way */
} Message;

/* A call to the page; it may outlive its page, then nobody answers. */
typedef struct {
    AdapterChat *chat; /* borrowed */
} Try;

struct AdapterChat {
    Adapter *adapter;    /* borrowed */
    GQueue messages;     /* of owned Message; the head is being sent */
    GQueue tries;        /* of owned Try: all that were not answered */
    Try *under_way;      /* borrowed; or NULL */
    unsigned timer;      /* the next try, or the limit of the one under way */
    unsigned page_takes; /* what a field said that it takes, or 0 */
};

static void message_free(gpointer data)
{
    Message *message = data;
    g_clear_object(&message->task);
    g_strfreev(message->parts);
    g_free(message);
}

AdapterChat *adapter_chat_new(Adapter *adapter)
{
    AdapterChat *chat = g_new0(AdapterChat, 1);
    chat->adapter = adapter;
    g_queue_init(&chat->messages);
    g_queue_init(&chat->tries);
    return chat;
}

void adapter_chat_cancel(AdapterChat *chat)
{
    g_clear_handle_id(&chat->timer, g_source_remove);
    chat->under_way = NULL;
    Message *message;
    while ((message = g_queue_pop_head(&chat->messages)) != NULL) {
        g_idle_add(adapter_return_left, g_steal_pointer(&message->task));
        message_free(message);
    }
}

void adapter_chat_free(AdapterChat *chat)
{
    adapter_chat_cancel(chat);
    g_queue_clear_full(&chat->tries, g_free);
    g_free(chat);
}

// --- parts ---

static bool is_word_end(const char *at)
{
    return *at == '\0' || g_unichar_isspace(g_utf8_get_char(at));
}

/* Whether @at may begin something of its own: no accent, no part of a joined picture. */
static bool stands_alone(const char *text, const char *at)
{
    gunichar before = at > text ? g_utf8_get_char(g_utf8_prev_char(at)) : ' ';
    gunichar c = g_utf8_get_char(at);
    return before != 0x200d && c != 0x200d && !g_unichar_ismark(c) &&
           !(c >= 0x1f3fb && c <= 0x1f3ff);
}

/* Where the first part of @text ends, which is longer than @limit. */
static const char *find_cut(const char *text, unsigned limit)
{
    const char *line = NULL, *sentence = NULL, *word = NULL, *any = NULL;
    unsigned n = 0;
    const char *at = text;
    while (*at != '\0' && n <= limit) {
        if (at > text && n > limit / 2 && *at == '\n') {
            line = at;
        }
        if (at > text && n > limit / 2 && is_word_end(at) && strchr(".!?", at[-1]) != NULL) {
            sentence = at;
        }
        word = at > text && is_word_end(at) ? at : word;
        any = at > text && stands_alone(text, at) ? at : any;
        n += g_utf8_get_char(at) > 0xffff ? 2 : 1;
        at = g_utf8_next_char(at);
    }
    return line != NULL       ? line
           : sentence != NULL ? sentence
           : word != NULL     ? word
           : any != NULL      ? any
                              : g_utf8_prev_char(at);
}

static bool is_longer(const char *text, unsigned limit)
{
    unsigned n = 0;
    for (; *text != '\0' && n <= limit; text = g_utf8_next_char(text)) {
        n += g_utf8_get_char(text) > 0xffff ? 2 : 1;
    }
    return n > limit;
}

static const char *skip_blanks(const char *text)
{
    while (g_unichar_isspace(g_utf8_get_char(text))) {
        text = g_utf8_next_char(text);
    }
    return text;
}

/* From @text up to @end, without the blanks before that. */
static char *copy_part(const char *text, const char *end)
{
    while (end > text && g_unichar_isspace(g_utf8_get_char(g_utf8_prev_char(end)))) {
        end = g_utf8_prev_char(end);
    }
    return g_strndup(text, (gsize)(end - text));
}

char **adapter_chat_split(const char *text, unsigned limit)
{
    g_autoptr(GStrvBuilder) parts = g_strv_builder_new();
    g_autofree char *whole = copy_part(text, text + strlen(text));
    const char *rest = skip_blanks(whole);
    while (limit > 0 && is_longer(rest, limit)) {
        const char *cut = find_cut(rest, limit);
        g_autofree char *part = copy_part(rest, cut);
        g_strv_builder_add(parts, part);
        rest = skip_blanks(cut);
    }
    if (*rest != '\0') {
        g_strv_builder_add(parts, rest);
    }
    return g_strv_builder_end(parts);
}

static unsigned limit_of(AdapterChat *chat)
{
    unsigned limit =
        (unsigned)platform_rules_get_number(chat->adapter->rules, "chat_limit", G_MAXINT32);
    return chat->page_takes > 0 ? MIN(limit, chat->page_takes) : limit;
}

// --- one after the other ---

static void try_later(AdapterChat *chat, unsigned ms);

/* The head is done; @problem: or not. */
static void finish_head(AdapterChat *chat, const char *problem)
{
    Message *message = g_queue_pop_head(&chat->messages);
    g_autoptr(GTask) task = g_steal_pointer(&message->task);
    g_autofree char *of = g_strdup_printf(" (%u of %u parts were sent)", message->n_sent,
                                          g_strv_length(message->parts));
    bool in_parts = message->n_sent > 0;
    message_free(message);
    if (!g_queue_is_empty(&chat->messages)) {
        ((Message *)g_queue_peek_head(&chat->messages))->since_ms = adapter_now_ms();
        try_later(chat, 1);
    }
    if (problem == NULL) {
        g_task_return_boolean(task, TRUE);
    } else {
        g_task_return_new_error(task, PLATFORM_ERROR, PLATFORM_ERROR_FAILED, "%s%s", problem,
                                in_parts ? of : "");
    }
}

/* The field takes no more than @limit: what is left of the message goes out in smaller parts. */
static bool split_again(AdapterChat *chat, int64_t limit)
{
    Message *message = g_queue_peek_head(&chat->messages);
    if (limit < MIN_LIMIT || limit >= limit_of(chat)) {
        return false;
    }
    chat->page_takes = (unsigned)limit;
    g_autoptr(GStrvBuilder) parts = g_strv_builder_new();
    for (unsigned i = 0; message->parts[i] != NULL; i++) {
        g_auto(GStrv) smaller =
            adapter_chat_split(message->parts[i], i < message->n_sent ? 0 : chat->page_takes);
        g_strv_builder_addv(parts, (const char **)smaller);
    }
    g_strfreev(message->parts);
    message->parts = g_strv_builder_end(parts);
    return true;
}

/* @problem: why the head's part does not stand in the chat, or NULL: it does. */
static void on_tried(AdapterChat *chat, const char *problem)
{
    Message *message = g_queue_peek_head(&chat->messages);
    int64_t now_ms = adapter_now_ms();
    int64_t patience_ms = platform_rules_get_number(chat->adapter->rules, "chat_ms", PATIENCE_MS);
    if (problem == NULL) {
        message->n_sent++;
        message->since_ms = now_ms;
        if (message->parts[message->n_sent] == NULL) {
            finish_head(chat, NULL);
        } else {
            try_later(chat, 1);
        }
    } else if (now_ms - message->since_ms >= patience_ms) {
        finish_head(chat, problem);
    } else {
        g_debug("the chat: %s", problem);
        try_later(chat, TRY_AGAIN_MS);
    }
}

static void on_answer(JsonNode *value, const GError *error, gpointer user_data)
{
    Try *done = user_data;
    AdapterChat *chat = done->chat;
    bool counts = chat->under_way == done;
    g_queue_remove(&chat->tries, done);
    g_free(done);
    if (!counts) {
        return;
    }
    Adapter *adapter = g_rc_box_acquire(chat->adapter);
    chat->under_way = NULL;
    g_clear_handle_id(&chat->timer, g_source_remove);
    JsonObject *object =
        value != NULL && JSON_NODE_HOLDS_OBJECT(value) ? json_node_get_object(value) : NULL;
    if (error != NULL) {
        on_tried(chat, error->message);
    } else if (object != NULL && split_again(chat, platform_json_int(object, "limit", 0))) {
        try_later(chat, 1);
    } else if (object != NULL) {
        on_tried(chat, "the chat's field takes no text of this length");
    } else {
        on_tried(chat, adapter_string_value(value));
    }
    adapter_release(adapter);
}

static gboolean on_unanswered(gpointer data)
{
    AdapterChat *chat = data;
    Adapter *adapter = g_rc_box_acquire(chat->adapter);
    chat->timer = 0;
    chat->under_way = NULL;
    on_tried(chat, "the page did not answer");
    adapter_release(adapter);
    return G_SOURCE_REMOVE;
}

static void try_now(AdapterChat *chat)
{
    Message *message = g_queue_peek_head(&chat->messages);
    g_autofree char *quoted = adapter_json_quote(message->parts[message->n_sent]);
    g_autofree char *call = g_strdup_printf("window.__steno.send_chat(%s)", quoted);
    chat->under_way = g_new0(Try, 1);
    chat->under_way->chat = chat;
    g_queue_push_tail(&chat->tries, chat->under_way);
    chat->timer = g_timeout_add(TRY_TIMEOUT_MS + TRY_GRACE_MS, on_unanswered, chat);
    browser_evaluate(page_get_browser(chat->adapter->page), call, TRY_TIMEOUT_MS, on_answer,
                     chat->under_way);
}

static gboolean on_timer(gpointer data)
{
    AdapterChat *chat = data;
    Adapter *adapter = g_rc_box_acquire(chat->adapter);
    chat->timer = 0;
    if (adapter->page == NULL || adapter->leaving || adapter->flow.phase != FLOW_PHASE_CALL) {
        on_tried(chat, "the bot is not in the meeting");
    } else {
        try_now(chat);
    }
    adapter_release(adapter);
    return G_SOURCE_REMOVE;
}

static void try_later(AdapterChat *chat, unsigned ms)
{
    g_assert(chat->timer == 0 && chat->under_way == NULL);
    chat->timer = g_timeout_add(ms, on_timer, chat);
}

void adapter_chat_send(AdapterChat *chat, const char *text, GTask *task)
{
    g_auto(GStrv) parts = adapter_chat_split(text, limit_of(chat));
    if (parts[0] == NULL) {
        g_task_return_new_error(task, PLATFORM_ERROR, PLATFORM_ERROR_FAILED,
                                "the message has nothing to read in it");
        g_object_unref(task);
        return;
    }
    Message *message = g_new0(Message, 1);
    message->task = task;
    message->parts = g_steal_pointer(&parts);
    message->since_ms = adapter_now_ms();
    g_queue_push_tail(&chat->messages, message);
    if (g_queue_get_length(&chat->messages) == 1) {
        try_later(chat, 1);
    }
}
