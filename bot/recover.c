/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/recover.h"

#include "bot/artifacts.h"
#include "bot/folder.h"
#include "bot/webhook.h"
#include "media/finalizer.h"
#include "platforms/browser/profile.h"
#include "platforms/json.h"
#include "platforms/platform.h"

#include <string.h>

#define DELIVER_WITHIN_S 150

typedef struct {
    const char *dir;
    BotConfig *config; /* owned */
    BotEventLog *log;  /* owned */
    JsonArray *events; /* owned: what the dead worker reported */
    BotRoster *roster; /* owned */
    GArray *speech;    /* BotSpeechRow */
    GArray *chat;      /* BotChatRow */
    MediaFinalized finalized;
    GError *error; /* owned: why it could not be finalized */
    int64_t started_unix_ms;
    bool nothing_recorded;
    bool idle;
} Recovery;

static double get_double(JsonObject *object, const char *name, double fallback)
{
    JsonNode *node = json_object_get_member(object, name);
    bool is_number = node != NULL && JSON_NODE_HOLDS_VALUE(node) &&
                     (json_node_get_value_type(node) == G_TYPE_DOUBLE ||
                      json_node_get_value_type(node) == G_TYPE_INT64);
    return is_number ? json_node_get_double(node) : fallback;
}

/* The same people in the same order get the same ids; gaps are voices that had no name. */
static BotPerson *person_with_id(Recovery *recovery, uint32_t id, const char *platform_id)
{
    while (bot_roster_length(recovery->roster) + 1 < id) {
        bot_roster_add_unnamed(recovery->roster, 0);
    }
    BotPerson *person = bot_roster_get(recovery->roster, id);
    if (person == NULL && platform_id[0] != '\0') {
        person = bot_roster_ensure(recovery->roster, platform_id, 0);
    }
    return person != NULL ? person : bot_roster_add_unnamed(recovery->roster, 0);
}

/* Times are Unix milliseconds here; the roster only wants them to be on one clock. */
static void replay_participant(Recovery *recovery, JsonObject *event)
{
    uint32_t id = (uint32_t)get_double(event, "id", 0);
    if (id == 0 || id > 10000) {
        return;
    }
    int64_t time_us = (int64_t)get_double(event, "time", 0) * 1000;
    const char *platform_id = platform_json_string(event, "platform_id", "");
    BotPerson *person = person_with_id(recovery, id, platform_id);
    if (strcmp(platform_json_string(event, "op", ""), "left") == 0) {
        person->present = false;
        person->left_us = time_us;
        return;
    }
    if (person->joined_us == 0) {
        person->joined_us = time_us;
    }
    person->present = true;
    person->left_us = -1;
    g_free(person->name);
    person->name = g_strdup(platform_json_string(event, "name", ""));
}

static void close_speech(Recovery *recovery, uint32_t id, double end_s)
{
    for (guint i = recovery->speech->len; i-- > 0;) {
        BotSpeechRow *row = &g_array_index(recovery->speech, BotSpeechRow, i);
        if (row->id == id && row->end_s < 0) {
            row->end_s = MAX(end_s, row->start_s);
            return;
        }
    }
}

static void replay_speech(Recovery *recovery, JsonObject *event)
{
    double at_s = get_double(event, "at_s", -1.0);
    uint32_t id = (uint32_t)get_double(event, "id", 0);
    if (at_s < 0 || id == 0) {
        return;
    }
    if (strcmp(platform_json_string(event, "op", ""), "start") == 0) {
        BotSpeechRow row = {id, at_s, -1.0};
        g_array_append_val(recovery->speech, row);
    } else {
        close_speech(recovery, id, at_s);
    }
}

static void replay_chat(Recovery *recovery, JsonObject *event)
{
    BotChatRow row = {get_double(event, "at_s", 0.0), (uint32_t)get_double(event, "id", 0),
                      g_strdup(platform_json_string(event, "name", "")),
                      g_strdup(platform_json_string(event, "text", ""))};
    g_array_append_val(recovery->chat, row);
}

/* Returns whether the dead worker had reported its end. */
static bool replay_events(Recovery *recovery)
{
    bool ended = false;
    for (guint i = 0; i < json_array_get_length(recovery->events); i++) {
        JsonObject *event = json_array_get_object_element(recovery->events, i);
        const char *type = platform_json_string(event, "type", "");
        if (strcmp(type, "participant") == 0) {
            replay_participant(recovery, event);
        } else if (strcmp(type, "speech") == 0) {
            replay_speech(recovery, event);
        } else if (strcmp(type, "chat") == 0) {
            replay_chat(recovery, event);
        } else if (strcmp(type, "recording") == 0 &&
                   strcmp(platform_json_string(event, "op", ""), "started") == 0) {
            recovery->started_unix_ms = (int64_t)get_double(event, "time", 0);
        } else if (strcmp(type, "ended") == 0) {
            ended = true;
        }
    }
    return ended;
}

