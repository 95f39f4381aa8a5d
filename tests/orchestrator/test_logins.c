/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/json.h"
#include "orchestrator/logins.h"
#include "tests/orchestrator/accounts.h"
#include "tests/orchestrator/client.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

/* The accounts that bots sign in with: who is given one, and what workers say of them. */

#define MEET "\"meeting_url\":\"https://meet.google.com/abc-defg-hij\",\"bot_name\":\"Notes\""
#define TEAMS                                                                                      \
    "\"meeting_url\":\"https://teams.live.com/meet/9312345678901?p=abc\",\"bot_name\":\"N\""

/* --- the configuration --- */

static void test_each_account_is_checked(void)
{
    static const struct {
        const char *accounts, *sentence;
    } cases[] = {
        {"{}", "$.accounts: is not an array*"},
        {"[7]", "$.accounts: is not an array*"},
        {"[{}]", "$.accounts[0].platform: missing*"},
        {"[{\"platform\":\"webex\"}]", "$.accounts[0].platform: \"webex\" is not one of*"},
        {"[{\"platform\":\"meet\"}]", "$.accounts[0]: expected one of profile_dir*"},
        {"[{\"platform\":\"meet\",\"profile_dir\":\"/tmp\",\"cookies_file\":\"/tmp/x\"}]",
         "$.accounts[0]: expected one of*not both"},
        {"[{\"platform\":\"meet\",\"profile_dir\":\"/nowhere/at all\"}]",
         "$.accounts[0].profile_dir: /nowhere/at all is no folder; steno-worker login*"},
        {"[{\"platform\":\"meet\",\"profile_dir\":\"/etc/passwd\"}]", "*is no folder*"},
        {"[{\"platform\":\"meet\",\"cookies_file\":\"/tmp\"}]",
         "$.accounts[0].cookies_file: /tmp is no file*"},
        {"[{\"platform\":\"meet\",\"profile_dir\":\"/tmp\"},"
         "{\"platform\":\"meet\",\"profile_dir\":\"/\",\"max\":2}]",
         "$.accounts[1].max: unknown field (value 2); docs/orchestrator.md*"},
        {"[{\"platform\":\"meet\",\"profile_dir\":\"/tmp\",\"max_bots\":0}]",
         "$.accounts[0].max_bots: 0 is not*"},
        {"[{\"platform\":\"meet\",\"profile_dir\":\"/tmp\"},"
         "{\"platform\":\"zoom\",\"profile_dir\":\"/\",\"name\":\"meet-1\"}]",
         "$.accounts[1].name: \"meet-1\" is the name of $.accounts[0], too"},
        {"[{\"platform\":\"meet\",\"profile_dir\":\"/tmp\"},"
         "{\"platform\":\"meet\",\"profile_dir\":\"/tmp/\"}]",
         "$.accounts[1]: has the same file or folder as $.accounts[0]*"},
        {"[{\"platform\":\"meet\",\"profile_dir\":\"/tmp\",\"name\":\"a\\u001b[2J\"}]",
         "$.accounts[0].name: has a control character*"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = g_strdup_printf("{\"accounts\":%s}", cases[i].accounts);
        g_autoptr(JsonObject) document = orch_json_load(text);
        g_assert_null(orch_config_new(document, &error));
        g_assert_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD);
        if (!g_pattern_match_simple(cases[i].sentence, error->message)) {
            g_test_message("%s: %s", cases[i].accounts, error->message);
            g_test_fail();
        }
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonObject) document = orch_json_load(
        "{\"accounts\":[{\"platform\":\"meet\",\"profile_dir\":\"/tmp\",\"group\":null}]}");
    g_autoptr(OrchConfig) config = orch_config_new(document, &error);
    g_assert_no_error(error);
    const OrchLogin *login = g_ptr_array_index(config->logins, 0);
    g_assert_cmpstr(login->name, ==, "meet-1");
    g_assert_cmpuint(login->max_bots, ==, 1);
    g_assert_cmpint(config->accounts_use, ==, ORCH_LOGIN_USE_WHEN_ASKED);
}

/* --- leases --- */

static OrchBot *add_bot(Fixture *fixture, const char *accounts)
{
    g_autofree char *details = g_strdup_printf("{\"accounts\":{\"meet\":%s}}", accounts);
    return fixture_bot(fixture, ORCH_API_ATTENDEE, details);
}

