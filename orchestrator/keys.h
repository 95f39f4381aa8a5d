/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/secrets.h"
#include "orchestrator/store.h"

/*
 * API keys: made once and shown once, found by their hash, and kept sealed for the webhook header
 * that must carry them. Every key belongs to an account, and accounts see nothing of each other.
 * Main thread only.
 */

/**
 * orch_keys_create:
 * @account: its name; made when there is none
 * @label: (nullable): for people
 *
 * Returns (transfer full): the record; *ret_key (transfer full) is the key itself.
 */
OrchKey *orch_keys_create(OrchStore *store, const OrchSecrets *secrets, const char *account,
                          const char *label, char **ret_key, GError **error);

/** The key that webhooks of bots made with it carry; (transfer full), NULL when it can't be read.
 */
char *orch_keys_reveal(OrchStore *store, const OrchSecrets *secrets, const char *key_id);

/** What the account's webhooks are signed with, in base64; (transfer full), NULL likewise. */
char *orch_keys_webhook_secret(OrchStore *store, const OrchSecrets *secrets, gint64 account);
