// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/meeting/clip.h"
#include "tests/meeting/peer.h"
#include "tests/meeting/speech.h"

/*
 * Sends the meeting to one bot: a thread that makes RTP packets out of clips and speech at their
 * times on the meeting's clock. The packet that holds the sound or picture of meeting time T
 * leaves at T. Whoever speaks gets one of the audio streams for as long as the stretch lasts, as
 * an SFU recycles its receivers; sequence numbers and timestamps of a stream are continuous.
 * Loss and jitter come in here, after packetizing; packets asked for by NACK are sent again.
 *
 * Thread: any; everything is under one lock, and nothing is pushed while it is held.
 */

typedef struct MeetingSender MeetingSender;

/* The media of one person; immutable while a sender uses it. */
typedef struct {
    const MeetingPerson *person; /* borrowed; NULL: a mix of everybody */
    guint32 csrc;
    GPtrArray *runs;     /* borrowed, of MeetingRun */
    MeetingClip *camera; /* borrowed, or NULL */
    GPtrArray *screens;  /* borrowed, of MeetingClip, as person->screens */
} MeetingSource;

/* What one person's picture got through one stream, for the report. */
typedef struct {
    const MeetingPerson *person;
    bool screen;
    guint stream;
    guint fps, loop, first_counter, last_counter, n_frames;
    gint64 first_us, last_us; /* meeting time of the first and last picture */
} MeetingSpan;

/* What one person said through one stream. */
typedef struct {
    const MeetingPerson *person;
    guint stream;
    guint n_packets;
    gint64 start_us, end_us; /* meeting time of the packets */
} MeetingSaid;

typedef struct {
    MeetingSectionKind kind;
    guint32 ssrc;
    guint64 n_packets, n_lost, n_resent, n_nacked;
    gint64 late_us; /* the largest lateness of a picture or sound packet */
    GArray *pli_us; /* gint64, meeting time */
    GArray *fir_us;
} MeetingStreamStats;

/**
 * meeting_sender_new:
 * @sources: (element-type MeetingSource): borrowed; outlives the sender
 */
MeetingSender *meeting_sender_new(const MeetingScenario *scenario, GPtrArray *sources);
/* Ends the thread. Pads must be inactive or the peer gone, so that no push can wait. */
void meeting_sender_free(MeetingSender *sender);

/* Sets meeting time zero on the monotonic clock; nothing is sent before. */
void meeting_sender_set_zero(MeetingSender *sender, gint64 zero_us);

/* Adds a stream that is not open yet. Returns its index. */
guint meeting_sender_add_stream(MeetingSender *sender, MeetingSectionKind kind, guint32 ssrc);

/* Opens a stream: packets go to @pad, stamped with the peer's running time. A reconnected bot's
 * stream is opened anew. */
void meeting_sender_open(MeetingSender *sender, guint stream, GstPad *pad,
                         const MeetingPayloadTypes *types, gint64 base_time_ns);

/* Stops all streams until they are opened again. */
void meeting_sender_close_all(MeetingSender *sender);

/* Whose picture a video stream carries from its next key frame on; NULL: none. */
void meeting_sender_show(MeetingSender *sender, guint stream, const MeetingSource *source,
                         int screen);

void meeting_sender_feedback(MeetingSender *sender, guint32 ssrc, MeetingFeedback what,
                             guint16 seq);

/* A packet of the bot's microphone: whoever is an echo says it back at once, on the stream it keeps
 * from then on. Nothing happens when nobody is. */
void meeting_sender_echo(MeetingSender *sender, GstBuffer *packet);

/* For the report, after the last packet. (transfer none) */
GArray *meeting_sender_spans(MeetingSender *sender);    /* of MeetingSpan */
GArray *meeting_sender_said(MeetingSender *sender);     /* of MeetingSaid */
GPtrArray *meeting_sender_stats(MeetingSender *sender); /* of MeetingStreamStats */
