/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "streaming/client.h"
#include "streaming/speech_buffer.h"

#include <libwebsockets.h>

/* Five seconds of 20 ms frames: more only makes a slow consumer later. */
#define STREAMING_MAX_QUEUED_MS 5000
/* A program may hand over a whole answer at once. */
#define STREAMING_MAX_SPEECH_S 180
#define STREAMING_MAX_TEXT_BYTES 512
/* Attendee's clients send speech as text: 16 s of it in a message. */
#define STREAMING_MAX_ATTENDEE_BYTES (1u << 20)
/* Of all that waits for one consumer, whatever it is: a page may make up any number of voices. */
#define STREAMING_MAX_QUEUED_BYTES (64u << 20)

/* One socket; the service thread's, except what stands under the client's lock. */
typedef struct {
    StreamingClient *client; /* borrowed */
    StreamingSocket socket;
    char *url;     /* owned */
    char *address; /* owned */
    char *path;    /* owned: with the query */
    char *host;    /* owned: the Host header */
    guint16 port;
    bool tls;
    struct lws_vhost *vhost; /* borrowed from the context */
    struct lws *wsi;         /* borrowed from libwebsockets; NULL while away */
    bool connected;
    bool dialling; /* and nothing is known yet */
    bool handshake_due;
    lws_sorted_usec_list_t sul; /* the next try */
    guint n_failures;           /* in a row */
    GString *text;              /* owned: a text message on its way in; cut at the bound */
    char *close_reason;         /* owned: as the peer gave it; NULL */
    GByteArray *scratch; /* owned: what is being written, which libwebsockets masks in place */

    /* --- protected by the client's lock --- */
    bool open;    /* connected, as pushers see it */
    GQueue audio; /* owned StreamingMessage */
    gsize queued_samples, queued_bytes;
    uint64_t n_away;     /* frames since it went away */
    char *speakers;      /* owned: to be sent; NULL: nothing new */
    char *last_speakers; /* owned: for the next reconnect */
} StreamingEndpoint;

/* What the service thread has to tell the main thread. */
typedef struct {
    enum { STREAMING_NOTE_CONNECTION, STREAMING_NOTE_SPEECH, STREAMING_NOTE_FLUSH } kind;
    const char *url; /* borrowed from the endpoint */
    bool connected;
    char *reason; /* owned */
} StreamingNote;

struct StreamingClient {
    char *bot_id; /* owned */
    uint32_t rate_hz;
    JsonObject *headers; /* owned; NULL: none */
    char *authorization; /* owned: the header's value; NULL: none */
    StreamingFormat format;
    bool per_participant;
    uint16_t replay_s;
    StreamingEvents events;
    gpointer user_data;
    StreamingEndpoint endpoints[STREAMING_MAX_SOCKETS];
    guint n_endpoints;
    struct lws_context *context; /* owned */
    GThread *thread;             /* owned */
    GSource *mailbox;            /* owned */
    gint stopping;               /* atomic */

    GMutex lock;
    /* --- protected by lock --- */
    GQueue notes; /* owned StreamingNote */
    bool speech_noted;
    uint64_t next_sample;
    StreamingSpeechBuffer *speech; /* owned */
    StreamingStats stats;
    GQueue recent; /* owned StreamingMessage: the last replay_s */
    gsize recent_samples, recent_bytes;
    GHashTable *uuids; /* participant -> owned string */
    uint64_t n_dropped_untold, n_speech_untold;
    int64_t dropped_told_us;
};

/** The one libwebsockets protocol; its callback runs on the service thread. */
extern const struct lws_protocols streaming_protocols[];

/** Dial @endpoint in @wait_ms. Thread: service, or before it runs. */
void streaming_endpoint_schedule(StreamingEndpoint *endpoint, guint wait_ms);

/** Everything for @endpoint goes; counted as dropped. Thread: any, under the client's lock. */
void streaming_endpoint_clear(StreamingEndpoint *endpoint);

/** Queue @message (a reference is taken), dropping the oldest. Thread: any, under the lock. */
void streaming_endpoint_queue(StreamingEndpoint *endpoint, StreamingMessage *message);

/** Queue @note (transfer full) for the main thread. Thread: any. */
void streaming_client_tell(StreamingClient *client, const StreamingNote *note);
