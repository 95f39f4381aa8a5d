/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/teams/calls.h"

#include <string.h>

#define MAX_CALLS 16
#define MAX_ID_BYTES 200

struct TeamsCalls {
    char *own;           /* owned, or NULL: not told */
    GHashTable *rosters; /* owned: set of ids */
};

TeamsCalls *teams_calls_new(void)
{
    TeamsCalls *calls = g_new0(TeamsCalls, 1);
    calls->rosters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return calls;
}

void teams_calls_free(TeamsCalls *calls)
{
    if (calls == NULL) {
        return;
    }
    g_hash_table_unref(calls->rosters);
    g_free(calls->own);
    g_free(calls);
}

/* (transfer full): GUIDs are compared without regard to case. */
static char *normalize(const char *id)
{
    return id != NULL && *id != '\0' && strlen(id) <= MAX_ID_BYTES ? g_ascii_strdown(id, -1) : NULL;
}

void teams_calls_set_own(TeamsCalls *calls, const char *id)
{
    g_free(calls->own);
    calls->own = normalize(id);
}

void teams_calls_note_roster(TeamsCalls *calls, const char *id)
{
    g_autofree char *key = normalize(id);
    if (key != NULL && g_hash_table_size(calls->rosters) < MAX_CALLS) {
        g_hash_table_add(calls->rosters, g_steal_pointer(&key));
    }
}

bool teams_calls_is_ours(TeamsCalls *calls, const char *id)
{
    g_autofree char *key = normalize(id);
    bool has_rosters = g_hash_table_size(calls->rosters) > 0;
    if (key == NULL || (calls->own != NULL && strcmp(key, calls->own) == 0)) {
        return true;
    }
    if (calls->own != NULL && (!has_rosters || g_hash_table_contains(calls->rosters, calls->own))) {
        return false;
    }
    return !has_rosters || g_hash_table_contains(calls->rosters, key);
}
