/* SPDX-License-Identifier: Apache-2.0 */
#include "streaming/client.h"
#include "tests/streaming/fixture.h"

#include <string.h>

static void test_handshake_then_exact_pcm(void)
{
    StreamingPeer peer;
    Seen seen = {0};
    streaming_peer_init(&peer);
    g_autofree char *url = streaming_peer_url(&peer, "/live?key=1");
    g_autoptr(StreamingClient) client = dial(url, NULL, &seen);
    STREAMING_WAIT(seen.n_connected == 1 && peer.texts->len == 1);
    assert_handshake(g_ptr_array_index(peer.texts, 0), 0.0);
    g_assert_cmpstr(peer.last_header, ==, "yes");
    g_assert_cmpstr(peer.last_path, ==, "/live?key=1");
    for (guint i = 0; i < 200; i++) {
        push_frame(client, i);
    }
    STREAMING_WAIT(peer.audio->len == 200 * FRAME * 2);
    assert_audio(&peer, 0, 0);
    for (guint i = 0; i < peer.audio_lengths->len; i++) {
        g_assert_cmpuint(g_array_index(peer.audio_lengths, guint, i), ==, FRAME * 2);
    }
    g_clear_pointer(&client, streaming_client_free);
    streaming_peer_clear(&peer);
}

static void test_comes_back_with_the_right_offset(void)
{
    StreamingPeer peer;
    Seen seen = {0};
    streaming_peer_init(&peer);
    g_autofree char *url = streaming_peer_url(&peer, "/");
    g_autoptr(StreamingClient) client = dial(url, NULL, &seen);
    STREAMING_WAIT(seen.n_connected == 1 && peer.texts->len == 1);
    StreamingSpeaker alice = {"Alice", 1, true};
    streaming_client_set_speakers(client, &alice, 1, 5);
    STREAMING_WAIT(peer.texts->len == 2);
    streaming_peer_go_away(&peer);
    STREAMING_WAIT(seen.n_lost == 1);
    for (guint i = 0; i < 50; i++) {
        push_frame(client, i);
    }
    streaming_peer_come_back(&peer);
    STREAMING_WAIT(seen.n_connected == 2 && peer.texts->len == 4);
    assert_handshake(g_ptr_array_index(peer.texts, 2), 50.0 * FRAME / RATE);
    g_assert_cmpstr(g_ptr_array_index(peer.texts, 3), ==, g_ptr_array_index(peer.texts, 1));
    push_frame(client, 50);
    STREAMING_WAIT(peer.audio->len == FRAME * 2);
    assert_audio(&peer, 0, 50 * FRAME);
    StreamingStats stats;
    streaming_client_get_stats(client, &stats);
    g_assert_cmpuint(stats.n_frames_dropped, ==, 50);
    g_clear_pointer(&client, streaming_client_free);
    streaming_peer_clear(&peer);
}

static void test_nothing_is_sent_on_a_socket_that_only_gives_speech(void)
{
    StreamingPeer meeting, speech;
    Seen seen = {0};
    streaming_peer_init(&meeting);
    streaming_peer_init(&speech);
    g_autofree char *input = streaming_peer_url(&meeting, "/");
    g_autofree char *output = streaming_peer_url(&speech, "/");
    g_autoptr(StreamingClient) client = dial(input, output, &seen);
    STREAMING_WAIT(seen.n_connected == 2 && meeting.texts->len == 1);
    for (guint i = 0; i < 20; i++) {
        push_frame(client, i);
    }
    streaming_peer_send(&meeting, "xxxx", 4, false); /* not the one that gives speech */
    streaming_peer_send(&speech, "\1\0\2", 3, false);
    streaming_peer_send(&speech, "\0\3\0", 3, false);
    STREAMING_WAIT(meeting.audio->len == 20 * FRAME * 2 && seen.n_speech >= 1);
    int16_t samples[8];
    uint32_t rate_hz = 0;
    gsize n = 0;
    STREAMING_WAIT((n += streaming_client_pop_speech(client, samples + n, 8 - n, &rate_hz)) == 3);
    g_assert_cmpint(samples[0], ==, 1);
    g_assert_cmpint(samples[1], ==, 2);
    g_assert_cmpint(samples[2], ==, 3);
    g_assert_cmpuint(speech.texts->len, ==, 0);
    g_assert_cmpuint(speech.audio->len, ==, 0);
    g_clear_pointer(&client, streaming_client_free);
    streaming_peer_clear(&meeting);
    streaming_peer_clear(&speech);
}

