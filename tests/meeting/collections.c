// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/collections.h"

#include "tests/meeting/protobuf.h"

#include <gio/gio.h>

void meeting_user_free(MeetingUser *user)
{
    g_free(user->device);
    g_free(user->name);
    g_free(user->avatar);
    g_free(user->room);
    g_free(user->parent);
    g_free(user->video_stream);
    g_free(user);
}

bool meeting_user_equal(const MeetingUser *a, const MeetingUser *b)
{
    return g_str_equal(a->device, b->device) && g_str_equal(a->name, b->name) &&
           a->status == b->status && a->host == b->host && g_strcmp0(a->parent, b->parent) == 0 &&
           a->csrc == b->csrc && a->muted == b->muted &&
           g_strcmp0(a->video_stream, b->video_stream) == 0 && a->video_off == b->video_off;
}

static GByteArray *write_user(const MeetingUser *user)
{
    GByteArray *info = g_byte_array_new();
    meeting_pb_string(info, 1, user->device);
    meeting_pb_string(info, 2, user->name);
    meeting_pb_string(info, 3, user->avatar);
    meeting_pb_varint(info, 4, user->status);
    if (user->self)
        meeting_pb_string(info, 7, user->device);
    meeting_pb_string(info, 21, user->parent);
    meeting_pb_string(info, 29, user->name);
    if (user->host)
        meeting_pb_varint(info, 34, 1);
    return info;
}

static GByteArray *write_user_list(GPtrArray *users, guint sequence)
{
    GByteArray *list = g_byte_array_new(), *head = g_byte_array_new();
    meeting_pb_varint(head, 1, sequence);
    meeting_pb_message(list, 1, head);
    for (guint i = 0; i < users->len; i++)
        meeting_pb_message(list, 2, write_user(g_ptr_array_index(users, i)));
    return list;
}

static void add_output(GByteArray *outputs, guint type, const char *stream, const char *device,
                       bool disabled)
{
    GByteArray *output = g_byte_array_new(), *state = g_byte_array_new();
    meeting_pb_varint(output, 2, type);
    if (*stream != '\0')
        meeting_pb_string(output, 4, stream);
    meeting_pb_string(output, 6, device);
    meeting_pb_varint(state, 1, disabled);
    meeting_pb_message(output, 10, state);
    meeting_pb_message(outputs, 2, output);
}

static GByteArray *write_outputs(GPtrArray *users)
{
    GByteArray *outputs = g_byte_array_new();
    for (guint i = 0; i < users->len; i++) {
        const MeetingUser *user = g_ptr_array_index(users, i);
        if (user->csrc != 0) {
            g_autofree char *csrc = g_strdup_printf("%u", user->csrc);
            add_output(outputs, 1, csrc, user->device, user->muted);
        }
        if (user->video_stream != NULL)
            add_output(outputs, 2, user->video_stream, user->device, user->video_off);
    }
    return outputs;
}

static GByteArray *write_chat(const MeetingChatMessage *chat)
{
    GByteArray *entry = g_byte_array_new(), *message = g_byte_array_new();
    GByteArray *content = g_byte_array_new();
    meeting_pb_string(message, 1, chat->id);
    meeting_pb_string(message, 2, chat->device);
    meeting_pb_varint(message, 3, (guint64)chat->unix_us);
    meeting_pb_string(content, 1, chat->text);
    meeting_pb_message(message, 5, content);
    meeting_pb_message(entry, 2, message);
    return entry;
}

static GBytes *gzip(const GByteArray *message)
{
    g_autoptr(GZlibCompressor) compressor = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 6);
    g_autoptr(GOutputStream) memory = g_memory_output_stream_new_resizable();
    g_autoptr(GOutputStream) stream =
        g_converter_output_stream_new(memory, G_CONVERTER(compressor));
    g_output_stream_write_all(stream, message->data, message->len, NULL, NULL, NULL);
    g_output_stream_close(stream, NULL, NULL);
    return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(memory));
}

GBytes *meeting_collections_event(GPtrArray *users, const MeetingChatMessage *chat, guint sequence)
{
    GByteArray *wrapper = g_byte_array_new();
    if (users->len > 0)
        meeting_pb_message(wrapper, 1, write_user_list(users, sequence));
    if (chat != NULL)
        meeting_pb_message(wrapper, 4, write_chat(chat));
    GByteArray *payload = g_byte_array_new();
    if (users->len > 0)
        meeting_pb_message(payload, 3, write_outputs(users));
    meeting_pb_message(payload, 13, wrapper);
    GByteArray *body = g_byte_array_new();
    meeting_pb_message(body, 2, payload);
    g_autoptr(GByteArray) event = g_byte_array_new();
    meeting_pb_message(event, 1, body);
    return gzip(event);
}

char *meeting_collections_sync(GPtrArray *users, guint sequence)
{
    GByteArray *inner = g_byte_array_new();
    meeting_pb_message(inner, 2, write_user_list(users, sequence));
    g_autoptr(GByteArray) response = g_byte_array_new();
    meeting_pb_message(response, 2, inner);
    return g_base64_encode(response->data, response->len);
}
