/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/attendee.h"
#include "orchestrator/json.h"
#include "tests/orchestrator/fixture.h"

#include <gio/gio.h>
#include <glib/gstdio.h>

#define MBAAS_HOOK "{\"webhooks\":[{\"kind\":\"meeting_baas\",\"url\":\"http://x/m\"}]}"
#define ATTENDEE_HOOK                                                                              \
    "{\"webhooks\":[{\"kind\":\"attendee\",\"url\":\"http://x/a\",\"triggers\":"                   \
    "[\"bot.state_change\",\"chat_messages.update\",\"participant_events.speech_start_stop\"]}]}"
#define CRONOFY_HOOK "{\"webhooks\":[{\"kind\":\"cronofy\",\"url\":\"http://x/c\"}]}"

static const char *code_of(JsonObject *body)
{
    JsonObject *data = orch_json_object(body, "data");
    JsonObject *status = orch_json_object(data, "status");
    return status != NULL ? orch_json_string(status, "code") : orch_json_string(body, "event");
}

static void assert_codes(GPtrArray *bodies, const char *const *codes)
{
    g_assert_cmpuint(bodies->len, ==, g_strv_length((char **)codes));
    for (guint i = 0; i < bodies->len; i++) {
        g_assert_cmpstr(code_of(g_ptr_array_index(bodies, i)), ==, codes[i]);
    }
}

static void test_a_life_is_told_in_order_and_once(void)
{
    Fixture fixture = {0};
    static const char *const codes[] = {"joining_call",      "in_call_not_recording",
                                        "in_call_recording", "call_ended",
                                        "complete",          NULL};
    fixture_set_up(&fixture, NULL);
    g_autoptr(OrchBot) bot = fixture_bot(&fixture, ORCH_API_MBAAS, MBAAS_HOOK);
    fixture_live(&fixture, bot);
    fixture_live(&fixture, bot); /* a worker that reconnects says it all again */
    fixture_reopen(&fixture);
    fixture_live(&fixture, bot);
    g_autoptr(GPtrArray) bodies = fixture_bodies(&fixture, bot);
    assert_codes(bodies, codes);
    JsonObject *complete = orch_json_object(bodies->pdata[4], "data");
    g_assert_cmpstr(orch_json_string(complete, "event"), ==, "complete");
    g_assert_cmpstr(orch_json_string(complete, "end_reason"), ==, "meeting_ended");
    g_assert_true(g_str_has_prefix(orch_json_string(complete, "mp4"), "http://files.test/files/"));
    g_assert_cmpstr(orch_json_string_at(orch_json_array(complete, "speakers"), 0), ==,
                    "Alice Martin");
    JsonObject *status = orch_json_object(orch_json_object(bodies->pdata[2], "data"), "status");
    g_assert_cmpint(orch_json_int(status, "start_time", 0), ==, 2990);
    g_assert_cmpstr(orch_json_string(status, "created_at"), ==, "1970-01-01T00:00:03.002Z");
    g_autoptr(OrchBot) again = fixture_reload(&fixture, bot);
    g_assert_cmpint(again->state, ==, BOT_STATE_ENDED);
    g_assert_cmpint(again->joined_ms, ==, 2001);
    g_assert_cmpint(again->exited_ms, ==, 9000);
    g_assert_cmpint(again->duration_ms, ==, 6200);
    g_assert_cmpstr(again->recording_state, ==, "complete");
    g_autoptr(GPtrArray) history = orch_store_transitions(fixture.store, bot->id);
    g_assert_cmpuint(history->len, ==, 5);
    fixture_tear_down(&fixture);
}

