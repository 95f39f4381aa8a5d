/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/*
 * Zoom's links: zoom.us, zoom.com, zoomgov.com and their subdomains (vanity names, events). Pure.
 */

bool zoom_url_is_ours(GUri *uri);

/**
 * zoom_url_canonical:
 *
 * Returns (transfer full) the web client's own link, https://app.zoom.us/wc/ID/join, for a plain
 * meeting; what only its own host knows (a registrant's tk, a personal name, zoom.com, zoomgov.com,
 * events, a web client's link) stays where it is. Of the query pwd and tk are kept, or the link is
 * refused; password becomes pwd. Errors: PLATFORM_ERROR_URL.
 */
char *zoom_url_canonical(GUri *uri, GError **error);

/** (transfer full): the passcode in a canonical @url, or NULL. */
char *zoom_url_passcode(const char *url);

/** (transfer full): the meeting in a canonical @uri, the same for all its links; or NULL. */
char *zoom_url_meeting(GUri *uri);
