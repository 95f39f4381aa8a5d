/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/attendee_read.h"

#include "bot/config.h"
#include "orchestrator/json.h"
#include "orchestrator/login.h"

#include <string.h>

/* google_meet_settings and teams_settings: use_login, login_mode, login_group_name. */

#define MAX_GROUP_CHARS 200

static bool refuse(GError **error, const char *settings, const char *sentence)
{
    g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD, "$.%s%s", settings, sentence);
    return false;
}

/* NULL and null are the same: not given. */
static JsonNode *given(JsonObject *settings, const char *name)
{
    JsonNode *node = json_object_get_member(settings, name);
    return node != NULL && !JSON_NODE_HOLDS_NULL(node) ? node : NULL;
}

static bool is_of(JsonNode *node, GType type)
{
    return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type;
}

static bool check(JsonObject *settings, const char *path, GError **error)
{
    JsonNode *use = given(settings, "use_login");
    JsonNode *mode = given(settings, "login_mode");
    JsonNode *group = given(settings, "login_group_name");
    if (use != NULL && !is_of(use, G_TYPE_BOOLEAN)) {
        return refuse(error, path, ".use_login: is not true or false");
    }
    const char *text = mode != NULL ? orch_json_string(settings, "login_mode") : NULL;
    if (mode != NULL && g_strcmp0(text, "always") != 0 &&
        g_strcmp0(text, "only_if_required") != 0) {
        return refuse(error, path, ".login_mode: is not one of: always, only_if_required");
    }
    text = group != NULL ? orch_json_string(settings, "login_group_name") : NULL;
    if (group != NULL && (text == NULL || g_utf8_strlen(text, -1) > MAX_GROUP_CHARS)) {
        return refuse(error, path, ".login_group_name: is not a string of at most 200 characters");
    }
    bool names_group = text != NULL && *text != '\0';
    if (use == NULL && (mode != NULL || names_group)) {
        return refuse(error, path,
                      mode != NULL ? ".login_mode: counts only with use_login: true"
                                   : ".login_group_name: counts only with use_login: true");
    }
    return true;
}

static OrchLoginUse read_use(JsonObject *settings)
{
    if (!orch_json_bool(settings, "use_login", false)) {
        return ORCH_LOGIN_USE_NEVER;
    }
    return g_strcmp0(orch_json_string(settings, "login_mode"), "only_if_required") == 0
               ? ORCH_LOGIN_USE_IF_REQUIRED
               : ORCH_LOGIN_USE_ALWAYS;
}

bool orch_attendee_is_login_field(const char *settings, const char *name)
{
    static const char *const names[] = {"use_login", "login_mode", "login_group_name", NULL};
    return (strcmp(settings, "google_meet_settings") == 0 ||
            strcmp(settings, "teams_settings") == 0) &&
           g_strv_contains(names, name);
}

bool orch_attendee_read_login(JsonObject *body, JsonObject *details, GError **error)
{
    static const struct {
        const char *settings, *platform;
    } all[] = {{"google_meet_settings", "meet"}, {"teams_settings", "teams"}};
    g_autoptr(JsonObject) accounts = json_object_new();
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
        JsonObject *settings = orch_json_object(body, all[i].settings);
        if (settings == NULL) {
            continue;
        }
        if (!check(settings, all[i].settings, error)) {
            return false;
        }
        if (given(settings, "use_login") == NULL) {
            continue;
        }
        JsonObject *own = json_object_new();
        const char *group = orch_json_string(settings, "login_group_name");
        json_object_set_string_member(own, "use", orch_login_uses[read_use(settings)]);
        if (group != NULL && *group != '\0') {
            json_object_set_string_member(own, "group", group);
        }
        json_object_set_object_member(accounts, all[i].platform, own);
    }
    if (json_object_get_size(accounts) > 0) {
        json_object_set_object_member(details, "accounts", g_steal_pointer(&accounts));
    }
    return true;
}
