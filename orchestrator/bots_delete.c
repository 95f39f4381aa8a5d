/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/bots_priv.h"
#include "orchestrator/json.h"

#include <gio/gio.h>

/* Returns whether nothing is left of @file; links are removed, not followed. */
static bool delete_tree(GFile *file)
{
    g_autoptr(GFileEnumerator) children = g_file_enumerate_children(
        file, G_FILE_ATTRIBUTE_STANDARD_NAME "," G_FILE_ATTRIBUTE_STANDARD_TYPE,
        G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, NULL, NULL);
    bool all = true;
    GFile *child = NULL;
    GFileInfo *info = NULL;
    while (children != NULL && g_file_enumerator_iterate(children, &info, &child, NULL, NULL) &&
           info != NULL) {
        bool folder = g_file_info_get_file_type(info) == G_FILE_TYPE_DIRECTORY;
        all = (folder ? delete_tree(child) : g_file_delete(child, NULL, NULL)) && all;
    }
    g_autoptr(GError) error = NULL;
    if (!g_file_delete(file, NULL, &error) &&
        !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)) {
        g_warning("%s", error->message);
        return false;
    }
    return all;
}

static bool delete_folder(const char *path)
{
    g_autoptr(GFile) folder = g_file_new_for_path(path);
    return delete_tree(folder);
}

/* A bucket's objects are the worker's: this process has no key to them. */
static bool is_elsewhere(const OrchBot *bot)
{
    g_autoptr(JsonArray) artifacts = orch_json_load_array(bot->artifacts);
    for (guint i = 0; i < json_array_get_length(artifacts); i++) {
        JsonObject *artifact = orch_json_object_at(artifacts, i);
        if (artifact != NULL && orch_json_string(artifact, "url") != NULL) {
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
    orch_set_string(&bot->speakers, NULL);
    orch_set_string(&bot->artifacts, NULL);
    orch_set_string(&bot->recording_state, "not_started");
    return orch_store_bot_forget(bots->store, bot->id, error) &&
           orch_bots_transition(bots, bot, BOT_EVENT_DATA_DELETED, NULL, error);
}

bool orch_bots_delete_data(OrchBots *bots, OrchBot *bot, OrchDeleted *ret_deleted, GError **error)
{
    if (bot->state == BOT_STATE_DATA_DELETED) {
        *ret_deleted = ORCH_DELETED_ALREADY;
        return true;
    }
    if (bot->state != BOT_STATE_ENDED && bot->state != BOT_STATE_FATAL_ERROR) {
        g_set_error_literal(error, ORCH_BOTS_ERROR, ORCH_BOTS_ERROR_STATE,
                            "Bot is not in a state where the data deleted event can be created");
        return false;
    }
    bool had_data = has_data(bots, bot);
    bool everywhere = !is_elsewhere(bot);
    orch_store_begin(bots->store);
    bool good = forget(bots, bot, error);
    good = orch_store_end(bots->store, good, good ? error : NULL) && good;
    if (!good) {
        return false;
    }
    everywhere = delete_folder(bot->output_dir) && everywhere;
    *ret_deleted = !everywhere ? ORCH_DELETED_PARTIALLY
                   : had_data  ? ORCH_DELETED
                               : ORCH_DELETED_NOTHING;
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
            (void)delete_folder(bot->output_dir);
        }
    }
}
