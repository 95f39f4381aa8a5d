/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/frame.h"
#include "platforms/browser/browser.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>

/*
 * A meeting page: a browser whose page has our scripts (tap.js, dom.js, worker.js) and a link to
 * them. The scripts are the same for every platform; what differs is data. Main thread; events
 * come from the main context, never from inside a call, never after page_free, which may be called
 * inside them.
 */

typedef struct Page Page;

typedef struct {
    BrowserOptions *browser; /* (transfer full) */
    Browser
        *ahead; /* (transfer full) (nullable): started ahead with such options, without scripts */
    /* Whether @url is the meeting's page: only such a page gets a link, checked by its origin. */
    bool (*is_home)(const char *url, gpointer user_data);
    const char *const *channels; /* data channels to watch */
    const char *const *fetches;  /* parts of URLs whose bodies to watch */
    /* Nullable, as the rules' "wire": parts of URLs of sockets; channels whose outgoing messages
     * count too (named with a ">" at the end); attributes of session descriptions. */
    const char *const *sockets, *const *sends, *const *attributes;
    bool video;        /* pictures are wanted */
    bool gallery;      /* the page's gallery is to stay as it is */
    bool tap_video;    /* tap them; false: the page itself is photographed */
    unsigned batch_ms; /* frames come in batches of so long; 0: as soon as may be */
    /* The browser decodes no picture of at least so many pixels: a black one stands in; 0: all. */
    unsigned stand_in_px;
    bool classic_audio; /* take createEncodedStreams from the page */
    bool page_sound;   /* hear what the page plays by itself, while no receiver's sound is tapped */
    bool frames;       /* the client may live in a frame of the page's own origin */
    const char *rules; /* JSON for dom.js: {exclude, dialogs, purposes} */
    const char *script; /* nullable: more JavaScript, beside tap.js and dom.js */
} PageConfig;

typedef struct {
    void (*on_ready)(gpointer user_data);
    void (*on_navigated)(const char *url, gpointer user_data);
    void (*on_link)(bool up, gpointer user_data);
    void (*on_frame)(MediaEncodedFrame *frame, gpointer user_data);
    void (*on_data)(bool fetch, const char *name, GBytes *data, gpointer user_data);
    void (*on_message)(const char *type, JsonObject *message, gpointer user_data);
    void (*on_lost)(BrowserLost lost, const char *message, gpointer user_data);
} PageEvents;

/** Starts the browser. Errors: PLATFORM_ERROR_BROWSER, PLATFORM_ERROR_FAILED. */
Page *page_new(const PageConfig *config, const PageEvents *events, gpointer user_data,
               GError **error);
/** Blocks at most 3 s. */
void page_free(Page *page);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Page, page_free)

/** Borrowed. */
Browser *page_get_browser(Page *page);

/** Both return false when the link is down. */
bool page_speak(Page *page, const int16_t *samples, size_t n_samples);
bool page_stop_speaking(Page *page);

/** Asks the sender of @track_id's pictures for a key frame, once a second at most. False when there
 * is no such track, or the link is down. */
bool page_request_key_frame(Page *page, uint32_t track_id);

/**
 * page_screenshot:
 *
 * As browser_screenshot, with the pictures that are otherwise not drawn.
 */
void page_screenshot(Page *page, const char *path, BrowserValue reply, gpointer user_data);
