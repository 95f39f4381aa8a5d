/* SPDX-License-Identifier: Apache-2.0 */
/* The page link against WebSocket clients that are not the page. */
#include "platforms/page/link.h"

#include "platforms/platform.h"
#include "tests/platforms/fixture.h"

#include <string.h>

#define ORIGIN "https://meet.google.com"

typedef struct {
    PageLink *link;
    SoupSession *session;
    SoupWebsocketConnection *client;
    bool answered;
    unsigned n_open, n_frames, n_messages, n_closed;
    int64_t id;
    uint32_t track;
    bool free_in_frame, broke;
    char *got;
} Test;

static void on_open(gpointer user_data)
{
    ((Test *)user_data)->n_open++;
}

static void on_frame(MediaEncodedFrame *frame, gpointer user_data)
{
    Test *test = user_data;
    test->n_frames++;
    test->track = frame->track_id;
    if (test->free_in_frame) {
        g_clear_pointer(&test->link, page_link_free);
    }
}

static void on_data(bool fetch, const char *name, GBytes *data, gpointer user_data)
{
    Test *test = user_data;
    test->got = g_strdup_printf("%d %s %.*s", fetch, name, (int)g_bytes_get_size(data),
                                (const char *)g_bytes_get_data(data, NULL));
}

static void on_message(const char *type, JsonObject *message, gpointer user_data)
{
    Test *test = user_data;
    test->n_messages++;
    test->id =
        json_object_has_member(message, "id") ? json_object_get_int_member(message, "id") : -1;
}

static void on_closed(const GError *error, gpointer user_data)
{
    Test *test = user_data;
    test->n_closed++;
    test->broke = error != NULL;
}

static const PageLinkEvents events = {on_open, on_frame, on_data, on_message, on_closed};

static void on_connected(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Test *test = user_data;
    g_autoptr(GError) error = NULL;
    test->client = soup_session_websocket_connect_finish(SOUP_SESSION(source), result, &error);
    test->answered = true;
}

/* Returns whether the server took it. */
static bool dial(Test *test, const char *url, const char *origin)
{
    char *protocols[] = {(char *)"steno.page.v1", NULL};
    g_autoptr(SoupMessage) message = soup_message_new("GET", url);
    g_clear_object(&test->client);
    test->answered = false;
    soup_session_websocket_connect_async(test->session, message, origin, protocols,
                                         G_PRIORITY_DEFAULT, NULL, on_connected, test);
    FIXTURE_WAIT(test->answered, 5);
    return test->client != NULL;
}

static void start(Test *test)
{
    g_autoptr(GError) error = NULL;
    memset(test, 0, sizeof *test);
    test->session = soup_session_new();
    test->link = page_link_new(ORIGIN, &events, test, &error);
    g_assert_no_error(error);
}

static void stop(Test *test)
{
    page_link_free(test->link);
    g_clear_object(&test->client);
    g_clear_object(&test->session);
    g_free(test->got);
}

static void test_only_the_token_opens_it_and_once(void)
{
    Test test;
    start(&test);
    g_autofree char *old = page_link_invite(test.link);
    g_autofree char *url = page_link_invite(test.link);
    g_assert_cmpstr(old, !=, url);
    g_autofree char *wrong = g_strdup(url);
    wrong[strlen(wrong) - 1] = wrong[strlen(wrong) - 1] == 'a' ? 'b' : 'a';
    g_autofree char *longer = g_strconcat(url, "/x", NULL);
    g_autofree char *root = g_strndup(url, strlen(url) - 32);
    g_assert_false(dial(&test, old, ORIGIN));
    g_assert_false(dial(&test, wrong, ORIGIN));
    g_assert_false(dial(&test, root, ORIGIN));
    g_assert_false(dial(&test, url, "https://evil.com"));
    g_assert_cmpuint(test.n_open, ==, 0);
    g_assert_true(dial(&test, url, ORIGIN));
    FIXTURE_WAIT(test.n_open == 1, 5);
    g_autoptr(SoupWebsocketConnection) first = g_object_ref(test.client);
    g_assert_false(dial(&test, url, ORIGIN)); /* one-time */
    g_assert_true(page_link_is_open(test.link));
    stop(&test);
}

static void put_f64(uint8_t *place, double value)
{
    memcpy(place, &value, sizeof value); /* tests run on little-endian machines */
}