static void warn(Recovery *recovery, const char *code, const char *message)
{
    bot_event_log_warn(recovery->log, code, message);
}

static void finalize(Recovery *recovery)
{
    g_autofree char *title = g_strdup_printf("%s (recovered)", recovery->config->bot_name);
    MediaFinalizeOptions options = {title, recovery->started_unix_ms};
    if (media_finalize(recovery->dir, &options, &recovery->finalized, &recovery->error)) {
        JsonObject *members = json_object_new();
        json_object_set_string_member(members, "op", "finalized");
        json_object_set_double_member(members, "at_s", recovery->finalized.duration_s);
        bot_event_log_emit(recovery->log, "recording", members);
    } else if (g_error_matches(recovery->error, MEDIA_ERROR, MEDIA_ERROR_NOTHING_RECORDED)) {
        recovery->nothing_recorded = true;
        g_clear_error(&recovery->error);
    } else {
        warn(recovery, "not_finalized", recovery->error->message);
    }
}

static void write_artifacts(Recovery *recovery)
{
    for (guint i = 0; i < recovery->speech->len; i++) {
        BotSpeechRow *row = &g_array_index(recovery->speech, BotSpeechRow, i);
        if (row->end_s < 0) {
            row->end_s = MAX(recovery->finalized.duration_s, row->start_s);
        }
    }
    g_autoptr(GError) error = NULL;
    bool written = recovery->nothing_recorded ||
                   (bot_artifacts_write_diarization(recovery->dir, recovery->speech,
                                                    recovery->roster, &error) &&
                    bot_artifacts_write_participants(recovery->dir, recovery->roster,
                                                     recovery->started_unix_ms * 1000, &error) &&
                    bot_artifacts_write_chat(recovery->dir, recovery->chat, &error));
    if (!written) {
        warn(recovery, "artifact_not_written", error->message);
        g_clear_error(&error);
    }
    g_autoptr(JsonArray) artifacts = bot_artifacts_describe_all(recovery->dir);
    const char *platform = NULL;
    platform_check_url(recovery->config->meeting_url, &platform, NULL, NULL);
    BotMetadata metadata = {
        .bot_id = recovery->config->bot_id,
        .platform = platform,
        .recording_started_unix_ms = recovery->started_unix_ms,
        .duration_s = recovery->finalized.duration_s,
        .end_reason = "meeting_error",
        .error = "The worker died; the recording was recovered.",
        .artifacts = artifacts,
    };
    if (!bot_artifacts_write_metadata(recovery->dir, &metadata, &error)) {
        warn(recovery, "artifact_not_written", error->message);
    }
}

static void on_given_up(const char *event, const char *reason, gpointer user_data)
{
    g_autofree char *message =
        g_strdup_printf("The webhook %s could not be delivered: %s", event, reason);
    warn(user_data, "webhook_given_up", message);
}

static void on_idle(gpointer user_data)
{
    ((Recovery *)user_data)->idle = true;
}

static void send_status(Recovery *recovery, BotWebhook *webhook, const char *code)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *created_at = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S.000Z");
    JsonObject *status = json_object_new();
    json_object_set_string_member(status, "code", code);
    json_object_set_string_member(status, "created_at", created_at);
    if (strcmp(code, "meeting_error") == 0) {
        json_object_set_string_member(status, "error_message", "The worker died.");
        json_object_set_string_member(status, "error_type", "internal");
    }
    JsonObject *data = json_object_new();
    json_object_set_string_member(data, "bot_id", recovery->config->bot_id);
    json_object_set_object_member(data, "status", status);
    bot_webhook_send(webhook, "bot.status_change", data);
}

static void send_final(Recovery *recovery, BotWebhook *webhook)
{
    JsonObject *data = json_object_new();
    json_object_set_string_member(data, "bot_id", recovery->config->bot_id);
    if (recovery->config->extra != NULL) {
        json_object_set_member(data, "extra", json_node_copy(recovery->config->extra));
    }
    if (recovery->finalized.path != NULL) {
        g_autofree char *uri = g_filename_to_uri(recovery->finalized.path, NULL, NULL);
        json_object_set_string_member(data, "event", "complete");
        json_object_set_string_member(data, "end_reason", "meeting_error");
        json_object_set_string_member(data, "mp4", uri != NULL ? uri : recovery->finalized.path);
        bot_webhook_send(webhook, "complete", data);
        return;
    }
    json_object_set_string_member(data, "error", "InternalError");
    json_object_set_string_member(data, "error_code", "internal_error");
    json_object_set_string_member(data, "message",
                                  recovery->error != NULL
                                      ? recovery->error->message
                                      : "The worker died before anything was recorded.");
    bot_webhook_send(webhook, "failed", data);
}

