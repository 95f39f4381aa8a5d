/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/streaming/fixture.h"
#include "tests/streaming/proxy.h"

#include <stdio.h>
#include <string.h>

/* Everything that can be wrong with a consumer and the way to it. Who pushes never waits: all of
 * a fault's audio is pushed in one go, so a test that ends at all shows it. */

typedef struct {
    StreamingPeer peer;
    Seen seen;
    StreamingProxy *proxy;
    StreamingClient *client;
} Fixture;

static void set_up(Fixture *f, uint16_t replay_s)
{
    *f = (Fixture){0};
    streaming_peer_init(&f->peer);
    f->proxy = streaming_proxy_new(f->peer.port);
    g_autofree char *url = g_strdup_printf("ws://127.0.0.1:%u/", streaming_proxy_port(f->proxy));
    StreamingConfig config = {.input = url, .output = url, .replay_s = replay_s};
    f->client = dial_with(&config, &f->seen);
    STREAMING_WAIT(f->seen.n_connected == 1 && f->peer.texts->len == 1);
}

static void tear_down(Fixture *f)
{
    g_clear_pointer(&f->client, streaming_client_free);
    g_clear_pointer(&f->proxy, streaming_proxy_free);
    streaming_peer_clear(&f->peer);
    seen_clear(&f->seen);
}

static StreamingStats stats_of(Fixture *f)
{
    StreamingStats stats;
    streaming_client_get_stats(f->client, &stats);
    return stats;
}

/* One second: everything waits and comes. */
static void test_a_network_lost_for_a_second_loses_nothing(void)
{
    Fixture f;
    set_up(&f, 0);
    push_frames(f.client, 0, 50);
    STREAMING_WAIT(ends_with(&f.peer, 49));
    streaming_proxy_lose(f.proxy, true);
    push_frames(f.client, 50, 100);
    streaming_proxy_lose(f.proxy, false);
    STREAMING_WAIT(ends_with(&f.peer, 99));
    assert_audio(&f.peer, 0, 0);
    g_assert_cmpuint(f.peer.audio->len, ==, 100 * FRAME * 2);
    g_assert_cmpuint(stats_of(&f).n_frames_dropped, ==, 0);
    g_assert_cmpuint(f.peer.n_connects, ==, 1);
    tear_down(&f);
}

/* An hour's worth: more than the system's own buffers; bounded, the oldest goes and is counted. */
static void test_a_long_loss_drops_the_oldest_and_says_so(void)
{
    Fixture f;
    set_up(&f, 0);
    streaming_proxy_lose(f.proxy, true);
    const guint n_frames = 3600 * 50;
    push_frames(f.client, 0, n_frames);
    STREAMING_WAIT(f.seen.n_dropped > 0);
    streaming_proxy_lose(f.proxy, false);
    STREAMING_WAIT(ends_with(&f.peer, n_frames - 1));
    StreamingStats stats = stats_of(&f);
    g_assert_cmpuint(stats.n_frames_sent + stats.n_frames_dropped, ==, n_frames);
    g_assert_cmpuint(f.peer.audio->len, ==, stats.n_frames_sent * FRAME * 2);
    gsize tail = (gsize)4 * RATE * 2;
    assert_audio(&f.peer, f.peer.audio->len - tail, n_frames * FRAME - 4 * RATE);
    tear_down(&f);
}

static void test_a_cut_is_dialled_again(void)
{
    Fixture f;
    set_up(&f, 0);
    push_frames(f.client, 0, 10);
    STREAMING_WAIT(ends_with(&f.peer, 9));
    gsize before = f.peer.audio->len;
    streaming_proxy_cut(f.proxy);
    STREAMING_WAIT(f.seen.n_lost == 1);
    push_frames(f.client, 10, 60);
    STREAMING_WAIT(f.seen.n_connected == 2 && f.peer.texts->len == 2);
    assert_handshake(g_ptr_array_index(f.peer.texts, 1), 60.0 * FRAME / RATE);
    push_frames(f.client, 60, 70);
    STREAMING_WAIT(ends_with(&f.peer, 69));
    assert_audio(&f.peer, before, 60 * FRAME);
    g_assert_cmpuint(stats_of(&f).n_frames_dropped, ==, 50);
    STREAMING_WAIT(f.seen.n_dropped == 50);
    tear_down(&f);
}

