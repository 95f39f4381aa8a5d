/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/json.h"

#include "platforms/platform.h"

#include <string.h>

#define MAX_DEPTH 128

/* Before a recursive parser sees it, which takes more than JSON: in its comments and strings in
 * single quotes brackets could hide. So nothing but JSON's own characters may stand outside
 * strings. */
static bool is_bounded(const char *text, size_t length)
{
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > MAX_DEPTH) {
                return false;
            }
        } else if (c == ']' || c == '}') {
            depth--;
        } else if (strchr(" \t\r\n:,+-.0123456789Eaeflnrstu", c) == NULL) {
            return false;
        }
    }
    return true;
}

JsonObject *platform_json_parse(const char *text, size_t length, GError **error)
{
    if (!g_utf8_validate_len(text, length, NULL) || !is_bounded(text, length)) {
        g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL,
                    "not JSON in UTF-8, or nested deeper than %d", MAX_DEPTH);
        return NULL;
    }
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) parse_error = NULL;
    if (!json_parser_load_from_data(parser, text, (gssize)length, &parse_error)) {
        g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL, "not JSON: %s",
                    parse_error->message);
        return NULL;
    }
    JsonNode *root = json_parser_get_root(parser);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root)) {
        g_set_error_literal(error, PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL, "not a JSON object");
        return NULL;
    }
    return json_node_dup_object(root);
}

static JsonNode *value_of_type(JsonObject *object, const char *name, GType type)
{
    JsonNode *node = object != NULL ? json_object_get_member(object, name) : NULL;
    return node != NULL && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type
               ? node
               : NULL;
}

const char *platform_json_string(JsonObject *object, const char *name, const char *fallback)
{
    JsonNode *node = value_of_type(object, name, G_TYPE_STRING);
    return node != NULL ? json_node_get_string(node) : fallback;
}

int64_t platform_json_int(JsonObject *object, const char *name, int64_t fallback)
{
    JsonNode *node = value_of_type(object, name, G_TYPE_INT64);
    return node != NULL ? json_node_get_int(node) : fallback;
}

bool platform_json_bool(JsonObject *object, const char *name, bool fallback)
{
    JsonNode *node = value_of_type(object, name, G_TYPE_BOOLEAN);
    return node != NULL ? json_node_get_boolean(node) : fallback;
}

JsonObject *platform_json_object(JsonObject *object, const char *name)
{
    JsonNode *node = object != NULL ? json_object_get_member(object, name) : NULL;
    return node != NULL && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

JsonArray *platform_json_array(JsonObject *object, const char *name)
{
    JsonNode *node = object != NULL ? json_object_get_member(object, name) : NULL;
    return node != NULL && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}
