/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/gaps.h"

#include "platforms/json.h"

#include <string.h>

#define MAX_GAPS 1000 /* of a hostile log; a bot gives up long before */

typedef struct {
    char *reason; /* owned */
    double at_s;
    int64_t from_unix_ms;
    double missing_s; /* -1: lasts */
} Gap;

struct BotGaps {
    GArray *array; /* of Gap */
};

static void gap_clear(gpointer data)
{
    g_free(((Gap *)data)->reason);
}

BotGaps *bot_gaps_new(void)
{
    BotGaps *gaps = g_new0(BotGaps, 1);
    gaps->array = g_array_new(FALSE, FALSE, sizeof(Gap));
    g_array_set_clear_func(gaps->array, gap_clear);
    return gaps;
}

void bot_gaps_free(BotGaps *gaps)
{
    g_array_unref(gaps->array);
    g_free(gaps);
}

/* The gap that lasts, or NULL. */
static Gap *open_gap(BotGaps *gaps)
{
    Gap *last =
        gaps->array->len > 0 ? &g_array_index(gaps->array, Gap, gaps->array->len - 1) : NULL;
    return last != NULL && last->missing_s < 0 ? last : NULL;
}

static void add(BotGaps *gaps, const char *reason, double at_s, int64_t from_unix_ms)
{
    Gap gap = {g_strdup(reason), at_s, from_unix_ms, -1};
    g_array_append_val(gaps->array, gap);
}

JsonObject *bot_gaps_begin(BotGaps *gaps, const char *reason, const char *message, double at_s,
                           int64_t unix_ms)
{
    if (open_gap(gaps) != NULL || gaps->array->len >= MAX_GAPS) {
        return NULL;
    }
    add(gaps, reason, at_s, unix_ms);
    JsonObject *members = json_object_new();
    json_object_set_string_member(members, "op", "begin");
    json_object_set_string_member(members, "reason", reason);
    json_object_set_string_member(members, "message", message);
    json_object_set_double_member(members, "at_s", at_s);
    return members;
}

JsonObject *bot_gaps_end(BotGaps *gaps, int64_t unix_ms)
{
    Gap *gap = open_gap(gaps);
    if (gap == NULL) {
        return NULL;
    }
    gap->missing_s = (double)MAX(unix_ms - gap->from_unix_ms, 0) / 1000;
    JsonObject *members = json_object_new();
    json_object_set_string_member(members, "op", "end");
    json_object_set_double_member(members, "at_s", gap->at_s);
    json_object_set_double_member(members, "missing_s", gap->missing_s);
    return members;
}

static double get_double(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    bool is_number = node != NULL && JSON_NODE_HOLDS_VALUE(node) &&
                     (json_node_get_value_type(node) == G_TYPE_DOUBLE ||
                      json_node_get_value_type(node) == G_TYPE_INT64);
    return is_number ? json_node_get_double(node) : 0;
}

void bot_gaps_replay(BotGaps *gaps, JsonObject *event)
{
    if (strcmp(platform_json_string(event, "type", ""), "gap") != 0) {
        return;
    }
    Gap *gap = open_gap(gaps);
    if (strcmp(platform_json_string(event, "op", ""), "end") == 0) {
        if (gap != NULL) {
            gap->missing_s = MAX(get_double(event, "missing_s"), 0);
        }
    } else if (gap == NULL && gaps->array->len < MAX_GAPS) {
        add(gaps, platform_json_string(event, "reason", "page_lost"), get_double(event, "at_s"),
            (int64_t)get_double(event, "time"));
    }
}

JsonArray *bot_gaps_to_json(const BotGaps *gaps)
{
    JsonArray *array = json_array_new();
    for (guint i = 0; i < gaps->array->len; i++) {
        const Gap *gap = &g_array_index(gaps->array, Gap, i);
        JsonObject *object = json_object_new();
        json_object_set_double_member(object, "at_s", gap->at_s);
        json_object_set_string_member(object, "reason", gap->reason);
        if (gap->missing_s >= 0) {
            json_object_set_double_member(object, "missing_s", gap->missing_s);
        } else {
            json_object_set_null_member(object, "missing_s");
        }
        json_array_add_object_element(array, object);
    }
    return array;
}
