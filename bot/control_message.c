/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/control_message.h"

#include "platforms/json.h"

#include <string.h>
#include <unistd.h>

G_DEFINE_QUARK(bot_control_error, bot_control_error)

#define MAX_NAME 64

static bool wrong(GError **error, const char *text)
{
    g_set_error_literal(error, BOT_CONTROL_ERROR, BOT_CONTROL_ERROR_MESSAGE, text);
    return false;
}

static bool parse_ack(JsonObject *object, BotControlMessage *message, GError **error)
{
    message->type = BOT_CONTROL_ACK;
    message->seq = platform_json_int(object, "seq", -1);
    return message->seq >= 0 || wrong(error, "$.seq: an ack needs a whole number from 0");
}

static bool parse_command(JsonObject *object, BotControlMessage *message, GError **error)
{
    const char *id = platform_json_string(object, "id", "");
    const char *name = platform_json_string(object, "name", "");
    JsonNode *args = json_object_get_member(object, "args");
    if (id[0] == '\0' || g_utf8_strlen(id, -1) > BOT_CONTROL_MAX_ID) {
        return wrong(error, "$.id: a command needs a string of 1 to 200 characters");
    }
    if (name[0] == '\0' || g_utf8_strlen(name, -1) > MAX_NAME) {
        return wrong(error, "$.name: a command needs a string of 1 to 64 characters");
    }
    bool has_args = args != NULL && !JSON_NODE_HOLDS_NULL(args);
    if (has_args && !JSON_NODE_HOLDS_OBJECT(args)) {
        return wrong(error, "$.args: expected an object");
    }
    message->type = BOT_CONTROL_COMMAND;
    message->id = g_strdup(id);
    message->name = g_strdup(name);
    message->args = has_args ? json_object_ref(json_node_get_object(args)) : NULL;
    return true;
}

bool bot_control_message_parse(const char *text, gsize length, BotControlMessage *ret_message,
                               GError **error)
{
    if (length > BOT_CONTROL_MAX_BYTES) {
        return wrong(error, "the message is larger than 16 MiB");
    }
    g_autoptr(JsonObject) object = platform_json_parse(text, length, NULL);
    if (object == NULL) {
        return wrong(error, "the message is not a JSON object");
    }
    const char *type = platform_json_string(object, "type", "");
    BotControlMessage message = {0};
    bool parsed;
    if (strcmp(type, "ack") == 0) {
        parsed = parse_ack(object, &message, error);
    } else if (strcmp(type, "command") == 0) {
        parsed = parse_command(object, &message, error);
    } else {
        parsed = wrong(error, "$.type: expected \"ack\" or \"command\"");
    }
    if (parsed) {
        *ret_message = message;
    }
    return parsed;
}

void bot_control_message_clear(BotControlMessage *message)
{
    g_clear_pointer(&message->id, g_free);
    g_clear_pointer(&message->name, g_free);
    g_clear_pointer(&message->args, json_object_unref);
}

/* @object: (transfer full) */
static char *to_text(JsonObject *object)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(node, object);
    return json_to_string(node, FALSE);
}

static void set_string(JsonObject *object, const char *name, const char *value)
{
    if (value != NULL) {
        json_object_set_string_member(object, name, value);
    } else {
        json_object_set_null_member(object, name);
    }
}

char *bot_control_hello(const char *worker_id, const char *bot_id, gint64 last_seq)
{
    JsonObject *hello = json_object_new();
    json_object_set_string_member(hello, "type", "hello");
    set_string(hello, "worker_id", worker_id);
    set_string(hello, "bot_id", bot_id);
    json_object_set_int_member(hello, "last_seq", last_seq);
    json_object_set_int_member(hello, "pid", getpid());
    json_object_set_string_member(hello, "version", STENO_VERSION);
    return to_text(hello);
}

char *bot_control_event(const char *event)
{
    return g_strdup_printf("{\"type\":\"event\",\"event\":%s}", event);
}

char *bot_control_result(JsonObject *result)
{
    JsonObject *message = json_object_new();
    json_object_set_string_member(message, "type", "result");
    g_autoptr(GList) names = json_object_get_members(result);
    for (GList *item = names; item != NULL; item = item->next) {
        json_object_set_member(message, item->data,
                               json_node_copy(json_object_get_member(result, item->data)));
    }
    return to_text(message);
}
