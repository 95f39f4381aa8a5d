/* SPDX-License-Identifier: Apache-2.0 */
#include "base/proxy.h"
#include "bot/cli.h"
#include "bot/log.h"
#include "bot/recover.h"
#include "bot/worker.h"
#include "media/engine.h"
#include "platforms/check_page.h"
#include "platforms/login.h"
#include "platforms/platform.h"

#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>

/* Pictures are mapped one by one and given back when they are freed. Left to itself, glibc begins
 * to keep them in its arenas, where a small block between two of them holds megabytes for hours. */
static void keep_memory_small(void)
{
#ifdef M_MMAP_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, 256 << 10);
    mallopt(M_TRIM_THRESHOLD, 512 << 10);
#endif
}

static BotExit check_page(const BotCli *cli)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *table = NULL;
    PlatformCheck check = {cli->check_target, cli->check_platform, cli->browser, cli->settle_s};
    if (!platform_check_page(&check, &table, &error)) {
        fprintf(stderr, "steno-worker: %s\n", error->message);
        bool asked_wrong = g_error_matches(error, PLATFORM_ERROR, PLATFORM_ERROR_URL) ||
                           g_error_matches(error, PLATFORM_ERROR, PLATFORM_ERROR_RULES);
        return asked_wrong ? BOT_EXIT_BAD_CONFIG : BOT_EXIT_INTERNAL;
    }
    fputs(table, stdout);
    return BOT_EXIT_OK;
}

static BotExit login(const BotCli *cli)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *profile = NULL;
    PlatformLogin wanted = {cli->check_target, cli->profile, cli->browser};
    fputs("Sign in, in the window that opens, then close it.\n", stderr);
    if (!platform_login(&wanted, &profile, &error)) {
        fprintf(stderr, "steno-worker: %s\n", error->message);
        return g_error_matches(error, PLATFORM_ERROR, PLATFORM_ERROR_URL) ? BOT_EXIT_BAD_CONFIG
                                                                          : BOT_EXIT_INTERNAL;
    }
    printf("The profile is kept in %s; use it with:\n"
           "  --set browser.profile_dir=%s --set browser.signed_in=true\n",
           profile, profile);
    return BOT_EXIT_OK;
}

int main(int argc, char **argv)
{
    keep_memory_small();
    setlocale(LC_ALL, "");
    signal(SIGPIPE, SIG_IGN);
    bot_log_init(NULL);
    BotCli cli = {0};
    g_autoptr(GError) error = NULL;
    /* before there are threads: libraries and Chromium have rules of their own for these */
    if (!base_proxy_from_environment(true, &error) || !bot_cli_parse(argc, argv, &cli, &error)) {
        fprintf(stderr, "steno-worker: %s\n", error->message);
        return BOT_EXIT_BAD_CONFIG;
    }
    BotExit exit = BOT_EXIT_OK;
    switch (cli.action) {
    case BOT_CLI_HELP:
        fputs(cli.help, stdout);
        break;
    case BOT_CLI_PRINT: {
        g_autofree char *text = bot_config_print(cli.config);
        puts(text);
        break;
    }
    case BOT_CLI_RECOVER:
        exit = media_init(&error) ? bot_recover(cli.recover_dir) : BOT_EXIT_INTERNAL;
        break;
    case BOT_CLI_CHECK:
        exit = check_page(&cli);
        break;
    case BOT_CLI_LOGIN:
        exit = login(&cli);
        break;
    case BOT_CLI_RUN:
        bot_log_init(cli.config != NULL ? cli.config->bot_id : NULL);
        exit = bot_worker_run(&cli);
        break;
    }
    bot_cli_clear(&cli);
    return (int)exit;
}
