/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/delivery.h"

#include "bot/upload.h"

struct BotDelivery {
    const BotConfig *config; /* borrowed */
    BotEventLog *log;        /* borrowed */
    BotDeliveryEvents events;
    gpointer user_data;
    GCancellable *freed; /* owned: of the finalizing that may outlive this */
    bool may_be_empty, keep_written, cut_short;

    MediaFinalized finalized;
    GError *error;        /* owned: why there is no recording */
    GHashTable *uploaded; /* borrowed; NULL: none */
    JsonArray *artifacts; /* owned: what there is to deliver; NULL: not yet */

    BotUploadAhead *ahead; /* owned; NULL: nothing is sent while it grows */
    BotUpload *upload;     /* owned; NULL: not under way */
    char *url;             /* owned: of the uploaded recording; NULL: nowhere */
    bool incomplete;

    BotConfig *credentials; /* borrowed from @all_credentials: the newest; NULL: none came */
    bool credentials_used;
    GPtrArray *all_credentials; /* owned BotConfig: what an upload uses stays until the end */
};

BotDelivery *bot_delivery_new(const BotConfig *config, BotEventLog *log,
                              const BotDeliveryEvents *events, gpointer user_data)
{
    BotDelivery *delivery = g_new0(BotDelivery, 1);
    delivery->config = config;
    delivery->log = log;
    delivery->events = *events;
    delivery->user_data = user_data;
    delivery->freed = g_cancellable_new();
    delivery->all_credentials = g_ptr_array_new_with_free_func((GDestroyNotify)bot_config_free);
    return delivery;
}

void bot_delivery_free(BotDelivery *delivery)
{
    g_cancellable_cancel(delivery->freed);
    g_object_unref(delivery->freed);
    g_clear_pointer(&delivery->ahead, bot_upload_ahead_free);
    g_clear_pointer(&delivery->upload, bot_upload_free);
    g_ptr_array_unref(delivery->all_credentials);
    g_clear_pointer(&delivery->artifacts, json_array_unref);
    media_finalized_clear(&delivery->finalized);
    g_clear_error(&delivery->error);
    g_free(delivery->url);
    g_free(delivery);
}

static void warn(BotDelivery *delivery, const char *code, const char *message)
{
    delivery->events.on_warning(code, message, delivery->user_data);
}

/* --- the files beside the recording --- */

static bool write_beside(BotDelivery *delivery, const BotMeetingRecord *record, GError **error)
{
    const char *dir = delivery->config->output_dir;
    return bot_artifacts_write_diarization(dir, record->speech, record->roster, error) &&
           bot_artifacts_write_participants(dir, record->roster, record->started_us, error) &&
           bot_artifacts_write_chat(dir, record->chat, error);
}

/* Names every file there is, and has each reported by an event. */
static void write_metadata(BotDelivery *delivery, const BotMeetingRecord *record)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonArray) gaps = bot_gaps_to_json(record->gaps);
    bot_artifacts_report(delivery->artifacts, delivery->log);
    BotMetadata metadata = {
        .bot_id = delivery->config->bot_id,
        .platform = record->platform,
        .recording_started_unix_ms = record->started_unix_ms,
        .duration_s = delivery->finalized.duration_s,
        .end_reason = record->end_reason,
        .error = delivery->error != NULL ? delivery->error->message : record->error,
        .gaps = gaps,
        .artifacts = delivery->artifacts,
    };
    if (!bot_artifacts_write_metadata(delivery->config->output_dir, &metadata, &error)) {
        warn(delivery, "artifact_not_written", error->message);
    }
}

static void write_files(BotDelivery *delivery, bool recorded)
{
    g_autoptr(GError) error = NULL;
    BotMeetingRecord record = {0};
    delivery->events.on_describe(&delivery->finalized, &record, delivery->user_data);
    if (recorded && !write_beside(delivery, &record, &error)) {
        warn(delivery, "artifact_not_written", error->message);
    }
    g_clear_pointer(&delivery->artifacts, json_array_unref);
    delivery->artifacts = bot_artifacts_describe_all(delivery->config->output_dir);
    write_metadata(delivery, &record);
    g_clear_pointer(&record.speech, g_array_unref);
}

