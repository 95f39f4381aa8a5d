/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/cli.h"

#include <string.h>
#include <unistd.h>

static const char summary[] =
    "Joins an online meeting as a named bot, records it and streams it.\n"
    "\n"
    "  steno-worker --config FILE|-     run one bot from a JSON document\n"
    "  steno-worker --standby           start the browser, then wait for the command assign\n"
    "  steno-worker join URL [OPTION…]  the same for people, with a live status line\n"
    "  steno-worker --recover DIR       finalize, upload and report what a killed worker left\n"
    "  steno-worker login URL --profile DIR\n"
    "                                   sign in by hand, once, for a bot with an account\n"
    "  steno-worker check-page URL|FILE which of the platform's rules match that page\n"
    "\n"
    "docs/worker.md has every field, event, command and exit code.";

typedef struct {
    char *config_path;
    char *recover_dir;
    char *events;
    gboolean print_config;
    gboolean standby;
    gboolean version;
    /* join */
    char *name, *mode, *output_dir, *stream_input, *stream_output, *audio_frequency;
    char *webhook_url, *message, *browser_json;
    char **set;
    gboolean no_sandbox;
    char *platform; /* check-page */
    char *profile;  /* login */
    int settle_s;
    char **rest;
} Options;

static void options_clear(Options *options)
{
    g_free(options->config_path);
    g_free(options->recover_dir);
    g_free(options->events);
    g_free(options->name);
    g_free(options->mode);
    g_free(options->output_dir);
    g_free(options->stream_input);
    g_free(options->stream_output);
    g_free(options->audio_frequency);
    g_free(options->webhook_url);
    g_free(options->message);
    g_free(options->browser_json);
    g_free(options->platform);
    g_free(options->profile);
    g_strfreev(options->set);
    g_strfreev(options->rest);
}

void bot_cli_clear(BotCli *cli)
{
    g_clear_pointer(&cli->config, bot_config_free);
    g_clear_pointer(&cli->base, json_object_unref);
    g_clear_pointer(&cli->recover_dir, g_free);
    g_clear_pointer(&cli->check_target, g_free);
    g_clear_pointer(&cli->check_platform, g_free);
    g_clear_pointer(&cli->profile, g_free);
    g_clear_pointer(&cli->browser, json_object_unref);
    g_clear_pointer(&cli->help, g_free);
}

static bool fail(GError **error, const char *text)
{
    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, text);
    return false;
}

/* "automatic_leave.alone_timeout=5": the value is JSON, or else a string. */
static bool apply_set(JsonObject *document, const char *assignment, GError **error)
{
    const char *equals = strchr(assignment, '=');
    if (equals == NULL || equals == assignment) {
        return fail(error, "--set wants FIELD=VALUE, for example "
                           "automatic_leave.alone_timeout=5");
    }
    g_autofree char *path = g_strndup(assignment, (gsize)(equals - assignment));
    g_autoptr(JsonNode) value = json_from_string(equals + 1, NULL);
    if (value == NULL) {
        value = json_node_init_string(json_node_alloc(), equals + 1);
    }
    g_auto(GStrv) names = g_strsplit(path, ".", -1);
    JsonObject *parent = document;
    guint last = g_strv_length(names) - 1;
    for (guint i = 0; i < last; i++) {
        if (!json_object_has_member(parent, names[i])) {
            json_object_set_object_member(parent, names[i], json_object_new());
        }
        JsonNode *node = json_object_get_member(parent, names[i]);
        if (!JSON_NODE_HOLDS_OBJECT(node)) {
            return fail(error, "--set: the field's parent is no object");
        }
        parent = json_node_get_object(node);
    }
    json_object_set_member(parent, names[last], g_steal_pointer(&value));
    return true;
}

static void set_string(JsonObject *object, const char *name, const char *value)
{
    if (value != NULL) {
        json_object_set_string_member(object, name, value);
    }
}

