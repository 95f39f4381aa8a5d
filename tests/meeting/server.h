// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/meeting/meeting.h"

/*
 * The web front of a test meeting: Google Meet's URL over TLS on loopback, its page with the
 * headers that the real one sends, the sync call, and the page's signalling socket.
 *
 * Thread: main.
 */

#define MEETING_CODE "abc-defg-hij"

typedef struct MeetingServer MeetingServer;

/* @port: 0 takes a free one. Errors: MEETING_ERROR_NETWORK and GIO's. */
MeetingServer *meeting_server_new(Meeting *meeting, guint port, GError **error);
void meeting_server_free(MeetingServer *server);

/* The line for people and workers: URL and browser settings. (transfer full) */
char *meeting_server_describe(MeetingServer *server);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(MeetingServer, meeting_server_free)
