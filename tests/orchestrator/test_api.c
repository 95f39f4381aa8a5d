/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/json.h"
#include "orchestrator/keys.h"
#include "tests/orchestrator/client.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#define MEET "\"meeting_url\":\"https://meet.google.com/abc-defg-hij\",\"bot_name\":\"Notes\""

static char *path_of(const char *before, const char *id, const char *after)
{
    return g_strconcat(before, id, after, NULL);
}

/* A bot that lived, with a recording of 1000 bytes: byte i is i % 251. */
static OrchBot *add_ended_bot(Client *client, OrchApi api)
{
    g_autoptr(OrchBot) made = fixture_bot(&client->fixture, api, NULL);
    fixture_live(&client->fixture, made);
    guint8 data[1000];
    for (guint i = 0; i < sizeof data; i++) {
        data[i] = (guint8)(i % 251);
    }
    g_autofree char *path = g_build_filename(made->output_dir, "recording.mp4", NULL);
    g_assert_cmpint(g_mkdir_with_parents(made->output_dir, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, (const char *)data, sizeof data, NULL));
    return fixture_reload(&client->fixture, made);
}

/* --- Meeting BaaS --- */

static void test_mbaas_takes_what_the_sdk_sends(void)
{
    Client client = {0};
    client_set_up(&client, NULL);
    client_call(&client, "POST", "/bots/", "meeting_baas",
                "{" MEET ",\"reserved\":false,\"extra\":{\"a\":1},\"start_time\":null,"
                "\"bot_image\":\"https://example.org/a.png\"}");
    g_assert_cmpuint(client.status, ==, 200);
    g_autofree char *id = g_strdup(client_string(&client, "bot_id"));
    g_assert_true(g_uuid_string_is_valid(id));
    g_autoptr(OrchBot) bot = orch_store_bot_get(client.fixture.store, id);
    g_autoptr(JsonObject) document = orch_bots_document(client.fixture.bots, bot, NULL);
    g_assert_cmpstr(orch_json_string(document, "bot_image"), ==, "https://example.org/a.png");
    g_autofree char *data = path_of("/bots/meeting_data?bot_id=", id, "&include_transcripts=true");
    client_call(&client, "GET", data, "meeting_baas", "{}");
    g_assert_cmpuint(client.status, ==, 200);
    g_assert_cmpstr(client_string(&client, "bot_data.bot.uuid"), ==, id);
    g_assert_cmpstr(client_string(&client, "mp4"), ==, "");
    g_autofree char *leave = path_of("/bots/", id, "");
    client_call(&client, "DELETE", leave, "meeting_baas", "{}");
    g_assert_cmpuint(client.status, ==, 200);
    g_assert_true(orch_json_bool(client.json, "ok", false));
    g_autofree char *shots = path_of("/bots/", id, "/screenshots/");
    client_call(&client, "GET", shots, "meeting_baas", NULL);
    g_assert_cmpuint(json_array_get_length(client.array), ==, 0);
    client_tear_down(&client);
}

static void test_mbaas_refuses_with_a_sentence(void)
{
    static const struct {
        const char *body, *sentence;
    } cases[] = {
        {"{\"meeting_url\":\"x\"}", "$.bot_name: missing; expected the name that the bot shows"},
        {"{" MEET ",\"browser\":{}}", "$.browser: unknown field*"},
        {"{" MEET ",\"null_dir\":\"/\"}", "$.null_dir: unknown field*"},
        {"{" MEET ",\"recording_mode\":\"8k\"}", "$.recording_mode: \"8k\" is not one of*"},
        {"{" MEET ",\"start_time\":\"now\"}", "$.start_time: \"now\" is not a whole number*"},
        {"{" MEET ",\"automatic_leave\":{\"silence_timeout\":5}}",
         "$.automatic_leave.silence_timeout: 5 is not a whole number from 300 to 1800"},
        {"{" MEET ",\"streaming\":{\"input\":\"http://x\"}}", "$.streaming.input:*"},
        {"{" MEET ",\"streaming\":{\"input\":\"ws://far.test/\"}}", "$.streaming.input: ws://*"},
        {"{" MEET ",\"webhook_url\":\"ftp://x\"}", "$.webhook_url:*"},
        {"{" MEET ",\"speech_to_text\":\"Mine\"}", "$.speech_to_text:*"},
        {"[]", "The body is not one JSON object"},
        {"{\"a\":", "The body is not JSON:*"},
    };
    Client client = {0};
    client_set_up(&client, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        client_call(&client, "POST", "/bots", "meeting_baas", cases[i].body);
        g_assert_cmpuint(client.status, ==, 400);
        const char *message = client_string(&client, "message");
        if (!g_pattern_match_simple(cases[i].sentence, message)) {
            g_test_message("%s: %s", cases[i].body, message);
            g_test_fail();
        }
    }
    client_call(&client, "GET", "/bots/bots_with_metadata", "meeting_baas", NULL);
    g_assert_cmpuint(json_array_get_length(orch_json_array(client.json, "bots")), ==, 0);
    client_tear_down(&client);
}

