/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/config.h"

#define URL "\"meeting_url\":\"https://meet.google.com/abc-defg-hij\""

static BotConfig *parse(const char *json)
{
    g_autoptr(GError) error = NULL;
    BotConfig *config = bot_config_new_from_data(json, -1, &error);
    g_assert_no_error(error);
    g_assert_nonnull(config);
    return config;
}

static void test_defaults(void)
{
    g_autoptr(BotConfig) config = parse("{" URL "}");
    g_assert_cmpstr(config->bot_name, ==, "Steno");
    g_assert_true(g_uuid_string_is_valid(config->bot_id));
    g_assert_true(g_str_has_suffix(config->output_dir, config->bot_id));
    g_assert_cmpint(config->mode, ==, BOT_MODE_SPEAKER_VIEW);
    g_assert_cmpuint(config->auto_leave.waiting_room_s, ==, 600);
    g_assert_cmpuint(config->auto_leave.noone_joined_s, ==, 600);
    g_assert_cmpuint(config->auto_leave.silence_s, ==, 600);
    g_assert_cmpuint(config->auto_leave.alone_s, ==, 60);
    g_assert_cmpuint(config->auto_leave.max_duration_s, ==, 4 * 3600);
    g_assert_cmpuint(config->width, ==, 1280);
    g_assert_cmpuint(config->fps, ==, 25);
    g_assert_cmpuint(config->stream_rate_hz, ==, 24000);
    g_assert_cmpuint(config->stream_frame_ms, ==, 20);
    g_assert_cmpuint(config->shutdown_grace_s, ==, 50);
    g_assert_null(config->webhook_url);
}

/* As many characters as people see, whatever they are made of: "会" has three bytes. */
static void test_lengths_are_counted_in_characters(void)
{
    g_autoptr(GString) name = g_string_new(NULL);
    for (int i = 0; i < 100; i++) {
        g_string_append(name, "会");
    }
    g_autofree char *longest = g_strdup_printf("{" URL ",\"bot_name\":\"%s\"}", name->str);
    g_autoptr(BotConfig) config = parse(longest);
    g_assert_cmpint(g_utf8_strlen(config->bot_name, -1), ==, 100);

    g_autofree char *longer = g_strdup_printf("{" URL ",\"bot_name\":\"%s会\"}", name->str);
    g_autoptr(GError) error = NULL;
    g_assert_null(bot_config_new_from_data(longer, -1, &error));
    g_assert_nonnull(strstr(error->message, "1 to 100 characters"));

    /* a store counts bytes, and says so when there is nobody left to hear it */
    g_autofree char *prefix = g_strdup_printf(
        "{" URL ",\"upload\":{\"s3\":{\"bucket\":\"b\",\"access_key\":\"a\",\"secret_key\":\"s\","
        "\"prefix\":\"%s%s%s%s\"}}}",
        name->str, name->str, name->str, name->str);
    g_clear_error(&error);
    g_assert_null(bot_config_new_from_data(prefix, -1, &error));
    g_assert_nonnull(strstr(error->message, "900 bytes"));
}

static BotConfig *renew(const BotConfig *config, const char *json, GError **error)
{
    g_autoptr(JsonNode) node = json_from_string(json, NULL);
    return bot_config_with_credentials(config, json_node_get_object(node), error);
}

