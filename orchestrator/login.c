/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/login.h"

#include "bot/fields.h"
#include "orchestrator/json.h"
#include "orchestrator/profile.h"

#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#define MAX_ACCOUNTS 1000

const char *const orch_login_uses[] = {
    [ORCH_LOGIN_USE_NEVER] = "never",
    [ORCH_LOGIN_USE_WHEN_ASKED] = "when_asked",
    [ORCH_LOGIN_USE_IF_REQUIRED] = "if_required",
    [ORCH_LOGIN_USE_ALWAYS] = "always",
    NULL,
};

OrchLoginUse orch_login_use_from_string(const char *name)
{
    for (guint use = 0; orch_login_uses[use] != NULL; use++) {
        if (g_strcmp0(orch_login_uses[use], name) == 0) {
            return (OrchLoginUse)use;
        }
    }
    return ORCH_LOGIN_USE_NEVER;
}

/* --- the configuration --- */

static const char *const platforms[] = {"meet", "teams", "zoom", NULL};

/* clang-format off: one field a line */
static const BotField fields[] = {
    {"name", BOT_FIELD_STRING, BOT_FIELD_PLAIN, 1, 100, NULL, NULL, NULL,
     "what it is called in messages"},
    {"platform", BOT_FIELD_STRING, BOT_FIELD_REQUIRED, 1, 16, platforms, NULL, NULL,
     "meet, teams or zoom"},
    {"profile_dir", BOT_FIELD_STRING, BOT_FIELD_PLAIN, 1, 4000, NULL, NULL, NULL,
     "folder that steno-worker login made"},
    {"cookies_file", BOT_FIELD_STRING, BOT_FIELD_PLAIN, 1, 4000, NULL, NULL, NULL,
     "cookies as a browser exports them"},
    {"max_bots", BOT_FIELD_INT, BOT_FIELD_PLAIN, 1, 10000, NULL, NULL, "1",
     "bots that are signed in with it at a time"},
    {"group", BOT_FIELD_STRING, BOT_FIELD_PLAIN, 1, 200, NULL, NULL, NULL,
     "name by which clients ask for it"},
    {NULL, BOT_FIELD_ANY, BOT_FIELD_PLAIN, 0, 0, NULL, NULL, NULL, NULL},
};
/* clang-format on */

static const BotFieldTable table = {fields, "docs/orchestrator.md"};

static void login_free(gpointer data)
{
    OrchLogin *login = data;
    g_free(login->name);
    g_free(login->platform);
    g_free(login->profile_dir);
    g_free(login->cookies_file);
    g_free(login->group);
    g_free(login);
}

G_GNUC_PRINTF(3, 4)
static bool refuse(GError **error, guint at, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    g_autofree char *sentence = g_strdup_vprintf(format, list);
    va_end(list);
    g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD, "$.accounts[%u]%s", at, sentence);
    return false;
}

static bool check_fields(JsonObject *object, guint at, GError **error)
{
    g_autoptr(GError) cause = NULL;
    if (bot_fields_check(&table, object, &cause) && bot_fields_fill_in(&table, object, &cause)) {
        return true;
    }
    return refuse(error, at, "%s", cause->message + (*cause->message == '$' ? 1 : 0));
}

static char *absolute(JsonObject *object, const char *name)
{
    const char *path = orch_json_string(object, name);
    g_autoptr(GFile) file = path != NULL ? g_file_new_for_path(path) : NULL;
    return file != NULL ? g_file_get_path(file) : NULL;
}

static bool check_files(const OrchLogin *login, guint at, GError **error)
{
    bool profile = login->profile_dir != NULL;
    if (profile == (login->cookies_file != NULL)) {
        return refuse(error, at,
                      ": expected one of profile_dir (from steno-worker login) and "
                      "cookies_file, and not both");
    }
    const char *name = profile ? "profile_dir" : "cookies_file";
    const char *path = profile ? login->profile_dir : login->cookies_file;
    GFileTest kind = profile ? G_FILE_TEST_IS_DIR : G_FILE_TEST_IS_REGULAR;
    if (!g_file_test(path, kind)) {
        return refuse(error, at, ".%s: %s is no %s; steno-worker login URL --profile DIR makes one",
                      name, path, profile ? "folder" : "file");
    }
    return access(path, profile ? R_OK | X_OK : R_OK) == 0 ||
           refuse(error, at, ".%s: %s can't be read by the user that runs this program", name,
                  path);
}

