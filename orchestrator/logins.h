/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/config.h"
#include "orchestrator/store.h"

/*
 * Which bot signs in with which of the configured accounts. The book is the bots' own rows: a bot
 * has an account (OrchBot.login) from its assignment until its worker is gone and its session is
 * given back, whatever happens to the orchestrator meanwhile. Main thread only.
 *
 * A bot's own wish is in its details: "accounts": {"meet": {"use", "group"}, …}, one for each
 * platform that the caller spoke of; "use" as OrchLoginUse. Others go by accounts_use.
 */

/** One account as it is now. */
typedef struct {
    const OrchLogin *login; /* borrowed */
    guint n_bots;           /* that have it */
    OrchLoginMark *mark;    /* owned; NULL: it is signed in as far as anybody knows */
    bool in_use;            /* by a browser that is none of ours: somebody signs in */
} OrchLoginState;

/** Returns (transfer full): of OrchLoginState, as configured. Files are looked at. */
GPtrArray *orch_logins_states(OrchStore *store, const OrchConfig *config);

/**
 * orch_logins_settle:
 * @bot: meeting_url and details are set; gets its login_class
 *
 * Errors: BOT_CONFIG_ERROR_FIELD: what the caller asks for by name is not configured.
 */
bool orch_logins_settle(const OrchConfig *config, OrchBot *bot, GError **error);

/** (transfer full): the class of account that @bot needs now that it was refused as a guest; NULL:
 * it takes the refusal. */
char *orch_logins_class_if_required(OrchStore *store, const OrchConfig *config, const OrchBot *bot);

/** How many more bots may have one of @login_class. *ret_none: nor will any later, as none is
 * signed in. */
guint orch_logins_count_free(GPtrArray *states, const char *login_class, bool *ret_none);

/** (transfer full): the sentence for a bot that gets none. */
char *orch_logins_why_none(GPtrArray *states, const char *login_class);

/**
 * orch_logins_lease:
 *
 * Give @bot, which needs one, an account; @bot is the caller's to store, those that have the same
 * one are stored. False: none is free, without an error, or the store's.
 */
bool orch_logins_lease(OrchStore *store, const OrchConfig *config, OrchBot *bot, GError **error);

/** What @bot has goes into its worker's @document: it is signed in. */
void orch_logins_sign_in(const OrchConfig *config, const OrchBot *bot, JsonObject *document);

/** (transfer full): where its copy of the account's profile is; NULL: it has none, or cookies. */
char *orch_logins_copy_dir(const OrchConfig *config, const OrchBot *bot);

/** The account that @bot has is signed out, for this @reason. @bot is the caller's to store. */
bool orch_logins_mark(OrchStore *store, const OrchConfig *config, OrchBot *bot, const char *reason,
                      GError **error);

/** (transfer full): @message, and which account was signed out and what to do, if it was. */
char *orch_logins_explain(const OrchBot *bot, const char *message);

/** It is given back: @bot has none any more. */
void orch_logins_clear(OrchBot *bot);
