/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/browser/pipe.h"

#include "platforms/json.h"
#include "platforms/platform.h"

#include <glib-unix.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MAX_OUTGOING_BYTES (16u << 20)
#define MAX_QUEUED_BYTES (64u << 20)
#define MAX_INCOMING_BYTES (64u << 20)
#define READ_BYTES (64u << 10)
#define READS_PER_TURN 16 /* so that a flood leaves the main loop its turns */

typedef struct {
    BrowserPipe *pipe; /* borrowed */
    unsigned id;
    unsigned timer;
    char *method; /* owned */
    BrowserReply reply;
    gpointer user_data;
} Call;

struct BrowserPipe {
    BrowserPipeEvents events;
    gpointer user_data;
    int read_fd, write_fd;
    unsigned read_source, write_source, fail_source;
    unsigned next_id;
    GHashTable *calls;   /* owned: id -> owned Call */
    GQueue outgoing;     /* of owned GBytes */
    size_t outgoing_pos; /* bytes of the first one already written */
    size_t queued_bytes;
    GByteArray *incoming; /* owned */
    size_t scanned;       /* bytes of incoming known to hold no NUL */
    GError *failure;      /* owned: set once the pipe is broken */
    bool freed;
};

static void call_free(gpointer data)
{
    Call *call = data;
    g_clear_handle_id(&call->timer, g_source_remove);
    g_free(call->method);
    g_free(call);
}

static void pipe_clear(gpointer data)
{
    BrowserPipe *pipe = data;
    g_hash_table_unref(pipe->calls);
    g_queue_clear_full(&pipe->outgoing, (GDestroyNotify)g_bytes_unref);
    g_byte_array_unref(pipe->incoming);
    g_clear_error(&pipe->failure);
}

static void pipe_release(BrowserPipe *pipe)
{
    g_rc_box_release_full(pipe, pipe_clear);
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

static void close_ends(BrowserPipe *pipe)
{
    g_clear_handle_id(&pipe->read_source, g_source_remove);
    g_clear_handle_id(&pipe->write_source, g_source_remove);
    close_fd(&pipe->read_fd);
    close_fd(&pipe->write_fd);
}

/* The caller holds a reference: the reply may free the pipe. */
static void finish_call(BrowserPipe *pipe, Call *call, JsonObject *result, const GError *error)
{
    BrowserReply reply = call->reply;
    gpointer user_data = call->user_data;
    g_hash_table_remove(pipe->calls, GUINT_TO_POINTER(call->id));
    if (reply != NULL) {
        reply(result, error, user_data);
    }
}

static gboolean on_fail(gpointer data)
{
    BrowserPipe *pipe = g_rc_box_acquire(data);
    pipe->fail_source = 0;
    GHashTableIter iter;
    gpointer call;
    for (;;) {
        g_hash_table_iter_init(&iter, pipe->calls);
        if (pipe->freed || !g_hash_table_iter_next(&iter, NULL, &call)) {
            break;
        }
        finish_call(pipe, call, NULL, pipe->failure);
    }
    if (!pipe->freed && pipe->events.on_closed != NULL) {
        BrowserPipeEvents events = pipe->events;
        pipe->events.on_closed = NULL;
        events.on_closed(pipe->failure, pipe->user_data);
    }
    pipe_release(pipe);
    return G_SOURCE_REMOVE;
}

/* Breaks the pipe; everybody hears of it from the main loop, not from inside a call. */
static void fail_later(BrowserPipe *pipe, GError *error)
{
    if (pipe->failure == NULL) {
        pipe->failure = error;
    } else {
        g_error_free(error);
    }
    close_ends(pipe);
    if (pipe->fail_source == 0 && !pipe->freed) {
        pipe->fail_source = g_idle_add(on_fail, pipe);
    }
}

static void dispatch_reply(BrowserPipe *pipe, Call *call, JsonObject *message)
{
    JsonObject *refusal = platform_json_object(message, "error");
    if (refusal != NULL) {
        g_autoptr(GError) error =
            g_error_new(PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL, "%s: %s", call->method,
                        platform_json_string(refusal, "message", "refused"));
        finish_call(pipe, call, NULL, error);
        return;
    }
    g_autoptr(JsonObject) empty = json_object_new();
    JsonObject *result = platform_json_object(message, "result");
    finish_call(pipe, call, result != NULL ? result : empty, NULL);
}

static void dispatch(BrowserPipe *pipe, const char *text, size_t length)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonObject) message = platform_json_parse(text, length, &error);
    if (message == NULL) {
        g_prefix_error(&error, "from the browser: ");
        fail_later(pipe, g_steal_pointer(&error));
        return;
    }
    int64_t id = platform_json_int(message, "id", 0);
    if (id > 0) {
        Call *call = g_hash_table_lookup(pipe->calls, GUINT_TO_POINTER((unsigned)id));
        if (call != NULL) { /* else it came after its timeout */
            dispatch_reply(pipe, call, message);
        }
        return;
    }
    const char *method = platform_json_string(message, "method", NULL);
    if (method != NULL && pipe->events.on_event != NULL) {
        g_autoptr(JsonObject) empty = json_object_new();
        JsonObject *params = platform_json_object(message, "params");
        pipe->events.on_event(platform_json_string(message, "sessionId", ""), method,
                              params != NULL ? params : empty, pipe->user_data);
    }
}

