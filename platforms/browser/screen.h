/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "platforms/browser/xvfb.h"

/*
 * Photographs a virtual display when something on it changed, and only then: the DAMAGE extension
 * tells, MIT-SHM hands the pixels over. Asynchronous: nothing waits for the server. Main thread.
 * Sources: the X protocol's extensions DAMAGE 1.1 and MIT-SHM 1.2.
 */

typedef struct BrowserScreen BrowserScreen;

typedef struct {
    int x, y, width, height;
} BrowserScreenRect;

/** @pixels: (transfer none): rows of B, G, R and an unused byte, without padding; @at_ns:
 *  CLOCK_MONOTONIC, when they were asked for. May free the screen. */
typedef void (*BrowserScreenPicture)(GBytes *pixels, int width, int height, int64_t at_ns,
                                     gpointer user_data);

/** Errors: PLATFORM_ERROR_BROWSER (can't connect; an extension is missing). */
BrowserScreen *browser_screen_new(const BrowserXvfb *xvfb, unsigned fps,
                                  BrowserScreenPicture on_picture, gpointer user_data,
                                  GError **error);
void browser_screen_free(BrowserScreen *screen);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BrowserScreen, browser_screen_free)

/** From now on only @rect, as far as it lies on the display; a picture of it follows. */
void browser_screen_set_rect(BrowserScreen *screen, BrowserScreenRect rect);
