/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/store_sync.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#define BUSY_MS 5000

/* Reference counted: its thread may outlive the store. */
struct OrchStoreSync {
    char *path; /* owned */
    int log_fd;
    sqlite3 *checkpointer; /* owned; of whichever thread has set the next; NULL until needed */
    gint checkpointing;    /* atomic */
};

typedef struct {
    OrchStoreSync *sync; /* owned reference */
    bool checkpoint;
} Work;

static void set_error(GError **error, const char *path)
{
    int code = errno;
    g_set_error(error, G_IO_ERROR, (gint)g_io_error_from_errno(code), "%s: %s", path,
                g_strerror(code));
}

/* The log's name in its folder has to survive, too (fsync(2)). */
static bool sync_folder(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    if (!synced) {
        set_error(error, folder);
    }
    if (fd >= 0) {
        close(fd);
    }
    return synced;
}

OrchStoreSync *orch_store_sync_new(const char *path, GError **error)
{
    g_autofree char *log_path = g_strconcat(path, "-wal", NULL);
    int fd = open(log_path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        set_error(error, log_path);
        return NULL;
    }
    if (!sync_folder(path, error)) {
        close(fd);
        return NULL;
    }
    OrchStoreSync *sync = g_atomic_rc_box_new0(OrchStoreSync);
    sync->path = g_strdup(path);
    sync->log_fd = fd;
    return sync;
}

static void clear(gpointer data)
{
    OrchStoreSync *sync = data;
    close(sync->log_fd);
    sqlite3_close(sync->checkpointer);
    g_free(sync->path);
}

void orch_store_sync_free(OrchStoreSync *sync)
{
    g_atomic_rc_box_release_full(sync, clear);
}

bool orch_store_sync_now(OrchStoreSync *sync, GError **error)
{
    if (fdatasync(sync->log_fd) == 0) {
        return true;
    }
    set_error(error, sync->path);
    return false;
}

/* What fails here is tried again after the next sync; nothing is lost meanwhile but room. */
static void checkpoint(OrchStoreSync *sync)
{
    if (!g_atomic_int_compare_and_exchange(&sync->checkpointing, 0, 1)) {
        return;
    }
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (sync->checkpointer == NULL &&
        sqlite3_open_v2(sync->path, &sync->checkpointer, flags, NULL) == SQLITE_OK) {
        sqlite3_busy_timeout(sync->checkpointer, BUSY_MS);
    }
    int n_log = 0, n_moved = 0;
    int code = sqlite3_wal_checkpoint_v2(sync->checkpointer, NULL, SQLITE_CHECKPOINT_PASSIVE,
                                         &n_log, &n_moved);
    g_debug("checkpoint: %d of %d pages (%d)", n_moved, n_log, code);
    g_atomic_int_set(&sync->checkpointing, 0);
}

static void work_free(gpointer data)
{
    Work *work = data;
    orch_store_sync_free(work->sync);
    g_free(work);
}

static void sync_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    Work *work = data;
    GError *error = NULL;
    if (!orch_store_sync_now(work->sync, &error)) {
        g_task_return_error(task, error);
        return;
    }
    g_task_return_boolean(task, TRUE); /* nobody waits for what follows */
    if (work->checkpoint) {
        checkpoint(work->sync);
    }
}

void orch_store_sync_begin(OrchStoreSync *sync, bool also_checkpoint, GAsyncReadyCallback callback,
                           gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    Work *work = g_new0(Work, 1);
    work->sync = g_atomic_rc_box_acquire(sync);
    work->checkpoint = also_checkpoint;
    g_task_set_task_data(task, work, work_free);
    g_task_run_in_thread(task, sync_in_thread);
}

bool orch_store_sync_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}