/* Newer keys for the same bucket, a newer link for the recording, and nothing else. */
static void test_credentials_can_be_renewed(void)
{
    g_autoptr(BotConfig) s3 =
        parse("{" URL ",\"upload\":{\"s3\":{\"bucket\":\"b\",\"access_key\":\"a\","
              "\"secret_key\":\"s\",\"session_token\":\"old\"}}}");
    g_autoptr(BotConfig) newer =
        renew(s3, "{\"upload\":{\"s3\":{\"access_key\":\"A\",\"session_token\":\"new\"}}}", NULL);
    g_assert_cmpstr(newer->upload.store.access_key, ==, "A");
    g_assert_cmpstr(newer->upload.store.secret_key, ==, "s");
    g_assert_cmpstr(newer->upload.store.session_token, ==, "new");
    g_assert_cmpstr(newer->upload.store.bucket, ==, "b");
    g_assert_cmpstr(newer->bot_id, ==, s3->bot_id);
    g_autoptr(BotConfig) without =
        renew(s3, "{\"upload\":{\"s3\":{\"access_key\":\"A\",\"session_token\":null}}}", NULL);
    g_assert_null(without->upload.store.session_token);
    g_autoptr(BotConfig) url = parse("{" URL ",\"upload\":{\"put_url\":\"https://x/1?old\"}}");
    g_autoptr(BotConfig) link = renew(url, "{\"upload\":{\"put_url\":\"https://x/1?new\"}}", NULL);
    g_assert_cmpstr(link->upload.store.put_url, ==, "https://x/1?new");
    static const char *const bad[] = {"{\"upload\":{\"s3\":{\"bucket\":\"other\"}}}",
                                      "{\"upload\":{\"s3\":{\"endpoint\":\"x\"}}}",
                                      "{\"upload\":{\"put_url\":\"https://x\"}}",
                                      "{\"upload\":7}",
                                      "{}",
                                      "{\"upload\":{\"s3\":{\"access_key\":7}}}"};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(renew(s3, bad[i], &error));
        g_assert_nonnull(strstr(error->message, "$.upload"));
    }
}

static void test_every_part_is_read(void)
{
    g_autoptr(BotConfig) config =
        parse("{" URL ",\"bot_id\":\"b-1\",\"output_dir\":\"/x\",\"bot_name\":\"Zoé\","
              "\"recording_mode\":\"audio_only\",\"entry_message\":\"hi\",\"extra\":{\"k\":1},"
              "\"automatic_leave\":{\"silence_timeout\":7,\"ignored_names\":[\"Bot\"]},"
              "\"recording\":{\"resolution\":\"1080p\",\"fps\":30,\"video_bitrate\":900000},"
              "\"streaming\":{\"input\":\"wss://a/in\",\"output\":\"ws://127.0.0.1:9/out\","
              "\"audio_frequency\":\"16khz\",\"frame_ms\":100,\"directions\":\"service\","
              "\"per_participant\":true,\"format\":\"attendee\",\"replay_s\":9,"
              "\"headers\":{\"Authorization\":\"Bearer t\"}},"
              "\"webhook_url\":\"http://127.0.0.1/h\",\"webhook_api_key\":\"k\","
              "\"reserved\":true,\"start_time\":1,\"deduplication_key\":null}");
    g_assert_cmpint(config->mode, ==, BOT_MODE_AUDIO_ONLY);
    g_assert_cmpuint(config->auto_leave.silence_s, ==, 7);
    g_assert_cmpuint(json_array_get_length(config->ignored_names), ==, 1);
    g_assert_cmpuint(config->height, ==, 1080);
    g_assert_cmpuint(config->stream_rate_hz, ==, 16000);
    g_assert_cmpuint(config->stream_frame_ms, ==, 100);
    g_assert_true(config->stream_service_directions);
    g_assert_nonnull(config->stream_headers);
    g_assert_true(config->stream_per_participant);
    g_assert_true(config->stream_attendee);
    g_assert_cmpuint(config->stream_replay_s, ==, 9);
    g_assert_nonnull(config->extra);
}

