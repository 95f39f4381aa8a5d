/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/attendee_read.h"
#include "orchestrator/json.h"
#include "orchestrator/mbaas.h"
#include "orchestrator/route.h"
#include "tests/orchestrator/client.h"

#include <string.h>

/* The document that the server gives is about the routes that it has, and no others. */

static JsonObject *load(Client *client)
{
    client_set_up(client, NULL);
    client_call(client, "GET", "/openapi.json", NULL, NULL);
    g_assert_cmpuint(client->status, ==, 200);
    return client->json;
}

/* "/files/{bot}/{name...}" stands as "/files/{bot}/{name}". */
static char *path_in_document(const OrchRoute *route)
{
    g_auto(GStrv) parts = g_strsplit(route->path, "...}", 2);
    return g_strjoinv("}", parts);
}

static JsonObject *find_operation(JsonObject *document, const OrchRoute *route)
{
    g_autofree char *path = path_in_document(route);
    g_autofree char *method = g_ascii_strdown(route->method, -1);
    JsonObject *item = orch_json_object(orch_json_object(document, "paths"), path);
    return item != NULL ? orch_json_object(item, method) : NULL;
}

static void assert_security(const OrchRoute *route, JsonObject *operation)
{
    static const char *const names[] = {
        [ORCH_AUTH_MBAAS] = "MeetingBaas",
        [ORCH_AUTH_ATTENDEE] = "Attendee",
        [ORCH_AUTH_CRONOFY] = "Cronofy",
    };
    JsonArray *security = orch_json_array(operation, "security");
    g_assert_nonnull(security);
    if (route->auth == ORCH_AUTH_NONE) {
        g_assert_cmpuint(json_array_get_length(security), ==, 0);
        return;
    }
    g_assert_true(json_object_has_member(orch_json_object_at(security, 0), names[route->auth]));
}

static void test_every_route_is_described(void)
{
    Client client = {0};
    JsonObject *document = load(&client);
    guint n = 0;
    for (const OrchRoute *const *table = orch_routes; *table != NULL; table++) {
        for (const OrchRoute *route = *table; route->method != NULL; route++, n++) {
            JsonObject *operation = find_operation(document, route);
            if (operation == NULL) {
                g_error("openapi.json has no %s %s", route->method, route->path);
            }
            g_assert_cmpstr(orch_json_string(operation, "operationId"), ==, route->operation);
            assert_security(route, operation);
            g_assert_true(route->takes_body ==
                          (orch_json_object(operation, "requestBody") != NULL));
        }
    }
    g_assert_cmpuint(n, >, 30);
    client_tear_down(&client);
}