/* Hands out every whole message of the buffer. */
static void dispatch_messages(BrowserPipe *pipe)
{
    size_t start = 0;
    while (!pipe->freed && pipe->failure == NULL) {
        uint8_t *data = pipe->incoming->data;
        size_t from = MAX(start, pipe->scanned);
        uint8_t *end = memchr(data + from, '\0', pipe->incoming->len - from);
        if (end == NULL) {
            break;
        }
        size_t length = (size_t)(end - (data + start));
        dispatch(pipe, (const char *)data + start, length);
        start += length + 1;
    }
    g_byte_array_remove_range(pipe->incoming, 0, (guint)start);
    pipe->scanned = pipe->incoming->len;
    if (!pipe->freed && pipe->failure == NULL && pipe->incoming->len > MAX_INCOMING_BYTES) {
        fail_later(pipe,
                   g_error_new(PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL,
                               "the browser sent a message over %u bytes", MAX_INCOMING_BYTES));
    }
}

static void fail_errno(BrowserPipe *pipe, const char *what, int saved_errno)
{
    fail_later(pipe, g_error_new(PLATFORM_ERROR, PLATFORM_ERROR_BROWSER,
                                 "the browser's pipe broke: %s: %s", what,
                                 saved_errno == 0 ? "end of file" : g_strerror(saved_errno)));
}

static gboolean on_readable(int fd, GIOCondition condition, gpointer data)
{
    BrowserPipe *pipe = g_rc_box_acquire(data);
    for (int i = 0; i < READS_PER_TURN && !pipe->freed && pipe->failure == NULL; i++) {
        guint old = pipe->incoming->len;
        g_byte_array_set_size(pipe->incoming, old + READ_BYTES);
        ssize_t n = read(fd, pipe->incoming->data + old, READ_BYTES);
        int saved_errno = n < 0 ? errno : 0;
        g_byte_array_set_size(pipe->incoming, old + (guint)MAX(n, 0));
        if (n > 0) {
            dispatch_messages(pipe);
        } else if (n == 0 || (saved_errno != EAGAIN && saved_errno != EINTR)) {
            fail_errno(pipe, "reading", saved_errno);
        } else {
            break;
        }
    }
    pipe_release(pipe);
    /* When the source was removed meanwhile, this value is ignored. */
    return G_SOURCE_CONTINUE;
}

static void flush(BrowserPipe *pipe);

static gboolean on_writable(int fd, GIOCondition condition, gpointer data)
{
    BrowserPipe *pipe = data;
    pipe->write_source = 0;
    flush(pipe);
    return G_SOURCE_REMOVE;
}

static void flush(BrowserPipe *pipe)
{
    GBytes *first;
    while ((first = g_queue_peek_head(&pipe->outgoing)) != NULL) {
        size_t size;
        const char *data = g_bytes_get_data(first, &size);
        ssize_t n = write(pipe->write_fd, data + pipe->outgoing_pos, size - pipe->outgoing_pos);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            if (pipe->write_source == 0) {
                pipe->write_source = g_unix_fd_add(pipe->write_fd, G_IO_OUT | G_IO_ERR | G_IO_HUP,
                                                   on_writable, pipe);
            }
            return;
        }
        if (n < 0) {
            fail_errno(pipe, "writing", errno);
            return;
        }
        pipe->outgoing_pos += (size_t)n;
        pipe->queued_bytes -= (size_t)n;
        if (pipe->outgoing_pos == size) {
            g_bytes_unref(g_queue_pop_head(&pipe->outgoing));
            pipe->outgoing_pos = 0;
        }
    }
}

