/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/config.h"
#include "orchestrator/json.h"
#include "tests/bot/object_server.h"
#include "tests/orchestrator/fixture.h"

#include <libsoup/soup.h>
#include <string.h>

/* Bots whose files are in a bucket of a real S3-compatible store. */

static ObjectServer server;

static void set_up(Fixture *fixture)
{
    g_autofree char *config = g_strdup_printf(
        "{\"worker_defaults\": {\"upload\": {\"s3\": {\"endpoint\": \"%s\", \"path_style\": true,"
        " \"bucket\": \"recordings\", \"prefix\": \"bots/\", \"access_key\": \"test:tester\","
        " \"secret_key\": \"testing\"}}}}",
        server.endpoint);
    fixture_set_up(fixture, config);
}

/* As the bot's worker does, with the configuration that it gets. Returns (transfer full): the link.
 */
static char *put(Fixture *fixture, const OrchBot *bot, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonObject) document = orch_bots_document(fixture->bots, bot, &error);
    g_assert_no_error(error);
    g_autoptr(BotConfig) config = bot_config_new(document, &error);
    g_assert_no_error(error);
    g_autofree char *path = g_build_filename(fixture->dir, "sample", NULL);
    g_assert_true(g_file_set_contents(path, name, -1, NULL));
    g_autofree char *sha256 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, name, -1);
    BotStoreFile file = {path, name, (gint64)strlen(name), sha256, NULL};
    g_autoptr(BotStore) store = bot_store_new(&config->upload.store);
    char *url = NULL;
    g_assert_true(bot_store_put(store, &file, NULL, &url, &error));
    g_assert_no_error(error);
    return url;
}

static void report(Fixture *fixture, const OrchBot *bot, guint seq, const char *name,
                   const char *url)
{
    g_autofree char *event = g_strdup_printf("{\"seq\":%u,\"type\":\"artifact\",\"name\":\"%s\","
                                             "\"bytes\":1,\"uploaded\":true,\"url\":\"%s\"}",
                                             seq, name, url);
    fixture_event(fixture, bot, event);
}

static guint fetch(const char *url, char **ret_text)
{
    g_autoptr(SoupSession) session = soup_session_new();
    g_autoptr(SoupMessage) message = soup_message_new("GET", url);
    g_autoptr(GBytes) bytes = soup_session_send_and_read(session, message, NULL, NULL);
    g_assert_nonnull(bytes);
    *ret_text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    return soup_message_get_status(message);
}

static OrchBot *ended_bot(Fixture *fixture)
{
    g_autoptr(OrchBot) bot = fixture_bot(fixture, ORCH_API_MBAAS, NULL);
    g_autofree char *url = put(fixture, bot, "recording.mp4");
    report(fixture, bot, 1, "recording.mp4", url);
    g_autoptr(OrchBot) live = fixture_reload(fixture, bot);
    live->state = BOT_STATE_ENDED;
    g_assert_true(orch_bots_save(fixture->bots, live, NULL));
    return g_steal_pointer(&live);
}

static void links_are_made_anew(void)
{
    Fixture fixture = {0};
    set_up(&fixture);
    g_autoptr(OrchBot) bot = fixture_bot(&fixture, ORCH_API_MBAAS, NULL);
    g_autofree char *url = put(&fixture, bot, "recording.mp4");
    g_autofree char *where = g_strdup_printf("/recordings/bots/%s/recording.mp4?", bot->id);
    g_assert_nonnull(strstr(url, where));
    g_autofree char *expired = g_strndup(url, strcspn(url, "?"));
    g_autofree char *text = NULL;
    g_assert_cmpuint(fetch(expired, &text), !=, 200);
    report(&fixture, bot, 1, "recording.mp4", expired);
    report(&fixture, bot, 2, "chat.json", "https://elsewhere.example/chat.json?signed");
    g_autoptr(OrchBot) again = fixture_reload(&fixture, bot);
    g_autofree char *link = orch_bots_link(fixture.bots, again, "recording.mp4");
    g_autofree char *body = NULL;
    g_assert_cmpuint(fetch(link, &body), ==, 200);
    g_assert_cmpstr(body, ==, "recording.mp4");
    g_assert_nonnull(strstr(link, "X-Amz-Expires=3600&")); /* the fixture's */
    g_autofree char *brief = orch_bots_link_for(fixture.bots, again, "recording.mp4", 60);
    g_assert_nonnull(strstr(brief, "X-Amz-Expires=60&"));
    g_autofree char *foreign = orch_bots_link(fixture.bots, again, "chat.json");
    g_assert_cmpstr(foreign, ==, "https://elsewhere.example/chat.json?signed");
    fixture_tear_down(&fixture);
}

typedef struct {
    bool done;
    OrchDeleted deleted;
} Result;

