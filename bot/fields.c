/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/fields.h"

#include "base/text.h"

#include <string.h>

G_DEFINE_QUARK(bot_config_error, bot_config_error)

#define MAX_SHOWN_VALUE 120

static const BotField *find_field(const BotFieldTable *table, const char *path)
{
    for (const BotField *field = table->fields; field->path != NULL; field++) {
        if (strcmp(field->path, path) == 0) {
            return field;
        }
    }
    return NULL;
}

/* The value as an error shows it: JSON, cut, and never a secret. */
static char *show_value(const BotField *field, JsonNode *node)
{
    if (field != NULL && (field->flags & BOT_FIELD_SECRET) != 0) {
        return g_strdup("(secret)");
    }
    g_autofree char *json = json_to_string(node, FALSE);
    return base_text_cut(json, MAX_SHOWN_VALUE);
}

static bool refuse(GError **error, const BotField *field, const char *path, JsonNode *node,
                   const char *expected)
{
    g_autofree char *shown = show_value(field, node);
    g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD, "$.%s: %s is not %s", path, shown,
                expected);
    return false;
}

static bool check_int(const BotField *field, const char *path, JsonNode *node, GError **error)
{
    g_autofree char *expected = g_strdup_printf(
        "a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, field->min, field->max);
    if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_INT64) {
        return refuse(error, field, path, node, expected);
    }
    gint64 value = json_node_get_int(node);
    return (value >= field->min && value <= field->max) ||
           refuse(error, field, path, node, expected);
}

static bool check_url(const BotField *field, const char *path, JsonNode *node, GError **error)
{
    g_autoptr(GError) parse_error = NULL;
    g_autoptr(GUri) uri = g_uri_parse(json_node_get_string(node), G_URI_FLAGS_NONE, &parse_error);
    g_autofree char *schemes = g_strdup(field->schemes);
    g_autofree char *expected =
        g_strdup_printf("a URL with a host and one of the schemes: %s", schemes);
    if (uri == NULL || g_uri_get_host(uri) == NULL || g_uri_get_host(uri)[0] == '\0') {
        return refuse(error, field, path, node, expected);
    }
    g_auto(GStrv) list = g_strsplit(schemes, " ", -1);
    return g_strv_contains((const char *const *)list, g_uri_get_scheme(uri)) ||
           refuse(error, field, path, node, expected);
}

static bool check_string(const BotField *field, const char *path, JsonNode *node, GError **error)
{
    if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING) {
        return refuse(error, field, path, node, "a string");
    }
    const char *value = json_node_get_string(node);
    if (!g_utf8_validate(value, -1, NULL)) {
        return refuse(error, field, path, node, "valid UTF-8");
    }
    glong length = g_utf8_strlen(value, -1);
    if ((gint64)length < field->min || (gint64)length > field->max) {
        g_autofree char *expected =
            g_strdup_printf("a string of %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT " characters",
                            field->min, field->max);
        return refuse(error, field, path, node, expected);
    }
    if (field->choices != NULL && !g_strv_contains(field->choices, value)) {
        g_autofree char *choices = g_strjoinv(", ", (char **)field->choices);
        g_autofree char *expected = g_strconcat("one of: ", choices, NULL);
        return refuse(error, field, path, node, expected);
    }
    return field->schemes == NULL || check_url(field, path, node, error);
}

static bool is_string(JsonNode *node)
{
    return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING;
}

static bool check_strings(const BotField *field, const char *path, JsonNode *node, GError **error)
{
    if (!JSON_NODE_HOLDS_ARRAY(node)) {
        return refuse(error, field, path, node, "an array of strings");
    }
    JsonArray *array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        g_autofree char *item = g_strdup_printf("%s[%u]", path, i);
        if (!is_string(json_array_get_element(array, i))) {
            return refuse(error, field, item, json_array_get_element(array, i), "a string");
        }
    }
    return true;
}

static bool is_header(const char *name, const char *value)
{
    for (const char *c = name; *c != '\0'; c++) {
        if (!g_ascii_isalnum(*c) && strchr("!#$%&'*+-.^_`|~", *c) == NULL) {
            return false;
        }
    }
    return name[0] != '\0' && strpbrk(value, "\r\n") == NULL;
}

static bool check_headers(const BotField *field, const char *path, JsonNode *node, GError **error)
{
    if (!JSON_NODE_HOLDS_OBJECT(node)) {
        return refuse(error, field, path, node, "an object of strings");
    }
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;
    json_object_iter_init(&iter, json_node_get_object(node));
    while (json_object_iter_next(&iter, &name, &value)) {
        if (!is_string(value) || !is_header(name, json_node_get_string(value))) {
            g_autofree char *member = g_strdup_printf("%s.%s", path, name);
            return refuse(error, field, member, value, "an HTTP header (a name and one line)");
        }
    }
    return true;
}

