/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "platforms/meet/collections.h"
#include "platforms/platform.h"

/*
 * Who is in the meeting and what they send, from the collections' users and outputs and the page's
 * tracks, which come in any order. Reports only what changed. No I/O. Its events may drop the last
 * reference to whoever owns it only if that owner outlives the call.
 */

typedef struct MeetRoster MeetRoster;

typedef struct {
    void (*on_participant)(PlatformParticipantOp op, const PlatformParticipant *participant,
                           gpointer user_data);
    void (*on_source)(const PlatformSource *source, gpointer user_data);
} MeetRosterEvents;

MeetRoster *meet_roster_new(const MeetRosterEvents *events, gpointer user_data);
void meet_roster_free(MeetRoster *roster);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MeetRoster, meet_roster_free)

void meet_roster_user(MeetRoster *roster, const MeetUser *user);
void meet_roster_output(MeetRoster *roster, const MeetOutput *output);

/** Between these two, everybody who is there is told; whoever was not has left. */
void meet_roster_begin_sync(MeetRoster *roster);
void meet_roster_end_sync(MeetRoster *roster);

/** A video track and the ids of its streams (nullable array). */
void meet_roster_track(MeetRoster *roster, uint32_t track_id, JsonArray *streams);
void meet_roster_track_ended(MeetRoster *roster, uint32_t track_id);

/** Borrowed, or NULL: the participant's name, for whom a device speaks (a share's owner). */
const char *meet_roster_name(MeetRoster *roster, const char *device);

/**
 * meet_roster_voice:
 * @ret_source: (out): the contributing source of their sound, or one of our own making where the
 *   wire names none
 *
 * False when @device is nobody who is here, or the bot.
 */
bool meet_roster_voice(MeetRoster *roster, const char *device, uint32_t *ret_source);

bool meet_roster_is_self(MeetRoster *roster, const char *device);
unsigned meet_roster_n_present(MeetRoster *roster);
