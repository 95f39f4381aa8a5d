// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/dtls_key.h"
#include "tests/meeting/server.h"

#include <glib-unix.h>
#include <gst/gst.h>
#include <libavutil/log.h>
#include <stdio.h>

typedef struct {
    char *scenario, *report, *fixtures, *cache; /* owned */
    int port;
    gboolean verbose;
} Options;

static bool parse_options(Options *o, int argc, char **argv, GError **error)
{
    const GOptionEntry entries[] = {
        {"scenario", 's', 0, G_OPTION_ARG_FILENAME, &o->scenario, "What happens in the meeting",
         "FILE"},
        {"report", 'r', 0, G_OPTION_ARG_FILENAME, &o->report,
         "Where to write what was seen of the bots", "FILE"},
        {"port", 'p', 0, G_OPTION_ARG_INT, &o->port, "Port on 127.0.0.1 (default: a free one)",
         "N"},
        {"fixtures", 0, 0, G_OPTION_ARG_FILENAME, &o->fixtures,
         "Where to look for files that the scenario's folder lacks", "DIR"},
        {"cache", 0, 0, G_OPTION_ARG_FILENAME, &o->cache,
         "Where to keep encoded pictures (default: the user's cache folder)", "DIR"},
        {"verbose", 'v', 0, G_OPTION_ARG_NONE, &o->verbose, "Say what happens", NULL},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- a test meeting for bots");
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_add_group(context, gst_init_get_option_group());
    if (!g_option_context_parse(context, &argc, &argv, error))
        return false;
    if (o->scenario != NULL && argc == 1 && o->port >= 0 && o->port < 65536)
        return true;
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "--scenario FILE is needed, and nothing without a name");
    return false;
}

static bool verbose;

static bool is_ours(const GLogField *fields, gsize n_fields)
{
    for (gsize i = 0; i < n_fields; i++) {
        if (g_str_equal(fields[i].key, "GLIB_DOMAIN"))
            return g_strcmp0(fields[i].value, G_LOG_DOMAIN) == 0;
    }
    return false;
}

/* Everything goes to stderr: stdout carries the one line. */
static GLogWriterOutput write_log(GLogLevelFlags level, const GLogField *fields, gsize n_fields,
                                  gpointer data)
{
    if (level > G_LOG_LEVEL_WARNING && !(verbose && is_ours(fields, n_fields)))
        return G_LOG_WRITER_HANDLED;
    g_autofree char *line = g_log_writer_format_fields(level, fields, n_fields, FALSE);
    fprintf(stderr, "%s\n", line);
    return G_LOG_WRITER_HANDLED;
}

static Meeting *load(const Options *o, GError **error)
{
    g_autofree char *text = NULL;
    gsize length;
    if (!g_file_get_contents(o->scenario, &text, &length, error))
        return NULL;
    g_autofree char *folder = g_path_get_dirname(o->scenario);
    g_autofree char *cache = o->cache != NULL
                                 ? g_strdup(o->cache)
                                 : g_build_filename(g_get_user_cache_dir(), "steno-meeting", NULL);
    MeetingScenario *scenario = meeting_scenario_parse(
        text, (gssize)length, folder, o->fixtures != NULL ? o->fixtures : MEETING_FIXTURES, error);
    if (scenario == NULL) {
        g_prefix_error(error, "%s: ", o->scenario);
        return NULL;
    }
    g_autofree char *reports = o->report != NULL ? g_path_get_dirname(o->report) : NULL;
    if (reports != NULL && g_mkdir_with_parents(reports, 0755) != 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot make %s", reports);
        meeting_scenario_free(scenario);
        return NULL;
    }
    return meeting_new(scenario, o->report, cache, error);
}

static gboolean on_signal(gpointer data)
{
    g_main_loop_quit(data);
    return G_SOURCE_CONTINUE;
}

static void on_finished(gpointer data)
{
    g_main_loop_quit(data);
}

static int run(Meeting *meeting, guint port, GError **error)
{
    g_autoptr(MeetingServer) server = meeting_server_new(meeting, port, error);
    if (server == NULL)
        return 1;
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    guint term = g_unix_signal_add(SIGTERM, on_signal, loop);
    guint interrupt = g_unix_signal_add(SIGINT, on_signal, loop);
    meeting_set_finished_func(meeting, on_finished, loop);
    g_autofree char *line = meeting_server_describe(server);
    printf("%s\n", line);
    fflush(stdout);
    g_main_loop_run(loop);
    g_source_remove(term);
    g_source_remove(interrupt);
    return meeting_write_report(meeting, error) ? 0 : 1;
}

int main(int argc, char **argv)
{
    Options options = {0};
    g_autoptr(GError) error = NULL;
    if (!parse_options(&options, argc, argv, &error)) {
        fprintf(stderr, "steno-meeting: %s\n", error->message);
        return 2;
    }
    verbose = options.verbose;
    g_log_set_writer_func(write_log, NULL, NULL);
    av_log_set_level(AV_LOG_ERROR);
    meeting_dtls_key_share(MEETING_DTLS_KEY);
    Meeting *meeting = load(&options, &error);
    int status = 2;
    if (meeting != NULL)
        status = run(meeting, (guint)options.port, &error);
    if (error != NULL)
        fprintf(stderr, "steno-meeting: %s\n", error->message);
    meeting_free(meeting);
    g_free(options.scenario);
    g_free(options.report);
    g_free(options.fixtures);
    g_free(options.cache);
    return status;
}
