/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/store_ahead.h"

/*
 * Sends to a bucket, in a thread of its own, what a recording writes while it writes it, so that
 * little is left for the end. It only reads: nothing waits for it, and a store that is away or says
 * no costs nothing but the head start. What may go ahead is media_growing_files(). Made and freed
 * on any thread.
 */

typedef struct BotUploadAhead BotUploadAhead;

/** How often the files are looked at; when the store is away ever more rarely, down to a
 *  BOT_UPLOAD_AHEAD_SLOWEST-th of it. */
#define BOT_UPLOAD_AHEAD_POLL_MS 15000
#define BOT_UPLOAD_AHEAD_SLOWEST 20

/** @config: (transfer none): of a bucket; borrowed for the object's life */
BotUploadAhead *bot_upload_ahead_new(const BotStoreConfig *config, const char *output_dir,
                                     guint poll_ms);

/** Cuts off the part that is under way and waits for the thread. What was sent is remembered beside
 *  the files, for the final upload. */
void bot_upload_ahead_free(BotUploadAhead *ahead);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BotUploadAhead, bot_upload_ahead_free)

/** Returns (transfer full) (nullable): where it is remembered what was sent ahead of the artifact
 *  @name; NULL: of such a one nothing ever is. */
char *bot_upload_ahead_state_path(const char *output_dir, const char *name);

/** Have deleted what was sent ahead of files that there will never be. Blocks. */
void bot_upload_ahead_drop(BotStore *store, const char *output_dir, GCancellable *cancellable);
