/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/json.h"

#include "media/json.h"

#include <gio/gio.h>
#include <string.h>

JsonObject *orch_json_parse_object(const char *text, gsize length, GError **error)
{
    return media_json_parse(text, length, ORCH_JSON_MAX_DEPTH, MEDIA_JSON_REFUSE_NO_TEXT, error);
}

JsonObject *orch_json_load(const char *text)
{
    g_autoptr(JsonNode) node = text != NULL ? json_from_string(text, NULL) : NULL;
    bool is_object = node != NULL && JSON_NODE_HOLDS_OBJECT(node);
    return is_object ? json_object_ref(json_node_get_object(node)) : json_object_new();
}

JsonArray *orch_json_load_array(const char *text)
{
    g_autoptr(JsonNode) node = text != NULL ? json_from_string(text, NULL) : NULL;
    bool is_array = node != NULL && JSON_NODE_HOLDS_ARRAY(node);
    return is_array ? json_array_ref(json_node_get_array(node)) : json_array_new();
}

static JsonNode *value_node(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    return node != NULL && JSON_NODE_HOLDS_VALUE(node) ? node : NULL;
}

static const char *node_string(JsonNode *node)
{
    bool is_string = node != NULL && JSON_NODE_HOLDS_VALUE(node) &&
                     json_node_get_value_type(node) == G_TYPE_STRING;
    return is_string ? json_node_get_string(node) : NULL;
}

const char *orch_json_string(JsonObject *object, const char *name)
{
    return node_string(json_object_get_member(object, name));
}

JsonObject *orch_json_object(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    return node != NULL && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

JsonArray *orch_json_array(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    return node != NULL && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

gint64 orch_json_int(JsonObject *object, const char *name, gint64 fallback)
{
    JsonNode *node = value_node(object, name);
    bool is_int = node != NULL && json_node_get_value_type(node) == G_TYPE_INT64;
    return is_int ? json_node_get_int(node) : fallback;
}

bool orch_json_bool(JsonObject *object, const char *name, bool fallback)
{
    JsonNode *node = value_node(object, name);
    bool is_bool = node != NULL && json_node_get_value_type(node) == G_TYPE_BOOLEAN;
    return is_bool ? json_node_get_boolean(node) : fallback;
}

double orch_json_double(JsonObject *object, const char *name, double fallback)
{
    JsonNode *node = value_node(object, name);
    bool is_number = node != NULL && (json_node_get_value_type(node) == G_TYPE_INT64 ||
                                      json_node_get_value_type(node) == G_TYPE_DOUBLE);
    return is_number ? json_node_get_double(node) : fallback;
}

JsonObject *orch_json_object_at(JsonArray *array, guint i)
{
    JsonNode *node = json_array_get_element(array, i);
    return JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

const char *orch_json_string_at(JsonArray *array, guint i)
{
    return node_string(json_array_get_element(array, i));
}

void orch_json_set(JsonObject *object, const char *name, const char *value)
{
    if (value != NULL) {
        json_object_set_string_member(object, name, value);
    } else {
        json_object_set_null_member(object, name);
    }
}

char *orch_json_print(JsonObject *object)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    json_node_set_object(node, object);
    return json_to_string(node, FALSE);
}

char *orch_json_print_array(JsonArray *array)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_ARRAY);
    json_node_set_array(node, array);
    return json_to_string(node, FALSE);
}

/* --- canonical --- */

static void write_string(GString *out, const char *text)
{
    static const char short_forms[] = {['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
                                       ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't'};
    g_string_append_c(out, '"');
    for (const guint8 *c = (const guint8 *)text; *c != '\0'; c++) {
        if (*c < sizeof short_forms && short_forms[*c] != '\0') {
            g_string_append_c(out, '\\');
            g_string_append_c(out, short_forms[*c]);
        } else if (*c < 0x20) {
            g_string_append_printf(out, "\\u%04x", *c);
        } else {
            g_string_append_c(out, (char)*c);
        }
    }
    g_string_append_c(out, '"');
}

static void write_node(GString *out, JsonNode *node);

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(a, b); /* UTF-8 sorts as its code points do */
}

static void write_object(GString *out, JsonObject *object)
{
    g_autoptr(GList) names = g_list_sort(json_object_get_members(object), compare_names);
    g_string_append_c(out, '{');
    for (GList *item = names; item != NULL; item = item->next) {
        if (item != names) {
            g_string_append_c(out, ',');
        }
        write_string(out, item->data);
        g_string_append_c(out, ':');
        write_node(out, json_object_get_member(object, item->data));
    }
    g_string_append_c(out, '}');
}

static void write_array(GString *out, JsonArray *array)
{
    g_string_append_c(out, '[');
    for (guint i = 0; i < json_array_get_length(array); i++) {
        if (i > 0) {
            g_string_append_c(out, ',');
        }
        write_node(out, json_array_get_element(array, i));
    }
    g_string_append_c(out, ']');
}

static void write_node(GString *out, JsonNode *node)
{
    const char *string = node_string(node);
    if (JSON_NODE_HOLDS_OBJECT(node)) {
        write_object(out, json_node_get_object(node));
    } else if (JSON_NODE_HOLDS_ARRAY(node)) {
        write_array(out, json_node_get_array(node));
    } else if (string != NULL) {
        write_string(out, string);
    } else {
        g_autofree char *text = json_to_string(node, FALSE);
        g_string_append(out, text);
    }
}

char *orch_json_canonical(JsonObject *object)
{
    GString *out = g_string_new(NULL);
    write_object(out, object);
    return g_string_free(out, FALSE);
}
