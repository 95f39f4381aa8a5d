/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/store.h"
#include "orchestrator/store_sync.h"

#include <sqlite3.h>

/*
 * What the files of the SQLite store share: statements, and records as tables of columns. A record
 * is read and written by walking its table, so that a field stands in one place.
 */

typedef struct {
    OrchStoreDurable callback;
    gpointer user_data;
} OrchStoreWaiter;

/* A sync under way, and who waits for it. */
typedef struct {
    OrchStore *store; /* borrowed; NULL once the waiters were told by somebody else */
    GArray *waiters;  /* owned */
} OrchSyncing;

struct OrchStore {
    sqlite3 *db;
    GHashTable *statements; /* owned: SQL -> sqlite3_stmt */
    GArray *waiters;        /* owned: of OrchStoreWaiter; for a commit */
    GArray *committed;      /* owned: likewise; for the sync that follows the one under way */
    OrchSyncing *syncing;   /* borrowed: its call owns it; NULL: no sync is under way */
    OrchStoreSync *sync;    /* owned */
    int log_pages;          /* of the write-ahead log */
    bool unsynced;          /* committed since the last sync began */
    guint commit_id;        /* source that commits, 0: none */
    bool in_transaction;
    bool wipe; /* something was deleted for good: the log must not keep it */
    guint depth;
};

typedef enum {
    ORCH_COLUMN_TEXT,  /* char *, owned */
    ORCH_COLUMN_INT64, /* gint64 */
    ORCH_COLUMN_ENUM,  /* an enum */
    ORCH_COLUMN_BOOL,
    ORCH_COLUMN_BLOB, /* GBytes *, owned */
} OrchColumnType;

typedef struct {
    const char *name;
    OrchColumnType type;
    gsize offset;
} OrchColumn;

#define ORCH_COLUMN(type, record, field)                                                           \
    {                                                                                              \
#field, ORCH_COLUMN_##type, G_STRUCT_OFFSET(record, field)                                 \
    }

/** A prepared statement, reset and without bindings; borrowed. NULL: logged, a bug or a bad disk.
 */
sqlite3_stmt *orch_sqlite_prepare(OrchStore *store, const char *sql);

/** Run a statement that writes: opens the group's transaction when none is open. */
bool orch_sqlite_run(OrchStore *store, sqlite3_stmt *statement, GError **error);

void orch_sqlite_bind_text(sqlite3_stmt *statement, int at, const char *value);

/** Bind @n columns of @record from place @at on; returns the place after them. */
int orch_sqlite_bind_record(sqlite3_stmt *statement, int at, const OrchColumn *columns, gsize n,
                            const void *record);
/** Read @n columns from column @at on into the zeroed @record; returns the column after them. */
int orch_sqlite_read_record(sqlite3_stmt *statement, int at, const OrchColumn *columns, gsize n,
                            void *record);

/** "a, b, c" of the columns' names; (transfer full). */
char *orch_sqlite_names(const OrchColumn *columns, gsize n);
/** INSERT of all @columns; run with orch_sqlite_bind_record from 1 on; (transfer full). */
char *orch_sqlite_insert_sql(const char *table, const OrchColumn *columns, gsize n);
/** UPDATE of all @columns where @key_column is the next place; (transfer full). */
char *orch_sqlite_update_sql(const char *table, const OrchColumn *columns, gsize n,
                             const char *key_column);