static bool lease(Fixture *fixture, OrchBot *bot)
{
    g_autoptr(GError) error = NULL;
    bool got = orch_logins_lease(fixture->store, fixture->config, bot, &error);
    g_assert_no_error(error);
    g_assert_true(orch_store_bot_update(fixture->store, bot, NULL));
    return got;
}

static void give_back(Fixture *fixture, OrchBot *bot)
{
    orch_logins_clear(bot);
    g_assert_true(orch_store_bot_update(fixture->store, bot, NULL));
}

static void test_no_more_bots_than_an_account_takes(void)
{
    Fixture fixture = {0};
    Accounts accounts = {0};
    accounts_set_up(&accounts, &fixture, "when_asked", "\"max_bots\":2");
    g_autoptr(OrchBot) first = add_bot(&fixture, "{\"use\":\"always\"}");
    g_autoptr(OrchBot) second = add_bot(&fixture, "{\"use\":\"always\"}");
    g_autoptr(OrchBot) third = add_bot(&fixture, "{\"use\":\"always\"}");
    g_assert_cmpstr(first->login_class, ==, "meet");
    g_assert_true(lease(&fixture, first));
    g_assert_false(first->login_shared);
    g_assert_true(lease(&fixture, second));
    g_assert_false(lease(&fixture, third));
    /* The book is in the rows: another process on them says the same. */
    g_assert_true(orch_store_commit(fixture.store, NULL));
    fixture_reopen(&fixture);
    g_autoptr(GPtrArray) states = orch_logins_states(fixture.store, fixture.config);
    bool none = true;
    g_assert_cmpuint(((OrchLoginState *)states->pdata[0])->n_bots, ==, 2);
    g_assert_cmpuint(orch_logins_count_free(states, "meet", &none), ==, 0);
    g_assert_false(none);
    g_assert_false(lease(&fixture, third));
    /* Neither of two that had it at a time may keep its session. */
    g_autoptr(OrchBot) again = fixture_reload(&fixture, first);
    g_assert_true(again->login_shared);
    g_assert_true(second->login_shared);
    give_back(&fixture, again);
    g_assert_true(lease(&fixture, third));
    g_assert_true(third->login_shared);
    accounts_tear_down(&accounts, &fixture);
}

static void test_groups_are_kept_apart(void)
{
    static const char *const rest = "\"max_bots\":1},{\"platform\":\"meet\",\"name\":\"sales\","
                                    "\"group\":\"a/b\",\"profile_dir\":\"/tmp\"";
    Fixture fixture = {0};
    Accounts accounts = {0};
    accounts_set_up(&accounts, &fixture, "when_asked", rest);
    g_autoptr(OrchBot) any = add_bot(&fixture, "{\"use\":\"always\"}");
    g_autoptr(OrchBot) sales = add_bot(&fixture, "{\"use\":\"always\",\"group\":\"a/b\"}");
    g_autoptr(OrchBot) more = add_bot(&fixture, "{\"use\":\"always\",\"group\":\"a/b\"}");
    g_assert_true(lease(&fixture, any));
    g_assert_cmpstr(any->login, ==, "notes"); /* whom nobody asks for by a group */
    g_assert_true(lease(&fixture, sales));
    g_assert_cmpstr(sales->login, ==, "sales");
    g_assert_false(lease(&fixture, more));
    give_back(&fixture, any);
    g_assert_false(lease(&fixture, more));
    accounts_tear_down(&accounts, &fixture);
}

static void test_its_worker_is_told_the_copy_and_nobody_the_account(void)
{
    Fixture fixture = {0};
    Accounts accounts = {0};
    accounts_set_up(&accounts, &fixture, "when_asked", "\"max_bots\":1");
    g_autoptr(OrchBot) bot = add_bot(&fixture, "{\"use\":\"always\"}");
    g_autoptr(JsonObject) before = orch_bots_document(fixture.bots, bot, NULL);
    g_assert_null(orch_json_object(before, "browser"));
    g_assert_true(lease(&fixture, bot));
    g_autoptr(JsonObject) document = orch_bots_document(fixture.bots, bot, NULL);
    JsonObject *browser = orch_json_object(document, "browser");
    g_autofree char *copy = g_build_filename(fixture.dir, "profiles", bot->id, NULL);
    g_assert_cmpstr(orch_json_string(browser, "profile_dir"), ==, copy);
    g_assert_true(orch_json_bool(browser, "signed_in", false));
    accounts_tear_down(&accounts, &fixture);
}