static void test_mbaas_times_are_told_by_their_size(void)
{
    Client client = {0};
    client_set_up(&client, NULL);
    gint64 at_ms = (orch_now_ms() / 1000 + 3600) * 1000;
    const struct {
        gint64 start_time, join_at_ms;
    } cases[] = {{at_ms, at_ms - 240000}, {at_ms / 1000, at_ms}, {orch_now_ms() + 1000, 0}, {1, 0}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *body = g_strdup_printf(
            "{" MEET ",\"deduplication_key\":\"%zu\",\"start_time\":%" G_GINT64_FORMAT "}", i,
            cases[i].start_time);
        client_call(&client, "POST", "/bots", "meeting_baas", body);
        g_assert_cmpuint(client.status, ==, 200);
        g_autoptr(OrchBot) bot =
            orch_store_bot_get(client.fixture.store, client_string(&client, "bot_id"));
        g_assert_cmpint(bot->join_at_ms, ==, cases[i].join_at_ms);
    }
    gint64 before_ms = orch_now_ms();
    client_call(&client, "POST", "/bots", "meeting_baas",
                "{" MEET ",\"deduplication_key\":\"r\",\"reserved\":true}");
    g_autoptr(OrchBot) bot =
        orch_store_bot_get(client.fixture.store, client_string(&client, "bot_id"));
    g_assert_cmpint(bot->join_at_ms - before_ms, >=, 240000);
    g_assert_true(bot->reserved);
    client_tear_down(&client);
}

static void test_mbaas_five_minute_rule(void)
{
    Client client = {0};
    client_set_up(&client, NULL);
    client_call(&client, "POST", "/bots", "meeting_baas", "{" MEET "}");
    g_assert_cmpuint(client.status, ==, 200);
    client_call(&client, "POST", "/bots", "meeting_baas", "{" MEET "}");
    g_assert_cmpuint(client.status, ==, 409);
    for (guint i = 0; i < 2; i++) {
        client_call(&client, "POST", "/bots", "meeting_baas",
                    "{" MEET ",\"deduplication_key\":\"other\"}");
        g_assert_cmpuint(client.status, ==, i == 0 ? 200 : 409);
    }
    gint64 later_ms = orch_now_ms() + 3600 * 1000;
    g_autofree char *body =
        g_strdup_printf("{" MEET ",\"start_time\":%" G_GINT64_FORMAT "}", later_ms);
    client_call(&client, "POST", "/bots", "meeting_baas", body);
    g_assert_cmpuint(client.status, ==, 200); /* an hour later it is another meeting */
    client_tear_down(&client);
}

static void send_to(Client *client, const char *url)
{
    g_autofree char *body = g_strdup_printf("{\"meeting_url\":\"%s\",\"bot_name\":\"Notes\"}", url);
    client_call(client, "POST", "/bots", "meeting_baas", body);
}

static void test_mbaas_five_minute_rule_knows_a_meeting_by_all_its_links(void)
{
    static const char *const links[] = {
        "https://meet.google.com/abc-defg-hij?authuser=0", "https://meet.google.com/abc-defg-hij/",
        "ABC-DEFG-HIJ", "https://google.de/url?q=https://meet.google.com/abc-defg-hij"};
    Client client = {0};
    client_set_up(&client, NULL);
    send_to(&client, "https://meet.google.com/abc-defg-hij");
    g_assert_cmpuint(client.status, ==, 200);
    for (gsize i = 0; i < G_N_ELEMENTS(links); i++) {
        send_to(&client, links[i]);
        g_assert_cmpuint(client.status, ==, 409);
    }
    send_to(&client, "https://meet.google.com/abc-defg-hik");
    g_assert_cmpuint(client.status, ==, 200);
    /* whichever API sent the first one */
    client_call(
        &client, "POST", "/api/v1/bots", "attendee",
        "{\"meeting_url\":\"https://acme.zoom.us/j/81234567890?pwd=a\",\"bot_name\":\"N\"}");
    g_assert_cmpuint(client.status, ==, 201);
    send_to(&client, "https://zoom.us/j/812 3456 7890");
    g_assert_cmpuint(client.status, ==, 409);
    client_call(&client, "POST", "/v1/meeting_agents", "cronofy",
                "{\"join_url\":\"https://teams.microsoft.com/meet/2359876543210?p=x\","
                "\"display_name\":\"N\"}");
    g_assert_cmpuint(client.status, ==, 200);
    send_to(&client, "https://teams.cloud.microsoft/meet/2359876543210");
    g_assert_cmpuint(client.status, ==, 409);
    /* links that lead nowhere are compared as they are */
    send_to(&client, "https://example.org/x");
    g_assert_cmpuint(client.status, ==, 200);
    send_to(&client, "https://example.org/x");
    g_assert_cmpuint(client.status, ==, 409);
    client_tear_down(&client);
}

static guint list(Client *client, const char *query)
{
    g_autofree char *path = g_strconcat("/bots/bots_with_metadata?", query, NULL);
    client_call(client, "GET", path, "meeting_baas", NULL);
    g_assert_cmpuint(client->status, ==, 200);
    return json_array_get_length(orch_json_array(client->json, "bots"));
}

static const char *listed_name(Client *client, guint i)
{
    return orch_json_string(orch_json_object_at(orch_json_array(client->json, "bots"), i),
                            "bot_name");
}

