/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/store_sqlite_priv.h"

#include <gio/gio.h>
#include <orchestrator_resources.h>
#include <string.h>

G_DEFINE_QUARK(orch_store_error, orch_store_error)

#define COMMIT_AFTER_MS 2
#define CHECKPOINT_PAGES 1000
#define BUSY_MS 5000
#define SCHEMA_VERSION 4

/* --- statements --- */

static void set_error(OrchStore *store, const char *what, GError **error)
{
    int code = sqlite3_extended_errcode(store->db);
    bool conflict = code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY;
    g_set_error(error, ORCH_STORE_ERROR, conflict ? ORCH_STORE_ERROR_CONFLICT : ORCH_STORE_ERROR_IO,
                "%s: %s", what, sqlite3_errmsg(store->db));
}

static void finalize(gpointer statement)
{
    sqlite3_finalize(statement);
}

sqlite3_stmt *orch_sqlite_prepare(OrchStore *store, const char *sql)
{
    sqlite3_stmt *statement = g_hash_table_lookup(store->statements, sql);
    if (statement != NULL) {
        sqlite3_reset(statement);
        sqlite3_clear_bindings(statement);
        return statement;
    }
    if (sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) !=
        SQLITE_OK) {
        g_critical("%s: %s", sql, sqlite3_errmsg(store->db));
        return NULL;
    }
    g_hash_table_insert(store->statements, g_strdup(sql), statement);
    return statement;
}

static bool run_text(OrchStore *store, const char *sql, GError **error)
{
    if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK) {
        return true;
    }
    set_error(store, sql, error);
    return false;
}

/* --- the group's transaction --- */

/* @waiters: (transfer full) */
static void tell_waiters(GArray *waiters, const GError *error)
{
    for (guint i = 0; i < waiters->len; i++) {
        OrchStoreWaiter *waiter = &g_array_index(waiters, OrchStoreWaiter, i);
        waiter->callback(error, waiter->user_data);
    }
    g_array_unref(waiters);
}

static GArray *new_waiters(void)
{
    return g_array_new(FALSE, FALSE, sizeof(OrchStoreWaiter));
}

/* Returns (transfer full): who waits at @place, where nobody waits any more. */
static GArray *take_waiters(GArray **place)
{
    GArray *waiters = *place;
    *place = new_waiters();
    return waiters;
}

static bool commit_transaction(OrchStore *store, GError **error)
{
    if (!store->in_transaction) {
        return true;
    }
    store->in_transaction = false;
    if (!run_text(store, "COMMIT", error)) {
        (void)run_text(store, "ROLLBACK", NULL);
        return false;
    }
    if (store->wipe) {
        store->wipe = false;
        (void)run_text(store, "PRAGMA wal_checkpoint(TRUNCATE)", NULL);
    }
    return true;
}

/* Everybody who waits, whatever for. */
static void tell_all(OrchStore *store, const GError *error)
{
    g_autoptr(GPtrArray) groups = g_ptr_array_new();
    if (store->syncing != NULL) {
        g_ptr_array_add(groups, g_steal_pointer(&store->syncing->waiters));
        store->syncing->store = NULL;
        store->syncing = NULL;
    }
    g_ptr_array_add(groups, take_waiters(&store->committed));
    g_ptr_array_add(groups, take_waiters(&store->waiters));
    for (guint i = 0; i < groups->len; i++) {
        tell_waiters(g_ptr_array_index(groups, i), error);
    }
}

bool orch_store_commit(OrchStore *store, GError **error)
{
    g_assert(store->depth == 0);
    g_clear_handle_id(&store->commit_id, g_source_remove);
    g_autoptr(GError) failure = NULL;
    bool committed =
        commit_transaction(store, &failure) && orch_store_sync_now(store->sync, &failure);
    store->unsynced = false;
    tell_all(store, failure);
    if (!committed) {
        g_propagate_error(error, g_steal_pointer(&failure));
    }
    return committed;
}

static void start_sync(OrchStore *store);