static void test_each_api_is_told_in_its_words(void)
{
    Fixture fixture = {0};
    fixture_set_up(&fixture, NULL);
    g_autoptr(OrchBot) attendee = fixture_bot(&fixture, ORCH_API_ATTENDEE, ATTENDEE_HOOK);
    fixture_live(&fixture, attendee);
    g_autoptr(GPtrArray) bodies = fixture_bodies(&fixture, attendee);
    g_assert_cmpuint(bodies->len, ==, 7);
    g_autofree char *id = g_strconcat("bot_", attendee->id, NULL);
    JsonObject *first = bodies->pdata[0];
    JsonObject *data = orch_json_object(first, "data");
    g_assert_cmpstr(orch_json_string(first, "trigger"), ==, "bot.state_change");
    g_assert_cmpstr(orch_json_string(first, "bot_id"), ==, id);
    g_assert_nonnull(orch_json_string(first, "idempotency_key"));
    g_assert_cmpstr(orch_json_string(data, "event_type"), ==, "join_requested");
    g_assert_cmpstr(orch_json_string(data, "old_state"), ==, "ready");
    JsonObject *speech = orch_json_object(bodies->pdata[3], "data");
    g_assert_cmpstr(orch_json_string(speech, "event_type"), ==, "speech_start");
    g_assert_cmpstr(orch_json_string(speech, "participant_name"), ==, "Alice Martin");
    g_assert_cmpstr(orch_json_string(orch_json_object(bodies->pdata[4], "data"), "text"), ==,
                    "Hello");
    g_autoptr(OrchBot) cronofy = fixture_bot(&fixture, ORCH_API_CRONOFY, CRONOFY_HOOK);
    fixture_live(&fixture, cronofy);
    g_autoptr(GPtrArray) calls = fixture_bodies(&fixture, cronofy);
    g_assert_cmpuint(calls->len, ==, 2);
    JsonObject *agent = orch_json_object(calls->pdata[1], "meeting_agent");
    g_assert_cmpstr(orch_json_string(agent, "state"), ==, "complete");
    g_assert_cmpuint(json_array_get_length(orch_json_array(agent, "resources")), ==, 1);
    fixture_tear_down(&fixture);
}

static void test_leaving_is_recorded_before_the_worker_obeys(void)
{
    Fixture fixture = {0};
    g_autoptr(GError) error = NULL;
    fixture_set_up(&fixture, NULL);
    g_autoptr(OrchBot) bot = fixture_bot(&fixture, ORCH_API_MBAAS, NULL);
    fixture_event(&fixture, bot,
                  "{\"seq\":1,\"time\":1,\"type\":\"state\",\"new\":\"joining\","
                  "\"event\":\"join_requested\"}");
    g_autoptr(OrchBot) joining = fixture_reload(&fixture, bot);
    g_assert_true(orch_bots_leave(fixture.bots, joining, &error));
    g_assert_cmpint(joining->state, ==, BOT_STATE_LEAVING);
    /* What was on its way does not take it back, and its own leave_requested is no second one. */
    fixture_event(&fixture, bot,
                  "{\"seq\":2,\"time\":2,\"type\":\"state\",\"new\":\"joined_not_recording\","
                  "\"event\":\"joined_meeting\"}");
    fixture_event(&fixture, bot,
                  "{\"seq\":3,\"time\":3,\"type\":\"state\",\"new\":\"leaving\","
                  "\"event\":\"leave_requested\",\"sub_type\":\"user_requested\"}");
    fixture_event(&fixture, bot,
                  "{\"seq\":4,\"time\":4,\"type\":\"state\",\"new\":\"post_processing\","
                  "\"event\":\"left_meeting\"}");
    g_autoptr(OrchBot) again = fixture_reload(&fixture, bot);
    g_assert_cmpint(again->state, ==, BOT_STATE_POST_PROCESSING);
    g_assert_true(again->leave_requested);
    g_assert_cmpint(again->n_events, ==, 3);
    g_assert_cmpint(again->last_seq, ==, 4);
    fixture_tear_down(&fixture);
}

static void test_a_bot_that_never_joined_is_cancelled(void)
{
    Fixture fixture = {0};
    static const char *const codes[] = {"call_ended", "complete", NULL};
    fixture_set_up(&fixture, NULL);
    g_autoptr(OrchBot) bot = fixture_bot(&fixture, ORCH_API_MBAAS, MBAAS_HOOK);
    g_assert_true(orch_bots_leave(fixture.bots, bot, NULL));
    g_assert_true(orch_bots_leave(fixture.bots, bot, NULL));
    g_autoptr(GPtrArray) bodies = fixture_bodies(&fixture, bot);
    assert_codes(bodies, codes);
    JsonObject *data = orch_json_object(bodies->pdata[1], "data");
    g_assert_cmpstr(orch_json_string(data, "mp4"), ==, "");
    g_assert_cmpstr(orch_json_string(data, "end_reason"), ==, "api_request");
    fixture_tear_down(&fixture);
}