static void on_deleted(const OrchBot *bot, OrchDeleted deleted, gpointer user_data)
{
    Result *result = user_data;
    g_assert_false(result->done);
    g_assert_cmpint(bot->state, ==, BOT_STATE_DATA_DELETED);
    *result = (Result){true, deleted};
}

static OrchDeleted delete_data(Fixture *fixture, const OrchBot *bot)
{
    Result result = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(OrchBot) fresh = fixture_reload(fixture, bot);
    g_assert_true(orch_bots_delete_data(fixture->bots, fresh, on_deleted, &result, &error));
    g_assert_no_error(error);
    while (!result.done) {
        g_main_context_iteration(NULL, TRUE);
    }
    return result.deleted;
}

/* Until @url leads nowhere. */
static void sweep_now(Fixture *fixture, const OrchBot *bot, const char *url)
{
    g_autoptr(OrchBot) fresh = fixture_reload(fixture, bot);
    g_assert_cmpint(fresh->sweep_ms, >, orch_now_ms()); /* it is to be looked at again */
    fresh->sweep_ms = 1;
    g_assert_true(orch_bots_save(fixture->bots, fresh, NULL));
    orch_bots_delete_late(fixture->bots, 1);
    for (guint status = 0; status != 404;) {
        g_autofree char *text = NULL;
        status = fetch(url, &text);
        g_main_context_iteration(NULL, FALSE);
    }
    orch_bots_stop(fixture->bots);
}

static void deleting_reaches_the_bucket_and_late_writers(void)
{
    Fixture fixture = {0};
    set_up(&fixture);
    g_autoptr(OrchBot) bot = ended_bot(&fixture);
    g_autoptr(OrchBot) other = ended_bot(&fixture);
    g_autofree char *link = orch_bots_link(fixture.bots, bot, "recording.mp4");
    g_autofree char *others = orch_bots_link(fixture.bots, other, "recording.mp4");
    g_autofree char *text = NULL;
    g_autofree char *kept = NULL;
    g_assert_cmpint(delete_data(&fixture, bot), ==, ORCH_DELETED);
    g_assert_cmpuint(fetch(link, &text), ==, 404);
    g_assert_cmpuint(fetch(others, &kept), ==, 200);
    g_assert_cmpint(delete_data(&fixture, bot), ==, ORCH_DELETED_ALREADY);
    g_autofree char *late = put(&fixture, bot, "late.json");
    sweep_now(&fixture, bot, late);
    g_autofree char *later = put(&fixture, bot, "later.json");
    report(&fixture, bot, 9, "later.json", later);
    g_autoptr(OrchBot) told = fixture_reload(&fixture, bot);
    g_assert_cmpint(told->sweep_ms, <=,
                    orch_now_ms()); /* what is reported late is looked for now */
    fixture_tear_down(&fixture);
}

/* What happens in threads is logged between: no place for g_test_expect_message. */
static void on_warning(const char *domain, GLogLevelFlags level, const char *message,
                       gpointer user_data)
{
    g_assert_nonnull(strstr(message, "left in the bucket"));
    g_assert_nonnull(strstr(message, "403"));
    *(guint *)user_data += 1;
}

static gboolean is_fatal(const char *domain, GLogLevelFlags level, const char *message,
                         gpointer user_data)
{
    return FALSE;
}

static void what_cannot_be_deleted_now_is_later(void)
{
    guint n_warnings = 0;
    g_test_log_set_fatal_handler(is_fatal, NULL);
    guint handler =
        g_log_set_handler("orchestrator", (GLogLevelFlags)(G_LOG_LEVEL_WARNING | G_LOG_FLAG_FATAL),
                          on_warning, &n_warnings);
    Fixture fixture = {0};
    set_up(&fixture);
    g_autoptr(OrchBot) bot = ended_bot(&fixture);
    g_autofree char *link = orch_bots_link(fixture.bots, bot, "recording.mp4");
    g_autofree char *text = NULL;
    object_server_set_faults(&server, "DELETE recording.mp4 403 1\n");
    g_assert_cmpint(delete_data(&fixture, bot), ==, ORCH_DELETED_PARTIALLY);
    g_log_remove_handler("orchestrator", handler);
    g_assert_cmpuint(n_warnings, ==, 1);
    g_assert_cmpuint(fetch(link, &text), ==, 200);
    fixture_reopen(&fixture); /* it is not forgotten */
    sweep_now(&fixture, bot, link);
    fixture_tear_down(&fixture);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    object_server_start(&server);
    g_test_add_func("/bucket/links_are_made_anew", links_are_made_anew);
    g_test_add_func("/bucket/deleting_reaches_the_bucket_and_late_writers",
                    deleting_reaches_the_bucket_and_late_writers);
    g_test_add_func("/bucket/what_cannot_be_deleted_now_is_later",
                    what_cannot_be_deleted_now_is_later);
    int result = g_test_run();
    object_server_stop(&server);
    return result;
}
