/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memmem */

#include "orchestrator/keys.h"
#include "tests/orchestrator/fixture.h"

#include <gio/gio.h>
#include <sqlite3.h>
#include <string.h>

static OrchDelivery *add_delivery(Fixture *fixture, const char *bot_id, const char *url,
                                  const char *trigger)
{
    g_autoptr(GError) error = NULL;
    OrchDelivery *delivery = orch_delivery_new();
    delivery->id = g_uuid_string_random();
    delivery->account = fixture->key->account;
    delivery->bot_id = g_strdup(bot_id);
    delivery->trigger = g_strdup(trigger);
    delivery->url = g_strdup(url);
    delivery->body = g_bytes_new("{}", 2);
    delivery->created_ms = 1;
    delivery->next_attempt_ms = 1;
    g_assert_true(orch_store_delivery_insert(fixture->store, delivery, &error));
    g_assert_no_error(error);
    return delivery;
}

static void test_a_bot_comes_back_as_it_went(void)
{
    Fixture fixture = {0};
    fixture_set_up(&fixture, NULL);
    g_autoptr(OrchBot) bot = fixture_bot(&fixture, ORCH_API_ATTENDEE, "{\"a\": 1}");
    orch_set_string(&bot->extra, "{\"täg\": \"ü\"}");
    bot->reserved = true;
    bot->last_seq = G_MAXINT64;
    g_assert_true(orch_store_bot_update(fixture.store, bot, NULL));
    fixture_reopen(&fixture);
    g_autoptr(OrchBot) again = fixture_reload(&fixture, bot);
    g_assert_cmpint(again->number, ==, bot->number);
    g_assert_cmpint(again->api, ==, ORCH_API_ATTENDEE);
    g_assert_cmpint(again->state, ==, BOT_STATE_READY);
    g_assert_cmpstr(again->extra, ==, bot->extra);
    g_assert_cmpstr(again->meeting_url, ==, bot->meeting_url);
    g_assert_cmpint(again->last_seq, ==, G_MAXINT64);
    g_assert_true(again->reserved);
    g_assert_false(again->leave_requested);
    g_assert_null(again->dedup_key);
    fixture_tear_down(&fixture);
}

static void on_durable(const GError *error, gpointer user_data)
{
    g_assert_no_error(error);
    (*(guint *)user_data)++;
}

static void test_writes_become_durable_together(void)
{
    Fixture fixture = {0};
    guint n_durable = 0;
    fixture_set_up(&fixture, NULL);
    g_autofree char *path = g_build_filename(fixture.dir, "steno.db", NULL);
    g_autoptr(OrchStore) other = orch_store_open(path, NULL);
    for (guint i = 0; i < 50; i++) {
        g_autoptr(OrchBot) bot = fixture_bot(&fixture, ORCH_API_MBAAS, NULL);
        orch_store_when_durable(fixture.store, on_durable, &n_durable);
        g_assert_null(orch_store_bot_get(other, bot->id)); /* nobody else sees it yet */
    }
    g_assert_cmpuint(n_durable, ==, 0);
    while (n_durable < 50) {
        g_main_context_iteration(NULL, TRUE);
    }
    OrchBotFilter all = {0};
    g_assert_cmpuint(orch_store_count_bots(other, &all), ==, 50);
    g_autoptr(GPtrArray) bots = orch_store_bots(other, &all);
    g_assert_cmpuint(bots->len, ==, 50);
    g_clear_pointer(&other, orch_store_close);
    fixture_tear_down(&fixture);
}

static void test_what_fails_half_way_leaves_nothing(void)
{
    Fixture fixture = {0};
    g_autoptr(GError) error = NULL;
    fixture_set_up(&fixture, NULL);
    g_autoptr(OrchBot) before = fixture_bot(&fixture, ORCH_API_MBAAS, NULL);
    orch_store_begin(fixture.store);
    g_assert_true(orch_store_event_add(fixture.store, before->id, 1, "state", "{}", NULL));
    g_assert_false(orch_store_event_add(fixture.store, before->id, 1, "state", "{}", &error));
    g_assert_error(error, ORCH_STORE_ERROR, ORCH_STORE_ERROR_CONFLICT);
    g_assert_true(orch_store_end(fixture.store, false, NULL));
    fixture_reopen(&fixture);
    g_autoptr(GPtrArray) events = orch_store_events(fixture.store, before->id, NULL, 0, 0);
    g_assert_cmpuint(events->len, ==, 0);
    g_autoptr(OrchBot) still = fixture_reload(&fixture, before); /* the rest of the group stays */
    fixture_tear_down(&fixture);
}