/* --- signed out --- */

#define FAILED                                                                                     \
    "{\"seq\":SEQ,\"time\":5,\"type\":\"status\",\"code\":\"meeting_error\",\"error_message\":"    \
    "\"The page asks.\",\"error_type\":\"WHY\"}"
#define COULD_NOT_JOIN                                                                             \
    "{\"seq\":SEQ,\"time\":5,\"type\":\"state\",\"old\":\"joining\",\"new\":\"fatal_error\","      \
    "\"event\":\"could_not_join_meeting\",\"sub_type\":\"WHY\"}"
#define ENDED                                                                                      \
    "{\"seq\":SEQ,\"time\":6,\"type\":\"ended\",\"state\":\"fatal_error\",\"error\":"              \
    "\"CannotJoinMeeting\",\"error_code\":\"authentication_error\",\"message\":"                   \
    "\"The page asks.\",\"exit\":3}"

/* @template: SEQ and WHY stand for the other two. */
static void apply(Fixture *fixture, const OrchBot *bot, const char *template, guint seq,
                  const char *why)
{
    g_autoptr(GString) json = g_string_new(template);
    g_autofree char *number = g_strdup_printf("%u", seq);
    g_string_replace(json, "SEQ", number, 1);
    g_string_replace(json, "WHY", why, 1);
    fixture_event(fixture, bot, json->str);
}

static void join(Fixture *fixture, const OrchBot *bot, guint seq)
{
    static const char state[] = "{\"seq\":SEQ,\"time\":1,\"type\":\"state\",\"old\":\"ready\","
                                "\"new\":\"joining\",\"event\":\"join_requested\"}";
    static const char status[] = "{\"seq\":SEQ,\"time\":1,\"type\":\"status\",\"code\":\"WHY\"}";
    apply(fixture, bot, state, seq, "");
    apply(fixture, bot, status, seq + 1, "joining_call");
}

static void expect_signed_out(void)
{
    g_test_expect_message("orchestrator", G_LOG_LEVEL_WARNING,
                          "account \"notes\" is signed out, as bot *: steno-worker login URL "
                          "--profile */notes, or *accounts reset notes");
}

static void assert_signed_out(Fixture *fixture, bool out)
{
    g_autoptr(GPtrArray) states = orch_logins_states(fixture->store, fixture->config);
    const OrchLoginState *state = g_ptr_array_index(states, 0);
    g_assert_true((state->mark != NULL) == out);
}

static void test_who_is_signed_out_is_put_aside(void)
{
    Fixture fixture = {0};
    Accounts accounts = {0};
    accounts_set_up(&accounts, &fixture, "when_asked", "\"max_bots\":2");
    g_autoptr(OrchBot) bot = add_bot(&fixture, "{\"use\":\"always\"}");
    g_autoptr(OrchBot) next = add_bot(&fixture, "{\"use\":\"always\"}");
    g_assert_true(lease(&fixture, bot));
    expect_signed_out();
    apply(&fixture, bot,
          "{\"seq\":SEQ,\"time\":1,\"type\":\"warning\",\"code\":\"WHY\",\"message\":\"a name\"}",
          1, "signed_out");
    g_test_assert_expected_messages();
    g_assert_true(orch_store_commit(fixture.store, NULL));
    fixture_reopen(&fixture);
    assert_signed_out(&fixture, true);
    g_assert_false(lease(&fixture, next));
    bool none = false;
    g_autoptr(GPtrArray) states = orch_logins_states(fixture.store, fixture.config);
    g_assert_cmpuint(orch_logins_count_free(states, "meet", &none), ==, 0);
    g_assert_true(none);
    g_autofree char *why = orch_logins_why_none(states, "meet");
    g_assert_nonnull(strstr(why, "\"notes\""));
    g_assert_null(strstr(why, accounts.profile)); /* clients read it */
    /* Somebody signs in: the profile changes. */
    accounts_write(&accounts, "Default/Network/Cookies", "new and longer");
    assert_signed_out(&fixture, false);
    g_assert_true(lease(&fixture, next));
    accounts_tear_down(&accounts, &fixture);
}

