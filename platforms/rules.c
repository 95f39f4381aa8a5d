/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/rules.h"

#include "platforms/json.h"
#include "platforms/platform.h"
#include "platforms/resources.h"

#include <string.h>

#define RULES_VERSION 1
#define MAX_NUMBER 3600000

struct PlatformRules {
    JsonObject *root;               /* owned */
    char *script;                   /* owned */
    char **wires[PLATFORM_N_WIRES]; /* owned */
};

typedef enum {
    KIND_STRING,
    KIND_STRINGS,
    KIND_BOOL,
    KIND_MATCH,
    KIND_IN,
    KIND_CLICK,
    KIND_SIZE,
} FieldKind;

typedef struct {
    const char *name;
    FieldKind kind;
} Field;

static const Field candidate_fields[] = {
    {"id", KIND_STRING},
    {"css", KIND_STRING},
    {"attribute", KIND_STRING},
    {"text", KIND_STRINGS},
    {"match", KIND_MATCH},
    {"in", KIND_IN},
    {"hidden", KIND_BOOL},
    {"click", KIND_CLICK},
    {"in_excluded", KIND_BOOL},
    {"keys", KIND_BOOL},
    {"unverified", KIND_BOOL},
    {"name", KIND_STRINGS},
    {"unless", KIND_STRINGS},
    {"min_size", KIND_SIZE},
    {"lobby_too", KIND_BOOL},
    {"message", KIND_STRING},
    {NULL},
};
static const Field click_fields[] = {{"css", KIND_STRING}, {"text", KIND_STRINGS}, {NULL}};

static bool wrong(GError **error, const char *path, const char *expected)
{
    g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_RULES, "%s: expected %s", path, expected);
    return false;
}

static const char *string_of(JsonNode *node)
{
    return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

static bool check_strings(JsonNode *node, const char *path, GError **error)
{
    JsonArray *array = JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    bool good = array != NULL;
    for (guint i = 0; good && i < json_array_get_length(array); i++) {
        good = string_of(json_array_get_element(array, i)) != NULL;
    }
    return good || wrong(error, path, "an array of strings");
}

/* Width and height. */
static bool check_size(JsonNode *node, const char *path, GError **error)
{
    JsonArray *array = JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    bool good = array != NULL && json_array_get_length(array) == 2;
    for (guint i = 0; good && i < 2; i++) {
        JsonNode *value = json_array_get_element(array, i);
        good = JSON_NODE_HOLDS_VALUE(value) && json_node_get_value_type(value) == G_TYPE_INT64 &&
               json_node_get_int(value) > 0;
    }
    return good || wrong(error, path, "[width, height] in CSS pixels");
}

static bool check_object(JsonNode *node, const Field *fields, const char *path, GError **error);

static bool check_clicks(JsonNode *node, const char *path, GError **error)
{
    if (!JSON_NODE_HOLDS_ARRAY(node)) {
        return wrong(error, path, "an array of {css, text}");
    }
    JsonArray *array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        g_autofree char *inner = g_strdup_printf("%s[%u]", path, i);
        JsonNode *click = json_array_get_element(array, i);
        if (!check_object(click, click_fields, inner, error)) {
            return false;
        }
        if (!json_object_has_member(json_node_get_object(click), "css")) {
            return wrong(error, inner, "a css");
        }
    }
    return true;
}

static bool check_field(JsonNode *node, FieldKind kind, const char *path, GError **error)
{
    const char *text = string_of(node);
    switch (kind) {
    case KIND_STRING:
        return (text != NULL && *text != '\0') || wrong(error, path, "a string");
    case KIND_STRINGS:
        return check_strings(node, path, error);
    case KIND_BOOL:
        return (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_BOOLEAN) ||
               wrong(error, path, "true or false");
    case KIND_MATCH:
        return g_strcmp0(text, "exact") == 0 || g_strcmp0(text, "contains") == 0 ||
               g_strcmp0(text, "all") == 0 || g_strcmp0(text, "begins") == 0 ||
               wrong(error, path, "exact, begins, contains or all");
    case KIND_IN:
        return g_strcmp0(text, "page") == 0 || g_strcmp0(text, "dialog") == 0 ||
               g_strcmp0(text, "title") == 0 || g_strcmp0(text, "url") == 0 ||
               wrong(error, path, "page, dialog, title or url");
    case KIND_CLICK:
        return check_clicks(node, path, error);
    case KIND_SIZE:
        return check_size(node, path, error);
    }
    g_assert_not_reached();
}

