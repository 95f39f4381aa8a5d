/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/bots_priv.h"
#include "orchestrator/json.h"
#include "orchestrator/logins.h"
#include "orchestrator/notify.h"

#include "base/file_name.h"
#include "bot/outcome.h"

#include <string.h>

/* What a worker's event means for its bot. @event is a worker's word: checked, never trusted. */

static bool find_state(const char *name, BotState *ret_state)
{
    for (guint state = 0; name != NULL && state < BOT_N_STATES; state++) {
        if (strcmp(bot_state_to_string((BotState)state), name) == 0) {
            *ret_state = (BotState)state;
            return true;
        }
    }
    return false;
}

/* What was under way when the API's leave_requested was recorded does not take it back. */
static bool is_behind(const OrchBot *bot, BotState state)
{
    return bot_state_is_terminal(bot->state) || bot->state == state ||
           (bot->leave_requested && bot->state >= BOT_STATE_LEAVING && state < BOT_STATE_LEAVING);
}

static bool apply_state(OrchBots *bots, OrchBot *bot, JsonObject *event, GError **error)
{
    BotState state;
    const char *name = orch_json_string(event, "event");
    if (name == NULL || !find_state(orch_json_string(event, "new"), &state)) {
        g_warning("bot %s: a state event that names no state", bot->id);
        return true;
    }
    if (is_behind(bot, state)) {
        return true;
    }
    if (state == BOT_STATE_JOINING && orch_bots_is_second_joining(bot)) {
        bot->state = state;
        return true;
    }
    return orch_bots_record(bots, bot, state, name, orch_json_string(event, "sub_type"),
                            orch_json_int(event, "time", orch_now_ms()), error);
}

static bool apply_status(OrchBots *bots, OrchBot *bot, JsonObject *event, GError **error)
{
    BotStatusReport status;
    if (bot->reported || !bot_report_status_parse(event, &status)) {
        return true;
    }
    if (strcmp(status.code, "joining_call") == 0 && orch_bots_is_second_joining(bot)) {
        return true;
    }
    g_autofree char *message =
        status.error_message != NULL ? orch_logins_explain(bot, status.error_message) : NULL;
    status.error_message = message;
    return orch_notify_status(bots, bot, &status, orch_json_int(event, "time", orch_now_ms()),
                              error);
}

static bool apply_recording(OrchBots *bots, OrchBot *bot, JsonObject *event, GError **error)
{
    const char *op = orch_json_string(event, "op");
    if (g_strcmp0(op, "started") == 0 && bot->recording_started_ms == 0) {
        gint64 time_ms = orch_json_int(event, "time", orch_now_ms());
        bot->recording_started_ms = orch_json_int(event, "start_time", time_ms);
        orch_set_string(&bot->recording_state, "in_progress");
    } else if (g_strcmp0(op, "finalized") == 0) {
        bot->duration_ms = (gint64)(orch_json_double(event, "at_s", 0) * 1000);
    }
    return true;
}

static bool apply_artifact(OrchBots *bots, OrchBot *bot, JsonObject *event, GError **error)
{
    const char *name = orch_json_string(event, "name");
    if (!base_file_name_is_plain(name)) {
        g_warning("bot %s: an artifact without a proper name", bot->id);
        return true;
    }
    g_autoptr(JsonArray) artifacts = orch_json_load_array(bot->artifacts);
    for (guint i = json_array_get_length(artifacts); i-- > 0;) {
        JsonObject *known = orch_json_object_at(artifacts, i);
        if (known != NULL && g_strcmp0(orch_json_string(known, "name"), name) == 0) {
            json_array_remove_element(artifacts, i);
        }
    }
    JsonObject *artifact = json_object_new();
    json_object_set_string_member(artifact, "name", name);
    json_object_set_int_member(artifact, "bytes", orch_json_int(event, "bytes", 0));
    json_object_set_int_member(artifact, "time", orch_json_int(event, "time", orch_now_ms()));
    orch_json_set(artifact, "sha256", orch_json_string(event, "sha256"));
    orch_json_set(artifact, "url", orch_json_string(event, "url"));
    json_array_add_object_element(artifacts, artifact);
    g_free(bot->artifacts);
    bot->artifacts = orch_json_print_array(artifacts);
    return true;
}

