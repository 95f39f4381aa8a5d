/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/orchestrator/fixture.h"

#include "orchestrator/json.h"
#include "orchestrator/keys.h"

#include <gio/gio.h>
#include <glib/gstdio.h>

static void open_store(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(fixture->dir, "steno.db", NULL);
    fixture->store = orch_store_open(path, &error);
    g_assert_no_error(error);
    fixture->bots = orch_bots_new(fixture->store, fixture->config, &fixture->links);
}

void fixture_set_up(Fixture *fixture, const char *config)
{
    g_autoptr(GError) error = NULL;
    fixture->dir = g_dir_make_tmp("steno-orch-XXXXXX", &error);
    g_assert_no_error(error);
    g_autoptr(JsonObject) document = orch_json_load(config);
    json_object_set_string_member(document, "data_dir", fixture->dir);
    fixture->config = orch_config_new(document, &error);
    g_assert_no_error(error);
    fixture->secrets = orch_secrets_new("a secret of at least 32 characters", &error);
    g_assert_no_error(error);
    fixture->links = (OrchLinks){"http://files.test", fixture->secrets, 3600};
    open_store(fixture);
    fixture->key = orch_keys_create(fixture->store, fixture->secrets, "first", "tests",
                                    &fixture->key_text, &error);
    g_assert_no_error(error);
    g_assert_true(orch_store_commit(fixture->store, &error));
}

static void remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        remove_tree(child);
    }
    (void)g_remove(path);
}

void fixture_tear_down(Fixture *fixture)
{
    g_clear_pointer(&fixture->bots, orch_bots_free);
    g_clear_pointer(&fixture->store, orch_store_close);
    g_clear_pointer(&fixture->secrets, orch_secrets_free);
    g_clear_pointer(&fixture->config, orch_config_free);
    g_clear_pointer(&fixture->key, orch_key_free);
    g_clear_pointer(&fixture->key_text, g_free);
    remove_tree(fixture->dir);
    g_clear_pointer(&fixture->dir, g_free);
}

void fixture_reopen(Fixture *fixture)
{
    orch_bots_free(fixture->bots);
    orch_store_close(fixture->store);
    open_store(fixture);
}

OrchBot *fixture_bot(Fixture *fixture, OrchApi api, const char *details)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OrchBot) bot = orch_bot_new();
    bot->account = fixture->key->account;
    bot->key_id = g_strdup(fixture->key->id);
    bot->api = api;
    orch_bot_set_meeting_url(bot, "https://meet.google.com/abc-defg-hij");
    bot->bot_name = g_strdup("Notes");
    bot->document = g_strdup("{\"meeting_url\": \"https://meet.google.com/abc-defg-hij\"}");
    bot->details = g_strdup(details != NULL ? details : "{}");
    g_assert_true(orch_bots_create(fixture->bots, bot, &error));
    g_assert_no_error(error);
    return g_steal_pointer(&bot);
}

void fixture_event(Fixture *fixture, const OrchBot *bot, const char *json)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonObject) event = orch_json_load(json);
    g_assert_true(orch_bots_apply_event(fixture->bots, bot->id, event, &error));
    g_assert_no_error(error);
}

OrchBot *fixture_reload(Fixture *fixture, const OrchBot *bot)
{
    OrchBot *again = orch_store_bot_get(fixture->store, bot->id);
    g_assert_nonnull(again);
    return again;
}

void fixture_live(Fixture *fixture, const OrchBot *bot)
{
    static const char *const events[] = {
        "{\"seq\":1,\"time\":1000,\"type\":\"state\",\"old\":\"ready\",\"new\":\"joining\","
        "\"event\":\"join_requested\",\"sub_type\":null}",
        "{\"seq\":2,\"time\":1001,\"type\":\"status\",\"code\":\"joining_call\"}",
        "{\"seq\":3,\"time\":2000,\"type\":\"participant\",\"op\":\"joined\",\"id\":1,"
        "\"platform_id\":\"users/7\",\"name\":\"Alice Martin\",\"is_host\":true}",
        "{\"seq\":4,\"time\":2001,\"type\":\"state\",\"old\":\"joining\","
        "\"new\":\"joined_not_recording\",\"event\":\"joined_meeting\",\"sub_type\":null}",
        "{\"seq\":5,\"time\":2002,\"type\":\"status\",\"code\":\"in_call_not_recording\"}",
        "{\"seq\":6,\"time\":3000,\"type\":\"state\",\"old\":\"joined_not_recording\","
        "\"new\":\"joined_recording\",\"event\":\"recording_permission_granted\","
        "\"sub_type\":null}",
        "{\"seq\":7,\"time\":3001,\"type\":\"recording\",\"op\":\"started\",\"at_s\":0,"
        "\"start_time\":2990}",
        "{\"seq\":8,\"time\":3002,\"type\":\"status\",\"code\":\"in_call_recording\","
        "\"start_time\":2990}",
        "{\"seq\":9,\"time\":4000,\"type\":\"speech\",\"op\":\"start\",\"id\":1,\"at_s\":1.0}",
        "{\"seq\":10,\"time\":5000,\"type\":\"chat\",\"id\":1,\"name\":\"Alice Martin\","
        "\"text\":\"Hello\",\"at_s\":2.0}",
        "{\"seq\":11,\"time\":9000,\"type\":\"state\",\"old\":\"joined_recording\","
        "\"new\":\"post_processing\",\"event\":\"meeting_ended\",\"sub_type\":null}",
        "{\"seq\":12,\"time\":9001,\"type\":\"status\",\"code\":\"call_ended\"}",
        "{\"seq\":13,\"time\":9500,\"type\":\"recording\",\"op\":\"finalized\",\"at_s\":6.2}",
        "{\"seq\":14,\"time\":9501,\"type\":\"artifact\",\"name\":\"recording.mp4\","
        "\"bytes\":12345,\"sha256\":\"00\"}",
        "{\"seq\":15,\"time\":9600,\"type\":\"state\",\"old\":\"post_processing\","
        "\"new\":\"ended\",\"event\":\"post_processing_completed\",\"sub_type\":null}",
        "{\"seq\":16,\"time\":9700,\"type\":\"ended\",\"state\":\"ended\",\"error\":null,"
        "\"error_code\":null,\"message\":\"The meeting ended.\","
        "\"end_reason\":\"meeting_ended\",\"speakers\":[\"Alice Martin\"],\"exit\":0}",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(events); i++) {
        fixture_event(fixture, bot, events[i]);
    }
}

GPtrArray *fixture_bodies(Fixture *fixture, const OrchBot *bot)
{
    g_autoptr(GPtrArray) newest =
        orch_store_deliveries(fixture->store, bot->account, bot->id, 0, 1000);
    GPtrArray *bodies = g_ptr_array_new_with_free_func((GDestroyNotify)json_object_unref);
    for (guint i = newest->len; i-- > 0;) {
        const OrchDelivery *delivery = g_ptr_array_index(newest, i);
        g_autofree char *text =
            g_strndup(g_bytes_get_data(delivery->body, NULL), g_bytes_get_size(delivery->body));
        g_ptr_array_add(bodies, orch_json_load(text));
    }
    return bodies;
}
