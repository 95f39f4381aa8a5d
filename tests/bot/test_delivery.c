/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/delivery.h"
#include "bot/reporter.h"
#include "media/engine.h"
#include "platforms/json.h"
#include "tests/bot/object_server.h"

#include <gio/gio.h>
#include <string.h>

/* What follows a meeting, without the meeting: the files, an upload that finds nobody, the report.
 */

typedef struct {
    char *dir; /* owned, like the rest */
    BotConfig *config;
    BotEventLog *log;
    BotRoster *roster;
    GArray *chat;
    BotGaps *gaps;
    BotDelivery *delivery;
    GString *warnings; /* "code " each */
    guint n_delivered, n_described;
    const char *error;
} Fixture;

static void on_describe(const MediaFinalized *finalized, BotMeetingRecord *ret_record,
                        gpointer user_data)
{
    Fixture *fixture = user_data;
    fixture->n_described++;
    *ret_record = (BotMeetingRecord){
        .platform = "meet",
        .started_us = -1,
        .end_reason = "api_request",
        .error = fixture->error,
        .speech = g_array_new(FALSE, TRUE, sizeof(BotSpeechRow)),
        .chat = fixture->chat,
        .roster = fixture->roster,
        .gaps = fixture->gaps,
    };
}

static void on_warning(const char *code, const char *message, gpointer user_data)
{
    g_test_message("%s: %s", code, message);
    g_string_append_printf(((Fixture *)user_data)->warnings, "%s ", code);
}

static void on_delivered(gpointer user_data)
{
    ((Fixture *)user_data)->n_delivered++;
}

static const BotDeliveryEvents events = {on_describe, on_warning, on_delivered};

static void set_up(Fixture *fixture, gconstpointer data)
{
    const char *more = data; /* members of the configuration, or NULL */
    g_autoptr(GError) error = NULL;
    fixture->dir = g_dir_make_tmp("steno-delivery-XXXXXX", NULL);
    g_autofree char *text =
        g_strdup_printf("{\"meeting_url\": \"https://meet.google.com/abc-defg-hij\", "
                        "\"output_dir\": \"%s\"%s}",
                        fixture->dir, more != NULL ? more : "");
    g_autoptr(JsonObject) document = platform_json_parse(text, strlen(text), NULL);
    fixture->config = bot_config_new(document, &error);
    g_assert_no_error(error);
    fixture->log = bot_event_log_new(fixture->dir, -1, &error);
    g_assert_no_error(error);
    fixture->roster = bot_roster_new();
    fixture->chat = g_array_new(FALSE, TRUE, sizeof(BotChatRow));
    fixture->gaps = bot_gaps_new();
    fixture->warnings = g_string_new(NULL);
    fixture->delivery = bot_delivery_new(fixture->config, fixture->log, &events, fixture);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    g_clear_pointer(&fixture->delivery, bot_delivery_free);
    g_string_free(fixture->warnings, TRUE);
    bot_gaps_free(fixture->gaps);
    g_array_unref(fixture->chat);
    bot_roster_free(fixture->roster);
    bot_event_log_free(fixture->log);
    bot_config_free(fixture->config);
    object_server_remove_tree(fixture->dir);
    g_free(fixture->dir);
}

static void run(Fixture *fixture, const BotDeliveryStart *start)
{
    bot_delivery_start(fixture->delivery, start);
    while (fixture->n_delivered == 0) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_assert_cmpuint(fixture->n_delivered, ==, 1);
}

/* (transfer full) */
static JsonObject *read_metadata(Fixture *fixture)
{
    g_autofree char *path = g_build_filename(fixture->dir, "metadata.json", NULL);
    g_autofree char *text = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(path, &text, &length, NULL));
    return platform_json_parse(text, length, NULL);
}

static void nothing_recorded_is_delivered_at_once(Fixture *fixture, gconstpointer data)
{
    BotDeliveryStart start = {0};
    fixture->error = "Everybody else left.";
    json_object_unref(bot_gaps_begin(fixture->gaps, "page_lost", "It crashed.", 2, 1000));
    bot_delivery_start(fixture->delivery, &start);
    g_assert_cmpuint(fixture->n_delivered, ==, 1);
    g_autoptr(JsonObject) metadata = read_metadata(fixture);
    g_assert_cmpstr(platform_json_string(metadata, "end_reason", ""), ==, "api_request");
    g_assert_cmpstr(platform_json_string(metadata, "error", ""), ==, fixture->error);
    g_assert_cmpuint(json_array_get_length(platform_json_array(metadata, "gaps")), ==, 1);
    g_assert_null(bot_delivery_dup_url(fixture->delivery));
    g_assert_false(bot_delivery_is_incomplete(fixture->delivery));
}

static void a_lost_recording_is_an_error(Fixture *fixture, gconstpointer data)
{
    BotDeliveryStart start = {.recorded = true, .title = "Notes"};
    run(fixture, &start);
    const GError *error = bot_delivery_get_error(fixture->delivery);
    g_assert_error(error, MEDIA_ERROR, MEDIA_ERROR_NOTHING_RECORDED);
    g_assert_cmpstr(fixture->warnings->str, ==, "not_finalized ");
    g_autoptr(JsonObject) metadata = read_metadata(fixture);
    g_assert_cmpstr(platform_json_string(metadata, "error", ""), ==, error->message);
    g_autofree char *people = g_build_filename(fixture->dir, "participants.json", NULL);
    g_assert_true(g_file_test(people, G_FILE_TEST_EXISTS));
}

