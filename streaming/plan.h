/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * Which sockets are opened for a configuration's two URLs, and what each is for. Pure.
 *
 *   input | output | directions | sockets
 *   ------+--------+------------+------------------------------------------------------------
 *   a     | -      | any        | a: both ways
 *   -     | b      | any        | b: both ways
 *   a     | a      | any        | a: both ways, one socket
 *   a     | b      | guide      | a: receives the meeting; b: supplies speech
 *   a     | b      | service    | a: supplies speech; b: receives the meeting
 */

typedef struct {
    const char *url;   /* borrowed from the arguments */
    bool gets_meeting; /* handshake, PCM and speaker messages are sent on it */
    bool gives_speech; /* what it sends is spoken */
} StreamingSocket;

#define STREAMING_MAX_SOCKETS 2

/** Fills @ret_sockets; returns how many (0 to 2). NULL URLs are absent ones. */
guint streaming_plan(const char *input, const char *output, bool service_directions,
                     StreamingSocket ret_sockets[STREAMING_MAX_SOCKETS]);
