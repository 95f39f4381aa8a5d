/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/event.h"

#include <glib/gstdio.h>
#include <string.h>

static char *make_dir(void)
{
    g_autoptr(GError) error = NULL;
    char *dir = g_dir_make_tmp("steno-event-XXXXXX", &error);
    g_assert_no_error(error);
    return dir;
}

static void remove_dir(const char *dir)
{
    g_autofree char *path = g_build_filename(dir, "events.ndjson", NULL);
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static void emit_some(const char *dir, int n)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BotEventLog) log = bot_event_log_new(dir, -1, &error);
    g_assert_no_error(error);
    for (int i = 0; i < n; i++) {
        bot_event_log_emit(log, "state", json_object_new());
    }
}

static void assert_numbered(JsonArray *events, guint n)
{
    g_assert_cmpuint(json_array_get_length(events), ==, n);
    for (guint i = 0; i < n; i++) {
        JsonObject *event = json_array_get_object_element(events, i);
        g_assert_cmpint(json_object_get_int_member(event, "seq"), ==, i + 1);
        g_assert_cmpint(json_object_get_int_member(event, "time"), >, 1600000000000);
        g_assert_cmpstr(json_object_get_string_member(event, "type"), ==, "state");
    }
}

static void test_numbers_go_on_in_a_later_process(void)
{
    g_autofree char *dir = make_dir();
    emit_some(dir, 3);
    emit_some(dir, 2);
    g_autoptr(JsonArray) events = bot_event_log_read(dir);
    assert_numbered(events, 5);
    remove_dir(dir);
}

static void test_a_cut_line_is_left_out(void)
{
    g_autofree char *dir = make_dir();
    emit_some(dir, 2);
    g_autofree char *path = g_build_filename(dir, "events.ndjson", NULL);
    FILE *file = fopen(path, "a");
    fputs("{\"seq\":3,\"time\":17", file);
    fclose(file);
    emit_some(dir, 1);
    g_autoptr(JsonArray) events = bot_event_log_read(dir);
    assert_numbered(events, 3);
    remove_dir(dir);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/event/numbers_go_on_in_a_later_process",
                    test_numbers_go_on_in_a_later_process);
    g_test_add_func("/event/a_cut_line_is_left_out", test_a_cut_line_is_left_out);
    return g_test_run();
}