static void test_text_is_ignored_but_for_flush(void)
{
    StreamingPeer peer;
    Seen seen = {0};
    streaming_peer_init(&peer);
    g_autofree char *url = streaming_peer_url(&peer, "/");
    g_autoptr(StreamingClient) client = dial(url, url, &seen);
    STREAMING_WAIT(seen.n_connected == 1 && peer.texts->len == 1);
    static const char *const texts[] = {"hello", "{", "[]", "{\"type\":7}", "{\"type\":\"x\"}"};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        streaming_peer_send(&peer, texts[i], strlen(texts[i]), true);
    }
    g_autofree char *huge = g_strnfill(2000000, 'x');
    streaming_peer_send(&peer, huge, 2000000, true);
    streaming_peer_send(&peer, "\1\0", 2, false);
    streaming_peer_send(&peer, "{\"type\":\"flush\"}", 16, true);
    STREAMING_WAIT(seen.n_flush == 1);
    int16_t sample;
    uint32_t rate_hz = 0;
    g_assert_cmpuint(streaming_client_pop_speech(client, &sample, 1, &rate_hz), ==, 0);
    g_assert_cmpuint(peer.n_connects, ==, 1);
    g_clear_pointer(&client, streaming_client_free);
    streaming_peer_clear(&peer);
}

/* The consumer does not read: its main context stands still while an hour of audio comes. */
static void test_a_frozen_consumer_loses_the_oldest_and_nobody_waits(void)
{
    StreamingPeer peer;
    Seen seen = {0};
    streaming_peer_init(&peer);
    g_autofree char *url = streaming_peer_url(&peer, "/");
    g_autoptr(StreamingClient) client = dial(url, NULL, &seen);
    STREAMING_WAIT(seen.n_connected == 1 && peer.texts->len == 1);
    const guint n_frames = 3600 * 50;
    for (guint i = 0; i < n_frames; i++) {
        push_frame(client, i);
    }
    StreamingStats stats;
    streaming_client_get_stats(client, &stats);
    g_assert_cmpuint(stats.n_frames_dropped, >, 0);
    STREAMING_WAIT(seen.n_dropped > 0);
    /* When it reads again, it gets what TCP held, and then the newest without a hole. */
    int16_t last = (int16_t)(n_frames * FRAME - 1);
    STREAMING_WAIT(peer.audio->len >= 2 &&
                   memcmp(peer.audio->data + peer.audio->len - 2, &last, 2) == 0);
    gsize tail = (gsize)4 * RATE * 2;
    assert_audio(&peer, peer.audio->len - tail, n_frames * FRAME - 4 * RATE);
    g_clear_pointer(&client, streaming_client_free);
    streaming_peer_clear(&peer);
}

static void test_a_url_that_is_none(void)
{
    g_autoptr(GError) error = NULL;
    StreamingEvents none = {0};
    StreamingConfig config = {.bot_id = "b", .input = "ws://", .rate_hz = RATE};
    g_assert_null(streaming_client_new(&config, &none, NULL, &error));
    g_assert_nonnull(error);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/client/handshake_then_exact_pcm", test_handshake_then_exact_pcm);
    g_test_add_func("/client/comes_back_with_the_right_offset",
                    test_comes_back_with_the_right_offset);
    g_test_add_func("/client/nothing_is_sent_on_a_socket_that_only_gives_speech",
                    test_nothing_is_sent_on_a_socket_that_only_gives_speech);
    g_test_add_func("/client/text_is_ignored_but_for_flush", test_text_is_ignored_but_for_flush);
    g_test_add_func("/client/a_frozen_consumer_loses_the_oldest_and_nobody_waits",
                    test_a_frozen_consumer_loses_the_oldest_and_nobody_waits);
    g_test_add_func("/client/a_url_that_is_none", test_a_url_that_is_none);
    return g_test_run();
}