static bool check_object(JsonNode *node, const Field *fields, const char *path, GError **error)
{
    if (!JSON_NODE_HOLDS_OBJECT(node)) {
        return wrong(error, path, "an object");
    }
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;
    json_object_iter_init(&iter, json_node_get_object(node));
    while (json_object_iter_next(&iter, &name, &value)) {
        g_autofree char *inner = g_strdup_printf("%s.%s", path, name);
        const Field *field = fields;
        while (field->name != NULL && strcmp(field->name, name) != 0) {
            field++;
        }
        if (field->name == NULL) {
            return wrong(error, inner, "no such key");
        }
        if (!check_field(value, field->kind, inner, error)) {
            return false;
        }
    }
    return true;
}

static bool check_purpose(JsonNode *node, const char *path, GError **error)
{
    if (!JSON_NODE_HOLDS_ARRAY(node)) {
        return wrong(error, path, "an array of candidates");
    }
    g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);
    JsonArray *array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        g_autofree char *inner = g_strdup_printf("%s[%u]", path, i);
        JsonNode *candidate = json_array_get_element(array, i);
        if (!check_object(candidate, candidate_fields, inner, error)) {
            return false;
        }
        JsonObject *object = json_node_get_object(candidate);
        const char *id = platform_json_string(object, "id", NULL);
        if (id == NULL || !g_hash_table_add(ids, (gpointer)id)) {
            return wrong(error, inner, "an id that no other candidate has");
        }
        if (!json_object_has_member(object, "css") && !json_object_has_member(object, "text")) {
            return wrong(error, inner, "a css or a text");
        }
        if (json_object_has_member(object, "name") && !json_object_has_member(object, "css")) {
            return wrong(error, inner, "a css beside the name");
        }
    }
    return true;
}

static bool check_purposes(JsonObject *root, const char *const *purposes, GError **error)
{
    JsonObject *all = platform_json_object(root, "purposes");
    if (all == NULL) {
        return wrong(error, "$.purposes", "an object");
    }
    for (size_t i = 0; purposes[i] != NULL; i++) {
        if (!json_object_has_member(all, purposes[i])) {
            g_autofree char *path = g_strdup_printf("$.purposes.%s", purposes[i]);
            return wrong(error, path, "candidates for this purpose");
        }
    }
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;
    json_object_iter_init(&iter, all);
    while (json_object_iter_next(&iter, &name, &node)) {
        g_autofree char *path = g_strdup_printf("$.purposes.%s", name);
        if (!check_purpose(node, path, error)) {
            return false;
        }
    }
    return true;
}

/* What a name's slip would leave without effect: @object has no key but @names. */
static bool check_keys(JsonObject *object, const char *const *names, const char *path,
                       GError **error)
{
    g_autoptr(GList) keys = object != NULL ? json_object_get_members(object) : NULL;
    for (GList *l = keys; l != NULL; l = l->next) {
        if (!g_strv_contains(names, l->data)) {
            g_autofree char *inner = g_strdup_printf("%s.%s", path, (const char *)l->data);
            return wrong(error, inner, "no such key");
        }
    }
    return true;
}

static bool check_all_keys(JsonObject *root, GError **error)
{
    static const char *const top[] = {"version", "platform",    "timing",     "hosts",
                                      "wire",    "in_call_min", "chat_limit", "stand_in_px",
                                      "exclude", "dialogs",     "purposes",   NULL};
    static const char *const timing[] = {"poll_ms",
                                         "frozen_ms",
                                         "prejoin_ms",
                                         "rejoin_ms",
                                         "vanished_ms",
                                         "network_lost_ms",
                                         "elsewhere_ms",
                                         "lobby_hint_ms",
                                         "infer_lobby_ms",
                                         "reload_ms",
                                         "chat_ms",
                                         "leave_settle_ms",
                                         NULL};
    static const char *const hosts[] = {"home", "sign_in", NULL};
    static const char *const wire[] = {"channels", "fetches",    "sockets",
                                       "sends",    "attributes", NULL};
    return check_keys(root, top, "$", error) &&
           check_keys(platform_json_object(root, "timing"), timing, "$.timing", error) &&
           check_keys(platform_json_object(root, "hosts"), hosts, "$.hosts", error) &&
           check_keys(platform_json_object(root, "wire"), wire, "$.wire", error);
}

