/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/json.h"
#include "orchestrator/logins.h"
#include "orchestrator/workforce.h"
#include "tests/orchestrator/accounts.h"
#include "tests/orchestrator/client.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

/* Who gets an account and when it is given back, with workers that never say a word. */

#define ALWAYS "{\"accounts\":{\"meet\":{\"use\":\"always\"}}}"
#define NOBODY 0x3fffffff /* no process has this id */

typedef struct {
    Client client;
    Accounts accounts;
    OrchWorkforce *workforce;
} Force;

static void start(Force *force)
{
    g_autoptr(GError) error = NULL;
    force->workforce = orch_workforce_new(force->client.fixture.bots, force->client.fixture.secrets,
                                          orch_server_soup(force->client.server),
                                          orch_server_port(force->client.server), &error);
    g_assert_no_error(error);
}

/* @max_bots: of the account */
static void set_up(Force *force, const char *use, guint max_bots)
{
    g_autoptr(GError) error = NULL;
    accounts_make(&force->accounts);
    g_autofree char *worker = g_build_filename(force->accounts.dir, "worker", NULL);
    g_assert_true(g_file_set_contents_full(worker, "#!/bin/sh\nexec sleep 300\n", -1,
                                           G_FILE_SET_CONTENTS_NONE, 0755, &error));
    g_autofree char *more = g_strdup_printf("\"max_bots\":%u", max_bots);
    g_autofree char *config = accounts_config(&force->accounts, use, more);
    g_autoptr(JsonObject) document = orch_json_load(config);
    JsonObject *workers = json_object_new();
    json_object_set_int_member(workers, "max", 2);
    json_object_set_int_member(workers, "pool", 0);
    json_object_set_string_member(workers, "executable", worker);
    json_object_set_object_member(document, "workers", workers);
    g_autofree char *text = orch_json_print(document);
    client_set_up(&force->client, text);
}

static void tear_down(Force *force)
{
    g_clear_pointer(&force->workforce, orch_workforce_free);
    client_tear_down(&force->client);
    accounts_clear(&force->accounts);
}

static OrchBot *reload(Force *force, const OrchBot *bot)
{
    return fixture_reload(&force->client.fixture, bot);
}

typedef bool (*Condition)(const OrchBot *bot);

static bool has_login(const OrchBot *bot)
{
    return bot->login != NULL && bot->has_place;
}

static bool has_place(const OrchBot *bot)
{
    return bot->has_place;
}

static bool is_over(const OrchBot *bot)
{
    return bot->reported && bot->login == NULL && !bot->has_place;
}

static void wait_until(Force *force, const OrchBot *bot, Condition condition)
{
    for (;;) {
        g_autoptr(OrchBot) now = reload(force, bot);
        if (condition(now)) {
            return;
        }
        g_main_context_iteration(NULL, TRUE);
    }
}

static void test_who_waits_for_an_account_blocks_nobody(void)
{
    Force force = {0};
    set_up(&force, "when_asked", 1);
    Fixture *fixture = &force.client.fixture;
    g_autoptr(OrchBot) first = fixture_bot(fixture, ORCH_API_ATTENDEE, ALWAYS);
    g_autoptr(OrchBot) second = fixture_bot(fixture, ORCH_API_ATTENDEE, ALWAYS);
    g_autoptr(OrchBot) third = fixture_bot(fixture, ORCH_API_ATTENDEE, ALWAYS);
    g_autoptr(OrchBot) guest = fixture_bot(fixture, ORCH_API_MBAAS, NULL);
    start(&force);
    wait_until(&force, guest, has_place);
    wait_until(&force, first, has_login);
    g_autoptr(OrchBot) waits = reload(&force, second);
    g_assert_false(waits->has_place);
    g_assert_null(waits->login);
    g_assert_cmpint(waits->state, ==, BOT_STATE_READY);
    /* The first goes: its account is the second's, in the order in which they came. */
    g_autoptr(OrchBot) gone = reload(&force, first);
    g_assert_true(orch_bots_leave(fixture->bots, gone, NULL));
    wait_until(&force, first, is_over);
    wait_until(&force, second, has_login);
    g_autoptr(OrchBot) last = reload(&force, third);
    g_assert_false(last->has_place);
    tear_down(&force);
}

static void test_without_any_account_left_a_bot_ends(void)
{
    Force force = {0};
    set_up(&force, "when_asked", 1);
    Fixture *fixture = &force.client.fixture;
    g_autofree char *stamp = orch_login_stamp(g_ptr_array_index(fixture->config->logins, 0));
    char name[] = "notes";
    OrchLoginMark mark = {.name = name, .since_ms = 1, .stamp = stamp};
    g_assert_true(orch_store_login_mark_set(fixture->store, &mark, NULL));
    g_autoptr(OrchBot) bot = fixture_bot(fixture, ORCH_API_ATTENDEE, ALWAYS);
    g_test_expect_message("orchestrator", G_LOG_LEVEL_WARNING, "bot *: The bot was to sign in*");
    start(&force);
    wait_until(&force, bot, is_over);
    g_test_assert_expected_messages();
    g_autoptr(OrchBot) ended = reload(&force, bot);
    g_assert_cmpint(ended->state, ==, BOT_STATE_FATAL_ERROR);
    g_assert_cmpstr(ended->error, ==, "CannotJoinMeeting");
    g_assert_cmpstr(ended->error_code, ==, "authentication_error");
    g_assert_nonnull(strstr(ended->message, "\"notes\""));
    tear_down(&force);
}

/* --- after the orchestrator and the worker died --- */

