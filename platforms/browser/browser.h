/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "platforms/browser/options.h"
#include "platforms/browser/pictures.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>

/*
 * One Chromium with one page that we drive. Every call is bounded in time and answers from the
 * main context; nothing here blocks but browser_free. Created, used and freed on the main thread.
 * Nothing is emulated, overridden or hidden: the page sees the browser as it is (also when a part
 * of it is photographed enlarged, which only the compositor knows).
 */

typedef struct Browser Browser;

typedef enum {
    BROWSER_LOST_PROCESS, /* it ended, its pipe broke, or it never answered */
    BROWSER_LOST_PAGE,    /* the page crashed or was closed */
} BrowserLost;

typedef struct {
    /* The page exists, blank, with every script in place: navigate. */
    void (*on_ready)(gpointer user_data);
    /* A document of the page's main frame was committed; scripts of the start have run in it. */
    void (*on_navigated)(const char *url, gpointer user_data);
    /* Once, last; also when the start failed. */
    void (*on_lost)(BrowserLost lost, const char *message, gpointer user_data);
} BrowserEvents;

/**
 * browser_new:
 * @options: (transfer full)
 * @scripts: (nullable): run in every document before its own scripts; copied
 *
 * Starts Chromium; on_ready or on_lost follow. Folders that dead workers left are removed first.
 * Errors: PLATFORM_ERROR_BROWSER (no executable, or it refuses to run this way).
 */
Browser *browser_new(BrowserOptions *options, const char *const *scripts,
                     const BrowserEvents *events, gpointer user_data, GError **error);

/**
 * browser_adopt:
 * @scripts: (nullable): as in browser_new
 *
 * A browser that was started ahead, without scripts, gets its user: from now on @events are told,
 * and on_ready or on_lost follow as after browser_new. Cookies are read once more. Not for one
 * that is lost.
 */
void browser_adopt(Browser *browser, const char *const *scripts, const BrowserEvents *events,
                   gpointer user_data);

/** Its process ended, its page crashed, or this is about to be told. */
bool browser_is_lost(Browser *browser);

/** Borrowed. */
const BrowserOptions *browser_get_options(Browser *browser);

/**
 * Ends Chromium by its process id and removes its temporary profile; pending calls get no reply.
 * A profile of the user's own is first given 1 s to be written. Blocks at most 3 s. May be called
 * inside any callback.
 */
void browser_free(Browser *browser);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Browser, browser_free)

/** @value: (nullable) (transfer none): what a call returned; NULL on error. At most once a call. */
typedef void (*BrowserValue)(JsonNode *value, const GError *error, gpointer user_data);

/** Errors: PLATFORM_ERROR_PROTOCOL with the browser's words, "net::ERR_NAME_NOT_RESOLVED". */
void browser_navigate(Browser *browser, const char *url, unsigned timeout_ms, BrowserValue reply,
                      gpointer user_data);

/**
 * browser_evaluate:
 *
 * The value of @expression in the page, by value; a promise is waited for. The page is interrupted
 * after @timeout_ms, and an answer is given up a second later, so a frozen page costs a
 * PLATFORM_ERROR_TIMEOUT. PLATFORM_ERROR_PROTOCOL: the expression threw.
 */
void browser_evaluate(Browser *browser, const char *expression, unsigned timeout_ms,
                      BrowserValue reply, gpointer user_data);

/**
 * browser_type:
 *
 * Types @text, UTF-8, into what has the focus: a key down and up for each character. The value is
 * JSON null.
 */
void browser_type(Browser *browser, const char *text, unsigned timeout_ms, BrowserValue reply,
                  gpointer user_data);

/** Writes what the page shows to @path, as PNG; the value is JSON null. */
void browser_screenshot(Browser *browser, const char *path, unsigned timeout_ms, BrowserValue reply,
                        gpointer user_data);

/**
 * browser_start_pictures:
 *
 * The page's pictures as it changes, until browser_free; call once. From the window when the
 * options gave it a display of its own, else from the compositor. Errors: PLATFORM_ERROR_BROWSER.
 */
bool browser_start_pictures(Browser *browser, const BrowserPicturesConfig *config, GError **error);

/** What of the page they show. */
void browser_set_stage(Browser *browser, const BrowserStage *stage);

/** Interrupts what the page's main thread runs; a frozen page lives again. No reply. */
void browser_interrupt(Browser *browser);

/** 0 once it ended. */
int browser_get_pid(Browser *browser);
