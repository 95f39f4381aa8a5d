/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/logins.h"

#include "base/profile.h"
#include "orchestrator/json.h"
#include "platforms/meeting_url.h"

#include <string.h>

/* --- the accounts --- */

static void state_free(gpointer data)
{
    OrchLoginState *state = data;
    g_clear_pointer(&state->mark, orch_login_mark_free);
    g_free(state);
}

/* The mark of @login, if its session is still the one that was signed out; (transfer full). */
static OrchLoginMark *take_mark(GPtrArray *marks, const OrchLogin *login)
{
    for (guint i = 0; i < marks->len; i++) {
        OrchLoginMark *mark = g_ptr_array_index(marks, i);
        if (strcmp(mark->name, login->name) == 0) {
            g_autofree char *stamp = orch_login_stamp(login);
            return g_strcmp0(stamp, mark->stamp) == 0 ? g_ptr_array_steal_index(marks, i) : NULL;
        }
    }
    return NULL;
}

GPtrArray *orch_logins_states(OrchStore *store, const OrchConfig *config)
{
    OrchBotFilter filter = {.with_login = true};
    GPtrArray *states = g_ptr_array_new_with_free_func(state_free);
    if (config->logins->len == 0) {
        return states;
    }
    g_autoptr(GPtrArray) marks = orch_store_login_marks(store);
    g_autoptr(GPtrArray) bots = orch_store_bots(store, &filter);
    for (guint i = 0; i < config->logins->len; i++) {
        OrchLoginState *state = g_new0(OrchLoginState, 1);
        state->login = g_ptr_array_index(config->logins, i);
        state->mark = take_mark(marks, state->login);
        state->in_use =
            state->login->profile_dir != NULL && base_profile_user(state->login->profile_dir) != 0;
        for (guint k = 0; k < bots->len; k++) {
            const OrchBot *bot = g_ptr_array_index(bots, k);
            state->n_bots += strcmp(bot->login, state->login->name) == 0;
        }
        g_ptr_array_add(states, state);
    }
    return states;
}

guint orch_logins_count_free(GPtrArray *states, const char *login_class, bool *ret_none)
{
    guint n = 0;
    *ret_none = true;
    for (guint i = 0; i < states->len; i++) {
        const OrchLoginState *state = g_ptr_array_index(states, i);
        if (!orch_login_is_in(state->login, login_class) || state->mark != NULL) {
            continue;
        }
        *ret_none = false;
        if (!state->in_use && state->n_bots < state->login->max_bots) {
            n += state->login->max_bots - state->n_bots;
        }
    }
    return n;
}

char *orch_logins_why_none(GPtrArray *states, const char *login_class)
{
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < states->len; i++) {
        const OrchLoginState *state = g_ptr_array_index(states, i);
        if (state->mark != NULL && orch_login_is_in(state->login, login_class)) {
            g_string_append_printf(names, "%s\"%s\"", names->len > 0 ? ", " : "",
                                   state->login->name);
        }
    }
    return names->len > 0
               ? g_strdup_printf("The bot was to sign in, and no account is left that is signed "
                                 "in: %s. Whoever runs this server has to sign in again: "
                                 "steno-worker login URL --profile DIR.",
                                 names->str)
               : g_strdup("The bot was to sign in, and the account that it was to use is not "
                          "configured any more.");
}

/* --- who needs one --- */

typedef struct {
    const char *platform; /* static; NULL: the link leads nowhere */
    OrchLoginUse use;
    char *group; /* owned; or NULL */
    bool asked;  /* by the caller, by name */
} Wish;

