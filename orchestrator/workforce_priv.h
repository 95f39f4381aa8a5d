/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/control.h"
#include "orchestrator/outbox.h"
#include "orchestrator/pool.h"
#include "orchestrator/workforce.h"

/*
 * The workforce's parts: workforce.c decides who gets a worker, workforce_links.c talks with the
 * workers, workforce_death.c cleans up after them, workforce_logins.c has the accounts that bots
 * sign in with.
 */

/* A command on its way to a worker. */
typedef struct {
    OrchWorkforce *workforce; /* borrowed */
    char *bot_id, *id, *name; /* owned */
    JsonObject *args;         /* owned; NULL: none */
    OrchCommandDone done;     /* NULL: nobody wants to know */
    gpointer done_data;
    guint timeout_id;
} OrchCommand;

typedef struct OrchAck OrchAck;           /* an ack that waits for the disk */
typedef struct OrchLoginJob OrchLoginJob; /* a profile is copied, or given back */

/** @error: NULL when it is there. */
typedef void (*OrchLoginCopied)(const GError *error, gpointer user_data);

struct OrchWorkforce {
    OrchBots *bots; /* borrowed, like the next two */
    OrchStore *store;
    const OrchConfig *config;
    OrchPool *pool; /* owned, like what follows */
    OrchControl *control;
    OrchOutbox *outbox;
    GHashTable *links;      /* token hash (owned) -> OrchLink (borrowed): those that said hello */
    GHashTable *acks;       /* OrchLink (borrowed) -> OrchAck (owned by its callback) */
    GHashTable *commands;   /* id (borrowed) -> OrchCommand (owned) */
    GHashTable *setbacks;   /* bot id (owned) -> how often its worker died before it began, or its
                               recovery failed */
    GHashTable *retries;    /* bot id (borrowed from its data) -> source of its next recovery */
    GHashTable *company;    /* bot id (owned) -> the names of the others it was told (owned JSON) */
    GHashTable *login_jobs; /* bot id (borrowed) -> OrchLoginJob (owned by its task) */
    guint n_failed_starts;  /* workers in a row that died before they stood by */
    char *start_trouble;    /* owned: what the last of them said; NULL: nothing */
    gint64 no_start_before_ms;
    guint look_id, timer_id, delete_id;
    guint64 n_commands;
    char *nonce;  /* owned: makes ids of commands unlike those before a restart */
    bool leaving; /* no bot starts any more */
    bool stopping;
};

/* --- workforce.c --- */

/** Look at all bots and workers, from an idle. */
void orch_workforce_look_soon(OrchWorkforce *workforce);

/** Store @bot; what can't be stored is logged: it is looked at again later. */
void orch_workforce_save(OrchWorkforce *workforce, OrchBot *bot);

/** One more setback of this bot; returns how many there were. */
guint orch_workforce_count_setback(OrchWorkforce *workforce, const char *bot_id);

/* --- workforce_links.c --- */

/** Whether @bot_id's worker is connected. */
bool orch_workforce_has_link(OrchWorkforce *workforce, const char *bot_id);

extern const OrchControlEvents orch_workforce_control_events;

/** The document is on its way to the idle @worker, which is @bot's from now on. */
void orch_workforce_assign(OrchWorkforce *workforce, OrchWorker *worker, OrchBot *bot);

/** As OrchWorkers.command; @id: NULL: a new one. */
void orch_workforce_send(OrchWorkforce *workforce, const char *bot_id, const char *id,
                         const char *name, JsonObject *args, OrchCommandDone done,
                         gpointer done_data);

/** The process of @worker is gone: what it sent last and is not in is for the recovery to send. */
void orch_workforce_close_link(OrchWorkforce *workforce, OrchWorker *worker);

/** Acks that wait for the disk go nowhere. */
void orch_workforce_forget_acks(OrchWorkforce *workforce);

/** Nobody answers these any more. @bot_id: NULL: of all bots. */
void orch_workforce_drop_commands(OrchWorkforce *workforce, const char *bot_id, const char *why);
void orch_workforce_command_free(gpointer command);

/* --- workforce_company.c --- */

/** @placed: the bots that have a place: those in one meeting are told of each other. */
void orch_workforce_tell_company(OrchWorkforce *workforce, GPtrArray *placed);

/* --- workforce_logins.c --- */

/** Add to @bots those that need an account, have none and can get one now, at most @n_free of each
 * class; to @hopeless those that will get none, as none is signed in. */
void orch_workforce_add_signed_in(OrchWorkforce *workforce, GPtrArray *bots, GPtrArray *hopeless,
                                  guint n_free, gint64 now_ms);

typedef enum {
    ORCH_LOGIN_READY, /* it needs none, or has it now, which is stored */
    ORCH_LOGIN_SOON,  /* what it had is not given back yet; the bots change when it is */
    ORCH_LOGIN_WAIT,  /* others have them all */
    ORCH_LOGIN_NONE,  /* none is signed in */
} OrchLoginAnswer;

/** Give @bot, whose time has come, the account that it needs, if any. */
OrchLoginAnswer orch_workforce_sign_in(OrchWorkforce *workforce, OrchBot *bot);

/**
 * orch_workforce_copy_login:
 * @done: called once, perhaps from inside, with @done_data (transfer full)
 * @free_data: frees @done_data when nobody is there any more
 *
 * The profile of the account that @bot has is copied for its run; nothing when it has none.
 */
void orch_workforce_copy_login(OrchWorkforce *workforce, const OrchBot *bot, OrchLoginCopied done,
                               gpointer done_data, GDestroyNotify free_data);

/** The account that @bot has is given back, and its copy deleted; @keep: what changed in the
 * session goes into the account's profile if it was this bot's alone. Ends later. */
void orch_workforce_return_login(OrchWorkforce *workforce, OrchBot *bot, bool keep);

/** Accounts and copies of bots that are gone: what an earlier orchestrator left. */
void orch_workforce_sweep_logins(OrchWorkforce *workforce);

void orch_workforce_forget_login_jobs(OrchWorkforce *workforce);

/* --- workforce_death.c --- */

extern const OrchPoolEvents orch_workforce_pool_events;

/** The process that had @bot is gone (@words: what it said last, or NULL): recover it, begin anew,
 * or say that it failed. */
void orch_workforce_bury(OrchWorkforce *workforce, OrchBot *bot, int exit, const char *words);

/** A worker could not be started, or could again; said in the log, to bots and in /health. */
void orch_workforce_note_start(OrchWorkforce *workforce, bool good, const char *words);

/** Let go of the worker and of the place. */
void orch_workforce_release(OrchWorkforce *workforce, OrchBot *bot);