static bool check_numbers(JsonObject *root, GError **error)
{
    JsonObject *timing = platform_json_object(root, "timing");
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;
    if (timing == NULL) {
        return !json_object_has_member(root, "timing") || wrong(error, "$.timing", "an object");
    }
    json_object_iter_init(&iter, timing);
    while (json_object_iter_next(&iter, &name, &node)) {
        int64_t value = platform_json_int(timing, name, 0);
        if (value < 1 || value > MAX_NUMBER) {
            g_autofree char *path = g_strdup_printf("$.timing.%s", name);
            return wrong(error, path, "milliseconds, 1 to 3600000");
        }
    }
    return true;
}

static bool check_counts(JsonObject *root, GError **error)
{
    static const struct {
        const char *name;
        int64_t min;
        const char *expected;
    } counts[] = {{"chat_limit", 16, "characters, 16 to 100000000"},
                  {"in_call_min", 1, "how many marks make a call"},
                  {"stand_in_px", 1, "pixels"}};
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        int64_t value = platform_json_int(root, counts[i].name, 0);
        bool good = value >= counts[i].min && value <= 100000000;
        if (json_object_has_member(root, counts[i].name) && !good) {
            g_autofree char *path = g_strdup_printf("$.%s", counts[i].name);
            return wrong(error, path, counts[i].expected);
        }
    }
    return true;
}

static bool check_root(JsonObject *root, const char *platform, const char *const *purposes,
                       GError **error)
{
    if (platform_json_int(root, "version", 0) != RULES_VERSION) {
        return wrong(error, "$.version", "1");
    }
    if (g_strcmp0(platform_json_string(root, "platform", NULL), platform) != 0) {
        return wrong(error, "$.platform", platform);
    }
    if (platform_json_string(root, "dialogs", NULL) == NULL) {
        return wrong(error, "$.dialogs", "a string");
    }
    return check_all_keys(root, error) && check_numbers(root, error) && check_counts(root, error) &&
           check_purposes(root, purposes, error);
}

static char *make_script(JsonObject *root)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "exclude", platform_json_string(root, "exclude", ""));
    json_object_set_string_member(object, "dialogs", platform_json_string(root, "dialogs", ""));
    json_object_set_int_member(object, "in_call_min", platform_json_int(root, "in_call_min", 1));
    json_object_set_member(object, "purposes",
                           json_node_copy(json_object_get_member(root, "purposes")));
    json_node_take_object(node, object);
    return json_to_string(node, FALSE);
}

/* "hosts": where the meeting's page is at home, and where it sends people to sign in. */
static bool check_hosts(JsonObject *root, GError **error)
{
    static const char *const names[] = {"home", "sign_in"};
    JsonObject *hosts = platform_json_object(root, "hosts");
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_strdup_printf("$.hosts.%s", names[i]);
        JsonNode *node = hosts != NULL ? json_object_get_member(hosts, names[i]) : NULL;
        if (node == NULL) {
            return wrong(error, path, "an array of strings");
        }
        if (!check_strings(node, path, error)) {
            return false;
        }
    }
    return true;
}

static bool read_wire(JsonObject *root, const char *name, bool needed, char ***ret_strings,
                      GError **error)
{
    JsonObject *wire = platform_json_object(root, "wire");
    JsonNode *node = wire != NULL ? json_object_get_member(wire, name) : NULL;
    g_autofree char *path = g_strdup_printf("$.wire.%s", name);
    if (node == NULL && !needed) {
        *ret_strings = g_new0(char *, 1);
        return true;
    }
    if (node == NULL) {
        return wrong(error, path, "an array of strings");
    }
    if (!check_strings(node, path, error)) {
        return false;
    }
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    JsonArray *array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        g_strv_builder_add(builder, json_array_get_string_element(array, i));
    }
    *ret_strings = g_strv_builder_end(builder);
    return true;
}

static bool read_wires(PlatformRules *rules, GError **error)
{
    static const char *const names[] = {"channels", "fetches", "sockets", "sends", "attributes"};
    for (int i = 0; i < PLATFORM_N_WIRES; i++) {
        if (!read_wire(rules->root, names[i], i <= PLATFORM_WIRE_FETCHES, &rules->wires[i],
                       error)) {
            return false;
        }
    }
    return true;
}

