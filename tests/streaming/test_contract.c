/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/streaming/fixture.h"

#include <string.h>

/* docs/streaming.md, clause by clause, against real servers. */

typedef struct {
    bool input, output, equal, service;
    int meeting; /* which of the two gets the meeting; -1: the one socket */
    int speech;
} Combination;

static const Combination combinations[] = {
    {true, false, false, false, 0, 0}, {false, true, false, false, 1, 1},
    {true, true, true, false, 0, 0},   {true, true, false, false, 0, 1},
    {true, true, false, true, 1, 0},   {true, false, false, true, 0, 0},
    {true, true, true, true, 0, 0},
};

static void test_every_combination_of_directions(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(combinations); i++) {
        const Combination *c = &combinations[i];
        StreamingPeer peers[2];
        Seen seen = {0};
        streaming_peer_init(&peers[0]);
        streaming_peer_init(&peers[1]);
        g_autofree char *a = streaming_peer_url(&peers[0], "/");
        g_autofree char *b = streaming_peer_url(&peers[1], "/");
        StreamingConfig config = {.input = c->input ? a : NULL,
                                  .output = !c->output ? NULL
                                            : c->equal ? a
                                                       : b,
                                  .service_directions = c->service};
        g_autoptr(StreamingClient) client = dial_with(&config, &seen);
        StreamingPeer *meeting = &peers[c->meeting], *speech = &peers[c->speech];
        guint n_sockets = c->meeting != c->speech ? 2 : 1;
        STREAMING_WAIT(seen.n_connected == n_sockets && meeting->texts->len == 1);
        assert_handshake(g_ptr_array_index(meeting->texts, 0), 0);
        push_frames(client, 0, 10);
        streaming_peer_send(speech, "\1\0\2\0", 4, false);
        STREAMING_WAIT(ends_with(meeting, 9) && seen.n_speech > 0);
        int16_t samples[4];
        uint32_t rate_hz = 0;
        g_assert_cmpuint(streaming_client_pop_speech(client, samples, 4, &rate_hz), ==, 2);
        g_assert_cmpuint(rate_hz, ==, RATE);
        g_assert_cmpuint(peers[0].n_connects + peers[1].n_connects, ==, n_sockets);
        if (n_sockets == 2) {
            g_assert_cmpuint(speech->texts->len + speech->audio->len, ==, 0);
        }
        g_clear_pointer(&client, streaming_client_free);
        streaming_peer_clear(&peers[0]);
        streaming_peer_clear(&peers[1]);
        seen_clear(&seen);
    }
}

static void test_a_token_is_sent(void)
{
    StreamingPeer peer;
    Seen seen = {0};
    streaming_peer_init(&peer);
    g_autofree char *url = streaming_peer_url(&peer, "/");
    StreamingConfig config = {.input = url, .token = "s3cret"};
    g_autoptr(StreamingClient) client = dial_with(&config, &seen);
    STREAMING_WAIT(peer.n_connects == 1);
    g_assert_cmpstr(peer.last_authorization, ==, "Bearer s3cret");
    g_clear_pointer(&client, streaming_client_free);
    streaming_peer_clear(&peer);
    seen_clear(&seen);
}

static void test_every_participant_alone(void)
{
    StreamingPeer peer;
    Seen seen = {0};
    streaming_peer_init(&peer);
    g_autofree char *url = streaming_peer_url(&peer, "/");
    StreamingConfig config = {.input = url, .per_participant = true};
    g_autoptr(StreamingClient) client = dial_with(&config, &seen);
    STREAMING_WAIT(seen.n_connected == 1 && peer.texts->len == 1);
    int16_t samples[FRAME] = {5};
    StreamingBlock alone = {.samples = samples,
                            .n_samples = FRAME,
                            .first_sample = 0,
                            .capture_unix_us = 77,
                            .participant_id = 3,
                            .source = 30037};
    push_frame(client, 0);
    streaming_client_push(client, &alone);
    const guint length = STREAMING_FRAME_HEADER_BYTES + FRAME * 2;
    STREAMING_WAIT(peer.audio->len == 2 * length);
    const guint8 *mix = peer.audio->data, *voice = mix + length;
    g_assert_cmpmem(mix, 4, "STA1", 4);
    g_assert_cmpint(mix[4], ==, STREAMING_FRAME_MIX);
    g_assert_cmpint(voice[4], ==, STREAMING_FRAME_PARTICIPANT);
    g_assert_cmpint(voice[8], ==, 3);
    g_assert_cmpint(voice[24], ==, 77);
    g_assert_cmpint(voice[STREAMING_FRAME_HEADER_BYTES], ==, 5);
    g_clear_pointer(&client, streaming_client_free);
    streaming_peer_clear(&peer);
    seen_clear(&seen);
}

