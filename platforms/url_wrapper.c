/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/url_wrapper.h"

#include "platforms/platform.h"
#include "platforms/url_query.h"

#include <string.h>

typedef struct {
    const char *name;
    bool (*is_host)(const char *host); /* lower case */
    const char *path;                  /* what the path begins with */
    /* (transfer full): the target, or NULL. One of the two. */
    char *(*from_text)(const char *text);
    const char *params[2]; /* the parameter that is the target */
} Wrapper;

static bool is_below(const char *host, const char *base)
{
    size_t length = strlen(host), tail = strlen(base);
    return g_str_has_suffix(host, base) && (length == tail || host[length - tail - 1] == '.');
}

/* google.com, google.de, google.co.uk, google.com.br; with www. or without. */
static bool is_google(const char *host)
{
    host += g_str_has_prefix(host, "www.") ? 4 : 0;
    if (!g_str_has_prefix(host, "google.")) {
        return false;
    }
    const char *rest = host + strlen("google.");
    if (g_str_has_prefix(rest, "com.") || g_str_has_prefix(rest, "co.")) {
        rest = strchr(rest, '.') + 1;
    }
    return strcmp(rest, "com") == 0 ||
           (strlen(rest) == 2 && g_ascii_isalpha(rest[0]) && g_ascii_isalpha(rest[1]));
}

/* The clouds: the world's, the governments' of the United States, China's, what was Germany's. */
static bool is_safe_links(const char *host)
{
    static const char *const hosts[] = {
        "safelinks.protection.outlook.com",        "safelinks.protection.office365.us",
        "safelinks.protection.outlook.us",         "safelinks.protection.outlook.cn",
        "safelinks.protection.partner.outlook.cn", "safelinks.protection.outlook.de",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++) {
        if (is_below(host, hosts[i])) {
            return true;
        }
    }
    return false;
}

static bool is_teams_assets(const char *host)
{
    return is_below(host, "teams.cdn.office.net");
}

static bool is_proofpoint(const char *host)
{
    return is_below(host, "urldefense.com") || is_below(host, "urldefense.us") ||
           is_below(host, "urldefense.proofpoint.com");
}

static bool is_barracuda(const char *host)
{
    return is_below(host, "linkprotect.cudasvc.com");
}

/* Version 2 writes '-' for '%' and '_' for '/'. */
static char *from_proofpoint_2(const char *text)
{
    const char *start = strstr(text, "?u=");
    start = start != NULL ? start : strstr(text, "&u=");
    if (start == NULL) {
        return NULL;
    }
    start += 3;
    g_autofree char *value = g_strndup(start, strcspn(start, "&#"));
    g_strdelimit(value, "-", '%');
    g_strdelimit(value, "_", '/');
    return g_uri_unescape_string(value, NULL);
}

/* How many characters "**X" stands for: from 2 on, in base64's order for URLs. */
static size_t run_length(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (size_t)(at - digits) + 2 : 0;
}

/* @bytes go in where @masked has a '*' (one) or "**X" (a run); NULL when they do not fit. */
static char *fill_in(const char *masked, const char *bytes, size_t n_bytes)
{
    g_autoptr(GString) out = g_string_new(NULL);
    size_t used = 0;
    while (*masked != '\0') {
        if (*masked != '*') {
            g_string_append_c(out, *masked++);
            continue;
        }
        bool run = masked[1] == '*';
        size_t n = run ? run_length(masked[2]) : 1;
        if (n == 0 || n > n_bytes - used) {
            return NULL;
        }
        g_string_append_len(out, bytes + used, (gssize)n);
        used += n;
        masked += run ? 3 : 1;
    }
    return used == n_bytes ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}

/* Version 3: /v3/__URL__;BASE64!…, the unusual characters of the URL starred out and in the base64.
 */
static char *from_proofpoint_3(const char *text)
{
    const char *start = strstr(text, "/v3/__");
    const char *end = start != NULL ? strstr(start + 6, "__;") : NULL;
    if (end == NULL) {
        return NULL;
    }
    g_autofree char *masked = g_strndup(start + 6, (gsize)(end - start - 6));
    g_autofree char *packed = g_strndup(end + 3, strcspn(end + 3, "!"));
    g_strdelimit(packed, "-", '+');
    g_strdelimit(packed, "_", '/');
    g_autofree char *padded = g_strconcat(packed, "===", NULL);
    gsize size = 0;
    g_autofree guchar *bytes = *packed != '\0' ? g_base64_decode(padded, &size) : NULL;
    g_autofree char *url = fill_in(masked, (const char *)bytes, size);
    /* some programs make one slash of two */
    if (url != NULL && g_str_has_prefix(url, "https:/") && url[7] != '/') {
        return g_strconcat("https://", url + 7, NULL);
    }
    return g_steal_pointer(&url);
}

static const Wrapper wrappers[] = {
    {"google.com/url", is_google, "/url", NULL, {"q", "url"}},
    {"a safe link of Outlook", is_safe_links, "/", NULL, {"url", NULL}},
    {"a safe link of Teams", is_teams_assets, "/evergreen-assets/safelinks/", NULL, {"url", NULL}},
    {"Proofpoint's urldefense", is_proofpoint, "/v1/url", NULL, {"u", NULL}},
    {"Proofpoint's urldefense", is_proofpoint, "/v2/url", from_proofpoint_2, {NULL, NULL}},
    {"Proofpoint's urldefense", is_proofpoint, "/v3/__", from_proofpoint_3, {NULL, NULL}},
    {"Barracuda's linkprotect", is_barracuda, "/url", NULL, {"a", NULL}},
};

/* These name their target's host at most. */
static bool keeps_its_target(const char *host)
{
    static const char *const hosts[] = {"mimecast.com", "mimecastprotect.com",
                                        "mimecastprotect-usb.com"};
    for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++) {
        if (is_below(host, hosts[i])) {
            return true;
        }
    }
    return false;
}

static char *read_target(const Wrapper *wrapper, GUri *uri, const char *text)
{
    char *target = wrapper->from_text != NULL ? wrapper->from_text(text) : NULL;
    for (size_t i = 0; i < 2 && target == NULL && wrapper->params[i] != NULL; i++) {
        target = platform_url_get_param(uri, wrapper->params[i]);
    }
    if (target != NULL && !g_utf8_validate(target, -1, NULL)) {
        g_clear_pointer(&target, g_free);
    }
    return target;
}

bool platform_url_unwrap(GUri *uri, const char *text, PlatformUrlWrappers *seen, char **ret_target,
                         GError **error)
{
    g_autofree char *host = g_ascii_strdown(g_uri_get_host(uri), -1);
    *ret_target = NULL;
    if (keeps_its_target(host)) {
        g_set_error_literal(error, PLATFORM_ERROR, PLATFORM_ERROR_URL,
                            "Mimecast's link does not hold where it leads to: open it once, and "
                            "give the address that the browser then shows");
        return false;
    }
    for (guint i = 0; i < G_N_ELEMENTS(wrappers); i++) {
        if (!wrappers[i].is_host(host) ||
            !g_str_has_prefix(g_uri_get_path(uri), wrappers[i].path) || (*seen & 1u << i) != 0) {
            continue;
        }
        *seen |= 1u << i;
        *ret_target = read_target(&wrappers[i], uri, text);
        if (*ret_target == NULL) {
            g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_URL,
                        "a redirect (%s) without its target, or a damaged one: open it once, and "
                        "give the address that the browser then shows",
                        wrappers[i].name);
        }
        return *ret_target != NULL;
    }
    return true;
}
