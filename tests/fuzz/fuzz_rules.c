/* SPDX-License-Identifier: Apache-2.0 */
/* A rules file, which an operator may replace: one that is taken is whole. A line that begins with
 * a path of a small good one ("purposes.not_found.0.css") puts what follows it there. */
#include "platforms/rules.h"

#include "platforms/adapter/flow.h"
#include "platforms/json.h"
#include "tests/fuzz/small_rules.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_taken(PlatformRules *rules)
{
    for (int i = 0; i < FLOW_N_PURPOSES; i++) {
        bool has = platform_rules_has(rules, flow_purpose_names[i]);
        const char *message =
            platform_rules_get_message(rules, flow_purpose_names[i], "x", "fallback");
        g_assert_true(message != NULL && (has || strcmp(message, "fallback") == 0));
    }
    const char *script = platform_rules_get_script(rules);
    g_autoptr(JsonObject) object = platform_json_parse(script, strlen(script), NULL);
    g_assert_nonnull(object);
    g_assert_nonnull(platform_json_object(object, "purposes"));
    int64_t limit = platform_rules_get_number(rules, "chat_limit", 16);
    g_assert_true(limit >= 16);
    g_assert_cmpint(platform_rules_get_number(rules, "poll_ms", 1), >=, 1);
    platform_rules_is_host(rules, "home", "https://meet.google.com/abc-defg-hij");
    platform_rules_is_host(rules, "sign_in", "https://x.y.example:1/?#");
    for (int i = 0; i < PLATFORM_N_WIRES; i++) {
        for (const char *const *name = platform_rules_get_wire(rules, i); *name != NULL; name++) {
            g_assert_nonnull(*name);
        }
    }
}

static void parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PlatformRules) rules =
        platform_rules_parse(text, "fuzzed", "meet", flow_purpose_names, &error);
    g_assert_true((rules != NULL) == (error == NULL));
    if (rules != NULL) {
        check_taken(rules);
    }
}

/* The node at @path, where @value goes; what is not there is left alone. */
static void put(JsonNode *root, char **path, JsonNode *value)
{
    JsonNode *node = root;
    for (; path[0] != NULL && path[1] != NULL && node != NULL; path++) {
        guint64 index = 0;
        if (JSON_NODE_HOLDS_OBJECT(node)) {
            node = json_object_get_member(json_node_get_object(node), path[0]);
        } else if (JSON_NODE_HOLDS_ARRAY(node) &&
                   g_ascii_string_to_unsigned(path[0], 10, 0, 1000, &index, NULL) &&
                   index < json_array_get_length(json_node_get_array(node))) {
            node = json_array_get_element(json_node_get_array(node), (guint)index);
        } else {
            node = NULL;
        }
    }
    if (path[0] != NULL && node != NULL && JSON_NODE_HOLDS_OBJECT(node)) {
        json_object_set_member(json_node_get_object(node), path[0], json_node_copy(value));
    }
}

static void change_good(const char *text)
{
    g_autofree char *good = small_rules("meet");
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(root, platform_json_parse(good, strlen(good), NULL));
    g_auto(GStrv) lines = g_strsplit(text, "\n", 20);
    for (char **line = lines; *line != NULL; line++) {
        char *blank = strchr(*line, ' ');
        g_autoptr(JsonNode) value = blank != NULL ? json_from_string(blank + 1, NULL) : NULL;
        if (value != NULL) {
            *blank = '\0';
            g_auto(GStrv) path = g_strsplit(*line, ".", 8);
            put(root, path, value);
        }
    }
    g_autofree char *changed = json_to_string(root, FALSE);
    parse(changed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    if (*text == '{') {
        parse(text);
    } else {
        change_good(text);
    }
    return 0;
}
