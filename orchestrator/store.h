/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/model.h"

/*
 * Everything that must outlive the process. The interface is the whole of what the orchestrator
 * knows of its database: store_sqlite*.c implement it with SQLite, and no SQL stands elsewhere.
 *
 * Writes take effect at once for whoever reads, and become durable together: the first write opens
 * a transaction, and an idle moment of the main context commits everything that came meanwhile, so
 * that hundreds of bots a second cost a few syncs. Whoever may answer or acknowledge only what is
 * on the disk waits for orch_store_when_durable. Between orch_store_begin and orch_store_end
 * either everything is written or nothing.
 *
 * Main thread only. Errors: ORCH_STORE_ERROR. "Returns (transfer full)" records are freed with
 * their own free function; lists are GPtrArrays that free theirs.
 */

typedef struct OrchStore OrchStore;

typedef enum {
    ORCH_STORE_ERROR_OPEN,
    ORCH_STORE_ERROR_IO,       /* disk full, damaged file */
    ORCH_STORE_ERROR_CONFLICT, /* a key that has to be unique is there already */
    ORCH_STORE_ERROR_VERSION,  /* the data folder belongs to a newer version */
} OrchStoreError;

#define ORCH_STORE_ERROR orch_store_error_quark()
GQuark orch_store_error_quark(void);

/** @path: the database file, made and migrated if need be */
OrchStore *orch_store_open(const char *path, GError **error);
/** Commits first; callbacks that still wait are called. */
void orch_store_close(OrchStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchStore, orch_store_close)

/* --- durability --- */

/** @error: NULL when it is on the disk; otherwise nothing of the group is. */
typedef void (*OrchStoreDurable)(const GError *error, gpointer user_data);

/** Calls back, never from inside, when all that was written so far is on the disk. */
void orch_store_when_durable(OrchStore *store, OrchStoreDurable callback, gpointer user_data);

/** Commit now: for the command line, tests and the end of the process. */
bool orch_store_commit(OrchStore *store, GError **error);

/** Several writes as one; they nest. orch_store_end with false takes back what came since. */
void orch_store_begin(OrchStore *store);
bool orch_store_end(OrchStore *store, bool keep, GError **error);

/* --- bots --- */

/** Sets bot->number. Errors: also CONFLICT, the id is taken. */
bool orch_store_bot_insert(OrchStore *store, OrchBot *bot, GError **error);
/** The whole record, by its id. */
bool orch_store_bot_update(OrchStore *store, const OrchBot *bot, GError **error);
/** The bot and everything of it. */
bool orch_store_bot_remove(OrchStore *store, const char *id, GError **error);
/** Returns (transfer full): NULL when there is none. */
OrchBot *orch_store_bot_get(OrchStore *store, const char *id);

#define ORCH_STATE_BIT(state) (1u << (state))

typedef enum {
    ORCH_ORDER_OLDEST, /* by creation */
    ORCH_ORDER_NEWEST,
    ORCH_ORDER_WANTS, /* by when they want a place, then by creation */
} OrchOrder;

/** All that is set must hold; zero and NULL ask for nothing. */
typedef struct {
    gint64 account;
    guint states; /* ORCH_STATE_BIT of those wanted; 0: all */
    const char *dedup_key;
    const char *scheduling_key;
    const char *meeting_url;          /* exactly */
    const char *meeting;              /* OrchBot.meeting: whatever link led there */
    const char *meeting_url_contains; /* without regard to case, like the next */
    const char *bot_name_contains;
    const char *speaker_contains;
    gint64 created_from_ms, created_until_ms; /* both included */
    gint64 ended_from_ms, deleted_from_ms;
    gint64 join_at_from_ms, join_at_until_ms; /* both included */
    /* Only bots that have not begun and have no place: since when they want one, or will. */
    gint64 wants_after_ms;   /* not included */
    gint64 wants_until_ms;   /* included */
    gint64 sweep_until_ms;   /* included */
    bool guests;             /* those that need no account */
    const char *login_class; /* those that need one of this class */
    const char *login;       /* those that have this account */
    bool with_login;         /* those that have one */
    bool with_worker;        /* worker_pid is set */
    bool with_place, without_place;
    bool without_deleted;
    gint64 after_number; /* OLDEST: larger ones; NEWEST: smaller ones */
    OrchOrder order;
    guint limit; /* 0: all */
} OrchBotFilter;

