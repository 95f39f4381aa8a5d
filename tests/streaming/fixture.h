/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "streaming/client.h"
#include "tests/streaming/peer.h"

/* What the tests of the live sockets share: a client, what it told, and frames whose samples say
 * where in the stream they stand. */

#define RATE 16000
#define FRAME 320 /* 20 ms */

typedef struct {
    guint n_connected, n_lost, n_speech, n_flush;
    uint64_t n_dropped, n_speech_dropped;
    char *reason; /* owned: of the last loss */
} Seen;

void seen_clear(Seen *seen);

/** Dials with the header X-Test. */
StreamingClient *dial(const char *input, const char *output, Seen *seen);

/** Dials as @config says; its bot_id and rate_hz are filled in. */
StreamingClient *dial_with(StreamingConfig *config, Seen *seen);

/** The @number-th frame of the mix: every sample is its own stream time. */
void push_frame(StreamingClient *client, guint number);
void push_frames(StreamingClient *client, guint from, guint to);

void assert_handshake(const char *text, double offset);

/** The audio from @from_byte on is the stream from @first_sample on. */
void assert_audio(StreamingPeer *peer, gsize from_byte, guint first_sample);

/** The last sample that came is the last of frame @number. */
bool ends_with(StreamingPeer *peer, guint number);
