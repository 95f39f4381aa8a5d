/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>

/*
 * A browser profile that somebody signs in by hand, once: `steno-worker login`. An ordinary window,
 * without DevTools and without any of Steno's scripts; the bot's browser starts from the profile
 * later (browser.profile_dir).
 */

typedef struct {
    const char *url;     /* a meeting's, or any https page to sign in at */
    const char *profile; /* folder of the profile; made when it is not there */
    JsonObject *browser; /* the configuration's "browser" part; or NULL */
} PlatformLogin;

/**
 * platform_login:
 * @ret_profile: (out) (transfer full): the profile's absolute path
 *
 * Opens the window and blocks until it is closed. Errors: PLATFORM_ERROR_URL;
 * PLATFORM_ERROR_BROWSER when there is no screen, the profile is in use, the browser fails or kept
 * nothing.
 */
bool platform_login(const PlatformLogin *login, char **ret_profile, GError **error);