void bot_delivery_write_only(BotDelivery *delivery)
{
    write_files(delivery, false);
}

/* --- uploading --- */

static void on_uploaded(const char *name, const char *url, gpointer user_data)
{
    BotDelivery *delivery = user_data;
    bot_artifacts_report_uploaded(delivery->artifacts, name, url, delivery->log);
    if (g_str_has_prefix(name, "recording.")) {
        g_free(delivery->url);
        delivery->url = g_strdup(url);
    }
}

/* The event goes to whoever holds the link; the command credentials brings the answer. */
static void on_credentials_needed(const char *reason, gpointer user_data)
{
    BotDelivery *delivery = user_data;
    JsonObject *members = json_object_new();
    json_object_set_string_member(members, "for", "upload");
    json_object_set_string_member(members, "message", reason);
    bot_event_log_emit(delivery->log, "credentials_needed", members);
    BotConfig *newer = delivery->credentials;
    if (newer != NULL && !delivery->credentials_used) {
        delivery->credentials_used = true;
        (void)bot_upload_answer(delivery->upload, &newer->upload);
    } else if (delivery->config->control_url == NULL) {
        (void)bot_upload_answer(delivery->upload, NULL);
    }
}

static void on_upload_done(const GError *error, gpointer user_data)
{
    BotDelivery *delivery = user_data;
    if (error != NULL) {
        delivery->incomplete = true;
        bool cut_short = g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
        g_autofree char *message = g_strdup_printf(
            "%s%s; steno-worker --recover %s tries again", error->message,
            cut_short ? " (the time to stop came first)" : "", delivery->config->output_dir);
        warn(delivery, "upload_failed", message);
    }
    g_clear_pointer(&delivery->upload, bot_upload_free);
    delivery->events.on_delivered(delivery->user_data);
}

/* What the store does not have yet; metadata.json last. */
static void choose_artifacts(BotDelivery *delivery)
{
    JsonObject *metadata = bot_artifacts_describe(delivery->config->output_dir, "metadata.json");
    if (metadata != NULL) {
        json_array_add_object_element(delivery->artifacts, metadata);
    }
    for (guint i = json_array_get_length(delivery->artifacts); i-- > 0;) {
        JsonObject *artifact = json_array_get_object_element(delivery->artifacts, i);
        const char *name = json_object_get_string_member(artifact, "name");
        if (delivery->uploaded != NULL && g_hash_table_contains(delivery->uploaded, name)) {
            json_array_remove_element(delivery->artifacts, i);
        }
    }
}

static void upload(BotDelivery *delivery)
{
    static const BotUploadEvents events = {.on_uploaded = on_uploaded,
                                           .on_credentials_needed = on_credentials_needed,
                                           .on_done = on_upload_done};
    if (!delivery->config->has_upload) {
        delivery->events.on_delivered(delivery->user_data);
        return;
    }
    choose_artifacts(delivery);
    delivery->credentials_used = delivery->credentials != NULL;
    const BotConfig *config =
        delivery->credentials != NULL ? delivery->credentials : delivery->config;
    delivery->upload =
        bot_upload_new(&config->upload, delivery->config->output_dir, delivery->artifacts,
                       g_steal_pointer(&delivery->ahead), &events, delivery);
    if (delivery->cut_short) {
        bot_upload_cancel(delivery->upload);
    }
}

void bot_delivery_send_ahead(BotDelivery *delivery)
{
    const BotConfig *config = delivery->config;
    if (config->has_upload && config->upload.store.put_url == NULL) {
        delivery->ahead = bot_upload_ahead_new(&config->upload.store, config->output_dir,
                                               BOT_UPLOAD_AHEAD_POLL_MS);
    }
}

