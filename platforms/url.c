/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/url.h"

#include "platforms/platform.h"

#include <string.h>

#define MAX_URL_BYTES 2048
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

/* Blanks, quotes and angle brackets that come along when a URL is copied. */
static char *trim(const char *text)
{
    g_autofree char *copy = g_strstrip(g_strdup(text));
    size_t length = strlen(copy);
    size_t start = length > 0 && (copy[0] == '"' || copy[0] == '<') ? 1 : 0;
    size_t end = length > start && (copy[length - 1] == '"' || copy[length - 1] == '>') ? 1 : 0;
    return g_strndup(copy + start, length - start - end);
}

/* What mail programs and shells do to links: "https%3A%2F%2F…", "\?", "\=", "\&". */
static char *undo_escapes(const char *text)
{
    char *link = trim(text);
    for (int i = 0; i < 2 && (g_ascii_strncasecmp(link, "https%3a", 8) == 0 ||
                              g_ascii_strncasecmp(link, "https%253a", 10) == 0);
         i++) {
        char *decoded = g_uri_unescape_string(link, NULL);
        if (decoded == NULL || !g_utf8_validate(decoded, -1, NULL)) {
            g_free(decoded);
            break;
        }
        g_free(link);
        link = decoded;
    }
    char *to = link;
    for (const char *from = link; *from != '\0'; from++) {
        if (*from != '\\' || from[1] == '\0' || strchr("?=&", from[1]) == NULL) {
            *to++ = *from;
        }
    }
    *to = '\0';
    return link;
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

static bool is_redirect(GUri *uri)
{
    g_autofree char *host = g_ascii_strdown(g_uri_get_host(uri), -1);
    bool google = strcmp(host, "www.google.com") == 0 || strcmp(host, "google.com") == 0;
    return (google && strcmp(g_uri_get_path(uri), "/url") == 0) ||
           g_str_has_suffix(host, ".safelinks.protection.outlook.com");
}

char *platform_url_get_param(GUri *uri, const char *name)
{
    const char *query = g_uri_get_query(uri);
    g_auto(GStrv) pairs = g_strsplit(query != NULL ? query : "", "&", -1);
    size_t length = strlen(name);
    for (char **pair = pairs; *pair != NULL; pair++) {
        if (strncmp(*pair, name, length) == 0 && (*pair)[length] == '=') {
            g_autofree char *value = g_uri_unescape_string(*pair + length + 1, NULL);
            bool good = value != NULL && g_utf8_validate(value, -1, NULL);
            return good ? g_steal_pointer(&value) : NULL;
        }
    }
    return NULL;
}

/* (transfer full): what the redirect leads to. */
static char *redirect_target(GUri *uri, GError **error)
{
    char *target = platform_url_get_param(uri, "q");
    if (target == NULL) {
        target = platform_url_get_param(uri, "url");
    }
    if (target == NULL) {
        refuse(error, "a redirect (google.com/url, a safe link) without its target");
    }
    return target;
}

GUri *platform_url_parse(const char *text, PlatformUrlUnwrap unwrap, GError **error)
{
    if (strlen(text) > MAX_URL_BYTES || !g_utf8_validate(text, -1, NULL)) {
        refuse(error, "not a URL: longer than %d bytes, or not UTF-8", MAX_URL_BYTES);
        return NULL;
    }
    g_autofree char *trimmed = undo_escapes(text);
    g_autoptr(GUri) uri = parse_one(trimmed, error);
    if (uri != NULL && is_redirect(uri)) {
        g_autofree char *target = redirect_target(uri, error);
        g_clear_pointer(&uri, g_uri_unref);
        uri = target != NULL ? parse_one(target, error) : NULL;
    }
    g_autofree char *inner = uri != NULL && unwrap != NULL ? unwrap(uri) : NULL;
    if (inner != NULL) {
        g_clear_pointer(&uri, g_uri_unref);
        uri = parse_one(inner, error);
    }
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
