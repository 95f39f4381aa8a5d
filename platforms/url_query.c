/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/url_query.h"

#include "platforms/platform.h"

#include <string.h>

#define MAX_SECRET_CHARS 512

/* The value of @pair when it is @name's, or NULL. Borrowed. */
static const char *value_of(const char *pair, const char *name)
{
    size_t length = strlen(name);
    return strncmp(pair, name, length) == 0 && pair[length] == '=' ? pair + length + 1 : NULL;
}

static char **split_query(GUri *uri)
{
    const char *query = g_uri_get_query(uri);
    return g_strsplit(query != NULL ? query : "", "&", -1);
}

char *platform_url_get_param(GUri *uri, const char *name)
{
    g_auto(GStrv) pairs = split_query(uri);
    for (char **pair = pairs; *pair != NULL; pair++) {
        const char *raw = value_of(*pair, name);
        if (raw != NULL) {
            g_autofree char *value = g_uri_unescape_string(raw, NULL);
            bool good = value != NULL && g_utf8_validate(value, -1, NULL);
            return good ? g_steal_pointer(&value) : NULL;
        }
    }
    return NULL;
}

/* One spelling for each value: what needs no escape has none, everything else has, but for a '+',
 * which servers may read as a blank. A '.' at the end has one, or it would end a sentence. */
static char *normalize(const char *raw)
{
    GString *out = g_string_new(NULL);
    while (*raw != '\0') {
        bool escaped =
            raw[0] == '%' && g_ascii_isxdigit(raw[1]) && raw[1] != '\0' && g_ascii_isxdigit(raw[2]);
        char c = escaped ? (char)(g_ascii_xdigit_value(raw[1]) << 4 | g_ascii_xdigit_value(raw[2]))
                         : raw[0];
        raw += escaped ? 3 : 1;
        bool plain = g_ascii_isalnum(c) || c == '-' || c == '_' || c == '~' ||
                     (c == '.' && *raw != '\0') || (c == '+' && !escaped);
        if (plain) {
            g_string_append_c(out, c);
        } else {
            g_string_append_printf(out, "%%%02X", (guchar)c);
        }
    }
    return g_string_free(out, FALSE);
}

static bool can_be_kept(const char *raw)
{
    g_autofree char *value = g_uri_unescape_string(raw, NULL);
    bool good = value != NULL && g_utf8_validate(value, -1, NULL) &&
                g_utf8_strlen(value, -1) <= MAX_SECRET_CHARS;
    for (const char *c = value; good && *c != '\0'; c = g_utf8_next_char(c)) {
        gunichar letter = g_utf8_get_char(c);
        good = !g_unichar_isspace(letter) && !g_unichar_iscntrl(letter) && letter != '&';
    }
    return good;
}

/* "?jst=2?pwd=X", "#pwd=X", "&amp%3Bpwd%3DX": @name with a value where no parameter stands. */
static bool stands_elsewhere(GUri *uri, const char *name)
{
    g_autofree char *text =
        g_strconcat(g_uri_get_query(uri) != NULL ? g_uri_get_query(uri) : "", "\n",
                    g_uri_get_fragment(uri) != NULL ? g_uri_get_fragment(uri) : "", NULL);
    g_autofree char *decoded = g_uri_unescape_string(text, NULL);
    g_autofree char *lower = g_ascii_strdown(decoded != NULL ? decoded : text, -1);
    g_autofree char *wanted = g_strconcat(name, "=", NULL);
    size_t length = strlen(wanted);
    for (const char *at = strstr(lower, wanted); at != NULL; at = strstr(at + 1, wanted)) {
        bool begins = at == lower || (!g_ascii_isalnum(at[-1]) && strchr("_-", at[-1]) == NULL);
        bool has_value = at[length] != '\0' && strchr("&#\n", at[length]) == NULL;
        if (begins && has_value) {
            return true;
        }
    }
    return false;
}

static bool refuse(GError **error, const char *name, const char *why)
{
    g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_URL,
                "the link's %s %s: was the link damaged on its way? Copy it anew", name, why);
    return false;
}

bool platform_url_read_secret(GUri *uri, const char *name, char **ret_value, GError **error)
{
    g_auto(GStrv) pairs = split_query(uri);
    g_autofree char *found = NULL;
    for (char **pair = pairs; *pair != NULL; pair++) {
        const char *raw = value_of(*pair, name);
        if (raw == NULL || *raw == '\0') {
            continue;
        }
        if (!can_be_kept(raw)) {
            return refuse(error, name, "has characters that none has, or far too many");
        }
        g_autofree char *value = normalize(raw);
        if (found != NULL && strcmp(found, value) != 0) {
            return refuse(error, name, "stands there twice, with two values");
        }
        g_free(found);
        found = g_steal_pointer(&value);
    }
    if (found == NULL && stands_elsewhere(uri, name)) {
        return refuse(error, name, "does not stand where a parameter stands");
    }
    *ret_value = g_steal_pointer(&found);
    return true;
}