/* A worker that was recovered tells only how it ended. */
static bool end_machine(OrchBots *bots, OrchBot *bot, BotState state, gint64 time_ms,
                        GError **error)
{
    if (bot_state_is_terminal(bot->state)) {
        return true;
    }
    if (state == BOT_STATE_FATAL_ERROR) {
        return orch_bots_record(bots, bot, state, bot_event_to_string(BOT_EVENT_FATAL_ERROR),
                                "process_terminated", time_ms, error);
    }
    return (bot->state == BOT_STATE_POST_PROCESSING ||
            orch_bots_record(bots, bot, BOT_STATE_POST_PROCESSING,
                             bot_event_to_string(BOT_EVENT_MEETING_ENDED), NULL, time_ms, error)) &&
           orch_bots_record(bots, bot, BOT_STATE_ENDED,
                            bot_event_to_string(BOT_EVENT_POST_PROCESSING_COMPLETED), NULL, time_ms,
                            error);
}

static bool apply_ended(OrchBots *bots, OrchBot *bot, JsonObject *event, GError **error)
{
    if (bot->reported) {
        return true;
    }
    BotState state = BOT_STATE_ENDED;
    (void)find_state(orch_json_string(event, "state"), &state);
    bool lost = orch_json_int(event, "exit", BOT_EXIT_OK) == BOT_EXIT_NOT_FINALIZED;
    bool complete = state == BOT_STATE_ENDED && !lost;
    /* A recovery names the error of the worker that died, and still has a recording to deliver. */
    const char *failure = orch_json_string(event, "error");
    orch_set_string(&bot->error, complete ? NULL : failure != NULL ? failure : "InternalError");
    const char *code = orch_json_string(event, "error_code");
    orch_set_string(&bot->error_code, complete ? NULL : code != NULL ? code : "internal_error");
    const char *message = orch_json_string(event, "message");
    g_free(bot->message);
    bot->message =
        orch_logins_explain(bot, message != NULL ? message : "The worker gave no reason.");
    orch_set_string(&bot->end_reason, orch_json_string(event, "end_reason"));
    JsonArray *speakers = orch_json_array(event, "speakers");
    if (speakers != NULL) {
        g_free(bot->speakers);
        bot->speakers = orch_json_print_array(speakers);
    }
    return end_machine(bots, bot, state, orch_json_int(event, "time", orch_now_ms()), error) &&
           orch_bots_report_final(bots, bot, error);
}

static bool apply_spoken(OrchBots *bots, OrchBot *bot, JsonObject *event, GError **error)
{
    return bot->reported ||
           orch_notify_event(bots, bot, orch_json_string(event, "type"), event, error);
}

typedef struct {
    const char *type;
    bool (*apply)(OrchBots *bots, OrchBot *bot, JsonObject *event, GError **error);
} Handler;

/* Types that are not here are kept and mean nothing to the bot. */
static const Handler handlers[] = {
    {"state", apply_state},       {"status", apply_status}, {"recording", apply_recording},
    {"artifact", apply_artifact}, {"ended", apply_ended},   {"participant", apply_spoken},
    {"speech", apply_spoken},     {"chat", apply_spoken},
};

static bool apply(OrchBots *bots, OrchBot *bot, JsonObject *event, GError **error)
{
    const char *type = orch_json_string(event, "type");
    gint64 seq = orch_json_int(event, "seq", 0);
    bot->last_seq = seq;
    if (bot->deleted_ms > 0) {
        if (strcmp(type, "artifact") == 0 && bots->bucket != NULL) {
            bot->sweep_ms = orch_now_ms();
        }
        return orch_store_bot_update(bots->store, bot, error); /* late: must not come back */
    }
    g_autofree char *json = orch_json_print(event);
    if (!orch_store_event_add(bots->store, bot->id, seq, type, json, error)) {
        return false;
    }
    bool done = false;
    if (!orch_bots_apply_login(bots, bot, event, &done, error)) {
        return false;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(handlers); i++) {
        if (done && handlers[i].apply != apply_artifact) {
            continue;
        }
        if (strcmp(handlers[i].type, type) == 0 && !handlers[i].apply(bots, bot, event, error)) {
            return false;
        }
    }
    return orch_store_bot_update(bots->store, bot, error);
}

bool orch_bots_apply_event(OrchBots *bots, const char *bot_id, JsonObject *event, GError **error)
{
    gint64 seq = orch_json_int(event, "seq", 0);
    g_autoptr(OrchBot) bot = orch_store_bot_get(bots->store, bot_id);
    if (bot == NULL || seq < 1 || orch_json_string(event, "type") == NULL) {
        g_set_error(error, ORCH_BOTS_ERROR, ORCH_BOTS_ERROR_EVENT,
                    bot == NULL ? "there is no bot %s" : "bot %s: an event without seq or type",
                    bot_id);
        return false;
    }
    if (seq <= bot->last_seq) {
        return true;
    }
    BotState old = bot->state;
    orch_store_begin(bots->store);
    bool good = apply(bots, bot, event, error);
    good = orch_store_end(bots->store, good, good ? error : NULL) && good;
    if (bot->state != old) {
        orch_bots_look_again(bots);
    }
    return good;
}
