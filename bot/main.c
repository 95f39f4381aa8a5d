/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/cli.h"
#include "bot/command.h"
#include "bot/folder.h"
#include "bot/log.h"
#include "bot/recover.h"
#include "bot/session.h"
#include "bot/status_line.h"
#include "media/engine.h"
#include "platforms/check_page.h"
#include "platforms/platform.h"

#include <glib-unix.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

typedef struct {
    GMainLoop *loop;
    BotSession *session;
    BotExit exit;
} Worker;

static void on_ended(BotExit exit, gpointer user_data)
{
    Worker *worker = user_data;
    worker->exit = exit;
    g_main_loop_quit(worker->loop);
}

static gboolean on_terminate(gpointer user_data)
{
    Worker *worker = user_data;
    bot_session_shutdown(worker->session);
    return G_SOURCE_CONTINUE;
}

static BotExit run_session(const BotCli *cli, BotEventLog *log)
{
    static const BotSessionEvents events = {on_ended};
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    Worker worker = {.loop = loop, .exit = BOT_EXIT_INTERNAL};
    worker.session = bot_session_new(cli->config, log, &events, &worker);
    g_autoptr(BotCommands) commands = bot_commands_new(worker.session, log);
    g_autoptr(BotStatusLine) line = cli->interactive ? bot_status_line_new(worker.session) : NULL;
    guint term_id = g_unix_signal_add(SIGTERM, on_terminate, &worker);
    guint int_id = g_unix_signal_add(SIGINT, on_terminate, &worker);
    if (cli->commands_on_stdin) {
        bot_commands_read_fd(commands, STDIN_FILENO);
    }
    bot_session_start(worker.session);
    g_main_loop_run(loop);
    g_source_remove(term_id);
    g_source_remove(int_id);
    g_clear_pointer(&line, bot_status_line_free);
    g_clear_pointer(&commands, bot_commands_free);
    bot_session_free(worker.session);
    return worker.exit;
}

/* The kept configuration goes only when nothing is left for --recover to do. */
static bool is_done(BotExit exit)
{
    return exit != BOT_EXIT_NOT_DELIVERED && exit != BOT_EXIT_NOT_FINALIZED;
}

static BotExit run(const BotCli *cli)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BotFolder) folder = bot_folder_open(cli->config->output_dir, true, &error);
    g_autoptr(BotEventLog) log = NULL;
    if (folder == NULL || !bot_folder_keep_config(folder, cli->config, &error)) {
        fprintf(stderr, "steno-worker: $.output_dir: %s\n", error->message);
        return BOT_EXIT_BAD_CONFIG;
    }
    log = bot_event_log_new(cli->config->output_dir, cli->events_to_stdout ? STDOUT_FILENO : -1,
                            &error);
    if (log == NULL || !media_init(&error)) {
        fprintf(stderr, "steno-worker: %s\n", error->message);
        return log == NULL ? BOT_EXIT_BAD_CONFIG : BOT_EXIT_INTERNAL;
    }
    BotExit exit = run_session(cli, log);
    if (is_done(exit)) {
        bot_folder_forget_config(folder);
    }
    return exit;
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

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    signal(SIGPIPE, SIG_IGN);
    bot_log_init(NULL);
    BotCli cli = {0};
    g_autoptr(GError) error = NULL;
    if (!bot_cli_parse(argc, argv, &cli, &error)) {
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
    case BOT_CLI_RUN:
        bot_log_init(cli.config->bot_id);
        exit = run(&cli);
        break;
    }
    bot_cli_clear(&cli);
    return (int)exit;
}