static void test_a_filter_asks_for_all_it_names(void)
{
    Fixture fixture = {0};
    fixture_set_up(&fixture, NULL);
    g_autoptr(OrchBot) one = fixture_bot(&fixture, ORCH_API_MBAAS, NULL);
    g_autoptr(OrchBot) two = fixture_bot(&fixture, ORCH_API_MBAAS, NULL);
    orch_set_string(&two->bot_name, "Ärzte % und _ 'Notizen'");
    two->state = BOT_STATE_ENDED;
    two->ended_ms = 5000;
    orch_set_string(&two->speakers, "[\"Zoë\"]");
    g_assert_true(orch_store_bot_update(fixture.store, two, NULL));
    const OrchBotFilter filters[] = {
        {.bot_name_contains = "äRZTE"},
        {.bot_name_contains = "% und _ '"},
        {.speaker_contains = "ZOË"},
        {.states = ORCH_STATE_BIT(BOT_STATE_ENDED)},
        {.ended_from_ms = 5000, .account = fixture.key->account},
        {.order = ORCH_ORDER_NEWEST, .limit = 1},
        {.order = ORCH_ORDER_OLDEST, .after_number = one->number},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(filters); i++) {
        g_autoptr(GPtrArray) found = orch_store_bots(fixture.store, &filters[i]);
        g_assert_cmpuint(found->len, ==, 1);
        g_assert_cmpstr(((OrchBot *)found->pdata[0])->id, ==, two->id);
    }
    const OrchBotFilter none[] = {{.bot_name_contains = "n_tizen"},
                                  {.ended_from_ms = 5001},
                                  {.account = 999},
                                  {.with_worker = true}};
    for (gsize i = 0; i < G_N_ELEMENTS(none); i++) {
        g_autoptr(GPtrArray) found = orch_store_bots(fixture.store, &none[i]);
        g_assert_cmpuint(found->len, ==, 0);
    }
    fixture_tear_down(&fixture);
}

/* A bot for @join_at_ms, 0: at once, that was made at @created_ms. */
static OrchBot *add_waiting(Fixture *fixture, gint64 created_ms, gint64 join_at_ms, bool reserved)
{
    OrchBot *bot = fixture_bot(fixture, ORCH_API_MBAAS, NULL);
    bot->created_ms = created_ms;
    bot->join_at_ms = join_at_ms;
    bot->reserved = reserved;
    bot->state = join_at_ms > 0 ? BOT_STATE_SCHEDULED : BOT_STATE_READY;
    g_assert_true(orch_store_bot_update(fixture->store, bot, NULL));
    return bot;
}

static void assert_found(Fixture *fixture, const OrchBotFilter *filter, OrchBot *const *expected)
{
    g_autoptr(GPtrArray) found = orch_store_bots(fixture->store, filter);
    for (guint i = 0; i < found->len; i++) {
        g_assert_nonnull(expected[i]);
        g_assert_cmpstr(((OrchBot *)found->pdata[i])->id, ==, expected[i]->id);
    }
    g_assert_null(expected[found->len]);
}

