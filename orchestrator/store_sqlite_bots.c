/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/store_sqlite_priv.h"

#include <string.h>

#define TEXT(field) ORCH_COLUMN(TEXT, OrchBot, field)
#define INT(field) ORCH_COLUMN(INT64, OrchBot, field)
#define BOOL(field) ORCH_COLUMN(BOOL, OrchBot, field)

static const OrchColumn columns[] = {
    TEXT(id),
    INT(account),
    TEXT(key_id),
    ORCH_COLUMN(ENUM, OrchBot, api),
    ORCH_COLUMN(ENUM, OrchBot, state),
    TEXT(meeting_url),
    TEXT(meeting),
    TEXT(bot_name),
    TEXT(document),
    TEXT(details),
    TEXT(extra),
    TEXT(dedup_key),
    TEXT(scheduling_key),
    BOOL(reserved),
    BOOL(leave_requested),
    BOOL(reported),
    INT(created_ms),
    INT(join_at_ms),
    INT(joined_ms),
    INT(recording_started_ms),
    INT(exited_ms),
    INT(ended_ms),
    INT(deleted_ms),
    INT(sweep_ms),
    INT(duration_ms),
    TEXT(recording_state),
    TEXT(end_reason),
    TEXT(error),
    TEXT(error_code),
    TEXT(message),
    TEXT(speakers),
    TEXT(artifacts),
    BOOL(has_place),
    INT(worker_pid),
    INT(worker_started),
    INT(worker_seen_ms),
    TEXT(output_dir),
    INT(last_seq),
    TEXT(control_token_hash),
    INT(n_events),
    TEXT(login_class),
    TEXT(login),
    TEXT(login_stamp),
    BOOL(login_shared),
    BOOL(login_out),
    ORCH_COLUMN(ENUM, OrchBot, login_run),
};

static const OrchColumn transition_columns[] = {
    ORCH_COLUMN(INT64, OrchTransition, n),        ORCH_COLUMN(INT64, OrchTransition, time_ms),
    ORCH_COLUMN(TEXT, OrchTransition, event),     ORCH_COLUMN(TEXT, OrchTransition, sub_type),
    ORCH_COLUMN(TEXT, OrchTransition, old_state), ORCH_COLUMN(TEXT, OrchTransition, new_state),
};

bool orch_store_bot_insert(OrchStore *store, OrchBot *bot, GError **error)
{
    g_autofree char *sql = orch_sqlite_insert_sql("bots", columns, G_N_ELEMENTS(columns));
    sqlite3_stmt *statement = orch_sqlite_prepare(store, sql);
    orch_sqlite_bind_record(statement, 1, columns, G_N_ELEMENTS(columns), bot);
    if (!orch_sqlite_run(store, statement, error)) {
        return false;
    }
    bot->number = sqlite3_last_insert_rowid(store->db);
    return true;
}

bool orch_store_bot_update(OrchStore *store, const OrchBot *bot, GError **error)
{
    g_autofree char *sql = orch_sqlite_update_sql("bots", columns, G_N_ELEMENTS(columns), "id");
    sqlite3_stmt *statement = orch_sqlite_prepare(store, sql);
    int at = orch_sqlite_bind_record(statement, 1, columns, G_N_ELEMENTS(columns), bot);
    orch_sqlite_bind_text(statement, at, bot->id);
    return orch_sqlite_run(store, statement, error);
}

static OrchBot *read_bot(sqlite3_stmt *statement)
{
    OrchBot *bot = orch_bot_new();
    bot->number = sqlite3_column_int64(statement, 0);
    orch_sqlite_read_record(statement, 1, columns, G_N_ELEMENTS(columns), bot);
    return bot;
}

static char *select_sql(const char *rest)
{
    g_autofree char *names = orch_sqlite_names(columns, G_N_ELEMENTS(columns));
    return g_strconcat("SELECT number, ", names, " FROM bots ", rest, NULL);
}

OrchBot *orch_store_bot_get(OrchStore *store, const char *id)
{
    g_autofree char *sql = select_sql("WHERE id = ?");
    sqlite3_stmt *statement = orch_sqlite_prepare(store, sql);
    orch_sqlite_bind_text(statement, 1, id);
    OrchBot *bot = sqlite3_step(statement) == SQLITE_ROW ? read_bot(statement) : NULL;
    sqlite3_reset(statement);
    return bot;
}

/* --- filters --- */

typedef struct {
    GString *where;
    GPtrArray *texts; /* borrowed strings and owned numbers, in the order of their places */
} Query;

static void add_text(Query *query, const char *condition, const char *value)
{
    if (value != NULL) {
        g_string_append_printf(query->where, " AND %s", condition);
        g_ptr_array_add(query->texts, g_strdup(value));
    }
}

static void add_number(Query *query, const char *condition, gint64 value)
{
    if (value != 0) {
        g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, value);
        add_text(query, condition, text);
    }
}

static void add_flag(Query *query, const char *condition, bool wanted)
{
    if (wanted) {
        g_string_append_printf(query->where, " AND %s", condition);
    }
}