static void on_synced(GObject *source, GAsyncResult *result, gpointer user_data)
{
    OrchSyncing *syncing = user_data;
    OrchStore *store = syncing->store;
    g_autoptr(GError) error = NULL;
    if (!orch_store_sync_finish(result, &error)) {
        g_critical("what came last may be lost: %s", error->message);
    }
    if (store != NULL) {
        store->syncing = NULL;
        if (store->committed->len > 0) {
            start_sync(store);
        }
        tell_waiters(syncing->waiters, error);
    }
    g_free(syncing);
}

static void start_sync(OrchStore *store)
{
    OrchSyncing *syncing = g_new0(OrchSyncing, 1);
    syncing->store = store;
    syncing->waiters = take_waiters(&store->committed);
    store->syncing = syncing;
    store->unsynced = false;
    orch_store_sync_begin(store->sync, store->log_pages >= CHECKPOINT_PAGES, on_synced, syncing);
}

static gboolean on_commit(gpointer user_data)
{
    OrchStore *store = user_data;
    store->commit_id = 0;
    g_autoptr(GError) error = NULL;
    store->unsynced |= store->in_transaction;
    g_autoptr(GArray) waiters = take_waiters(&store->waiters);
    if (!commit_transaction(store, &error)) {
        g_warning("what came last could not be stored: %s", error->message);
        tell_waiters(g_steal_pointer(&waiters), error);
    } else if (!store->unsynced && store->syncing == NULL) {
        tell_waiters(g_steal_pointer(&waiters), NULL);
    } else {
        g_array_append_vals(store->committed, waiters->data, waiters->len);
        if (store->syncing == NULL) {
            start_sync(store);
        }
    }
    return G_SOURCE_REMOVE;
}

/* A timer and not an idle source: under load the loop is never idle. */
static void commit_soon(OrchStore *store)
{
    if (store->commit_id == 0) {
        store->commit_id =
            g_timeout_add_full(G_PRIORITY_DEFAULT, COMMIT_AFTER_MS, on_commit, store, NULL);
    }
}

void orch_store_when_durable(OrchStore *store, OrchStoreDurable callback, gpointer user_data)
{
    OrchStoreWaiter waiter = {callback, user_data};
    g_array_append_val(store->waiters, waiter);
    commit_soon(store);
}

static bool open_transaction(OrchStore *store, GError **error)
{
    if (!store->in_transaction) {
        if (!run_text(store, "BEGIN IMMEDIATE", error)) {
            return false;
        }
        store->in_transaction = true;
    }
    commit_soon(store);
    return true;
}

void orch_store_begin(OrchStore *store)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *sql = g_strdup_printf("SAVEPOINT s%u", store->depth);
    store->depth++;
    if (!open_transaction(store, &error) || !run_text(store, sql, &error)) {
        g_warning("%s", error->message); /* the writes that follow fail and say so */
    }
}

bool orch_store_end(OrchStore *store, bool keep, GError **error)
{
    g_assert(store->depth > 0);
    store->depth--;
    g_autofree char *back = g_strdup_printf("ROLLBACK TO s%u", store->depth);
    g_autofree char *release = g_strdup_printf("RELEASE s%u", store->depth);
    if (!keep) {
        (void)run_text(store, back, NULL);
    }
    return run_text(store, release, error);
}

bool orch_sqlite_run(OrchStore *store, sqlite3_stmt *statement, GError **error)
{
    if (statement == NULL || !open_transaction(store, error)) {
        if (error != NULL && *error == NULL) {
            g_set_error(error, ORCH_STORE_ERROR, ORCH_STORE_ERROR_IO, "no such statement");
        }
        return false;
    }
    bool done = sqlite3_step(statement) == SQLITE_DONE;
    if (!done) {
        set_error(store, "store", error);
    }
    sqlite3_reset(statement);
    return done;
}

/* --- records --- */

void orch_sqlite_bind_text(sqlite3_stmt *statement, int at, const char *value)
{
    if (value != NULL) {
        sqlite3_bind_text(statement, at, value, -1, SQLITE_TRANSIENT);
    } else {
        sqlite3_bind_null(statement, at);
    }
}

