/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/store_sqlite_priv.h"

#define TEXT(field) ORCH_COLUMN(TEXT, OrchDelivery, field)
#define INT(field) ORCH_COLUMN(INT64, OrchDelivery, field)

static const OrchColumn columns[] = {
    TEXT(id),
    INT(account),
    TEXT(bot_id),
    TEXT(key_id),
    ORCH_COLUMN(ENUM, OrchDelivery, kind),
    TEXT(trigger),
    TEXT(url),
    ORCH_COLUMN(BLOB, OrchDelivery, body),
    INT(created_ms),
    INT(next_attempt_ms),
    INT(n_attempts),
    ORCH_COLUMN(ENUM, OrchDelivery, state),
    INT(last_status),
    TEXT(last_error),
    INT(delivered_ms),
};

static const OrchColumn attempt_columns[] = {
    ORCH_COLUMN(TEXT, OrchAttempt, delivery_id), ORCH_COLUMN(INT64, OrchAttempt, n),
    ORCH_COLUMN(INT64, OrchAttempt, time_ms),    ORCH_COLUMN(INT64, OrchAttempt, duration_ms),
    ORCH_COLUMN(INT64, OrchAttempt, status),     ORCH_COLUMN(TEXT, OrchAttempt, error),
    ORCH_COLUMN(TEXT, OrchAttempt, answer),
};

/* The oldest waiting one of a bot and URL is the head; only heads are ever due. */
static bool make_head(OrchStore *store, const OrchDelivery *delivery, GError **error)
{
    sqlite3_stmt *statement = orch_sqlite_prepare(
        store, "UPDATE deliveries SET head = 1 WHERE number ="
               " (SELECT min(number) FROM deliveries WHERE state = 0 AND bot_id = ? AND url = ?)");
    orch_sqlite_bind_text(statement, 1, delivery->bot_id);
    orch_sqlite_bind_text(statement, 2, delivery->url);
    return orch_sqlite_run(store, statement, error);
}

static char *insert_sql(void)
{
    g_autofree char *names = orch_sqlite_names(columns, G_N_ELEMENTS(columns));
    GString *sql = g_string_new(NULL);
    g_string_append_printf(sql, "INSERT INTO deliveries (%s, head) VALUES (", names);
    for (gsize i = 0; i < G_N_ELEMENTS(columns); i++) {
        g_string_append(sql, "?, ");
    }
    return g_string_free(g_string_append(sql, "0)"), FALSE);
}

bool orch_store_delivery_insert(OrchStore *store, OrchDelivery *delivery, GError **error)
{
    g_autofree char *sql = insert_sql();
    sqlite3_stmt *statement = orch_sqlite_prepare(store, sql);
    orch_sqlite_bind_record(statement, 1, columns, G_N_ELEMENTS(columns), delivery);
    if (!orch_sqlite_run(store, statement, error)) {
        return false;
    }
    delivery->number = sqlite3_last_insert_rowid(store->db);
    return make_head(store, delivery, error);
}

bool orch_store_delivery_update(OrchStore *store, const OrchDelivery *delivery, GError **error)
{
    sqlite3_stmt *statement = orch_sqlite_prepare(
        store, "UPDATE deliveries SET next_attempt_ms = ?, n_attempts = ?, state = ?,"
               " last_status = ?, last_error = ?, delivered_ms = ? WHERE id = ?");
    sqlite3_bind_int64(statement, 1, delivery->next_attempt_ms);
    sqlite3_bind_int64(statement, 2, delivery->n_attempts);
    sqlite3_bind_int(statement, 3, (int)delivery->state);
    sqlite3_bind_int64(statement, 4, delivery->last_status);
    orch_sqlite_bind_text(statement, 5, delivery->last_error);
    sqlite3_bind_int64(statement, 6, delivery->delivered_ms);
    orch_sqlite_bind_text(statement, 7, delivery->id);
    return orch_sqlite_run(store, statement, error) && make_head(store, delivery, error);
}

