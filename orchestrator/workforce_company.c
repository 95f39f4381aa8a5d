/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/workforce_priv.h"

#include "orchestrator/json.h"

#include <string.h>

/* Bots that one account has in one meeting would keep each other there: each is told the names of
 * the others, and told again when one comes or goes. */

static bool is_in_meeting(const OrchBot *bot)
{
    return bot->meeting != NULL && bot->state >= BOT_STATE_JOINING &&
           bot->state <= BOT_STATE_LEAVING;
}

static char *meeting_key(const OrchBot *bot)
{
    return g_strdup_printf("%" G_GINT64_FORMAT " %s", bot->account, bot->meeting);
}

/* meeting -> its bots (borrowed) */
static GHashTable *group(GPtrArray *placed)
{
    GHashTable *meetings =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    for (guint i = 0; i < placed->len; i++) {
        OrchBot *bot = g_ptr_array_index(placed, i);
        if (!is_in_meeting(bot)) {
            continue;
        }
        char *key = meeting_key(bot);
        GPtrArray *bots = g_hash_table_lookup(meetings, key);
        if (bots == NULL) {
            bots = g_ptr_array_new();
            g_hash_table_insert(meetings, g_strdup(key), bots);
        }
        g_ptr_array_add(bots, bot);
        g_free(key);
    }
    return meetings;
}

static JsonArray *names_of_others(GPtrArray *bots, const OrchBot *bot)
{
    JsonArray *names = json_array_new();
    for (guint i = 0; i < bots->len; i++) {
        const OrchBot *other = g_ptr_array_index(bots, i);
        if (other != bot) {
            json_array_add_string_element(names, other->bot_name);
        }
    }
    return names;
}

typedef struct {
    OrchWorkforce *workforce; /* borrowed */
    char *bot_id;             /* owned */
} Telling;

/* What did not arrive is told when everything is looked at the next time. */
static void on_told(const GError *error, gpointer user_data)
{
    Telling *telling = user_data;
    if (error != NULL && !telling->workforce->stopping) {
        g_hash_table_remove(telling->workforce->company, telling->bot_id);
    }
    g_free(telling->bot_id);
    g_free(telling);
}

static void tell(OrchWorkforce *workforce, const OrchBot *bot, JsonArray *names)
{
    g_autofree char *text = orch_json_print_array(names);
    const char *told = g_hash_table_lookup(workforce->company, bot->id);
    bool alone = told == NULL && json_array_get_length(names) == 0;
    if (alone || g_strcmp0(told, text) == 0 || !orch_workforce_has_link(workforce, bot->id)) {
        return;
    }
    g_hash_table_insert(workforce->company, g_strdup(bot->id), g_steal_pointer(&text));
    g_autoptr(JsonObject) args = json_object_new();
    json_object_set_array_member(args, "names", json_array_ref(names));
    Telling *telling = g_new0(Telling, 1);
    telling->workforce = workforce;
    telling->bot_id = g_strdup(bot->id);
    orch_workforce_send(workforce, bot->id, NULL, "other_bots", args, on_told, telling);
}

void orch_workforce_tell_company(OrchWorkforce *workforce, GPtrArray *placed)
{
    if (workforce->config->own_bots_are_company) {
        return;
    }
    g_autoptr(GHashTable) meetings = group(placed);
    for (guint i = 0; i < placed->len; i++) {
        const OrchBot *bot = g_ptr_array_index(placed, i);
        if (!is_in_meeting(bot)) {
            g_hash_table_remove(workforce->company, bot->id);
            continue;
        }
        g_autofree char *key = meeting_key(bot);
        g_autoptr(JsonArray) names = names_of_others(g_hash_table_lookup(meetings, key), bot);
        tell(workforce, bot, names);
    }
}
