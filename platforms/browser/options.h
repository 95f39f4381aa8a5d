/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

/*
 * The configuration's "browser" object as Chromium's command line. Plain data, owned strings.
 */
typedef struct {
    char *executable;              /* owned */
    char **args;                   /* owned, may be NULL: appended last */
    char *profile_dir;             /* owned, or NULL: a temporary one */
    char *cookies_file;            /* owned, or NULL */
    char *host_rules;              /* owned, or NULL */
    char *trusted_spki;            /* owned, or NULL */
    char *address_space_overrides; /* owned, or NULL */
    bool sandbox;
    bool headless;
    bool signed_in;   /* the profile or the cookies are a signed-in account's */
    bool own_display; /* a window that fills a virtual display of our own, to be photographed */
    int window_width, window_height; /* of the page, where there is a choice */
} BrowserOptions;

/**
 * browser_options_new:
 * @json: (nullable): "browser" of the configuration; host_rules, trusted_spki and
 *   address_space_overrides are a string or an array of strings (joined by commas)
 *
 * Errors: PLATFORM_ERROR_BROWSER naming the JSON path of a wrong value or unknown key.
 */
BrowserOptions *browser_options_new(JsonObject *json, GError **error);
void browser_options_free(BrowserOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BrowserOptions, browser_options_free)

/** Whether a browser started with @a is one that @b would have started. */
bool browser_options_equal(const BrowserOptions *a, const BrowserOptions *b);

/** (transfer full): the command line for a profile in @profile_dir. */
char **browser_options_to_argv(const BrowserOptions *options, const char *profile_dir);

/** (transfer full): an ordinary window for a person, at @url, that leaves in @profile_dir what a
 * bot's browser can read later: no DevTools, no script, nothing automatic. */
char **browser_options_to_login_argv(const BrowserOptions *options, const char *profile_dir,
                                     const char *url);

/**
 * browser_options_read_cookies:
 *
 * Returns (transfer full) (nullable) a floating a{sv} for Storage.setCookies, NULL without error
 * when there is no cookies_file. The file holds an array of objects with DevTools' names (name,
 * value, domain, path, expires, secure, httpOnly, sameSite), as browsers' exports do.
 * Errors: PLATFORM_ERROR_BROWSER.
 */
GVariant *browser_options_read_cookies(const BrowserOptions *options, GError **error);