static void test_mbaas_lists_filter_sort_and_page(void)
{
    Client client = {0};
    client_set_up(&client, NULL);
    for (guint i = 0; i < 5; i++) {
        g_autofree char *body =
            g_strdup_printf("{\"meeting_url\":\"https://zoom.us/j/%u\",\"bot_name\":\"Bot %u\","
                            "\"extra\":{\"rank\":\"%u\",\"team\":\"%s\"}}",
                            i, i, 9 - i, i % 2 == 0 ? "even" : "odd");
        client_call(&client, "POST", "/bots", "meeting_baas", body);
        g_assert_cmpuint(client.status, ==, 200);
    }
    g_assert_cmpuint(list(&client, "bot_name=BOT%203"), ==, 1);
    g_assert_cmpuint(list(&client, "meeting_url=zoom.us/j/1"), ==, 1);
    g_assert_cmpuint(list(&client, "filter_by_extra=team:even,rank:9"), ==, 1);
    g_assert_cmpuint(list(&client, "filter_by_extra=team:odd"), ==, 2);
    g_assert_cmpuint(list(&client, "created_after=2099-01-01T00:00:00"), ==, 0);
    g_assert_cmpuint(list(&client, "created_before=2099-01-01"), ==, 5);
    g_assert_cmpuint(list(&client, "ended_after=2000-01-01T00:00:00"), ==, 0);
    g_assert_cmpuint(list(&client, "sort_by_extra=rank&limit=2"), ==, 2);
    g_assert_cmpstr(listed_name(&client, 0), ==, "Bot 4");
    g_autofree char *query = g_strconcat(
        "limit=2&sort_by_extra=rank&cursor=", client_string(&client, "next_cursor"), NULL);
    g_assert_cmpuint(list(&client, query), ==, 2);
    g_assert_cmpstr(listed_name(&client, 0), ==, "Bot 2");
    GString *seen = g_string_new(NULL);
    g_autofree char *cursor = g_strdup("");
    do {
        g_autofree char *page =
            g_strconcat("limit=2", cursor[0] != '\0' ? "&cursor=" : "", cursor, NULL);
        guint n = list(&client, page);
        for (guint i = 0; i < n; i++) {
            g_string_append(seen, listed_name(&client, i) + 4);
        }
        g_free(cursor);
        cursor = g_strdup(client_string(&client, "next_cursor"));
    } while (cursor != NULL);
    g_assert_cmpstr(seen->str, ==, "43210");
    g_string_free(seen, TRUE);
    static const char *const wrong[] = {"limit=0",
                                        "limit=51",
                                        "cursor=%21",
                                        "created_after=soon",
                                        "sort_by_extra=a:up",
                                        "filter_by_extra=nothing"};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *path = g_strconcat("/bots/bots_with_metadata?", wrong[i], NULL);
        client_call(&client, "GET", path, "meeting_baas", NULL);
        g_assert_cmpuint(client.status, ==, 400);
    }
    client_tear_down(&client);
}

static void test_mbaas_data_of_an_ended_bot(void)
{
    Client client = {0};
    client_set_up(&client, NULL);
    g_autoptr(OrchBot) bot = add_ended_bot(&client, ORCH_API_MBAAS);
    g_autofree char *path = path_of("/bots/meeting_data?bot_id=", bot->id, "");
    client_call(&client, "GET", path, "meeting_baas", NULL);
    g_assert_cmpint(orch_json_int(client.json, "duration", -1), ==, 6);
    g_assert_cmpstr(client_string(&client, "bot_data.bot.bot_joined_at"), ==,
                    "1970-01-01T00:00:02.001Z");
    g_autofree char *mp4 = g_strdup(client_string(&client, "mp4"));
    client_get_range(&client, mp4, NULL);
    g_assert_cmpuint(client.status, ==, 200);
    g_assert_cmpuint(g_bytes_get_size(client.bytes), ==, 1000);
    g_autofree char *remove = path_of("/bots/", bot->id, "/delete_data");
    client_call(&client, "POST", remove, "meeting_baas", "{}");
    g_assert_cmpstr(client_string(&client, "status"), ==, "deleted");
    client_get_range(&client, mp4, NULL);
    g_assert_cmpuint(client.status, ==, 404);
    client_call(&client, "GET", path, "meeting_baas", NULL);
    g_assert_cmpstr(client_string(&client, "mp4"), ==, "");
    for (guint i = 0; i < 5; i++) {
        client_call(&client, "POST", remove, "meeting_baas", "");
    }
    g_assert_cmpuint(client.status, ==, 429);
    g_assert_nonnull(soup_message_headers_get_one(soup_message_get_response_headers(client.last),
                                                  "Retry-After"));
    client_tear_down(&client);
}

/* --- files --- */

