/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/keys.h"

#include <string.h>

static OrchAccount *ensure_account(OrchStore *store, const OrchSecrets *secrets, const char *name,
                                   GError **error)
{
    OrchAccount *known = orch_store_account_find(store, name);
    if (known != NULL) {
        return known;
    }
    g_autofree char *secret = orch_random_secret();
    g_autoptr(OrchAccount) account = g_new0(OrchAccount, 1);
    account->name = g_strdup(name);
    account->sealed_secret = orch_secrets_seal(secrets, secret);
    account->created_ms = g_get_real_time() / 1000;
    return orch_store_account_insert(store, account, error) ? g_steal_pointer(&account) : NULL;
}

OrchKey *orch_keys_create(OrchStore *store, const OrchSecrets *secrets, const char *account_name,
                          const char *label, char **ret_key, GError **error)
{
    g_autoptr(OrchAccount) account = ensure_account(store, secrets, account_name, error);
    if (account == NULL) {
        return NULL;
    }
    g_autofree char *key = orch_random_key();
    g_autofree char *uuid = g_uuid_string_random();
    g_autoptr(OrchKey) record = g_new0(OrchKey, 1);
    record->id = g_strdup_printf("key_%.8s", uuid);
    record->account = account->id;
    record->account_name = g_strdup(account_name);
    record->label = g_strdup(label);
    record->hash = orch_hash(key);
    record->sealed = orch_secrets_seal(secrets, key);
    record->created_ms = g_get_real_time() / 1000;
    if (!orch_store_key_insert(store, record, error)) {
        return NULL;
    }
    *ret_key = g_steal_pointer(&key);
    return g_steal_pointer(&record);
}

char *orch_keys_reveal(OrchStore *store, const OrchSecrets *secrets, const char *key_id)
{
    g_autoptr(OrchKey) key = key_id != NULL ? orch_store_key_get(store, key_id) : NULL;
    return key != NULL ? orch_secrets_open(secrets, key->sealed) : NULL;
}

char *orch_keys_webhook_secret(OrchStore *store, const OrchSecrets *secrets, gint64 id)
{
    g_autoptr(OrchAccount) account = orch_store_account_get(store, id);
    return account != NULL ? orch_secrets_open(secrets, account->sealed_secret) : NULL;
}
