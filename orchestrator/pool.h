/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include <json-glib/json-glib.h>
#include <sys/types.h>

/*
 * The worker processes: started as standbys in a session of their own, with a token and a name for
 * the control link, their log in a file; found again after a restart of the orchestrator by process
 * id and start time; and their end, told at once for children and within a second for those that an
 * earlier orchestrator started. A standby without a bot ends with the orchestrator (its standard
 * input does); a worker with a bot does not. Main thread only.
 */

typedef struct OrchPool OrchPool;
typedef struct OrchWorker OrchWorker;

typedef enum {
    ORCH_WORKER_STARTING,   /* its browser starts; it has not said hello */
    ORCH_WORKER_IDLE,       /* it stands by */
    ORCH_WORKER_BUSY,       /* it has a bot, or is being given one */
    ORCH_WORKER_RECOVERING, /* a --recover run for a bot */
    ORCH_WORKER_RETIRED,    /* a standby too many, told to go */
} OrchWorkerState;

typedef struct {
    /* The process is gone; @worker is freed after this. @exit: its exit code, -1 when a signal
     * ended it or nobody knows. */
    void (*on_gone)(OrchWorker *worker, int exit, gpointer user_data);
} OrchPoolEvents;

typedef struct {
    const char *executable;  /* steno-worker */
    const char *dir;         /* for logs and first configurations; made if need be */
    const char *control_url; /* where workers dial */
    JsonObject *browser;     /* nullable (transfer none): the browser part to start with */
    JsonObject *proxy;       /* likewise: the proxy part */
    const char *null_dir;    /* nullable: where null: meetings are; then no browser is started */
} OrchPoolConfig;

/** Strings are copied. Errors: G_IO_ERROR (the folder). */
OrchPool *orch_pool_new(const OrchPoolConfig *config, const OrchPoolEvents *events,
                        gpointer user_data, GError **error);
/** Standbys end; workers with a bot go on. */
void orch_pool_free(OrchPool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchPool, orch_pool_free)

/** A standby; borrowed. Errors: G_SPAWN_ERROR, G_IO_ERROR. */
OrchWorker *orch_pool_spawn(OrchPool *pool, GError **error);

/** `--recover` in @output_dir, with the token that the dead worker had; borrowed. */
OrchWorker *orch_pool_recover(OrchPool *pool, const char *bot_id, const char *output_dir,
                              const char *token_hash, GError **error);

/** A worker of an earlier orchestrator's; borrowed. NULL: that process is gone. */
OrchWorker *orch_pool_adopt(OrchPool *pool, const char *bot_id, const char *token_hash, pid_t pid,
                            gint64 started);

/** Borrowed; NULL: none. */
OrchWorker *orch_pool_find_token(OrchPool *pool, const char *token_hash);
OrchWorker *orch_pool_find_bot(OrchPool *pool, const char *bot_id);
/** The one that stands by longest; NULL: none does. */
OrchWorker *orch_pool_find_idle(OrchPool *pool);
guint orch_pool_count(OrchPool *pool, OrchWorkerState state);
/** Standbys go now; whoever has a bot is told to leave and to end within @grace_s. */
void orch_pool_stop_all(OrchPool *pool, guint grace_s);
/** Processes, whatever they do. */
guint orch_pool_size(OrchPool *pool);
/** Stop the workers that have been starting for longer than that. */
void orch_pool_stop_stuck(OrchPool *pool, guint longest_s);

/* --- one worker --- */

OrchWorkerState orch_worker_get_state(OrchWorker *worker);
const char *orch_worker_get_bot_id(OrchWorker *worker); /* borrowed; NULL: none */
const char *orch_worker_get_token_hash(OrchWorker *worker);
pid_t orch_worker_get_pid(OrchWorker *worker);
/** In clock ticks after boot, as /proc has it: with the pid it names one process for ever. */
gint64 orch_worker_get_started(OrchWorker *worker);

/** (transfer full): why its process ended, as it said itself; NULL: it did not. */
char *orch_worker_last_words(OrchWorker *worker);

/** It said hello without a bot. */
void orch_worker_set_idle(OrchWorker *worker);
/** A standby's link is lost: it counts as starting until it says hello again. */
void orch_worker_set_starting(OrchWorker *worker);
/** It gets this bot: its log moves to @output_dir/worker.log. */
void orch_worker_set_bot(OrchWorker *worker, const char *bot_id, const char *output_dir);
/** A standby that nobody needs. */
void orch_worker_retire(OrchWorker *worker, guint grace_s);
/** It is to go: SIGTERM now, SIGKILL to its whole group after @grace_s. on_gone follows. */
void orch_worker_stop(OrchWorker *worker, guint grace_s);

/** Of process @pid; 0: there is none, or it only waits to be reaped. */
gint64 orch_process_started(pid_t pid);