/* What is wrong, and what the message must say: the path, the value, what was expected. */
static const struct {
    const char *json;
    const char *says[3];
} wrong[] = {
    {"", {"JSON"}},
    {"[]", {"$", "object"}},
    {"{\"meeting_url\":", {"JSON"}},
    {"{}", {"$.meeting_url", "missing"}},
    {"{\"meeting_url\":null}", {"$.meeting_url", "null", "string"}},
    {"{\"meeting_url\":7}", {"$.meeting_url", "7", "string"}},
    {"{" URL ",\"bot_nane\":\"x\"}", {"$.bot_nane", "unknown"}},
    {"{" URL ",\"recording\":{\"fsp\":5}}", {"$.recording.fsp", "unknown"}},
    {"{" URL ",\"recording.fps\":5}", {"$.recording.fps", "unknown"}},
    {"{" URL ",\"recording\":5}", {"$.recording", "5", "object"}},
    {"{" URL ",\"recording\":{\"fps\":31}}", {"$.recording.fps", "31", "5 to 30"}},
    {"{" URL ",\"recording\":{\"fps\":25.5}}", {"$.recording.fps", "25.5", "whole number"}},
    {"{" URL ",\"recording\":{\"fps\":\"25\"}}", {"$.recording.fps", "\"25\"", "whole number"}},
    {"{" URL ",\"recording_mode\":\"mp4\"}", {"$.recording_mode", "\"mp4\"", "speaker_view"}},
    {"{" URL ",\"automatic_leave\":{\"alone_timeout\":0}}",
     {"$.automatic_leave.alone_timeout", "0", "from 1"}},
    {"{" URL ",\"automatic_leave\":{\"ignored_names\":[\"a\",2]}}",
     {"$.automatic_leave.ignored_names[1]", "2", "string"}},
    {"{" URL ",\"streaming\":{\"input\":\"http://x/\"}}",
     {"$.streaming.input", "http://x/", "wss"}},
    {"{" URL ",\"streaming\":{\"input\":\"wss:\"}}", {"$.streaming.input", "host"}},
    {"{" URL ",\"streaming\":{\"input\":\"ws://example.com/\"}}",
     {"$.streaming.input", "example.com", "wss://"}},
    {"{" URL ",\"streaming\":{\"headers\":{\"A\":\"b\\r\\nC: d\"}}}",
     {"$.streaming.headers.A", "(secret)", "header"}},
    {"{" URL ",\"streaming\":{\"token\":\"a\\nb\"}}", {"$.streaming.token", "one line"}},
    {"{" URL ",\"streaming\":{\"token\":\"s3cret\",\"headers\":{\"authorization\":\"x\"}}}",
     {"$.streaming.token", "Authorization"}},
    {"{" URL ",\"streaming\":{\"audio_frequency\":\"44khz\"}}",
     {"$.streaming.audio_frequency", "44khz", "16khz, 24khz"}},
    {"{" URL ",\"webhook_url\":\"ftp://x/\"}", {"$.webhook_url", "ftp://x/", "http"}},
    {"{" URL ",\"webhook_api_key\":5}", {"$.webhook_api_key", "(secret)", "string"}},
    {"{" URL ",\"bot_id\":\"../x\"}", {"$.bot_id", "../x", "letters"}},
    {"{" URL ",\"bot_name\":\"\"}", {"$.bot_name", "1 to 100"}},
    {"{" URL ",\"browser\":{\"sandbox\":\"no\"}}",
     {"$.browser.sandbox", "\"no\"", "true or false"}},
    {"{" URL ",\"bot_image\":\"file:///etc/passwd\"}", {"$.bot_image", "http"}},
    {"{" URL ",\"bot_image\":\"data:image/png;base64,AAAA\"}", {"$.bot_image", "http"}},
    {"{" URL ",\"recording\":{\"separate_audio\":1}}",
     {"$.recording.separate_audio", "true or false"}},
    {"{" URL ",\"recording\":{\"encoder\":\"h263\"}}", {"$.recording.encoder", "openh264"}},
    {"{" URL ",\"recording\":{\"screenshots\":3601}}", {"$.recording.screenshots", "3600"}},
    {"{" URL ",\"upload\":{\"put_url\":\"ftp://x/\"}}", {"$.upload.put_url", "http"}},
    {"{" URL ",\"upload\":{\"s3\":{\"bucket\":\"b\"}}}", {"$.upload.s3.access_key", "missing"}},
    {"{" URL ",\"upload\":{\"s3\":{\"secret_key\":7}}}",
     {"$.upload.s3.secret_key", "(secret)", "string"}},
    {"{" URL
     ",\"upload\":{\"s3\":{\"bucket\":\"a/../b\",\"access_key\":\"k\",\"secret_key\":\"s\"}}}",
     {"$.upload.s3.bucket", "a/../b"}},
    {"{" URL ",\"upload\":{\"s3\":{\"endpoint\":\"https://h/x\",\"bucket\":\"b\","
     "\"access_key\":\"k\",\"secret_key\":\"s\"}}}",
     {"$.upload.s3.endpoint", "https://h/x", "host and port only"}},
    {"{" URL ",\"upload\":{\"put_url\":\"https://h/x\",\"s3\":{\"bucket\":\"b\","
     "\"access_key\":\"k\",\"secret_key\":\"s\"}}}",
     {"$.upload", "exclude"}},
};