/* With replay_s the stream goes on where the last seconds began, and the offset says where. */
static void test_the_last_seconds_come_again(void)
{
    Fixture f;
    set_up(&f, 2);
    push_frames(f.client, 0, 20);
    STREAMING_WAIT(ends_with(&f.peer, 19));
    gsize before = f.peer.audio->len;
    streaming_proxy_cut(f.proxy);
    STREAMING_WAIT(f.seen.n_lost == 1);
    push_frames(f.client, 20, 300); /* 5.6 s, of which 2 are kept */
    STREAMING_WAIT(f.seen.n_connected == 2 && f.peer.texts->len == 2);
    assert_handshake(g_ptr_array_index(f.peer.texts, 1), 200.0 * FRAME / RATE);
    push_frames(f.client, 300, 310);
    STREAMING_WAIT(ends_with(&f.peer, 309));
    assert_audio(&f.peer, before, 200 * FRAME);
    g_assert_cmpuint(f.peer.audio->len - before, ==, 110 * FRAME * 2);
    StreamingStats stats = stats_of(&f);
    g_assert_cmpuint(stats.n_frames_replayed, ==, 100);
    g_assert_cmpuint(stats.n_frames_dropped, ==, 180);
    tear_down(&f);
}

/* A short loss, shorter than what is kept: nothing is missing, some comes twice. */
static void test_a_short_loss_is_made_up_for(void)
{
    Fixture f;
    set_up(&f, 2);
    push_frames(f.client, 0, 150);
    STREAMING_WAIT(ends_with(&f.peer, 149));
    gsize before = f.peer.audio->len;
    streaming_proxy_cut(f.proxy);
    STREAMING_WAIT(f.seen.n_lost == 1);
    push_frames(f.client, 150, 170);
    STREAMING_WAIT(f.seen.n_connected == 2 && ends_with(&f.peer, 169));
    assert_handshake(g_ptr_array_index(f.peer.texts, 1), 70.0 * FRAME / RATE);
    assert_audio(&f.peer, before, 70 * FRAME);
    g_assert_cmpuint(stats_of(&f).n_frames_dropped, ==, 0);
    tear_down(&f);
}

static gboolean restore(gpointer proxy)
{
    streaming_proxy_lose(proxy, false);
    return G_SOURCE_REMOVE;
}

/* The network swallows the handshake, too: that dial is given up, and another one finds it back. */
static void test_a_dial_that_hangs_is_given_up(void)
{
    Fixture f;
    set_up(&f, 0);
    streaming_proxy_lose(f.proxy, true);
    streaming_proxy_cut(f.proxy);
    STREAMING_WAIT(f.seen.n_lost == 1);
    g_timeout_add_seconds(8, restore, f.proxy); /* longer than a dial may take */
    STREAMING_WAIT(f.seen.n_connected == 2);
    push_frames(f.client, 0, 10);
    STREAMING_WAIT(ends_with(&f.peer, 9));
    tear_down(&f);
}

static void test_a_refusal_is_dialled_again(void)
{
    StreamingPeer peer;
    Seen seen = {0};
    streaming_peer_init(&peer);
    peer.refuse = 1;
    g_autofree char *url = streaming_peer_url(&peer, "/");
    g_autoptr(StreamingClient) client = dial(url, NULL, &seen);
    STREAMING_WAIT(seen.n_lost == 1);
    g_assert_nonnull(strstr(seen.reason, "403"));
    STREAMING_WAIT(seen.n_connected == 1);
    g_assert_cmpuint(peer.n_refused, ==, 1);
    g_clear_pointer(&client, streaming_client_free);
    streaming_peer_clear(&peer);
    seen_clear(&seen);
}

static void test_the_reason_of_a_close_is_told(void)
{
    Fixture f;
    set_up(&f, 0);
    streaming_peer_close(&f.peer, 1008, "not today");
    STREAMING_WAIT(f.seen.n_lost == 1);
    g_assert_cmpstr(f.seen.reason, ==, "closed with code 1008: not today");
    STREAMING_WAIT(f.seen.n_connected == 2);
    tear_down(&f);
}

