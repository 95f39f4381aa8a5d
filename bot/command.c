/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/command.h"

#include "platforms/json.h"

#include <gio/gio.h>
#include <gio/gunixinputstream.h>
#include <string.h>

#define MAX_LINE_BYTES (16 * 1024 * 1024) /* speech comes as base64 */
#define BLOCK_BYTES 65536
#define MAX_REMEMBERED 1000
#define MAX_ID_CHARS 200

struct BotCommands {
    BotCommandHandler handler;
    gpointer user_data;
    GHashTable *results;  /* id -> JSON of its result, or "" while it runs; owned */
    GQueue order;         /* borrowed ids, oldest first */
    GInputStream *stream; /* owned */
    GCancellable *cancellable;
    GString *line; /* owned: what came of the next line */
    bool too_long;
    char block[BLOCK_BYTES];
};

typedef struct {
    BotCommands *commands; /* borrowed */
    char *id;              /* owned */
} Running;

static const char *error_code(const GError *error)
{
    if (error->domain == BOT_CONFIG_ERROR) {
        return "bad_config";
    }
    if (error->domain != BOT_SESSION_ERROR) {
        return "failed";
    }
    static const char *const codes[] = {
        [BOT_SESSION_ERROR_STATE] = "state",
        [BOT_SESSION_ERROR_COMMAND] = "bad_command",
        [BOT_SESSION_ERROR_PLATFORM] = "platform",
    };
    return codes[error->code];
}

static JsonObject *make_result(const char *id, const GError *error)
{
    JsonObject *members = json_object_new();
    json_object_set_string_member(members, "id", id);
    json_object_set_boolean_member(members, "ok", error == NULL);
    if (error != NULL) {
        JsonObject *detail = json_object_new();
        json_object_set_string_member(detail, "code", error_code(error));
        json_object_set_string_member(detail, "message", error->message);
        json_object_set_object_member(members, "error", detail);
    }
    return members;
}

static void remember(BotCommands *commands, const char *id, char *json)
{
    if (!g_hash_table_contains(commands->results, id)) {
        char *key = g_strdup(id);
        g_queue_push_tail(&commands->order, key);
        g_hash_table_insert(commands->results, key, json);
    } else {
        g_hash_table_insert(commands->results, g_strdup(id), json);
    }
    while (commands->order.length > MAX_REMEMBERED) {
        g_hash_table_remove(commands->results, g_queue_pop_head(&commands->order));
    }
}

/* @result: (transfer full) */
static void tell(BotCommands *commands, JsonObject *result)
{
    commands->handler.on_result(result, commands->user_data);
}

static void on_done(const GError *error, gpointer user_data)
{
    Running *running = user_data;
    JsonObject *members = make_result(running->id, error);
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    json_node_set_object(node, members);
    remember(running->commands, running->id, json_to_string(node, FALSE));
    tell(running->commands, members);
    g_free(running->id);
    g_free(running);
}

static void refuse(BotCommands *commands, const char *id, const char *message)
{
    g_autoptr(GError) error =
        g_error_new_literal(BOT_SESSION_ERROR, BOT_SESSION_ERROR_COMMAND, message);
    tell(commands, make_result(id, error));
}

/* True: this id is known, and its result told again if there is one already. */
static bool tell_again(BotCommands *commands, const char *id)
{
    const char *known = g_hash_table_lookup(commands->results, id);
    if (known == NULL) {
        return false;
    }
    g_autoptr(JsonNode) node = known[0] != '\0' ? json_from_string(known, NULL) : NULL;
    if (node != NULL) {
        tell(commands, json_object_ref(json_node_get_object(node)));
    }
    return true;
}

void bot_commands_take(BotCommands *commands, const char *id, const char *name, JsonObject *args)
{
    if (tell_again(commands, id)) {
        return;
    }
    remember(commands, id, g_strdup(""));
    Running *running = g_new0(Running, 1);
    running->commands = commands;
    running->id = g_strdup(id);
    commands->handler.run(name, args, on_done, running, commands->user_data);
}

static void run(BotCommands *commands, JsonObject *object)
{
    const char *id = platform_json_string(object, "id", NULL);
    const char *name = platform_json_string(object, "name", NULL);
    JsonNode *args = json_object_get_member(object, "args");
    if (id == NULL || id[0] == '\0' || g_utf8_strlen(id, -1) > MAX_ID_CHARS) {
        refuse(commands, "", "$.id: expected a string of 1 to 200 characters");
        return;
    }
    if (name == NULL) {
        refuse(commands, id, "$.name: expected a string");
        return;
    }
    if (args != NULL && !JSON_NODE_HOLDS_OBJECT(args) && !JSON_NODE_HOLDS_NULL(args)) {
        refuse(commands, id, "$.args: expected an object");
        return;
    }
    bool has_args = args != NULL && JSON_NODE_HOLDS_OBJECT(args);
    bot_commands_take(commands, id, name, has_args ? json_node_get_object(args) : NULL);
}

void bot_commands_take_line(BotCommands *commands, const char *line)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonObject) object = platform_json_parse(line, strlen(line), &error);
    if (object == NULL) {
        refuse(commands, "", error->message);
        return;
    }
    run(commands, object);
}

static void take_block(BotCommands *commands, const char *data, gsize length)
{
    for (gsize i = 0; i < length; i++) {
        if (data[i] != '\n') {
            commands->too_long |= commands->line->len >= MAX_LINE_BYTES;
            if (!commands->too_long) {
                g_string_append_c(commands->line, data[i]);
            }
            continue;
        }
        if (commands->too_long) {
            refuse(commands, "", "the line is longer than 16 MiB");
        } else if (commands->line->len > 0) {
            bot_commands_take_line(commands, commands->line->str);
        }
        g_string_truncate(commands->line, 0);
        commands->too_long = false;
    }
}

static void read_on(BotCommands *commands);

static void on_read(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr(GError) error = NULL;
    gssize n = g_input_stream_read_finish(G_INPUT_STREAM(source), result, &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return;
    }
    BotCommands *commands = user_data;
    if (n <= 0) {
        g_debug("no more commands: %s", error != NULL ? error->message : "end of input");
        if (commands->handler.on_input_end != NULL) {
            commands->handler.on_input_end(commands->user_data);
        }
        return;
    }
    take_block(commands, commands->block, (gsize)n);
    read_on(commands);
}

static void read_on(BotCommands *commands)
{
    g_input_stream_read_async(commands->stream, commands->block, BLOCK_BYTES, G_PRIORITY_DEFAULT,
                              commands->cancellable, on_read, commands);
}

void bot_commands_read_fd(BotCommands *commands, int fd)
{
    commands->stream = g_unix_input_stream_new(fd, FALSE);
    read_on(commands);
}

BotCommands *bot_commands_new(const BotCommandHandler *handler, gpointer user_data)
{
    BotCommands *commands = g_new0(BotCommands, 1);
    commands->handler = *handler;
    commands->user_data = user_data;
    commands->results = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    commands->cancellable = g_cancellable_new();
    commands->line = g_string_new(NULL);
    g_queue_init(&commands->order);
    return commands;
}

void bot_commands_free(BotCommands *commands)
{
    g_cancellable_cancel(commands->cancellable);
    g_object_unref(commands->cancellable);
    g_clear_object(&commands->stream);
    g_queue_clear(&commands->order);
    g_hash_table_unref(commands->results);
    g_string_free(commands->line, TRUE);
    g_free(commands);
}