BrowserPipe *browser_pipe_new(int read_fd, int write_fd, const BrowserPipeEvents *events,
                              gpointer user_data)
{
    BrowserPipe *pipe = g_rc_box_new0(BrowserPipe);
    pipe->events = *events;
    pipe->user_data = user_data;
    pipe->read_fd = read_fd;
    pipe->write_fd = write_fd;
    pipe->calls = g_hash_table_new_full(NULL, NULL, NULL, call_free);
    g_queue_init(&pipe->outgoing);
    pipe->incoming = g_byte_array_new();
    g_unix_set_fd_nonblocking(read_fd, TRUE, NULL);
    g_unix_set_fd_nonblocking(write_fd, TRUE, NULL);
    pipe->read_source = g_unix_fd_add(read_fd, G_IO_IN | G_IO_ERR | G_IO_HUP, on_readable, pipe);
    return pipe;
}

void browser_pipe_free(BrowserPipe *pipe)
{
    if (pipe == NULL) {
        return;
    }
    pipe->freed = true;
    g_clear_handle_id(&pipe->fail_source, g_source_remove);
    close_ends(pipe);
    g_hash_table_remove_all(pipe->calls);
    pipe_release(pipe);
}

static gboolean on_call_timeout(gpointer data)
{
    Call *call = data;
    BrowserPipe *pipe = g_rc_box_acquire(call->pipe);
    call->timer = 0;
    g_autoptr(GError) error = g_error_new(PLATFORM_ERROR, PLATFORM_ERROR_TIMEOUT,
                                          "%s: the browser gave no answer", call->method);
    finish_call(pipe, call, NULL, error);
    pipe_release(pipe);
    return G_SOURCE_REMOVE;
}

static gboolean on_call_refused(gpointer data)
{
    Call *call = data;
    BrowserPipe *pipe = g_rc_box_acquire(call->pipe);
    call->timer = 0;
    g_autoptr(GError) error = g_error_new(PLATFORM_ERROR, PLATFORM_ERROR_BROWSER,
                                          "%s: too large for the browser's pipe", call->method);
    finish_call(pipe, call, NULL, error);
    pipe_release(pipe);
    return G_SOURCE_REMOVE;
}

static GBytes *encode(unsigned id, const char *session, const char *method, GVariant *params)
{
    GString *text = g_string_new(NULL);
    g_string_printf(text, "{\"id\":%u,\"method\":\"%s\"", id, method);
    if (session != NULL && *session != '\0') {
        g_string_append_printf(text, ",\"sessionId\":\"%s\"", session);
    }
    if (params != NULL) {
        g_autoptr(GVariant) owned = g_variant_ref_sink(params);
        g_autofree char *json = json_gvariant_serialize_data(owned, NULL);
        g_string_append_printf(text, ",\"params\":%s", json);
    }
    g_string_append_c(text, '}');
    size_t size = text->len + 1; /* with the NUL, which ends the message */
    return g_bytes_new_take(g_string_free(text, FALSE), size);
}

void browser_pipe_call(BrowserPipe *pipe, const char *session, const char *method, GVariant *params,
                       unsigned timeout_ms, BrowserReply reply, gpointer user_data)
{
    Call *call = g_new0(Call, 1);
    call->pipe = pipe;
    call->id = ++pipe->next_id;
    call->method = g_strdup(method);
    call->reply = reply;
    call->user_data = user_data;
    g_hash_table_insert(pipe->calls, GUINT_TO_POINTER(call->id), call);

    GBytes *bytes = encode(call->id, session, method, params);
    size_t size = g_bytes_get_size(bytes);
    if (pipe->failure != NULL) { /* the pending failure reaches this call too, or raises anew */
        g_bytes_unref(bytes);
        if (pipe->fail_source == 0) {
            pipe->fail_source = g_idle_add(on_fail, pipe);
        }
        return;
    }
    if (size >= MAX_OUTGOING_BYTES || pipe->queued_bytes + size > MAX_QUEUED_BYTES) {
        g_bytes_unref(bytes);
        call->timer = g_idle_add(on_call_refused, call);
        return;
    }
    call->timer = g_timeout_add(timeout_ms, on_call_timeout, call);
    pipe->queued_bytes += size;
    g_queue_push_tail(&pipe->outgoing, bytes);
    if (pipe->write_source == 0) {
        flush(pipe);
    }
}