static void test_files_by_range_and_signature(void)
{
    Client client = {0};
    client_set_up(&client, NULL);
    g_autoptr(OrchBot) bot = add_ended_bot(&client, ORCH_API_MBAAS);
    g_autofree char *url = orch_bots_link(client.fixture.bots, bot, "recording.mp4");
    static const struct {
        const char *range;
        guint status, first, size;
    } cases[] = {{"bytes=0-9", 206, 0, 10},       {"bytes=990-", 206, 990, 10},
                 {"bytes=-5", 206, 995, 5},       {"bytes=900-5000", 206, 900, 100},
                 {"bytes=0-1,5-6", 200, 0, 1000}, {"lines=1-2", 200, 0, 1000}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        client_get_range(&client, url, cases[i].range);
        const guint8 *data = g_bytes_get_data(client.bytes, NULL);
        g_assert_cmpuint(client.status, ==, cases[i].status);
        g_assert_cmpuint(g_bytes_get_size(client.bytes), ==, cases[i].size);
        g_assert_cmpuint(data[0], ==, cases[i].first % 251);
    }
    g_assert_cmpstr(
        soup_message_headers_get_content_type(soup_message_get_response_headers(client.last), NULL),
        ==, "video/mp4");
    const OrchLinks *links = &client.fixture.links;
    g_autofree char *old = orch_links_make(links, bot->id, "recording.mp4", 1000, 60);
    g_autofree char *secret = orch_links_make(links, bot->id, ".worker.json", orch_now_ms(), 60);
    g_autofree char *plain = orch_links_make(links, bot->id, "../../steno.db", orch_now_ms(), 60);
    g_auto(GStrv) parts = g_strsplit(plain, "../../", 2); /* a client would take them out */
    g_autofree char *above = g_strjoin("..%2F..%2F", parts[0], parts[1], NULL);
    g_autofree char *changed = g_strconcat(url, "x", NULL);
    g_autofree char *unsigned_url = g_strndup(url, strcspn(url, "?"));
    const char *const refused[] = {old, secret, above, changed, unsigned_url};
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        client_get_range(&client, refused[i], NULL);
        g_assert_cmpuint(client.status, ==, 403);
    }
    g_autofree char *link = g_build_filename(bot->output_dir, "link.json", NULL);
    g_autoptr(GFile) file = g_file_new_for_path(link);
    g_assert_true(g_file_make_symbolic_link(file, "/etc/passwd", NULL, NULL));
    g_autofree char *followed = orch_links_make(links, bot->id, "link.json", orch_now_ms(), 60);
    client_get_range(&client, followed, NULL);
    g_assert_cmpuint(client.status, ==, 404);
    client_tear_down(&client);
}

/* --- Attendee --- */

typedef struct {
    char *name; /* owned: the last command */
    char *args; /* owned: JSON */
    const char *refusal;
    Client *client;
} Worker;

static void on_command(const char *bot_id, const char *name, JsonObject *args, OrchCommandDone done,
                       gpointer done_data, gpointer user_data)
{
    Worker *worker = user_data;
    orch_set_string(&worker->name, name);
    g_free(worker->args);
    worker->args = args != NULL ? orch_json_print(args) : NULL;
    g_autoptr(GError) error =
        worker->refusal != NULL
            ? g_error_new_literal(ORCH_BOTS_ERROR, ORCH_BOTS_ERROR_REFUSED, worker->refusal)
            : NULL;
    done(error, done_data);
}

static void on_change(gpointer user_data)
{
}

static const OrchWorkers workers = {on_change, on_change, on_command};

static OrchBot *add_recording_bot(Client *client)
{
    g_autoptr(OrchBot) made = fixture_bot(&client->fixture, ORCH_API_ATTENDEE, NULL);
    fixture_event(&client->fixture, made,
                  "{\"seq\":1,\"time\":1,\"type\":\"state\",\"new\":\"joined_recording\","
                  "\"event\":\"recording_permission_granted\"}");
    g_autoptr(OrchBot) bot = fixture_reload(&client->fixture, made);
    bot->worker_pid = 1;
    g_assert_true(orch_bots_save(client->fixture.bots, bot, NULL));
    return g_steal_pointer(&bot);
}

