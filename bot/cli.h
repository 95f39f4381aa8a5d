/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/config.h"

/* The command line of steno-worker; `join URL …` builds the same document that --config reads. */

typedef enum {
    BOT_CLI_RUN,     /* config is set; or base: the worker stands by */
    BOT_CLI_PRINT,   /* --print-config: config is set */
    BOT_CLI_RECOVER, /* recover_dir is set */
    BOT_CLI_CHECK,   /* check_target is set, check_platform and browser may be */
    BOT_CLI_LOGIN,   /* check_target (the page) and profile are set, browser may be */
    BOT_CLI_HELP,    /* help is set: print it, exit 0 */
} BotCliAction;

typedef struct {
    BotCliAction action;
    BotConfig *config;                   /* owned */
    JsonObject *base;                    /* owned: --standby, what the worker has before its bot */
    char *recover_dir;                   /* owned */
    char *check_target, *check_platform; /* owned */
    char *profile;                       /* owned */
    JsonObject *browser;                 /* owned */
    unsigned settle_s;
    char *help; /* owned */
    bool events_to_stdout;
    bool commands_on_stdin;
    bool interactive; /* `join`: show the live status line */
} BotCli;

void bot_cli_clear(BotCli *cli);

/** Errors: BOT_CONFIG_ERROR, G_OPTION_ERROR; the message is for people. */
bool bot_cli_parse(int argc, char **argv, BotCli *ret_cli, GError **error);
