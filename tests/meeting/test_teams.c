// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/teams.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <string.h>

static MeetingUser *new_user(const char *device, const char *name, guint32 csrc)
{
    MeetingUser *user = g_new0(MeetingUser, 1);
    user->device = g_strdup(device);
    user->name = g_strdup(name);
    user->status = MEETING_USER_PRESENT;
    user->csrc = csrc;
    user->video_off = true;
    return user;
}

static GPtrArray *new_users(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)meeting_user_free);
}

/* The body of a frame, unpacked where it is packed: compact JSON. */
static char *body_of(const char *frame)
{
    g_assert_true(g_str_has_prefix(frame, "3:::{"));
    g_autoptr(JsonNode) root = json_from_string(frame + 4, NULL);
    const char *body = json_object_get_string_member(json_node_get_object(root), "body");
    if (*body == '{')
        return g_strdup(body);
    gsize size;
    g_autofree guchar *packed = g_base64_decode(body, &size);
    g_autoptr(GZlibDecompressor) z = g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP);
    g_autoptr(GInputStream) memory =
        g_memory_input_stream_new_from_data(packed, (gssize)size, NULL);
    g_autoptr(GInputStream) stream = g_converter_input_stream_new(memory, G_CONVERTER(z));
    char plain[65536];
    gsize length = 0;
    g_assert_true(g_input_stream_read_all(stream, plain, sizeof plain - 1, &length, NULL, NULL));
    return g_strndup(plain, length);
}

#define ENDPOINT(streams)                                                                          \
    "\"endpoints\":{\"00000000-0000-4000-8000-000000000001\":{\"call\":{\"mediaStreams\":"         \
    "[" streams "]}}}"
#define STREAM(type, id, direction)                                                                \
    "{\"type\":\"" type "\",\"sourceId\":" id ",\"direction\":\"" direction "\"}"

static void test_updates_are_deltas(void)
{
    g_autoptr(GPtrArray) nobody = new_users(), before = new_users(), now = new_users();
    MeetingUser *alice = new_user("8:a", "Alice", 101);
    alice->host = true;
    g_ptr_array_add(before, alice);
    g_autofree char *first = meeting_teams_update(before, nobody);
    g_autofree char *first_body = body_of(first);
    g_assert_cmpstr(
        first_body, ==,
        "{\"participants\":{\"8:a\":{\"details\":{\"id\":\"8:a\",\"displayName\":"
        "\"Alice\"},\"state\":\"active\",\"meetingRole\":\"organizer\"," ENDPOINT(
            STREAM("audio", "101", "sendrecv") "," STREAM("video", "10101", "recvonly")) "}}}");
    g_assert_null(meeting_teams_update(before, before));

    MeetingUser *muted = new_user("8:a", "Alice", 101);
    muted->host = muted->muted = true;
    g_ptr_array_add(now, muted);
    MeetingUser *screen = new_user("8:a-screen", "Alice", 0);
    screen->parent = g_strdup("8:a");
    g_ptr_array_add(now, screen);
    g_autofree char *second = meeting_teams_update(now, before);
    g_autofree char *second_body = body_of(second);
    g_assert_cmpstr(
        second_body, ==,
        "{\"participants\":{\"8:a\":{" ENDPOINT(
            STREAM("audio", "101", "recvonly") "," STREAM("video", "10101", "recvonly") "," STREAM(
                "applicationsharing-video", "20101", "sendonly")) "}}}");

    g_autofree char *third = meeting_teams_update(nobody, before);
    g_autofree char *third_body = body_of(third);
    g_assert_cmpstr(third_body, ==,
                    "{\"participants\":{\"8:a\":{\"state\":\"inactive\",\"endpoints\":{"
                    "\"00000000-0000-4000-8000-000000000001\":null}}}}");
}

static void test_snapshot_and_end(void)
{
    g_autoptr(GPtrArray) users = new_users();
    g_ptr_array_add(users, new_user("8:b", "Bob", 0));
    g_autofree char *snapshot = meeting_teams_snapshot(users);
    g_assert_nonnull(strstr(snapshot, "{\"roster\":{"));
    g_assert_nonnull(strstr(snapshot, "\"displayName\":\"Bob\""));
    g_autofree char *ended = meeting_teams_end(0, NULL, NULL, "c");
    g_autofree char *ended_body = body_of(ended);
    g_assert_cmpstr(ended_body, ==, "{\"code\":0,\"subCode\":0}");
    g_autofree char *removed = meeting_teams_end(5300, "8:a", "Alice", "c");
    g_autofree char *removed_body = body_of(removed);
    g_assert_cmpstr(removed_body, ==,
                    "{\"code\":0,\"subCode\":5300,\"sender\":{\"id\":\"8:a\",\"displayName\":"
                    "\"Alice\"}}");
}

static void test_main_channel(void)
{
    const guint32 sources[] = {101, 202};
    g_autoptr(GBytes) dominant = meeting_teams_dominant(sources, 2);
    gsize size;
    const char *data = g_bytes_get_data(dominant, &size);
    static const char json[] = "[{\"type\":\"dsh\",\"history\":[101,202]}]";
    g_assert_cmpuint(size, ==, 6 + strlen(json));
    g_assert_cmpmem(data + 6, size - 6, json, strlen(json));
    g_assert_cmpint(data[5], ==, strlen(json));
    g_autoptr(GBytes) caption = meeting_teams_caption("8:a", "hello", true);
    data = g_bytes_get_data(caption, &size);
    g_assert_nonnull(g_strstr_len(
        data + 6, (gssize)size - 6,
        "{\"recognitionResults\":[{\"userId\":\"8:a\",\"text\":\"hello\",\"isFinal\":true,"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/teams/updates_are_deltas", test_updates_are_deltas);
    g_test_add_func("/teams/snapshot_and_end", test_snapshot_and_end);
    g_test_add_func("/teams/main_channel", test_main_channel);
    return g_test_run();
}
