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
    bot_reporter_status(session->reporter, &report);
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
    g_autofree char *url = bot_delivery_dup_url(session->delivery);
    g_autoptr(GArray) rows = bot_session_speech_rows(session);
    g_autoptr(JsonArray) speakers = bot_artifacts_speaker_names(rows, session->roster);
    BotCompleteReport report = {
        .end_reason = bot_session_row(session)->end_reason,
        .recording_url = url,
        .speakers = speakers,
    };
    bot_reporter_complete(session->reporter, &report);
}

void bot_session_report_final(BotSession *session)
{
    const BotOutcomeRow *row = bot_session_row(session);
    const GError *lost = bot_delivery_get_error(session->delivery);
    if (row->complete && lost == NULL) {
        report_complete(session);
        return;
    }
    BotFailedReport report = {row->error, row->error_code, bot_session_message(session)};
    if (row->complete) { /* it ended well, but the file is lost */
        report = (BotFailedReport){"InternalError", "internal_error", lost->message};
    }
    bot_reporter_failed(session->reporter, &report);
}