static void test_a_bot_that_failed_for_it_says_so(void)
{
    static const char hooks[] =
        "{\"accounts\":{\"meet\":{\"use\":\"always\"}},\"webhooks\":["
        "{\"kind\":\"meeting_baas\",\"url\":\"http://x/m\"},"
        "{\"kind\":\"attendee\",\"url\":\"http://x/a\",\"triggers\":[\"bot.state_change\"]}]}";
    Fixture fixture = {0};
    Accounts accounts = {0};
    accounts_set_up(&accounts, &fixture, "when_asked", "\"max_bots\":1");
    g_autoptr(OrchBot) bot = fixture_bot(&fixture, ORCH_API_ATTENDEE, hooks);
    g_assert_true(lease(&fixture, bot));
    join(&fixture, bot, 1);
    expect_signed_out();
    apply(&fixture, bot, FAILED, 3, "login_required");
    g_test_assert_expected_messages();
    apply(&fixture, bot, COULD_NOT_JOIN, 4, "login_required");
    apply(&fixture, bot, ENDED, 5, "");
    assert_signed_out(&fixture, true);
    g_autoptr(OrchBot) ended = fixture_reload(&fixture, bot);
    g_assert_cmpint(ended->state, ==, BOT_STATE_FATAL_ERROR);
    g_assert_true(g_str_has_prefix(ended->message, "The page asks. The account \"notes\" is "));
    g_assert_nonnull(strstr(ended->message, "steno-worker login URL --profile DIR"));
    g_autoptr(GPtrArray) bodies = fixture_bodies(&fixture, bot);
    JsonObject *data = NULL, *metadata = NULL;
    for (guint i = 0; i < bodies->len; i++) {
        data = orch_json_object(g_ptr_array_index(bodies, i), "data");
        metadata = orch_json_object(data, "event_metadata") != NULL
                       ? orch_json_object(data, "event_metadata")
                       : metadata;
    }
    g_assert_cmpstr(orch_json_string(data, "message"), ==, ended->message);
    g_assert_cmpstr(orch_json_string(metadata, "signed_out_account"), ==, "notes");
    accounts_tear_down(&accounts, &fixture);
}

/* --- refused as a guest --- */

static guint count_transitions(Fixture *fixture, const OrchBot *bot)
{
    g_autoptr(GPtrArray) history = orch_store_transitions(fixture->store, bot->id);
    return history->len;
}

static void test_a_refused_guest_comes_again_once(void)
{
    static const char *const orders[][2] = {{FAILED, COULD_NOT_JOIN}, {COULD_NOT_JOIN, FAILED}};
    for (gsize i = 0; i < G_N_ELEMENTS(orders); i++) {
        Fixture fixture = {0};
        Accounts accounts = {0};
        accounts_set_up(&accounts, &fixture, "if_required", "\"max_bots\":1");
        g_autoptr(OrchBot) made =
            fixture_bot(&fixture, ORCH_API_MBAAS,
                        "{\"webhooks\":[{\"kind\":\"meeting_baas\",\"url\":\"http://x/m\"}]}");
        g_assert_null(made->login_class);
        join(&fixture, made, 1);
        apply(&fixture, made, orders[i][0], 3, "bots_not_allowed");
        apply(&fixture, made, orders[i][1], 4, "bots_not_allowed");
        apply(&fixture, made, ENDED, 5, "");
        g_autoptr(OrchBot) bot = fixture_reload(&fixture, made);
        g_assert_cmpint(bot->state, ==, BOT_STATE_READY);
        g_assert_cmpint(bot->login_run, ==, ORCH_LOGIN_RUN_REFUSED);
        g_assert_cmpstr(bot->login_class, ==, "meet");
        g_assert_false(bot->reported);
        /* As the workforce does when the first worker is gone. */
        bot->login_run = ORCH_LOGIN_RUN_SECOND;
        g_assert_true(lease(&fixture, bot));
        join(&fixture, bot, 6);
        g_assert_cmpuint(count_transitions(&fixture, bot), ==, 1);
        apply(&fixture, bot, FAILED, 8, "bots_not_allowed");
        apply(&fixture, bot, COULD_NOT_JOIN, 9, "bots_not_allowed");
        apply(&fixture, bot, ENDED, 10, "");
        g_autoptr(OrchBot) ended = fixture_reload(&fixture, bot);
        g_assert_cmpint(ended->state, ==, BOT_STATE_FATAL_ERROR);
        g_autoptr(GPtrArray) bodies = fixture_bodies(&fixture, bot);
        g_assert_cmpuint(bodies->len, ==, 3); /* joining_call, meeting_error, failed */
        assert_signed_out(&fixture, false);   /* it was not asked to sign in */
        accounts_tear_down(&accounts, &fixture);
    }
}