static void add_states(Query *query, guint states)
{
    if (states == 0) {
        return;
    }
    g_string_append(query->where, " AND state IN (");
    const char *comma = "";
    for (guint state = 0; state < BOT_N_STATES; state++) {
        if ((states & ORCH_STATE_BIT(state)) != 0) {
            g_string_append_printf(query->where, "%s%u", comma, state);
            comma = ", ";
        }
    }
    g_string_append_c(query->where, ')');
}

/* SQLite's own LIKE knows case for ASCII only, and has wildcards; instr has none. */
#define CONTAINS(column) "instr(fold(" column "), fold(?)) > 0"

static void build(Query *query, const OrchBotFilter *filter)
{
    query->where = g_string_new("WHERE 1");
    query->texts = g_ptr_array_new_with_free_func(g_free);
    add_number(query, "account = CAST(? AS INTEGER)", filter->account);
    add_states(query, filter->states);
    add_text(query, "dedup_key = ?", filter->dedup_key);
    add_text(query, "scheduling_key = ?", filter->scheduling_key);
    add_text(query, "meeting_url = ?", filter->meeting_url);
    add_text(query, "meeting = ?", filter->meeting);
    add_text(query, CONTAINS("meeting_url"), filter->meeting_url_contains);
    add_text(query, CONTAINS("bot_name"), filter->bot_name_contains);
    add_text(query, CONTAINS("coalesce(speakers, '')"), filter->speaker_contains);
    add_number(query, "created_ms >= CAST(? AS INTEGER)", filter->created_from_ms);
    add_number(query, "created_ms <= CAST(? AS INTEGER)", filter->created_until_ms);
    add_number(query, "ended_ms >= CAST(? AS INTEGER)", filter->ended_from_ms);
    add_number(query, "deleted_ms >= CAST(? AS INTEGER)", filter->deleted_from_ms);
    add_number(query, "join_at_ms >= CAST(? AS INTEGER)", filter->join_at_from_ms);
    add_number(query, "join_at_ms <= CAST(? AS INTEGER)", filter->join_at_until_ms);
    add_number(query, "wants_ms > CAST(? AS INTEGER)", filter->wants_after_ms);
    add_number(query, "wants_ms <= CAST(? AS INTEGER)", filter->wants_until_ms);
    add_flag(query, "sweep_ms > 0", filter->sweep_until_ms != 0);
    add_number(query, "sweep_ms <= CAST(? AS INTEGER)", filter->sweep_until_ms);
    add_flag(query, "worker_pid > 0", filter->with_worker);
    add_flag(query, "login_class IS NULL", filter->guests);
    add_text(query, "login_class = ?", filter->login_class);
    add_text(query, "login = ?", filter->login);
    add_flag(query, "login IS NOT NULL", filter->with_login);
    add_flag(query, "has_place = 1", filter->with_place);
    add_flag(query, "has_place = 0", filter->without_place);
    add_flag(query, "deleted_ms = 0", filter->without_deleted);
    add_number(query,
               filter->order == ORCH_ORDER_NEWEST ? "number < CAST(? AS INTEGER)"
                                                  : "number > CAST(? AS INTEGER)",
               filter->after_number);
}

static void query_clear(Query *query)
{
    g_string_free(query->where, TRUE);
    g_ptr_array_unref(query->texts);
}

static void bind_query(sqlite3_stmt *statement, const Query *query, guint limit)
{
    guint i = 0;
    for (; i < query->texts->len; i++) {
        orch_sqlite_bind_text(statement, (int)i + 1, g_ptr_array_index(query->texts, i));
    }
    sqlite3_bind_int64(statement, (int)i + 1, limit > 0 ? (gint64)limit : -1);
}

GPtrArray *orch_store_bots(OrchStore *store, const OrchBotFilter *filter)
{
    static const char *const orders[] = {
        [ORCH_ORDER_OLDEST] = " ORDER BY number LIMIT ?",
        [ORCH_ORDER_NEWEST] = " ORDER BY number DESC LIMIT ?",
        [ORCH_ORDER_WANTS] = " ORDER BY wants_ms, number LIMIT ?",
    };
    Query query;
    build(&query, filter);
    g_string_append(query.where, orders[filter->order]);
    g_autofree char *sql = select_sql(query.where->str);
    sqlite3_stmt *statement = orch_sqlite_prepare(store, sql);
    bind_query(statement, &query, filter->limit);
    GPtrArray *bots = g_ptr_array_new_with_free_func((GDestroyNotify)orch_bot_free);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        g_ptr_array_add(bots, read_bot(statement));
    }
    sqlite3_reset(statement);
    query_clear(&query);
    return bots;
}

guint orch_store_count_bots(OrchStore *store, const OrchBotFilter *filter)
{
    Query query;
    build(&query, filter);
    g_autofree char *sql = g_strconcat("SELECT count(*) FROM (SELECT 1 FROM bots ",
                                       query.where->str, " LIMIT ?)", NULL);
    sqlite3_stmt *statement = orch_sqlite_prepare(store, sql);
    bind_query(statement, &query, filter->limit);
    guint n = sqlite3_step(statement) == SQLITE_ROW ? (guint)sqlite3_column_int64(statement, 0) : 0;
    sqlite3_reset(statement);
    query_clear(&query);
    return n;
}