/* Returns false when something stayed undelivered. */
static bool report(Recovery *recovery, bool had_ended)
{
    if (recovery->config->webhook_url == NULL) {
        return true;
    }
    static const BotWebhookEvents events = {on_given_up, on_idle};
    g_autoptr(GError) error = NULL;
    g_autoptr(BotWebhook) webhook =
        bot_webhook_new(recovery->config->webhook_url, recovery->config->webhook_api_key,
                        recovery->dir, &events, recovery, &error);
    if (webhook == NULL) {
        warn(recovery, "webhook_spool", error->message);
        return false;
    }
    if (!had_ended) {
        send_status(recovery, webhook, "meeting_error");
        if (recovery->finalized.path != NULL) {
            send_status(recovery, webhook, "call_ended");
        }
        send_final(recovery, webhook);
    }
    bot_webhook_finish(webhook, DELIVER_WITHIN_S);
    while (!recovery->idle) {
        g_main_context_iteration(NULL, TRUE);
    }
    return bot_webhook_count_undelivered(webhook) == 0;
}

static void emit_ended(Recovery *recovery, BotExit exit)
{
    JsonObject *members = json_object_new();
    bool saved = recovery->finalized.path != NULL;
    json_object_set_string_member(members, "state", saved ? "ended" : "fatal_error");
    json_object_set_string_member(members, "error", "InternalError");
    json_object_set_string_member(members, "error_code", "internal_error");
    json_object_set_string_member(members, "message",
                                  saved ? "The worker died; the recording was recovered."
                                        : "The worker died; there was no recording to recover.");
    json_object_set_string_member(members, "end_reason", "meeting_error");
    json_object_set_int_member(members, "exit", exit);
    bot_event_log_emit(recovery->log, "ended", members);
}

static BotExit recover_folder(Recovery *recovery, BotFolder *folder)
{
    bool had_ended = replay_events(recovery);
    browser_profile_reap();
    finalize(recovery);
    if (!had_ended || recovery->finalized.path != NULL) {
        write_artifacts(recovery);
    }
    bool delivered = report(recovery, had_ended);
    BotExit exit = recovery->error != NULL                    ? BOT_EXIT_NOT_FINALIZED
                   : recovery->nothing_recorded && !had_ended ? BOT_EXIT_INTERNAL
                   : !delivered                               ? BOT_EXIT_NOT_DELIVERED
                                                              : BOT_EXIT_OK;
    if (!had_ended) {
        emit_ended(recovery, exit);
    }
    if (recovery->error == NULL && delivered) {
        bot_folder_forget_config(folder);
    }
    if (recovery->finalized.path != NULL) {
        g_message("recovered %.1f s: %s", recovery->finalized.duration_s, recovery->finalized.path);
    }
    return exit;
}

BotExit bot_recover(const char *output_dir)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BotFolder) folder = bot_folder_open(output_dir, false, &error);
    Recovery recovery = {.dir = output_dir};
    if (folder == NULL) {
        g_message("can't recover: %s", error->message);
        return BOT_EXIT_BAD_CONFIG;
    }
    recovery.config = bot_folder_load_config(folder, &error);
    if (recovery.config == NULL) {
        bool ended_well = g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
        g_message("%s: %s", output_dir,
                  ended_well ? "nothing to recover: no worker died in this folder"
                             : error->message);
        return ended_well ? BOT_EXIT_OK : BOT_EXIT_BAD_CONFIG;
    }
    recovery.events = bot_event_log_read(output_dir);
    recovery.log = bot_event_log_new(output_dir, -1, &error);
    if (recovery.log == NULL) {
        g_message("can't recover: %s", error->message);
        bot_config_free(recovery.config);
        json_array_unref(recovery.events);
        return BOT_EXIT_NOT_FINALIZED;
    }
    recovery.roster = bot_roster_new();
    recovery.speech = g_array_new(FALSE, TRUE, sizeof(BotSpeechRow));
    recovery.chat = g_array_new(FALSE, TRUE, sizeof(BotChatRow));
    g_array_set_clear_func(recovery.chat, bot_chat_row_clear);
    BotExit exit = recover_folder(&recovery, folder);
    bot_roster_free(recovery.roster);
    g_array_unref(recovery.speech);
    g_array_unref(recovery.chat);
    json_array_unref(recovery.events);
    bot_event_log_free(recovery.log);
    bot_config_free(recovery.config);
    media_finalized_clear(&recovery.finalized);
    g_clear_error(&recovery.error);
    return exit;
}