/* 100 MB in one message: three minutes of it are kept, the rest is counted. */
static void test_a_huge_message_is_bounded(void)
{
    Fixture f;
    set_up(&f, 0);
    const gsize n_bytes = 100u << 20;
    g_autofree char *zeros = g_malloc0(n_bytes);
    streaming_peer_send(&f.peer, zeros, n_bytes, false);
    const uint64_t n_kept = (uint64_t)180 * RATE;
    STREAMING_WAIT(f.seen.n_speech_dropped == n_bytes / 2 - n_kept);
    g_assert_cmpuint(stats_of(&f).n_speech_dropped, ==, n_bytes / 2 - n_kept);
    streaming_peer_send(&f.peer, zeros, n_bytes, true); /* as text it means nothing */
    streaming_peer_send(&f.peer, "{\"type\":\"flush\"}", 16, true);
    STREAMING_WAIT(f.seen.n_flush == 1);
    int16_t sample;
    uint32_t rate_hz;
    g_assert_cmpuint(streaming_client_pop_speech(f.client, &sample, 1, &rate_hz), ==, 0);
    g_assert_cmpuint(f.peer.n_connects, ==, 1);
    push_frames(f.client, 0, 3);
    STREAMING_WAIT(ends_with(&f.peer, 2));
    tear_down(&f);
}

/* --- a server that speaks no WebSocket --- */

static gboolean on_incoming(GSocketService *service, GSocketConnection *connection, GObject *source,
                            gpointer user_data)
{
    const char *answer = g_object_get_data(G_OBJECT(service), "answer");
    guint *n_connects = user_data;
    (*n_connects)++;
    gsize n;
    GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(connection));
    g_output_stream_write_all(out, answer, strlen(answer), &n, NULL, NULL);
    g_io_stream_close(G_IO_STREAM(connection), NULL, NULL);
    return TRUE;
}

static void test_garbage_is_dialled_again(void)
{
    static const char *const answers[] = {
        "", "\xff\xfe nonsense \r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: bm9uc2Vuc2U=\r\n\r\n\x81\x05hello",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
    for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
        g_autoptr(GSocketService) service = g_socket_service_new();
        guint port = g_socket_listener_add_any_inet_port(G_SOCKET_LISTENER(service), NULL, NULL);
        guint n_connects = 0;
        Seen seen = {0};
        g_object_set_data(G_OBJECT(service), "answer", (gpointer)answers[i]);
        g_signal_connect(service, "incoming", G_CALLBACK(on_incoming), &n_connects);
        g_autofree char *url = g_strdup_printf("ws://127.0.0.1:%u/", port);
        g_autoptr(StreamingClient) client = dial(url, NULL, &seen);
        STREAMING_WAIT(seen.n_lost == 1);
        g_assert_cmpuint(seen.n_connected, ==, 0);
        push_frames(client, 0, 10);
        STREAMING_WAIT(n_connects == 2); /* after a second it tries again */
        g_clear_pointer(&client, streaming_client_free);
        g_socket_service_stop(service);
        g_socket_listener_close(G_SOCKET_LISTENER(service));
        seen_clear(&seen);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/faults/a_network_lost_for_a_second_loses_nothing",
                    test_a_network_lost_for_a_second_loses_nothing);
    g_test_add_func("/faults/a_long_loss_drops_the_oldest_and_says_so",
                    test_a_long_loss_drops_the_oldest_and_says_so);
    g_test_add_func("/faults/a_cut_is_dialled_again", test_a_cut_is_dialled_again);
    g_test_add_func("/faults/the_last_seconds_come_again", test_the_last_seconds_come_again);
    g_test_add_func("/faults/a_short_loss_is_made_up_for", test_a_short_loss_is_made_up_for);
    g_test_add_func("/faults/a_dial_that_hangs_is_given_up", test_a_dial_that_hangs_is_given_up);
    g_test_add_func("/faults/a_refusal_is_dialled_again", test_a_refusal_is_dialled_again);
    g_test_add_func("/faults/the_reason_of_a_close_is_told", test_the_reason_of_a_close_is_told);
    g_test_add_func("/faults/a_huge_message_is_bounded", test_a_huge_message_is_bounded);
    g_test_add_func("/faults/garbage_is_dialled_again", test_garbage_is_dialled_again);
    return g_test_run();
}
