/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>

/*
 * Which rules of a platform match a page, for whoever mends them: `steno-worker check-page`. The
 * page is only looked at: nothing is clicked, typed or joined.
 */

typedef struct {
    const char *target;   /* URL of a meeting, or path of a saved page */
    const char *platform; /* whose rules; NULL: of the URL */
    JsonObject *browser;  /* the configuration's "browser" part; or NULL */
    unsigned settle_s;    /* how long the page may take to show what it has */
} PlatformCheck;

/**
 * platform_check_page:
 * @ret_table: (out) (transfer full): a line for each candidate of each purpose: what it matched, or
 * "-"
 *
 * Runs the default main context until the page was read. Errors: PLATFORM_ERROR_URL, _RULES,
 * _BROWSER, _TIMEOUT, _PROTOCOL.
 */
bool platform_check_page(const PlatformCheck *check, char **ret_table, GError **error);
