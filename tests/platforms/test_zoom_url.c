/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/zoom/url.h"

#include "platforms/platform.h"
#include "platforms/url.h"

#include <string.h>

#define WC "https://app.zoom.us/wc/81234567890/join"

static const struct {
    const char *url, *canonical;
} good[] = {
    {"https://zoom.us/j/81234567890", WC},
    {"zoom.us/j/81234567890", WC},
    {"https://us02web.zoom.us/j/81234567890?pwd=QWxhZGRpbjpvcGVu.1", WC "?pwd=QWxhZGRpbjpvcGVu.1"},
    {"https://us02web.zoom.us/j/81234567890?pwd=abc123#success", WC "?pwd=abc123"},
    {"https://us02web.zoom.us/j/81234567890?password=abc123", WC "?pwd=abc123"},
    {"https://us02web.zoom.us/j/81234567890?pwd=abc&uname=x&from=addon", WC "?pwd=abc"},
    {"https://acme.zoom.us/j/81234567890?pwd=abc", WC "?pwd=abc"},
    {"https://ACME.Zoom.US/j/81234567890", WC},
    {"https://acme.zoom.us/s/81234567890", WC},
    {"https://acme.zoom.us/w/81234567890", WC},
    {"https://zoom.us/j/81234567890/", WC},
    {"https://zoom.us/j/12345678", "https://app.zoom.us/wc/12345678/join"},
    {"<https://zoom.us/j/81234567890>", WC},
    {" \"https://zoom.us/j/81234567890\" ", WC},
    {"https%3A%2F%2Fzoom.us%2Fj%2F81234567890%3Fpwd%3Dabc", WC "?pwd=abc"},
    {"https://www.google.com/url?q=https://zoom.us/j/81234567890%3Fpwd%3Dabc&sa=D", WC "?pwd=abc"},
    {"https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fzoom.us%2Fj%2F81234567890",
     WC},
    {"https://zoom.us/j/81234567890\\?pwd\\=abc", WC "?pwd=abc"},
    /* a query that others have had their hands on */
    {"https://zoom.us/j/81234567890?&pwd=abc", WC "?pwd=abc"},
    {"https://zoom.us/j/81234567890?success&pwd=abc&", WC "?pwd=abc"},
    /* what only its own host knows stays there */
    {"https://acme.zoom.us/w/81234567890?tk=Ab_c-9.x&pwd=abc",
     "https://acme.zoom.us/w/81234567890?pwd=abc&tk=Ab_c-9.x"},
    {"https://zoom.us/j/81234567890?tk=T1", "https://zoom.us/j/81234567890?tk=T1"},
    {"https://app.zoom.us/wc/81234567890/join?pwd=abc",
     "https://app.zoom.us/wc/81234567890/join?pwd=abc"},
    {"https://app.zoom.us/wc/81234567890", "https://app.zoom.us/wc/81234567890"},
    {"https://acme.zoom.us/wc/join/81234567890", "https://acme.zoom.us/wc/join/81234567890"},
    {"https://app.zoom.us/wc/81234567890/start", "https://app.zoom.us/wc/81234567890/start"},
    {"https://acme.zoom.us/my/alice.martin?pwd=abc",
     "https://acme.zoom.us/my/alice.martin?pwd=abc"},
    {"https://zoom.us/my/alice", "https://zoom.us/my/alice"},
    {"https://acme.zoom.com/j/81234567890?pwd=abc", "https://acme.zoom.com/j/81234567890?pwd=abc"},
    {"https://events.zoom.us/j/81234567890", "https://events.zoom.us/j/81234567890"},
};

static const struct {
    const char *url, *says;
} bad[] = {
    {"http://zoom.us/j/81234567890", "https"},
    {"zoommtg://zoom.us/join?confno=81234567890", "https"},
    {"https://user@zoom.us/j/81234567890", "user name"},
    {"https://zoom.us@evil.com/j/81234567890", "user name"},
    {"https://zoom.us:8443/j/81234567890", "port"},
    {"https://zoom.us.evil.com/j/81234567890", "not ours"},
    {"https://zoom.us.com/j/81234567890", "not ours"},
    {"https://xzoom.us/j/81234567890", "not ours"},
    {"https://z00m.us/j/81234567890", "not ours"},
    {"https://zoom.us./j/81234567890", "not ours"},
    {"https://evil.com/zoom.us/j/81234567890", "not ours"},
    {"https://evil.com/?u=zoom.us/j/81234567890", "not ours"},
    {"https://zoom.us/j/", "path is"},
    {"https://zoom.us/j", "path is"},
    {"https://zoom.us/", "path is"},
    {"https://zoom.us", "path is"},
    {"https://zoom.us/j/1234567", "path is"},
    {"https://zoom.us/j/1234567890123", "path is"},
    {"https://zoom.us/j/8123456789a", "path is"},
    {"https://zoom.us/j/812-345-678", "path is"},
    {"https://zoom.us/J/81234567890", "path is"},
    {"https://zoom.us/j/81234567890/x", "path is"},
    {"https://zoom.us/wc/join", "path is"},
    {"https://zoom.us/wc/81234567890/x", "path is"},
    {"https://zoom.us/my/", "path is"},
    {"https://zoom.us/my/..", "path is"},
    {"https://zoom.us/my/a%2fb", "path is"},
    {"https://zoom.us/rec/share/abc", "path is"},
    {"https://zoom.us/signin", "path is"},
    {"https://zoom.us/j/81234567890?pwd=https://evil.com", "second URL"},
    {"https://zoom.us/j/81234567890?u=https%3A%2F%2Fevil.com", "second URL"},
    {"https://zoom.us/j/81234567890?u=https%253A%252F%252Fevil.com", "second URL"},
    {"https://zoom.us/j/81234567890#aHR0cHM6Ly9ldmlsLmNvbS8=", "second URL"},
};

static char *canonical(const char *text, GError **error)
{
    g_autoptr(GUri) uri = platform_url_parse(text, NULL, error);
    if (uri != NULL && !zoom_url_is_ours(uri)) {
        g_set_error_literal(error, PLATFORM_ERROR, PLATFORM_ERROR_URL, "not ours");
        return NULL;
    }
    return uri != NULL ? zoom_url_canonical(uri, error) : NULL;
}

static void test_accepted(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        g_test_message("%s", good[i].url);
        g_autofree char *url = canonical(good[i].url, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(url, ==, good[i].canonical);
        g_autofree char *again = canonical(url, NULL);
        g_assert_cmpstr(again, ==, url);
    }
}

static void test_refused_with_the_rule(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_test_message("%s", bad[i].url);
        g_assert_null(canonical(bad[i].url, &error));
        g_assert_error(error, PLATFORM_ERROR, PLATFORM_ERROR_URL);
        g_test_message("-> %s", error->message);
        g_assert_nonnull(strstr(error->message, bad[i].says));
    }
}

static void test_passcode_of_a_link(void)
{
    g_autofree char *some = zoom_url_passcode(WC "?pwd=AbC.1&tk=x");
    g_autofree char *none = zoom_url_passcode(WC "?tk=x");
    g_autofree char *bare = zoom_url_passcode(WC);
    g_assert_cmpstr(some, ==, "AbC.1");
    g_assert_null(none);
    g_assert_null(bare);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/zoom_url/accepted", test_accepted);
    g_test_add_func("/zoom_url/refused_with_the_rule", test_refused_with_the_rule);
    g_test_add_func("/zoom_url/passcode_of_a_link", test_passcode_of_a_link);
    return g_test_run();
}
