/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/session_priv.h"

#define DELIVER_WITHIN_S 150 /* all tries of one message, and a little */

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

/* Returns (transfer full): what was made, each reported by an event. */
static JsonArray *write_metadata(BotSession *session)
{
    const char *dir = session->config->output_dir;
    JsonArray *artifacts = bot_artifacts_describe_all(dir);
    const BotOutcomeRow *row = bot_session_row(session);
    bool failed = row->error != NULL || row->code != NULL || session->finalize_error != NULL;
    g_autoptr(JsonArray) gaps = bot_gaps_to_json(session->gaps);
    BotMetadata metadata = {
        .bot_id = session->config->bot_id,
        .platform = session->platform_name,
        .recording_started_unix_ms = session->recording_started_unix_ms,
        .duration_s = session->finalized.duration_s,
        .end_reason = row->end_reason,
        .error = session->finalize_error != NULL ? session->finalize_error->message
                 : failed                        ? bot_session_message(session)
                                                 : NULL,
        .gaps = gaps,
        .artifacts = artifacts,
    };
    bot_artifacts_report(artifacts, session->log);
    g_autoptr(GError) error = NULL;
    if (!bot_artifacts_write_metadata(dir, &metadata, &error)) {
        bot_session_warn(session, "artifact_not_written", error->message);
    }
    return artifacts;
}

static JsonArray *write_artifacts(BotSession *session)
{
    const char *dir = session->config->output_dir;
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) rows = bot_session_speech_rows(session);
    bool written = !session->recording_begun ||
                   (bot_artifacts_write_diarization(dir, rows, session->roster, &error) &&
                    bot_artifacts_write_participants(dir, session->roster,
                                                     session->recording_started_us, &error) &&
                    bot_artifacts_write_chat(dir, session->chat, &error));
    if (!written) {
        bot_session_warn(session, "artifact_not_written", error->message);
    }
    return write_metadata(session);
}

/* --- finalizing --- */

typedef struct {
    char *output_dir;
    char *title;
    int64_t created_unix_ms;
    GArray *chapters; /* of MediaChapter; NULL: none */
    MediaFinalized finalized;
} FinalizeTask;

static void finalize_task_free(gpointer data)
{
    FinalizeTask *task = data;
    g_free(task->output_dir);
    g_free(task->title);
    g_clear_pointer(&task->chapters, g_array_unref);
    media_finalized_clear(&task->finalized);
    g_free(task);
}

static void finalize_in_thread(GTask *task, gpointer source, gpointer data,
                               GCancellable *cancellable)
{
    FinalizeTask *work = data;
    MediaFinalizeOptions options = {work->title, work->created_unix_ms, work->chapters};
    GError *error = NULL;
    if (media_finalize(work->output_dir, &options, &work->finalized, &error)) {
        g_task_return_boolean(task, TRUE);
    } else {
        g_task_return_error(task, error);
    }
}

static void post_processed(BotSession *session)
{
    g_autoptr(JsonArray) artifacts = write_artifacts(session);
    session->post_processed = true;
    if (!bot_session_upload(session, artifacts)) {
        bot_session_delivered(session);
    }
}

void bot_session_delivered(BotSession *session)
{
    bot_session_raise(session, BOT_EVENT_POST_PROCESSING_COMPLETED, NULL);
}

static void on_finalized(GObject *source, GAsyncResult *result, gpointer user_data)
{
    BotSession *session = user_data;
    FinalizeTask *work = g_task_get_task_data(G_TASK(result));
    g_autoptr(GError) error = NULL;
    if (g_task_propagate_boolean(G_TASK(result), &error)) {
        session->finalized = work->finalized;
        work->finalized = (MediaFinalized){0};
        JsonObject *members = json_object_new();
        json_object_set_string_member(members, "op", "finalized");
        json_object_set_double_member(members, "at_s", session->finalized.duration_s);
        bot_event_log_emit(session->log, "recording", members);
    } else {
        bot_session_warn(session, "not_finalized", error->message);
        session->finalize_error = g_steal_pointer(&error);
    }
    post_processed(session);
}

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
    FinalizeTask *work = g_new0(FinalizeTask, 1);
    work->output_dir = g_strdup(session->config->output_dir);
    work->title = g_strdup_printf("%s (%s)", session->config->bot_name, session->platform_name);
    work->created_unix_ms = session->recording_started_unix_ms;
    work->chapters = session->config->chapters ? chapters(session) : NULL;
    g_autoptr(GTask) task = g_task_new(NULL, NULL, on_finalized, session);
    g_task_set_task_data(task, work, finalize_task_free);
    g_task_run_in_thread(task, finalize_in_thread);
}

void bot_session_post_process(BotSession *session)
{
    if (session->recording_begun) {
        media_engine_stop_recording(session->engine, session->at_once);
    } else {
        post_processed(session);
    }
}

/* --- the very end --- */

static BotExit exit_code(BotSession *session)
{
    const BotOutcomeRow *row = bot_session_row(session);
    if (session->finalize_error != NULL) {
        return BOT_EXIT_NOT_FINALIZED;
    }
    bool refused = row->complete && !session->recording_begun &&
                   session->presence.admitted_us != BOT_NEVER_US &&
                   session->outcome != BOT_OUTCOME_USER_REQUESTED;
    if (refused) {
        return BOT_EXIT_NEVER_RECORDED;
    }
    bool undelivered =
        session->undelivered ||
        (session->webhook != NULL && bot_webhook_count_undelivered(session->webhook) > 0);
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
        json_array_unref(write_artifacts(session));
    }
    bot_session_report_final(session);
    if (session->webhook != NULL) {
        bot_webhook_finish(session->webhook, bot_session_deliver_within_s(session));
    }
    if (session->platform != NULL) {
        platform_leave(session->platform); /* a knock is taken back, a call is left */
    }
    g_clear_handle_id(&session->tick_id, g_source_remove);
    bot_session_finish_step(session);
}

void bot_session_finish_step(BotSession *session)
{
    bool reported = session->webhook == NULL || session->webhook_idle;
    if (!session->finishing || session->ended || session->platform != NULL || !reported) {
        return;
    }
    session->ended = true;
    BotExit exit = exit_code(session);
    emit_ended(session, exit);
    session->events.on_ended(exit, session->user_data);
}
