/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/meeting_url.h"

#include "platforms/meet/url.h"
#include "platforms/null/url.h"
#include "platforms/platform.h"
#include "platforms/teams/url.h"
#include "platforms/url.h"
#include "platforms/zoom/url.h"

typedef struct {
    const char *name;
    bool (*is_ours)(GUri *uri); /* by the host alone */
    char *(*unwrap)(GUri *uri); /* see PlatformUrlUnwrap; may be NULL */
    char *(*canonical)(GUri *uri, GError **error);
    char *(*meeting)(GUri *uri); /* NULL: the canonical URL says it */
} Links;

static const Links links[] = {
    {"meet", meet_url_is_ours, NULL, meet_url_canonical, NULL},
    {"teams", teams_url_is_ours, teams_url_unwrap, teams_url_canonical, teams_url_meeting},
    {"zoom", zoom_url_is_ours, NULL, zoom_url_canonical, zoom_url_meeting},
};

static const Links *find(GUri *uri)
{
    for (size_t i = 0; i < G_N_ELEMENTS(links); i++) {
        if (links[i].is_ours(uri)) {
            return &links[i];
        }
    }
    return NULL;
}

static char *unwrap(GUri *uri)
{
    const Links *kind = find(uri);
    return kind != NULL && kind->unwrap != NULL ? kind->unwrap(uri) : NULL;
}

/* No link of the web, and so no GUri: a document's name. */
static const Links *read_null_url(const char *url, char **ret_url, GError **error)
{
    static const Links null_links = {.name = "null"};
    *ret_url = null_url_canonical(url, error);
    return *ret_url != NULL ? &null_links : NULL;
}

static const Links *read_url(const char *url, char **ret_url, GError **error)
{
    if (null_url_is_ours(url)) {
        return read_null_url(url, ret_url, error);
    }
    g_autoptr(GUri) uri = platform_url_parse(url, unwrap, error);
    const Links *kind = uri != NULL ? find(uri) : NULL;
    if (uri != NULL && kind == NULL) {
        g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_URL,
                    "%.100s is no meeting platform's host: expected meet.google.com, "
                    "teams.microsoft.com, teams.live.com or zoom.us",
                    g_uri_get_host(uri));
    }
    *ret_url = kind != NULL ? kind->canonical(uri, error) : NULL;
    return *ret_url != NULL ? kind : NULL;
}

bool platform_check_url(const char *url, const char **ret_name, char **ret_url, GError **error)
{
    g_autofree char *canonical = NULL;
    const Links *kind = read_url(url, &canonical, error);
    if (kind == NULL) {
        return false;
    }
    if (ret_name != NULL) {
        *ret_name = kind->name;
    }
    if (ret_url != NULL) {
        *ret_url = g_steal_pointer(&canonical);
    }
    return true;
}

char *platform_meeting_of_url(const char *url)
{
    g_autofree char *canonical = NULL;
    const Links *kind = read_url(url, &canonical, NULL);
    if (kind == NULL || kind->meeting == NULL) {
        return g_steal_pointer(&canonical);
    }
    g_autoptr(GUri) uri = g_uri_parse(canonical, G_URI_FLAGS_ENCODED, NULL);
    return uri != NULL ? kind->meeting(uri) : NULL;
}
