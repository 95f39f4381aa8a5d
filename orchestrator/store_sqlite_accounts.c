/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/store_sqlite_priv.h"

static const OrchColumn account_columns[] = {
    ORCH_COLUMN(TEXT, OrchAccount, name),        ORCH_COLUMN(TEXT, OrchAccount, webhook_url),
    ORCH_COLUMN(TEXT, OrchAccount, webhooks),    ORCH_COLUMN(TEXT, OrchAccount, sealed_secret),
    ORCH_COLUMN(INT64, OrchAccount, created_ms),
};

static const OrchColumn key_columns[] = {
    ORCH_COLUMN(TEXT, OrchKey, id),          ORCH_COLUMN(INT64, OrchKey, account),
    ORCH_COLUMN(TEXT, OrchKey, label),       ORCH_COLUMN(TEXT, OrchKey, hash),
    ORCH_COLUMN(TEXT, OrchKey, sealed),      ORCH_COLUMN(INT64, OrchKey, created_ms),
    ORCH_COLUMN(INT64, OrchKey, revoked_ms),
};

bool orch_store_account_insert(OrchStore *store, OrchAccount *account, GError **error)
{
    g_autofree char *sql =
        orch_sqlite_insert_sql("accounts", account_columns, G_N_ELEMENTS(account_columns));
    sqlite3_stmt *statement = orch_sqlite_prepare(store, sql);
    orch_sqlite_bind_record(statement, 1, account_columns, G_N_ELEMENTS(account_columns), account);
    if (!orch_sqlite_run(store, statement, error)) {
        return false;
    }
    account->id = sqlite3_last_insert_rowid(store->db);
    return true;
}

bool orch_store_account_update(OrchStore *store, const OrchAccount *account, GError **error)
{
    g_autofree char *sql =
        orch_sqlite_update_sql("accounts", account_columns, G_N_ELEMENTS(account_columns), "id");
    sqlite3_stmt *statement = orch_sqlite_prepare(store, sql);
    int at = orch_sqlite_bind_record(statement, 1, account_columns, G_N_ELEMENTS(account_columns),
                                     account);
    sqlite3_bind_int64(statement, at, account->id);
    return orch_sqlite_run(store, statement, error);
}

/* @statement selects the id and the columns. */
static OrchAccount *read_account(sqlite3_stmt *statement)
{
    OrchAccount *account = NULL;
    if (sqlite3_step(statement) == SQLITE_ROW) {
        account = g_new0(OrchAccount, 1);
        account->id = sqlite3_column_int64(statement, 0);
        orch_sqlite_read_record(statement, 1, account_columns, G_N_ELEMENTS(account_columns),
                                account);
    }
    sqlite3_reset(statement);
    return account;
}

#define SELECT_ACCOUNT                                                                             \
    "SELECT id, name, webhook_url, webhooks, sealed_secret, created_ms FROM accounts WHERE "

OrchAccount *orch_store_account_get(OrchStore *store, gint64 id)
{
    sqlite3_stmt *statement = orch_sqlite_prepare(store, SELECT_ACCOUNT "id = ?");
    sqlite3_bind_int64(statement, 1, id);
    return read_account(statement);
}

OrchAccount *orch_store_account_find(OrchStore *store, const char *name)
{
    sqlite3_stmt *statement = orch_sqlite_prepare(store, SELECT_ACCOUNT "name = ?");
    orch_sqlite_bind_text(statement, 1, name);
    return read_account(statement);
}

/* --- keys --- */

bool orch_store_key_insert(OrchStore *store, const OrchKey *key, GError **error)
{
    g_autofree char *sql = orch_sqlite_insert_sql("keys", key_columns, G_N_ELEMENTS(key_columns));
    sqlite3_stmt *statement = orch_sqlite_prepare(store, sql);
    orch_sqlite_bind_record(statement, 1, key_columns, G_N_ELEMENTS(key_columns), key);
    return orch_sqlite_run(store, statement, error);
}

static OrchKey *read_key(sqlite3_stmt *statement)
{
    OrchKey *key = g_new0(OrchKey, 1);
    int at = orch_sqlite_read_record(statement, 0, key_columns, G_N_ELEMENTS(key_columns), key);
    key->account_name = g_strdup((const char *)sqlite3_column_text(statement, at));
    return key;
}

#define SELECT_KEY                                                                                 \
    "SELECT keys.id, account, label, hash, sealed, keys.created_ms, revoked_ms, accounts.name"     \
    " FROM keys JOIN accounts ON accounts.id = keys.account "

static OrchKey *find_key(OrchStore *store, const char *sql, const char *value)
{
    sqlite3_stmt *statement = orch_sqlite_prepare(store, sql);
    orch_sqlite_bind_text(statement, 1, value);
    OrchKey *key = sqlite3_step(statement) == SQLITE_ROW ? read_key(statement) : NULL;
    sqlite3_reset(statement);
    return key;
}

OrchKey *orch_store_key_find(OrchStore *store, const char *hash)
{
    return find_key(store, SELECT_KEY "WHERE hash = ? AND revoked_ms = 0", hash);
}

OrchKey *orch_store_key_get(OrchStore *store, const char *id)
{
    return find_key(store, SELECT_KEY "WHERE keys.id = ?", id);
}

GPtrArray *orch_store_keys(OrchStore *store)
{
    sqlite3_stmt *statement =
        orch_sqlite_prepare(store, SELECT_KEY "ORDER BY keys.created_ms, keys.id");
    GPtrArray *keys = g_ptr_array_new_with_free_func((GDestroyNotify)orch_key_free);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        g_ptr_array_add(keys, read_key(statement));
    }
    sqlite3_reset(statement);
    return keys;
}

bool orch_store_key_revoke(OrchStore *store, const char *id, gint64 now_ms, GError **error)
{
    sqlite3_stmt *statement = orch_sqlite_prepare(
        store, "UPDATE keys SET revoked_ms = ? WHERE id = ? AND revoked_ms = 0");
    sqlite3_bind_int64(statement, 1, now_ms);
    orch_sqlite_bind_text(statement, 2, id);
    return orch_sqlite_run(store, statement, error) && sqlite3_changes(store->db) > 0;
}
