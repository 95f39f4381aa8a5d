/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/bots_priv.h"
#include "orchestrator/folder.h"
#include "orchestrator/json.h"

#include <gio/gio.h>

/* A bucket is looked at again at growing distances, until nobody can still be writing there. */
#define SWEEP_AFTER_MS (60 * 1000)
#define SWEEP_WITHIN_MS (4 * 3600 * 1000)
#define LONGEST_RETRY_MS (3600 * 1000)
#define SWEEPS_AT_ONCE 10
#define SWEEP_TIMEOUT_S 120
/* Whoever asked waits for the bucket's answer. */
#define ASKED_TIMEOUT_S 25

/* Uploaded, but not to the bucket that we know. */
static bool is_elsewhere(OrchBots *bots, const OrchBot *bot)
{
    g_autoptr(JsonArray) artifacts = orch_json_load_array(bot->artifacts);
    for (guint i = 0; i < json_array_get_length(artifacts); i++) {
        JsonObject *artifact = orch_json_object_at(artifacts, i);
        const char *url = artifact != NULL ? orch_json_string(artifact, "url") : NULL;
        const char *name = artifact != NULL ? orch_json_string(artifact, "name") : NULL;
        if (url != NULL && (bots->bucket == NULL || name == NULL ||
                            !orch_bucket_holds(bots->bucket, bot->id, name, url))) {
            return true;
        }
    }
    return false;
}

static bool has_data(OrchBots *bots, const OrchBot *bot)
{
    g_autoptr(GPtrArray) events = orch_store_events(bots->store, bot->id, NULL, 0, 1);
    return events->len > 0 || g_file_test(bot->output_dir, G_FILE_TEST_EXISTS);
}

static bool forget(OrchBots *bots, OrchBot *bot, GError **error)
{
    bot->deleted_ms = orch_now_ms();
    bot->sweep_ms = bots->bucket != NULL ? bot->deleted_ms + SWEEP_AFTER_MS : 0;
    orch_set_string(&bot->speakers, NULL);
    orch_set_string(&bot->artifacts, NULL);
    orch_set_string(&bot->recording_state, "not_started");
    return orch_store_bot_forget(bots->store, bot->id, error) &&
           orch_bots_transition(bots, bot, BOT_EVENT_DATA_DELETED, NULL, error);
}

/* --- in the bucket --- */

typedef struct {
    OrchBots *bots;
    char *bot_id;              /* owned */
    bool had_data, everywhere; /* here */
    OrchDeleteDone done;       /* NULL: nobody waits */
    gpointer user_data;
} Deletion;

static OrchDeleted result_of(bool had_data, bool everywhere)
{
    return !everywhere ? ORCH_DELETED_PARTIALLY : had_data ? ORCH_DELETED : ORCH_DELETED_NOTHING;
}

static void plan_sweep(OrchBots *bots, OrchBot *bot, bool failed)
{
    gint64 now_ms = orch_now_ms();
    gint64 age_ms = MAX(now_ms - bot->deleted_ms, SWEEP_AFTER_MS);
    bot->sweep_ms = failed                     ? now_ms + MIN(age_ms, LONGEST_RETRY_MS)
                    : age_ms < SWEEP_WITHIN_MS ? now_ms + age_ms
                                               : 0;
    g_autoptr(GError) error = NULL;
    if (!orch_store_bot_update(bots->store, bot, &error)) {
        g_warning("bot %s: %s", bot->id, error->message);
    }
}

static void on_cleared(guint n, const GError *error, gpointer user_data)
{
    Deletion *deletion = user_data;
    g_autoptr(OrchBot) bot = orch_store_bot_get(deletion->bots->store, deletion->bot_id);
    g_assert(bot != NULL); /* only bots that never began are removed */
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        g_info("bot %s: what is left in the bucket is deleted later", bot->id);
    } else if (error != NULL) {
        g_warning("bot %s: what is left in the bucket is deleted later: %s", bot->id,
                  error->message);
    } else if (n > 0) {
        g_info("bot %s: %u objects deleted from the bucket", bot->id, n);
    }
    plan_sweep(deletion->bots, bot, error != NULL);
    if (deletion->done != NULL) {
        OrchDeleted deleted =
            result_of(deletion->had_data || n > 0, deletion->everywhere && error == NULL);
        deletion->done(bot, deleted, deletion->user_data);
    }
    g_free(deletion->bot_id);
    g_free(deletion);
}

static void sweep(OrchBots *bots, OrchBot *bot)
{
    Deletion *deletion = g_new0(Deletion, 1);
    deletion->bots = bots;
    deletion->bot_id = g_strdup(bot->id);
    plan_sweep(bots, bot, true); /* unless it succeeds */
    orch_bucket_clear(bots->bucket, bot->id, SWEEP_TIMEOUT_S, on_cleared, deletion);
}

/* --- what is asked for --- */

static bool may_be_deleted(const OrchBot *bot, GError **error)
{
    if (bot->state == BOT_STATE_ENDED || bot->state == BOT_STATE_FATAL_ERROR) {
        return true;
    }
    g_set_error_literal(error, ORCH_BOTS_ERROR, ORCH_BOTS_ERROR_STATE,
                        "Bot is not in a state where the data deleted event can be created");
    return false;
}

bool orch_bots_delete_data(OrchBots *bots, OrchBot *bot, OrchDeleteDone done, gpointer user_data,
                           GError **error)
{
    if (bot->state == BOT_STATE_DATA_DELETED) {
        done(bot, ORCH_DELETED_ALREADY, user_data);
        return true;
    }
    if (!may_be_deleted(bot, error)) {
        return false;
    }
    bool had_data = has_data(bots, bot);
    bool everywhere = !is_elsewhere(bots, bot);
    orch_store_begin(bots->store);
    bool good = forget(bots, bot, error);
    good = orch_store_end(bots->store, good, good ? error : NULL) && good;
    if (!good) {
        return false;
    }
    everywhere = orch_folder_delete(bot->output_dir) && everywhere;
    if (bots->bucket == NULL) {
        done(bot, result_of(had_data, everywhere), user_data);
        return true;
    }
    Deletion *deletion = g_new(Deletion, 1);
    *deletion = (Deletion){bots, g_strdup(bot->id), had_data, everywhere, done, user_data};
    orch_bucket_clear(bots->bucket, bot->id, ASKED_TIMEOUT_S, on_cleared, deletion);
    return true;
}

void orch_bots_delete_late(OrchBots *bots, gint64 deleted_since_ms)
{
    OrchBotFilter filter = {.states = ORCH_STATE_BIT(BOT_STATE_DATA_DELETED),
                            .deleted_from_ms = deleted_since_ms};
    g_autoptr(GPtrArray) deleted = orch_store_bots(bots->store, &filter);
    for (guint i = 0; i < deleted->len; i++) {
        OrchBot *bot = g_ptr_array_index(deleted, i);
        if (g_file_test(bot->output_dir, G_FILE_TEST_EXISTS)) {
            g_message("bot %s: files that came after their deletion", bot->id);
            (void)orch_folder_delete(bot->output_dir);
        }
    }
    if (bots->bucket != NULL) {
        OrchBotFilter due = {.sweep_until_ms = orch_now_ms(), .limit = SWEEPS_AT_ONCE};
        g_autoptr(GPtrArray) swept = orch_store_bots(bots->store, &due);
        for (guint i = 0; i < swept->len; i++) {
            sweep(bots, g_ptr_array_index(swept, i));
        }
    }
}
