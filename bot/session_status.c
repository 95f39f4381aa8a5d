/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/session_priv.h"

#include <string.h>

/* The status codes of the owner's webhooks (Meeting BaaS v1), derived from the same machine. */

static char *now_iso(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *seconds = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S");
    return g_strdup_printf("%s.%03dZ", seconds, g_date_time_get_microsecond(now) / 1000);
}

void bot_session_report_code(BotSession *session, const char *code)
{
    if (session->webhook == NULL) {
        return;
    }
    JsonObject *status = json_object_new();
    g_autofree char *created_at = now_iso();
    json_object_set_string_member(status, "code", code);
    json_object_set_string_member(status, "created_at", created_at);
    if (strcmp(code, "in_call_recording") == 0) {
        json_object_set_int_member(status, "start_time", session->recording_started_unix_ms);
    } else if (strcmp(code, "meeting_error") == 0) {
        json_object_set_string_member(status, "error_message", bot_session_message(session));
        json_object_set_string_member(status, "error_type",
                                      bot_outcome_to_string(session->outcome));
    }
    JsonObject *data = json_object_new();
    json_object_set_string_member(data, "bot_id", session->config->bot_id);
    json_object_set_object_member(data, "status", status);
    bot_webhook_send(session->webhook, "bot.status_change", data);
}

/* in_call_recording is reported where recording really began, with its time. */
static const char *code_of(BotState old_state, BotState new_state, bool recording_begun)
{
    if (new_state == BOT_STATE_JOINING) {
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
    const char *code = code_of(old_state, new_state, session->recording_begun);
    if (new_state == BOT_STATE_POST_PROCESSING && bot_session_row(session)->complete) {
        code = "call_ended";
    }
    if (code != NULL) {
        bot_session_report_code(session, code);
    }
}

static JsonArray *speaker_names(BotSession *session)
{
    JsonArray *names = json_array_new();
    g_autoptr(GArray) segments = media_engine_dup_segments(session->engine);
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < segments->len; i++) {
        uint32_t id = g_array_index(segments, MediaSpeechSegment, i).participant_id;
        BotPerson *person = bot_roster_get(session->roster, id);
        if (person != NULL && g_hash_table_add(seen, GUINT_TO_POINTER(id))) {
            json_array_add_string_element(names, person->name);
        }
    }
    return names;
}

static void send_complete(BotSession *session, JsonObject *data)
{
    json_object_set_string_member(data, "event", "complete");
    json_object_set_string_member(data, "end_reason", bot_session_row(session)->end_reason);
    if (session->finalized.path != NULL) {
        g_autofree char *uri = g_filename_to_uri(session->finalized.path, NULL, NULL);
        json_object_set_string_member(data, "mp4", uri != NULL ? uri : session->finalized.path);
        json_object_set_array_member(data, "speakers", speaker_names(session));
    } else {
        json_object_set_string_member(data, "mp4", "");
        json_object_set_array_member(data, "speakers", json_array_new());
    }
    bot_webhook_send(session->webhook, "complete", data);
}

void bot_session_report_final(BotSession *session)
{
    if (session->webhook == NULL) {
        return;
    }
    const BotOutcomeRow *row = bot_session_row(session);
    JsonObject *data = json_object_new();
    json_object_set_string_member(data, "bot_id", session->config->bot_id);
    if (session->config->extra != NULL) {
        json_object_set_member(data, "extra", json_node_copy(session->config->extra));
    }
    if (row->complete && session->finalize_error == NULL) {
        send_complete(session, data);
        return;
    }
    bool lost_file = row->complete;
    json_object_set_string_member(data, "error", lost_file ? "InternalError" : row->error);
    json_object_set_string_member(data, "error_code",
                                  lost_file ? "internal_error" : row->error_code);
    json_object_set_string_member(data, "message",
                                  lost_file ? session->finalize_error->message
                                            : bot_session_message(session));
    bot_webhook_send(session->webhook, "failed", data);
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
