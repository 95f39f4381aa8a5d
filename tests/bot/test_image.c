/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/image.h"

#include <glib/gstdio.h>
#include <libsoup/soup.h>
#include <unistd.h>

/* A red square of 8x8, as PNG. */
static const char png_base64[] =
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP4z8CAFWEXHbQSACj/P8Fu"
    "7N9hAAAAAElFTkSuQmCC";

typedef struct {
    SoupServer *server;
    char *url; /* ends with a slash */
    guint n_requests;
    bool done;
    GBytes *jpeg;
    char *problem;
    BotImage *image;
} Test;

static void answer(SoupServerMessage *message, const char *type, gsize size)
{
    gsize length;
    g_autofree guchar *png = g_base64_decode(png_base64, &length);
    g_autofree char *padded = g_malloc0(MAX(size, length));
    memcpy(padded, png, length);
    soup_server_message_set_status(message, 200, NULL);
    soup_server_message_set_response(message, type, SOUP_MEMORY_COPY, padded, MAX(size, length));
}

static void on_request(SoupServer *server, SoupServerMessage *message, const char *path,
                       GHashTable *query, gpointer user_data)
{
    Test *test = user_data;
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);
    test->n_requests++;
    if (g_str_equal(path, "/red.png")) {
        answer(message, "image/png", 0);
    } else if (g_str_equal(path, "/typed.png")) {
        answer(message, "Image/PNG; charset=x", 0);
    } else if (g_str_equal(path, "/page")) {
        answer(message, "text/html", 0);
    } else if (g_str_equal(path, "/svg")) {
        answer(message, "image/svg+xml", 0);
    } else if (g_str_equal(path, "/large")) {
        answer(message, "image/png", BOT_IMAGE_MAX_BYTES + 1);
    } else if (g_str_equal(path, "/endless")) { /* says nothing of its length */
        answer(message, "image/png", BOT_IMAGE_MAX_BYTES + 1);
        soup_message_headers_set_encoding(headers, SOUP_ENCODING_CHUNKED);
    } else if (g_str_equal(path, "/broken")) {
        soup_server_message_set_status(message, 200, NULL);
        soup_server_message_set_response(message, "image/jpeg", SOUP_MEMORY_STATIC, "GIF89a", 6);
    } else if (g_str_equal(path, "/to")) {
        soup_server_message_set_redirect(message, 302, g_hash_table_lookup(query, "url"));
    } else if (g_str_equal(path, "/nowhere")) {
        soup_server_message_set_status(message, 302, NULL);
    } else {
        soup_server_message_set_status(message, 404, NULL);
    }
}

static void test_init(Test *test)
{
    g_autoptr(GError) error = NULL;
    *test = (Test){.server = soup_server_new(NULL, NULL)};
    soup_server_add_handler(test->server, NULL, on_request, test, NULL);
    soup_server_listen_local(test->server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error);
    g_assert_no_error(error);
    GSList *uris = soup_server_get_uris(test->server);
    test->url = g_uri_to_string(uris->data);
    g_slist_free_full(uris, (GDestroyNotify)g_uri_unref);
}

static void test_clear(Test *test)
{
    soup_server_disconnect(test->server);
    g_object_unref(test->server);
    g_free(test->url);
    g_free(test->problem);
    g_clear_pointer(&test->jpeg, g_bytes_unref);
    g_clear_pointer(&test->image, bot_image_free);
}

static void on_done(GBytes *jpeg, const GError *error, gpointer user_data)
{
    Test *test = user_data;
    g_assert_false(test->done);
    g_assert_true((jpeg == NULL) == (error != NULL));
    test->done = true;
    test->jpeg = jpeg != NULL ? g_bytes_ref(jpeg) : NULL;
    test->problem = error != NULL ? g_strdup(error->message) : NULL;
    g_clear_pointer(&test->image, bot_image_free);
}

static void fetch(Test *test, const char *url, bool allow_private)
{
    test->done = false;
    g_clear_pointer(&test->jpeg, g_bytes_unref);
    g_clear_pointer(&test->problem, g_free);
    test->image = bot_image_fetch(url, allow_private, on_done, test);
    g_assert_false(test->done);
    while (!test->done) {
        g_main_context_iteration(NULL, TRUE);
    }
}

static void expect_picture(Test *test, const char *path)
{
    g_autofree char *url = g_strconcat(test->url, path, NULL);
    gsize size;
    fetch(test, url, true);
    g_assert_cmpstr(test->problem, ==, NULL);
    const guint8 *jpeg = g_bytes_get_data(test->jpeg, &size);
    g_assert_cmpuint(size, >, 500);
    g_assert_cmpmem(jpeg, 3, "\xff\xd8\xff", 3);
}

static void expect_problem(Test *test, const char *path, const char *says)
{
    g_autofree char *url = g_strconcat(test->url, path, NULL);
    fetch(test, url, true);
    if (test->problem == NULL || strstr(test->problem, says) == NULL) {
        g_error("%s: \"%s\", expected \"%s\"", path, test->problem, says);
    }
}

