/* SPDX-License-Identifier: Apache-2.0 */
#include "streaming/message.h"

#include <string.h>

static const int16_t samples[] = {1, -2, 0x1234};
static const StreamingBlock mix = {.samples = samples,
                                   .n_samples = 3,
                                   .first_sample = 480,
                                   .capture_unix_us = 1754310000123456,
                                   .is_mix = true};
static const StreamingBlock one = {.samples = samples,
                                   .n_samples = 3,
                                   .first_sample = 480,
                                   .capture_unix_us = 1754310000123456,
                                   .participant_id = 7,
                                   .source = 0xdeadbeef};
static const guint8 pcm[] = {1, 0, 0xfe, 0xff, 0x34, 0x12};

static void test_plain_pcm(void)
{
    g_autoptr(StreamingMessage) message = streaming_message_pcm(&mix);
    g_assert_cmpmem(message->data, message->length, pcm, sizeof pcm);
    g_assert_cmpuint(message->n_samples, ==, 3);
    g_assert_false(message->text);
}

static void test_framed(void)
{
    static const guint8 wanted[] = {
        'S',  'T',  'A',  '1',  1,    0,    0, 0, 7,    0,    0,    0,    0xef,
        0xbe, 0xad, 0xde, 0xe0, 0x01, 0,    0, 0, 0,    0,    0,    0x40, 0xac,
        0xca, 0x9e, 0x89, 0x3b, 0x06, 0x00, 1, 0, 0xfe, 0xff, 0x34, 0x12,
    };
    g_autoptr(StreamingMessage) message = streaming_message_framed(&one);
    g_assert_cmpuint(message->length, ==, sizeof wanted);
    g_assert_cmpmem(message->data, 24, wanted, 24);
    guint64 at_us;
    memcpy(&at_us, message->data + 24, sizeof at_us);
    g_assert_cmpuint(GUINT64_FROM_LE(at_us), ==, 1754310000123456u);
    g_assert_cmpmem(message->data + 32, message->length - 32, pcm, sizeof pcm);
    g_assert_cmpuint(message->n_samples, ==, 0); /* does not advance the stream */
    g_autoptr(StreamingMessage) mixed = streaming_message_framed(&mix);
    g_assert_cmpint(mixed->data[4], ==, STREAMING_FRAME_MIX);
    g_assert_cmpuint(mixed->n_samples, ==, 3);
}

static void test_attendee(void)
{
    g_autoptr(StreamingMessage) message =
        streaming_message_attendee(&one, "bot_x", "spaces/1", 16000, 99);
    g_autofree char *text = g_strndup((const char *)message->data, message->length);
    g_assert_true(message->text);
    g_assert_cmpstr(text, ==,
                    "{\"trigger\":\"realtime_audio.per_participant\",\"bot_id\":\"bot_x\","
                    "\"data\":{\"chunk\":\"AQD+/zQS\",\"timestamp_ms\":99,\"sample_rate\":16000,"
                    "\"participant_uuid\":\"spaces/1\"}}");
    g_autoptr(StreamingMessage) mixed = streaming_message_attendee(&mix, "bot_x", NULL, 24000, 100);
    g_autofree char *mixed_text = g_strndup((const char *)mixed->data, mixed->length);
    g_assert_cmpstr(mixed_text, ==,
                    "{\"trigger\":\"realtime_audio.mixed\",\"bot_id\":\"bot_x\",\"data\":"
                    "{\"chunk\":\"AQD+/zQS\",\"timestamp_ms\":100,\"sample_rate\":24000}}");
}

static void test_bot_output(void)
{
    static const char text[] = "{\"trigger\":\"realtime_audio.bot_output\",\"data\":"
                               "{\"chunk\":\"AQD+/zQS\",\"sample_rate\":8000}}";
    g_autoptr(GBytes) bytes = NULL;
    uint32_t rate_hz = 0;
    g_assert_cmpint(streaming_text_read(text, strlen(text), &bytes, &rate_hz), ==,
                    STREAMING_TEXT_BOT_OUTPUT);
    gsize n;
    const void *data = g_bytes_get_data(bytes, &n);
    g_assert_cmpmem(data, n, pcm, sizeof pcm);
    g_assert_cmpuint(rate_hz, ==, 8000);
}

static void test_other_texts_mean_nothing(void)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "7",
        "\xff",
        "{\"type\":7}",
        "{\"trigger\":\"realtime_audio.bot_output\"}",
        "{\"trigger\":\"realtime_audio.bot_output\",\"data\":[]}",
        "{\"trigger\":\"realtime_audio.bot_output\",\"data\":{\"chunk\":\"AAA=\"}}",
        "{\"trigger\":\"realtime_audio.bot_output\",\"data\":{\"chunk\":1,\"sample_rate\":8000}}",
        "{\"trigger\":\"realtime_audio.bot_output\",\"data\":{\"chunk\":\"\",\"sample_rate\":1}}",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GBytes) bytes = NULL;
        uint32_t rate_hz;
        g_assert_cmpint(streaming_text_read(texts[i], strlen(texts[i]), &bytes, &rate_hz), ==,
                        STREAMING_TEXT_OTHER);
        g_assert_null(bytes);
    }
    g_autoptr(GBytes) bytes = NULL;
    uint32_t rate_hz;
    g_assert_cmpint(streaming_text_read("{\"type\":\"flush\"}", 16, &bytes, &rate_hz), ==,
                    STREAMING_TEXT_FLUSH);
}

/* It would overflow the stack of a parser that recurses. */
static void test_depth_hides_nowhere(void)
{
    static const char *const before[] = {"{\"a\":", "{\"a\":/* \" */", "{'\"':"};
    g_autofree char *brackets = g_strnfill(2000000, '[');
    for (gsize i = 0; i < G_N_ELEMENTS(before); i++) {
        g_autofree char *text = g_strconcat(before[i], brackets, NULL);
        g_autoptr(GBytes) bytes = NULL;
        uint32_t rate_hz;
        g_assert_cmpint(streaming_text_read(text, strlen(text), &bytes, &rate_hz), ==,
                        STREAMING_TEXT_OTHER);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/message/plain_pcm", test_plain_pcm);
    g_test_add_func("/message/framed", test_framed);
    g_test_add_func("/message/attendee", test_attendee);
    g_test_add_func("/message/bot_output", test_bot_output);
    g_test_add_func("/message/other_texts_mean_nothing", test_other_texts_mean_nothing);
    g_test_add_func("/message/depth_hides_nowhere", test_depth_hides_nowhere);
    return g_test_run();
}
