// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/meeting/bot.h"
#include "tests/meeting/listener.h"

#define MEETING_MAX_DOMINANT 8

/* What bot.c does and bot_report.c tells of. Thread: main. */

typedef enum {
    BOT_AT_DOOR, /* the page is open, nothing asked yet */
    BOT_IN_LOBBY,
    BOT_IN_CALL,
    BOT_GONE,
} BotState;

/* A stream to the bot: a section of each connection, and a stream of the sender. */
typedef struct {
    MeetingSectionKind kind;
    guint32 ssrc;
    char *stream_id; /* owned */
    guint sender_index;
    guint source_stream;         /* Teams: the x-source-streamid */
    int section;                 /* in the present connection, -1: none */
    bool active;                 /* offered as such */
    const MeetingSource *source; /* borrowed: whom it shows */
    int screen;
} Slot;

typedef struct {
    double at_s;
    char *text; /* owned: what changed */
} Note;

struct MeetingBot {
    Meeting *meeting; /* borrowed */
    guint number;
    char *token, *device, *name; /* owned */
    BotState state;
    SoupWebsocketConnection *socket; /* owned */
    MeetingPeer *peer;               /* owned */
    MeetingSender *sender;           /* owned, from admission on */
    MeetingListener *listener;       /* owned */
    GPtrArray *slots;                /* owned, of Slot */
    GPtrArray *known;                /* owned, of MeetingUser: as last sent */
    guint lobby_timer;
    guint n_knocks;
    guint sequence;
    bool collections_open;  /* or main-channel, on Teams */
    GPtrArray *unsent_chat; /* owned, of GBytes: events that wait for the channel */

    bool audio_only; /* the page turned incoming video off */

    /* Teams only */
    SoupWebsocketConnection *trouter; /* owned */
    guint look_timer, n_looks;
    guint32 dominant[MEETING_MAX_DOMINANT];
    guint n_dominant;
    bool captions_on;
    char *shown_speaking; /* owned: the last message about it */

    /* Zoom only */
    guint sound_timer;
    gint64 sound_us; /* meeting time of what was sent last */

    bool gone; /* it never comes back */

    gint64 knocked_us, admitted_us, left_us; /* monotonic, 0: not yet */
    char *how_left;                          /* owned */
    gint64 connected_us;
    GPtrArray *chat;    /* owned, of Note */
    GPtrArray *mic;     /* owned, of Note */
    GPtrArray *dialogs; /* owned, of Note */
};
