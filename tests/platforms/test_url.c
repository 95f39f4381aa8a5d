/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/url.h"

#include "platforms/platform.h"

#include <string.h>

#define CANONICAL "https://meet.google.com/abc-defg-hij"

static void test_accepted(void)
{
    static const char *const good[] = {
        CANONICAL,
        " " CANONICAL "\n",
        "\"" CANONICAL "\"",
        "<" CANONICAL ">",
        CANONICAL "/",
        CANONICAL "?authuser=0&hs=122",
        CANONICAL "#anything",
        "https://meet.google.com/%61bc-defg-hij", /* the same letter, RFC 3986 6.2.2.2 */
        "meet.google.com/abc-defg-hij",
        "https://MEET.google.com/abc-defg-hij",
        "https://www.google.com/url?q=https%3A%2F%2Fmeet.google.com%2Fabc-defg-hij&sa=D&ust=17",
        "https://google.com/url?url=https://meet.google.com/abc-defg-hij",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        const char *name = NULL;
        g_autofree char *url = NULL;
        g_test_message("%s", good[i]);
        platform_check_url(good[i], &name, &url, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(name, ==, "meet");
        g_assert_cmpstr(url, ==, CANONICAL);
    }
}

static void test_refused_with_the_rule(void)
{
    static const struct {
        const char *url, *says;
    } bad[] = {
        {"", "URL"},
        {"hello world", "host"},
        {"http://meet.google.com/abc-defg-hij", "https"},
        {"ftp://meet.google.com/abc-defg-hij", "https"},
        {"javascript://meet.google.com/abc-defg-hij", "https"},
        {"https://meet.google.com.evil.com/abc-defg-hij", "host"},
        {"https://evil.com/?u=meet.google.com/abc-defg-hij", "host"},
        {"https://xmeet.google.com/abc-defg-hij", "host"},
        {"https://www.meet.google.com/abc-defg-hij", "host"},
        {"https://meet.google.com./abc-defg-hij", "host"},
        {"https://user@meet.google.com/abc-defg-hij", "user name"},
        {"https://meet.google.com@evil.com/abc-defg-hij", "user name"},
        {"https://meet.google.com:443/abc-defg-hij", "port"},
        {"https://meet.google.com:8443/abc-defg-hij", "port"},
        {"https://meet.google.com/", "code"},
        {"https://meet.google.com/new", "code"},
        {"https://meet.google.com/ABC-DEFG-HIJ", "code"},
        {"https://meet.google.com/abc-defg-hijk", "code"},
        {"https://meet.google.com/abc-defg-hi", "code"},
        {"https://meet.google.com/abc-d3fg-hij", "code"},
        {"https://meet.google.com/abcdefghij", "code"},
        {"https://meet.google.com/abc-defg-hij/x", "code"},
        {"https://meet.google.com/lookup/abcdef", "/lookup/"},
        {"https://meet.google.com/abc-defg-hij?u=https://evil.com", "second URL"},
        {"https://meet.google.com/abc-defg-hij?u=https%3A%2F%2Fevil.com", "second URL"},
        {"https://meet.google.com/abc-defg-hij?u=https%253A%252F%252Fevil.com", "second URL"},
        {"https://meet.google.com/abc-defg-hij?u=aHR0cHM6Ly9ldmlsLmNvbS8", "second URL"},
        {"https://meet.google.com/abc-defg-hij#aHR0cHM6Ly9ldmlsLmNvbS8=", "second URL"},
        {"https://www.google.com/url?sa=D", "without its target"},
        {"https://www.google.com/url?q=https://www.google.com/url?q=https://meet.google.com/"
         "abc-defg-hij",
         "second URL"},
        {"https://www.google.com/url?q=http://meet.google.com/abc-defg-hij", "https"},
        {"https://www.google.com/search?q=meet.google.com/abc-defg-hij", "host"},
        {"https://[::1/abc", "URL"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        char *url = NULL;
        g_test_message("%s", bad[i].url);
        g_assert_false(platform_check_url(bad[i].url, NULL, &url, &error));
        g_assert_error(error, PLATFORM_ERROR, PLATFORM_ERROR_URL);
        g_test_message("-> %s", error->message);
        g_assert_nonnull(strstr(error->message, bad[i].says));
        g_assert_null(url);
    }
}

static void test_endless_text_is_refused(void)
{
    g_autofree char *tail = g_strnfill(5000, 'a');
    g_autofree char *url = g_strconcat(CANONICAL "?x=", tail, NULL);
    g_assert_false(platform_check_url(url, NULL, NULL, NULL));
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/url/accepted", test_accepted);
    g_test_add_func("/url/refused_with_the_rule", test_refused_with_the_rule);
    g_test_add_func("/url/endless_text_is_refused", test_endless_text_is_refused);
    return g_test_run();
}
