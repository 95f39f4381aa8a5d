/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "platforms/meet/collections.h"
#include "platforms/platform.h"

/*
 * Who is in the meeting and what they send, from the collections' users and outputs, the page's
 * tracks and its list of people, which come in any order. Reports only what changed. No I/O. Its
 * events may drop the last reference to whoever owns it only if that owner outlives the call.
 *
 * A person's second device is no participant: what comes from it is the person's. It is one that
 * the list calls a companion and whose name somebody else here has, or one with the name and the
 * picture of somebody who is here, when not both can be heard. Devices whose sound is merged stay
 * participants, and together are one more (PlatformParticipant.members), whose their sound is.
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

/**
 * meet_roster_list:
 * @rows: (nullable): from the page: {"device", "name", "group", "companion"} of each row that has a
 *   group or is a companion; "device" may be empty
 */
void meet_roster_list(MeetRoster *roster, JsonArray *rows);

/** Borrowed, or NULL: the name of the participant for whom a device acts (a share's owner, whose
 *  companion it is). */
const char *meet_roster_name(MeetRoster *roster, const char *device);
/** Borrowed: the participant's id; @device itself when nobody knows it. */
const char *meet_roster_person(MeetRoster *roster, const char *device);

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
