/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bot/object_server.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <libsoup/soup.h>
#include <string.h>

void object_server_start(ObjectServer *server)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *script = g_test_build_filename(G_TEST_DIST, "e2e", "object_store.py", NULL);
    server->dir = g_dir_make_tmp("steno-store-XXXXXX", &error);
    g_assert_no_error(error);
    server->process =
        g_subprocess_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error,
                         "/usr/bin/python3", script, server->dir, NULL);
    g_assert_no_error(error);
    g_autoptr(GDataInputStream) lines =
        g_data_input_stream_new(g_subprocess_get_stdout_pipe(server->process));
    g_autofree char *line = g_data_input_stream_read_line(lines, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(line);
    g_autoptr(JsonNode) node = json_from_string(line, &error);
    g_assert_no_error(error);
    server->port = (int)json_object_get_int_member(json_node_get_object(node), "port");
    server->endpoint = g_strdup_printf("http://127.0.0.1:%d", server->port);
    server->vhost_endpoint = g_strdup_printf("http://store.localhost:%d", server->port);
}

void object_server_remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        object_server_remove_tree(child);
    }
    g_assert_cmpint(g_remove(path), ==, 0);
}

void object_server_stop(ObjectServer *server)
{
    g_output_stream_close(g_subprocess_get_stdin_pipe(server->process), NULL, NULL);
    g_assert_true(g_subprocess_wait(server->process, NULL, NULL));
    g_object_unref(server->process);
    object_server_remove_tree(server->dir);
    g_free(server->dir);
    g_free(server->endpoint);
    g_free(server->vhost_endpoint);
}

char *object_server_file(const ObjectServer *server, const char *name)
{
    return g_build_filename(server->dir, name, NULL);
}

void object_server_set_faults(const ObjectServer *server, const char *faults)
{
    g_autofree char *path = object_server_file(server, "faults");
    g_assert_true(g_file_set_contents(path, faults, -1, NULL));
}

guint object_server_count(const ObjectServer *server, const char *text)
{
    g_autofree char *path = object_server_file(server, "requests.log");
    g_autofree char *log = NULL;
    g_assert_true(g_file_get_contents(path, &log, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(log, "\n", -1);
    guint n = 0;
    for (gsize i = 0; lines[i] != NULL; i++) {
        n += strstr(lines[i], text) != NULL;
    }
    return n;
}

guint object_server_count_of(const ObjectServer *server, const BotStoreConfig *config,
                             const char *method, const char *name, const char *query)
{
    g_autofree char *text = g_strdup_printf("%s 127.0.0.1:%d/%s/%s%s?%s", method, server->port,
                                            config->bucket, config->prefix, name, query);
    return object_server_count(server, text);
}

void object_server_assert_fetched(const char *url, const char *sha256, const char *type)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SoupSession) session = soup_session_new();
    g_autoptr(SoupMessage) message = soup_message_new("GET", url);
    g_autoptr(GBytes) got = soup_session_send_and_read(session, message, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(soup_message_get_status(message), ==, 200);
    g_autofree char *got_sha256 = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, got);
    if (sha256 != NULL) {
        g_assert_cmpstr(got_sha256, ==, sha256);
    }
    if (type != NULL) {
        SoupMessageHeaders *headers = soup_message_get_response_headers(message);
        g_assert_cmpstr(soup_message_headers_get_content_type(headers, NULL), ==, type);
    }
}

void object_server_await_ahead(const char *state_path, guint n_parts)
{
    g_autofree char *line = g_strdup_printf("\nahead=%u\n", n_parts);
    g_autofree char *text = NULL;
    while (!g_file_get_contents(state_path, &text, NULL, NULL) || strstr(text, line) == NULL) {
        g_clear_pointer(&text, g_free);
        g_usleep(20000);
    }
}

BotStoreConfig object_server_config(const ObjectServer *server, const char *prefix)
{
    return (BotStoreConfig){.endpoint = server->endpoint,
                            .region = "us-east-1",
                            .bucket = "recordings",
                            .prefix = prefix,
                            .path_style = true,
                            .access_key = "test:tester",
                            .secret_key = "testing"};
}