/* The "browser" part, as steno-meeting prints it (the whole line or the part alone). */
static bool apply_browser(JsonObject *document, const char *json, GError **error)
{
    g_autoptr(JsonNode) node = json_from_string(json, error);
    if (node == NULL || !JSON_NODE_HOLDS_OBJECT(node)) {
        g_clear_error(error);
        return fail(error, "--browser wants a JSON object: the configuration's \"browser\" part");
    }
    JsonObject *object = json_node_get_object(node);
    if (json_object_has_member(object, "browser")) {
        json_object_set_member(document, "browser",
                               json_node_copy(json_object_get_member(object, "browser")));
    } else {
        json_object_set_object_member(document, "browser", json_object_ref(object));
    }
    return true;
}

static JsonObject *object_member(JsonObject *document, const char *name)
{
    if (!json_object_has_member(document, name)) {
        json_object_set_object_member(document, name, json_object_new());
    }
    return json_object_get_object_member(document, name);
}

/* What --browser and --no-sandbox say, into @document's "browser". */
static bool apply_browser_options(JsonObject *document, const Options *options, GError **error)
{
    if (options->browser_json != NULL && !apply_browser(document, options->browser_json, error)) {
        return false;
    }
    if (options->no_sandbox) {
        json_object_set_boolean_member(object_member(document, "browser"), "sandbox", FALSE);
    }
    return true;
}

static BotConfig *join_config(const Options *options, const char *url, GError **error)
{
    g_autoptr(JsonObject) document = json_object_new();
    json_object_set_string_member(document, "meeting_url", url);
    set_string(document, "bot_name", options->name);
    set_string(document, "recording_mode", options->mode);
    set_string(document, "output_dir", options->output_dir);
    set_string(document, "webhook_url", options->webhook_url);
    set_string(document, "entry_message", options->message);
    JsonObject *streaming = object_member(document, "streaming");
    set_string(streaming, "input", options->stream_input);
    set_string(streaming, "output", options->stream_output);
    set_string(streaming, "audio_frequency", options->audio_frequency);
    if (!apply_browser_options(document, options, error)) {
        return NULL;
    }
    for (char **item = options->set; item != NULL && *item != NULL; item++) {
        if (!apply_set(document, *item, error)) {
            return NULL;
        }
    }
    return bot_config_new(document, error);
}

static bool take_join(const Options *options, BotCli *cli, GError **error)
{
    if (options->rest[1] == NULL || options->rest[2] != NULL) {
        return fail(error, "join wants one meeting URL: steno-worker join URL");
    }
    if (options->config_path != NULL) {
        return fail(error, "join and --config exclude each other");
    }
    cli->config = join_config(options, options->rest[1], error);
    cli->interactive = true;
    return cli->config != NULL;
}

/* Standard input brings commands, or tells by its end that nobody will assign anything. */
static bool take_standby(const Options *options, BotCli *cli, GError **error)
{
    if (options->print_config || g_strcmp0(options->config_path, "-") == 0) {
        return fail(error, "--standby wants --config FILE or none, and prints no document");
    }
    cli->base = bot_config_read_base(options->config_path, error);
    cli->commands_on_stdin = true;
    return cli->base != NULL;
}

static bool take_config(const Options *options, BotCli *cli, GError **error)
{
    if (options->rest != NULL && options->rest[0] != NULL) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "unexpected argument \"%s\"; did you mean: steno-worker join URL",
                    options->rest[0]);
        return false;
    }
    if (options->standby) {
        return take_standby(options, cli, error);
    }
    if (options->config_path == NULL) {
        return fail(error, "nothing to do: give --config FILE, join URL, or --recover DIR "
                           "(--help tells more)");
    }
    cli->config = bot_config_new_from_file(options->config_path, error);
    cli->commands_on_stdin = strcmp(options->config_path, "-") != 0;
    return cli->config != NULL;
}

static bool take_check(const Options *options, BotCli *cli, GError **error)
{
    if (options->rest[1] == NULL || options->rest[2] != NULL) {
        return fail(error, "check-page wants one meeting URL or saved page");
    }
    if (options->settle_s < 0 || options->settle_s > 600) {
        return fail(error, "--settle wants 0 to 600 seconds");
    }
    g_autoptr(JsonObject) document = json_object_new();
    if (!apply_browser_options(document, options, error)) {
        return false;
    }
    cli->browser = json_object_ref(object_member(document, "browser"));
    cli->check_target = g_strdup(options->rest[1]);
    cli->check_platform = g_strdup(options->platform);
    cli->settle_s = (unsigned)options->settle_s;
    cli->action = BOT_CLI_CHECK;
    return true;
}

