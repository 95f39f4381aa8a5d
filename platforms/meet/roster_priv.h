/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "platforms/meet/roster.h"

/*
 * What roster.c (devices, as the wire tells of them) and roster_people.c (which of them are people
 * of their own, and who sits in one room) share.
 */

typedef struct MeetDevice MeetDevice;

/* Devices of one merged-audio group, two at least. Who is in it is what makes it: with others it is
 * another room. */
typedef struct {
    char *id, *name;    /* owned */
    GPtrArray *members; /* owned, of borrowed MeetDevice, in the order in which they came */
    bool present;       /* reported as joined */
    bool wanted;        /* while regrouping */
} MeetRoom;

struct MeetDevice {
    char *id;        /* owned */
    char *name;      /* owned */
    char *avatar;    /* owned, or NULL */
    char *parent;    /* owned, or NULL: this is a screen share of that device */
    unsigned number; /* in the order in which they were heard of */
    bool is_host, is_self, muted;
    bool present;            /* says the wire */
    bool in_sync;            /* seen since begin_sync */
    bool told;               /* reported as a participant who is here */
    bool marked;             /* the page's list calls it a companion */
    char *group;             /* owned, or NULL: whom the list has it share its sound with */
    MeetDevice *person;      /* borrowed: whose second device it is, or NULL */
    MeetRoom *room;          /* borrowed, or NULL */
    MeetRoom *next_room;     /* while regrouping */
    MeetOutput audio, video; /* stream and device owned; stream NULL: none */
    uint32_t video_track;    /* last reported for its stream; 0: none */
    uint32_t own_source;     /* of its sound, when the wire names none; 0: not needed yet */
};

struct MeetRoster {
    MeetRosterEvents events;
    gpointer user_data;
    GHashTable *devices; /* id (in the device) -> owned MeetDevice */
    GPtrArray *tracks;   /* of owned Track */
    GPtrArray *rooms;    /* of owned MeetRoom, also those that are over */
    JsonArray *rows;     /* owned: what the list said last, or NULL */
    uint32_t n_own_sources;
};

// --- roster.c ---

MeetDevice *meet_roster_find(MeetRoster *roster, const char *id);
void meet_roster_report(MeetRoster *roster, PlatformParticipantOp op, const MeetDevice *device);
void meet_roster_report_audio(MeetRoster *roster, const MeetDevice *device);
void meet_roster_report_video(MeetRoster *roster, MeetDevice *device);

// --- roster_people.c ---

void meet_room_free(gpointer room);
bool meet_room_is_muted(const MeetRoom *room);

/** @device came, left or changed: reports what follows for it, for those called alike and its room.
 */
void meet_roster_settle(MeetRoster *roster, MeetDevice *device);
/** The same for those who are called @name. */
void meet_roster_settle_name(MeetRoster *roster, const char *name);
/** Takes what the list said last anew, for a device that was not known then. */
void meet_roster_list_again(MeetRoster *roster);