static char *make_copy(Force *force, const char *id, const char *cookies)
{
    char *copy = g_build_filename(force->client.fixture.dir, "profiles", id, NULL);
    g_autofree char *folder = g_build_filename(copy, "Default", "Network", NULL);
    g_autofree char *file = g_build_filename(folder, "Cookies", NULL);
    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_true(g_file_set_contents(file, cookies, -1, NULL));
    return copy;
}

/* As if a worker that is gone had it. */
static OrchBot *add_orphan(Force *force)
{
    g_autoptr(GError) error = NULL;
    Fixture *fixture = &force->client.fixture;
    OrchBot *bot = fixture_bot(fixture, ORCH_API_ATTENDEE, ALWAYS);
    g_assert_true(orch_logins_lease(fixture->store, fixture->config, bot, &error));
    g_assert_no_error(error);
    bot->state = BOT_STATE_JOINED_NOT_RECORDING;
    bot->has_place = true;
    bot->worker_pid = NOBODY;
    bot->worker_started = 1;
    g_assert_true(orch_store_bot_update(fixture->store, bot, &error));
    return bot;
}

static char *read_cookies(const Force *force)
{
    char *text = NULL;
    g_autofree char *path =
        g_build_filename(force->accounts.profile, "Default", "Network", "Cookies", NULL);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

static void test_what_the_dead_had_is_given_back(void)
{
    static const struct {
        bool shared, out, signed_in_again;
        const char *cookies;
    } cases[] = {
        {false, false, false, "rotated"},
        {true, false, false, "old"},
        {false, true, false, "old"},
        {false, false, true, "the operator's"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        Force force = {0};
        set_up(&force, "when_asked", 1);
        Fixture *fixture = &force.client.fixture;
        g_autoptr(OrchBot) bot = add_orphan(&force);
        bot->login_shared = cases[i].shared;
        bot->login_out = cases[i].out;
        g_assert_true(orch_store_bot_update(fixture->store, bot, NULL));
        if (cases[i].signed_in_again) {
            accounts_write(&force.accounts, "Default/Network/Cookies", cases[i].cookies);
        }
        g_autofree char *copy = make_copy(&force, bot->id, "rotated");
        g_autofree char *nobodys = make_copy(&force, "nobody", "x");
        start(&force);
        wait_until(&force, bot, is_over);
        g_autofree char *cookies = read_cookies(&force);
        g_assert_cmpstr(cookies, ==, cases[i].cookies);
        g_assert_false(g_file_test(copy, G_FILE_TEST_EXISTS));
        g_assert_false(g_file_test(nobodys, G_FILE_TEST_EXISTS));
        tear_down(&force);
    }
}

/* It had ended and been told, and the orchestrator died before the account was given back. */
static void test_a_lease_of_a_bot_that_ended_is_given_back(void)
{
    Force force = {0};
    set_up(&force, "when_asked", 1);
    Fixture *fixture = &force.client.fixture;
    g_autoptr(OrchBot) bot = add_orphan(&force);
    bot->state = BOT_STATE_ENDED;
    bot->reported = true;
    bot->has_place = false;
    bot->worker_pid = 0;
    g_assert_true(orch_store_bot_update(fixture->store, bot, NULL));
    g_autofree char *copy = make_copy(&force, bot->id, "rotated");
    g_autoptr(OrchBot) next = fixture_bot(fixture, ORCH_API_ATTENDEE, ALWAYS);
    start(&force);
    wait_until(&force, bot, is_over);
    wait_until(&force, next, has_login);
    g_autofree char *cookies = read_cookies(&force);
    g_assert_cmpstr(cookies, ==, "rotated");
    g_assert_false(g_file_test(copy, G_FILE_TEST_EXISTS));
    tear_down(&force);
}

static bool has_second_run(const OrchBot *bot)
{
    return bot->login_run == ORCH_LOGIN_RUN_SECOND && has_login(bot);
}

static void test_a_refused_guest_gets_an_account(void)
{
    Force force = {0};
    set_up(&force, "if_required", 1);
    Fixture *fixture = &force.client.fixture;
    g_autoptr(OrchBot) bot = fixture_bot(fixture, ORCH_API_MBAAS, NULL);
    bot->has_place = true;
    bot->worker_pid = NOBODY; /* the guest's, which goes after it was refused */
    bot->worker_started = 1;
    bot->login_class = g_strdup("meet");
    bot->login_run = ORCH_LOGIN_RUN_REFUSED;
    g_assert_true(orch_store_bot_update(fixture->store, bot, NULL));
    start(&force);
    wait_until(&force, bot, has_second_run);
    g_autoptr(OrchBot) again = reload(&force, bot);
    g_assert_cmpint(again->state, ==, BOT_STATE_READY);
    g_assert_cmpint(again->worker_pid, ==, 0);
    tear_down(&force);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/workforce/who_waits_for_an_account_blocks_nobody",
                    test_who_waits_for_an_account_blocks_nobody);
    g_test_add_func("/workforce/without_any_account_left_a_bot_ends",
                    test_without_any_account_left_a_bot_ends);
    g_test_add_func("/workforce/what_the_dead_had_is_given_back",
                    test_what_the_dead_had_is_given_back);
    g_test_add_func("/workforce/a_lease_of_a_bot_that_ended_is_given_back",
                    test_a_lease_of_a_bot_that_ended_is_given_back);
    g_test_add_func("/workforce/a_refused_guest_gets_an_account",
                    test_a_refused_guest_gets_an_account);
    return g_test_run();
}