static void test_pictures_are_fetched_and_made_anew(void)
{
    Test test;
    test_init(&test);
    expect_picture(&test, "red.png");
    expect_picture(&test, "typed.png");
    test_clear(&test);
}

static void test_pictures_are_read_from_files(void)
{
    g_autofree char *path = NULL;
    gsize length;
    g_autofree guchar *png = g_base64_decode(png_base64, &length);
    close(g_file_open_tmp("steno-picture-XXXXXX", &path, NULL));
    g_assert_true(g_file_set_contents(path, (char *)png, (gssize)length, NULL));
    Test test = {0};
    test.image = bot_image_read(path, on_done, &test);
    while (!test.done) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_assert_null(test.problem);
    g_assert_nonnull(test.jpeg);
    g_bytes_unref(test.jpeg);
    g_assert_cmpint(g_unlink(path), ==, 0);
    test = (Test){0};
    test.image = bot_image_read(path, on_done, &test);
    while (!test.done) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_assert_null(test.jpeg);
    g_assert_nonnull(strstr(test.problem, "No such file"));
    g_free(test.problem);
}

static void test_what_is_no_picture_is_refused(void)
{
    Test test;
    test_init(&test);
    expect_problem(&test, "page", "neither image/png nor");
    expect_problem(&test, "svg", "neither image/png nor");
    expect_problem(&test, "large", "larger than 8 MiB");
    expect_problem(&test, "endless", "larger than 8 MiB");
    expect_problem(&test, "broken", "neither PNG nor");
    expect_problem(&test, "none", "answers 404");
    test_clear(&test);
}

static void test_private_addresses_are_refused(void)
{
    Test test;
    test_init(&test);
    g_autofree char *url = g_strconcat(test.url, "red.png", NULL);
    fetch(&test, url, false);
    g_assert_nonnull(strstr(test.problem, "private address"));
    fetch(&test, "http://localhost:1/red.png", false);
    g_assert_nonnull(strstr(test.problem, "private address"));
    fetch(&test, "http://[::1]:1/red.png", false);
    g_assert_nonnull(strstr(test.problem, "private address"));
    g_assert_cmpuint(test.n_requests, ==, 0); /* nobody was asked */
    test_clear(&test);
}

static void test_redirects_to_private_addresses_are_refused(void)
{
    Test test;
    test_init(&test);
    g_autofree char *again = g_strdup_printf("to?url=%sred.png", test.url);
    expect_problem(&test, again, "a redirect may not lead to one");
    expect_problem(&test, "to?url=/red.png", "a redirect may not lead to one");
    expect_problem(&test, "to?url=http://169.254.169.254/latest/", "a redirect may not lead");
    expect_problem(&test, "to?url=http://10.0.0.1/a.png", "a redirect may not lead");
    g_assert_cmpuint(test.n_requests, ==, 4); /* the redirects' own */
    test_clear(&test);
}

static void test_other_schemes_are_refused(void)
{
    Test test;
    test_init(&test);
    expect_problem(&test, "to?url=file:///etc/passwd", "http or https");
    expect_problem(&test, "to?url=data:image/png;base64,AAAA", "http or https");
    expect_problem(&test, "to?url=ftp://example.org/a.png", "http or https");
    expect_problem(&test, "to?url=http://user:word@example.org/a.png", "user name");
    expect_problem(&test, "nowhere", "sends to nowhere");
    static const char *const bad[] = {"file:///etc/passwd", "data:image/png;base64,AAAA", "x",
                                      "https://u@example.org/a.png"};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        fetch(&test, bad[i], true);
        g_assert_nonnull(test.problem);
    }
    test_clear(&test);
}

static void never(GBytes *jpeg, const GError *error, gpointer user_data)
{
    g_assert_not_reached();
}

static void test_freed_while_under_way_it_says_nothing(void)
{
    Test test;
    test_init(&test);
    g_autofree char *url = g_strconcat(test.url, "red.png", NULL);
    for (int turns = 0; turns < 40; turns++) {
        BotImage *image = bot_image_fetch(url, true, never, NULL);
        for (int i = 0; i < turns / 4; i++) {
            g_main_context_iteration(NULL, FALSE);
        }
        bot_image_free(image);
    }
    expect_picture(&test, "red.png");
    test_clear(&test);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/image/pictures_are_fetched_and_made_anew",
                    test_pictures_are_fetched_and_made_anew);
    g_test_add_func("/image/pictures_are_read_from_files", test_pictures_are_read_from_files);
    g_test_add_func("/image/what_is_no_picture_is_refused", test_what_is_no_picture_is_refused);
    g_test_add_func("/image/private_addresses_are_refused", test_private_addresses_are_refused);
    g_test_add_func("/image/redirects_to_private_addresses_are_refused",
                    test_redirects_to_private_addresses_are_refused);
    g_test_add_func("/image/other_schemes_are_refused", test_other_schemes_are_refused);
    g_test_add_func("/image/freed_while_under_way_it_says_nothing",
                    test_freed_while_under_way_it_says_nothing);
    return g_test_run();
}
