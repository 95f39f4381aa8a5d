/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "platforms/browser/pipe.h"

/*
 * Pictures of the page as it changes: the browser's own compositor tells when there is a new one,
 * so a still page costs nothing. At most so many a second: the browser makes the next when the one
 * before was acknowledged, and that is what paces it. Main thread.
 */

typedef struct BrowserScreencast BrowserScreencast;

/** @jpeg: (transfer none); @at_ns: CLOCK_MONOTONIC, when the browser had drawn it. */
typedef void (*BrowserScreencastPicture)(GBytes *jpeg, int64_t at_ns, gpointer user_data);

typedef struct {
    int width, height; /* pictures are no larger; the page's shape is kept */
    unsigned fps;
    BrowserScreencastPicture on_picture;
    gpointer user_data;
} BrowserScreencastConfig;

/** @pipe: borrowed for its life, as is what @session names. */
BrowserScreencast *browser_screencast_new(BrowserPipe *pipe, const char *session,
                                          const BrowserScreencastConfig *config);

/** Tells the browser to stop; no picture follows. */
void browser_screencast_free(BrowserScreencast *screencast);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BrowserScreencast, browser_screencast_free)

/** A "Page.screencastFrame" event of the session; the callback may free the screencast. */
void browser_screencast_take(BrowserScreencast *screencast, JsonObject *params);