static void test_other_refusals_are_final(void)
{
    static const struct {
        const char *use, *why;
        bool leaves;
    } cases[] = {
        {"if_required", "request_to_join_denied", false},
        {"if_required", "blocked_by_captcha", false},
        {"if_required", "login_required", true},
        {"when_asked", "login_required", false},
        {"always", "bots_not_allowed", false},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        Fixture fixture = {0};
        Accounts accounts = {0};
        accounts_set_up(&accounts, &fixture, cases[i].use, "\"max_bots\":1");
        g_autoptr(OrchBot) made = fixture_bot(&fixture, ORCH_API_MBAAS, NULL);
        join(&fixture, made, 1);
        g_autoptr(OrchBot) bot = fixture_reload(&fixture, made);
        if (cases[i].leaves) {
            g_assert_true(orch_bots_leave(fixture.bots, bot, NULL));
        }
        apply(&fixture, bot, COULD_NOT_JOIN, 3, cases[i].why);
        g_autoptr(OrchBot) ended = fixture_reload(&fixture, bot);
        g_assert_cmpint(ended->state, ==, BOT_STATE_FATAL_ERROR);
        g_assert_cmpint(ended->login_run, ==, ORCH_LOGIN_RUN_FIRST);
        accounts_tear_down(&accounts, &fixture);
    }
}

static void test_a_refused_guest_may_be_cancelled(void)
{
    Fixture fixture = {0};
    Accounts accounts = {0};
    accounts_set_up(&accounts, &fixture, "if_required", "\"max_bots\":1");
    g_autoptr(OrchBot) made = fixture_bot(&fixture, ORCH_API_MBAAS, NULL);
    join(&fixture, made, 1);
    apply(&fixture, made, FAILED, 3, "login_required");
    g_autoptr(OrchBot) bot = fixture_reload(&fixture, made);
    g_assert_true(orch_bots_leave(fixture.bots, bot, NULL));
    g_assert_true(bot_state_is_terminal(bot->state));
    apply(&fixture, bot, ENDED, 4, "");
    g_autoptr(OrchBot) ended = fixture_reload(&fixture, bot);
    g_assert_cmpstr(ended->end_reason, ==, "api_request");
    g_assert_null(ended->error);
    accounts_tear_down(&accounts, &fixture);
}

/* --- the APIs --- */

