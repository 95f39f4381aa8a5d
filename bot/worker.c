/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/worker.h"

#include "bot/command.h"
#include "bot/control_link.h"
#include "bot/folder.h"
#include "bot/log.h"
#include "bot/status_line.h"
#include "bot/summary.h"
#include "media/engine.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNLINKED_STANDBY_S 60
#define LAST_ACK_S 1 /* of the grace time, kept for leaving */

typedef struct {
    const BotCli *cli; /* borrowed */
    GMainLoop *loop;   /* owned, like all that follows */
    JsonObject *base;  /* NULL: not a standby */
    BotConfig *config; /* NULL: no bot yet */
    BotFolder *folder;
    BotEventLog *log;
    PlatformStandby *standby; /* NULL: none, or the session has it */
    BotSession *session;
    BotCommands *commands;
    BotControlLink *link; /* NULL: no control_url */
    BotStatusLine *line;
    guint stdin_id, unlinked_id, last_id;
    int64_t terminated_us; /* the first SIGTERM; 0: none */
    bool ended;            /* the bot's end was told */
    bool quitting;         /* it may be over before the main loop runs */
    BotExit exit;
} Worker;

static void quit(Worker *worker)
{
    worker->quitting = true;
    g_main_loop_quit(worker->loop);
}

/* --- the end of the bot --- */

static gboolean on_last_words_over(gpointer user_data)
{
    Worker *worker = user_data;
    worker->last_id = 0;
    g_message("the orchestrator has not acknowledged the last events; they stay in %s",
              worker->config->output_dir);
    quit(worker);
    return G_SOURCE_REMOVE;
}

static unsigned last_words_ms(Worker *worker)
{
    int64_t grace_us = (worker->config->shutdown_grace_s - LAST_ACK_S) * G_USEC_PER_SEC;
    int64_t spent_us =
        worker->terminated_us > 0 ? g_get_monotonic_time() - worker->terminated_us : 0;
    return (unsigned)(MAX(grace_us - spent_us, 0) / 1000);
}

static void on_ended(BotExit exit, gpointer user_data)
{
    Worker *worker = user_data;
    worker->exit = exit;
    worker->ended = true;
    if (worker->link == NULL) {
        quit(worker);
        return;
    }
    worker->last_id = g_timeout_add(last_words_ms(worker), on_last_words_over, worker);
    bot_control_link_finish(worker->link);
}

static gboolean on_terminate(gpointer user_data)
{
    Worker *worker = user_data;
    if (worker->session == NULL) {
        g_message("told to stop while standing by");
        quit(worker);
        return G_SOURCE_CONTINUE;
    }
    if (worker->terminated_us == 0) {
        worker->terminated_us = g_get_monotonic_time();
    } else if (worker->ended) {
        quit(worker);
        return G_SOURCE_CONTINUE;
    }
    if (!worker->ended) {
        bot_session_shutdown(worker->session);
    } else {
        g_clear_handle_id(&worker->last_id, g_source_remove);
        worker->last_id = g_timeout_add(last_words_ms(worker), on_last_words_over, worker);
    }
    return G_SOURCE_CONTINUE;
}

/* --- the bot --- */

static void on_event(gint64 seq, const char *event, gpointer user_data)
{
    Worker *worker = user_data;
    bot_control_link_send_event(worker->link, seq, event);
}

/* The folder and the log. Errors: $.output_dir and why. */
static bool open_folder(Worker *worker, const BotConfig *config, GError **error)
{
    g_autoptr(BotFolder) folder = bot_folder_open(config->output_dir, true, error);
    if (folder == NULL || !bot_folder_keep_config(folder, config, error)) {
        g_prefix_error(error, "$.output_dir: ");
        return false;
    }
    int mirror_fd = worker->cli->events_to_stdout ? STDOUT_FILENO : -1;
    worker->log = bot_event_log_new(config->output_dir, mirror_fd, error);
    if (worker->log == NULL) {
        return false;
    }
    worker->folder = g_steal_pointer(&folder);
    return true;
}

static bool is_same(JsonNode *a, JsonNode *b)
{
    g_autofree char *left = a != NULL ? json_to_string(a, FALSE) : g_strdup("");
    g_autofree char *right = b != NULL ? json_to_string(b, FALSE) : g_strdup("");
    return strcmp(left, right) == 0;
}

