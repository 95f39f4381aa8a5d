/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>

/*
 * An account of a platform that bots sign in with: "accounts" of the configuration. (OrchAccount is
 * another thing: a client of the HTTP APIs.) Immutable; any thread.
 */

typedef struct {
    char *name;         /* owned, like all; unique */
    char *platform;     /* "meet" */
    char *profile_dir;  /* absolute; of a browser that is signed in; or NULL */
    char *cookies_file; /* absolute; or NULL: exactly one of the two is set */
    char *group;        /* or NULL */
    guint max_bots;     /* at a time */
} OrchLogin;

/** When bots use one that did not say: "accounts_use". */
typedef enum {
    ORCH_LOGIN_USE_NEVER, /* nor do those that ask */
    ORCH_LOGIN_USE_WHEN_ASKED,
    ORCH_LOGIN_USE_IF_REQUIRED, /* who is refused as a guest comes again with one */
    ORCH_LOGIN_USE_ALWAYS,
} OrchLoginUse;

/** Their names in the order of OrchLoginUse. Ends with NULL. */
extern const char *const orch_login_uses[];
OrchLoginUse orch_login_use_from_string(const char *name);

/**
 * orch_logins_read:
 * @accounts: (nullable): the configuration's
 *
 * Returns (transfer full): of OrchLogin; NULL: an error. Files are looked at. Errors:
 * BOT_CONFIG_ERROR_FIELD, the path first: "$.accounts[0].profile_dir: …".
 */
GPtrArray *orch_logins_read(JsonNode *accounts, GError **error);

/** Borrowed; NULL: none is called so. */
const OrchLogin *orch_logins_find(GPtrArray *logins, const char *name);

/**
 * orch_login_class:
 *
 * (transfer full): what a bot needs: one of @platform's accounts, or one of those in @group
 * (nullable): "meet", "meet/sales".
 */
char *orch_login_class(const char *platform, const char *group);
/** Whether @login will do for @login_class. */
bool orch_login_is_in(const OrchLogin *login, const char *login_class);

/**
 * orch_login_stamp:
 *
 * (transfer full): another text whenever its session on the disk was changed: by whoever signed in
 * again, or by a bot's session that was kept.
 */
char *orch_login_stamp(const OrchLogin *login);