static void bind_blob(sqlite3_stmt *statement, int at, GBytes *bytes)
{
    gsize size = 0;
    const void *data = bytes != NULL ? g_bytes_get_data(bytes, &size) : NULL;
    sqlite3_bind_blob64(statement, at, data != NULL ? data : "", size, SQLITE_TRANSIENT);
}

int orch_sqlite_bind_record(sqlite3_stmt *statement, int at, const OrchColumn *columns, gsize n,
                            const void *record)
{
    for (gsize i = 0; i < n; i++, at++) {
        const void *field = (const char *)record + columns[i].offset;
        switch (columns[i].type) {
        case ORCH_COLUMN_TEXT:
            orch_sqlite_bind_text(statement, at, *(char *const *)field);
            break;
        case ORCH_COLUMN_INT64:
            sqlite3_bind_int64(statement, at, *(const gint64 *)field);
            break;
        case ORCH_COLUMN_ENUM:
            sqlite3_bind_int(statement, at, *(const int *)field);
            break;
        case ORCH_COLUMN_BOOL:
            sqlite3_bind_int(statement, at, *(const bool *)field);
            break;
        case ORCH_COLUMN_BLOB:
            bind_blob(statement, at, *(GBytes *const *)field);
            break;
        }
    }
    return at;
}

int orch_sqlite_read_record(sqlite3_stmt *statement, int at, const OrchColumn *columns, gsize n,
                            void *record)
{
    for (gsize i = 0; i < n; i++, at++) {
        void *field = (char *)record + columns[i].offset;
        switch (columns[i].type) {
        case ORCH_COLUMN_TEXT:
            *(char **)field = g_strdup((const char *)sqlite3_column_text(statement, at));
            break;
        case ORCH_COLUMN_INT64:
            *(gint64 *)field = sqlite3_column_int64(statement, at);
            break;
        case ORCH_COLUMN_ENUM:
            *(int *)field = sqlite3_column_int(statement, at);
            break;
        case ORCH_COLUMN_BOOL:
            *(bool *)field = sqlite3_column_int(statement, at) != 0;
            break;
        case ORCH_COLUMN_BLOB:
            *(GBytes **)field = g_bytes_new(sqlite3_column_blob(statement, at),
                                            (gsize)sqlite3_column_bytes(statement, at));
            break;
        }
    }
    return at;
}

char *orch_sqlite_names(const OrchColumn *columns, gsize n)
{
    GString *names = g_string_new(NULL);
    for (gsize i = 0; i < n; i++) {
        g_string_append_printf(names, "%s%s", i > 0 ? ", " : "", columns[i].name);
    }
    return g_string_free(names, FALSE);
}

char *orch_sqlite_insert_sql(const char *table, const OrchColumn *columns, gsize n)
{
    g_autofree char *names = orch_sqlite_names(columns, n);
    GString *sql = g_string_new(NULL);
    g_string_append_printf(sql, "INSERT INTO %s (%s) VALUES (", table, names);
    for (gsize i = 0; i < n; i++) {
        g_string_append(sql, i > 0 ? ", ?" : "?");
    }
    return g_string_free(g_string_append_c(sql, ')'), FALSE);
}

char *orch_sqlite_update_sql(const char *table, const OrchColumn *columns, gsize n,
                             const char *key_column)
{
    GString *sql = g_string_new(NULL);
    g_string_append_printf(sql, "UPDATE %s SET ", table);
    for (gsize i = 0; i < n; i++) {
        g_string_append_printf(sql, "%s%s = ?", i > 0 ? ", " : "", columns[i].name);
    }
    g_string_append_printf(sql, " WHERE %s = ?", key_column);
    return g_string_free(sql, FALSE);
}

/* --- opening --- */

/* fold(text): without case, in every script. */
static void fold(sqlite3_context *context, int n, sqlite3_value **values)
{
    const char *text = (const char *)sqlite3_value_text(values[0]);
    g_autofree char *valid = text != NULL ? g_utf8_make_valid(text, -1) : NULL;
    if (valid == NULL) {
        sqlite3_result_null(context);
        return;
    }
    sqlite3_result_text(context, g_utf8_casefold(valid, -1), -1, g_free);
}