static void test_attendees_form(void)
{
    StreamingPeer peer;
    Seen seen = {0};
    streaming_peer_init(&peer);
    g_autofree char *url = streaming_peer_url(&peer, "/");
    StreamingConfig config = {
        .input = url, .format = STREAMING_FORMAT_ATTENDEE, .per_participant = true};
    g_autoptr(StreamingClient) client = dial_with(&config, &seen);
    STREAMING_WAIT(seen.n_connected == 1);
    StreamingSpeaker alice = {"Alice", 1, true};
    streaming_client_set_speakers(client, &alice, 1, 5);
    streaming_client_name_participant(client, 3, "spaces/3");
    int16_t samples[FRAME] = {0};
    StreamingBlock alone = {.samples = samples, .n_samples = FRAME, .participant_id = 3};
    push_frame(client, 0);
    streaming_client_push(client, &alone);
    STREAMING_WAIT(peer.texts->len == 2); /* no handshake, no speakers */
    g_assert_nonnull(strstr(g_ptr_array_index(peer.texts, 0), "\"realtime_audio.mixed\""));
    g_assert_nonnull(strstr(g_ptr_array_index(peer.texts, 1), "\"participant_uuid\":\"spaces/3\""));
    g_assert_cmpuint(peer.audio->len, ==, 0);
    static const char speech[] = "{\"trigger\":\"realtime_audio.bot_output\",\"data\":"
                                 "{\"chunk\":\"AQACAA==\",\"sample_rate\":8000}}";
    streaming_peer_send(&peer, "xx", 2, false); /* PCM is no speech here */
    streaming_peer_send(&peer, speech, strlen(speech), true);
    STREAMING_WAIT(seen.n_speech > 0);
    int16_t got[4];
    uint32_t rate_hz = 0;
    g_assert_cmpuint(streaming_client_pop_speech(client, got, 4, &rate_hz), ==, 2);
    g_assert_cmpuint(rate_hz, ==, 8000);
    g_assert_cmpint(got[1], ==, 2);
    streaming_peer_send(&peer, "{\"type\":\"flush\"}", 16, true);
    STREAMING_WAIT(seen.n_flush == 1);
    g_clear_pointer(&client, streaming_client_free);
    streaming_peer_clear(&peer);
    seen_clear(&seen);
}

/* The public transcription receiver (facts 1.6): parses every message as JSON, takes the first row
 * of an array as who speaks. The public speaking bot: the first list means admission. */
static void test_what_public_consumers_need(void)
{
    StreamingPeer peer;
    Seen seen = {0};
    streaming_peer_init(&peer);
    g_autofree char *url = streaming_peer_url(&peer, "/ws/client-1");
    g_autoptr(StreamingClient) client = dial(url, url, &seen);
    STREAMING_WAIT(seen.n_connected == 1 && peer.texts->len == 1);
    g_assert_cmpstr(peer.last_path, ==, "/ws/client-1");
    g_autoptr(JsonNode) first = json_from_string(g_ptr_array_index(peer.texts, 0), NULL);
    g_assert_true(JSON_NODE_HOLDS_OBJECT(first)); /* no list before admission */
    g_assert_false(json_object_has_member(json_node_get_object(first), "type"));
    StreamingSpeaker people[] = {{"Alice", 1, false}, {"Bob", 2, true}};
    streaming_client_set_speakers(client, people, 2, 1754310000123);
    push_frames(client, 0, 5);
    STREAMING_WAIT(peer.texts->len == 2 && ends_with(&peer, 4));
    g_autoptr(JsonNode) list = json_from_string(g_ptr_array_index(peer.texts, 1), NULL);
    JsonObject *row = json_array_get_object_element(json_node_get_array(list), 0);
    g_assert_cmpstr(json_object_get_string_member(row, "name"), ==, "Bob");
    g_assert_true(json_object_get_boolean_member(row, "isSpeaking"));
    for (guint i = 0; i < peer.audio_lengths->len; i++) {
        g_assert_cmpuint(g_array_index(peer.audio_lengths, guint, i), ==, FRAME * 2);
    }
    g_clear_pointer(&client, streaming_client_free);
    streaming_peer_clear(&peer);
    seen_clear(&seen);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/contract/every_combination_of_directions",
                    test_every_combination_of_directions);
    g_test_add_func("/contract/a_token_is_sent", test_a_token_is_sent);
    g_test_add_func("/contract/every_participant_alone", test_every_participant_alone);
    g_test_add_func("/contract/attendees_form", test_attendees_form);
    g_test_add_func("/contract/what_public_consumers_need", test_what_public_consumers_need);
    return g_test_run();
}