/* A standby has its browser and its link already, and they have their proxies. */
static bool use_proxy(Worker *worker, const BotConfig *config, GError **error)
{
    JsonNode *own = json_object_get_member(config->document, "proxy");
    if (worker->base == NULL) {
        return config->proxy == NULL || bot_config_use_proxy(config->proxy, error);
    }
    if (!is_same(own, json_object_get_member(worker->base, "proxy"))) {
        g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD,
                    "$.proxy: this standby was started with another one; give it there");
        return false;
    }
    return true;
}

/* @config: (transfer full) on success. */
static bool take_bot(Worker *worker, BotConfig *config, GError **error)
{
    static const BotSessionEvents events = {on_ended};
    if (!use_proxy(worker, config, error) || !open_folder(worker, config, error)) {
        return false;
    }
    worker->config = config;
    g_clear_handle_id(&worker->stdin_id, g_source_remove);
    g_clear_handle_id(&worker->unlinked_id, g_source_remove);
    bot_log_init(config->bot_id);
    worker->session = bot_session_new(config, worker->log, &events, worker);
    bot_session_take_standby(worker->session, g_steal_pointer(&worker->standby));
    return true;
}

static void connect_log(Worker *worker)
{
    if (worker->link != NULL) {
        g_autofree char *path = bot_event_log_path(worker->config->output_dir);
        bot_control_link_set_bot(worker->link, worker->config->bot_id, path,
                                 bot_event_log_get_last_seq(worker->log));
        bot_event_log_set_sink(worker->log, on_event, worker);
    }
}

/* --- commands --- */

static bool assign(Worker *worker, JsonObject *document, GError **error)
{
    if (worker->session != NULL) {
        g_set_error(error, BOT_SESSION_ERROR, BOT_SESSION_ERROR_STATE,
                    "this worker has its bot already: %s", worker->config->bot_id);
        return false;
    }
    if (document == NULL) {
        g_set_error_literal(error, BOT_SESSION_ERROR, BOT_SESSION_ERROR_COMMAND,
                            "$.args: expected the bot's document");
        return false;
    }
    BotConfig *config = bot_config_new_assigned(worker->base, document, error);
    if (config == NULL || !take_bot(worker, config, error)) {
        g_clear_pointer(&config, bot_config_free);
        return false;
    }
    return true;
}

/* Kept for --recover before they are used. */
static bool take_credentials(Worker *worker, JsonObject *args, GError **error)
{
    bool has_some = args != NULL && json_object_has_member(args, "upload");
    g_autoptr(BotConfig) config =
        has_some ? bot_config_with_credentials(worker->config, args, error) : NULL;
    if (has_some && (config == NULL || !bot_folder_keep_config(worker->folder, config, error))) {
        return false;
    }
    bot_session_set_credentials(worker->session, g_steal_pointer(&config));
    return true;
}

static void run_command(const char *name, JsonObject *args, BotCommandDone done, gpointer done_data,
                        gpointer user_data)
{
    Worker *worker = user_data;
    g_autoptr(GError) error = NULL;
    if (strcmp(name, "assign") == 0) {
        if (!assign(worker, args, &error)) {
            done(error, done_data);
            return;
        }
        done(NULL, done_data);
        connect_log(worker);
        bot_session_start(worker->session);
        return;
    }
    if (worker->session == NULL) {
        g_set_error_literal(&error, BOT_SESSION_ERROR, BOT_SESSION_ERROR_STATE,
                            "the worker stands by: it has no bot yet");
        done(error, done_data);
        return;
    }
    if (strcmp(name, "credentials") == 0) {
        done(take_credentials(worker, args, &error) ? NULL : error, done_data);
        return;
    }
    bot_session_command(worker->session, name, args, done, done_data);
}

static void print_result(JsonObject *result)
{
    json_object_set_string_member(result, "type", "result");
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    json_node_set_object(node, result);
    g_autofree char *text = json_to_string(node, FALSE);
    puts(text);
    (void)fflush(stdout);
}

static void on_result(JsonObject *result, gpointer user_data)
{
    Worker *worker = user_data;
    if (worker->link != NULL) {
        bot_control_link_send_result(worker->link, result);
        json_object_unref(result);
    } else if (worker->log != NULL) {
        bot_event_log_emit(worker->log, "result", result);
    } else {
        print_result(result);
        json_object_unref(result);
    }
}

static void on_input_end(gpointer user_data)
{
    Worker *worker = user_data;
    if (worker->session == NULL) {
        g_message("standard input ended: nobody will assign a bot");
        quit(worker);
    }
}

