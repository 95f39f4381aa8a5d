/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/*
 * A virtual X display of our own, for a browser whose window is to be photographed: a free number,
 * no TCP, nobody without the cookie. It ends with its owner, however that ends. Main thread.
 */

typedef struct BrowserXvfb BrowserXvfb;

/** Whether there is a server to be started. */
bool browser_xvfb_is_installed(void);

/**
 * browser_xvfb_new:
 * @folder: for the cookie's file; the owner removes it
 *
 * Blocks until the server is up, at most 5 s (usually 0.1). Errors: PLATFORM_ERROR_BROWSER.
 */
BrowserXvfb *browser_xvfb_new(const char *folder, int width, int height, GError **error);
/** Ends it by its id. Blocks at most 1 s. */
void browser_xvfb_free(BrowserXvfb *xvfb);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BrowserXvfb, browser_xvfb_free)

/** Borrowed: ":7". */
const char *browser_xvfb_get_display(const BrowserXvfb *xvfb);
/** Borrowed: the file for XAUTHORITY. */
const char *browser_xvfb_get_authority(const BrowserXvfb *xvfb);
/** Borrowed: the MIT-MAGIC-COOKIE-1. */
GBytes *browser_xvfb_get_cookie(const BrowserXvfb *xvfb);