static void send_record(Test *test, uint8_t type, uint8_t codec, uint32_t track)
{
    uint8_t bytes[16 + 36 + 2] = "STN1";
    bytes[4] = 1;
    put_f64(bytes + 8, 50);
    bytes[16] = type;
    bytes[17] = codec;
    memcpy(bytes + 20, &track, sizeof track);
    put_f64(bytes + 32, 49);
    bytes[16 + 32] = 2;
    memcpy(bytes + 52, "ab", 2);
    soup_websocket_connection_send_binary(test->client, bytes, sizeof bytes);
}

static void connect_client(Test *test)
{
    g_autofree char *url = page_link_invite(test->link);
    unsigned n_open = test->n_open;
    g_assert_true(dial(test, url, ORIGIN));
    FIXTURE_WAIT(test->n_open == n_open + 1, 5);
}

static void test_tracks_are_unique_over_reloads(void)
{
    Test test;
    start(&test);
    connect_client(&test);
    send_record(&test, 1, MEDIA_CODEC_OPUS, 3);
    FIXTURE_WAIT(test.n_frames == 1, 5);
    g_assert_cmpuint(test.track, ==, 3);
    connect_client(&test); /* the page was loaded again: it counts from 1 */
    send_record(&test, 1, MEDIA_CODEC_OPUS, 1);
    FIXTURE_WAIT(test.n_frames == 2, 5);
    g_assert_cmpuint(test.track, ==, 4);
    soup_websocket_connection_send_text(test.client, "{\"type\":\"track\",\"id\":2}");
    FIXTURE_WAIT(test.n_messages == 1, 5);
    g_assert_cmpint(test.id, ==, 5);
    stop(&test);
}

static void test_channel_data_needs_its_announcement(void)
{
    Test test;
    start(&test);
    connect_client(&test);
    soup_websocket_connection_send_text(
        test.client, "{\"type\":\"watch\",\"number\":0,\"name\":\"collections\"}");
    send_record(&test, 3, 0, 0);
    FIXTURE_WAIT(test.got != NULL, 5);
    g_assert_cmpstr(test.got, ==, "0 collections ab");
    send_record(&test, 4, 0, 5);
    FIXTURE_WAIT(test.n_closed == 1, 5);
    g_assert_true(test.broke);
    stop(&test);
}

static void test_hostile_messages_end_the_link(void)
{
    static const char *const texts[] = {"", "nonsense", "[]", "{\"id\":99999999}",
                                        "{\"id\":-5,\"type\":\"track\"}"};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        Test test;
        start(&test);
        connect_client(&test);
        soup_websocket_connection_send_text(test.client, texts[i]);
        FIXTURE_WAIT(test.n_closed == 1, 5);
        g_assert_true(test.broke);
        g_assert_false(page_link_is_open(test.link));
        stop(&test);
    }
    Test test;
    start(&test);
    connect_client(&test);
    send_record(&test, 1, MEDIA_CODEC_OPUS, 0); /* there is no track 0 */
    FIXTURE_WAIT(test.n_closed == 1, 5);
    stop(&test);
}

static void test_large_message_passes_and_larger_does_not(void)
{
    Test test;
    start(&test);
    connect_client(&test);
    g_autofree char *fill = g_strnfill(1 << 20, 'x');
    g_autofree char *large = g_strdup_printf("{\"type\":\"x\",\"y\":\"%s\"}", fill);
    soup_websocket_connection_send_text(test.client, large);
    FIXTURE_WAIT(test.n_messages == 1, 5);
    g_autofree char *more = g_strnfill(17 << 20, ' ');
    soup_websocket_connection_send_text(test.client, more);
    FIXTURE_WAIT(test.n_closed == 1, 10);
    stop(&test);
}

static void test_freed_inside_a_frame(void)
{
    Test test;
    start(&test);
    connect_client(&test);
    test.free_in_frame = true;
    send_record(&test, 1, MEDIA_CODEC_OPUS, 1);
    send_record(&test, 1, MEDIA_CODEC_OPUS, 1);
    FIXTURE_WAIT(test.link == NULL, 5);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    g_assert_cmpuint(test.n_frames, ==, 1);
    g_assert_cmpuint(test.n_closed, ==, 0);
    stop(&test);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/only_the_token_opens_it_and_once",
                    test_only_the_token_opens_it_and_once);
    g_test_add_func("/link/tracks_are_unique_over_reloads", test_tracks_are_unique_over_reloads);
    g_test_add_func("/link/channel_data_needs_its_announcement",
                    test_channel_data_needs_its_announcement);
    g_test_add_func("/link/hostile_messages_end_the_link", test_hostile_messages_end_the_link);
    g_test_add_func("/link/large_message_passes_and_larger_does_not",
                    test_large_message_passes_and_larger_does_not);
    g_test_add_func("/link/freed_inside_a_frame", test_freed_inside_a_frame);
    return g_test_run();
}