static void test_a_recovered_worker_completes(void)
{
    Fixture fixture = {0};
    fixture_set_up(&fixture, NULL);
    g_autoptr(OrchBot) bot = fixture_bot(&fixture, ORCH_API_MBAAS, MBAAS_HOOK);
    fixture_event(&fixture, bot,
                  "{\"seq\":1,\"time\":1,\"type\":\"state\",\"new\":\"joined_recording\","
                  "\"event\":\"recording_permission_granted\"}");
    fixture_event(&fixture, bot, "{\"seq\":2,\"type\":\"artifact\",\"name\":\"recording.mp4\"}");
    fixture_event(&fixture, bot,
                  "{\"seq\":3,\"time\":9,\"type\":\"ended\",\"state\":\"ended\","
                  "\"error\":\"InternalError\",\"error_code\":\"internal_error\","
                  "\"message\":\"The worker died.\",\"end_reason\":\"meeting_error\",\"exit\":0}");
    g_autoptr(OrchBot) again = fixture_reload(&fixture, bot);
    g_assert_cmpint(again->state, ==, BOT_STATE_ENDED);
    g_assert_null(again->error);
    g_autoptr(GPtrArray) bodies = fixture_bodies(&fixture, bot);
    g_assert_cmpstr(code_of(bodies->pdata[bodies->len - 1]), ==, "complete");
    const OrchFailure late = {"process_terminated", "InternalError", "internal_error", "Late."};
    g_assert_true(orch_bots_fail(fixture.bots, again, &late, NULL)); /* changes nothing any more */
    g_autoptr(GPtrArray) same = fixture_bodies(&fixture, bot);
    g_assert_cmpuint(same->len, ==, bodies->len);
    fixture_tear_down(&fixture);
}

static void test_a_failure_names_its_cause(void)
{
    Fixture fixture = {0};
    static const char *const codes[] = {"meeting_error", "failed", NULL};
    const OrchFailure failure = {"bot_not_launched", "InternalError", "internal_error",
                                 "The worker could not be started."};
    fixture_set_up(&fixture, NULL);
    g_autoptr(OrchBot) bot = fixture_bot(&fixture, ORCH_API_MBAAS, MBAAS_HOOK);
    g_assert_true(orch_bots_fail(fixture.bots, bot, &failure, NULL));
    g_autoptr(GPtrArray) bodies = fixture_bodies(&fixture, bot);
    assert_codes(bodies, codes);
    JsonObject *data = orch_json_object(bodies->pdata[1], "data");
    g_assert_cmpstr(orch_json_string(data, "error"), ==, "InternalError");
    g_assert_cmpstr(orch_json_string(data, "message"), ==, failure.message);
    fixture_tear_down(&fixture);
}

static void test_nonsense_from_a_worker_does_no_harm(void)
{
    Fixture fixture = {0};
    fixture_set_up(&fixture, NULL);
    g_autoptr(OrchBot) bot = fixture_bot(&fixture, ORCH_API_MBAAS, NULL);
    g_test_expect_message("orchestrator", G_LOG_LEVEL_WARNING, "*names no state");
    fixture_event(&fixture, bot, "{\"seq\":1,\"type\":\"state\",\"new\":\"flying\"}");
    g_test_expect_message("orchestrator", G_LOG_LEVEL_WARNING, "*without a proper name");
    fixture_event(&fixture, bot, "{\"seq\":2,\"type\":\"artifact\",\"name\":\"../../etc/passwd\"}");
    fixture_event(&fixture, bot, "{\"seq\":3,\"type\":\"speech\",\"op\":7,\"id\":{}}");
    fixture_event(&fixture, bot, "{\"seq\":4,\"type\":\"of a later version\"}");
    g_test_assert_expected_messages();
    static const char *const refused[] = {"{}", "{\"seq\":\"5\",\"type\":\"state\"}", "{\"seq\":5}",
                                          "{\"seq\":-1,\"type\":\"chat\"}"};
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(JsonObject) event = orch_json_load(refused[i]);
        g_assert_false(orch_bots_apply_event(fixture.bots, bot->id, event, &error));
        g_assert_error(error, ORCH_BOTS_ERROR, ORCH_BOTS_ERROR_EVENT);
    }
    fixture_tear_down(&fixture);
}

