/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

/*
 * The DevTools protocol over two pipe ends: JSON messages ended by NUL, calls matched to replies
 * by id. Non-blocking, driven by the main context that it was made on; used on that thread only.
 * Source: https://chromedevtools.github.io/devtools-protocol/ ("--remote-debugging-pipe").
 */

typedef struct BrowserPipe BrowserPipe;

/**
 * BrowserReply:
 * @result: (nullable) (transfer none): the call's result; NULL on error
 * @error: (nullable): PLATFORM_ERROR_TIMEOUT, _PROTOCOL (the browser refused the call; its words
 *   are the message) or _BROWSER (the pipe is gone)
 *
 * Called exactly once a call, never from inside browser_pipe_call; not at all after
 * browser_pipe_free. May free the pipe.
 */
typedef void (*BrowserReply)(JsonObject *result, const GError *error, gpointer user_data);

typedef struct {
    /* @session is "" for the browser itself. */
    void (*on_event)(const char *session, const char *method, JsonObject *params,
                     gpointer user_data);
    /* Once, after every pending call has failed; nothing follows. */
    void (*on_closed)(const GError *error, gpointer user_data);
} BrowserPipeEvents;

/**
 * browser_pipe_new:
 * @read_fd: (transfer full)
 * @write_fd: (transfer full)
 * @events: copied
 */
BrowserPipe *browser_pipe_new(int read_fd, int write_fd, const BrowserPipeEvents *events,
                              gpointer user_data);

/** Closes both ends; pending calls get no reply. May be called inside any of its callbacks. */
void browser_pipe_free(BrowserPipe *pipe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BrowserPipe, browser_pipe_free)

/**
 * browser_pipe_call:
 * @session: (nullable): NULL or "" addresses the browser
 * @params: (nullable): floating, of type a{sv}; consumed
 * @reply: (nullable)
 *
 * Sends one call. Messages of 16 MiB and more are refused (the pipe breaks at about 100 MB and
 * leaves an unreachable browser), as is a queue that the browser does not read.
 */
void browser_pipe_call(BrowserPipe *pipe, const char *session, const char *method, GVariant *params,
                       unsigned timeout_ms, BrowserReply reply, gpointer user_data);