PlatformRules *platform_rules_parse(const char *text, const char *source, const char *platform,
                                    const char *const *purposes, GError **error)
{
    g_autoptr(PlatformRules) rules = g_new0(PlatformRules, 1);
    g_autoptr(GError) cause = NULL;
    rules->root = platform_json_parse(text, strlen(text), &cause);
    if (rules->root == NULL || !check_root(rules->root, platform, purposes, &cause) ||
        !check_hosts(rules->root, &cause) || !read_wires(rules, &cause)) {
        g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_RULES, "%s: %s", source,
                    cause != NULL ? cause->message : "wrong");
        return NULL;
    }
    rules->script = make_script(rules->root);
    return g_steal_pointer(&rules);
}

PlatformRules *platform_rules_load(const char *platform, const char *const *purposes,
                                   GError **error)
{
    const char *dir = g_getenv("STENO_PLATFORM_DIR");
    g_autofree char *name = g_strconcat(platform, ".json", NULL);
    g_autofree char *path = dir != NULL ? g_build_filename(dir, name, NULL) : NULL;
    if (path != NULL && g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_autofree char *text = NULL;
        g_autoptr(GError) cause = NULL;
        if (!g_file_get_contents(path, &text, NULL, &cause)) {
            g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_RULES, "%s", cause->message);
            return NULL;
        }
        return platform_rules_parse(text, path, platform, purposes, error);
    }
    g_autofree char *resource = g_strdup_printf("/steno/%s/rules.json", platform);
    g_autoptr(GBytes) bytes = g_resource_lookup_data(platforms_get_resource(), resource, 0, error);
    return bytes != NULL ? platform_rules_parse(g_bytes_get_data(bytes, NULL), resource, platform,
                                                purposes, error)
                         : NULL;
}

void platform_rules_free(PlatformRules *rules)
{
    if (rules == NULL) {
        return;
    }
    g_clear_pointer(&rules->root, json_object_unref);
    g_free(rules->script);
    for (int i = 0; i < PLATFORM_N_WIRES; i++) {
        g_strfreev(rules->wires[i]);
    }
    g_free(rules);
}

const char *platform_rules_get_script(PlatformRules *rules)
{
    return rules->script;
}

int64_t platform_rules_get_number(PlatformRules *rules, const char *name, int64_t fallback)
{
    JsonObject *timing = platform_json_object(rules->root, "timing");
    return platform_json_int(timing, name, platform_json_int(rules->root, name, fallback));
}

bool platform_rules_has(PlatformRules *rules, const char *purpose)
{
    JsonArray *candidates =
        platform_json_array(platform_json_object(rules->root, "purposes"), purpose);
    return candidates != NULL && json_array_get_length(candidates) > 0;
}

const char *platform_rules_get_message(PlatformRules *rules, const char *purpose, const char *id,
                                       const char *fallback)
{
    JsonArray *candidates =
        platform_json_array(platform_json_object(rules->root, "purposes"), purpose);
    for (guint i = 0; candidates != NULL && i < json_array_get_length(candidates); i++) {
        JsonObject *candidate = json_array_get_object_element(candidates, i);
        if (g_strcmp0(platform_json_string(candidate, "id", NULL), id) == 0) {
            return platform_json_string(candidate, "message", fallback);
        }
    }
    return fallback;
}

bool platform_rules_is_host(PlatformRules *rules, const char *what, const char *url)
{
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_ENCODED, NULL);
    if (uri == NULL || strcmp(g_uri_get_scheme(uri), "https") != 0 || g_uri_get_host(uri) == NULL) {
        return false;
    }
    g_autofree char *host = g_ascii_strdown(g_uri_get_host(uri), -1);
    JsonArray *hosts = platform_json_array(platform_json_object(rules->root, "hosts"), what);
    for (guint i = 0; hosts != NULL && i < json_array_get_length(hosts); i++) {
        const char *home = json_array_get_string_element(hosts, i);
        size_t length = strlen(host), tail = strlen(home);
        if (g_str_has_suffix(host, home) && (length == tail || host[length - tail - 1] == '.')) {
            return true;
        }
    }
    return false;
}

const char *const *platform_rules_get_wire(PlatformRules *rules, PlatformWire wire)
{
    return (const char *const *)rules->wires[wire];
}