static bool is_route(const char *method, const char *path)
{
    for (const OrchRoute *const *table = orch_routes; *table != NULL; table++) {
        for (const OrchRoute *route = *table; route->method != NULL; route++) {
            g_autofree char *in_document = path_in_document(route);
            if (g_ascii_strcasecmp(route->method, method) == 0 && strcmp(in_document, path) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void test_nothing_else_is_described(void)
{
    Client client = {0};
    JsonObject *paths = orch_json_object(load(&client), "paths");
    g_autoptr(GList) names = json_object_get_members(paths);
    for (GList *path = names; path != NULL; path = path->next) {
        g_autoptr(GList) methods = json_object_get_members(orch_json_object(paths, path->data));
        for (GList *method = methods; method != NULL; method = method->next) {
            if (!is_route(method->data, path->data)) {
                g_error("there is no route for %s %s", (char *)method->data, (char *)path->data);
            }
        }
    }
    client_tear_down(&client);
}

static void assert_fields(JsonObject *document, const char *schema, const BotFieldTable *table)
{
    JsonObject *schemas = orch_json_object(orch_json_object(document, "components"), "schemas");
    JsonObject *properties = orch_json_object(orch_json_object(schemas, schema), "properties");
    guint n = 0;
    for (const BotField *field = table->fields; field->path != NULL; field++) {
        if (strchr(field->path, '.') == NULL) {
            n++;
            if (!json_object_has_member(properties, field->path)) {
                g_error("%s has no %s", schema, field->path);
            }
        }
    }
    g_assert_cmpuint(json_object_get_size(properties), ==, n);
}

static void test_bodies_have_the_fields_that_are_checked(void)
{
    Client client = {0};
    JsonObject *document = load(&client);
    assert_fields(document, "Join", &orch_mbaas_join_table);
    assert_fields(document, "AttendeeCreate", &orch_attendee_create_table);
    client_tear_down(&client);
}

/* The names in the first column of the section's tables, and in the sentences around them. */
static GHashTable *documented(const char *section)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "..", "docs", "api.md", NULL);
    g_autofree char *text = NULL;
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    g_autofree char *heading = g_strconcat("\n### ", section, "\n", NULL);
    char *start = strstr(strstr(text, "\n## Every field"), heading);
    g_assert_nonnull(start);
    start += strlen(heading);
    char *end = strstr(start, "\n##");
    *end = '\0';
    GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_auto(GStrv) lines = g_strsplit(start, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        char *second = (*line)[0] == '|' ? strstr(*line, " | ") : NULL;
        if (second != NULL) {
            *second = '\0';
        }
        g_auto(GStrv) parts = g_strsplit(*line, "`", -1);
        for (guint i = 1; i < g_strv_length(parts); i += 2) {
            g_hash_table_add(names, g_strdup(parts[i]));
        }
    }
    return names;
}

static void assert_documented(GHashTable *names, const char *path)
{
    if (!g_hash_table_contains(names, path)) {
        g_error("docs/api.md does not say what %s does", path);
    }
}

/* Every property of @schema: of its alternatives, its members' and its items', too. */
static void walk(JsonObject *schemas, JsonObject *schema, const char *prefix, GHashTable *names)
{
    const char *ref = orch_json_string(schema, "$ref");
    if (ref != NULL) {
        schema = orch_json_object(schemas, strrchr(ref, '/') + 1);
    }
    JsonArray *alternatives = orch_json_array(schema, "anyOf");
    for (guint i = 0; alternatives != NULL && i < json_array_get_length(alternatives); i++) {
        walk(schemas, orch_json_object_at(alternatives, i), prefix, names);
    }
    if (orch_json_object(schema, "items") != NULL) {
        g_autofree char *item = g_strconcat(prefix, "[]", NULL);
        walk(schemas, orch_json_object(schema, "items"), item, names);
    }
    JsonObject *properties = orch_json_object(schema, "properties");
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;
    if (properties == NULL) {
        return;
    }
    json_object_iter_init(&iter, properties);
    while (json_object_iter_next(&iter, &name, &node)) {
        g_autofree char *path =
            *prefix != '\0' ? g_strconcat(prefix, ".", name, NULL) : g_strdup(name);
        assert_documented(names, path);
        walk(schemas, json_node_get_object(node), path, names);
    }
}

/* What a body may hold is said, all of it; and what is said may be sent. */
static void test_every_field_is_documented(void)
{
    static const struct {
        const char *section;
        const BotFieldTable *table;
        const char *schemas[6];
    } apis[] = {
        {"Meeting BaaS", &orch_mbaas_join_table, {"Join", "Retranscribe", "WebhookUrl"}},
        {"Attendee",
         &orch_attendee_create_table,
         {"AttendeeCreate", "AttendeePatch", "ChatSend", "Audio"}},
        {"Cronofy", &orch_cronofy_create_table, {"AgentCreate", "AgentCancel"}},
    };
    Client client = {0};
    JsonObject *document = load(&client);
    JsonObject *schemas = orch_json_object(orch_json_object(document, "components"), "schemas");
    for (gsize i = 0; i < G_N_ELEMENTS(apis); i++) {
        g_autoptr(GHashTable) names = documented(apis[i].section);
        for (gsize k = 0; apis[i].schemas[k] != NULL; k++) {
            walk(schemas, orch_json_object(schemas, apis[i].schemas[k]), "", names);
        }
        for (const BotField *field = apis[i].table->fields; field->path != NULL; field++) {
            assert_documented(names, field->path);
            g_assert_cmpstr(strstr(field->help, "left alone"), ==, NULL);
        }
    }
    client_tear_down(&client);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/openapi/every_route_is_described", test_every_route_is_described);
    g_test_add_func("/openapi/nothing_else_is_described", test_nothing_else_is_described);
    g_test_add_func("/openapi/bodies_have_the_fields_that_are_checked",
                    test_bodies_have_the_fields_that_are_checked);
    g_test_add_func("/openapi/every_field_is_documented", test_every_field_is_documented);
    return g_test_run();
}
