/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/route.h"

#include <string.h>

const OrchRoute *const orch_routes[] = {orch_mbaas_routes,
                                        orch_attendee_routes,
                                        orch_cronofy_routes,
                                        orch_file_routes,
                                        orch_webhook_routes,
                                        orch_common_routes,
                                        NULL};

typedef struct {
    char *params[ORCH_MAX_PARAMS];
    guint n_params;
    guint n_fixed; /* parts that were spelled out */
} Match;

static void match_clear(Match *match)
{
    for (guint i = 0; i < match->n_params; i++) {
        g_clear_pointer(&match->params[i], g_free);
    }
    *match = (Match){0};
}

static bool add_param(Match *match, const char *encoded, const char *illegal)
{
    char *value = g_uri_unescape_segment(encoded, NULL, illegal);
    if (value == NULL || value[0] == '\0' || !g_utf8_validate(value, -1, NULL)) {
        g_free(value);
        return false;
    }
    g_assert(match->n_params < ORCH_MAX_PARAMS);
    match->params[match->n_params++] = value;
    return true;
}

/* "{name...}": everything that is left, slashes included. */
static bool is_rest(const char *part)
{
    return part[0] == '{' && g_str_has_suffix(part, "...}");
}

static bool match_parts(char **pattern, char **parts, Match *match)
{
    for (; *pattern != NULL; pattern++, parts++) {
        if (*parts == NULL) {
            return false;
        }
        if (is_rest(*pattern)) {
            g_autofree char *rest = g_strjoinv("/", parts);
            return add_param(match, rest, NULL);
        }
        if ((*pattern)[0] == '{') {
            if (!add_param(match, *parts, "/")) {
                return false;
            }
        } else if (strcmp(*pattern, *parts) == 0) {
            match->n_fixed++;
        } else {
            return false;
        }
    }
    return *parts == NULL;
}

static char **split(const char *path)
{
    gsize length = strlen(path);
    g_autofree char *text =
        g_strndup(path, length > 1 && path[length - 1] == '/' ? length - 1 : length);
    return g_strsplit(text, "/", -1);
}

static bool match_route(const OrchRoute *route, char **parts, Match *match)
{
    g_auto(GStrv) pattern = split(route->path);
    if (match_parts(pattern, parts, match)) {
        return true;
    }
    match_clear(match);
    return false;
}

OrchRouteResult orch_route_find(const char *method, const char *path, const OrchRoute **ret_route,
                                char **ret_params)
{
    g_auto(GStrv) parts = split(path);
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    const OrchRoute *best = NULL;
    Match best_match = {0};
    bool path_known = false;
    for (const OrchRoute *const *table = orch_routes; *table != NULL; table++) {
        for (const OrchRoute *route = *table; route->method != NULL; route++) {
            Match match = {0};
            if (!match_route(route, parts, &match)) {
                continue;
            }
            path_known = true;
            bool better = strcmp(route->method, wanted) == 0 &&
                          (best == NULL || match.n_fixed > best_match.n_fixed);
            if (better) {
                match_clear(&best_match);
                best = route;
                best_match = match;
            } else {
                match_clear(&match);
            }
        }
    }
    if (best == NULL) {
        return path_known ? ORCH_ROUTE_METHOD : ORCH_ROUTE_NONE;
    }
    *ret_route = best;
    memcpy(ret_params, best_match.params, sizeof best_match.params);
    return ORCH_ROUTE_FOUND;
}