static void test_attendee_commands_reach_the_worker(void)
{
    Client client = {0};
    Worker worker = {0};
    client_set_up(&client, NULL);
    orch_bots_set_workers(client.fixture.bots, &workers, &worker);
    g_autoptr(OrchBot) bot = add_recording_bot(&client);
    g_autofree char *chat = path_of("/api/v1/bots/bot_", bot->id, "/send_chat_message");
    client_call(&client, "POST", chat, "attendee", "{\"message\":\"Hello\",\"to\":\"everyone\"}");
    g_assert_cmpuint(client.status, ==, 200);
    g_assert_cmpstr(worker.name, ==, "send_chat_message");
    g_assert_cmpstr(worker.args, ==, "{\"message\":\"Hello\"}");
    client_call(&client, "POST", chat, "attendee", "{\"to\":\"everyone\"}");
    g_assert_cmpuint(client.status, ==, 400);
    g_assert_nonnull(orch_json_array(client.json, "message"));
    g_autofree char *pause = path_of("/api/v1/bots/bot_", bot->id, "/pause_recording");
    client_call(&client, "POST", pause, "attendee", NULL);
    g_assert_cmpuint(client.status, ==, 200);
    g_assert_cmpstr(worker.name, ==, "pause_recording");
    worker.refusal = "the page is gone";
    client_call(&client, "POST", pause, "attendee", NULL);
    g_assert_cmpuint(client.status, ==, 400);
    g_assert_cmpstr(client_string(&client, "error"), ==,
                    "Unable to pause recording: the page is gone");
    g_autofree char *resume = path_of("/api/v1/bots/bot_", bot->id, "/resume_recording");
    client_call(&client, "POST", resume, "attendee", NULL);
    g_assert_cmpuint(client.status, ==, 400);
    g_autofree char *audio = path_of("/api/v1/bots/bot_", bot->id, "/output_audio");
    client_call(&client, "POST", audio, "attendee",
                "{\"type\":\"audio/mp3\",\"data\":\"bm90IGFuIG1wMw==\"}");
    g_assert_cmpuint(client.status, ==, 400);
    g_assert_cmpstr(client_string(&client, "error"), ==, "data: it is no MP3");
    worker.refusal = NULL;
    g_autofree char *leave = path_of("/api/v1/bots/bot_", bot->id, "/leave");
    client_call(&client, "POST", leave, "attendee", NULL);
    g_assert_cmpuint(client.status, ==, 200);
    g_assert_cmpstr(client_string(&client, "state"), ==, "leaving");
    g_assert_cmpstr(worker.name, ==, "leave");
    client_call(&client, "POST", leave, "attendee", NULL);
    g_assert_cmpuint(client.status, ==, 400);
    g_assert_true(
        g_str_has_prefix(client_string(&client, "error"),
                         "Event leave_requested not allowed when bot is in state leaving"));
    client_call(&client, "POST", chat, "attendee", "{\"message\":\"Hello\"}");
    g_assert_cmpstr(client_string(&client, "error"), ==,
                    "Bot is in state leaving and cannot send chat messages");
    g_free(worker.name);
    g_free(worker.args);
    orch_bots_set_workers(client.fixture.bots, NULL, NULL);
    client_tear_down(&client);
}

static void test_attendee_a_scheduled_bot_can_change_and_go(void)
{
    Client client = {0};
    client_set_up(&client, NULL);
    client_call(&client, "POST", "/api/v1/bots", "attendee",
                "{" MEET ",\"join_at\":\"2027-11-21T10:00:00Z\",\"metadata\":{\"k\":\"v\"},"
                "\"deduplication_key\":\"one\",\"recording_settings\":{\"format\":\"mp3\"},"
                "\"automatic_leave_settings\":{\"silence_timeout_seconds\":60}}");
    g_assert_cmpuint(client.status, ==, 201);
    g_autofree char *id = g_strdup(client_string(&client, "id"));
    g_assert_true(g_str_has_prefix(id, "bot_"));
    g_assert_cmpstr(client_string(&client, "state"), ==, "scheduled");
    g_assert_cmpstr(client_string(&client, "metadata.k"), ==, "v");
    g_assert_cmpstr(client_string(&client, "join_at"), ==, "2027-11-21T10:00:00.000Z");
    client_call(&client, "POST", "/api/v1/bots/", "attendee",
                "{" MEET ",\"deduplication_key\":\"one\"}");
    g_assert_cmpuint(client.status, ==, 400);
    g_assert_true(g_str_has_prefix(client_string(&client, "error"), "Deduplication key already"));
    g_autofree char *path = path_of("/api/v1/bots/", id, "");
    client_call(&client, "PATCH", path, "attendee",
                "{\"join_at\":\"2027-11-22T10:00:00Z\",\"bot_name\":\"New\"}");
    g_assert_cmpuint(client.status, ==, 200);
    g_assert_cmpstr(client_string(&client, "join_at"), ==, "2027-11-22T10:00:00.000Z");
    g_autoptr(OrchBot) bot = orch_store_bot_get(client.fixture.store, id + 4);
    g_autoptr(JsonObject) document = orch_bots_document(client.fixture.bots, bot, NULL);
    g_assert_cmpstr(orch_json_string(document, "bot_name"), ==, "New");
    g_assert_cmpstr(orch_json_string(document, "recording_mode"), ==, "audio_only");
    g_assert_cmpint(
        orch_json_int(orch_json_object(document, "automatic_leave"), "silence_timeout", 0), ==, 60);
    g_autofree char *leave = path_of(path, "", "/leave");
    client_call(&client, "POST", leave, "attendee", NULL);
    g_assert_cmpuint(client.status, ==, 400);
    client_call(&client, "DELETE", path, "attendee", NULL);
    g_assert_cmpuint(client.status, ==, 204);
    client_call(&client, "GET", path, "attendee", NULL);
    g_assert_cmpuint(client.status, ==, 404);
    g_assert_cmpstr(client_string(&client, "error"), ==, "Bot not found");
    client_tear_down(&client);
}

