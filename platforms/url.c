/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/url.h"

#include "platforms/platform.h"
#include "platforms/url_text.h"
#include "platforms/url_wrapper.h"

#include <string.h>

#define MAX_URL_CHARS 4096 /* of one in a wrapper, in a wrapper */
#define MIN_BASE64_CHARS 8

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool refuse(GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (error != NULL) {
        *error = g_error_new_valist(PLATFORM_ERROR, PLATFORM_ERROR_URL, format, args);
    }
    va_end(args);
    return false;
}

static bool has_scheme(const char *text, size_t length)
{
    return g_strstr_len(text, (gssize)length, "://") != NULL ||
           g_strstr_len(text, (gssize)length, "http:") != NULL ||
           g_strstr_len(text, (gssize)length, "https:") != NULL;
}

static bool is_base64(char c)
{
    return g_ascii_isalnum(c) || c == '+' || c == '/' || c == '-' || c == '_';
}

/* Decodes one run of base64 characters, of either alphabet, from each of the four alignments. */
static bool run_hides_url(const char *run, size_t length)
{
    g_autofree char *standard = g_strndup(run, length);
    g_strdelimit(standard, "-", '+');
    g_strdelimit(standard, "_", '/');
    for (size_t skip = 0; skip < 4 && skip + MIN_BASE64_CHARS <= length; skip++) {
        gsize size = 0;
        g_autofree guchar *bytes = g_base64_decode(standard + skip, &size);
        if (bytes != NULL && has_scheme((const char *)bytes, size)) {
            return true;
        }
    }
    return false;
}

static bool base64_hides_url(const char *text)
{
    while (*text != '\0') {
        size_t length = 0;
        while (is_base64(text[length])) {
            length++;
        }
        if (length >= MIN_BASE64_CHARS && run_hides_url(text, length)) {
            return true;
        }
        text += MAX(length, 1);
    }
    return false;
}

/* Percent escapes undone; wrong ones stay, so that nothing ends the search early. */
static char *unescape(const char *text)
{
    GString *out = g_string_new(NULL);
    for (; *text != '\0'; text++) {
        if (text[0] == '%' && g_ascii_isxdigit(text[1]) && g_ascii_isxdigit(text[2])) {
            char c = (char)(g_ascii_xdigit_value(text[1]) << 4 | g_ascii_xdigit_value(text[2]));
            g_string_append_c(out, c == '\0' ? ' ' : g_ascii_tolower(c));
            text += 2;
        } else {
            g_string_append_c(out, *text);
        }
    }
    return g_string_free(out, FALSE);
}

bool platform_url_hides_url(const char *text)
{
    g_autofree char *lower = g_ascii_strdown(text, -1);
    g_autofree char *once = unescape(text);
    g_autofree char *once_lower = g_ascii_strdown(once, -1);
    g_autofree char *twice = unescape(once);
    g_autofree char *twice_lower = g_ascii_strdown(twice, -1);
    return has_scheme(lower, strlen(lower)) || has_scheme(once_lower, strlen(once_lower)) ||
           has_scheme(twice_lower, strlen(twice_lower)) || base64_hides_url(text) ||
           base64_hides_url(once);
}

/* Letters, digits, hyphens and single dots: no escape that a reader further on might undo. */
static bool is_host_name(const char *host)
{
    bool good = *host != '\0' && *host != '.';
    for (const char *c = host; *c != '\0'; c++) {
        good = good && (g_ascii_isalnum(*c) || *c == '-' || (*c == '.' && c[1] != '.'));
    }
    return good;
}

static GUri *parse_one(const char *text, GError **error)
{
    g_autofree char *whole = strstr(text, "://") == NULL && g_ascii_isalpha(text[0])
                                 ? g_strconcat("https://", text, NULL)
                                 : g_strdup(text);
    g_autoptr(GError) cause = NULL;
    g_autoptr(GUri) uri =
        g_uri_parse(whole, G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED, &cause);
    if (uri == NULL) {
        refuse(error, "not a URL: %s", cause->message);
        return NULL;
    }
    if (strcmp(g_uri_get_scheme(uri), "https") != 0) {
        refuse(error, "a meeting URL begins with https://, not %.20s:", g_uri_get_scheme(uri));
        return NULL;
    }
    if (g_uri_get_userinfo(uri) != NULL) {
        refuse(error, "a meeting URL has no user name before its host");
        return NULL;
    }
    if (g_uri_get_port(uri) != -1) {
        refuse(error, "a meeting URL names no port");
        return NULL;
    }
    if (g_uri_get_host(uri) == NULL || !is_host_name(g_uri_get_host(uri))) {
        refuse(error, "a meeting URL has a host: letters, digits, hyphens, dots between them");
        return NULL;
    }
    return g_steal_pointer(&uri);
}

/* "812 3456 7890": whose meeting that is, nobody can know. */
static bool is_number(const char *text)
{
    return *text != '\0' && strspn(text, "0123456789 -") == strlen(text);
}

/* @text without what was put around it: each kind of redirect once, then the platform's own. */
static GUri *parse_unwrapped(const char *text, PlatformUrlUnwrap unwrap, GError **error)
{
    g_autofree char *link = platform_url_clean(text);
    PlatformUrlWrappers seen = 0;
    for (;;) {
        g_autoptr(GUri) uri = parse_one(link, error);
        g_autofree char *target = NULL;
        if (uri == NULL || !platform_url_unwrap(uri, link, &seen, &target, error)) {
            return NULL;
        }
        if (target == NULL) {
            g_autofree char *inner = unwrap != NULL ? unwrap(uri) : NULL;
            return inner != NULL ? parse_one(inner, error) : g_steal_pointer(&uri);
        }
        g_free(link);
        link = platform_url_clean(target);
    }
}

GUri *platform_url_parse(const char *text, PlatformUrlUnwrap unwrap, GError **error)
{
    if (!g_utf8_validate(text, -1, NULL) || g_utf8_strlen(text, -1) > MAX_URL_CHARS) {
        refuse(error, "not a URL: longer than %d characters, or not UTF-8", MAX_URL_CHARS);
        return NULL;
    }
    if (is_number(text)) {
        refuse(error, "a number alone does not say whose meeting it is: give the whole link, "
                      "https://zoom.us/j/NUMBER or https://teams.microsoft.com/meet/NUMBER");
        return NULL;
    }
    g_autoptr(GUri) uri = parse_unwrapped(text, unwrap, error);
    if (uri == NULL) {
        return NULL;
    }
    g_autofree char *rest = g_strjoin(
        "\n", g_uri_get_path(uri), g_uri_get_query(uri) != NULL ? g_uri_get_query(uri) : "",
        g_uri_get_fragment(uri) != NULL ? g_uri_get_fragment(uri) : "", NULL);
    if (platform_url_hides_url(rest)) {
        refuse(error, "a second URL hides inside this one");
        return NULL;
    }
    return g_steal_pointer(&uri);
}
