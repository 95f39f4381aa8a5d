/* SPDX-License-Identifier: Apache-2.0 */
#include "streaming/plan.h"
#include "streaming/speakers.h"
#include "streaming/speech_buffer.h"

/* The table of streaming/plan.h, a row each. */
static const struct {
    const char *input, *output;
    bool service;
    guint n;
    StreamingSocket sockets[2];
} plans[] = {
    {NULL, NULL, false, 0, {{0}}},
    {"a", NULL, false, 1, {{"a", true, true}}},
    {"a", NULL, true, 1, {{"a", true, true}}},
    {NULL, "b", false, 1, {{"b", true, true}}},
    {"a", "a", false, 1, {{"a", true, true}}},
    {"a", "a", true, 1, {{"a", true, true}}},
    {"a", "b", false, 2, {{"a", true, false}, {"b", false, true}}},
    {"a", "b", true, 2, {{"a", false, true}, {"b", true, false}}},
};

static void test_plan(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(plans); i++) {
        StreamingSocket sockets[STREAMING_MAX_SOCKETS];
        guint n = streaming_plan(plans[i].input, plans[i].output, plans[i].service, sockets);
        g_assert_cmpuint(n, ==, plans[i].n);
        for (guint s = 0; s < n; s++) {
            g_assert_cmpstr(sockets[s].url, ==, plans[i].sockets[s].url);
            g_assert_cmpint(sockets[s].gets_meeting, ==, plans[i].sockets[s].gets_meeting);
            g_assert_cmpint(sockets[s].gives_speech, ==, plans[i].sockets[s].gives_speech);
        }
    }
}

static void test_those_speaking_come_first(void)
{
    const StreamingSpeaker speakers[] = {{"Alice \"A\"", 1, false}, {"Bob", 2, true}};
    g_autofree char *json = streaming_speakers_to_json(speakers, 2, 1754310000123);
    g_assert_cmpstr(json, ==,
                    "[{\"name\":\"Bob\",\"id\":2,\"timestamp\":1754310000123,\"isSpeaking\":true},"
                    "{\"name\":\"Alice \\\"A\\\"\",\"id\":1,\"timestamp\":1754310000123,"
                    "\"isSpeaking\":false}]");
}

static void test_odd_pieces_keep_the_half_sample(void)
{
    g_autoptr(StreamingSpeechBuffer) buffer = streaming_speech_buffer_new(100);
    int16_t samples[4];
    uint32_t rate_hz;
    g_assert_cmpuint(streaming_speech_buffer_push(buffer, (const guint8 *)"\x34", 1, 8000), ==, 0);
    g_assert_cmpuint(streaming_speech_buffer_pop(buffer, samples, 4, &rate_hz), ==, 0);
    g_assert_cmpuint(
        streaming_speech_buffer_push(buffer, (const guint8 *)"\x12\xff\xff\x01", 4, 8000), ==, 0);
    g_assert_cmpuint(streaming_speech_buffer_pop(buffer, samples, 4, &rate_hz), ==, 2);
    g_assert_cmpint(samples[0], ==, 0x1234);
    g_assert_cmpint(samples[1], ==, -1);
    streaming_speech_buffer_flush(buffer);
    streaming_speech_buffer_push(buffer, (const guint8 *)"\x01\x00", 2, 8000);
    g_assert_cmpuint(streaming_speech_buffer_pop(buffer, samples, 4, &rate_hz), ==, 1);
    g_assert_cmpint(samples[0], ==, 1);
}

static void test_the_buffer_is_bounded(void)
{
    g_autoptr(StreamingSpeechBuffer) buffer = streaming_speech_buffer_new(10);
    guint8 bytes[64] = {0};
    gsize dropped = streaming_speech_buffer_push(buffer, bytes, 64, 8000);
    g_assert_cmpuint(dropped, ==, 22);
    g_assert_cmpuint(streaming_speech_buffer_length(buffer), ==, 10);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parts/plan", test_plan);
    g_test_add_func("/parts/those_speaking_come_first", test_those_speaking_come_first);
    g_test_add_func("/parts/odd_pieces_keep_the_half_sample", test_odd_pieces_keep_the_half_sample);
    g_test_add_func("/parts/the_buffer_is_bounded", test_the_buffer_is_bounded);
    return g_test_run();
}