/** Returns (transfer full): of OrchBot. */
GPtrArray *orch_store_bots(OrchStore *store, const OrchBotFilter *filter);
/** How many, counted up to filter->limit. */
guint orch_store_count_bots(OrchStore *store, const OrchBotFilter *filter);

/** Returns (transfer full): of char*: what bots that want a place by @now_ms need (login_class). */
GPtrArray *orch_store_login_classes(OrchStore *store, gint64 now_ms);

/** @n is given by the caller: bot->n_events counts them. */
bool orch_store_transition_add(OrchStore *store, const char *bot_id,
                               const OrchTransition *transition, GError **error);
/** Returns (transfer full): of OrchTransition, oldest first. */
GPtrArray *orch_store_transitions(OrchStore *store, const char *bot_id);

/* --- what workers reported --- */

/** One worker's event as it came. Errors: CONFLICT, this seq is stored already. */
bool orch_store_event_add(OrchStore *store, const char *bot_id, gint64 seq, const char *type,
                          const char *json, GError **error);
/** @type: (nullable): only these. Returns (transfer full): of char*, by seq, from @after_seq on. */
GPtrArray *orch_store_events(OrchStore *store, const char *bot_id, const char *type,
                             gint64 after_seq, guint limit);
/** Also the webhooks' bodies and delivery log of the bot, and everything people said or did. */
bool orch_store_bot_forget(OrchStore *store, const char *bot_id, GError **error);

/* --- accounts and keys --- */

/** Sets account->id. Errors: also CONFLICT, the name is taken. */
bool orch_store_account_insert(OrchStore *store, OrchAccount *account, GError **error);
bool orch_store_account_update(OrchStore *store, const OrchAccount *account, GError **error);
OrchAccount *orch_store_account_get(OrchStore *store, gint64 id);
OrchAccount *orch_store_account_find(OrchStore *store, const char *name);

bool orch_store_key_insert(OrchStore *store, const OrchKey *key, GError **error);
/** By hash, only keys that hold; by id, revoked ones too: their webhooks still go out. */
OrchKey *orch_store_key_find(OrchStore *store, const char *hash);
OrchKey *orch_store_key_get(OrchStore *store, const char *id);
/** Returns (transfer full): of OrchKey, oldest first. */
GPtrArray *orch_store_keys(OrchStore *store);
/** Returns false without an error when there is none with this id. */
bool orch_store_key_revoke(OrchStore *store, const char *id, gint64 now_ms, GError **error);

/* --- accounts that bots sign in with --- */

/** In place of an earlier one of the same name. */
bool orch_store_login_mark_set(OrchStore *store, const OrchLoginMark *mark, GError **error);
/** Returns (transfer full): of OrchLoginMark, by name. */
GPtrArray *orch_store_login_marks(OrchStore *store);
/** Returns false without an error when there is none with this name. */
bool orch_store_login_mark_remove(OrchStore *store, const char *name, GError **error);

/* --- outbox --- */

/** Sets delivery->number. */
bool orch_store_delivery_insert(OrchStore *store, OrchDelivery *delivery, GError **error);
/** Everything but who, what and where to. */
bool orch_store_delivery_update(OrchStore *store, const OrchDelivery *delivery, GError **error);
OrchDelivery *orch_store_delivery_get(OrchStore *store, const char *id);

/**
 * orch_store_deliveries_due:
 *
 * Those that may go now: waiting, next_attempt_ms at most @now_ms, and the oldest waiting of their
 * bot and URL, so that a bot's arrive in order. Returns (transfer full): of OrchDelivery, oldest
 * first, at most @limit.
 */
GPtrArray *orch_store_deliveries_due(OrchStore *store, gint64 now_ms, guint limit);
/** When the next of them is due; G_MAXINT64: none waits. */
gint64 orch_store_next_delivery_ms(OrchStore *store);
/** @bot_id: (nullable): of all. Returns (transfer full): newest first, from before @number on. */
GPtrArray *orch_store_deliveries(OrchStore *store, gint64 account, const char *bot_id,
                                 gint64 before_number, guint limit);

bool orch_store_attempt_add(OrchStore *store, const OrchAttempt *attempt, GError **error);
/** Returns (transfer full): of OrchAttempt, oldest first. */
GPtrArray *orch_store_attempts(OrchStore *store, const char *delivery_id);