static void test_who_is_next_for_a_place(void)
{
    Fixture fixture = {0};
    fixture_set_up(&fixture, NULL);
    g_autoptr(OrchBot) later = add_waiting(&fixture, 1000, 9000, false);
    g_autoptr(OrchBot) reserved = add_waiting(&fixture, 3000, 9000, true);
    g_autoptr(OrchBot) second = add_waiting(&fixture, 2000, 0, false);
    g_autoptr(OrchBot) third = add_waiting(&fixture, 2000, 0, false);
    g_autoptr(OrchBot) missed = add_waiting(&fixture, 4000, 1500, true);
    g_autoptr(OrchBot) placed = add_waiting(&fixture, 10, 0, false);
    g_autoptr(OrchBot) begun = add_waiting(&fixture, 10, 0, false);
    placed->has_place = true;
    begun->state = BOT_STATE_JOINING;
    g_assert_true(orch_store_bot_update(fixture.store, placed, NULL));
    g_assert_true(orch_store_bot_update(fixture.store, begun, NULL));
    OrchBotFilter wanting = {.wants_until_ms = 3000, .order = ORCH_ORDER_WANTS};
    assert_found(&fixture, &wanting, (OrchBot *[]){missed, second, third, reserved, NULL});
    wanting.limit = 2;
    assert_found(&fixture, &wanting, (OrchBot *[]){missed, second, NULL});
    OrchBotFilter coming = {.wants_after_ms = 3000, .order = ORCH_ORDER_WANTS};
    assert_found(&fixture, &coming, (OrchBot *[]){later, NULL});
    fixture_tear_down(&fixture);
}

static void finish(Fixture *fixture, OrchDelivery *delivery, OrchDeliveryState state)
{
    delivery->state = state;
    g_assert_true(orch_store_delivery_update(fixture->store, delivery, NULL));
}

static void assert_due(Fixture *fixture, const OrchDelivery *first, const OrchDelivery *second)
{
    g_autoptr(GPtrArray) due = orch_store_deliveries_due(fixture->store, 10, 100);
    guint n = (first != NULL) + (second != NULL);
    g_assert_cmpuint(due->len, ==, n);
    if (first != NULL) {
        g_assert_cmpstr(((OrchDelivery *)due->pdata[0])->id, ==, first->id);
    }
    if (second != NULL) {
        g_assert_cmpstr(((OrchDelivery *)due->pdata[1])->id, ==, second->id);
    }
}

static void test_a_bots_webhooks_are_due_one_after_the_other(void)
{
    Fixture fixture = {0};
    fixture_set_up(&fixture, NULL);
    g_autoptr(OrchDelivery) a1 = add_delivery(&fixture, "a", "http://x/", "t");
    g_autoptr(OrchDelivery) a2 = add_delivery(&fixture, "a", "http://x/", "t");
    g_autoptr(OrchDelivery) b1 = add_delivery(&fixture, "b", "http://x/", "t");
    assert_due(&fixture, a1, b1);
    a1->next_attempt_ms = 5000; /* it failed: the one behind it must not overtake */
    finish(&fixture, a1, ORCH_DELIVERY_WAITING);
    assert_due(&fixture, b1, NULL);
    finish(&fixture, b1, ORCH_DELIVERY_DELIVERED);
    assert_due(&fixture, NULL, NULL);
    g_assert_cmpint(orch_store_next_delivery_ms(fixture.store), ==, 5000);
    finish(&fixture, a1, ORCH_DELIVERY_PARKED);
    assert_due(&fixture, a2, NULL);
    a1->next_attempt_ms = 2; /* sent again by hand */
    finish(&fixture, a1, ORCH_DELIVERY_WAITING);
    assert_due(&fixture, a2, a1);
    finish(&fixture, a1, ORCH_DELIVERY_DELIVERED);
    finish(&fixture, a2, ORCH_DELIVERY_DELIVERED);
    g_assert_cmpint(orch_store_next_delivery_ms(fixture.store), ==, G_MAXINT64);
    fixture_tear_down(&fixture);
}

static bool file_holds(const char *dir, const char *name, const char *needle)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    g_autofree char *data = NULL;
    gsize length = 0;
    if (!g_file_get_contents(path, &data, &length, NULL)) {
        return false;
    }
    return memmem(data, length, needle, strlen(needle)) != NULL;
}

