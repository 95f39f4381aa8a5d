/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/platforms/fixture.h"

#include "platforms/browser/profile.h"

#include <string.h>
#include <unistd.h>

static char *tmp_dir; /* owned */

void fixture_init(int *argc, char ***argv)
{
    g_test_init(argc, argv, NULL);
    tmp_dir = g_strdup("/tmp/steno-t-XXXXXX"); /* short: sockets lie below it */
    g_assert_nonnull(g_mkdtemp(tmp_dir));
    g_setenv("TMPDIR", tmp_dir, TRUE);
}

int fixture_run(void)
{
    int status = g_test_run();
    fixture_end();
    return status;
}

void fixture_end(void)
{
    browser_remove_tree(tmp_dir);
    g_free(tmp_dir);
}

static void on_request(SoupServer *server, SoupServerMessage *message, const char *path,
                       GHashTable *query, gpointer user_data)
{
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);
    soup_message_headers_append(headers, "Content-Security-Policy",
                                "default-src 'self'; script-src 'self' 'unsafe-inline'; "
                                "connect-src 'self'; worker-src 'self'; "
                                "require-trusted-types-for 'script'");
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *file = g_test_build_filename(G_TEST_DIST, "platforms", name, NULL);
    g_autofree char *text = NULL;
    gsize size = 0;
    if (strcmp(path, "/blank") == 0) {
        soup_server_message_set_response(message, "text/html", SOUP_MEMORY_STATIC,
                                         "<title>blank</title>", 20);
        soup_server_message_set_status(message, 200, NULL);
    } else if (g_file_get_contents(file, &text, &size, NULL)) {
        soup_server_message_set_response(message, "text/html", SOUP_MEMORY_COPY, text, size);
        soup_server_message_set_status(message, 200, NULL);
    } else {
        soup_server_message_set_status(message, 404, NULL);
    }
}

void fixture_start(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    fixture->server = soup_server_new(NULL, NULL);
    soup_server_add_handler(fixture->server, NULL, on_request, NULL, NULL);
    g_autoptr(GInetAddress) loopback = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
    g_autoptr(GSocketAddress) address = g_inet_socket_address_new(loopback, 0);
    soup_server_listen(fixture->server, address, 0, &error);
    g_assert_no_error(error);
    GSList *uris = soup_server_get_uris(fixture->server);
    fixture->port = (unsigned)g_uri_get_port(uris->data);
    g_slist_free_full(uris, (GDestroyNotify)g_uri_unref);
}

void fixture_stop(Fixture *fixture)
{
    soup_server_disconnect(fixture->server);
    g_clear_object(&fixture->server);
}

char *fixture_url(Fixture *fixture, const char *path)
{
    return g_strdup_printf("http://127.0.0.1:%u%s", fixture->port, path);
}

BrowserOptions *fixture_browser_options(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    BrowserOptions *options = browser_options_new(NULL, &error);
    g_assert_no_error(error);
    options->sandbox = geteuid() != 0;
    options->address_space_overrides = g_strdup_printf("127.0.0.1:%u=public", fixture->port);
    return options;
}

gboolean fixture_wake(gpointer data)
{
    return G_SOURCE_CONTINUE;
}

typedef struct {
    bool done;
    char *json;
} Answer;

static void on_value(JsonNode *value, const GError *error, gpointer user_data)
{
    Answer *answer = user_data;
    g_assert_no_error(error);
    answer->json = json_to_string(value, FALSE);
    answer->done = true;
}

char *fixture_evaluate(Browser *browser, const char *expression)
{
    Answer answer = {0};
    browser_evaluate(browser, expression, 10000, on_value, &answer);
    FIXTURE_WAIT(answer.done, 20);
    return answer.json;
}

bool fixture_process_lives(int pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid);
    g_autofree char *stat = NULL;
    if (!g_file_get_contents(path, &stat, NULL, NULL)) {
        return false;
    }
    const char *state = strrchr(stat, ')');
    return state != NULL && state[2] != 'Z';
}
