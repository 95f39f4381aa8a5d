/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/session_priv.h"

#include <string.h>

/* The status codes of the owner's webhooks (Meeting BaaS v1), derived from the same machine. */

void bot_session_report_code(BotSession *session, const char *code)
{
    BotStatusReport report = {.code = code};
    if (strcmp(code, "in_call_recording") == 0) {
        report.start_time_unix_ms = session->recording_started_unix_ms;
    } else if (strcmp(code, "meeting_error") == 0) {
        report.error_message = bot_session_message(session);
        report.error_type = bot_outcome_to_string(session->outcome);
    }
    bot_event_log_emit(session->log, "status", bot_report_status_members(&report));
    bot_report_status(session->webhook, session->config, &report);
}

/* in_call_recording is reported where recording really began, with its time. */
static const char *code_of(BotState old_state, BotState new_state, bool recording_begun)
{
    if (new_state == BOT_STATE_JOINING && old_state != BOT_STATE_JOINING) {
        return "joining_call";
    }
    if (new_state == BOT_STATE_WAITING_ROOM) {
        return "in_waiting_room";
    }
    if (new_state == BOT_STATE_JOINED_NOT_RECORDING) {
        return "in_call_not_recording";
    }
    if (new_state == BOT_STATE_JOINED_RECORDING && recording_begun) {
        return "recording_resumed";
    }
    bool pauses = new_state == BOT_STATE_JOINED_RECORDING_PAUSED ||
                  new_state == BOT_STATE_JOINED_RECORDING_PERMISSION_DENIED;
    if (pauses && old_state == BOT_STATE_JOINED_RECORDING) {
        return "recording_paused";
    }
    return NULL;
}

void bot_session_report_state(BotSession *session, BotState old_state, BotState new_state)
{
    bool out = new_state == BOT_STATE_JOINING || new_state == BOT_STATE_WAITING_ROOM;
    if (out && old_state == BOT_STATE_JOINED_RECORDING) {
        bot_session_report_code(session, "recording_paused");
    }
    const char *code = code_of(old_state, new_state, session->recording_begun);
    if (new_state == BOT_STATE_POST_PROCESSING && bot_session_row(session)->complete) {
        code = "call_ended";
    }
    if (code != NULL) {
        bot_session_report_code(session, code);
    }
}

static void report_complete(BotSession *session)
{
    bool recorded = session->finalized.path != NULL;
    g_autofree char *local = recorded ? bot_report_local_url(session->finalized.path) : NULL;
    g_autoptr(GArray) rows = bot_session_speech_rows(session);
    g_autoptr(JsonArray) speakers = bot_artifacts_speaker_names(rows, session->roster);
    BotCompleteReport report = {
        .end_reason = bot_session_row(session)->end_reason,
        .recording_url = session->recording_url != NULL ? session->recording_url : local,
        .speakers = speakers,
    };
    bot_report_complete(session->webhook, session->config, &report);
}

void bot_session_report_final(BotSession *session)
{
    const BotOutcomeRow *row = bot_session_row(session);
    if (row->complete && session->finalize_error == NULL) {
        report_complete(session);
        return;
    }
    BotFailedReport report = {row->error, row->error_code, bot_session_message(session)};
    if (row->complete) { /* it ended well, but the file is lost */
        report =
            (BotFailedReport){"InternalError", "internal_error", session->finalize_error->message};
    }
    bot_report_failed(session->webhook, session->config, &report);
}

static void on_given_up(const char *event, const char *reason, gpointer user_data)
{
    g_autofree char *message =
        g_strdup_printf("The webhook %s could not be delivered: %s", event, reason);
    bot_session_warn(user_data, "webhook_given_up", message);
}

static void on_idle(gpointer user_data)
{
    BotSession *session = user_data;
    session->webhook_idle = true;
    bot_session_finish_step(session);
}

BotWebhook *bot_session_open_webhook(BotSession *session, GError **error)
{
    static const BotWebhookEvents events = {on_given_up, on_idle};
    return bot_webhook_new(session->config->webhook_url, session->config->webhook_api_key,
                           session->config->output_dir, &events, session, error);
}