static void test_what_is_forgotten_is_not_in_the_files(void)
{
    Fixture fixture = {0};
    static const char said[] = "a sentence that nobody else says";
    fixture_set_up(&fixture, NULL);
    g_autoptr(OrchBot) bot = fixture_bot(&fixture, ORCH_API_MBAAS, NULL);
    g_autofree char *json = g_strdup_printf("{\"text\": \"%s\"}", said);
    g_assert_true(orch_store_event_add(fixture.store, bot->id, 1, "chat", json, NULL));
    g_autoptr(OrchDelivery) chat = add_delivery(&fixture, bot->id, "u", "chat_messages.update");
    g_autoptr(OrchDelivery) state = add_delivery(&fixture, bot->id, "u", "bot.state_change");
    g_assert_true(orch_store_commit(fixture.store, NULL));
    g_assert_true(file_holds(fixture.dir, "steno.db", said) ||
                  file_holds(fixture.dir, "steno.db-wal", said));
    g_assert_true(orch_store_bot_forget(fixture.store, bot->id, NULL));
    g_assert_true(orch_store_commit(fixture.store, NULL));
    g_assert_false(file_holds(fixture.dir, "steno.db", said));
    g_assert_false(file_holds(fixture.dir, "steno.db-wal", said));
    g_assert_null(orch_store_delivery_get(fixture.store, chat->id));
    assert_due(&fixture, state, NULL); /* nothing before it any more */
    fixture_tear_down(&fixture);
}

static void test_keys_are_found_by_hash_until_revoked(void)
{
    Fixture fixture = {0};
    fixture_set_up(&fixture, NULL);
    g_autofree char *hash = orch_hash(fixture.key_text);
    g_autoptr(OrchKey) found = orch_store_key_find(fixture.store, hash);
    g_assert_nonnull(found);
    g_assert_cmpstr(found->account_name, ==, "first");
    g_assert_false(file_holds(fixture.dir, "steno.db", fixture.key_text));
    g_autofree char *revealed = orch_keys_reveal(fixture.store, fixture.secrets, found->id);
    g_assert_cmpstr(revealed, ==, fixture.key_text);
    g_autoptr(OrchSecrets) other = orch_secrets_new("another secret of 32 characters…", NULL);
    g_assert_null(orch_keys_reveal(fixture.store, other, found->id));
    g_assert_true(orch_store_key_revoke(fixture.store, found->id, 1, NULL));
    g_assert_false(orch_store_key_revoke(fixture.store, found->id, 2, NULL));
    g_assert_null(orch_store_key_find(fixture.store, hash));
    fixture_tear_down(&fixture);
}

static void test_a_newer_data_folder_is_refused(void)
{
    Fixture fixture = {0};
    g_autoptr(GError) error = NULL;
    fixture_set_up(&fixture, NULL);
    g_autofree char *path = g_build_filename(fixture.dir, "steno.db", NULL);
    g_clear_pointer(&fixture.bots, orch_bots_free);
    g_clear_pointer(&fixture.store, orch_store_close);
    GFile *file = g_file_new_for_path(path);
    g_autoptr(GFileIOStream) stream = g_file_open_readwrite(file, NULL, NULL);
    g_object_unref(file);
    const guint8 version[] = {0, 0, 0, 99}; /* the header's user_version, at byte 60 */
    g_assert_true(g_seekable_seek(G_SEEKABLE(stream), 60, G_SEEK_SET, NULL, NULL));
    g_assert_true(g_output_stream_write_all(g_io_stream_get_output_stream(G_IO_STREAM(stream)),
                                            version, sizeof version, NULL, NULL, NULL));
    g_assert_true(g_io_stream_close(G_IO_STREAM(stream), NULL, NULL));
    g_assert_null(orch_store_open(path, &error));
    g_assert_error(error, ORCH_STORE_ERROR, ORCH_STORE_ERROR_VERSION);
    fixture_tear_down(&fixture);
}

