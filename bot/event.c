/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/event.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

struct BotEventLog {
    int fd;
    int mirror_fd;
    gint64 seq;
    bool write_failed;
    BotEventSink sink; /* or NULL */
    gpointer sink_data;
};

char *bot_event_log_path(const char *output_dir)
{
    return g_build_filename(output_dir, "events.ndjson", NULL);
}

JsonArray *bot_event_log_read(const char *output_dir)
{
    JsonArray *events = json_array_new();
    g_autofree char *path = bot_event_log_path(output_dir);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return events;
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        g_autoptr(JsonNode) node = **line != '\0' ? json_from_string(*line, NULL) : NULL;
        if (node != NULL && JSON_NODE_HOLDS_OBJECT(node)) {
            json_array_add_element(events, g_steal_pointer(&node));
        }
    }
    return events;
}

static gint64 last_seq(const char *output_dir)
{
    g_autoptr(JsonArray) events = bot_event_log_read(output_dir);
    gint64 seq = 0;
    for (guint i = 0; i < json_array_get_length(events); i++) {
        JsonObject *event = json_array_get_object_element(events, i);
        seq = MAX(seq, json_object_get_int_member_with_default(event, "seq", 0));
    }
    return seq;
}

/* A killed worker may have left half a line: what follows must start on its own. */
static bool ends_mid_line(int fd)
{
    char last = '\n';
    off_t size = lseek(fd, 0, SEEK_END);
    return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

BotEventLog *bot_event_log_new(const char *output_dir, int mirror_fd, GError **error)
{
    g_autofree char *path = bot_event_log_path(output_dir);
    gint64 seq = last_seq(output_dir);
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "%s: %s", path,
                    g_strerror(errno));
        return NULL;
    }
    BotEventLog *log = g_new0(BotEventLog, 1);
    log->fd = fd;
    log->mirror_fd = mirror_fd;
    log->seq = seq;
    if (ends_mid_line(fd) && write(fd, "\n", 1) != 1) {
        log->write_failed = true;
    }
    return log;
}

void bot_event_log_set_sink(BotEventLog *log, BotEventSink sink, gpointer user_data)
{
    log->sink = sink;
    log->sink_data = user_data;
}

gint64 bot_event_log_get_last_seq(BotEventLog *log)
{
    return log->seq;
}

void bot_event_log_free(BotEventLog *log)
{
    close(log->fd);
    g_free(log);
}

static bool write_whole(int fd, const char *data, gsize length)
{
    while (length > 0) {
        ssize_t n = write(fd, data, length);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        data += n;
        length -= (gsize)n;
    }
    return true;
}

void bot_event_log_emit(BotEventLog *log, const char *type, JsonObject *members)
{
    json_object_set_int_member(members, "seq", ++log->seq);
    json_object_set_int_member(members, "time", g_get_real_time() / 1000);
    json_object_set_string_member(members, "type", type);
    g_autoptr(JsonNode) node = json_node_alloc();
    json_node_take_object(node, members);
    g_autofree char *json = json_to_string(node, FALSE);
    g_autofree char *line = g_strconcat(json, "\n", NULL);
    gsize length = strlen(line);
    if (!write_whole(log->fd, line, length) && !log->write_failed) {
        log->write_failed = true;
        g_message("events.ndjson can't be written: %s", g_strerror(errno));
    }
    if (log->mirror_fd >= 0) {
        (void)write_whole(log->mirror_fd, line, length);
    }
    if (log->sink != NULL) {
        log->sink(log->seq, json, log->sink_data);
    }
}

void bot_event_log_warn(BotEventLog *log, const char *code, const char *message)
{
    g_message("%s: %s", code, message);
    JsonObject *members = json_object_new();
    json_object_set_string_member(members, "code", code);
    json_object_set_string_member(members, "message", message);
    bot_event_log_emit(log, "warning", members);
}

void bot_json_set_optional(JsonObject *object, const char *name, const char *value)
{
    if (value != NULL) {
        json_object_set_string_member(object, name, value);
    } else {
        json_object_set_null_member(object, name);
    }
}