static void test_only_a_full_queue_refuses(void)
{
    Fixture fixture = {0};
    g_autoptr(GError) error = NULL;
    fixture_set_up(&fixture, "{\"workers\": {\"max\": 1, \"queue\": 2}}");
    for (guint i = 0; i < 3; i++) {
        g_autoptr(OrchBot) bot = fixture_bot(&fixture, ORCH_API_MBAAS, NULL);
        bot->has_place = i == 0;
        g_assert_true(orch_bots_save(fixture.bots, bot, NULL));
    }
    g_autoptr(OrchBot) scheduled = orch_bot_new();
    scheduled->account = fixture.key->account;
    orch_bot_set_meeting_url(scheduled, "https://meet.google.com/abc-defg-hij");
    scheduled->bot_name = g_strdup("N");
    scheduled->document = g_strdup("{\"meeting_url\": \"https://meet.google.com/abc-defg-hij\"}");
    scheduled->details = g_strdup("{}");
    g_assert_false(orch_bots_create(fixture.bots, scheduled, &error));
    g_assert_error(error, ORCH_BOTS_ERROR, ORCH_BOTS_ERROR_FULL);
    scheduled->join_at_ms = orch_now_ms() + 60000; /* one with a time of its own does not wait */
    g_assert_true(orch_bots_create(fixture.bots, scheduled, NULL));
    g_assert_cmpint(scheduled->state, ==, BOT_STATE_SCHEDULED);
    fixture_tear_down(&fixture);
}

static void test_an_account_sees_its_own_bots_only(void)
{
    Fixture fixture = {0};
    fixture_set_up(&fixture, NULL);
    g_autoptr(OrchBot) bot = fixture_bot(&fixture, ORCH_API_MBAAS, NULL);
    static const char *const prefixes[] = {"", "bot_", "agt_"};
    for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        g_autofree char *id = g_strconcat(prefixes[i], bot->id, NULL);
        g_autoptr(OrchBot) found = orch_bots_get(fixture.bots, bot->account, id);
        g_assert_nonnull(found);
        g_assert_null(orch_bots_get(fixture.bots, bot->account + 1, id));
    }
    g_assert_null(orch_bots_get(fixture.bots, bot->account, "' OR 1=1 --"));
    fixture_tear_down(&fixture);
}

static void on_deleted(const OrchBot *bot, OrchDeleted deleted, gpointer user_data)
{
    g_assert_cmpint(bot->state, ==, BOT_STATE_DATA_DELETED);
    *(OrchDeleted *)user_data = deleted;
}