/* --- the control link --- */

static void on_link_command(const char *id, const char *name, JsonObject *args, gpointer user_data)
{
    Worker *worker = user_data;
    bot_commands_take(worker->commands, id, name, args);
}

static gboolean on_unlinked_for_long(gpointer user_data)
{
    Worker *worker = user_data;
    worker->unlinked_id = 0;
    g_message("no orchestrator for %d s: this standby ends", UNLINKED_STANDBY_S);
    quit(worker);
    return G_SOURCE_REMOVE;
}

static void on_link(bool up, gpointer user_data)
{
    Worker *worker = user_data;
    g_clear_handle_id(&worker->unlinked_id, g_source_remove);
    if (!up && worker->session == NULL) {
        worker->unlinked_id =
            g_timeout_add_seconds(UNLINKED_STANDBY_S, on_unlinked_for_long, worker);
    }
}

static void on_link_warning(const char *code, const char *message, gpointer user_data)
{
    Worker *worker = user_data;
    if (worker->log != NULL) {
        bot_event_log_warn(worker->log, code, message);
    } else {
        g_message("%s: %s", code, message);
    }
}

static void on_drained(gpointer user_data)
{
    quit(user_data);
}

static void make_link(Worker *worker, const BotControlLinkConfig *config)
{
    static const BotControlLinkEvents events = {on_link_command, on_link, on_link_warning,
                                                on_drained};
    if (config->url != NULL) {
        worker->link = bot_control_link_new(config, &events, worker);
    }
}

/* --- standing by --- */

static void on_standby_ready(gpointer user_data)
{
    Worker *worker = user_data;
    g_message("standing by");
    if (worker->link != NULL) {
        on_link(false, worker); /* as long as nobody answers */
        bot_control_link_start(worker->link);
    } else if (worker->commands != NULL) {
        bot_commands_read_fd(worker->commands, STDIN_FILENO);
    }
}

static void on_standby_lost(const char *message, gpointer user_data)
{
    Worker *worker = user_data;
    fprintf(stderr, "steno-worker: the browser is lost: %s\n", message);
    worker->exit = BOT_EXIT_INTERNAL;
    quit(worker);
}

/* With a control link nothing is read from standard input, but its end says that whoever started
 * this standby is gone. A terminal or /dev/null says nothing. */
static gboolean on_stdin(int fd, GIOCondition condition, gpointer user_data)
{
    Worker *worker = user_data;
    char dropped[4096];
    ssize_t n = read(fd, dropped, sizeof dropped);
    if (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN))) {
        return G_SOURCE_CONTINUE;
    }
    worker->stdin_id = 0;
    on_input_end(worker);
    return G_SOURCE_REMOVE;
}

static void watch_stdin(Worker *worker)
{
    struct stat info;
    if (fstat(STDIN_FILENO, &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode))) {
        worker->stdin_id =
            g_unix_fd_add(STDIN_FILENO, G_IO_IN | G_IO_HUP | G_IO_ERR, on_stdin, worker);
    }
}

static const char *base_string(Worker *worker, const char *name)
{
    return json_object_get_string_member_with_default(worker->base, name, NULL);
}

static bool start_browser(Worker *worker, GError **error)
{
    static const PlatformStandbyEvents events = {on_standby_ready, on_standby_lost};
    JsonNode *browser = json_object_get_member(worker->base, "browser");
    bool has_options = browser != NULL && JSON_NODE_HOLDS_OBJECT(browser);
    worker->standby = platform_standby_new(has_options ? json_node_get_object(browser) : NULL,
                                           &events, worker, error);
    return worker->standby != NULL;
}

/* Where null: meetings are allowed, no browser is started ahead: those bots need none. */
static bool stand_by(Worker *worker, GError **error)
{
    JsonNode *proxy = json_object_get_member(worker->base, "proxy");
    if (proxy != NULL && JSON_NODE_HOLDS_OBJECT(proxy) &&
        !bot_config_use_proxy(json_node_get_object(proxy), error)) {
        return false;
    }
    worker->exit = BOT_EXIT_OK;
    bool needs_browser = base_string(worker, "null_dir") == NULL;
    if (needs_browser && !start_browser(worker, error)) {
        return false;
    }
    BotControlLinkConfig config = {.url = base_string(worker, "control_url"),
                                   .token = base_string(worker, "control_token"),
                                   .worker_id = base_string(worker, "worker_id")};
    make_link(worker, &config);
    if (worker->link != NULL) {
        watch_stdin(worker);
    }
    if (!needs_browser) {
        on_standby_ready(worker);
    }
    return true;
}