/* --- history and events --- */

bool orch_store_transition_add(OrchStore *store, const char *bot_id,
                               const OrchTransition *transition, GError **error)
{
    sqlite3_stmt *statement = orch_sqlite_prepare(
        store, "INSERT INTO transitions (n, time_ms, event, sub_type, old_state, new_state, bot_id)"
               " VALUES (?, ?, ?, ?, ?, ?, ?)");
    int at = orch_sqlite_bind_record(statement, 1, transition_columns,
                                     G_N_ELEMENTS(transition_columns), transition);
    orch_sqlite_bind_text(statement, at, bot_id);
    return orch_sqlite_run(store, statement, error);
}

GPtrArray *orch_store_transitions(OrchStore *store, const char *bot_id)
{
    sqlite3_stmt *statement =
        orch_sqlite_prepare(store, "SELECT n, time_ms, event, sub_type, old_state, new_state"
                                   " FROM transitions WHERE bot_id = ? ORDER BY n");
    orch_sqlite_bind_text(statement, 1, bot_id);
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)orch_transition_free);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        OrchTransition *transition = g_new0(OrchTransition, 1);
        orch_sqlite_read_record(statement, 0, transition_columns, G_N_ELEMENTS(transition_columns),
                                transition);
        g_ptr_array_add(list, transition);
    }
    sqlite3_reset(statement);
    return list;
}

bool orch_store_event_add(OrchStore *store, const char *bot_id, gint64 seq, const char *type,
                          const char *json, GError **error)
{
    sqlite3_stmt *statement = orch_sqlite_prepare(
        store, "INSERT INTO events (bot_id, seq, type, json) VALUES (?, ?, ?, ?)");
    orch_sqlite_bind_text(statement, 1, bot_id);
    sqlite3_bind_int64(statement, 2, seq);
    orch_sqlite_bind_text(statement, 3, type);
    orch_sqlite_bind_text(statement, 4, json);
    return orch_sqlite_run(store, statement, error);
}

GPtrArray *orch_store_events(OrchStore *store, const char *bot_id, const char *type,
                             gint64 after_seq, guint limit)
{
    sqlite3_stmt *statement =
        orch_sqlite_prepare(store, "SELECT json FROM events WHERE bot_id = ?1 AND seq > ?2"
                                   " AND (?3 IS NULL OR type = ?3) ORDER BY seq LIMIT ?4");
    orch_sqlite_bind_text(statement, 1, bot_id);
    sqlite3_bind_int64(statement, 2, after_seq);
    orch_sqlite_bind_text(statement, 3, type);
    sqlite3_bind_int64(statement, 4, limit > 0 ? (gint64)limit : -1);
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        g_ptr_array_add(list, g_strdup((const char *)sqlite3_column_text(statement, 0)));
    }
    sqlite3_reset(statement);
    return list;
}

static bool delete_of(OrchStore *store, const char *sql, const char *bot_id, GError **error)
{
    sqlite3_stmt *statement = orch_sqlite_prepare(store, sql);
    orch_sqlite_bind_text(statement, 1, bot_id);
    return orch_sqlite_run(store, statement, error);
}

/* Webhooks that only say where the bot is in its life hold nothing of the meeting. */
#define WITH_DATA                                                                                  \
    "bot_id = ? AND trigger NOT IN ('bot.state_change', 'bot.status_change', 'failed')"

bool orch_store_bot_forget(OrchStore *store, const char *bot_id, GError **error)
{
    store->wipe = true;
    return delete_of(store, "DELETE FROM events WHERE bot_id = ?", bot_id, error) &&
           delete_of(store,
                     "DELETE FROM attempts WHERE delivery_id IN"
                     " (SELECT id FROM deliveries WHERE " WITH_DATA ")",
                     bot_id, error) &&
           delete_of(store, "DELETE FROM deliveries WHERE " WITH_DATA, bot_id, error) &&
           delete_of(store,
                     "UPDATE deliveries SET head = 1 WHERE number IN"
                     " (SELECT min(number) FROM deliveries WHERE bot_id = ? AND state = 0"
                     " GROUP BY url)",
                     bot_id, error);
}

bool orch_store_bot_remove(OrchStore *store, const char *id, GError **error)
{
    return orch_store_bot_forget(store, id, error) &&
           delete_of(store,
                     "DELETE FROM attempts WHERE delivery_id IN"
                     " (SELECT id FROM deliveries WHERE bot_id = ?)",
                     id, error) &&
           delete_of(store, "DELETE FROM deliveries WHERE bot_id = ?", id, error) &&
           delete_of(store, "DELETE FROM transitions WHERE bot_id = ?", id, error) &&
           delete_of(store, "DELETE FROM bots WHERE id = ?", id, error);
}
