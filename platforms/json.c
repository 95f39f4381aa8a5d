/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/json.h"

#include "media/json.h"
#include "platforms/platform.h"

#include <string.h>

#define MAX_DEPTH 128

JsonObject *platform_json_parse(const char *text, size_t length, GError **error)
{
    g_autoptr(GError) cause = NULL;
    JsonObject *object = media_json_parse(text, length, MAX_DEPTH, MEDIA_JSON_MEND_NO_TEXT, &cause);
    if (object == NULL) {
        g_set_error_literal(error, PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL, cause->message);
    }
    return object;
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
