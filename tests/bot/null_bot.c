/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bot/null_bot.h"

#include "platforms/json.h"
#include "tests/bot/object_server.h"

#include <glib/gstdio.h>
#include <string.h>

#define URL "null:meeting"

gboolean null_bot_wake(gpointer data)
{
    return G_SOURCE_CONTINUE;
}

static void on_event(gint64 seq, const char *event, gpointer user_data)
{
    NullBot *bot = user_data;
    g_autoptr(GError) error = NULL;
    JsonObject *object = platform_json_parse(event, strlen(event), &error);
    g_assert_no_error(error);
    g_assert_cmpint(seq, ==, bot->events->len + 1);
    g_ptr_array_add(bot->events, object);
}

static void on_ended(BotExit exit, gpointer user_data)
{
    NullBot *bot = user_data;
    g_assert_false(bot->ended);
    bot->ended = true;
    bot->exit = exit;
}

static char *from_quotes(const char *json)
{
    return g_strdelimit(g_strdup(json), "'", '"');
}

static BotConfig *make_config(NullBot *bot, const char *url, const char *more)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *members = from_quotes(more);
    g_autofree char *text = g_strdup_printf(
        "{\"bot_id\":\"bot\",\"bot_name\":\"Steno\",\"meeting_url\":\"%s\",\"null_dir\":\"%s\","
        "\"output_dir\":\"%s\"%s%s}",
        url, bot->dir, bot->output,
        strstr(members, "recording_mode") == NULL ? ",\"recording_mode\":\"audio_only\"" : "",
        members);
    BotConfig *config = bot_config_new_from_data(text, -1, &error);
    g_assert_no_error(error);
    return config;
}

void null_bot_start_at(NullBot *bot, const char *url, const char *meeting, const char *more)
{
    static const BotSessionEvents events = {on_ended};
    g_autoptr(GError) error = NULL;
    g_autofree char *document = from_quotes(meeting);
    *bot = (NullBot){.results = g_string_new(NULL)};
    bot->events = g_ptr_array_new_with_free_func((GDestroyNotify)json_object_unref);
    bot->dir = g_dir_make_tmp("steno-bot-XXXXXX", &error);
    g_assert_no_error(error);
    bot->output = g_build_filename(bot->dir, "out", NULL);
    g_autofree char *path = g_build_filename(bot->dir, "meeting.json", NULL);
    g_assert_cmpint(g_mkdir(bot->output, 0755), ==, 0);
    g_assert_true(g_file_set_contents(path, document, -1, &error));
    bot->config = make_config(bot, url, more);
    bot->log = bot_event_log_new(bot->output, -1, &error);
    g_assert_no_error(error);
    bot_event_log_set_sink(bot->log, on_event, bot);
    bot->session = bot_session_new(bot->config, bot->log, &events, bot);
    bot_session_start(bot->session);
}

void null_bot_start(NullBot *bot, const char *meeting, const char *more)
{
    null_bot_start_at(bot, URL, meeting, more);
}

void null_bot_clear(NullBot *bot)
{
    g_clear_pointer(&bot->session, bot_session_free);
    bot_event_log_free(bot->log);
    bot_config_free(bot->config);
    object_server_remove_tree(bot->dir);
    g_ptr_array_unref(bot->events);
    g_string_free(bot->results, TRUE);
    g_free(bot->output);
    g_free(bot->dir);
}

void null_bot_wait_state(NullBot *bot, const char *state)
{
    NULL_BOT_WAIT(bot->ended || null_bot_count(bot, "state", "new", state) > 0);
    if (null_bot_count(bot, "state", "new", state) == 0) {
        g_autofree char *states = null_bot_list(bot, "state", "new");
        g_error("never %s, but: %s", state, states);
    }
}

void null_bot_wait_ended(NullBot *bot)
{
    NULL_BOT_WAIT(bot->ended);
}

static bool is_such(JsonObject *event, const char *type, const char *member, const char *value)
{
    return strcmp(platform_json_string(event, "type", ""), type) == 0 &&
           (value == NULL || strcmp(platform_json_string(event, member, ""), value) == 0);
}

JsonObject *null_bot_last(NullBot *bot, const char *type, const char *member, const char *value)
{
    for (guint i = bot->events->len; i > 0; i--) {
        JsonObject *event = g_ptr_array_index(bot->events, i - 1);
        if (is_such(event, type, member, value)) {
            return event;
        }
    }
    return NULL;
}

unsigned null_bot_count(NullBot *bot, const char *type, const char *member, const char *value)
{
    unsigned n = 0;
    for (guint i = 0; i < bot->events->len; i++) {
        n += is_such(g_ptr_array_index(bot->events, i), type, member, value) ? 1 : 0;
    }
    return n;
}

char *null_bot_list(NullBot *bot, const char *type, const char *member)
{
    GString *list = g_string_new(NULL);
    for (guint i = 0; i < bot->events->len; i++) {
        JsonObject *event = g_ptr_array_index(bot->events, i);
        if (is_such(event, type, member, NULL)) {
            g_string_append_printf(list, "%s%s", list->len > 0 ? " " : "",
                                   platform_json_string(event, member, "-"));
        }
    }
    return g_string_free(list, FALSE);
}

typedef struct {
    NullBot *bot;
    char *name;
} Running;

static const char *result_of(const GError *error)
{
    return error == NULL                                                          ? "ok"
           : g_error_matches(error, BOT_SESSION_ERROR, BOT_SESSION_ERROR_STATE)   ? "state"
           : g_error_matches(error, BOT_SESSION_ERROR, BOT_SESSION_ERROR_COMMAND) ? "command"
           : error->domain == PLATFORM_ERROR                                      ? "platform"
                                                                                  : error->message;
}

static void on_done(const GError *error, gpointer user_data)
{
    Running *running = user_data;
    g_string_append_printf(running->bot->results, "%s %s; ", running->name, result_of(error));
    running->bot->n_running--;
    g_free(running->name);
    g_free(running);
}

void null_bot_command(NullBot *bot, const char *name, const char *args)
{
    g_autofree char *text = from_quotes(args);
    g_autoptr(JsonObject) object = platform_json_parse(text, strlen(text), NULL);
    Running *running = g_new0(Running, 1);
    running->bot = bot;
    running->name = g_strdup(name);
    bot->n_running++;
    bot_session_command(bot->session, name, object, on_done, running);
}

double null_bot_recorded_s(NullBot *bot)
{
    BotSessionStatus status;
    bot_session_get_status(bot->session, &status);
    return status.recorded_s;
}

const NullReport *null_bot_report(NullBot *bot)
{
    g_autoptr(GError) error = NULL;
    NullMeeting *meeting = null_meeting_open(bot->dir, URL, &error);
    g_assert_no_error(error);
    return null_meeting_get_report(meeting);
}

JsonNode *null_bot_read(NullBot *bot, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(bot->output, name, NULL);
    g_autofree char *text = NULL;
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    JsonNode *node = json_from_string(text, &error);
    g_assert_no_error(error);
    return node;
}