/* meeting_of(url): as in the bots' own column. */
static void meeting_of(sqlite3_context *context, int n, sqlite3_value **values)
{
    (void)n;
    const char *url = (const char *)sqlite3_value_text(values[0]);
    if (url == NULL) {
        sqlite3_result_null(context);
        return;
    }
    sqlite3_result_text(context, orch_bot_meeting_of(url), -1, g_free);
}

static int schema_version(OrchStore *store)
{
    sqlite3_stmt *statement = orch_sqlite_prepare(store, "PRAGMA user_version");
    int version = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int(statement, 0) : 0;
    sqlite3_reset(statement);
    return version;
}

static bool migrate_one(OrchStore *store, int to, GError **error)
{
    g_autofree char *path = g_strdup_printf("/steno/orchestrator/schema-%d.sql", to);
    g_autoptr(GBytes) bytes = g_resource_lookup_data(orchestrator_get_resource(), path, 0, error);
    if (bytes == NULL) {
        return false;
    }
    g_autofree char *text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    g_autofree char *mark = g_strdup_printf("PRAGMA user_version = %d", to);
    if (run_text(store, text, error) && run_text(store, mark, error)) {
        return true;
    }
    g_prefix_error(error, "schema version %d: ", to);
    return false;
}

/* Whoever opens first migrates; the lock keeps a second process out until it is done. */
static bool migrate(OrchStore *store, GError **error)
{
    if (!run_text(store, "BEGIN IMMEDIATE", error)) {
        return false;
    }
    int version = schema_version(store);
    if (version > SCHEMA_VERSION) {
        (void)run_text(store, "ROLLBACK", NULL);
        g_set_error(error, ORCH_STORE_ERROR, ORCH_STORE_ERROR_VERSION,
                    "the data is of version %d, this program knows up to %d: use a newer one",
                    version, SCHEMA_VERSION);
        return false;
    }
    while (version < SCHEMA_VERSION) {
        if (!migrate_one(store, ++version, error)) {
            (void)run_text(store, "ROLLBACK", NULL);
            return false;
        }
    }
    return run_text(store, "COMMIT", error);
}

static int on_log_grown(gpointer user_data, sqlite3 *db, const char *name, int n_pages)
{
    ((OrchStore *)user_data)->log_pages = n_pages;
    return SQLITE_OK;
}

OrchStore *orch_store_open(const char *path, GError **error)
{
    g_autoptr(OrchStore) store = g_new0(OrchStore, 1);
    store->statements = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, finalize);
    store->waiters = new_waiters();
    store->committed = new_waiters();
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &store->db, flags, NULL) != SQLITE_OK) {
        g_set_error(error, ORCH_STORE_ERROR, ORCH_STORE_ERROR_OPEN, "%s: %s", path,
                    sqlite3_errmsg(store->db));
        return NULL;
    }
    sqlite3_busy_timeout(store->db, BUSY_MS);
    sqlite3_extended_result_codes(store->db, 1);
    sqlite3_create_function(store->db, "fold", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, fold,
                            NULL, NULL);
    sqlite3_create_function(store->db, "meeting_of", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
                            meeting_of, NULL, NULL);
    if (!run_text(store,
                  "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                  "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON",
                  error) ||
        !migrate(store, error)) {
        g_prefix_error(error, "%s: ", path);
        return NULL;
    }
    /* Commits do not wait for the disk, nor move the log into the database: see store_sync.h. */
    sqlite3_wal_hook(store->db, on_log_grown, store);
    store->sync = orch_store_sync_new(path, error);
    return store->sync != NULL ? g_steal_pointer(&store) : NULL;
}

void orch_store_close(OrchStore *store)
{
    g_autoptr(GError) error = NULL;
    if (store->sync != NULL && !orch_store_commit(store, &error)) {
        g_warning("what came last could not be stored: %s", error->message);
    }
    g_clear_handle_id(&store->commit_id, g_source_remove);
    g_hash_table_unref(store->statements);
    g_array_unref(store->waiters);
    g_array_unref(store->committed);
    sqlite3_close(store->db);
    g_clear_pointer(&store->sync, orch_store_sync_free);
    g_free(store);
}
