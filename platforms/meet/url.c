/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/meet/url.h"

#include "platforms/platform.h"

#include <string.h>

#define HOST "meet.google.com"

#define CODE_CHARS 12

/* Three, four and three letters with hyphens between; people and mail programs write them large. */
static bool is_code(const char *text)
{
    static const char shape[] = "aaa-aaaa-aaa";
    size_t i = 0;
    while (i < CODE_CHARS && (shape[i] == 'a' ? g_ascii_isalpha(text[i]) : text[i] == shape[i])) {
        i++;
    }
    return i == CODE_CHARS;
}

/* "abc-defg-hij" alone reads as a host; none is called so, and nothing else looks like it. */
static bool is_bare_code(GUri *uri)
{
    const char *host = g_uri_get_host(uri), *path = g_uri_get_path(uri);
    return is_code(host) && host[CODE_CHARS] == '\0' && (*path == '\0' || strcmp(path, "/") == 0);
}

bool meet_url_is_ours(GUri *uri)
{
    return g_ascii_strcasecmp(g_uri_get_host(uri), HOST) == 0 || is_bare_code(uri);
}

char *meet_url_canonical(GUri *uri, GError **error)
{
    const char *path = g_uri_get_path(uri);
    if (g_str_has_prefix(path, "/lookup/")) {
        g_set_error_literal(error, PLATFORM_ERROR, PLATFORM_ERROR_URL,
                            "a Meet /lookup/ link opens for signed-in members only: use the link "
                            "with the code, " MEET_ORIGIN "/xxx-yyyy-zzz");
        return NULL;
    }
    const char *code = is_bare_code(uri) ? g_uri_get_host(uri) : *path == '/' ? path + 1 : path;
    const char *end = is_code(code) ? code + CODE_CHARS : "x";
    if (*end != '\0' && strcmp(end, "/") != 0) {
        g_set_error_literal(error, PLATFORM_ERROR, PLATFORM_ERROR_URL,
                            "a Meet link's path is its code: three, four and three letters, "
                            "xxx-yyyy-zzz");
        return NULL;
    }
    g_autofree char *lower = g_ascii_strdown(code, CODE_CHARS);
    return g_strconcat(MEET_ORIGIN "/", lower, NULL);
}
