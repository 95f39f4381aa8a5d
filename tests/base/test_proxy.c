/* SPDX-License-Identifier: Apache-2.0 */
#include "base/proxy.h"

#include <string.h>

static void set(const char *http, const char *https, const char *none)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) except = g_strsplit(none, ",", -1);
    base_proxy_set(http, https, (const char *const *)except, &error);
    g_assert_no_error(error);
}

static void test_which_url_goes_where(void)
{
    static const struct {
        const char *url, *proxy;
    } cases[] = {
        {"http://example.org/", "http://plain:3128"},
        {"ws://example.org/x", "http://plain:3128"},
        {"https://example.org/", "http://me:secret@safe:8080"},
        {"wss://example.org:8443/x", "http://me:secret@safe:8080"},
        {"ftp://example.org/", NULL},
        {"http://localhost:99/", NULL},
        {"wss://a.localhost/", NULL},
        {"ws://127.0.0.1:99/", NULL},
        {"http://127.9.9.9/", NULL},
        {"https://[::1]:99/", NULL},
        {"https://corp.example/", NULL},
        {"https://deep.below.corp.example/", NULL},
        {"https://xcorp.example/", "http://me:secret@safe:8080"},
        {"https://a.dotted.example/", NULL},
        {"http://10.1.2.3/", NULL},
        {"http://11.1.2.3/", "http://plain:3128"},
        {"https://192.0.2.7/", NULL},
    };
    set("plain:3128", "http://me:secret@safe:8080/",
        "corp.example, .dotted.example ,10.0.0.0/8,,192.0.2.7");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *proxy = base_proxy_for(cases[i].url);
        g_test_message("%s", cases[i].url);
        g_assert_cmpstr(proxy, ==, cases[i].proxy);
    }
    set("plain:3128", NULL, "*");
    g_assert_null(base_proxy_for("http://example.org/"));
    set(NULL, NULL, "");
    g_assert_null(base_proxy_for("http://example.org/"));
}

static void test_chromium_gets_the_same(void)
{
    set("plain", "safe:8080", "corp.example,.dotted.example,10.0.0.0/8,2001:db8::1");
    g_auto(GStrv) args = base_proxy_chromium_args();
    g_assert_cmpstr(args[0], ==, "--proxy-server=http=plain:80;https=safe:8080");
    g_assert_cmpstr(args[1], ==,
                    "--proxy-bypass-list=<local>;127.0.0.0/8;[::1];corp.example;*.corp.example;"
                    "dotted.example;*.dotted.example;10.0.0.0/8;[2001:db8::1]");
    g_assert_null(args[2]);
    set(NULL, NULL, "");
    g_auto(GStrv) none = base_proxy_chromium_args();
    g_assert_cmpstr(none[0], ==, "--no-proxy-server");
    g_assert_null(none[1]);
}

static void test_the_environment_is_read_once_and_taken(void)
{
    g_setenv("http_proxy", "http://plain:3128", TRUE);
    g_setenv("HTTPS_PROXY", "http://safe:8080", TRUE);
    g_setenv("HTTP_PROXY", "http://a-clients-header:1", TRUE);
    g_setenv("no_proxy", "one.example two.example,three.example", TRUE);
    g_assert_true(base_proxy_from_environment(true, NULL));
    g_assert_null(g_getenv("http_proxy"));
    g_assert_null(g_getenv("HTTPS_PROXY"));
    g_assert_null(g_getenv("no_proxy"));
    g_autofree char *plain = base_proxy_for("http://example.org/");
    g_autofree char *safe = base_proxy_for("https://example.org/");
    g_assert_cmpstr(plain, ==, "http://plain:3128");
    g_assert_cmpstr(safe, ==, "http://safe:8080");
    g_assert_null(base_proxy_for("http://two.example/"));
    g_assert_null(base_proxy_for("http://three.example/"));
}

static void test_what_can_not_be_used_is_refused(void)
{
    static const char *const bad[] = {"socks5://a:1",  "https://a:1", "http://",
                                      "http://a/path", "http://a?x",  "http://[::1"};
    set("plain:3128", NULL, "");
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_test_message("%s", bad[i]);
        g_assert_false(base_proxy_set(bad[i], NULL, NULL, &error));
        g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
        g_assert_nonnull(strstr(error->message, "http://HOST:PORT"));
    }
    g_autofree char *kept = base_proxy_for("http://example.org/");
    g_assert_cmpstr(kept, ==, "http://plain:3128");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/proxy/which_url_goes_where", test_which_url_goes_where);
    g_test_add_func("/proxy/chromium_gets_the_same", test_chromium_gets_the_same);
    g_test_add_func("/proxy/the_environment_is_read_once_and_taken",
                    test_the_environment_is_read_once_and_taken);
    g_test_add_func("/proxy/what_can_not_be_used_is_refused", test_what_can_not_be_used_is_refused);
    return g_test_run();
}