static bool take_login(const Options *options, BotCli *cli, GError **error)
{
    if (options->rest[1] == NULL || options->rest[2] != NULL || options->profile == NULL) {
        return fail(error, "login wants the page to sign in at, and where the profile is kept: "
                           "steno-worker login URL --profile DIR");
    }
    g_autoptr(JsonObject) document = json_object_new();
    if (!apply_browser_options(document, options, error)) {
        return false;
    }
    cli->browser = json_object_ref(object_member(document, "browser"));
    cli->check_target = g_strdup(options->rest[1]);
    cli->profile = g_strdup(options->profile);
    cli->action = BOT_CLI_LOGIN;
    return true;
}

static bool take_options(const Options *options, BotCli *cli, GError **error)
{
    if (options->rest != NULL && g_strcmp0(options->rest[0], "check-page") == 0) {
        return take_check(options, cli, error);
    }
    if (options->rest != NULL && g_strcmp0(options->rest[0], "login") == 0) {
        return take_login(options, cli, error);
    }
    if (options->recover_dir != NULL) {
        cli->action = BOT_CLI_RECOVER;
        cli->recover_dir = g_strdup(options->recover_dir);
        return true;
    }
    if (options->events != NULL && strcmp(options->events, "-") != 0) {
        return fail(error, "--events takes only \"-\": events.ndjson is always written");
    }
    cli->events_to_stdout = options->events != NULL;
    bool join = options->rest != NULL && g_strcmp0(options->rest[0], "join") == 0;
    if (!(join ? take_join(options, cli, error) : take_config(options, cli, error))) {
        return false;
    }
    if (join) {
        cli->commands_on_stdin = isatty(STDIN_FILENO) != 1;
    }
    cli->action = options->print_config ? BOT_CLI_PRINT : BOT_CLI_RUN;
    return true;
}

static bool take_all(const Options *options, BotCli *cli, GError **error)
{
    if (options->version) {
        cli->action = BOT_CLI_HELP;
        cli->help = g_strdup("steno-worker " STENO_VERSION "\n");
        return true;
    }
    return take_options(options, cli, error);
}

/* (transfer full): those of @entries that are @subcommand's, or all; NULL-ended. */
static GArray *choose(const GOptionEntry *entries, const char *subcommand)
{
    GArray *chosen = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
    for (; entries->long_name != NULL; entries++) {
        const char *colon = strchr(entries->description != NULL ? entries->description : "", ':');
        const char *name =
            colon != NULL && subcommand != NULL
                ? g_strstr_len(entries->description, colon - entries->description, subcommand)
                : NULL;
        GOptionEntry entry = *entries;
        if (name != NULL) {
            entry.description = colon + 2;
        }
        if (subcommand == NULL || name != NULL) {
            g_array_append_val(chosen, entry);
        }
    }
    return chosen;
}

