/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/summary.h"

#include <stdbool.h>
#include <string.h>

typedef struct {
    double duration_s;
    GPtrArray *names;  /* borrowed: of the artifacts, each once, in their order */
    GHashTable *bytes; /* name -> JsonObject (borrowed): the last event about it */
    JsonObject *ended; /* borrowed; NULL: it never ended */
} Story;

static const char *get_string(JsonObject *object, const char *name)
{
    JsonNode *node = object != NULL ? json_object_get_member(object, name) : NULL;
    bool is_text = node != NULL && JSON_NODE_HOLDS_VALUE(node) &&
                   json_node_get_value_type(node) == G_TYPE_STRING;
    return is_text ? json_node_get_string(node) : NULL;
}

static void read_event(Story *story, JsonObject *event)
{
    const char *type = get_string(event, "type"), *name = get_string(event, "name");
    if (g_strcmp0(type, "recording") == 0 && g_strcmp0(get_string(event, "op"), "finalized") == 0) {
        story->duration_s = json_object_get_double_member_with_default(event, "at_s", 0);
    } else if (g_strcmp0(type, "artifact") == 0 && name != NULL) {
        if (!g_hash_table_contains(story->bytes, name)) {
            g_ptr_array_add(story->names, (gpointer)name);
        }
        g_hash_table_insert(story->bytes, (gpointer)name, event);
    } else if (g_strcmp0(type, "ended") == 0) {
        story->ended = event;
    }
}

static char *show_length(double seconds)
{
    guint s = (guint)(seconds + 0.5);
    return s >= 3600 ? g_strdup_printf("%u:%02u:%02u", s / 3600, s / 60 % 60, s % 60)
                     : g_strdup_printf("%u:%02u", s / 60, s % 60);
}

static void add_recording(GString *text, const Story *story, const char *output_dir)
{
    for (guint i = 0; i < story->names->len; i++) {
        const char *name = g_ptr_array_index(story->names, i);
        if (!g_str_has_prefix(name, "recording.")) {
            continue;
        }
        JsonObject *event = g_hash_table_lookup(story->bytes, name);
        const char *url = get_string(event, "url");
        g_autofree char *path = g_build_filename(output_dir, name, NULL);
        g_autofree char *length = show_length(story->duration_s);
        g_autofree char *size = g_format_size(
            (guint64)MAX(json_object_get_int_member_with_default(event, "bytes", 0), 0));
        g_autoptr(GString) where = g_string_new(url);
        g_string_truncate(where, strcspn(where->str, "?")); /* what signs it is for nobody's eyes */
        g_string_append_printf(text, "recorded: %s (%s, %s)%s%s\n", path, length, size,
                               url != NULL ? ", uploaded to " : "", where->str);
        return;
    }
    g_string_append(text, "nothing was recorded\n");
}

static void add_list(GString *text, const char *label, const char *const *names)
{
    if (names[0] != NULL) {
        g_autofree char *list = g_strjoinv(", ", (char **)names);
        g_string_append_printf(text, "%s: %s\n", label, list);
    }
}

static void add_speakers(GString *text, const Story *story)
{
    JsonNode *node = story->ended != NULL ? json_object_get_member(story->ended, "speakers") : NULL;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; node != NULL && JSON_NODE_HOLDS_ARRAY(node) &&
                      i < json_array_get_length(json_node_get_array(node));
         i++) {
        JsonNode *item = json_array_get_element(json_node_get_array(node), i);
        if (JSON_NODE_HOLDS_VALUE(item) && json_node_get_value_type(item) == G_TYPE_STRING) {
            g_ptr_array_add(names, (gpointer)json_node_get_string(item));
        }
    }
    g_ptr_array_add(names, NULL);
    add_list(text, "spoke", (const char *const *)names->pdata);
}

static void add_others(GString *text, const Story *story)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < story->names->len; i++) {
        if (!g_str_has_prefix(g_ptr_array_index(story->names, i), "recording.")) {
            g_ptr_array_add(names, g_ptr_array_index(story->names, i));
        }
    }
    g_ptr_array_add(names, NULL);
    add_list(text, "beside it", (const char *const *)names->pdata);
}

char *bot_summary(const char *output_dir, JsonArray *events)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autoptr(GHashTable) bytes = g_hash_table_new(g_str_hash, g_str_equal);
    Story story = {.names = names, .bytes = bytes};
    for (guint i = 0; i < json_array_get_length(events); i++) {
        JsonNode *node = json_array_get_element(events, i);
        if (JSON_NODE_HOLDS_OBJECT(node)) {
            read_event(&story, json_node_get_object(node));
        }
    }
    GString *text = g_string_new(NULL);
    add_recording(text, &story, output_dir);
    add_speakers(text, &story);
    add_others(text, &story);
    const char *reason = get_string(story.ended, "end_reason");
    const char *message = get_string(story.ended, "message");
    if (reason != NULL) {
        g_string_append_printf(text, "ended: %s\n", reason);
    }
    if (message != NULL && *message != '\0') {
        g_string_append_printf(text, "%s\n", message);
    }
    return g_string_free(text, FALSE);
}
