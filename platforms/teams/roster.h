/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "platforms/platform.h"
#include "platforms/teams/signals.h"

/*
 * Who is in a Teams meeting and what they send. Updates are deltas and come in any order with the
 * page's tracks and its subscriptions to pictures: a physical video stream shows whom the page
 * asked for last. Reports only what changed. No I/O. Its events may drop the last reference to
 * whoever owns it only if that owner outlives the call.
 */

typedef struct TeamsRoster TeamsRoster;

typedef struct {
    void (*on_participant)(PlatformParticipantOp op, const PlatformParticipant *participant,
                           gpointer user_data);
    void (*on_source)(const PlatformSource *source, gpointer user_data);
} TeamsRosterEvents;

/** @own_name: who has this name is the bot, until teams_roster_set_self says otherwise. */
TeamsRoster *teams_roster_new(const char *own_name, const TeamsRosterEvents *events,
                              gpointer user_data);
/** The page took another one. */
void teams_roster_set_own_name(TeamsRoster *roster, const char *own_name);
void teams_roster_free(TeamsRoster *roster);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TeamsRoster, teams_roster_free)

void teams_roster_participant(TeamsRoster *roster, const TeamsParticipant *participant);
void teams_roster_endpoint(TeamsRoster *roster, const char *id, const TeamsEndpoint *endpoint);
void teams_roster_subscription(TeamsRoster *roster, int64_t source_id, const char *stream);

/** A video track and everything that names its physical stream: ids of MediaStreams
 *  ("mainVideo-123", "123") and the x-source-streamid of its section (nullable array). */
void teams_roster_track(TeamsRoster *roster, uint32_t track_id, JsonArray *names);
void teams_roster_track_ended(TeamsRoster *roster, uint32_t track_id);

/**
 * teams_roster_shown:
 *
 * Somebody has a tile on the page, named @name. Only when the wire has told of nobody but the bot
 * do such people become participants, who leave by teams_roster_unshown. Returns the source of
 * their voice, or TEAMS_NO_SOURCE.
 */
int64_t teams_roster_shown(TeamsRoster *roster, const char *name, bool muted);
void teams_roster_unshown(TeamsRoster *roster, const char *name);

/** The page says which entry is the bot's own. */
void teams_roster_set_self(TeamsRoster *roster, const char *id);

/** Borrowed, or NULL: the one of that name who is here, or was; of several none is guessed. */
const char *teams_roster_named(TeamsRoster *roster, const char *name);
/** Borrowed, or NULL. */
const char *teams_roster_name(TeamsRoster *roster, const char *id);
bool teams_roster_is_self(TeamsRoster *roster, const char *id);
/** Borrowed, or NULL: who sends sound as @source_id. */
const char *teams_roster_speaker(TeamsRoster *roster, int64_t source_id);
/** Whether @source_id is somebody's who is here, not muted and not the bot. */
bool teams_roster_can_speak(TeamsRoster *roster, int64_t source_id);
/** The source as which @id sends sound, or TEAMS_NO_SOURCE. */
int64_t teams_roster_audio_of(TeamsRoster *roster, const char *id);
unsigned teams_roster_n_present(TeamsRoster *roster);