static void test_wrong_fields_are_named(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_test_message("%s", wrong[i].json);
        g_assert_null(bot_config_new_from_data(wrong[i].json, -1, &error));
        g_assert_nonnull(error);
        g_test_message("-> %s", error->message);
        for (gsize s = 0; s < G_N_ELEMENTS(wrong[i].says) && wrong[i].says[s] != NULL; s++) {
            g_assert_nonnull(strstr(error->message, wrong[i].says[s]));
        }
    }
}

static void test_depth_is_bounded(void)
{
    g_autofree char *deep = g_strnfill(2000000, '['); /* would overflow a stack */
    g_autofree char *text = g_strconcat("{\"extra\":", deep, NULL);
    g_autoptr(GError) error = NULL;
    g_assert_null(bot_config_new_from_data(text, -1, &error));
    g_assert_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_SYNTAX);
    g_assert_cmpstr(error->message, ==, "$: the document is nested too deep");
}

static void test_print_blots_secrets_and_keeps_the_rest(void)
{
    g_autoptr(BotConfig) config =
        parse("{\"meeting_url\":\"https://meet.google.com/abc-defg-hij?pwd=s3cret\","
              "\"webhook_url\":\"https://h/p?token=s3cret\",\"webhook_api_key\":\"s3cret\","
              "\"streaming\":{\"input\":\"wss://h/x?key=s3cret\","
              "\"token\":\"s3cret\",\"headers\":{\"X-Key\":\"s3cret\"}}}");
    g_autofree char *text = bot_config_print(config);
    g_assert_null(strstr(text, "s3cret"));
    g_assert_nonnull(strstr(text, "meet.google.com/abc-defg-hij?***"));
    g_assert_nonnull(strstr(text, "\"fps\" : 25"));
    g_assert_cmpstr(config->webhook_api_key, ==, "s3cret");
}

static void test_printed_defaults_are_a_valid_document(void)
{
    g_autoptr(BotConfig) config = parse("{" URL "}");
    g_autofree char *text = bot_config_print(config);
    g_autoptr(BotConfig) again = parse(text);
    g_assert_cmpstr(again->bot_id, ==, config->bot_id);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config/defaults", test_defaults);
    g_test_add_func("/config/lengths_are_counted_in_characters",
                    test_lengths_are_counted_in_characters);
    g_test_add_func("/config/credentials_can_be_renewed", test_credentials_can_be_renewed);
    g_test_add_func("/config/every_part_is_read", test_every_part_is_read);
    g_test_add_func("/config/wrong_fields_are_named", test_wrong_fields_are_named);
    g_test_add_func("/config/depth_is_bounded", test_depth_is_bounded);
    g_test_add_func("/config/print_blots_secrets_and_keeps_the_rest",
                    test_print_blots_secrets_and_keeps_the_rest);
    g_test_add_func("/config/printed_defaults_are_a_valid_document",
                    test_printed_defaults_are_a_valid_document);
    return g_test_run();
}