static void a_recovery_may_find_nothing(Fixture *fixture, gconstpointer data)
{
    BotDeliveryStart start = {.recorded = true, .may_be_empty = true, .title = "Notes"};
    run(fixture, &start);
    g_assert_no_error(bot_delivery_get_error(fixture->delivery));
    g_assert_cmpstr(fixture->warnings->str, ==, "");
    g_autofree char *people = g_build_filename(fixture->dir, "participants.json", NULL);
    g_assert_false(g_file_test(people, G_FILE_TEST_EXISTS));
}

static void what_is_written_already_stays(Fixture *fixture, gconstpointer data)
{
    BotDeliveryStart start = {
        .recorded = true, .may_be_empty = true, .keep_written = true, .title = "Notes"};
    run(fixture, &start);
    g_assert_cmpuint(fixture->n_described, ==, 0);
}

/* Freed while the finalizer's thread runs: no event comes any more. */
static void freed_in_the_middle(Fixture *fixture, gconstpointer data)
{
    BotDeliveryStart start = {.recorded = true, .title = "Notes"};
    bot_delivery_start(fixture->delivery, &start);
    g_clear_pointer(&fixture->delivery, bot_delivery_free);
    gint64 until_us = g_get_monotonic_time() + G_USEC_PER_SEC / 5;
    while (g_get_monotonic_time() < until_us) {
        g_main_context_iteration(NULL, FALSE);
    }
    g_assert_cmpuint(fixture->n_delivered + fixture->n_described, ==, 0);
}

static const char no_store[] =
    ", \"upload\": {\"s3\": {\"endpoint\": \"http://127.0.0.1:9\", \"bucket\": \"b\", "
    "\"access_key\": \"a\", \"secret_key\": \"s\"}}";

static void cut_short_keeps_the_files(Fixture *fixture, gconstpointer data)
{
    BotDeliveryStart start = {0};
    bot_delivery_cut_short(fixture->delivery);
    run(fixture, &start);
    g_assert_true(bot_delivery_is_incomplete(fixture->delivery));
    g_assert_cmpstr(fixture->warnings->str, ==, "upload_failed ");
    g_autofree char *path = g_build_filename(fixture->dir, "metadata.json", NULL);
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void what_the_store_has_is_not_sent(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GHashTable) uploaded = g_hash_table_new(g_str_hash, g_str_equal);
    g_hash_table_add(uploaded, (gpointer) "metadata.json");
    BotDeliveryStart start = {.uploaded = uploaded};
    run(fixture, &start); /* nothing is left to send, so nobody has to be there */
    g_assert_false(bot_delivery_is_incomplete(fixture->delivery));
    g_assert_cmpstr(fixture->warnings->str, ==, "");
}

/* --- reports --- */

static void on_idle(gpointer user_data)
{
    g_assert_not_reached();
}

static void reports_without_an_outbox(Fixture *fixture, gconstpointer data)
{
    static const BotReporterEvents reporter_events = {on_warning, on_idle};
    g_autoptr(BotReporter) reporter =
        bot_reporter_new(fixture->config, fixture->log, &reporter_events, fixture);
    BotStatusReport status = {.code = "joining_call"};
    BotFailedReport failed = {"BotNotAccepted", "access_denied", "Somebody said no."};
    bot_reporter_status(reporter, &status);
    bot_reporter_failed(reporter, &failed);
    g_assert_false(bot_reporter_is_idle(reporter));
    bot_reporter_finish(reporter, 10);
    g_assert_true(bot_reporter_is_idle(reporter));
    g_assert_false(bot_reporter_has_undelivered(reporter));
    g_autoptr(JsonArray) events_read = bot_event_log_read(fixture->dir);
    JsonObject *event = json_array_get_object_element(events_read, 0);
    g_assert_cmpstr(platform_json_string(event, "type", ""), ==, "status");
    g_assert_cmpstr(platform_json_string(event, "code", ""), ==, "joining_call");
}

static const char with_webhook[] = ", \"webhook_url\": \"http://127.0.0.1:9/hook\"";

static void an_outbox_that_can_not_be_opened(Fixture *fixture, gconstpointer data)
{
    static const BotReporterEvents reporter_events = {on_warning, on_idle};
    g_autofree char *spool = g_build_filename(fixture->dir, ".webhooks", NULL);
    g_assert_true(g_file_set_contents(spool, "no folder", -1, NULL));
    g_autoptr(BotReporter) reporter =
        bot_reporter_new(fixture->config, fixture->log, &reporter_events, fixture);
    g_assert_cmpstr(fixture->warnings->str, ==, "webhook_spool ");
    bot_reporter_finish(reporter, 10);
    g_assert_true(bot_reporter_is_idle(reporter));
    g_assert_true(bot_reporter_has_undelivered(reporter));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_autoptr(GError) error = NULL;
    g_assert_true(media_init(&error));
#define TEST(name, config) g_test_add("/delivery/" #name, Fixture, config, set_up, name, tear_down)
    TEST(nothing_recorded_is_delivered_at_once, NULL);
    TEST(a_lost_recording_is_an_error, NULL);
    TEST(a_recovery_may_find_nothing, NULL);
    TEST(what_is_written_already_stays, NULL);
    TEST(freed_in_the_middle, NULL);
    TEST(cut_short_keeps_the_files, no_store);
    TEST(what_the_store_has_is_not_sent, no_store);
    TEST(reports_without_an_outbox, NULL);
    TEST(an_outbox_that_can_not_be_opened, with_webhook);
#undef TEST
    return g_test_run();
}
