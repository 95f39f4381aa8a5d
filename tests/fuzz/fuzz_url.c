/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/platform.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autofree char *url = NULL;
    const char *name = NULL;
    g_autoptr(GError) error = NULL;
    if (!platform_check_url(text, &name, &url, &error)) {
        g_assert_error(error, PLATFORM_ERROR, PLATFORM_ERROR_URL);
        return 0;
    }
    /* Whatever came in, what goes on is a URL of these shapes, and stays what it is. */
    g_autofree char *again = NULL;
    g_assert_true(platform_check_url(url, NULL, &again, &error));
    g_assert_cmpstr(again, ==, url);
    g_autofree char *meeting = platform_meeting_of_url(text);
    g_autofree char *same = platform_meeting_of_url(url);
    g_assert_nonnull(meeting);
    g_assert_cmpstr(meeting, ==, same);
    if (strcmp(name, "null") == 0) {
        g_assert_true(g_str_has_prefix(url, "null:"));
        g_assert_null(strpbrk(url, "/.%\\ "));
        return 0;
    }
    if (strcmp(name, "meet") == 0) {
        g_assert_true(g_str_has_prefix(url, "https://meet.google.com/"));
        g_assert_cmpuint(strlen(url), ==, strlen("https://meet.google.com/abc-defg-hij"));
        return 0;
    }
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED, NULL);
    g_assert_nonnull(uri);
    g_assert_cmpstr(g_uri_get_scheme(uri), ==, "https");
    g_assert_null(g_uri_get_userinfo(uri));
    g_assert_cmpint(g_uri_get_port(uri), ==, -1);
    const char *host = g_uri_get_host(uri), *path = g_uri_get_path(uri);
    if (strcmp(name, "zoom") == 0) {
        g_assert_true(g_str_has_suffix(host, "zoom.us") || g_str_has_suffix(host, "zoom.com") ||
                      g_str_has_suffix(host, "zoomgov.com"));
    } else {
        g_assert_true(g_str_has_suffix(host, "teams.microsoft.com") ||
                      g_str_has_suffix(host, "teams.live.com") ||
                      g_str_has_suffix(host, "teams.cloud.microsoft") ||
                      g_str_has_suffix(host, "teams.microsoft.us"));
        g_assert_true(g_str_has_prefix(path, "/meet/") ||
                      g_str_has_prefix(path, "/l/meetup-join/") ||
                      g_str_has_prefix(path, "/l/meeting/"));
    }
    return 0;
}