static Wish read_wish(const OrchConfig *config, const OrchBot *bot)
{
    Wish wish = {.use = config->accounts_use == ORCH_LOGIN_USE_WHEN_ASKED ? ORCH_LOGIN_USE_NEVER
                                                                          : config->accounts_use};
    if (!platform_check_url(bot->meeting_url, &wish.platform, NULL, NULL)) {
        wish.platform = NULL;
        wish.use = ORCH_LOGIN_USE_NEVER;
        return wish;
    }
    g_autoptr(JsonObject) details = orch_json_load(bot->details);
    JsonObject *accounts = orch_json_object(details, "accounts");
    JsonObject *own = accounts != NULL ? orch_json_object(accounts, wish.platform) : NULL;
    if (own != NULL) {
        wish.use = orch_login_use_from_string(orch_json_string(own, "use"));
        wish.group = g_strdup(orch_json_string(own, "group"));
        wish.asked = wish.use != ORCH_LOGIN_USE_NEVER;
    }
    return wish;
}

static bool is_configured(const OrchConfig *config, const char *login_class)
{
    for (guint i = 0; i < config->logins->len; i++) {
        if (orch_login_is_in(g_ptr_array_index(config->logins, i), login_class)) {
            return true;
        }
    }
    return false;
}

static bool refuse(const OrchConfig *config, const Wish *wish, GError **error)
{
    const char *settings =
        strcmp(wish->platform, "meet") == 0 ? "google_meet_settings" : "teams_settings";
    if (config->accounts_use == ORCH_LOGIN_USE_NEVER) {
        g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_UNSUPPORTED,
                    "$.%s.use_login: on this server no bot signs in (accounts_use in its "
                    "configuration); leave it out",
                    settings);
    } else if (wish->group != NULL) {
        g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD,
                    "$.%s.login_group_name: no account of %s with this group is configured "
                    "(accounts[].group in the orchestrator's configuration)",
                    settings, wish->platform);
    } else {
        g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD,
                    "$.%s.use_login: no account of %s is configured (accounts in the "
                    "orchestrator's configuration)",
                    settings, wish->platform);
    }
    return false;
}

bool orch_logins_settle(const OrchConfig *config, OrchBot *bot, GError **error)
{
    Wish wish = read_wish(config, bot);
    g_autofree char *group = wish.group;
    g_clear_pointer(&bot->login_class, g_free);
    if (wish.use == ORCH_LOGIN_USE_NEVER) {
        return true;
    }
    g_autofree char *login_class = orch_login_class(wish.platform, group);
    bool there = is_configured(config, login_class);
    if (wish.asked && (!there || config->accounts_use == ORCH_LOGIN_USE_NEVER)) {
        return refuse(config, &wish, error);
    }
    if (there && wish.use == ORCH_LOGIN_USE_ALWAYS) {
        bot->login_class = g_steal_pointer(&login_class);
    }
    return true;
}

char *orch_logins_class_if_required(OrchStore *store, const OrchConfig *config, const OrchBot *bot)
{
    Wish wish = read_wish(config, bot);
    g_autofree char *group = wish.group;
    if (wish.use != ORCH_LOGIN_USE_IF_REQUIRED) {
        return NULL;
    }
    bool none = true;
    g_autofree char *login_class = orch_login_class(wish.platform, group);
    g_autoptr(GPtrArray) states = orch_logins_states(store, config);
    (void)orch_logins_count_free(states, login_class, &none);
    return none ? NULL : g_steal_pointer(&login_class);
}

/* --- who has one --- */

/* Whom nobody asks for by a group first; then the one that has most room. */
static bool is_better(const OrchLoginState *one, const OrchLoginState *other)
{
    if ((one->login->group == NULL) != (other->login->group == NULL)) {
        return one->login->group == NULL;
    }
    return (guint64)one->n_bots * other->login->max_bots <
           (guint64)other->n_bots * one->login->max_bots;
}

static const OrchLoginState *find_free(GPtrArray *states, const char *login_class)
{
    const OrchLoginState *best = NULL;
    for (guint i = 0; i < states->len; i++) {
        const OrchLoginState *state = g_ptr_array_index(states, i);
        bool is_free = orch_login_is_in(state->login, login_class) && state->mark == NULL &&
                       !state->in_use && state->n_bots < state->login->max_bots;
        if (is_free && (best == NULL || is_better(state, best))) {
            best = state;
        }
    }
    return best;
}

