/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/bots_priv.h"
#include "orchestrator/json.h"
#include "orchestrator/logins.h"

#include "bot/outcome.h"
#include "bot/report_data.h"
#include "platforms/meeting_url.h"

#include <string.h>

/* What a worker's event means for the account that its bot signs in with. */

/* Why the bot is not let in, in the outcome's word; NULL: the event says nothing of the kind. */
static const char *refusal_of(JsonObject *event)
{
    BotStatusReport status;
    const char *type = orch_json_string(event, "type");
    if (strcmp(type, "state") == 0 &&
        g_strcmp0(orch_json_string(event, "event"),
                  bot_event_to_string(BOT_EVENT_COULD_NOT_JOIN_MEETING)) == 0) {
        return orch_json_string(event, "sub_type");
    }
    bool failed = strcmp(type, "status") == 0 && bot_report_status_parse(event, &status) &&
                  strcmp(status.code, "meeting_error") == 0;
    return failed ? status.error_type : NULL;
}

static bool asks_for_sign_in(const char *why)
{
    return g_strcmp0(why, bot_outcome_to_string(BOT_OUTCOME_LOGIN_REQUIRED)) == 0;
}

/* Meet turns guests away without a word of signing in. A captcha asks for a person: no account
 * answers that. */
static bool is_cured_by_account(const OrchBot *bot, const char *why)
{
    const char *platform = NULL;
    bool known = platform_check_url(bot->meeting_url, &platform, NULL, NULL);
    return asks_for_sign_in(why) ||
           (known && strcmp(platform, "meet") == 0 &&
            g_strcmp0(why, bot_outcome_to_string(BOT_OUTCOME_BOTS_NOT_ALLOWED)) == 0);
}

/* Once, and before it was in the call; whoever wants it gone meanwhile is not overruled. */
static bool comes_again(OrchBots *bots, OrchBot *bot, const char *why)
{
    bool waits = bot->state == BOT_STATE_JOINING || bot->state == BOT_STATE_WAITING_ROOM;
    if (bot->login_run != ORCH_LOGIN_RUN_FIRST || !waits || !is_cured_by_account(bot, why)) {
        return false;
    }
    g_autofree char *login_class = orch_logins_class_if_required(bots->store, bots->config, bot);
    if (login_class == NULL) {
        return false;
    }
    g_message("bot %s: refused as a guest (%s); it comes again with an account", bot->id, why);
    orch_set_string(&bot->login_class, login_class);
    bot->login_run = ORCH_LOGIN_RUN_REFUSED;
    bot->state = BOT_STATE_READY; /* told to nobody: what the client sees goes on from joining */
    return true;
}

bool orch_bots_apply_login(OrchBots *bots, OrchBot *bot, JsonObject *event, bool *ret_done,
                           GError **error)
{
    const char *why = refusal_of(event);
    const char *type = orch_json_string(event, "type");
    *ret_done =
        bot->login_run == ORCH_LOGIN_RUN_REFUSED || (why != NULL && comes_again(bots, bot, why));
    if (*ret_done || bot->login == NULL) {
        return true;
    }
    bool warned = strcmp(type, "warning") == 0 &&
                  g_strcmp0(orch_json_string(event, "code"), "signed_out") == 0;
    if (!warned && !asks_for_sign_in(why)) {
        return true;
    }
    const char *message = warned ? orch_json_string(event, "message") : NULL;
    return orch_logins_mark(bots->store, bots->config, bot,
                            message != NULL ? message : "the meeting asked for a sign-in", error);
}

bool orch_bots_is_second_joining(const OrchBot *bot)
{
    return bot->login_run == ORCH_LOGIN_RUN_SECOND && bot->joined_ms == 0;
}
