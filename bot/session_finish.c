/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/session_priv.h"

#define DELIVER_WITHIN_S 150 /* all tries of one message, and a little */
/* A shorter recording may hold no whole packet: its bot left at once, and nothing is lost. */
#define TOO_SHORT_S 0.2

const BotOutcomeRow *bot_session_row(BotSession *session)
{
    return bot_outcome_row(session->outcome, session->recording_begun);
}

const char *bot_session_message(BotSession *session)
{
    return session->message != NULL ? session->message : bot_session_row(session)->message;
}

/* --- artifacts --- */

GArray *bot_session_speech_rows(BotSession *session)
{
    GArray *rows = g_array_new(FALSE, TRUE, sizeof(BotSpeechRow));
    if (session->engine == NULL) {
        return rows;
    }
    g_autoptr(GArray) segments = media_engine_dup_segments(session->engine);
    for (guint i = 0; i < segments->len; i++) {
        const MediaSpeechSegment *segment = &g_array_index(segments, MediaSpeechSegment, i);
        BotSpeechRow row = {segment->participant_id, (double)segment->start_ns / 1e9,
                            (double)segment->end_ns / 1e9};
        g_array_append_val(rows, row);
    }
    return rows;
}

/* --- what the delivery asks and says --- */

static void on_describe(const MediaFinalized *finalized, BotMeetingRecord *ret_record,
                        gpointer user_data)
{
    BotSession *session = user_data;
    const BotOutcomeRow *row = bot_session_row(session);
    bool failed = row->error != NULL || row->code != NULL;
    session->post_processed = true;
    *ret_record = (BotMeetingRecord){
        .platform = session->platform_name,
        .started_unix_ms = session->recording_started_unix_ms,
        .started_us = session->recording_started_us,
        .end_reason = row->end_reason,
        .error = failed ? bot_session_message(session) : NULL,
        .speech = bot_session_speech_rows(session),
        .chat = session->chat,
        .roster = session->roster,
        .gaps = session->gaps,
    };
}

static void on_warning(const char *code, const char *message, gpointer user_data)
{
    bot_session_warn(user_data, code, message);
}

static void on_delivered(gpointer user_data)
{
    bot_session_raise(user_data, BOT_EVENT_POST_PROCESSING_COMPLETED, NULL);
}

const BotDeliveryEvents bot_session_delivery_events = {
    .on_describe = on_describe,
    .on_warning = on_warning,
    .on_delivered = on_delivered,
};

/* --- after the meeting --- */

static GArray *chapters(BotSession *session)
{
    g_autoptr(GArray) segments = media_engine_dup_segments(session->engine);
    return bot_artifacts_chapters(segments, session->roster);
}

void bot_session_engine_stopped(BotSession *session)
{
    if (session->engine_stopped) {
        return;
    }
    session->engine_stopped = true;
    g_autofree char *title =
        g_strdup_printf("%s (%s)", session->config->bot_name, session->platform_name);
    BotDeliveryStart start = {
        .recorded = true,
        .may_be_empty = bot_session_recorded_s(session) < TOO_SHORT_S,
        .title = title,
        .started_unix_ms = session->recording_started_unix_ms,
        .chapters = session->config->chapters ? chapters(session) : NULL,
    };
    bot_delivery_start(session->delivery, &start);
}

void bot_session_post_process(BotSession *session)
{
    BotDeliveryStart nothing = {0};
    if (session->recording_begun) {
        media_engine_stop_recording(session->engine, session->at_once);
    } else {
        bot_delivery_start(session->delivery, &nothing);
    }
}

/* --- the very end --- */

static BotExit exit_code(BotSession *session)
{
    const BotOutcomeRow *row = bot_session_row(session);
    if (bot_delivery_get_error(session->delivery) != NULL) {
        return BOT_EXIT_NOT_FINALIZED;
    }
    bool refused = row->complete && !session->recording_begun &&
                   session->presence.admitted_us != BOT_NEVER_US &&
                   session->outcome != BOT_OUTCOME_USER_REQUESTED;
    if (refused) {
        return BOT_EXIT_NEVER_RECORDED;
    }
    bool undelivered = bot_delivery_is_incomplete(session->delivery) ||
                       bot_reporter_has_undelivered(session->reporter);
    return row->exit == BOT_EXIT_OK && undelivered ? BOT_EXIT_NOT_DELIVERED : row->exit;
}

unsigned bot_session_deliver_within_s(BotSession *session)
{
    unsigned grace_s = session->config->shutdown_grace_s;
    unsigned in_time_s = session->at_once ? MAX(grace_s / 8, 1) : grace_s / 2;
    return session->terminating ? MIN(in_time_s, DELIVER_WITHIN_S) : DELIVER_WITHIN_S;
}

static void emit_ended(BotSession *session, BotExit exit)
{
    const BotOutcomeRow *row = bot_session_row(session);
    JsonObject *members = json_object_new();
    json_object_set_string_member(members, "state", bot_state_to_string(session->state));
    bot_json_set_optional(members, "error", row->error);
    bot_json_set_optional(members, "error_code", row->error_code);
    json_object_set_string_member(members, "message", bot_session_message(session));
    bot_json_set_optional(members, "end_reason", row->end_reason);
    g_autoptr(GArray) rows = bot_session_speech_rows(session);
    json_object_set_array_member(members, "speakers",
                                 bot_artifacts_speaker_names(rows, session->roster));
    json_object_set_int_member(members, "exit", exit);
    bot_event_log_emit(session->log, "ended", members);
}

void bot_session_finish(BotSession *session)
{
    session->finishing = true;
    if (!session->post_processed) {
        bot_delivery_write_only(session->delivery);
    }
    bot_session_report_final(session);
    bot_reporter_finish(session->reporter, bot_session_deliver_within_s(session));
    if (session->platform != NULL) {
        platform_leave(session->platform); /* a knock is taken back, a call is left */
    }
    g_clear_handle_id(&session->tick_id, g_source_remove);
    bot_session_finish_step(session);
}

void bot_session_finish_step(BotSession *session)
{
    if (!session->finishing || session->ended || session->platform != NULL ||
        !bot_reporter_is_idle(session->reporter)) {
        return;
    }
    session->ended = true;
    BotExit exit = exit_code(session);
    emit_ended(session, exit);
    session->events.on_ended(exit, session->user_data);
}