static bool check_others(GPtrArray *logins, const OrchLogin *login, guint at, GError **error)
{
    for (guint i = 0; i < logins->len; i++) {
        const OrchLogin *other = g_ptr_array_index(logins, i);
        if (strcmp(other->name, login->name) == 0) {
            return refuse(error, at, ".name: \"%s\" is the name of $.accounts[%u], too",
                          login->name, i);
        }
        if ((login->profile_dir != NULL &&
             g_strcmp0(other->profile_dir, login->profile_dir) == 0) ||
            (login->cookies_file != NULL &&
             g_strcmp0(other->cookies_file, login->cookies_file) == 0)) {
            return refuse(error, at,
                          ": has the same file or folder as $.accounts[%u]; let one of "
                          "them have a larger max_bots",
                          i);
        }
    }
    return true;
}

static bool has_control(const char *text)
{
    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at)) {
        if (g_unichar_iscntrl(g_utf8_get_char(at))) {
            return true;
        }
    }
    return false;
}

static bool read_one(GPtrArray *logins, JsonObject *object, guint at, GError **error)
{
    if (!check_fields(object, at, error)) {
        return false;
    }
    OrchLogin *login = g_new0(OrchLogin, 1);
    login->platform = g_strdup(orch_json_string(object, "platform"));
    login->name = g_strdup(orch_json_string(object, "name"));
    if (login->name == NULL) {
        login->name = g_strdup_printf("%s-%u", login->platform, at + 1);
    }
    login->profile_dir = absolute(object, "profile_dir");
    login->cookies_file = absolute(object, "cookies_file");
    login->max_bots = (guint)json_object_get_int_member(object, "max_bots");
    login->group = g_strdup(orch_json_string(object, "group"));
    bool good = !has_control(login->name) ||
                refuse(error, at, ".name: has a control character, which no terminal should show");
    if (!good || !check_files(login, at, error) || !check_others(logins, login, at, error)) {
        login_free(login);
        return false;
    }
    g_ptr_array_add(logins, login);
    return true;
}

GPtrArray *orch_logins_read(JsonNode *accounts, GError **error)
{
    g_autoptr(GPtrArray) logins = g_ptr_array_new_with_free_func(login_free);
    JsonArray *array =
        accounts != NULL && JSON_NODE_HOLDS_ARRAY(accounts) ? json_node_get_array(accounts) : NULL;
    guint n = array != NULL ? json_array_get_length(array) : 0;
    bool good = accounts == NULL || (array != NULL && n <= MAX_ACCOUNTS);
    for (guint i = 0; good && i < n; i++) {
        good = orch_json_object_at(array, i) != NULL;
    }
    if (!good) {
        g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD,
                    "$.accounts: is not an array of at most %d objects", MAX_ACCOUNTS);
        return NULL;
    }
    for (guint i = 0; i < n; i++) {
        if (!read_one(logins, orch_json_object_at(array, i), i, error)) {
            return NULL;
        }
    }
    return g_steal_pointer(&logins);
}

/* --- asked of them --- */

const OrchLogin *orch_logins_find(GPtrArray *logins, const char *name)
{
    for (guint i = 0; i < logins->len; i++) {
        const OrchLogin *login = g_ptr_array_index(logins, i);
        if (g_strcmp0(login->name, name) == 0) {
            return login;
        }
    }
    return NULL;
}

char *orch_login_class(const char *platform, const char *group)
{
    return group != NULL ? g_strconcat(platform, "/", group, NULL) : g_strdup(platform);
}

bool orch_login_is_in(const OrchLogin *login, const char *login_class)
{
    gsize length = strlen(login->platform);
    if (strncmp(login_class, login->platform, length) != 0) {
        return false;
    }
    return login_class[length] == '\0' ||
           (login_class[length] == '/' && g_strcmp0(login->group, login_class + length + 1) == 0);
}

char *orch_login_stamp(const OrchLogin *login)
{
    return login->profile_dir != NULL ? orch_profile_stamp(login->profile_dir)
                                      : orch_file_stamp(login->cookies_file);
}
