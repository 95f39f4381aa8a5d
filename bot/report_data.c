/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/report_data.h"

#include <glib.h>

char *bot_report_iso_time(int64_t unix_ms)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(unix_ms / 1000);
    if (time == NULL) {
        return g_strdup("1970-01-01T00:00:00.000Z");
    }
    g_autofree char *seconds = g_date_time_format(time, "%Y-%m-%dT%H:%M:%S");
    return g_strdup_printf("%s.%03dZ", seconds, (int)(unix_ms % 1000));
}

static void set_status_members(JsonObject *object, const BotStatusReport *status)
{
    json_object_set_string_member(object, "code", status->code);
    if (status->start_time_unix_ms > 0) {
        json_object_set_int_member(object, "start_time", status->start_time_unix_ms);
    }
    if (status->error_message != NULL) {
        json_object_set_string_member(object, "error_message", status->error_message);
        json_object_set_string_member(object, "error_type", status->error_type);
    }
}

JsonObject *bot_report_status_members(const BotStatusReport *status)
{
    JsonObject *members = json_object_new();
    set_status_members(members, status);
    return members;
}

static const char *get_string(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    bool is_string = node != NULL && JSON_NODE_HOLDS_VALUE(node) &&
                     json_node_get_value_type(node) == G_TYPE_STRING;
    return is_string ? json_node_get_string(node) : NULL;
}

bool bot_report_status_parse(JsonObject *members, BotStatusReport *ret_status)
{
    BotStatusReport status = {.code = get_string(members, "code"),
                              .error_message = get_string(members, "error_message"),
                              .error_type = get_string(members, "error_type")};
    JsonNode *start = json_object_get_member(members, "start_time");
    if (start != NULL && JSON_NODE_HOLDS_VALUE(start)) {
        status.start_time_unix_ms = json_node_get_int(start);
    }
    if (status.code == NULL) {
        return false;
    }
    if (status.error_message != NULL && status.error_type == NULL) {
        status.error_type = "internal";
    }
    *ret_status = status;
    return true;
}

JsonObject *bot_report_status_data(const char *bot_id, const BotStatusReport *report,
                                   int64_t time_unix_ms)
{
    JsonObject *status = json_object_new();
    g_autofree char *created_at = bot_report_iso_time(time_unix_ms);
    set_status_members(status, report);
    json_object_set_string_member(status, "created_at", created_at);
    JsonObject *data = json_object_new();
    json_object_set_string_member(data, "bot_id", bot_id);
    json_object_set_object_member(data, "status", status);
    return data;
}

static JsonObject *new_final_data(const char *bot_id, JsonNode *extra)
{
    JsonObject *data = json_object_new();
    json_object_set_string_member(data, "bot_id", bot_id);
    if (extra != NULL) {
        json_object_set_member(data, "extra", json_node_copy(extra));
    }
    return data;
}

JsonObject *bot_report_complete_data(const char *bot_id, JsonNode *extra,
                                     const BotCompleteReport *complete)
{
    JsonObject *data = new_final_data(bot_id, extra);
    json_object_set_string_member(data, "event", "complete");
    json_object_set_string_member(data, "end_reason", complete->end_reason);
    json_object_set_string_member(data, "mp4",
                                  complete->recording_url != NULL ? complete->recording_url : "");
    json_object_set_array_member(data, "speakers", json_array_ref(complete->speakers));
    return data;
}

JsonObject *bot_report_failed_data(const char *bot_id, JsonNode *extra,
                                   const BotFailedReport *failed)
{
    JsonObject *data = new_final_data(bot_id, extra);
    json_object_set_string_member(data, "error", failed->error);
    json_object_set_string_member(data, "error_code", failed->error_code);
    json_object_set_string_member(data, "message", failed->message);
    return data;
}
