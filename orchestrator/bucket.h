/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/config.h"

#include <gio/gio.h>

/*
 * The bucket that the workers upload to, where worker_defaults.upload.s3 names one: links into it,
 * and deleting what it holds of a bot. Each bot's objects stand under their own prefix, the
 * configured one and the bot's id. Main thread only; requests run in threads of their own.
 */

typedef struct OrchBucket OrchBucket;

/** Returns (transfer full): NULL when files stay on this machine. */
OrchBucket *orch_bucket_new(const OrchConfig *config);
/** Cancels what runs and waits for it; its callbacks come. @bucket: (nullable) */
void orch_bucket_stop(OrchBucket *bucket);
/** The same, and frees it. @bucket: (nullable) */
void orch_bucket_free(OrchBucket *bucket);

/** What stands before the names of @bot_id's objects; @defaults: worker_defaults. (transfer full),
 *  NULL without a bucket. */
char *orch_bucket_prefix(JsonObject *defaults, const char *bot_id);

/** Returns (transfer full): a link to @name, good for @expires_s from now on. */
char *orch_bucket_link(const OrchBucket *bucket, const char *bot_id, const char *name,
                       guint expires_s);
/** Whether @url, which a worker reported, leads to @name in this bucket, however it was signed. */
bool orch_bucket_holds(const OrchBucket *bucket, const char *bot_id, const char *name,
                       const char *url);

/** @n: how many objects there were. @error: why some of them may be left, G_IO_ERROR_CANCELLED when
 *  the bucket was stopped; NULL: none is. */
typedef void (*OrchBucketCleared)(guint n, const GError *error, gpointer user_data);

/**
 * orch_bucket_clear:
 * @within_s: then it is cancelled
 *
 * Delete everything of @bot_id. Calls back once, later.
 */
void orch_bucket_clear(OrchBucket *bucket, const char *bot_id, guint within_s,
                       OrchBucketCleared cleared, gpointer user_data);