static void test_attendee_refuses_by_field(void)
{
    static const struct {
        const char *body, *field;
    } cases[] = {
        {"{\"bot_name\":\"N\"}", "meeting_url"},
        {"{" MEET ",\"bogus\":1}", "bogus"},
        {"{" MEET ",\"join_at\":\"2020-01-01T00:00:00Z\"}", "join_at"},
        {"{" MEET ",\"metadata\":{\"a\":1}}", "metadata"},
        {"{" MEET ",\"webhooks\":[{\"url\":\"http://x\",\"triggers\":[]}]}", "webhooks"},
        {"{" MEET ",\"webhooks\":[{\"url\":\"https://x\",\"triggers\":[\"no\"]}]}", "webhooks"},
        {"{" MEET ",\"rtmp_settings\":{}}", "rtmp_settings"},
        {"{" MEET ",\"recording_settings\":{\"bogus\":1}}", "recording_settings"},
        {"{" MEET ",\"google_meet_settings\":{\"ui_interaction_mode\":\"humanized\"}}",
         "google_meet_settings"},
        {"{" MEET ",\"google_meet_settings\":{\"use_login\":true}}", "google_meet_settings"},
        {"{" MEET ",\"zoom_settings\":{\"sdk\":\"native\"}}", "zoom_settings"},
        {"{" MEET ",\"debug_settings\":{\"create_debug_recording\":true}}", "debug_settings"},
        {"{" MEET ",\"recording_settings\":{\"record_async_transcription_audio_chunks\":true}}",
         "recording_settings"},
        {"{" MEET ",\"automatic_leave_settings\":{\"enable_closed_captions_timeout_seconds\":5}}",
         "automatic_leave_settings"},
    };
    Client client = {0};
    client_set_up(&client, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        client_call(&client, "POST", "/api/v1/bots", "attendee", cases[i].body);
        g_assert_cmpuint(client.status, ==, 400);
        if (orch_json_array(client.json, cases[i].field) == NULL) {
            g_test_message("%s", cases[i].body);
            g_test_fail();
        }
    }
    client_tear_down(&client);
}

static void test_attendee_takes_what_asks_for_nothing_and_gives_the_rest_its_effect(void)
{
    Client client = {0};
    client_set_up(&client, NULL);
    client_call(&client, "POST", "/api/v1/bots", "attendee",
                "{" MEET ",\"google_meet_settings\":{\"use_login\":false},"
                "\"zoom_settings\":{\"sdk\":\"web\",\"x\":null},\"teams_settings\":{},"
                "\"debug_settings\":null,\"kubernetes_settings\":{\"cpu\":2},"
                "\"automatic_leave_settings\":{\"silence_activate_after_seconds\":77}}");
    g_assert_cmpuint(client.status, ==, 201);
    g_autoptr(OrchBot) bot =
        orch_store_bot_get(client.fixture.store, client_string(&client, "id") + strlen("bot_"));
    g_autoptr(JsonObject) document = orch_json_load(bot->document);
    JsonObject *leave = orch_json_object(document, "automatic_leave");
    g_assert_cmpint(orch_json_int(leave, "silence_activate_after", 0), ==, 77);
    client_tear_down(&client);
}

static guint n_results(Client *client, const OrchBot *bot, const char *what)
{
    g_autofree char *path = g_strconcat("/api/v1/bots/bot_", bot->id, "/", what, NULL);
    client_call(client, "GET", path, "attendee", NULL);
    g_assert_cmpuint(client->status, ==, 200);
    return json_array_get_length(orch_json_array(client->json, "results"));
}

static void test_attendee_data_of_an_ended_bot(void)
{
    Client client = {0};
    client_set_up(&client, NULL);
    g_autoptr(OrchBot) bot = add_ended_bot(&client, ORCH_API_ATTENDEE);
    g_assert_cmpuint(n_results(&client, bot, "participants"), ==, 1);
    g_assert_cmpuint(n_results(&client, bot, "participant_events"), ==, 2);
    g_assert_cmpuint(n_results(&client, bot, "chat_messages"), ==, 1);
    JsonObject *message = orch_json_object_at(orch_json_array(client.json, "results"), 0);
    g_assert_cmpstr(orch_json_string(message, "sender_uuid"), ==, "users/7");
    g_autofree char *recording = path_of("/api/v1/bots/bot_", bot->id, "/recording");
    client_call(&client, "GET", recording, "attendee", NULL);
    g_assert_cmpint(orch_json_int(client.json, "start_timestamp_ms", 0), ==, 2990);
    g_autofree char *url = g_strdup(client_string(&client, "url"));
    client_get_range(&client, url, NULL);
    g_assert_cmpuint(client.status, ==, 200);
    g_autofree char *path = path_of("/api/v1/bots/bot_", bot->id, "");
    client_call(&client, "GET", path, "attendee", NULL);
    g_assert_cmpstr(client_string(&client, "recording_state"), ==, "complete");
    JsonObject *last = orch_json_object_at(orch_json_array(client.json, "events"), 4);
    g_assert_cmpstr(orch_json_string(last, "type"), ==, "post_processing_completed");
    client_call(&client, "GET", "/api/v1/bots?states=ended", "attendee", NULL);
    g_assert_cmpuint(json_array_get_length(orch_json_array(client.json, "results")), ==, 1);
    client_call(&client, "GET", "/api/v1/bots?states=flying", "attendee", NULL);
    g_assert_cmpuint(client.status, ==, 400);
    g_autofree char *remove = path_of(path, "", "/delete_data");
    client_call(&client, "POST", remove, "attendee", NULL);
    g_assert_cmpuint(client.status, ==, 200);
    g_assert_cmpstr(client_string(&client, "state"), ==, "data_deleted");
    g_assert_cmpstr(client_string(&client, "recording_state"), ==, "not_started");
    client_call(&client, "POST", remove, "attendee", NULL);
    g_assert_cmpuint(client.status, ==, 400);
    client_call(&client, "GET", recording, "attendee", NULL);
    g_assert_cmpuint(client.status, ==, 404);
    g_assert_cmpuint(n_results(&client, bot, "chat_messages"), ==, 0);
    client_tear_down(&client);
}

