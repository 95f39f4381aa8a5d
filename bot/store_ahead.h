/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/store.h"

/*
 * A file that is sent to a bucket while it grows at its end. Parts of an upload may come in any
 * order, and the first may be of any length: so the beginning is kept back, whose header may be
 * another one in the end, and bot_store_put sends it with what is still missing then. It compares
 * what was sent with the finished file, and sends that whole if anything differs.
 */

typedef struct BotStoreAhead BotStoreAhead;

/** The length of a part: the least that S3 takes, 11 minutes of an MP3 at 64 kbit/s and 3 of
 *  audio.wav. */
#define BOT_STORE_AHEAD_PART (5 * 1024 * 1024)
/** By as much of its beginning the growing file is found again in the finished one. */
#define BOT_STORE_AHEAD_HEAD 1024
/** As much must follow a part before it is sent: the end of a file may still be cut. */
#define BOT_STORE_AHEAD_MARGIN (256 * 1024)

/**
 * bot_store_ahead_new:
 * @store: (transfer none): of a bucket; borrowed for the object's life
 * @path: (nullable): of the growing file, which needs not be there yet; NULL: its parts are pushed
 * @name: of the finished one in the bucket, after the prefix
 * @state_path: remembers what was sent, for bot_store_put. What it remembers of an earlier file is
 *   dropped with the first part.
 *
 * Thread: the store's. No I/O.
 */
BotStoreAhead *bot_store_ahead_new(BotStore *store, const char *path, const char *name,
                                   const char *state_path);
/** What was sent stays, for bot_store_put. */
void bot_store_ahead_free(BotStoreAhead *ahead);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BotStoreAhead, bot_store_ahead_free)

/**
 * bot_store_ahead_push:
 * @head: the growing file's first BOT_STORE_AHEAD_HEAD bytes
 * @part: its next BOT_STORE_AHEAD_PART bytes; the first such part is never given
 *
 * Send the next part. After BOT_STORE_ERROR_UNAVAILABLE the same is to be given again.
 *
 * Errors: as bot_store_ahead_send.
 */
bool bot_store_ahead_push(BotStoreAhead *ahead, GBytes *head, GBytes *part,
                          GCancellable *cancellable, GError **error);

/**
 * bot_store_ahead_send:
 * @ret_sent: (out): false: no further part is whole yet
 *
 * Send the next part from the file at path. After an error it can be tried again: the same part
 * goes then.
 *
 * Errors: BOT_STORE_ERROR (of them only _UNAVAILABLE passes), G_IO_ERROR_CANCELLED, G_FILE_ERROR.
 */
bool bot_store_ahead_send(BotStoreAhead *ahead, GCancellable *cancellable, bool *ret_sent,
                          GError **error);

/**
 * bot_store_ahead_drop:
 * @state_path: of a BotStoreAhead, whose file never was or will be put
 *
 * Have the store delete what was sent, and forget it. Also true when there is nothing, and when the
 * store refuses, which no later try would change.
 *
 * Errors: BOT_STORE_ERROR_UNAVAILABLE, G_IO_ERROR_CANCELLED; then it is still remembered.
 */
bool bot_store_ahead_drop(BotStore *store, const char *state_path, GCancellable *cancellable,
                          GError **error);

/** Whether the store takes parts of any length, so that the first one may have another than the
 *  rest. No I/O. */
bool bot_store_ahead_takes_uneven(const BotStoreConfig *config);
