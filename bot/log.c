/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/log.h"

#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char *log_bot_id;
static void (*hook_before)(void);
static void (*hook_after)(void);

static const char *field_of(const GLogField *fields, gsize n_fields, const char *key)
{
    for (gsize i = 0; i < n_fields; i++) {
        if (strcmp(fields[i].key, key) == 0 && fields[i].length < 0) {
            return fields[i].value;
        }
    }
    return NULL;
}

static const char *level_name(GLogLevelFlags level)
{
    if ((level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) != 0) {
        return "critical";
    }
    if ((level & G_LOG_LEVEL_WARNING) != 0) {
        return "warning";
    }
    if ((level & G_LOG_LEVEL_MESSAGE) != 0) {
        return "message";
    }
    return (level & G_LOG_LEVEL_INFO) != 0 ? "info" : "debug";
}

static char *json_line(const char *level, const char *domain, const char *message)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    g_autofree char *valid = g_utf8_make_valid(message, -1);
    json_object_set_int_member(object, "time", g_get_real_time() / 1000);
    json_object_set_string_member(object, "level", level);
    json_object_set_string_member(object, "domain", domain);
    json_object_set_string_member(object, "message", valid);
    if (log_bot_id != NULL) {
        json_object_set_string_member(object, "bot_id", log_bot_id);
    }
    json_node_take_object(node, object);
    return json_to_string(node, FALSE);
}

static char *text_line(const char *level, const char *domain, const char *message)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *time = g_date_time_format(now, "%H:%M:%S");
    return g_strdup_printf("%s.%03d %-8s %s: %s", time, g_date_time_get_microsecond(now) / 1000,
                           level, domain, message);
}

static GLogWriterOutput write_log(GLogLevelFlags level, const GLogField *fields, gsize n_fields,
                                  gpointer user_data)
{
    const char *domain = field_of(fields, n_fields, "GLIB_DOMAIN");
    const char *message = field_of(fields, n_fields, "MESSAGE");
    if (domain == NULL) {
        domain = "-";
    }
    if (message == NULL || g_log_writer_default_would_drop(level, domain)) {
        return G_LOG_WRITER_HANDLED;
    }
    bool terminal = isatty(STDERR_FILENO) == 1;
    g_autofree char *line = terminal ? text_line(level_name(level), domain, message)
                                     : json_line(level_name(level), domain, message);
    if (hook_before != NULL) {
        hook_before();
    }
    fprintf(stderr, "%s\n", line);
    if (hook_after != NULL) {
        hook_after();
    }
    return G_LOG_WRITER_HANDLED;
}

void bot_log_init(const char *bot_id)
{
    static gsize once = 0;
    g_free(log_bot_id);
    log_bot_id = g_strdup(bot_id);
    if (g_once_init_enter(&once)) {
        g_log_set_writer_func(write_log, NULL, NULL);
        g_once_init_leave(&once, 1);
    }
}

void bot_log_set_hooks(void (*before)(void), void (*after)(void))
{
    hook_before = before;
    hook_after = after;
}
