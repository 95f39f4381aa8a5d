/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The messages of the live sockets (docs/streaming.md), made and read. Pure.
 */

typedef enum {
    STREAMING_FORMAT_RAW,      /* binary PCM; framed once there is one stream a participant */
    STREAMING_FORMAT_ATTENDEE, /* Attendee's realtime_audio JSON */
} StreamingFormat;

/* A block of PCM on its way out. */
typedef struct {
    const int16_t *samples; /* borrowed, host order */
    gsize n_samples;
    uint64_t first_sample;   /* stream time of the first, counted from admission */
    int64_t capture_unix_us; /* when the first was said, as well as is known */
    bool is_mix;
    uint32_t participant_id; /* of one person's block; 0: nobody was named for it yet */
    uint32_t source;         /* of one person's block: the meeting's own number for the voice */
} StreamingBlock;

/* One message to send; reference counted, never changed. */
typedef struct {
    gatomicrefcount ref_count;
    bool text;
    uint64_t first_sample;
    gsize n_samples; /* of the mix; 0: does not advance the stream */
    gsize length;
    guint8 data[];
} StreamingMessage;

StreamingMessage *streaming_message_ref(StreamingMessage *message);
void streaming_message_unref(StreamingMessage *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StreamingMessage, streaming_message_unref)

/** "STA1", kind, 3 zeros, participant, source, first sample, capture time; little-endian. */
#define STREAMING_FRAME_HEADER_BYTES 32
#define STREAMING_FRAME_MIX 0
#define STREAMING_FRAME_PARTICIPANT 1

/** s16le without a header. Returns (transfer full). */
StreamingMessage *streaming_message_pcm(const StreamingBlock *block);

/** s16le behind a header of STREAMING_FRAME_HEADER_BYTES. Returns (transfer full). */
StreamingMessage *streaming_message_framed(const StreamingBlock *block);

/**
 * streaming_message_attendee:
 * @participant_uuid: whose, for a block that is not the mix
 * @now_unix_ms: Attendee's timestamp is when the message is built
 *
 * {"trigger":"realtime_audio.mixed" or ".per_participant",…}. Returns (transfer full).
 */
StreamingMessage *streaming_message_attendee(const StreamingBlock *block, const char *bot_id,
                                             const char *participant_uuid, uint32_t rate_hz,
                                             int64_t now_unix_ms);

typedef enum {
    STREAMING_TEXT_OTHER,
    STREAMING_TEXT_FLUSH,      /* {"type":"flush"} */
    STREAMING_TEXT_BOT_OUTPUT, /* Attendee's realtime_audio.bot_output */
} StreamingTextKind;

/**
 * streaming_text_read:
 * @text: what a peer sent; anything
 * @ret_pcm: (out) (transfer full): s16le of a bot_output, at most as long as the text
 * @ret_rate_hz: (out): its rate, 8000 to 48000
 */
StreamingTextKind streaming_text_read(const char *text, gsize length, GBytes **ret_pcm,
                                      uint32_t *ret_rate_hz);
