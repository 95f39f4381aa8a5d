/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/cli.h"

#include "bot/report_data.h"
#include "orchestrator/keys.h"
#include "orchestrator/logins.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: steno-orchestrator [serve] [--config FILE]\n"
    "       steno-orchestrator keys create --account NAME [--label TEXT] [--config FILE]\n"
    "       steno-orchestrator keys list [--config FILE]\n"
    "       steno-orchestrator keys revoke ID [--config FILE]\n"
    "       steno-orchestrator accounts list [--config FILE]\n"
    "       steno-orchestrator accounts reset NAME [--config FILE]\n"
    "\n"
    "Serves the HTTP APIs (Meeting BaaS v1, Attendee, Cronofy Meeting Agents) and runs the bots.\n"
    "docs/api.md describes the configuration file and the APIs.\n"
    "\n"
    "STENO_SECRET in the environment, of 32 characters at least, seals API keys and signs links;\n"
    "keep it: what was made with another one is lost. `openssl rand -hex 32` makes a good one.\n";

static void say_wrong(OrchCli *cli, const char *text)
{
    fprintf(stderr, "steno-orchestrator: %s\n\n%s", text, help);
    cli->command = ORCH_CLI_WRONG;
}

static OrchCliCommand find_command(const char *of, const char *name)
{
    static const struct {
        const char *of, *name;
        OrchCliCommand command;
    } commands[] = {{"keys", "create", ORCH_CLI_KEYS_CREATE},
                    {"keys", "list", ORCH_CLI_KEYS_LIST},
                    {"keys", "revoke", ORCH_CLI_KEYS_REVOKE},
                    {"accounts", "list", ORCH_CLI_ACCOUNTS_LIST},
                    {"accounts", "reset", ORCH_CLI_ACCOUNTS_RESET}};
    for (gsize i = 0; name != NULL && i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(commands[i].of, of) == 0 && strcmp(commands[i].name, name) == 0) {
            return commands[i].command;
        }
    }
    return ORCH_CLI_WRONG;
}

/* What the command is about; false: it is missing. */
static bool read_object(OrchCli *cli, const char *word)
{
    if (cli->command == ORCH_CLI_KEYS_REVOKE) {
        cli->key_id = g_strdup(word);
    } else if (cli->command == ORCH_CLI_ACCOUNTS_RESET) {
        cli->login = g_strdup(word);
    }
    return word != NULL;
}

/* @words: what is left of the command line without the options, the program's name first. */
static void read_words(OrchCli *cli, int n, char **words)
{
    cli->command = ORCH_CLI_SERVE;
    int used = n > 1 && strcmp(words[1], "serve") == 0 ? 2 : 1;
    if (n > 1 && (strcmp(words[1], "keys") == 0 || strcmp(words[1], "accounts") == 0)) {
        cli->command = find_command(words[1], n > 2 ? words[2] : NULL);
        used = 3;
    }
    const char *missing = cli->command == ORCH_CLI_KEYS_REVOKE
                              ? "keys revoke needs the id of a key (see keys list)"
                          : cli->command == ORCH_CLI_ACCOUNTS_RESET
                              ? "accounts reset needs the name of an account (see accounts list)"
                              : NULL;
    if (missing != NULL && read_object(cli, n > 3 ? words[3] : NULL)) {
        missing = NULL;
        used = 4;
    }
    if (cli->command == ORCH_CLI_WRONG || n > used || missing != NULL) {
        say_wrong(cli, missing != NULL ? missing : "unknown command");
    } else if (cli->command == ORCH_CLI_KEYS_CREATE && cli->account == NULL) {
        say_wrong(cli, "keys create needs --account NAME");
    }
}

void orch_cli_parse(OrchCli *cli, int argc, char **argv)
{
    gboolean version = FALSE;
    gboolean show_help = FALSE;
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &cli->config, NULL, NULL},
        {"account", 0, 0, G_OPTION_ARG_STRING, &cli->account, NULL, NULL},
        {"label", 0, 0, G_OPTION_ARG_STRING, &cli->label, NULL, NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &version, NULL, NULL},
        {"help", 'h', 0, G_OPTION_ARG_NONE, &show_help, NULL, NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_add_main_entries(context, entries, NULL);
    g_autoptr(GError) error = NULL;
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        say_wrong(cli, error->message);
    } else if (version || show_help) {
        fputs(show_help ? help : "steno-orchestrator " STENO_VERSION "\n", stdout);
        cli->command = ORCH_CLI_EXIT;
    } else {
        read_words(cli, argc, argv);
    }
}

