/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "platforms/null/document.h"

/*
 * A described meeting, which goes on while no bot is in it: who joins again comes back to the same
 * one. Meetings live as long as the process, found by their URL. Main thread only.
 */

typedef struct NullMeeting NullMeeting;

/** What bots did in it so far; counted by null.c, read by tests. */
typedef struct {
    unsigned n_joins;
    unsigned n_key_frame_requests;
    unsigned n_frames;
    unsigned n_microphone_switches;
    uint64_t n_said_samples; /* while the microphone was open */
    unsigned n_speech_stops;
    unsigned n_pictures; /* shown by the bot */
    GPtrArray *chat;     /* owned strings: what bots wrote */
} NullReport;

/**
 * null_meeting_open:
 * @dir: (nullable): the folder of documents that is allowed; NULL: none is
 * @url: canonical
 *
 * Returns (transfer none) the meeting; its document is read the first time. Errors:
 * PLATFORM_ERROR_URL when it is not allowed or there is none of that name, PLATFORM_ERROR_RULES
 * when the document is wrong.
 */
NullMeeting *null_meeting_open(const char *dir, const char *url, GError **error);

const NullDocument *null_meeting_get_document(NullMeeting *meeting);
NullReport *null_meeting_get_report(NullMeeting *meeting);

/** A bot is let in: the first time this is time zero. Returns the time. */
int64_t null_meeting_admit(NullMeeting *meeting);

/** Since time zero; NULL_NEVER_US before it. */
int64_t null_meeting_time_us(NullMeeting *meeting);

/** The monotonic clock at @time_us since time zero, which must have been. */
int64_t null_meeting_clock_us(NullMeeting *meeting, int64_t time_us);

/** The next @n_joins joins end with @left. */
void null_meeting_refuse_joins(NullMeeting *meeting, PlatformLeft left, unsigned n_joins);
/** A bot joins. True when its join is one of those: it ends with @ret_left. */
bool null_meeting_refuses_join(NullMeeting *meeting, PlatformLeft *ret_left);
