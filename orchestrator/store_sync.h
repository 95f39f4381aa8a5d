/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/*
 * Makes what SQLite committed durable, away from the main thread: with PRAGMA synchronous = NORMAL
 * a COMMIT only writes to the write-ahead log, whose frames carry checksums; here the log is synced
 * (fdatasync), and moved into the database when it has grown (a passive checkpoint on a connection
 * of its own, which hinders nobody). So neither requests nor links wait for the disk.
 *
 * Main thread only, but for what it does in its own.
 */

typedef struct OrchStoreSync OrchStoreSync;

/** @path: of the database, whose log exists. Errors: G_IO_ERROR. */
OrchStoreSync *orch_store_sync_new(const char *path, GError **error);
/** A sync under way still ends; its callback comes. */
void orch_store_sync_free(OrchStoreSync *sync);

/**
 * orch_store_sync_begin:
 * @also_checkpoint: the log has grown: move it into the database afterwards
 * @callback: gets a result for orch_store_sync_finish, always from the main context
 *
 * Sync what was committed until now; one at a time.
 */
void orch_store_sync_begin(OrchStoreSync *sync, bool also_checkpoint, GAsyncReadyCallback callback,
                           gpointer user_data);
bool orch_store_sync_finish(GAsyncResult *result, GError **error);

/** The same at once, and here. */
bool orch_store_sync_now(OrchStoreSync *sync, GError **error);