void orch_cli_clear(OrchCli *cli)
{
    g_free(cli->config);
    g_free(cli->account);
    g_free(cli->label);
    g_free(cli->key_id);
    g_free(cli->login);
}

/* --- keys --- */

static int fail(const GError *error)
{
    fprintf(stderr, "steno-orchestrator: %s\n", error->message);
    return 1;
}

static int create_key(const OrchCli *cli, OrchStore *store, const OrchSecrets *secrets)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *key = NULL;
    g_autoptr(OrchKey) record =
        orch_keys_create(store, secrets, cli->account, cli->label, &key, &error);
    if (record == NULL || !orch_store_commit(store, &error)) {
        return fail(error);
    }
    g_autofree char *secret = orch_keys_webhook_secret(store, secrets, record->account);
    printf("%s\n", key);
    fprintf(stderr,
            "key %s of account %s; it is shown this once.\n"
            "The account's webhooks are signed with (base64): %s\n",
            record->id, record->account_name,
            secret != NULL ? secret : "a secret sealed under another STENO_SECRET");
    return 0;
}

static int list_keys(OrchStore *store)
{
    g_autoptr(GPtrArray) keys = orch_store_keys(store);
    for (guint i = 0; i < keys->len; i++) {
        const OrchKey *key = g_ptr_array_index(keys, i);
        g_autofree char *created = bot_report_iso_time(key->created_ms);
        printf("%s\t%s\t%s\t%s\t%s\n", key->id, key->account_name, created,
               key->revoked_ms > 0 ? "revoked" : "valid", key->label != NULL ? key->label : "");
    }
    return 0;
}

static int revoke_key(const OrchCli *cli, OrchStore *store)
{
    g_autoptr(GError) error = NULL;
    if (orch_store_key_revoke(store, cli->key_id, g_get_real_time() / 1000, &error) &&
        orch_store_commit(store, &error)) {
        return 0;
    }
    if (error != NULL) {
        return fail(error);
    }
    fprintf(stderr, "steno-orchestrator: no valid key has the id %s (see keys list)\n",
            cli->key_id);
    return 1;
}

int orch_cli_keys(const OrchCli *cli, OrchStore *store, const OrchSecrets *secrets)
{
    if (cli->command == ORCH_CLI_KEYS_CREATE) {
        return create_key(cli, store, secrets);
    }
    return cli->command == ORCH_CLI_KEYS_LIST ? list_keys(store) : revoke_key(cli, store);
}

/* --- accounts --- */

static int list_accounts(OrchStore *store, const OrchConfig *config)
{
    g_autoptr(GPtrArray) states = orch_logins_states(store, config);
    for (guint i = 0; i < states->len; i++) {
        const OrchLoginState *state = g_ptr_array_index(states, i);
        const OrchLogin *login = state->login;
        g_autofree char *since =
            state->mark != NULL ? bot_report_iso_time(state->mark->since_ms) : NULL;
        printf("%s\t%s\t%s\t%u of %u bots\t%s%s\t%s\n", login->name, login->platform,
               login->group != NULL ? login->group : "", state->n_bots, login->max_bots,
               since != NULL   ? "signed out since "
               : state->in_use ? "a browser uses it"
                               : "ready",
               since != NULL ? since : "", state->mark != NULL ? state->mark->reason : "");
    }
    return 0;
}

static int reset_account(const OrchCli *cli, OrchStore *store, const OrchConfig *config)
{
    g_autoptr(GError) error = NULL;
    if (orch_logins_find(config->logins, cli->login) == NULL) {
        fprintf(stderr, "steno-orchestrator: no account is called %s (see accounts list)\n",
                cli->login);
        return 1;
    }
    bool marked = orch_store_login_mark_remove(store, cli->login, &error);
    if (error != NULL || !orch_store_commit(store, &error)) {
        return fail(error);
    }
    if (!marked) {
        fprintf(stderr, "account %s was not signed out\n", cli->login);
    }
    return 0;
}

int orch_cli_accounts(const OrchCli *cli, OrchStore *store, const OrchConfig *config)
{
    return cli->command == ORCH_CLI_ACCOUNTS_LIST ? list_accounts(store, config)
                                                  : reset_account(cli, store, config);
}
