/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/upload_ahead.h"

/*
 * Delivers a bot's artifacts to a store, in a thread of its own: the recording first, metadata.json
 * last, so that whoever sees it finds everything else. Made, cancelled and freed on the main
 * thread; its events come there.
 */

typedef struct BotUpload BotUpload;

typedef struct {
    BotStoreConfig store;
    bool delete_after; /* each local file goes once the store confirmed it */
} BotUploadConfig;

typedef struct {
    /* The store confirmed @name; @url is where it can be fetched. */
    void (*on_uploaded)(const char *name, const char *url, gpointer user_data);
    /* The last event. @error: why something was not delivered; its files are kept. */
    void (*on_done)(const GError *error, gpointer user_data);
    /* The store refuses the credentials: bot_upload_answer has to come, and the file is tried again
     * with what it brings; without an answer within a minute it stays. At most three times. NULL:
     * nobody can be asked. @reason: what the store said; no secret. */
    void (*on_credentials_needed)(const char *reason, gpointer user_data);
} BotUploadEvents;

/**
 * bot_upload_new:
 * @config: (transfer none): borrowed for the upload's life
 * @artifacts: (transfer none): [{name, bytes, sha256}]; to a presigned URL only the recording goes
 * @ahead: (transfer full) (nullable): what followed the recording, to be ended first
 */
BotUpload *bot_upload_new(const BotUploadConfig *config, const char *output_dir,
                          JsonArray *artifacts, BotUploadAhead *ahead,
                          const BotUploadEvents *events, gpointer user_data);

/**
 * bot_upload_answer:
 * @config: (transfer none): borrowed for the upload's life; NULL: there are no others
 *
 * What on_credentials_needed asked for, also from inside it. False: nothing was asked.
 */
bool bot_upload_answer(BotUpload *upload, const BotUploadConfig *config);

/** Stop soon; on_done comes with G_IO_ERROR_CANCELLED. What was sent in parts can be resumed. */
void bot_upload_cancel(BotUpload *upload);

/** Cancels, waits for the thread; no event comes after it. */
void bot_upload_free(BotUpload *upload);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BotUpload, bot_upload_free)
