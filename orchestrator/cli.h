/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/config.h"
#include "orchestrator/secrets.h"
#include "orchestrator/store.h"

/* The command line: what to do, and the commands that end at once. Main thread only. */

typedef enum {
    ORCH_CLI_SERVE,
    ORCH_CLI_KEYS_CREATE,
    ORCH_CLI_KEYS_LIST,
    ORCH_CLI_KEYS_REVOKE,
    ORCH_CLI_ACCOUNTS_LIST,
    ORCH_CLI_ACCOUNTS_RESET,
    ORCH_CLI_EXIT, /* --help, --version: done */
    ORCH_CLI_WRONG /* said so on standard error */
} OrchCliCommand;

typedef struct {
    OrchCliCommand command;
    char *config;  /* owned; NULL: defaults */
    char *account; /* owned; of keys create */
    char *label;   /* owned; or NULL */
    char *key_id;  /* owned; of keys revoke */
    char *login;   /* owned; of accounts reset */
} OrchCli;

void orch_cli_parse(OrchCli *cli, int argc, char **argv);
void orch_cli_clear(OrchCli *cli);

/** Run a keys command; returns the exit status. */
int orch_cli_keys(const OrchCli *cli, OrchStore *store, const OrchSecrets *secrets);

/** Run an accounts command; returns the exit status. */
int orch_cli_accounts(const OrchCli *cli, OrchStore *store, const OrchConfig *config);
