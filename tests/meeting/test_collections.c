// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/collections.h"
#include "tests/meeting/protobuf.h"

#include <gio/gio.h>
#include <string.h>

static void test_fields(void)
{
    g_autoptr(GByteArray) message = g_byte_array_new();
    GByteArray *sub = g_byte_array_new();
    meeting_pb_varint(message, 1, 150);
    meeting_pb_string(message, 29, "ab");
    meeting_pb_string(message, 3, NULL);
    meeting_pb_varint(sub, 2, 0);
    meeting_pb_message(message, 5, sub);
    static const guint8 expected[] = {0x08, 0x96, 0x01, 0xea, 0x01, 0x02,
                                      'a',  'b',  0x2a, 0x02, 0x10, 0x00};
    g_assert_cmpmem(message->data, message->len, expected, sizeof expected);
}

/* Reads a field by its path of numbers: enough of a decoder to see what a bot would see. */
static bool find(const guint8 *data, gsize length, const guint *path, guint skip,
                 const guint8 **ret_data, gsize *ret_length)
{
    gsize at = 0;
    while (at < length) {
        guint64 key = 0, value = 0;
        for (int shift = 0;; shift += 7) {
            key |= (guint64)(data[at] & 0x7f) << shift;
            if (!(data[at++] & 0x80))
                break;
        }
        for (int shift = 0;; shift += 7) {
            value |= (guint64)(data[at] & 0x7f) << shift;
            if (!(data[at++] & 0x80))
                break;
        }
        bool bytes = (key & 7) == 2;
        bool hit = key >> 3 == path[0] && (path[1] != 0 || skip-- == 0);
        if (hit && path[1] == 0) {
            *ret_data = bytes ? data + at : NULL;
            *ret_length = value;
            return true;
        }
        if (hit && bytes)
            return find(data + at, value, path + 1, skip, ret_data, ret_length);
        at += bytes ? value : 0;
    }
    return false;
}

static GBytes *gunzip(GBytes *zipped)
{
    g_autoptr(GZlibDecompressor) z = g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP);
    g_autoptr(GInputStream) memory = g_memory_input_stream_new_from_bytes(zipped);
    g_autoptr(GInputStream) stream = g_converter_input_stream_new(memory, G_CONVERTER(z));
    g_autoptr(GError) error = NULL;
    GBytes *plain = g_input_stream_read_bytes(stream, 65536, NULL, &error);
    g_assert_no_error(error);
    return plain;
}

static void assert_text(GBytes *plain, const guint *path, const char *expected)
{
    const guint8 *data;
    gsize length;
    g_assert_true(
        find(g_bytes_get_data(plain, NULL), g_bytes_get_size(plain), path, 0, &data, &length));
    g_assert_cmpmem(data, length, expected, strlen(expected));
}

static void test_event(void)
{
    MeetingUser alice = {.device = (char *)"spaces/x/devices/101",
                         .name = (char *)"Alice",
                         .status = MEETING_USER_PRESENT,
                         .host = true,
                         .csrc = 30037,
                         .muted = true,
                         .video_stream = (char *)"sv-1"};
    g_autoptr(GPtrArray) users = g_ptr_array_new();
    g_ptr_array_add(users, &alice);
    MeetingChatMessage chat = {"m1", alice.device, 5, "Hello"};
    g_autoptr(GBytes) zipped = meeting_collections_event(users, &chat, 7);
    g_autoptr(GBytes) plain = gunzip(zipped);
    assert_text(plain, (guint[]){1, 2, 13, 1, 2, 1, 0}, "spaces/x/devices/101");
    assert_text(plain, (guint[]){1, 2, 13, 1, 2, 29, 0}, "Alice");
    assert_text(plain, (guint[]){1, 2, 3, 2, 4, 0}, "30037");
    assert_text(plain, (guint[]){1, 2, 13, 4, 2, 5, 1, 0}, "Hello");
    const guint8 *data;
    gsize value;
    g_assert_true(find(g_bytes_get_data(plain, NULL), g_bytes_get_size(plain),
                       (guint[]){1, 2, 3, 2, 10, 1, 0}, 0, &data, &value));
    g_assert_cmpuint(value, ==, 1);
}

static void test_sync(void)
{
    MeetingUser bob = {.device = (char *)"spaces/x/devices/102",
                       .name = (char *)"Bob",
                       .status = MEETING_USER_PRESENT};
    g_autoptr(GPtrArray) users = g_ptr_array_new();
    g_ptr_array_add(users, &bob);
    g_autofree char *text = meeting_collections_sync(users, 1);
    gsize length;
    g_autofree guchar *data = g_base64_decode(text, &length);
    g_autoptr(GBytes) plain = g_bytes_new(data, length);
    assert_text(plain, (guint[]){2, 2, 2, 2, 0}, "Bob");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/collections/fields_are_written_as_protobuf_says", test_fields);
    g_test_add_func("/collections/an_event_carries_users_outputs_and_chat", test_event);
    g_test_add_func("/collections/sync_is_base64_of_the_whole_list", test_sync);
    return g_test_run();
}
