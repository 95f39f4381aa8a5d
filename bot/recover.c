/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/recover.h"

#include "bot/control_link.h"
#include "bot/delivery.h"
#include "bot/folder.h"
#include "bot/reporter.h"
#include "platforms/browser/profile.h"
#include "platforms/json.h"
#include "platforms/platform.h"

#include <string.h>

#define DELIVER_WITHIN_S 150
#define WORKER_DIED "The worker died; the recording was recovered."

typedef struct {
    const char *dir;
    BotConfig *config;     /* owned */
    BotEventLog *log;      /* owned */
    JsonArray *events;     /* owned: what the dead worker reported */
    BotRoster *roster;     /* owned */
    GArray *speech;        /* BotSpeechRow */
    GArray *chat;          /* BotChatRow */
    BotGaps *gaps;         /* owned */
    GHashTable *uploaded;  /* owned names of artifacts that the store has */
    BotDelivery *delivery; /* owned */
    int64_t started_unix_ms;
    char *recording_url; /* owned: where the dead worker uploaded the recording to; NULL: nowhere */
    bool had_ended;      /* the worker reported its end: only delivery is left */
    bool undelivered;
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

static void replay_members(BotPerson *person, JsonArray *ids)
{
    g_clear_pointer(&person->members, g_array_unref);
    person->members = ids != NULL ? g_array_new(FALSE, FALSE, sizeof(uint32_t)) : NULL;
    for (guint i = 0; ids != NULL && i < json_array_get_length(ids); i++) {
        JsonNode *node = json_array_get_element(ids, i);
        uint32_t id = JSON_NODE_HOLDS_VALUE(node) ? (uint32_t)json_node_get_int(node) : 0;
        g_array_append_val(person->members, id);
    }
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
    replay_members(person, platform_json_array(event, "members"));
}

static void close_speech(Recovery *recovery, uint32_t id, double end_s)
{
    for (guint i = recovery->speech->len; i-- > 0;) {
        BotSpeechRow *row = &g_array_index(recovery->speech, BotSpeechRow, i);
        if (row->id == id && row->end_s < 0) {
            row->end_s = end_s;
            if (end_s <= row->start_s) {
                g_array_remove_index(recovery->speech, i); /* before the recording */
            }
            return;
        }
    }
}

static double seconds_since_start(const Recovery *recovery, JsonObject *event)
{
    double since_ms = get_double(event, "time", 0) - (double)recovery->started_unix_ms;
    return recovery->started_unix_ms > 0 ? MAX(since_ms, 0) / 1000 : 0;
}

static void replay_speech(Recovery *recovery, JsonObject *event)
{
    double at_s = get_double(event, "at_s", -1.0);
    uint32_t id = (uint32_t)get_double(event, "id", 0);
    if (id == 0) {
        return;
    }
    if (at_s < 0) { /* before the recording, or a voice that got its person */
        at_s = seconds_since_start(recovery, event);
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

static void replay_artifact(Recovery *recovery, JsonObject *event)
{
    const char *name = platform_json_string(event, "name", "");
    const char *url = platform_json_string(event, "url", "");
    if (url[0] != '\0') {
        g_hash_table_add(recovery->uploaded, g_strdup(name));
        if (g_str_has_prefix(name, "recording.")) {
            g_free(recovery->recording_url);
            recovery->recording_url = g_strdup(url);
        }
    }
}

static void replay_events(Recovery *recovery)
{
    for (guint i = 0; i < json_array_get_length(recovery->events); i++) {
        JsonObject *event = json_array_get_object_element(recovery->events, i);
        const char *type = platform_json_string(event, "type", "");
        bot_gaps_replay(recovery->gaps, event);
        if (strcmp(type, "participant") == 0) {
            replay_participant(recovery, event);
        } else if (strcmp(type, "speech") == 0) {
            replay_speech(recovery, event);
        } else if (strcmp(type, "chat") == 0) {
            replay_chat(recovery, event);
        } else if (strcmp(type, "recording") == 0 &&
                   strcmp(platform_json_string(event, "op", ""), "started") == 0) {
            recovery->started_unix_ms =
                (int64_t)get_double(event, "start_time", get_double(event, "time", 0));
        } else if (strcmp(type, "artifact") == 0) {
            replay_artifact(recovery, event);
        } else if (strcmp(type, "ended") == 0) {
            recovery->had_ended = true;
        } else if (strcmp(type, "state") == 0 &&
                   strcmp(platform_json_string(event, "event", ""), "join_requested") == 0) {
            recovery->had_ended = false; /* refused as a guest, it came again */
        }
    }
}

static void warn(Recovery *recovery, const char *code, const char *message)
{
    bot_event_log_warn(recovery->log, code, message);
}

static int by_start(gconstpointer a, gconstpointer b)
{
    int64_t first = ((const MediaSpeechSegment *)a)->start_ns;
    int64_t second = ((const MediaSpeechSegment *)b)->start_ns;
    return (first > second) - (first < second);
}

/* Who was still speaking when the worker died spoke to the end. */
static GArray *chapters(Recovery *recovery)
{
    g_autoptr(GArray) segments = g_array_new(FALSE, FALSE, sizeof(MediaSpeechSegment));
    for (guint i = 0; i < recovery->speech->len; i++) {
        const BotSpeechRow *row = &g_array_index(recovery->speech, BotSpeechRow, i);
        MediaSpeechSegment segment = {
            .participant_id = row->id,
            .start_ns = (int64_t)(row->start_s * 1e9),
            .end_ns = row->end_s >= 0 ? (int64_t)(row->end_s * 1e9) : INT64_MAX,
        };
        g_array_append_val(segments, segment);
    }
    g_array_sort(segments, by_start);
    return bot_artifacts_chapters(segments, recovery->roster);
}

/* --- delivery --- */

static void wait_until_idle(Recovery *recovery)
{
    while (!recovery->idle) {
        g_main_context_iteration(NULL, TRUE);
    }
    recovery->idle = false;
}

static void on_idle(gpointer user_data)
{
    ((Recovery *)user_data)->idle = true;
}

static void on_warning(const char *code, const char *message, gpointer user_data)
{
    warn(user_data, code, message);
}

static void on_describe(const MediaFinalized *finalized, BotMeetingRecord *ret_record,
                        gpointer user_data)
{
    Recovery *recovery = user_data;
    const char *platform = NULL;
    platform_check_url(recovery->config->meeting_url, &platform, NULL, NULL);
    for (guint i = 0; i < recovery->speech->len; i++) {
        BotSpeechRow *row = &g_array_index(recovery->speech, BotSpeechRow, i);
        if (row->end_s < 0) {
            row->end_s = MAX(finalized->duration_s, row->start_s);
        }
    }
    *ret_record = (BotMeetingRecord){
        .platform = platform,
        .started_unix_ms = recovery->started_unix_ms,
        .started_us = recovery->started_unix_ms * 1000,
        .end_reason = "meeting_error",
        .error = WORKER_DIED,
        .speech = g_array_ref(recovery->speech),
        .chat = recovery->chat,
        .roster = recovery->roster,
        .gaps = recovery->gaps,
    };
}

static void deliver(Recovery *recovery)
{
    static const BotDeliveryEvents events = {
        .on_describe = on_describe, .on_warning = on_warning, .on_delivered = on_idle};
    g_autofree char *title = g_strdup_printf("%s (recovered)", recovery->config->bot_name);
    BotDeliveryStart start = {
        .recorded = true,
        .may_be_empty = true,
        .keep_written = recovery->had_ended,
        .title = title,
        .started_unix_ms = recovery->started_unix_ms,
        .chapters = recovery->config->chapters ? chapters(recovery) : NULL,
        .uploaded = recovery->uploaded,
    };
    recovery->delivery = bot_delivery_new(recovery->config, recovery->log, &events, recovery);
    bot_delivery_start(recovery->delivery, &start);
    wait_until_idle(recovery);
}

static bool has_recording(const Recovery *recovery)
{
    return bot_delivery_get_recording(recovery->delivery)->path != NULL;
}

static void report_end(Recovery *recovery, BotReporter *reporter)
{
    const GError *lost = bot_delivery_get_error(recovery->delivery);
    BotStatusReport error = {
        .code = "meeting_error", .error_message = "The worker died.", .error_type = "internal"};
    bot_reporter_status(reporter, &error);
    if (!has_recording(recovery)) {
        BotFailedReport failed = {"InternalError", "internal_error",
                                  lost != NULL ? lost->message
                                               : "The worker died before anything was recorded."};
        bot_reporter_failed(reporter, &failed);
        return;
    }
    BotStatusReport ended = {.code = "call_ended"};
    bot_reporter_status(reporter, &ended);
    g_autofree char *url = recovery->recording_url != NULL
                               ? g_strdup(recovery->recording_url)
                               : bot_delivery_dup_url(recovery->delivery);
    g_autoptr(JsonArray) speakers = bot_artifacts_speaker_names(recovery->speech, recovery->roster);
    BotCompleteReport complete = {"meeting_error", url, speakers};
    bot_reporter_complete(reporter, &complete);
}

static void report(Recovery *recovery)
{
    static const BotReporterEvents events = {.on_warning = on_warning, .on_idle = on_idle};
    g_autoptr(BotReporter) reporter =
        bot_reporter_new(recovery->config, recovery->log, &events, recovery);
    if (!recovery->had_ended) {
        report_end(recovery, reporter);
    }
    bot_reporter_finish(reporter, DELIVER_WITHIN_S);
    if (!bot_reporter_is_idle(reporter)) {
        wait_until_idle(recovery);
    }
    recovery->undelivered = bot_reporter_has_undelivered(reporter);
}

/* --- the control link --- */

static void on_command(const char *id, const char *name, JsonObject *args, gpointer user_data)
{
    g_info("the command %s comes too late: this is a recovery", name);
}

static void on_link(bool up, gpointer user_data)
{
    g_debug("the orchestrator is %s", up ? "there" : "away");
}

static void on_link_warning(const char *code, const char *message, gpointer user_data)
{
    warn(user_data, code, message);
}

static gboolean on_told_too_late(gpointer user_data)
{
    Recovery *recovery = user_data;
    recovery->undelivered = true;
    recovery->idle = true;
    return G_SOURCE_CONTINUE;
}

static void on_event(gint64 seq, const char *event, gpointer user_data)
{
    bot_control_link_send_event(user_data, seq, event);
}

/* Whatever the orchestrator does not have yet, of the dead worker's events and of ours. */
static void tell_orchestrator(Recovery *recovery)
{
    static const BotControlLinkEvents events = {on_command, on_link, on_link_warning, on_idle};
    const BotConfig *config = recovery->config;
    BotControlLinkConfig link_config = {
        .url = config->control_url, .token = config->control_token, .worker_id = config->worker_id};
    g_autoptr(BotControlLink) link = bot_control_link_new(&link_config, &events, recovery);
    g_autofree char *path = bot_event_log_path(recovery->dir);
    bot_control_link_set_bot(link, config->bot_id, path, bot_event_log_get_last_seq(recovery->log));
    bot_event_log_set_sink(recovery->log, on_event, link);
    bot_control_link_start(link);
    bot_control_link_finish(link);
    guint late_id = g_timeout_add_seconds(DELIVER_WITHIN_S, on_told_too_late, recovery);
    wait_until_idle(recovery);
    g_source_remove(late_id);
    bot_event_log_set_sink(recovery->log, NULL, NULL);
}

static void emit_ended(Recovery *recovery, BotExit exit)
{
    JsonObject *members = json_object_new();
    bool saved = has_recording(recovery);
    json_object_set_string_member(members, "state", saved ? "ended" : "fatal_error");
    json_object_set_string_member(members, "error", "InternalError");
    json_object_set_string_member(members, "error_code", "internal_error");
    json_object_set_string_member(members, "message",
                                  saved ? WORKER_DIED
                                        : "The worker died; there was no recording to recover.");
    json_object_set_string_member(members, "end_reason", "meeting_error");
    json_object_set_array_member(members, "speakers",
                                 bot_artifacts_speaker_names(recovery->speech, recovery->roster));
    json_object_set_int_member(members, "exit", exit);
    bot_event_log_emit(recovery->log, "ended", members);
}

static bool is_undelivered(const Recovery *recovery)
{
    return recovery->undelivered || bot_delivery_is_incomplete(recovery->delivery);
}

static BotExit exit_code(const Recovery *recovery)
{
    if (bot_delivery_get_error(recovery->delivery) != NULL) {
        return BOT_EXIT_NOT_FINALIZED;
    }
    if (!has_recording(recovery) && !recovery->had_ended) {
        return BOT_EXIT_INTERNAL;
    }
    return is_undelivered(recovery) ? BOT_EXIT_NOT_DELIVERED : BOT_EXIT_OK;
}

static BotExit recover_folder(Recovery *recovery, BotFolder *folder)
{
    replay_events(recovery);
    browser_profile_reap();
    deliver(recovery);
    report(recovery);
    BotExit exit = exit_code(recovery);
    if (!recovery->had_ended) {
        emit_ended(recovery, exit);
    }
    if (recovery->config->control_url != NULL) {
        tell_orchestrator(recovery);
        exit = exit_code(recovery);
    }
    if (bot_delivery_get_error(recovery->delivery) == NULL && !is_undelivered(recovery)) {
        bot_folder_forget_config(folder);
    }
    if (has_recording(recovery)) {
        const MediaFinalized *recording = bot_delivery_get_recording(recovery->delivery);
        g_message("recovered %.1f s: %s", recording->duration_s, recording->path);
    }
    return exit;
}

static void recovery_clear(Recovery *recovery)
{
    bot_roster_free(recovery->roster);
    g_array_unref(recovery->speech);
    g_array_unref(recovery->chat);
    bot_gaps_free(recovery->gaps);
    g_hash_table_unref(recovery->uploaded);
    json_array_unref(recovery->events);
    g_clear_pointer(&recovery->delivery, bot_delivery_free);
    g_free(recovery->recording_url);
    bot_event_log_free(recovery->log);
    bot_config_free(recovery->config);
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
    JsonObject *proxy = recovery.config->proxy;
    if (proxy != NULL && !bot_config_use_proxy(proxy, &error)) {
        g_message("%s: %s", output_dir, error->message);
        bot_config_free(recovery.config);
        return BOT_EXIT_BAD_CONFIG;
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
    recovery.gaps = bot_gaps_new();
    recovery.chat = g_array_new(FALSE, TRUE, sizeof(BotChatRow));
    g_array_set_clear_func(recovery.chat, bot_chat_row_clear);
    recovery.uploaded = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    BotExit exit = recover_folder(&recovery, folder);
    recovery_clear(&recovery);
    return exit;
}
