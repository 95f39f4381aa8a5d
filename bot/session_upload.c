/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/session_priv.h"

static void on_uploaded(const char *name, const char *url, gpointer user_data)
{
    BotSession *session = user_data;
    bot_artifacts_report_uploaded(session->artifacts, name, url, session->log);
    if (g_str_has_prefix(name, "recording.")) {
        g_free(session->recording_url);
        session->recording_url = g_strdup(url);
    }
}

/* The event goes to whoever holds the link; the command credentials brings the answer. */
static void on_credentials_needed(const char *reason, gpointer user_data)
{
    BotSession *session = user_data;
    JsonObject *members = json_object_new();
    json_object_set_string_member(members, "for", "upload");
    json_object_set_string_member(members, "message", reason);
    bot_event_log_emit(session->log, "credentials_needed", members);
    bool asked = session->config->control_url != NULL;
    BotConfig *newer = session->credentials;
    if (newer != NULL && !session->credentials_used) {
        session->credentials_used = true;
        (void)bot_upload_answer(session->upload, &newer->upload);
    } else if (!asked) {
        (void)bot_upload_answer(session->upload, NULL);
    }
}

void bot_session_set_credentials(BotSession *session, BotConfig *config)
{
    bool used = session->upload != NULL &&
                bot_upload_answer(session->upload, config != NULL ? &config->upload : NULL);
    if (config != NULL) {
        /* what is in use stays until the end: the upload's thread has it */
        g_ptr_array_add(session->old_credentials, config);
        session->credentials = config;
        session->credentials_used = used;
    }
}

static void on_done(const GError *error, gpointer user_data)
{
    BotSession *session = user_data;
    if (error != NULL) {
        session->undelivered = true;
        bool cut_short = g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
        g_autofree char *message = g_strdup_printf(
            "%s%s; steno-worker --recover %s tries again", error->message,
            cut_short ? " (the time to stop came first)" : "", session->config->output_dir);
        bot_session_warn(session, "upload_failed", message);
    }
    g_clear_pointer(&session->upload, bot_upload_free);
    bot_session_delivered(session);
}

void bot_session_upload_ahead(BotSession *session)
{
    const BotConfig *config = session->config;
    if (config->has_upload && config->upload.store.put_url == NULL) {
        session->ahead = bot_upload_ahead_new(&config->upload.store, config->output_dir,
                                              BOT_UPLOAD_AHEAD_POLL_MS);
    }
}

bool bot_session_upload(BotSession *session, JsonArray *artifacts)
{
    static const BotUploadEvents events = {.on_uploaded = on_uploaded,
                                           .on_credentials_needed = on_credentials_needed,
                                           .on_done = on_done};
    if (!session->config->has_upload) {
        return false;
    }
    session->artifacts = json_array_ref(artifacts);
    JsonObject *metadata = bot_artifacts_describe(session->config->output_dir, "metadata.json");
    if (metadata != NULL) {
        json_array_add_object_element(session->artifacts, metadata);
    }
    session->credentials_used = session->credentials != NULL;
    const BotUploadConfig *upload =
        session->credentials != NULL ? &session->credentials->upload : &session->config->upload;
    session->upload = bot_upload_new(upload, session->config->output_dir, session->artifacts,
                                     g_steal_pointer(&session->ahead), &events, session);
    if (session->at_once) {
        bot_upload_cancel(session->upload);
    }
    return true;
}
