/* SPDX-License-Identifier: Apache-2.0 */
#include "base/proxy.h"
#include "bot/config.h"
#include "orchestrator/bots.h"
#include "orchestrator/cli.h"
#include "orchestrator/json.h"
#include "orchestrator/server.h"
#include "orchestrator/workforce.h"

#include "bot/log.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define STOP_WITHIN_S 10
#define TICK_MS 100
#define DATABASE "steno.db"

typedef struct {
    GMainLoop *loop;
    OrchServer *server;
    OrchWorkforce *workforce;
    const OrchConfig *config;
    guint ticks, leave_ticks;
    bool stopping;
} Process;

/* Requests under way get their answer, but nobody waits for a client that does not read. */
static gboolean on_stop_tick(gpointer user_data)
{
    Process *process = user_data;
    if (orch_server_busy(process->server) > 0 &&
        ++process->ticks < STOP_WITHIN_S * 1000 / TICK_MS) {
        return G_SOURCE_CONTINUE;
    }
    g_main_loop_quit(process->loop);
    return G_SOURCE_REMOVE;
}

static void stop_serving(Process *process)
{
    orch_server_stop(process->server);
    g_timeout_add(TICK_MS, on_stop_tick, process);
}

/* Links and webhooks go on meanwhile, and so does the server: a broken link may be made again. */
static gboolean on_leave_tick(gpointer user_data)
{
    Process *process = user_data;
    if (!orch_workforce_has_left(process->workforce) &&
        ++process->leave_ticks < process->config->stop_grace_s * 1000 / TICK_MS) {
        return G_SOURCE_CONTINUE;
    }
    stop_serving(process);
    return G_SOURCE_REMOVE;
}

static gboolean on_terminate(gpointer user_data)
{
    Process *process = user_data;
    if (process->stopping) {
        return G_SOURCE_CONTINUE;
    }
    process->stopping = true;
    g_message("stopping");
    if (process->config->leave_on_stop) {
        orch_workforce_leave(process->workforce);
        g_timeout_add(TICK_MS, on_leave_tick, process);
    } else {
        stop_serving(process);
    }
    return G_SOURCE_CONTINUE;
}

static char *own_url(const OrchConfig *config, guint16 port)
{
    bool v6 = strchr(config->address, ':') != NULL;
    return g_strdup_printf(v6 ? "http://[%s]:%u" : "http://%s:%u", config->address, port);
}

static int serve(const OrchConfig *config, OrchStore *store, const OrchSecrets *secrets)
{
    g_autoptr(GError) error = NULL;
    OrchLinks links = {config->public_url, secrets, config->link_valid_s};
    g_autoptr(OrchBots) bots = orch_bots_new(store, config, &links);
    g_autoptr(OrchServer) server = orch_server_new(bots, &error);
    if (server == NULL) {
        fprintf(stderr, "steno-orchestrator: %s\n", error->message);
        return 1;
    }
    g_autofree char *url = own_url(config, orch_server_port(server));
    if (links.public_url == NULL) {
        links.public_url = url;
    }
    g_autoptr(OrchWorkforce) workforce = orch_workforce_new(bots, secrets, orch_server_soup(server),
                                                            orch_server_port(server), &error);
    if (workforce == NULL) {
        fprintf(stderr, "steno-orchestrator: %s\n", error->message);
        return 1;
    }
    printf("{\"url\": \"%s\"}\n", url);
    fflush(stdout);
    g_message("serving %s, data in %s", url, config->data_dir);
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    Process process = {.loop = loop, .server = server, .workforce = workforce, .config = config};
    guint term_id = g_unix_signal_add(SIGTERM, on_terminate, &process);
    guint int_id = g_unix_signal_add(SIGINT, on_terminate, &process);
    g_main_loop_run(loop);
    g_source_remove(term_id);
    g_source_remove(int_id);
    orch_bots_stop(bots);
    (void)orch_store_commit(store, NULL); /* answers that wait for it go out; it logs */
    return 0;
}

static OrchStore *open_store(const OrchConfig *config, GError **error)
{
    g_autofree char *path = orch_config_path(config, DATABASE);
    if (g_mkdir_with_parents(config->data_dir, 0700) != 0) {
        int code = errno;
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "$.data_dir: %s: %s",
                    config->data_dir, g_strerror(code));
        return NULL;
    }
    return orch_store_open(path, error);
}

/* The workers' rule is ours, too. They read the environment themselves. */
static bool use_proxy(const OrchConfig *config, GError **error)
{
    JsonObject *proxy = orch_json_object(config->worker_defaults, "proxy");
    return proxy != NULL ? bot_config_use_proxy(proxy, error)
                         : base_proxy_from_environment(false, error);
}

static int run(const OrchCli *cli)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OrchConfig) config = orch_config_new_from_file(cli->config, &error);
    g_autoptr(OrchSecrets) secrets = NULL;
    g_autoptr(OrchStore) store = NULL;
    if (config != NULL && !use_proxy(config, &error)) {
        fprintf(stderr, "steno-orchestrator: %s\n", error->message);
        return 2;
    }
    const char *secret = g_getenv("STENO_SECRET");
    if (config != NULL) {
        secrets = orch_secrets_new(secret != NULL ? secret : "", &error);
    }
    if (secrets != NULL) {
        store = open_store(config, &error);
    }
    if (store == NULL) {
        fprintf(stderr, "steno-orchestrator: %s\n", error->message);
        return 2;
    }
    if (cli->command == ORCH_CLI_SERVE) {
        return serve(config, store, secrets);
    }
    bool accounts =
        cli->command == ORCH_CLI_ACCOUNTS_LIST || cli->command == ORCH_CLI_ACCOUNTS_RESET;
    return accounts ? orch_cli_accounts(cli, store, config) : orch_cli_keys(cli, store, secrets);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    OrchCli cli = {0};
    orch_cli_parse(&cli, argc, argv);
    int status = cli.command == ORCH_CLI_WRONG ? 2 : 0;
    if (cli.command != ORCH_CLI_WRONG && cli.command != ORCH_CLI_EXIT) {
        bot_log_init(NULL);
        status = run(&cli);
    }
    orch_cli_clear(&cli);
    return status;
}
