/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/streaming/fixture.h"

#include <string.h>

static void on_connection(const char *url, bool connected, const char *reason, gpointer user_data)
{
    Seen *seen = user_data;
    seen->n_connected += connected;
    seen->n_lost += !connected;
    if (!connected) {
        g_free(seen->reason);
        seen->reason = g_strdup(reason);
    }
}

static void on_speech(gpointer user_data)
{
    ((Seen *)user_data)->n_speech++;
}

static void on_flush(gpointer user_data)
{
    ((Seen *)user_data)->n_flush++;
}

static void on_dropped(uint64_t n_frames, uint64_t n_speech, gpointer user_data)
{
    ((Seen *)user_data)->n_dropped += n_frames;
    ((Seen *)user_data)->n_speech_dropped += n_speech;
}

static const StreamingEvents events = {on_connection, on_speech, on_flush, on_dropped};

void seen_clear(Seen *seen)
{
    g_clear_pointer(&seen->reason, g_free);
}

StreamingClient *dial_with(StreamingConfig *config, Seen *seen)
{
    g_autoptr(GError) error = NULL;
    config->bot_id = "b-1";
    config->rate_hz = RATE;
    StreamingClient *client = streaming_client_new(config, &events, seen, &error);
    g_assert_no_error(error);
    return client;
}

StreamingClient *dial(const char *input, const char *output, Seen *seen)
{
    g_autoptr(JsonObject) headers = json_object_new();
    json_object_set_string_member(headers, "X-Test", "yes");
    StreamingConfig config = {.input = input, .output = output, .headers = headers};
    return dial_with(&config, seen);
}

void push_frame(StreamingClient *client, guint number)
{
    int16_t samples[FRAME];
    for (guint i = 0; i < FRAME; i++) {
        samples[i] = (int16_t)(number * FRAME + i);
    }
    StreamingBlock block = {.samples = samples,
                            .n_samples = FRAME,
                            .first_sample = (uint64_t)number * FRAME,
                            .is_mix = true};
    streaming_client_push(client, &block);
}

void push_frames(StreamingClient *client, guint from, guint to)
{
    for (guint i = from; i < to; i++) {
        push_frame(client, i);
    }
}

void assert_handshake(const char *text, double offset)
{
    g_autoptr(JsonNode) node = json_from_string(text, NULL);
    g_assert_nonnull(node);
    JsonObject *object = json_node_get_object(node);
    g_assert_cmpint(json_object_get_int_member(object, "protocol_version"), ==, 1);
    g_assert_cmpstr(json_object_get_string_member(object, "bot_id"), ==, "b-1");
    g_assert_cmpint(json_object_get_int_member(object, "sample_rate"), ==, RATE);
    g_assert_cmpfloat_with_epsilon(json_object_get_double_member(object, "offset"), offset, 1e-9);
}

void assert_audio(StreamingPeer *peer, gsize from_byte, guint first_sample)
{
    const guint8 *data = peer->audio->data + from_byte;
    for (gsize i = 0; i < (peer->audio->len - from_byte) / 2; i++) {
        int16_t sample = (int16_t)(data[2 * i] | data[2 * i + 1] << 8);
        g_assert_cmpint(sample, ==, (int16_t)(first_sample + i));
    }
}

bool ends_with(StreamingPeer *peer, guint number)
{
    int16_t last = (int16_t)((number + 1) * FRAME - 1);
    return peer->audio->len >= 2 &&
           memcmp(peer->audio->data + peer->audio->len - 2, &last, sizeof last) == 0;
}