/* --- Cronofy --- */

static void test_cronofy_at_once_later_and_cancelled(void)
{
    Client client = {0};
    client_set_up(&client, NULL);
    client_call(&client, "POST", "/v1/meeting_agents", "cronofy",
                "{\"join_url\":\"https://meet.google.com/abc-defg-hij\"}");
    g_assert_cmpuint(client.status, ==, 200);
    g_assert_true(g_str_has_prefix(client_string(&client, "meeting_agent.sub"), "agt_"));
    static const char later[] =
        "{\"join_url\":\"https://meet.google.com/abc-defg-hij\",\"scheduling_key\":\"k\","
        "\"join_time\":\"2027-11-21T10:00:00Z\",\"subscriptions\":[{\"type\":\"webhook\","
        "\"uri\":\"https://x.test/\",\"interactions\":[{\"type\":\"meeting_agent_complete\"}]}]}";
    for (guint i = 0; i < 2; i++) { /* the same key again replaces */
        client_call(&client, "POST", "/v1/meeting_agents", "cronofy", later);
        g_assert_cmpuint(client.status, ==, 202);
        g_assert_cmpuint(g_bytes_get_size(client.bytes), ==, 0);
    }
    OrchBotFilter scheduled = {.scheduling_key = "k",
                               .states = ORCH_STATE_BIT(BOT_STATE_SCHEDULED)};
    g_assert_cmpuint(orch_store_count_bots(client.fixture.store, &scheduled), ==, 1);
    client_call(&client, "DELETE", "/v1/meeting_agents", "cronofy", "{\"scheduling_key\":\"k\"}");
    g_assert_cmpuint(client.status, ==, 202);
    g_assert_cmpuint(orch_store_count_bots(client.fixture.store, &scheduled), ==, 0);
    client_call(&client, "DELETE", "/v1/meeting_agents", "cronofy", "{}");
    g_assert_cmpuint(client.status, ==, 400);
    client_call(&client, "POST", "/v1/meeting_agents", "cronofy",
                "{\"join_url\":\"https://x\",\"join_time\":\"2027-11-21T10:00:00Z\"}");
    g_assert_cmpuint(client.status, ==, 400);
    client_tear_down(&client);
}

/* --- everybody --- */

static void test_one_bot_behind_three_apis(void)
{
    Client client = {0};
    client_set_up(&client, NULL);
    client_call(&client, "POST", "/v1/meeting_agents", "cronofy",
                "{\"join_url\":\"https://meet.google.com/abc-defg-hij\"}");
    g_autofree char *id = g_strdup(client_string(&client, "meeting_agent.sub") + 4);
    g_autofree char *attendee = path_of("/api/v1/bots/bot_", id, "");
    client_call(&client, "GET", attendee, "attendee", NULL);
    g_assert_cmpstr(client_string(&client, "state"), ==, "ready");
    g_autofree char *mbaas = path_of("/bots/", id, "");
    client_call(&client, "DELETE", mbaas, "meeting_baas", NULL);
    g_assert_cmpuint(client.status, ==, 200);
    client_call(&client, "GET", attendee, "attendee", NULL);
    g_assert_cmpstr(client_string(&client, "state"), ==, "ended");
    client_tear_down(&client);
}

static void test_nobody_sees_anothers_bots(void)
{
    Client client = {0};
    client_set_up(&client, NULL);
    g_autoptr(OrchBot) bot = add_ended_bot(&client, ORCH_API_MBAAS);
    g_autofree char *key = NULL;
    g_autoptr(OrchKey) other =
        orch_keys_create(client.fixture.store, client.fixture.secrets, "second", NULL, &key, NULL);
    g_autofree char *mbaas = g_strconcat("x-meeting-baas-api-key:", key, NULL);
    g_autofree char *attendee = g_strconcat("Authorization:Token ", key, NULL);
    g_autofree char *data = path_of("/bots/meeting_data?bot_id=", bot->id, "");
    g_autofree char *leave = path_of("/bots/", bot->id, "");
    g_autofree char *remove = path_of("/bots/", bot->id, "/delete_data");
    g_autofree char *get = path_of("/api/v1/bots/bot_", bot->id, "");
    g_autofree char *chat = path_of(get, "", "/chat_messages");
    const struct {
        const char *method, *path, *auth;
    } calls[] = {{"GET", data, mbaas},     {"DELETE", leave, mbaas}, {"POST", remove, mbaas},
                 {"GET", get, attendee},   {"GET", chat, attendee},  {"PATCH", get, attendee},
                 {"DELETE", get, attendee}};
    for (gsize i = 0; i < G_N_ELEMENTS(calls); i++) {
        client_call(&client, calls[i].method, calls[i].path, calls[i].auth, "{}");
        g_assert_cmpuint(client.status, ==, 404);
    }
    client_call(&client, "GET", "/bots/bots_with_metadata", mbaas, NULL);
    g_assert_cmpuint(json_array_get_length(orch_json_array(client.json, "bots")), ==, 0);
    g_assert_true(orch_store_key_revoke(client.fixture.store, other->id, 1, NULL));
    const char *const wrong[] = {NULL, mbaas, "x-meeting-baas-api-key:", "Authorization:Token x",
                                 "x-meeting-baas-api-key:' OR 1=1 --"};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        client_call(&client, "GET", data, wrong[i], NULL);
        g_assert_cmpuint(client.status, ==, 401);
    }
    client_tear_down(&client);
}