/* A bot that was scheduled before the column was there is found by any link, too. */
static void test_older_bots_get_their_meeting(void)
{
    Fixture fixture = {0};
    sqlite3 *db = NULL;
    fixture_set_up(&fixture, NULL);
    g_autoptr(OrchBot) bot = fixture_bot(&fixture, ORCH_API_MBAAS, NULL);
    g_assert_true(orch_store_commit(fixture.store, NULL));
    g_clear_pointer(&fixture.bots, orch_bots_free);
    g_clear_pointer(&fixture.store, orch_store_close);
    g_autofree char *path = g_build_filename(fixture.dir, "steno.db", NULL);
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db,
                                 "DROP INDEX bots_by_meeting; ALTER TABLE bots DROP COLUMN meeting;"
                                 "UPDATE bots SET meeting_url = meeting_url || '?authuser=0';"
                                 "CREATE INDEX bots_by_meeting ON bots (account, meeting_url);"
                                 "DROP TABLE login_marks; DROP INDEX bots_with_login;"
                                 "DROP INDEX bots_that_want_login;"
                                 "ALTER TABLE bots DROP COLUMN login_class;"
                                 "ALTER TABLE bots DROP COLUMN login;"
                                 "ALTER TABLE bots DROP COLUMN login_stamp;"
                                 "ALTER TABLE bots DROP COLUMN login_shared;"
                                 "ALTER TABLE bots DROP COLUMN login_out;"
                                 "ALTER TABLE bots DROP COLUMN login_run;"
                                 "PRAGMA user_version = 2",
                                 NULL, NULL, NULL),
                    ==, SQLITE_OK);
    sqlite3_close(db);
    fixture.store = orch_store_open(path, NULL);
    g_assert_nonnull(fixture.store);
    g_autoptr(OrchBot) again = fixture_reload(&fixture, bot);
    g_assert_cmpstr(again->meeting, ==, "https://meet.google.com/abc-defg-hij");
    fixture_tear_down(&fixture);
}

typedef struct {
    guint next, n_errors;
} Told;

typedef struct {
    Told *told;
    guint number;
} Expected;

static void on_told(const GError *error, gpointer user_data)
{
    Expected *expected = user_data;
    g_assert_cmpuint(expected->number, ==, expected->told->next);
    expected->told->next++;
    expected->told->n_errors += error != NULL;
}

/* While one group is synced the next ones gather; everybody is told once, in order, also those who
 * wait when the store is closed, and whoever waits without having written. */
static void test_everybody_is_told_in_order(void)
{
    enum { N = 300 };
    Fixture fixture = {0};
    Told told = {0};
    Expected expected[N];
    fixture_set_up(&fixture, NULL);
    for (guint i = 0; i < N; i++) {
        expected[i] = (Expected){&told, i};
        if (i % 7 != 0) {
            orch_delivery_free(add_delivery(&fixture, "bot", "http://x/", "t"));
        }
        orch_store_when_durable(fixture.store, on_told, &expected[i]);
        if (i == 100) {
            g_assert_true(orch_store_commit(fixture.store, NULL));
            g_assert_cmpuint(told.next, ==, 101);
        } else if (i % 3 == 0) {
            g_main_context_iteration(NULL, i % 2 == 0);
        }
    }
    g_assert_cmpuint(told.next, <, N);
    fixture_reopen(&fixture);
    g_assert_cmpuint(told.next, ==, N);
    g_assert_cmpuint(told.n_errors, ==, 0);
    fixture_tear_down(&fixture);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/store/a_bot_comes_back_as_it_went", test_a_bot_comes_back_as_it_went);
    g_test_add_func("/store/writes_become_durable_together", test_writes_become_durable_together);
    g_test_add_func("/store/everybody_is_told_in_order", test_everybody_is_told_in_order);
    g_test_add_func("/store/what_fails_half_way_leaves_nothing",
                    test_what_fails_half_way_leaves_nothing);
    g_test_add_func("/store/a_filter_asks_for_all_it_names", test_a_filter_asks_for_all_it_names);
    g_test_add_func("/store/who_is_next_for_a_place", test_who_is_next_for_a_place);
    g_test_add_func("/store/a_bots_webhooks_are_due_one_after_the_other",
                    test_a_bots_webhooks_are_due_one_after_the_other);
    g_test_add_func("/store/what_is_forgotten_is_not_in_the_files",
                    test_what_is_forgotten_is_not_in_the_files);
    g_test_add_func("/store/keys_are_found_by_hash_until_revoked",
                    test_keys_are_found_by_hash_until_revoked);
    g_test_add_func("/store/a_newer_data_folder_is_refused", test_a_newer_data_folder_is_refused);
    g_test_add_func("/store/older_bots_get_their_meeting", test_older_bots_get_their_meeting);
    return g_test_run();
}
