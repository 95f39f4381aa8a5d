/* SPDX-License-Identifier: Apache-2.0 */
#include "base/proxy.h"

#include <string.h>

static const char *const this_machine[] = {"localhost", "127.0.0.0/8", "::1"};

/* The process's rule; replaced as a whole. */
static struct {
    GMutex lock;
    /* --- protected by lock */
    GProxyResolver *resolver; /* owned; NULL until it is asked for: no proxies */
    char *http, *https;       /* owned, or NULL */
    char **except;            /* owned, or NULL */
} rule;

/* (transfer full): the proxy as a URL with a port, or NULL with an error. */
static char *read_proxy(const char *text, GError **error)
{
    g_autofree char *whole =
        strstr(text, "://") == NULL ? g_strconcat("http://", text, NULL) : g_strdup(text);
    g_autoptr(GUri) uri = g_uri_parse(whole, G_URI_FLAGS_ENCODED | G_URI_FLAGS_HAS_PASSWORD, NULL);
    bool good = uri != NULL && strcmp(g_uri_get_scheme(uri), "http") == 0 &&
                g_uri_get_host(uri) != NULL && *g_uri_get_host(uri) != '\0' &&
                strlen(g_uri_get_path(uri)) <= 1 && g_uri_get_query(uri) == NULL;
    if (!good) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                            "it is not http://HOST:PORT, the one kind of proxy that this version "
                            "can use");
        return NULL;
    }
    const char *host = g_uri_get_host(uri), *user = g_uri_get_userinfo(uri);
    bool v6 = strchr(host, ':') != NULL;
    int port = g_uri_get_port(uri) > 0 ? g_uri_get_port(uri) : 80;
    return g_strdup_printf("http://%s%s%s%s%s:%d", user != NULL ? user : "",
                           user != NULL ? "@" : "", v6 ? "[" : "", host, v6 ? "]" : "", port);
}

bool base_proxy_check(const char *proxy, GError **error)
{
    g_autofree char *url = read_proxy(proxy, error);
    return url != NULL;
}

static bool read_optional(const char *text, const char *name, char **ret_proxy, GError **error)
{
    *ret_proxy = text != NULL && *text != '\0' ? read_proxy(text, error) : NULL;
    if (*ret_proxy == NULL && text != NULL && *text != '\0') {
        g_prefix_error(error, "the %s proxy: ", name);
        return false;
    }
    return true;
}

static char **with_this_machine(char *const *except)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    for (gsize i = 0; i < G_N_ELEMENTS(this_machine); i++) {
        g_strv_builder_add(builder, this_machine[i]);
    }
    for (gsize i = 0; except != NULL && except[i] != NULL; i++) {
        g_strv_builder_add(builder, except[i]);
    }
    return g_strv_builder_end(builder);
}

static GProxyResolver *make_resolver(const char *http, const char *https, char *const *except)
{
    g_auto(GStrv) all = with_this_machine(except);
    GProxyResolver *resolver = g_simple_proxy_resolver_new(NULL, all);
    GSimpleProxyResolver *simple = G_SIMPLE_PROXY_RESOLVER(resolver);
    const struct {
        const char *scheme, *proxy;
    } ways[] = {{"http", http}, {"ws", http}, {"https", https}, {"wss", https}};
    for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
        if (ways[i].proxy != NULL) {
            g_simple_proxy_resolver_set_uri_proxy(simple, ways[i].scheme, ways[i].proxy);
        }
    }
    return resolver;
}

/* Blanks around names go, and so do empty ones; "*" is all the world. */
static char **read_except(const char *const *except, bool *ret_all)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    *ret_all = false;
    for (gsize i = 0; except != NULL && except[i] != NULL; i++) {
        g_autofree char *name = g_strstrip(g_strdup(except[i]));
        *ret_all = *ret_all || strcmp(name, "*") == 0;
        if (*name != '\0') {
            g_strv_builder_add(builder, name);
        }
    }
    return g_strv_builder_end(builder);
}

