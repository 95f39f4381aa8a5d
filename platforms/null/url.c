/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/null/url.h"

#include "platforms/platform.h"

#include <string.h>

#define SCHEME "null:"
#define MAX_CHARS 64

bool null_url_is_ours(const char *url)
{
    return g_ascii_strncasecmp(url, SCHEME, strlen(SCHEME)) == 0;
}

static bool is_word(const char *text, size_t length)
{
    bool good = length >= 1 && length <= MAX_CHARS;
    for (size_t i = 0; good && i < length; i++) {
        good = g_ascii_isalnum(text[i]) || text[i] == '-' || text[i] == '_';
    }
    return good;
}

char *null_url_canonical(const char *url, GError **error)
{
    const char *name = url + strlen(SCHEME);
    size_t length = strcspn(name, "#");
    const char *meeting = name[length] == '#' ? name + length + 1 : NULL;
    if (!is_word(name, length) || (meeting != NULL && !is_word(meeting, strlen(meeting)))) {
        g_set_error_literal(error, PLATFORM_ERROR, PLATFORM_ERROR_URL,
                            "expected null:NAME or null:NAME#MEETING, each of 1 to 64 letters, "
                            "digits, '-' and '_'");
        return NULL;
    }
    return g_strconcat(SCHEME, name, NULL);
}

char *null_url_file(const char *canonical)
{
    const char *name = canonical + strlen(SCHEME);
    return g_strdup_printf("%.*s.json", (int)strcspn(name, "#"), name);
}
