/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <libsoup/soup.h>
#include <stdbool.h>

/*
 * A real WebSocket consumer on loopback: libsoup's server, on the test's own main context. It
 * writes down what it gets, and can go away and come back on the same port.
 */

typedef struct {
    SoupServer *server;
    guint port;
    GPtrArray *connections; /* owned SoupWebsocketConnection, open ones */
    GPtrArray *texts;       /* owned strings, in order */
    GByteArray *audio;      /* every binary message, joined */
    GArray *audio_lengths;  /* guint */
    guint n_connects;
    char *last_header; /* X-Test of the last handshake */
    char *last_authorization;
    char *last_path;
    GTlsCertificate *certificate; /* owned; NULL: no TLS */
    guint refuse;                 /* answer that many handshakes with 403 */
    guint n_refused;
} StreamingPeer;

void streaming_peer_init(StreamingPeer *peer);
/** With TLS; takes @certificate. */
void streaming_peer_init_tls(StreamingPeer *peer, GTlsCertificate *certificate);
void streaming_peer_clear(StreamingPeer *peer);

/** (transfer full): ws://127.0.0.1:PORT@path */
char *streaming_peer_url(StreamingPeer *peer, const char *path);

/** Close what is open and stop listening. */
void streaming_peer_go_away(StreamingPeer *peer);
/** Listen again on the same port. */
void streaming_peer_come_back(StreamingPeer *peer);

void streaming_peer_send(StreamingPeer *peer, const void *data, gsize length, bool text);

/** Close what is open with @code and @text, and go on listening. */
void streaming_peer_close(StreamingPeer *peer, gushort code, const char *text);

/** Iterate the main context until @condition is true; the test's timeout is the bound. */
#define STREAMING_WAIT(condition)                                                                  \
    do {                                                                                           \
        while (!(condition)) {                                                                     \
            g_main_context_iteration(NULL, TRUE);                                                  \
        }                                                                                          \
    } while (0)