static void test_the_delivery_log_and_sending_again(void)
{
    Client client = {0};
    client_set_up(&client, NULL);
    g_autoptr(OrchBot) bot = fixture_bot(&client.fixture, ORCH_API_MBAAS,
                                         "{\"webhooks\":[{\"kind\":\"meeting_baas\","
                                         "\"url\":\"http://x/\"}]}");
    fixture_live(&client.fixture, bot);
    g_autofree char *list = path_of("/webhooks?bot_id=", bot->id, "");
    client_call(&client, "GET", list, "meeting_baas", NULL);
    JsonArray *log = orch_json_array(client.json, "webhooks");
    g_assert_cmpuint(json_array_get_length(log), ==, 5);
    JsonObject *newest = orch_json_object_at(log, 0);
    g_assert_cmpstr(orch_json_string(newest, "trigger"), ==, "complete");
    g_assert_cmpstr(orch_json_string(newest, "state"), ==, "waiting");
    g_autofree char *id = g_strdup(orch_json_string(newest, "id"));
    g_autoptr(OrchDelivery) delivery = orch_store_delivery_get(client.fixture.store, id);
    delivery->state = ORCH_DELIVERY_PARKED;
    delivery->n_attempts = 7;
    g_assert_true(orch_store_delivery_update(client.fixture.store, delivery, NULL));
    g_autofree char *one = path_of("/webhooks/", id, "");
    client_call(&client, "GET", one, "meeting_baas", NULL);
    g_assert_cmpstr(client_string(&client, "state"), ==, "parked");
    g_assert_true(g_str_has_prefix(client_string(&client, "body"), "{\"event\":\"complete\""));
    g_autofree char *again = path_of(one, "", "/resend");
    client_call(&client, "POST", again, "meeting_baas", "{}");
    g_assert_cmpuint(client.status, ==, 202);
    g_assert_cmpstr(client_string(&client, "state"), ==, "waiting");
    g_autofree char *key = NULL;
    g_autoptr(OrchKey) other =
        orch_keys_create(client.fixture.store, client.fixture.secrets, "second", NULL, &key, NULL);
    g_autofree char *header = g_strconcat("x-meeting-baas-api-key:", key, NULL);
    client_call(&client, "GET", one, header, NULL);
    g_assert_cmpuint(client.status, ==, 404);
    client_call(&client, "POST", again, header, NULL);
    g_assert_cmpuint(client.status, ==, 404);
    client_call(&client, "GET", list, header, NULL);
    g_assert_cmpuint(json_array_get_length(orch_json_array(client.json, "webhooks")), ==, 0);
    client_tear_down(&client);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*run)(void);
    } tests[] = {
        {"/api/mbaas/takes_what_the_sdk_sends", test_mbaas_takes_what_the_sdk_sends},
        {"/api/mbaas/refuses_with_a_sentence", test_mbaas_refuses_with_a_sentence},
        {"/api/mbaas/times_are_told_by_their_size", test_mbaas_times_are_told_by_their_size},
        {"/api/mbaas/five_minute_rule", test_mbaas_five_minute_rule},
        {"/api/mbaas/five_minute_rule_knows_a_meeting_by_all_its_links",
         test_mbaas_five_minute_rule_knows_a_meeting_by_all_its_links},
        {"/api/mbaas/lists_filter_sort_and_page", test_mbaas_lists_filter_sort_and_page},
        {"/api/mbaas/data_of_an_ended_bot", test_mbaas_data_of_an_ended_bot},
        {"/api/files/by_range_and_signature", test_files_by_range_and_signature},
        {"/api/attendee/commands_reach_the_worker", test_attendee_commands_reach_the_worker},
        {"/api/attendee/a_scheduled_bot_can_change_and_go",
         test_attendee_a_scheduled_bot_can_change_and_go},
        {"/api/attendee/takes_what_asks_for_nothing_and_gives_the_rest_its_effect",
         test_attendee_takes_what_asks_for_nothing_and_gives_the_rest_its_effect},
        {"/api/attendee/refuses_by_field", test_attendee_refuses_by_field},
        {"/api/attendee/data_of_an_ended_bot", test_attendee_data_of_an_ended_bot},
        {"/api/cronofy/at_once_later_and_cancelled", test_cronofy_at_once_later_and_cancelled},
        {"/api/one_bot_behind_three_apis", test_one_bot_behind_three_apis},
        {"/api/nobody_sees_anothers_bots", test_nobody_sees_anothers_bots},
        {"/api/the_delivery_log_and_sending_again", test_the_delivery_log_and_sending_again},
    };
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_test_add_func(tests[i].path, tests[i].run);
    }
    return g_test_run();
}