/* Whoever has the same one must not keep its session: another's may be newer. */
static bool share(OrchStore *store, const char *name, GError **error)
{
    OrchBotFilter filter = {.login = name};
    g_autoptr(GPtrArray) others = orch_store_bots(store, &filter);
    for (guint i = 0; i < others->len; i++) {
        OrchBot *other = g_ptr_array_index(others, i);
        other->login_shared = true;
        if (!orch_store_bot_update(store, other, error)) {
            return false;
        }
    }
    return true;
}

bool orch_logins_lease(OrchStore *store, const OrchConfig *config, OrchBot *bot, GError **error)
{
    g_autoptr(GPtrArray) states = orch_logins_states(store, config);
    const OrchLoginState *state = find_free(states, bot->login_class);
    if (state == NULL || (state->n_bots > 0 && !share(store, state->login->name, error))) {
        return false;
    }
    if (orch_store_login_mark_remove(store, state->login->name, NULL)) {
        g_message("account \"%s\": somebody has signed in again", state->login->name);
    }
    orch_set_string(&bot->login, state->login->name);
    g_free(bot->login_stamp);
    bot->login_stamp = orch_login_stamp(state->login);
    bot->login_shared = state->n_bots > 0;
    bot->login_out = false;
    g_info("bot %s: gets account \"%s\"", bot->id, bot->login);
    return true;
}

void orch_logins_clear(OrchBot *bot)
{
    orch_set_string(&bot->login, NULL);
    orch_set_string(&bot->login_stamp, NULL);
    bot->login_shared = false;
}

char *orch_logins_copy_dir(const OrchConfig *config, const OrchBot *bot)
{
    const OrchLogin *login = orch_logins_find(config->logins, bot->login);
    return login != NULL && login->profile_dir != NULL
               ? g_build_filename(config->data_dir, "profiles", bot->id, NULL)
               : NULL;
}

void orch_logins_sign_in(const OrchConfig *config, const OrchBot *bot, JsonObject *document)
{
    const OrchLogin *login = orch_logins_find(config->logins, bot->login);
    if (login == NULL) {
        return;
    }
    JsonObject *browser = orch_json_object(document, "browser");
    if (browser == NULL) {
        browser = json_object_new();
        json_object_set_object_member(document, "browser", browser);
    }
    json_object_remove_member(browser, "profile_dir");
    json_object_remove_member(browser, "cookies_file");
    g_autofree char *copy = orch_logins_copy_dir(config, bot);
    json_object_set_string_member(browser, copy != NULL ? "profile_dir" : "cookies_file",
                                  copy != NULL ? copy : login->cookies_file);
    json_object_set_boolean_member(browser, "signed_in", TRUE);
}

/* --- signed out --- */

bool orch_logins_mark(OrchStore *store, const OrchConfig *config, OrchBot *bot, const char *reason,
                      GError **error)
{
    const OrchLogin *login = orch_logins_find(config->logins, bot->login);
    bool known = bot->login_out;
    bot->login_out = true;
    if (known || login == NULL) {
        return true;
    }
    OrchLoginMark mark = {.name = login->name,
                          .since_ms = g_get_real_time() / 1000,
                          .reason = (char *)reason,
                          .stamp = bot->login_stamp};
    g_warning("account \"%s\" is signed out, as bot %s found: %s. No bot gets it until somebody "
              "signs in again: %s%s, or says that it is well: steno-orchestrator accounts reset %s",
              login->name, bot->id, reason,
              login->profile_dir != NULL ? "steno-worker login URL --profile "
                                         : "export its cookies anew to ",
              login->profile_dir != NULL ? login->profile_dir : login->cookies_file, login->name);
    return orch_store_login_mark_set(store, &mark, error);
}

char *orch_logins_explain(const OrchBot *bot, const char *message)
{
    if (!bot->login_out || bot->login == NULL) {
        return g_strdup(message);
    }
    return g_strdup_printf("%s The account \"%s\" is signed out: whoever runs this server has to "
                           "sign in again, with steno-worker login URL --profile DIR.",
                           message, bot->login);
}
