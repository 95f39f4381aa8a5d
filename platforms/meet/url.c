/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/meet/url.h"

#include "platforms/platform.h"

#include <string.h>

#define HOST "meet.google.com"

bool meet_url_is_ours(GUri *uri)
{
    return g_ascii_strcasecmp(g_uri_get_host(uri), HOST) == 0;
}

char *meet_url_canonical(GUri *uri, GError **error)
{
    static const char shape[] = "/aaa-aaaa-aaa";
    const char *path = g_uri_get_path(uri);
    if (g_str_has_prefix(path, "/lookup/")) {
        g_set_error_literal(error, PLATFORM_ERROR, PLATFORM_ERROR_URL,
                            "a Meet /lookup/ link opens for signed-in members only: use the link "
                            "with the code, " MEET_ORIGIN "/xxx-yyyy-zzz");
        return NULL;
    }
    bool fits = strlen(path) >= sizeof shape - 1;
    for (size_t i = 0; fits && i < sizeof shape - 1; i++) {
        fits = shape[i] == 'a' ? g_ascii_islower(path[i]) : path[i] == shape[i];
    }
    const char *end = fits ? path + sizeof shape - 1 : "";
    if (!fits || (*end != '\0' && strcmp(end, "/") != 0)) {
        g_set_error_literal(error, PLATFORM_ERROR, PLATFORM_ERROR_URL,
                            "a Meet link's path is its code: three, four and three small letters, "
                            "xxx-yyyy-zzz");
        return NULL;
    }
    return g_strdup_printf(MEET_ORIGIN "%.*s", (int)sizeof shape - 1, path);
}
