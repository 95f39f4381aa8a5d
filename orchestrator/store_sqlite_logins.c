/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/store_sqlite_priv.h"

static const OrchColumn columns[] = {
    ORCH_COLUMN(TEXT, OrchLoginMark, name),
    ORCH_COLUMN(INT64, OrchLoginMark, since_ms),
    ORCH_COLUMN(TEXT, OrchLoginMark, reason),
    ORCH_COLUMN(TEXT, OrchLoginMark, stamp),
};

bool orch_store_login_mark_set(OrchStore *store, const OrchLoginMark *mark, GError **error)
{
    sqlite3_stmt *statement = orch_sqlite_prepare(
        store, "INSERT OR REPLACE INTO login_marks (name, since_ms, reason, stamp)"
               " VALUES (?, ?, ?, ?)");
    orch_sqlite_bind_record(statement, 1, columns, G_N_ELEMENTS(columns), mark);
    return orch_sqlite_run(store, statement, error);
}

GPtrArray *orch_store_login_marks(OrchStore *store)
{
    sqlite3_stmt *statement = orch_sqlite_prepare(
        store, "SELECT name, since_ms, reason, stamp FROM login_marks ORDER BY name");
    GPtrArray *marks = g_ptr_array_new_with_free_func((GDestroyNotify)orch_login_mark_free);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        OrchLoginMark *mark = g_new0(OrchLoginMark, 1);
        orch_sqlite_read_record(statement, 0, columns, G_N_ELEMENTS(columns), mark);
        g_ptr_array_add(marks, mark);
    }
    sqlite3_reset(statement);
    return marks;
}

bool orch_store_login_mark_remove(OrchStore *store, const char *name, GError **error)
{
    sqlite3_stmt *statement = orch_sqlite_prepare(store, "DELETE FROM login_marks WHERE name = ?");
    orch_sqlite_bind_text(statement, 1, name);
    return orch_sqlite_run(store, statement, error) && sqlite3_changes(store->db) > 0;
}

GPtrArray *orch_store_login_classes(OrchStore *store, gint64 now_ms)
{
    sqlite3_stmt *statement =
        orch_sqlite_prepare(store, "SELECT DISTINCT login_class FROM bots"
                                   " WHERE login_class IS NOT NULL AND wants_ms <= ?");
    sqlite3_bind_int64(statement, 1, now_ms);
    GPtrArray *classes = g_ptr_array_new_with_free_func(g_free);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        g_ptr_array_add(classes, g_strdup((const char *)sqlite3_column_text(statement, 0)));
    }
    sqlite3_reset(statement);
    return classes;
}
