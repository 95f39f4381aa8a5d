/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/login.h"

#include "base/profile.h"
#include "platforms/browser/options.h"
#include "platforms/platform.h"

#include <errno.h>
#include <gio/gio.h>

static bool fail(GError **error, char *message)
{
    g_set_error_literal(error, PLATFORM_ERROR, PLATFORM_ERROR_BROWSER, message);
    g_free(message);
    return false;
}

/* (transfer full): where to sign in. */
static char *find_page(const char *url, GError **error)
{
    g_autofree char *canonical = NULL;
    if (platform_check_url(url, NULL, &canonical, NULL) &&
        g_str_has_prefix(canonical, "https://")) { /* null: meetings have no page */
        return g_steal_pointer(&canonical);
    }
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
    if (uri == NULL || g_strcmp0(g_uri_get_scheme(uri), "https") != 0 ||
        g_uri_get_host(uri) == NULL || *g_uri_get_host(uri) == '\0') {
        g_set_error(
            error, PLATFORM_ERROR, PLATFORM_ERROR_URL,
            "%s: expected a meeting's URL, or the https URL of a page to sign in at, such as "
            "https://accounts.google.com",
            url);
        return NULL;
    }
    return g_uri_to_string(uri);
}

static bool check_screen(GError **error)
{
    if (g_getenv("DISPLAY") != NULL || g_getenv("WAYLAND_DISPLAY") != NULL) {
        return true;
    }
    return fail(error, g_strdup("there is no screen for the window to sign in at: run this on a "
                                "desktop, by ssh -X, or on a VNC server's display (DISPLAY is not "
                                "set), and copy the profile's folder from there if need be"));
}

/* A second browser would only open a window of the first. */
static bool check_unused(const char *profile, GError **error)
{
    pid_t pid = base_profile_user(profile);
    return pid == 0 ||
           fail(error, g_strdup_printf("%s: process %d uses this profile; close that browser first",
                                       profile, (int)pid));
}

/* The profile's folder: its owner's alone, as it holds a signed-in session. */
static char *open_profile(const char *path, GError **error)
{
    g_autoptr(GFile) file = g_file_new_for_path(path);
    g_autofree char *profile = g_file_get_path(file);
    if (g_mkdir_with_parents(profile, 0700) != 0) {
        fail(error, g_strdup_printf("%s: %s", profile, g_strerror(errno)));
        return NULL;
    }
    return check_unused(profile, error) ? g_steal_pointer(&profile) : NULL;
}

static bool has_cookies(const char *profile)
{
    g_autofree char *now = g_build_filename(profile, "Default", "Network", "Cookies", NULL);
    g_autofree char *before = g_build_filename(profile, "Default", "Cookies", NULL);
    return g_file_test(now, G_FILE_TEST_EXISTS) || g_file_test(before, G_FILE_TEST_EXISTS);
}

static bool run_browser(char **argv, const char *profile, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GSubprocess) browser =
        g_subprocess_newv((const char *const *)argv, G_SUBPROCESS_FLAGS_STDERR_SILENCE, &cause);
    if (browser == NULL) {
        return fail(error, g_strdup_printf("%s: %s", argv[0], cause->message));
    }
    if (!g_subprocess_wait(browser, NULL, &cause)) {
        return fail(error, g_strdup(cause->message));
    }
    if (!g_subprocess_get_successful(browser)) {
        return fail(error, g_strdup_printf("%s failed; run it by hand to see why (as root it needs "
                                           "--no-sandbox here)",
                                           argv[0]));
    }
    return has_cookies(profile) ||
           fail(error,
                g_strdup_printf("%s: no page has left a cookie there: nobody signed in", profile));
}

bool platform_login(const PlatformLogin *login, char **ret_profile, GError **error)
{
    g_autofree char *page = find_page(login->url, error);
    g_autoptr(BrowserOptions) options =
        page != NULL ? browser_options_new(login->browser, error) : NULL;
    if (options == NULL || !check_screen(error)) {
        return false;
    }
    g_autofree char *profile = open_profile(login->profile, error);
    if (profile == NULL) {
        return false;
    }
    g_auto(GStrv) argv = browser_options_to_login_argv(options, profile, page);
    if (!run_browser(argv, profile, error)) {
        return false;
    }
    *ret_profile = g_steal_pointer(&profile);
    return true;
}