/* Returns (transfer full): writes into @o while it parses. @subcommand: NULL: all options. */
static GOptionContext *make_context(Options *o, const char *subcommand)
{
    /* clang-format off: one option a line */
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &o->config_path,
         "JSON document; - for standard input", "FILE"},
        {"standby", 0, 0, G_OPTION_ARG_NONE, &o->standby,
         "Start the browser and wait for the command assign; --config gives what is known already",
         NULL},
        {"recover", 0, 0, G_OPTION_ARG_FILENAME, &o->recover_dir,
         "Finalize what a killed worker left", "DIR"},
        {"events", 0, 0, G_OPTION_ARG_STRING, &o->events,
         "join, --config: events also on standard output", "-"},
        {"print-config", 0, 0, G_OPTION_ARG_NONE, &o->print_config,
         "join, --config: print the effective document, without secrets", NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &o->version, "Print the version", NULL},
        {"name", 0, 0, G_OPTION_ARG_STRING, &o->name, "join: the bot's name", "NAME"},
        {"mode", 0, 0, G_OPTION_ARG_STRING, &o->mode,
         "join: speaker_view, gallery_view or audio_only", "MODE"},
        {"output-dir", 0, 0, G_OPTION_ARG_FILENAME, &o->output_dir, "join: folder of the artifacts",
         "DIR"},
        {"stream-input", 0, 0, G_OPTION_ARG_STRING, &o->stream_input,
         "join: WebSocket that receives the meeting", "URL"},
        {"stream-output", 0, 0, G_OPTION_ARG_STRING, &o->stream_output,
         "join: WebSocket that supplies speech", "URL"},
        {"audio-frequency", 0, 0, G_OPTION_ARG_STRING, &o->audio_frequency, "join: 16khz or 24khz",
         "RATE"},
        {"webhook-url", 0, 0, G_OPTION_ARG_STRING, &o->webhook_url,
         "join: receives the bot's status", "URL"},
        {"message", 0, 0, G_OPTION_ARG_STRING, &o->message, "join: chat message on admission",
         "TEXT"},
        {"browser", 0, 0, G_OPTION_ARG_STRING, &o->browser_json,
         "join, check-page, login: the document's browser part; also the line that steno-meeting "
         "prints",
         "JSON"},
        {"no-sandbox", 0, 0, G_OPTION_ARG_NONE, &o->no_sandbox,
         "join, check-page, login: run Chromium without its sandbox (needed as root)", NULL},
        {"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->set, "join: any other field, may be repeated",
         "FIELD=VALUE"},
        {"platform", 0, 0, G_OPTION_ARG_STRING, &o->platform,
         "check-page: whose rules, for a saved page", "NAME"},
        {"profile", 0, 0, G_OPTION_ARG_FILENAME, &o->profile,
         "login: folder of the profile, for browser.profile_dir", "DIR"},
        {"settle", 0, 0, G_OPTION_ARG_INT, &o->settle_s,
         "check-page: how long the page may take to show what it has (5)", "SECONDS"},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->rest, NULL,
         "[join URL | login URL | check-page URL]"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    /* clang-format on */
    GOptionContext *context = g_option_context_new(NULL);
    g_autoptr(GArray) chosen = choose(entries, subcommand);
    g_option_context_set_summary(context,
                                 subcommand == NULL ? summary : "docs/worker.md says more.");
    g_option_context_add_main_entries(context, (GOptionEntry *)(gpointer)chosen->data, NULL);
    g_option_context_set_help_enabled(context, FALSE);
    return context;
}

static bool is_help(const char *argument)
{
    return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

/* (transfer full): the help that is asked for, all of it or a subcommand's; NULL: none is. */
static char *find_help(int argc, char **argv)
{
    static const char *const subcommands[] = {"join", "login", "check-page"};
    Options unused = {0};
    bool wanted = argc == 2 && strcmp(argv[1], "help") == 0;
    const char *subcommand = NULL;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        wanted = wanted || is_help(argv[i]);
    }
    for (gsize i = 0; argc > 1 && i < G_N_ELEMENTS(subcommands); i++) {
        if (strcmp(argv[1], subcommands[i]) == 0) {
            subcommand = subcommands[i];
        }
    }
    if (!wanted) {
        return NULL;
    }
    g_autofree char *name =
        subcommand != NULL
            ? g_strdup_printf("steno-worker %s %s", subcommand,
                              strcmp(subcommand, "check-page") == 0 ? "URL|FILE" : "URL")
            : g_strdup("steno-worker");
    g_set_prgname(name);
    g_autoptr(GOptionContext) context = make_context(&unused, subcommand);
    char *help = g_option_context_get_help(context, TRUE, NULL);
    g_set_prgname("steno-worker");
    return help;
}

bool bot_cli_parse(int argc, char **argv, BotCli *ret_cli, GError **error)
{
    Options o = {.settle_s = 5};
    BotCli cli = {.action = BOT_CLI_HELP, .help = find_help(argc, argv)};
    bool ok = cli.help != NULL;
    if (!ok) {
        g_autoptr(GOptionContext) context = make_context(&o, NULL);
        cli = (BotCli){0};
        ok = g_option_context_parse(context, &argc, &argv, error) && take_all(&o, &cli, error);
    }
    options_clear(&o);
    if (ok) {
        *ret_cli = cli;
    } else {
        bot_cli_clear(&cli);
    }
    return ok;
}