static bool is_default(const BotField *field, JsonNode *node)
{
    if (field->fallback == NULL) {
        return false;
    }
    g_autofree char *json = json_to_string(node, FALSE);
    return strcmp(json, field->fallback) == 0;
}

static bool check_node(const BotFieldTable *table, const BotField *field, const char *path,
                       JsonNode *node, GError **error);

static bool check_members(const BotFieldTable *table, const char *prefix, JsonObject *object,
                          GError **error)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;
    json_object_iter_init(&iter, object);
    while (json_object_iter_next(&iter, &name, &value)) {
        g_autofree char *path =
            prefix[0] == '\0' ? g_strdup(name) : g_strdup_printf("%s.%s", prefix, name);
        const BotField *field = strchr(name, '.') == NULL ? find_field(table, path) : NULL;
        if (field == NULL) {
            g_autofree char *shown = show_value(NULL, value);
            g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD,
                        "$.%s: unknown field (value %s); %s lists the fields", path, shown,
                        table->docs);
            return false;
        }
        if (!check_node(table, field, path, value, error)) {
            return false;
        }
    }
    return true;
}

static bool check_type(const BotFieldTable *table, const BotField *field, const char *path,
                       JsonNode *node, GError **error)
{
    switch (field->type) {
    case BOT_FIELD_STRING:
        return check_string(field, path, node, error);
    case BOT_FIELD_BOOL:
        return (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_BOOLEAN) ||
               refuse(error, field, path, node, "true or false");
    case BOT_FIELD_INT:
        return check_int(field, path, node, error);
    case BOT_FIELD_STRINGS:
        return check_strings(field, path, node, error);
    case BOT_FIELD_HEADERS:
        return check_headers(field, path, node, error);
    case BOT_FIELD_OBJECT:
        if (!JSON_NODE_HOLDS_OBJECT(node)) {
            return refuse(error, field, path, node, "an object");
        }
        return check_members(table, path, json_node_get_object(node), error);
    case BOT_FIELD_ANY:
        return true;
    }
    g_assert_not_reached();
}

static bool check_node(const BotFieldTable *table, const BotField *field, const char *path,
                       JsonNode *node, GError **error)
{
    if (JSON_NODE_HOLDS_NULL(node) && (field->flags & BOT_FIELD_REQUIRED) == 0) {
        return true; /* the HTTP APIs send null for "not given" */
    }
    if (!check_type(table, field, path, node, error)) {
        return false;
    }
    if ((field->flags & BOT_FIELD_UNSUPPORTED) != 0 && !is_default(field, node)) {
        g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_UNSUPPORTED,
                    "$.%s: not supported by this version of the worker; leave it out", path);
        return false;
    }
    return true;
}

JsonObject *bot_fields_parent(JsonObject *document, const char *path, const char **ret_name)
{
    JsonObject *object = document;
    const char *dot;
    while ((dot = strchr(path, '.')) != NULL) {
        g_autofree char *name = g_strndup(path, (gsize)(dot - path));
        if (!json_object_has_member(object, name)) {
            json_object_set_object_member(object, name, json_object_new());
        }
        object = json_object_get_object_member(object, name);
        path = dot + 1;
    }
    *ret_name = path;
    return object;
}

static void drop_nulls(const BotFieldTable *table, const char *prefix, JsonObject *object)
{
    g_autoptr(GList) names = json_object_get_members(object);
    for (GList *item = names; item != NULL; item = item->next) {
        const char *name = item->data;
        JsonNode *node = json_object_get_member(object, name);
        g_autofree char *path =
            prefix[0] == '\0' ? g_strdup(name) : g_strdup_printf("%s.%s", prefix, name);
        const BotField *field = find_field(table, path);
        if (JSON_NODE_HOLDS_NULL(node)) {
            json_object_remove_member(object, name);
        } else if (JSON_NODE_HOLDS_OBJECT(node) && field != NULL &&
                   field->type == BOT_FIELD_OBJECT) {
            drop_nulls(table, path, json_node_get_object(node));
        }
    }
}

bool bot_fields_fill_in(const BotFieldTable *table, JsonObject *document, GError **error)
{
    drop_nulls(table, "", document);
    for (const BotField *field = table->fields; field->path != NULL; field++) {
        const char *name;
        bool required = (field->flags & BOT_FIELD_REQUIRED) != 0;
        if (!required && field->fallback == NULL) {
            continue; /* nor is an object made to hold it */
        }
        JsonObject *parent = bot_fields_parent(document, field->path, &name);
        if (json_object_has_member(parent, name)) {
            continue;
        }
        if (required) {
            g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD,
                        "$.%s: missing; expected %s", field->path, field->help);
            return false;
        }
        if (field->fallback != NULL) {
            json_object_set_member(parent, name, json_from_string(field->fallback, NULL));
        }
    }
    return true;
}

bool bot_fields_check(const BotFieldTable *table, JsonObject *document, GError **error)
{
    return check_members(table, "", document, error);
}
