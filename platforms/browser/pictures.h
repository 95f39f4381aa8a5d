/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "platforms/browser/pipe.h"
#include "platforms/browser/xvfb.h"

/*
 * The page's pictures, as it changes, of the part that is its stage: from the display that the
 * browser's window is on (screen.h), or without one from the browser's own compositor
 * (screencast.h), which costs several times as much. Main thread.
 */

typedef struct BrowserPictures BrowserPictures;

typedef struct {
    GBytes *data;      /* borrowed: JPEG, or rows of B, G, R and an unused byte without padding */
    bool jpeg;         /* which of them */
    int width, height; /* of pixels; JPEG tells its own */
    int64_t at_ns;     /* CLOCK_MONOTONIC: when it was drawn */
} BrowserPicture;

typedef struct {
    int width, height; /* a compressed picture is no larger */
    unsigned fps;      /* at most */
    void (*on_picture)(const BrowserPicture *picture, gpointer user_data);
    gpointer user_data;
} BrowserPicturesConfig;

/** Where the stage is, in the page's own units; @frame_height: of the window above the page. */
typedef struct {
    double x, y, width, height;
    double window_width, window_height, frame_height;
} BrowserStage;

/**
 * browser_pictures_new:
 * @pipe: borrowed for its life, as what @session names and @xvfb
 * @xvfb: (nullable)
 *
 * Errors: PLATFORM_ERROR_BROWSER; never without @xvfb.
 */
BrowserPictures *browser_pictures_new(BrowserPipe *pipe, const char *session,
                                      const BrowserXvfb *xvfb, const BrowserPicturesConfig *config,
                                      GError **error);
void browser_pictures_free(BrowserPictures *pictures);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BrowserPictures, browser_pictures_free)

/** From now on pictures show @stage; what is already so costs nothing. */
void browser_pictures_set_stage(BrowserPictures *pictures, const BrowserStage *stage);

/** A "Page.screencastFrame" event of the session. */
void browser_pictures_take(BrowserPictures *pictures, JsonObject *params);