void bot_delivery_cut_short(BotDelivery *delivery)
{
    delivery->cut_short = true;
    if (delivery->upload != NULL) {
        bot_upload_cancel(delivery->upload);
    }
}

void bot_delivery_set_credentials(BotDelivery *delivery, BotConfig *config)
{
    bool used = delivery->upload != NULL &&
                bot_upload_answer(delivery->upload, config != NULL ? &config->upload : NULL);
    if (config != NULL) {
        g_ptr_array_add(delivery->all_credentials, config);
        delivery->credentials = config;
        delivery->credentials_used = used;
    }
}

/* --- finalizing --- */

typedef struct {
    char *output_dir; /* owned, like all that follows */
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

static void take_finalized(BotDelivery *delivery, MediaFinalized *finalized)
{
    delivery->finalized = *finalized;
    *finalized = (MediaFinalized){0};
    JsonObject *members = json_object_new();
    json_object_set_string_member(members, "op", "finalized");
    json_object_set_double_member(members, "at_s", delivery->finalized.duration_s);
    bot_event_log_emit(delivery->log, "recording", members);
}

static void take_failure(BotDelivery *delivery, GError *error)
{
    bool empty = g_error_matches(error, MEDIA_ERROR, MEDIA_ERROR_NOTHING_RECORDED);
    if (empty && delivery->may_be_empty) {
        return;
    }
    warn(delivery, "not_finalized", error->message);
    delivery->error = g_error_copy(error);
}

static void deliver(BotDelivery *delivery, bool recorded)
{
    if (delivery->keep_written && delivery->finalized.path == NULL) {
        delivery->artifacts = bot_artifacts_describe_all(delivery->config->output_dir);
    } else {
        write_files(delivery, recorded);
    }
    upload(delivery);
}

static void on_finalized(GObject *source, GAsyncResult *result, gpointer user_data)
{
    FinalizeTask *work = g_task_get_task_data(G_TASK(result));
    g_autoptr(GError) error = NULL;
    bool good = g_task_propagate_boolean(G_TASK(result), &error);
    if (g_cancellable_is_cancelled(g_task_get_cancellable(G_TASK(result)))) {
        return; /* the delivery is gone */
    }
    BotDelivery *delivery = user_data;
    if (good) {
        take_finalized(delivery, &work->finalized);
    } else {
        take_failure(delivery, error);
    }
    deliver(delivery, delivery->finalized.path != NULL || delivery->error != NULL);
}

void bot_delivery_start(BotDelivery *delivery, const BotDeliveryStart *start)
{
    delivery->may_be_empty = start->may_be_empty;
    delivery->keep_written = start->keep_written;
    delivery->uploaded = start->uploaded;
    if (!start->recorded) {
        deliver(delivery, false);
        return;
    }
    FinalizeTask *work = g_new0(FinalizeTask, 1);
    work->output_dir = g_strdup(delivery->config->output_dir);
    work->title = g_strdup(start->title);
    work->created_unix_ms = start->started_unix_ms;
    work->chapters = start->chapters;
    g_autoptr(GTask) task = g_task_new(NULL, delivery->freed, on_finalized, delivery);
    g_task_set_check_cancellable(task, FALSE);
    g_task_set_task_data(task, work, finalize_task_free);
    g_task_run_in_thread(task, finalize_in_thread);
}

/* --- what came of it --- */

const GError *bot_delivery_get_error(const BotDelivery *delivery)
{
    return delivery->error;
}

const MediaFinalized *bot_delivery_get_recording(const BotDelivery *delivery)
{
    return &delivery->finalized;
}

char *bot_delivery_dup_url(const BotDelivery *delivery)
{
    if (delivery->url != NULL) {
        return g_strdup(delivery->url);
    }
    const char *path = delivery->finalized.path;
    char *local = path != NULL ? g_filename_to_uri(path, NULL, NULL) : NULL;
    return local != NULL ? local : g_strdup(path);
}

bool bot_delivery_is_incomplete(const BotDelivery *delivery)
{
    return delivery->incomplete;
}
