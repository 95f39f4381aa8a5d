/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/meet/collections.h"

#include "platforms/inflate.h"
#include "platforms/platform.h"
#include "platforms/protobuf.h"

#include <string.h>

#define MAX_MESSAGE_BYTES (8u << 20)
#define MAX_STRING_BYTES 4096
#define MAX_USERS 2000 /* of one message; Meet's own limit is 1,000 */

typedef struct {
    const MeetCollectionsSink *sink;
    gpointer user_data;
    unsigned n_left;
} Parser;

static void set_string(char **place, const ProtobufField *field)
{
    if (field->type != PROTOBUF_BYTES || field->size > MAX_STRING_BYTES) {
        return;
    }
    g_free(*place);
    *place = g_utf8_make_valid((const char *)field->data, (gssize)field->size);
}

static void clear_user(MeetUser *user)
{
    g_free(user->device);
    g_free(user->name);
    g_free(user->avatar_url);
    g_free(user->parent);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MeetUser, clear_user)

static void clear_output(MeetOutput *output)
{
    g_free(output->stream);
    g_free(output->device);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MeetOutput, clear_output)

static void clear_chat(MeetChat *chat)
{
    g_free(chat->id);
    g_free(chat->device);
    g_free(chat->text);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MeetChat, clear_chat)

/* Returns false when @reader stopped at damage. */
static bool is_whole(const ProtobufReader *reader)
{
    return !reader->damaged;
}

static bool parse_user(Parser *parser, ProtobufReader reader)
{
    g_auto(MeetUser) user = {0};
    g_autofree char *display_name = NULL;
    ProtobufField field;
    while (protobuf_next(&reader, &field)) {
        switch (field.number) {
        case 1:
            set_string(&user.device, &field);
            break;
        case 2:
            set_string(&user.name, &field);
            break;
        case 3:
            set_string(&user.avatar_url, &field);
            break;
        case 4:
            user.status = (unsigned)MIN(field.value, 255);
            break;
        case 7:
            user.is_self = true;
            break;
        case 21:
            set_string(&user.parent, &field);
            break;
        case 29:
            set_string(&display_name, &field);
            break;
        case 34:
            user.is_host = true;
            break;
        default:
            break;
        }
    }
    if (display_name != NULL && *display_name != '\0') {
        g_free(user.name);
        user.name = g_steal_pointer(&display_name);
    }
    if (user.device != NULL && *user.device != '\0' && parser->n_left > 0) {
        parser->n_left--;
        parser->sink->on_user(&user, parser->user_data);
    }
    return is_whole(&reader);
}

static bool parse_output(Parser *parser, ProtobufReader reader)
{
    g_auto(MeetOutput) output = {0};
    ProtobufField field, inner;
    while (protobuf_next(&reader, &field)) {
        if (field.number == 2) {
            output.type = (MeetOutputType)MIN(field.value, 255);
        } else if (field.number == 4) {
            set_string(&output.stream, &field);
        } else if (field.number == 6) {
            set_string(&output.device, &field);
        } else if (field.number == 10) {
            ProtobufReader state = protobuf_enter(&field);
            while (protobuf_next(&state, &inner)) {
                output.disabled = inner.number == 1 ? inner.value != 0 : output.disabled;
            }
        }
    }
    bool known = output.type == MEET_OUTPUT_AUDIO || output.type == MEET_OUTPUT_VIDEO;
    if (known && output.device != NULL && parser->n_left > 0) {
        parser->n_left--;
        parser->sink->on_output(&output, parser->user_data);
    }
    return is_whole(&reader);
}

static void read_text(ProtobufReader *content, MeetChat *chat)
{
    ProtobufField field;
    while (protobuf_next(content, &field)) {
        if (field.number == 1) {
            set_string(&chat->text, &field);
        }
    }
}

static bool parse_chat(Parser *parser, ProtobufReader reader)
{
    g_auto(MeetChat) chat = {0};
    ProtobufField field;
    while (protobuf_next(&reader, &field)) {
        if (field.number == 1) {
            set_string(&chat.id, &field);
        } else if (field.number == 2) {
            set_string(&chat.device, &field);
        } else if (field.number == 5) {
            ProtobufReader content = protobuf_enter(&field);
            read_text(&content, &chat);
        }
    }
    if (chat.device != NULL && chat.text != NULL && parser->n_left > 0) {
        parser->n_left--;
        parser->sink->on_chat(&chat, parser->user_data);
    }
    return is_whole(&reader);
}

typedef bool (*ParseMessage)(Parser *parser, ProtobufReader reader);

/* Hands every message with number @path[0] … @path[n-1], step by step down, to @parse. */
static bool walk(Parser *parser, ProtobufReader reader, const uint32_t *path, size_t n,
                 ParseMessage parse)
{
    if (n == 0) {
        return parse(parser, reader);
    }
    bool whole = true;
    ProtobufField field;
    while (protobuf_next(&reader, &field)) {
        if (field.number == path[0] && field.type == PROTOBUF_BYTES) {
            whole = walk(parser, protobuf_enter(&field), path + 1, n - 1, parse) && whole;
        }
    }
    return whole && is_whole(&reader);
}

bool meet_collections_parse(const void *data, size_t size, const MeetCollectionsSink *sink,
                            gpointer user_data, GError **error)
{
    static const uint32_t users[] = {1, 2, 13, 1, 2};
    static const uint32_t outputs[] = {1, 2, 3, 2};
    static const uint32_t chat[] = {1, 2, 13, 4, 2};
    g_autoptr(GBytes) plain = platform_inflate(data, size, MAX_MESSAGE_BYTES, error);
    if (plain == NULL) {
        g_prefix_error(error, "collections: ");
        return false;
    }
    gsize plain_size;
    const void *bytes = g_bytes_get_data(plain, &plain_size);
    Parser parser = {.sink = sink, .user_data = user_data, .n_left = MAX_USERS};
    ProtobufReader reader = protobuf_reader(bytes, plain_size);
    bool whole = walk(&parser, reader, users, G_N_ELEMENTS(users), parse_user);
    whole = walk(&parser, reader, outputs, G_N_ELEMENTS(outputs), parse_output) && whole;
    whole = walk(&parser, reader, chat, G_N_ELEMENTS(chat), parse_chat) && whole;
    if (!whole) {
        g_set_error_literal(error, PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL,
                            "collections: damaged protobuf");
    }
    return whole;
}

bool meet_collections_parse_sync(const void *data, size_t size, const MeetCollectionsSink *sink,
                                 gpointer user_data, GError **error)
{
    static const uint32_t users[] = {2, 2, 2};
    if (size > MAX_MESSAGE_BYTES) {
        g_set_error_literal(error, PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL, "sync: too large");
        return false;
    }
    g_autofree char *text = g_strndup(data, size); /* ends at a NUL, which base64 does not hold */
    gsize plain_size = 0;
    g_autofree guchar *plain = g_base64_decode(text, &plain_size);
    Parser parser = {.sink = sink, .user_data = user_data, .n_left = MAX_USERS};
    bool whole = plain != NULL && walk(&parser, protobuf_reader(plain, plain_size), users,
                                       G_N_ELEMENTS(users), parse_user);
    if (!whole) {
        g_set_error_literal(error, PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL,
                            "sync: damaged protobuf");
    }
    return whole;
}