static char *select_sql(const char *rest)
{
    g_autofree char *names = orch_sqlite_names(columns, G_N_ELEMENTS(columns));
    return g_strconcat("SELECT number, ", names, " FROM deliveries ", rest, NULL);
}

/* Reads what @statement selects to its end. */
static GPtrArray *read_deliveries(sqlite3_stmt *statement)
{
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)orch_delivery_free);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        OrchDelivery *delivery = orch_delivery_new();
        delivery->number = sqlite3_column_int64(statement, 0);
        orch_sqlite_read_record(statement, 1, columns, G_N_ELEMENTS(columns), delivery);
        g_ptr_array_add(list, delivery);
    }
    sqlite3_reset(statement);
    return list;
}

OrchDelivery *orch_store_delivery_get(OrchStore *store, const char *id)
{
    g_autofree char *sql = select_sql("WHERE id = ?");
    sqlite3_stmt *statement = orch_sqlite_prepare(store, sql);
    orch_sqlite_bind_text(statement, 1, id);
    g_autoptr(GPtrArray) list = read_deliveries(statement);
    return list->len > 0 ? g_ptr_array_steal_index(list, 0) : NULL;
}

GPtrArray *orch_store_deliveries_due(OrchStore *store, gint64 now_ms, guint limit)
{
    g_autofree char *sql = select_sql("WHERE state = 0 AND head = 1 AND next_attempt_ms <= ?"
                                      " ORDER BY next_attempt_ms, number LIMIT ?");
    sqlite3_stmt *statement = orch_sqlite_prepare(store, sql);
    sqlite3_bind_int64(statement, 1, now_ms);
    sqlite3_bind_int64(statement, 2, limit);
    return read_deliveries(statement);
}

gint64 orch_store_next_delivery_ms(OrchStore *store)
{
    sqlite3_stmt *statement = orch_sqlite_prepare(
        store, "SELECT min(next_attempt_ms) FROM deliveries WHERE state = 0 AND head = 1");
    bool found =
        sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL;
    gint64 next_ms = found ? sqlite3_column_int64(statement, 0) : G_MAXINT64;
    sqlite3_reset(statement);
    return next_ms;
}

GPtrArray *orch_store_deliveries(OrchStore *store, gint64 account, const char *bot_id,
                                 gint64 before_number, guint limit)
{
    g_autofree char *sql = select_sql("WHERE account = ?1 AND (?2 IS NULL OR bot_id = ?2)"
                                      " AND number < ?3 ORDER BY number DESC LIMIT ?4");
    sqlite3_stmt *statement = orch_sqlite_prepare(store, sql);
    sqlite3_bind_int64(statement, 1, account);
    orch_sqlite_bind_text(statement, 2, bot_id);
    sqlite3_bind_int64(statement, 3, before_number > 0 ? before_number : G_MAXINT64);
    sqlite3_bind_int64(statement, 4, limit);
    return read_deliveries(statement);
}

bool orch_store_attempt_add(OrchStore *store, const OrchAttempt *attempt, GError **error)
{
    g_autofree char *sql =
        orch_sqlite_insert_sql("attempts", attempt_columns, G_N_ELEMENTS(attempt_columns));
    sqlite3_stmt *statement = orch_sqlite_prepare(store, sql);
    orch_sqlite_bind_record(statement, 1, attempt_columns, G_N_ELEMENTS(attempt_columns), attempt);
    return orch_sqlite_run(store, statement, error);
}

GPtrArray *orch_store_attempts(OrchStore *store, const char *delivery_id)
{
    sqlite3_stmt *statement =
        orch_sqlite_prepare(store, "SELECT delivery_id, n, time_ms, duration_ms, status, error,"
                                   " answer FROM attempts WHERE delivery_id = ? ORDER BY n");
    orch_sqlite_bind_text(statement, 1, delivery_id);
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)orch_attempt_free);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        OrchAttempt *attempt = g_new0(OrchAttempt, 1);
        orch_sqlite_read_record(statement, 0, attempt_columns, G_N_ELEMENTS(attempt_columns),
                                attempt);
        g_ptr_array_add(list, attempt);
    }
    sqlite3_reset(statement);
    return list;
}