static void test_clients_ask_by_platform_and_group(void)
{
#define OWN(settings, more) "{" MEET ",\"" settings "\":{" more "}}"
#define OWN_TEAMS(settings, more) "{" TEAMS ",\"" settings "\":{" more "}}"
    static const struct {
        const char *body, *login_class; /* NULL: as a guest */
        const char *refusal;            /* or NULL */
    } cases[] = {
        {"{" MEET "}", NULL, NULL},
        {OWN("google_meet_settings", "\"use_login\":true"), "meet", NULL},
        {OWN("google_meet_settings", "\"use_login\":true,\"login_mode\":\"always\","
                                     "\"login_group_name\":\"sales\""),
         "meet/sales", NULL},
        {OWN("google_meet_settings", "\"use_login\":true,\"login_mode\":\"only_if_required\""),
         NULL, NULL},
        {OWN("google_meet_settings", "\"use_login\":false,\"login_mode\":\"always\""), NULL, NULL},
        {OWN("teams_settings", "\"use_login\":true"), NULL, NULL}, /* it is no Teams meeting */
        {OWN("google_meet_settings", "\"use_login\":true,\"login_group_name\":\"none\""), NULL,
         "*login_group_name: no account of meet with this group*"},
        {OWN("google_meet_settings",
             "\"use_login\":true,\"login_mode\":\"only_if_required\",\"login_group_name\":\"x\""),
         NULL, "*login_group_name: no account*"},
        {OWN_TEAMS("teams_settings", "\"use_login\":true"), NULL,
         "*use_login: no account of teams is configured (accounts*"},
        {OWN("google_meet_settings", "\"use_login\":1"), NULL, "*use_login: is not true or false*"},
        {OWN("google_meet_settings", "\"use_login\":true,\"login_mode\":\"now\""), NULL,
         "*login_mode: is not one of*"},
        {OWN("google_meet_settings", "\"use_login\":true,\"login_group_name\":{}"), NULL,
         "*login_group_name: is not a string*"},
        {OWN("google_meet_settings", "\"login_mode\":\"always\""), NULL, "*only with use_login*"},
        {OWN("google_meet_settings", "\"login_group_name\":\"sales\""), NULL,
         "*only with use_login*"},
        {OWN("google_meet_settings", "\"profile_dir\":\"/etc\""), NULL, "*not supported*"},
        {"{" MEET ",\"zoom_settings\":{\"use_login\":true}}", NULL, "*not supported*"},
    };
    Client client = {0};
    Accounts accounts = {0};
    accounts_make(&accounts);
    g_autofree char *config = accounts_config(&accounts, "when_asked", "\"group\":\"sales\"");
    client_set_up(&client, config);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        client_call(&client, "POST", "/api/v1/bots", "attendee", cases[i].body);
        g_autofree char *answer = orch_json_print(client.json);
        if (client.status != (cases[i].refusal != NULL ? 400u : 201u) ||
            (cases[i].refusal != NULL && !g_pattern_match_simple(cases[i].refusal, answer))) {
            g_test_message("%s: %u %s", cases[i].body, client.status, answer);
            g_test_fail();
            continue;
        }
        if (cases[i].refusal == NULL) {
            g_autoptr(OrchBot) bot = orch_bots_get(client.fixture.bots, client.fixture.key->account,
                                                   client_string(&client, "id"));
            g_assert_cmpstr(bot->login_class, ==, cases[i].login_class);
        }
    }
    client_tear_down(&client);
    accounts_clear(&accounts);
}

static void test_another_meeting_another_account(void)
{
    Client client = {0};
    Accounts accounts = {0};
    accounts_make(&accounts);
    g_autofree char *config = accounts_config(&accounts, "when_asked", "\"max_bots\":1");
    client_set_up(&client, config);
    client_call(&client, "POST", "/api/v1/bots", "attendee",
                "{" MEET ",\"join_at\":\"2029-01-01T00:00:00Z\",\"google_meet_settings\":"
                "{\"use_login\":true},\"teams_settings\":{\"use_login\":true}}");
    g_assert_cmpuint(client.status, ==, 201);
    g_autofree char *path = g_strconcat("/api/v1/bots/", client_string(&client, "id"), NULL);
    client_call(&client, "PATCH", path, "attendee",
                "{\"meeting_url\":\"https://teams.live.com/meet/9312345678901?p=abc\"}");
    g_assert_cmpuint(client.status, ==, 400);
    g_assert_cmpuint(json_object_get_size(client.json), ==, 1);
    g_assert_true(json_object_has_member(client.json, "teams_settings"));
    client_call(&client, "PATCH", path, "attendee",
                "{\"meeting_url\":\"https://app.zoom.us/j/81234567890\"}");
    g_assert_cmpuint(client.status, ==, 200);
    g_autoptr(OrchBot) bot = orch_bots_get(client.fixture.bots, client.fixture.key->account,
                                           client_string(&client, "id"));
    g_assert_null(bot->login_class);
    client_tear_down(&client);
    accounts_clear(&accounts);
}

