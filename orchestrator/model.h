/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/machine.h"

#include <glib.h>
#include <stdbool.h>

/*
 * The records that the store keeps: plain data, every string owned and NULL when absent, times in
 * Unix milliseconds and 0 when absent. One bot model stands behind the three HTTP APIs; what only
 * one of them has is in its details. Any thread.
 */

typedef enum { ORCH_API_MBAAS, ORCH_API_ATTENDEE, ORCH_API_CRONOFY, ORCH_N_APIS } OrchApi;

const char *orch_api_to_string(OrchApi api);

/** A guest who is refused comes again with an account, where that is wanted. */
typedef enum {
    ORCH_LOGIN_RUN_FIRST,
    ORCH_LOGIN_RUN_REFUSED, /* its worker still goes, and its end is not the bot's */
    ORCH_LOGIN_RUN_SECOND,
} OrchLoginRun;

typedef struct {
    gint64 number; /* order of creation from 1; 0 until it is stored */
    char *id;      /* UUID */
    gint64 account;
    char *key_id; /* of the key that made it */
    OrchApi api;  /* the one that made it */

    BotState state;
    char *meeting_url;
    char *meeting; /* the same for all links into one meeting; see orch_bot_set_meeting_url */
    char *bot_name;
    char *document;       /* JSON object: the worker's configuration as the caller asked for it */
    char *details;        /* JSON object: see bots.h */
    char *extra;          /* JSON: the caller's own data (Attendee: metadata) */
    char *dedup_key;      /* deduplication_key */
    char *scheduling_key; /* Cronofy's */
    bool reserved;        /* a place is kept for it from its creation on */
    bool leave_requested; /* by the API; survives a restart, sent until the worker obeys */
    bool reported;        /* its final webhook is queued: nothing more happens to it */

    gint64 created_ms;
    gint64 join_at_ms; /* when it joins; 0: at once */
    gint64 joined_ms;  /* admitted */
    gint64 recording_started_ms;
    gint64 exited_ms; /* out of the call */
    gint64 ended_ms;  /* a terminal state */
    gint64 deleted_ms;
    gint64 sweep_ms;    /* deleted: when its bucket is looked at again; 0: no more */
    gint64 duration_ms; /* of the recording */

    char *recording_state; /* not_started, in_progress, paused, complete, failed */
    char *end_reason;
    char *error; /* "CannotJoinMeeting" */
    char *error_code;
    char *message;
    char *speakers;  /* JSON array of names */
    char *artifacts; /* JSON array of {name, bytes, sha256, url?} */

    /* --- of whoever runs workers --- */
    bool has_place;        /* counts against the limit on concurrent bots */
    gint64 worker_pid;     /* 0: none */
    gint64 worker_started; /* start time of that process in clock ticks: a pid comes again */
    gint64 worker_seen_ms; /* last sign of life */
    char *output_dir;      /* folder of its artifacts; set at creation */
    gint64 last_seq;       /* of its events, stored */
    char *control_token_hash;
    gint64 n_events; /* length of its history, and the next entry's place */

    /* --- of the account that it signs in with; see logins.h --- */
    char *login_class; /* it needs one of these before it starts; NULL: it is a guest */
    char *login;       /* name of the one that it has, until it is given back; NULL: none */
    char *login_stamp; /* of that one's session on the disk when it got it */
    bool login_shared; /* another bot has had it meanwhile */
    bool login_out;    /* it turned out to be signed out */
    OrchLoginRun login_run;
} OrchBot;

OrchBot *orch_bot_new(void);
void orch_bot_free(OrchBot *bot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchBot, orch_bot_free)

/** Set meeting_url, and the meeting that it leads into. */
void orch_bot_set_meeting_url(OrchBot *bot, const char *url);

/** (transfer full): OrchBot.meeting of a bot with this @url; a link that leads nowhere itself. */
char *orch_bot_meeting_of(const char *url);

/** Replace the string at @place by a copy of @value. */
void orch_set_string(char **place, const char *value);

/** One entry of a bot's history: a transition of its machine. */
typedef struct {
    gint64 n; /* from 1, a bot */
    gint64 time_ms;
    char *event;     /* "joined_meeting" */
    char *sub_type;  /* or NULL */
    char *old_state; /* "joining" */
    char *new_state;
} OrchTransition;

void orch_transition_free(OrchTransition *transition);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchTransition, orch_transition_free)

typedef struct {
    gint64 id;
    char *name;
    char *webhook_url;   /* Meeting BaaS's account-wide one */
    char *webhooks;      /* JSON array of {url, triggers}: Attendee's account-wide ones */
    char *sealed_secret; /* base64: what webhooks are signed with */
    gint64 created_ms;
} OrchAccount;

void orch_account_free(OrchAccount *account);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchAccount, orch_account_free)

typedef struct {
    char *id; /* "key_…", for people and for revoking */
    gint64 account;
    char *account_name;
    char *label;
    char *hash;   /* SHA-256 of the key, hex */
    char *sealed; /* base64: the key itself, for the webhook header */
    gint64 created_ms;
    gint64 revoked_ms;
} OrchKey;

void orch_key_free(OrchKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchKey, orch_key_free)

/** An account that was found signed out: nobody gets it. */
typedef struct {
    char *name; /* OrchLogin.name */
    gint64 since_ms;
    char *reason; /* for people */
    char *stamp;  /* of its session then: another one means that somebody signed in again */
} OrchLoginMark;

void orch_login_mark_free(OrchLoginMark *mark);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchLoginMark, orch_login_mark_free)

typedef enum {
    ORCH_DELIVERY_WAITING,
    ORCH_DELIVERY_DELIVERED,
    ORCH_DELIVERY_PARKED, /* given up on until somebody sends it again */
    ORCH_N_DELIVERY_STATES
} OrchDeliveryState;

const char *orch_delivery_state_to_string(OrchDeliveryState state);

/** One webhook in the outbox. */
typedef struct {
    gint64 number; /* order over everything; 0 until it is stored */
    char *id;      /* UUID, sent with it: receivers tell repeats by it */
    gint64 account;
    char *bot_id;
    char *key_id;  /* of the key whose copy the header carries */
    OrchApi kind;  /* which headers go with it */
    char *trigger; /* "bot.status_change" */
    char *url;
    GBytes *body; /* exactly what is sent and signed */
    gint64 created_ms;
    gint64 next_attempt_ms;
    gint64 n_attempts;
    OrchDeliveryState state;
    gint64 last_status;  /* HTTP status of the last attempt, 0: none came */
    char *last_error;    /* for people; NULL: none */
    gint64 delivered_ms; /* or parked */
} OrchDelivery;

OrchDelivery *orch_delivery_new(void);
void orch_delivery_free(OrchDelivery *delivery);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchDelivery, orch_delivery_free)

/** One try at delivering, for the delivery log. */
typedef struct {
    char *delivery_id;
    gint64 n; /* from 1 */
    gint64 time_ms;
    gint64 duration_ms;
    gint64 status; /* HTTP; 0: none came */
    char *error;   /* or NULL */
    char *answer;  /* the first bytes of the body, made valid UTF-8; or NULL */
} OrchAttempt;

void orch_attempt_free(OrchAttempt *attempt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchAttempt, orch_attempt_free)