/* --- from start to end --- */

static bool begin(Worker *worker, GError **error)
{
    if (worker->cli->base != NULL) {
        worker->base = json_object_ref(worker->cli->base);
        return stand_by(worker, error);
    }
    g_autoptr(BotConfig) config = bot_config_new(worker->cli->config->document, error);
    if (config == NULL || !take_bot(worker, config, error)) {
        return false;
    }
    config = NULL;
    BotControlLinkConfig link = {.url = worker->config->control_url,
                                 .token = worker->config->control_token,
                                 .worker_id = worker->config->worker_id};
    make_link(worker, &link);
    connect_log(worker);
    worker->line = worker->cli->interactive ? bot_status_line_new(worker->session) : NULL;
    if (worker->link != NULL) {
        bot_control_link_start(worker->link);
    } else if (worker->cli->commands_on_stdin) {
        bot_commands_read_fd(worker->commands, STDIN_FILENO);
    }
    bot_session_start(worker->session);
    return true;
}

/* The kept configuration goes only when nothing is left for --recover to do. */
static void forget_config_if_done(Worker *worker)
{
    bool delivered =
        worker->exit != BOT_EXIT_NOT_DELIVERED && worker->exit != BOT_EXIT_NOT_FINALIZED;
    bool told = worker->link == NULL || !bot_control_link_has_unacknowledged(worker->link);
    if (worker->folder != NULL && delivered && told) {
        bot_folder_forget_config(worker->folder);
    }
}

/* (transfer full): for the person who typed join; NULL: nobody did. */
static char *summarize(Worker *worker)
{
    if (!worker->cli->interactive || worker->config == NULL) {
        return NULL;
    }
    g_autoptr(JsonArray) events = bot_event_log_read(worker->config->output_dir);
    return bot_summary(worker->config->output_dir, events);
}

static void clear(Worker *worker)
{
    g_clear_handle_id(&worker->stdin_id, g_source_remove);
    g_clear_handle_id(&worker->unlinked_id, g_source_remove);
    g_clear_handle_id(&worker->last_id, g_source_remove);
    g_clear_pointer(&worker->line, bot_status_line_free);
    g_clear_pointer(&worker->session, bot_session_free);
    g_clear_pointer(&worker->standby, platform_standby_free);
    g_clear_pointer(&worker->commands, bot_commands_free);
    if (worker->log != NULL) {
        bot_event_log_set_sink(worker->log, NULL, NULL);
    }
    g_clear_pointer(&worker->link, bot_control_link_free);
    g_clear_pointer(&worker->log, bot_event_log_free);
    g_clear_pointer(&worker->folder, bot_folder_close);
    g_clear_pointer(&worker->config, bot_config_free);
    g_clear_pointer(&worker->base, json_object_unref);
    g_main_loop_unref(worker->loop);
}

BotExit bot_worker_run(const BotCli *cli)
{
    static const BotCommandHandler handler = {run_command, on_result, on_input_end};
    g_autoptr(GError) error = NULL;
    if (!media_init(&error)) {
        fprintf(stderr, "steno-worker: %s\n", error->message);
        return BOT_EXIT_INTERNAL;
    }
    Worker worker = {.cli = cli, .exit = BOT_EXIT_INTERNAL};
    worker.loop = g_main_loop_new(NULL, FALSE);
    worker.commands = bot_commands_new(&handler, &worker);
    guint term_id = g_unix_signal_add(SIGTERM, on_terminate, &worker);
    guint int_id = g_unix_signal_add(SIGINT, on_terminate, &worker);
    if (begin(&worker, &error)) {
        if (!worker.quitting) {
            g_main_loop_run(worker.loop);
        }
        forget_config_if_done(&worker);
    } else {
        fprintf(stderr, "steno-worker: %s\n", error->message);
        worker.exit = cli->base != NULL ? BOT_EXIT_INTERNAL : BOT_EXIT_BAD_CONFIG;
    }
    g_source_remove(term_id);
    g_source_remove(int_id);
    g_autofree char *summary = summarize(&worker);
    clear(&worker);
    if (summary != NULL) {
        fputs(summary, stderr);
    }
    return worker.exit;
}