bool base_proxy_set(const char *http, const char *https, const char *const *except, GError **error)
{
    bool all = false;
    g_autofree char *http_proxy = NULL, *https_proxy = NULL;
    g_auto(GStrv) names = read_except(except, &all);
    if (!read_optional(http, "http", &http_proxy, error) ||
        !read_optional(https, "https", &https_proxy, error)) {
        return false;
    }
    if (all) {
        g_clear_pointer(&http_proxy, g_free);
        g_clear_pointer(&https_proxy, g_free);
    }
    g_autoptr(GProxyResolver) resolver = make_resolver(http_proxy, https_proxy, names);
    g_mutex_lock(&rule.lock);
    g_set_object(&rule.resolver, resolver);
    g_free(rule.http);
    g_free(rule.https);
    g_strfreev(rule.except);
    rule.http = g_steal_pointer(&http_proxy);
    rule.https = g_steal_pointer(&https_proxy);
    rule.except = g_steal_pointer(&names);
    g_mutex_unlock(&rule.lock);
    return true;
}

/* As programs agree: small letters first; HTTP_PROXY in large ones may be a client's header. */
static const char *get_variable(const char *small, const char *large)
{
    const char *value = g_getenv(small);
    return value != NULL || large == NULL ? value : g_getenv(large);
}

bool base_proxy_from_environment(bool take, GError **error)
{
    const char *none = get_variable("no_proxy", "NO_PROXY");
    g_auto(GStrv) except = g_strsplit_set(none != NULL ? none : "", ", ", -1);
    if (!base_proxy_set(get_variable("http_proxy", NULL),
                        get_variable("https_proxy", "HTTPS_PROXY"), (const char *const *)except,
                        error)) {
        g_prefix_error(error, "in the environment: ");
        return false;
    }
    static const char *const names[] = {"http_proxy", "https_proxy", "no_proxy",
                                        "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"};
    for (gsize i = 0; take && i < G_N_ELEMENTS(names); i++) {
        g_unsetenv(names[i]);
    }
    return true;
}

GProxyResolver *base_proxy_resolver(void)
{
    g_mutex_lock(&rule.lock);
    if (rule.resolver == NULL) {
        rule.resolver = make_resolver(NULL, NULL, NULL);
    }
    GProxyResolver *resolver = rule.resolver;
    g_mutex_unlock(&rule.lock);
    return resolver;
}

char *base_proxy_for(const char *url)
{
    g_auto(GStrv) proxies = g_proxy_resolver_lookup(base_proxy_resolver(), url, NULL, NULL);
    const char *first = proxies != NULL && proxies[0] != NULL ? proxies[0] : "direct://";
    return g_str_has_prefix(first, "direct:") ? NULL : g_strdup(first);
}

/* Chromium's list wants "*.example.org" for what is below a host. */
static char *bypass_list(char *const *except)
{
    GString *list = g_string_new("<local>;127.0.0.0/8;[::1]");
    for (gsize i = 0; except != NULL && except[i] != NULL; i++) {
        const char *name = except[i];
        name += g_str_has_prefix(name, "*.") ? 2 : *name == '.' ? 1 : 0;
        bool is_name = strchr(name, '/') == NULL && !g_hostname_is_ip_address(name);
        bool is_v6 = strchr(name, ':') != NULL && g_hostname_is_ip_address(name);
        g_string_append_printf(list, is_v6 ? ";[%s]" : ";%s", name);
        if (is_name) {
            g_string_append_printf(list, ";*.%s", name);
        }
    }
    return g_string_free(list, FALSE);
}

/* Without the user's name: Chromium takes none there. */
static char *without_user(const char *proxy)
{
    const char *at = strrchr(proxy, '@');
    return g_strdup(at != NULL ? at + 1 : proxy + strlen("http://"));
}

char **base_proxy_chromium_args(void)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_autoptr(GString) servers = g_string_new(NULL);
    g_mutex_lock(&rule.lock);
    const char *const schemes[] = {"http", "https"};
    const char *const proxies[] = {rule.http, rule.https};
    for (gsize i = 0; i < 2; i++) {
        g_autofree char *server = proxies[i] != NULL ? without_user(proxies[i]) : NULL;
        if (server != NULL) {
            g_string_append_printf(servers, "%s%s=%s", servers->len > 0 ? ";" : "", schemes[i],
                                   server);
        }
    }
    g_autofree char *bypass = bypass_list(rule.except);
    g_mutex_unlock(&rule.lock);
    if (servers->len == 0) {
        g_strv_builder_add(builder, "--no-proxy-server");
    } else {
        g_autofree char *server = g_strconcat("--proxy-server=", servers->str, NULL);
        g_autofree char *except = g_strconcat("--proxy-bypass-list=", bypass, NULL);
        g_strv_builder_add_many(builder, server, except, NULL);
    }
    return g_strv_builder_end(builder);
}