static void test_the_operator_says_for_all_others(void)
{
    static const struct {
        const char *use, *login_class, *asked; /* asked: status of a bot that asks */
    } cases[] = {{"never", NULL, "400"},
                 {"when_asked", NULL, "201"},
                 {"if_required", NULL, "201"},
                 {"always", "meet", "201"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        Client client = {0};
        Accounts accounts = {0};
        accounts_make(&accounts);
        g_autofree char *config = accounts_config(&accounts, cases[i].use, "\"max_bots\":1");
        client_set_up(&client, config);
        client_call(&client, "POST", "/bots", "meeting_baas", "{" MEET "}");
        g_assert_cmpuint(client.status, ==, 200);
        g_autoptr(OrchBot) bot =
            orch_store_bot_get(client.fixture.store, client_string(&client, "bot_id"));
        g_assert_cmpstr(bot->login_class, ==, cases[i].login_class);
        client_call(&client, "POST", "/bots", "meeting_baas", "{" TEAMS "}");
        g_assert_cmpuint(client.status, ==, 200); /* no account: a guest, as the others */
        client_call(&client, "POST", "/bots", "meeting_baas",
                    "{\"meeting_url\":\"https://example.org/x\",\"bot_name\":\"N\"}");
        g_assert_cmpuint(client.status, ==, 200);
        client_call(&client, "POST", "/api/v1/bots", "attendee",
                    OWN("google_meet_settings", "\"use_login\":true"));
        g_assert_cmpint(client.status, ==, (gint)g_ascii_strtoll(cases[i].asked, NULL, 10));
        client_tear_down(&client);
        accounts_clear(&accounts);
    }
}

static void test_health_tells_of_each(void)
{
    Client client = {0};
    Accounts accounts = {0};
    accounts_make(&accounts);
    g_autofree char *config = accounts_config(&accounts, "always", "\"max_bots\":3");
    client_set_up(&client, config);
    g_autoptr(OrchBot) bot = fixture_bot(&client.fixture, ORCH_API_MBAAS, NULL);
    g_assert_true(lease(&client.fixture, bot));
    client_call(&client, "GET", "/health", NULL, NULL);
    JsonObject *account = orch_json_object_at(orch_json_array(client.json, "accounts"), 0);
    g_assert_cmpstr(orch_json_string(account, "name"), ==, "notes");
    g_assert_cmpint(orch_json_int(account, "bots", 0), ==, 1);
    g_assert_cmpint(orch_json_int(account, "max_bots", 0), ==, 3);
    g_assert_null(orch_json_string(account, "signed_out"));
    expect_signed_out();
    apply(&client.fixture, bot,
          "{\"seq\":SEQ,\"time\":1,\"type\":\"warning\",\"code\":\"WHY\",\"message\":\"a name\"}",
          1, "signed_out");
    g_test_assert_expected_messages();
    client_call(&client, "GET", "/health", NULL, NULL);
    account = orch_json_object_at(orch_json_array(client.json, "accounts"), 0);
    g_assert_cmpstr(orch_json_string(account, "reason"), ==, "a name");
    g_assert_nonnull(orch_json_string(account, "signed_out"));
    g_assert_null(strstr(g_bytes_get_data(client.bytes, NULL), accounts.dir));
    client_tear_down(&client);
    accounts_clear(&accounts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/logins/each_account_is_checked", test_each_account_is_checked);
    g_test_add_func("/logins/no_more_bots_than_an_account_takes",
                    test_no_more_bots_than_an_account_takes);
    g_test_add_func("/logins/groups_are_kept_apart", test_groups_are_kept_apart);
    g_test_add_func("/logins/its_worker_is_told_the_copy_and_nobody_the_account",
                    test_its_worker_is_told_the_copy_and_nobody_the_account);
    g_test_add_func("/logins/who_is_signed_out_is_put_aside", test_who_is_signed_out_is_put_aside);
    g_test_add_func("/logins/a_bot_that_failed_for_it_says_so",
                    test_a_bot_that_failed_for_it_says_so);
    g_test_add_func("/logins/a_refused_guest_comes_again_once",
                    test_a_refused_guest_comes_again_once);
    g_test_add_func("/logins/other_refusals_are_final", test_other_refusals_are_final);
    g_test_add_func("/logins/a_refused_guest_may_be_cancelled",
                    test_a_refused_guest_may_be_cancelled);
    g_test_add_func("/logins/clients_ask_by_platform_and_group",
                    test_clients_ask_by_platform_and_group);
    g_test_add_func("/logins/another_meeting_another_account",
                    test_another_meeting_another_account);
    g_test_add_func("/logins/the_operator_says_for_all_others",
                    test_the_operator_says_for_all_others);
    g_test_add_func("/logins/health_tells_of_each", test_health_tells_of_each);
    return g_test_run();
}
