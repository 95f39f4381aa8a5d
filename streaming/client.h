/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "streaming/message.h"
#include "streaming/plan.h"
#include "streaming/speakers.h"

#include <json-glib/json-glib.h>

/*
 * The bot's side of the live sockets (docs/streaming.md): dials the consumer's WebSockets, keeps
 * them dialled with back-off, sends the handshake, PCM and speaker messages on the one that gets
 * the meeting, and collects speech from the one that gives it.
 *
 * Owns one service thread, the only one that touches libwebsockets. Everything that is queued is
 * bounded: a slow or absent consumer costs itself audio, never the recording. Create and free on
 * the main thread; events come on its main context, never from inside a call, never after free.
 */

typedef struct StreamingClient StreamingClient;

typedef enum {
    STREAMING_ERROR_FAILED,
    STREAMING_ERROR_URL,
} StreamingError;

#define STREAMING_ERROR streaming_error_quark()
GQuark streaming_error_quark(void);

typedef struct {
    const char *bot_id;
    const char *input;  /* NULL: none */
    const char *output; /* NULL: none */
    bool service_directions;
    uint32_t rate_hz;
    JsonObject *headers; /* (nullable): extra headers of the handshake, strings */
    const char *token;   /* (nullable): sent as Authorization: Bearer */
    StreamingFormat format;
    bool per_participant; /* blocks that are not the mix will be pushed too */
    uint16_t replay_s;    /* how much of the stream's end a reconnect sends again */
} StreamingConfig;

typedef struct {
    uint64_t n_frames_sent;    /* messages of audio */
    uint64_t n_frames_dropped; /* while away, or because the consumer was slow */
    uint64_t n_frames_replayed;
    uint64_t n_speech_dropped; /* samples of speech above the buffer's bound */
    guint n_connects;
} StreamingStats;

typedef struct {
    /* @reason: why, for people; NULL when connected */
    void (*on_connection)(const char *url, bool connected, const char *reason, gpointer user_data);
    /* Speech is waiting: streaming_client_pop_speech. */
    void (*on_speech)(gpointer user_data);
    /* The program interrupts: {"type":"flush"}; what waited is already gone. */
    void (*on_flush)(gpointer user_data);
    /* @n_frames of the oldest audio went, since the consumer is slow or was away; @n_speech samples
     * of speech did not fit. At most once a second. */
    void (*on_dropped)(uint64_t n_frames, uint64_t n_speech, gpointer user_data);
} StreamingEvents;

/**
 * streaming_client_new:
 *
 * Dials at once. Errors: STREAMING_ERROR_URL (a URL that can't be dialled), _FAILED (no context).
 */
StreamingClient *streaming_client_new(const StreamingConfig *config, const StreamingEvents *events,
                                      gpointer user_data, GError **error);

/** Sends what is queued for at most 200 ms, closes with code 1000, joins the thread. */
void streaming_client_free(StreamingClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StreamingClient, streaming_client_free)

/** Queue one block. Never blocks. Thread: any. */
void streaming_client_push(StreamingClient *client, const StreamingBlock *block);

/** Attendee's participant_uuid of @participant_id; without it the number is used. Thread: any. */
void streaming_client_name_participant(StreamingClient *client, uint32_t participant_id,
                                       const char *uuid);

/**
 * streaming_client_set_speakers:
 *
 * Queue the speaker state; one that still waits is replaced. Kept for the next reconnect, whose
 * first message after the handshake it is. Call only once admitted. Thread: any.
 */
void streaming_client_set_speakers(StreamingClient *client, const StreamingSpeaker *speakers,
                                   gsize n_speakers, int64_t time_unix_ms);

/** Take up to @max_samples of speech of one rate. Returns how many. Thread: any. */
gsize streaming_client_pop_speech(StreamingClient *client, int16_t *ret_samples, gsize max_samples,
                                  uint32_t *ret_rate_hz);

/** Drop the speech that waits (stop_speaking). Thread: any. */
void streaming_client_flush_speech(StreamingClient *client);

void streaming_client_get_stats(StreamingClient *client, StreamingStats *ret_stats);
