// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/meeting/meeting.h"

#include <libsoup/soup.h>

/*
 * Zoom's own ways through its pages: the link in an invitation, the page that offers an app, the
 * web client, alone or in a frame, and the page that there is while the host has not started.
 */

/**
 * meeting_zoom_page:
 * @query: (nullable)
 * @client: what the web client shows
 * @first_us: in and out: monotonic time of the first look at the web client; 0: none yet
 *
 * Returns (transfer full): what the page at @path is ("normal", "launcher-ID", "shell"…), or NULL
 * when there is none.
 */
char *meeting_zoom_page(Meeting *meeting, const char *path, GHashTable *query, const char *client,
                        gint64 *first_us);

/* Fills in what only Zoom's page has. */
void meeting_zoom_fill_in(const MeetingScenario *scenario, const char *variant, GString *html);

/* (transfer full): the link as people are invited with. */
char *meeting_zoom_url(const MeetingScenario *scenario);
