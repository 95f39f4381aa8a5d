/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/json.h"

#include <gio/gio.h>
#include <string.h>

static bool refuse(GError **error, const char *sentence)
{
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, sentence);
    return false;
}

/* "\\u" and four digits, as a UTF-16 unit. */
static bool read_unit(const char *text, gsize length, guint *ret_unit)
{
    if (length < 6 || text[0] != '\\' || text[1] != 'u') {
        return false;
    }
    *ret_unit = 0;
    for (gsize i = 2; i < 6; i++) {
        if (!g_ascii_isxdigit(text[i])) {
            return false;
        }
        *ret_unit = *ret_unit * 16 + (guint)g_ascii_xdigit_value(text[i]);
    }
    return true;
}

/* What stands at a backslash in a string: returns its length, 0 for what no text may hold. */
static gsize read_escape(const char *text, gsize length)
{
    guint first, second;
    if (!read_unit(text, length, &first)) {
        return 2; /* the parser judges it */
    }
    if (first < 0xd800 || first > 0xdfff) {
        return first != 0 ? 6 : 0;
    }
    bool pair = first < 0xdc00 && read_unit(text + 6, length - 6, &second) && second >= 0xdc00 &&
                second <= 0xdfff;
    return pair ? 12 : 0;
}

/* Returns the length of the string at @text, with its quotes; 0 when it holds what is no text. */
static gsize read_string(const char *text, gsize length)
{
    gsize i = 1;
    while (i < length && text[i] != '"') {
        gsize n = text[i] == '\\' ? read_escape(text + i, length - i) : 1;
        if (n == 0) {
            return 0;
        }
        i += n;
    }
    return i + 1;
}

/* The parser below recurses, and takes more than JSON: comments, and strings in single quotes, in
 * which brackets could hide from a look at the depth. Nothing but JSON's own characters gets there,
 * and no text that is none once it is unescaped. */
static bool check_tokens(const char *text, gsize length, GError **error)
{
    int depth = 0;
    for (gsize i = 0; i < length;) {
        char c = text[i];
        gsize n = c == '"' ? read_string(text + i, length - i) : 1;
        if (n == 0) {
            return refuse(error, "not text: \\u0000, or half of a surrogate pair");
        }
        if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            depth--;
        } else if (c != '"' && strchr(" \t\r\n:,+-.0123456789Eaeflnrstu", c) == NULL) {
            return refuse(error,
                          "not JSON: a character outside of strings that has no place there");
        }
        if (depth > ORCH_JSON_MAX_DEPTH) {
            return refuse(error, "nested too deep");
        }
        i += n;
    }
    return true;
}

JsonObject *orch_json_parse_object(const char *text, gsize length, GError **error)
{
    if (!g_utf8_validate_len(text, length, NULL)) {
        refuse(error, "not valid UTF-8");
        return NULL;
    }
    if (!check_tokens(text, length, error)) {
        return NULL;
    }
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) parse_error = NULL;
    if (!json_parser_load_from_data(parser, text, (gssize)length, &parse_error)) {
        g_autofree char *sentence = g_strdup_printf("not JSON: %s", parse_error->message);
        refuse(error, sentence);
        return NULL;
    }
    JsonNode *root = json_parser_get_root(parser);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root)) {
        refuse(error, "not one JSON object");
        return NULL;
    }
    return json_object_ref(json_node_get_object(root));
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
