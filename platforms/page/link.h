/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/frame.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

/*
 * The loopback WebSocket that the page's worker dials: docs/page-link.md. It waits for exactly one
 * client, which knows the token; every load of the page gets a new token by page_link_invite.
 * Main thread; events come from the main context, never from inside a call, never after
 * page_link_free, which may be called inside them.
 */

typedef struct PageLink PageLink;

typedef struct {
    void (*on_open)(gpointer user_data);
    /* Track ids are unique over reloads of the page. */
    void (*on_frame)(MediaEncodedFrame *frame, gpointer user_data);
    /* One message of a watched data channel, or a fetched body (@fetch). */
    void (*on_data)(bool fetch, const char *name, GBytes *data, gpointer user_data);
    /* Track messages carry "id", already unique. */
    void (*on_message)(const char *type, JsonObject *message, gpointer user_data);
    /* The client is gone; @error only when it broke the protocol. */
    void (*on_closed)(const GError *error, gpointer user_data);
} PageLinkEvents;

/**
 * page_link_new:
 * @origin: (nullable): what the page's Origin header must be; NULL: any
 *
 * Listens on 127.0.0.1, at a port of the system's choice. Errors: PLATFORM_ERROR_FAILED.
 */
PageLink *page_link_new(const char *origin, const PageLinkEvents *events, gpointer user_data,
                        GError **error);
void page_link_free(PageLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PageLink, page_link_free)

/** What the next invited page's Origin header must be; NULL: any. */
void page_link_set_origin(PageLink *link, const char *origin);

/**
 * page_link_invite:
 *
 * Returns (transfer full) the URL, with a new token, that the next client must dial. An open client
 * is dropped without on_closed, an older URL is no longer good.
 */
char *page_link_invite(PageLink *link);

bool page_link_is_open(PageLink *link);

/** Sends s16 mono samples at 48 kHz. Returns false when the link is down. */
bool page_link_send_speech(PageLink *link, const int16_t *samples, size_t n_samples);

/** Asks for a key frame of @track_id, as frames bear it. False when it is not this document's. */
bool page_link_request_key_frame(PageLink *link, uint32_t track_id);

/** Sends one JSON text message. Returns false when the link is down. */
bool page_link_send_text(PageLink *link, const char *json);