static void test_deleting_reaches_files_events_and_late_writers(void)
{
    Fixture fixture = {0};
    g_autoptr(GError) error = NULL;
    OrchDeleted deleted = ORCH_DELETED_NOTHING;
    fixture_set_up(&fixture, NULL);
    g_autoptr(OrchBot) made = fixture_bot(&fixture, ORCH_API_ATTENDEE, ATTENDEE_HOOK);
    g_assert_false(orch_bots_delete_data(fixture.bots, made, on_deleted, &deleted, &error));
    g_assert_error(error, ORCH_BOTS_ERROR, ORCH_BOTS_ERROR_STATE);
    fixture_live(&fixture, made);
    g_autofree char *shots = g_build_filename(made->output_dir, "screenshots", NULL);
    g_autofree char *file = g_build_filename(shots, "at-1.png", NULL);
    g_autofree char *outside = g_build_filename(fixture.dir, "outside", NULL);
    g_autofree char *link = g_build_filename(made->output_dir, "link", NULL);
    g_assert_cmpint(g_mkdir_with_parents(shots, 0700), ==, 0);
    g_assert_true(g_file_set_contents(file, "x", 1, NULL));
    g_assert_true(g_file_set_contents(outside, "x", 1, NULL));
    g_autoptr(GFile) link_file = g_file_new_for_path(link);
    g_assert_true(g_file_make_symbolic_link(link_file, outside, NULL, NULL));
    g_autoptr(OrchBot) bot = fixture_reload(&fixture, made);
    g_assert_true(orch_bots_delete_data(fixture.bots, bot, on_deleted, &deleted, NULL));
    g_assert_cmpint(deleted, ==, ORCH_DELETED);
    g_assert_false(g_file_test(bot->output_dir, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(outside, G_FILE_TEST_EXISTS));
    g_assert_true(orch_bots_delete_data(fixture.bots, bot, on_deleted, &deleted, NULL));
    g_assert_cmpint(deleted, ==, ORCH_DELETED_ALREADY);
    fixture_event(&fixture, bot, "{\"seq\":90,\"type\":\"chat\",\"id\":1,\"text\":\"late\"}");
    g_assert_cmpint(g_mkdir_with_parents(shots, 0700), ==, 0);
    orch_bots_delete_late(fixture.bots, 1);
    g_assert_false(g_file_test(bot->output_dir, G_FILE_TEST_EXISTS));
    g_autoptr(GPtrArray) events = orch_store_events(fixture.store, bot->id, NULL, 0, 0);
    g_assert_cmpuint(events->len, ==, 0);
    g_autoptr(GPtrArray) bodies = fixture_bodies(&fixture, bot);
    for (guint i = 0; i < bodies->len; i++) {
        g_assert_cmpstr(orch_json_string(bodies->pdata[i], "trigger"), ==, "bot.state_change");
    }
    g_autoptr(OrchBot) again = fixture_reload(&fixture, bot);
    g_assert_cmpstr(again->recording_state, ==, "not_started");
    fixture_tear_down(&fixture);
}

static void test_a_worker_gets_defaults_under_its_document(void)
{
    Fixture fixture = {0};
    g_autoptr(GError) error = NULL;
    fixture_set_up(&fixture, "{\"worker_defaults\": {\"bot_name\": \"Default\", \"browser\": "
                             "{\"sandbox\": false}, \"recording\": {\"fps\": 10}}}");
    g_autoptr(OrchBot) bot = fixture_bot(&fixture, ORCH_API_MBAAS, NULL);
    orch_set_string(&bot->document, "{\"meeting_url\": \"https://meet.google.com/abc-defg-hij\","
                                    "\"recording\": {\"audio_wav\": true}}");
    g_autoptr(JsonObject) document = orch_bots_document(fixture.bots, bot, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(orch_json_string(document, "bot_name"), ==, "Default");
    g_assert_cmpstr(orch_json_string(document, "bot_id"), ==, bot->id);
    g_assert_cmpstr(orch_json_string(document, "output_dir"), ==, bot->output_dir);
    JsonObject *recording = orch_json_object(document, "recording");
    g_assert_cmpint(orch_json_int(recording, "fps", 0), ==, 10);
    g_assert_true(orch_json_bool(recording, "audio_wav", false));
    g_assert_false(orch_json_bool(orch_json_object(document, "browser"), "sandbox", true));
    fixture_tear_down(&fixture);
}

/* Whoever speaks with one voice with others is a speaker, and no participant besides them. */
static void test_a_room_is_no_participant(void)
{
    static const char joined[] =
        "{\"seq\":4,\"op\":\"joined\",\"id\":3,\"platform_id\":\"merged-audio/1\","
        "\"name\":\"Alice, Bob\",\"is_host\":false,\"members\":[1,2]}";
    static const char spoke[] = "{\"seq\":5,\"op\":\"start\",\"id\":3,\"at_s\":1.0}";
    OrchBot bot = {.id = (char *)"b"};
    g_autoptr(GPtrArray) events = g_ptr_array_new();
    g_ptr_array_add(events, (gpointer)joined);
    g_autoptr(GHashTable) people = orch_attendee_people(events);
    const OrchPerson *room = g_hash_table_lookup(people, GUINT_TO_POINTER(3));
    g_assert_true(room->is_room);
    g_autoptr(JsonObject) event = orch_json_load(joined);
    g_autoptr(JsonObject) speech = orch_json_load(spoke);
    g_assert_null(orch_attendee_participant_event(&bot, "participant", event, room));
    g_autoptr(JsonObject) told = orch_attendee_participant_event(&bot, "speech", speech, room);
    g_assert_cmpstr(orch_json_string(told, "participant_name"), ==, "Alice, Bob");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bots/a_room_is_no_participant", test_a_room_is_no_participant);
    g_test_add_func("/bots/a_life_is_told_in_order_and_once",
                    test_a_life_is_told_in_order_and_once);
    g_test_add_func("/bots/each_api_is_told_in_its_words", test_each_api_is_told_in_its_words);
    g_test_add_func("/bots/leaving_is_recorded_before_the_worker_obeys",
                    test_leaving_is_recorded_before_the_worker_obeys);
    g_test_add_func("/bots/a_bot_that_never_joined_is_cancelled",
                    test_a_bot_that_never_joined_is_cancelled);
    g_test_add_func("/bots/a_recovered_worker_completes", test_a_recovered_worker_completes);
    g_test_add_func("/bots/a_failure_names_its_cause", test_a_failure_names_its_cause);
    g_test_add_func("/bots/nonsense_from_a_worker_does_no_harm",
                    test_nonsense_from_a_worker_does_no_harm);
    g_test_add_func("/bots/only_a_full_queue_refuses", test_only_a_full_queue_refuses);
    g_test_add_func("/bots/an_account_sees_its_own_bots_only",
                    test_an_account_sees_its_own_bots_only);
    g_test_add_func("/bots/deleting_reaches_files_events_and_late_writers",
                    test_deleting_reaches_files_events_and_late_writers);
    g_test_add_func("/bots/a_worker_gets_defaults_under_its_document",
                    test_a_worker_gets_defaults_under_its_document);
    return g_test_run();
}
