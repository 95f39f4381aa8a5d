/* SPDX-License-Identifier: Apache-2.0 */
#include "media/json.h"

#include <gio/gio.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_DEPTH 4

static unsigned depth_of(JsonNode *node);

static void see_member(JsonObject *object, const char *name, JsonNode *node, gpointer user_data)
{
    unsigned *depth = user_data;
    g_assert_true(g_utf8_validate(name, -1, NULL));
    *depth = MAX(*depth, depth_of(node));
}

static void see_element(JsonArray *array, guint i, JsonNode *node, gpointer user_data)
{
    unsigned *depth = user_data;
    *depth = MAX(*depth, depth_of(node));
}

static unsigned depth_of(JsonNode *node)
{
    unsigned depth = 0;
    if (JSON_NODE_HOLDS_OBJECT(node)) {
        json_object_foreach_member(json_node_get_object(node), see_member, &depth);
    } else if (JSON_NODE_HOLDS_ARRAY(node)) {
        json_array_foreach_element(json_node_get_array(node), see_element, &depth);
    } else {
        const char *text = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
        g_assert_true(text == NULL || g_utf8_validate(text, -1, NULL));
        return 0;
    }
    return depth + 1;
}

/* Whatever a stranger sends: text that is text, no deeper than asked for, or an error that can be
 * sent back. What is taken strictly is taken leniently, too. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    const char *text = (const char *)data;
    g_autoptr(JsonObject) lenient =
        media_json_parse(text, size, MAX_DEPTH, MEDIA_JSON_MEND_NO_TEXT, &error);
    g_autoptr(JsonObject) strict =
        media_json_parse(text, size, MAX_DEPTH, MEDIA_JSON_REFUSE_NO_TEXT, NULL);
    g_assert_true((lenient == NULL) == (error != NULL));
    g_assert_true(strict == NULL || lenient != NULL);
    if (error != NULL) {
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
        return 0;
    }
    g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), lenient);
    g_assert_cmpuint(depth_of(root), <=, MAX_DEPTH);
    return 0;
}
