/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/control_message.h"

#include "orchestrator/json.h"

#include <string.h>

G_DEFINE_QUARK(orch_control_error, orch_control_error)

#define MAX_ID_CHARS 200
#define MAX_TEXT_CHARS 2000

static bool wrong(GError **error, const char *text)
{
    g_set_error_literal(error, ORCH_CONTROL_ERROR, ORCH_CONTROL_ERROR_MESSAGE, text);
    return false;
}

static bool parse_hello(JsonObject *object, OrchControlMessage *message, GError **error)
{
    JsonNode *bot_id = json_object_get_member(object, "bot_id");
    message->last_seq = orch_json_int(object, "last_seq", -1);
    if (message->last_seq < 0) {
        return wrong(error, "$.last_seq: a hello needs a whole number from 0");
    }
    if (bot_id == NULL || JSON_NODE_HOLDS_NULL(bot_id)) {
        return true;
    }
    const char *text = orch_json_string(object, "bot_id");
    if (text == NULL || text[0] == '\0' || g_utf8_strlen(text, -1) > MAX_ID_CHARS) {
        return wrong(error, "$.bot_id: a hello needs a string of 1 to 200 characters, or null");
    }
    message->bot_id = g_strdup(text);
    return true;
}

static bool parse_event(JsonObject *object, OrchControlMessage *message, GError **error)
{
    JsonObject *event = orch_json_object(object, "event");
    if (event == NULL || orch_json_string(event, "type") == NULL ||
        orch_json_int(event, "seq", 0) < 1) {
        return wrong(error, "$.event: expected an object with type and a seq from 1");
    }
    message->event = json_object_ref(event);
    return true;
}

static char *get_text(JsonObject *object, const char *name)
{
    const char *text = object != NULL ? orch_json_string(object, name) : NULL;
    return text != NULL ? g_utf8_substring(text, 0, MIN(g_utf8_strlen(text, -1), MAX_TEXT_CHARS))
                        : g_strdup("");
}

static bool parse_result(JsonObject *object, OrchControlMessage *message, GError **error)
{
    const char *id = orch_json_string(object, "id");
    if (id == NULL || g_utf8_strlen(id, -1) > MAX_ID_CHARS) {
        return wrong(error, "$.id: a result needs a string of at most 200 characters");
    }
    message->id = g_strdup(id);
    message->ok = orch_json_bool(object, "ok", false);
    if (!message->ok) {
        JsonObject *detail = orch_json_object(object, "error");
        message->code = get_text(detail, "code");
        message->message = get_text(detail, "message");
    }
    return true;
}

bool orch_control_message_parse(const char *text, gsize length, OrchControlMessage *ret_message,
                                GError **error)
{
    static const struct {
        const char *name;
        bool (*parse)(JsonObject *object, OrchControlMessage *message, GError **error);
    } types[] = {
        [ORCH_CONTROL_HELLO] = {"hello", parse_hello},
        [ORCH_CONTROL_EVENT] = {"event", parse_event},
        [ORCH_CONTROL_RESULT] = {"result", parse_result},
    };
    if (length > ORCH_CONTROL_MAX_BYTES) {
        return wrong(error, "the message is larger than 1 MiB");
    }
    g_autoptr(JsonObject) object = orch_json_parse_object(text, length, NULL);
    if (object == NULL) {
        return wrong(error, "the message is not a JSON object");
    }
    const char *type = orch_json_string(object, "type");
    for (guint i = 0; type != NULL && i < G_N_ELEMENTS(types); i++) {
        if (strcmp(types[i].name, type) == 0) {
            OrchControlMessage message = {.type = (OrchControlType)i};
            if (!types[i].parse(object, &message, error)) {
                return false;
            }
            *ret_message = message;
            return true;
        }
    }
    return wrong(error, "$.type: expected \"hello\", \"event\" or \"result\"");
}

void orch_control_message_clear(OrchControlMessage *message)
{
    g_clear_pointer(&message->bot_id, g_free);
    g_clear_pointer(&message->event, json_object_unref);
    g_clear_pointer(&message->id, g_free);
    g_clear_pointer(&message->code, g_free);
    g_clear_pointer(&message->message, g_free);
}

char *orch_control_ack(gint64 seq)
{
    return g_strdup_printf("{\"type\":\"ack\",\"seq\":%" G_GINT64_FORMAT "}", seq);
}

char *orch_control_command(const char *id, const char *name, JsonObject *args)
{
    g_autoptr(JsonObject) message = json_object_new();
    json_object_set_string_member(message, "type", "command");
    json_object_set_string_member(message, "id", id);
    json_object_set_string_member(message, "name", name);
    if (args != NULL) {
        json_object_set_object_member(message, "args", json_object_ref(args));
    }
    return orch_json_print(message);
}
