// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/meeting/scenario.h"

/*
 * What a person says, encoded ahead: runs of 20 ms Opus packets. Immutable once made, so any
 * thread may read it. The encoder's look-ahead is taken out: the packet with meeting time T
 * decodes to the sound at T, to the sample. Each run begins one packet early, in silence, so
 * that the decoder has settled when the sound starts.
 */

#define MEETING_PACKET_US 20000
#define MEETING_PACKET_SAMPLES 960

/* Who contributes to one packet of a mix. */
typedef struct {
    guint8 n;
    guint32 ids[15];
} MeetingSpeakers;

typedef struct {
    gint64 start_us;     /* meeting time of the first packet, a whole number of samples */
    GPtrArray *packets;  /* owned, of GBytes */
    GByteArray *levels;  /* owned: RFC 6464 level of each packet, 0 (loud) to 127 */
    gint64 sound_us;     /* meeting time of the sound's first sample */
    gint64 sound_end_us; /* and just after its last */
    GArray *speakers;    /* owned, of MeetingSpeakers, one a packet; NULL: not a mix */
    GArray *segments;    /* owned, of gint64 pairs: stretches of energy, meeting time in us */
} MeetingRun;

/**
 * meeting_run_encode:
 * @sound: (element-type gint16): 48 kHz mono, whose first sample is heard at @at_us, which lies on
 *   the sample grid
 *
 * Errors: MEETING_ERROR_MEDIA. Returns (transfer full): free with meeting_run_free().
 */
MeetingRun *meeting_run_encode(GArray *sound, gint64 at_us, GError **error);
void meeting_run_free(MeetingRun *run);

/* Returns (transfer full): array of MeetingRun*, sorted by start, overlaps within one person
 * refused. Errors: MEETING_ERROR_MEDIA. */
GPtrArray *meeting_speech_encode(const MeetingPerson *person, double duration_s, GError **error);
