// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * A scenario: what happens in a test meeting and when. Parsed from JSON with every key checked,
 * immutable afterwards, so any thread may read it. All times are seconds from time zero, the
 * admission of the first bot, unless the name says otherwise. docs/test-meeting.md describes
 * every key.
 */

typedef enum {
    MEETING_LOBBY_NONE,
    MEETING_LOBBY_ADMIT,
    MEETING_LOBBY_DENY,
    MEETING_LOBBY_IGNORE,
    MEETING_LOBBY_HOST_ABSENT,
    MEETING_LOBBY_EXPIRE, /* the platform itself gives the knock up */
} MeetingLobbyMode;

typedef enum {
    MEETING_CODEC_VP8,
    MEETING_CODEC_VP9,
    MEETING_CODEC_H264,
    MEETING_N_CODECS,
} MeetingCodec;

typedef enum {
    MEETING_DO_END_MEETING,
    MEETING_DO_REMOVE_BOT,
    MEETING_DO_DENY_RECORDING,
    MEETING_DO_MUTE,
    MEETING_DO_UNMUTE,
    MEETING_DO_CAMERA_OFF,
    MEETING_DO_CAMERA_ON,
    MEETING_DO_FREEZE_PAGE,
    MEETING_DO_CRASH_PAGE,
    MEETING_DO_DROP_NETWORK,
    MEETING_DO_RESTORE_NETWORK,
    MEETING_DO_SHOW_DIALOG,
    MEETING_DO_SEND_TO_LOBBY, /* the host puts the bot back */
    MEETING_DO_ADMIT_BOT,     /* and lets it in again */
} MeetingAction;

typedef enum {
    MEETING_RECEIVERS_OFFER,           /* made by the server's offer */
    MEETING_RECEIVERS_ADD_TRANSCEIVER, /* the page makes them and offers */
    MEETING_RECEIVERS_ADD_TRACK,       /* the page makes them, the server's offer meets them */
    MEETING_RECEIVERS_INACTIVE,        /* offered inactive first, activated when needed */
} MeetingReceivers;

typedef enum {
    MEETING_PAGE_NORMAL,
    MEETING_PAGE_NOT_FOUND,
    MEETING_PAGE_LOGIN_REQUIRED,
    MEETING_PAGE_BLOCKED,
    MEETING_PAGE_CAPTCHA,
    MEETING_PAGE_FULL,          /* Meet: as many people as there may be */
    MEETING_PAGE_CANNOT_CREATE, /* Meet: nobody has begun it, and a guest can't */
} MeetingPageVariant;

typedef enum {
    MEETING_PLATFORM_MEET,
    MEETING_PLATFORM_TEAMS,
    MEETING_PLATFORM_ZOOM,
} MeetingPlatform;

/* Which of Teams' clients the page is. */
typedef enum {
    MEETING_UI_LIGHT, /* teams.microsoft.com/meet/…, a probe for a sign-in, light-meetings */
    MEETING_UI_FULL,  /* teams.microsoft.com/l/meetup-join/…, the launcher first */
    MEETING_UI_LIVE,  /* teams.live.com/meet/… */
} MeetingUi;

typedef enum {
    MEETING_WORDING_NEW,
    MEETING_WORDING_OLD,
    MEETING_WORDING_BRITISH,
    MEETING_WORDING_GERMAN, /* Meet: as an account of another language sees it */
} MeetingWording;

/* What is the matter with the chat's field. */
typedef enum {
    MEETING_CHAT_USUAL,
    MEETING_CHAT_LATE,     /* it shows 6 s after its button */
    MEETING_CHAT_REFUSING, /* it lets go of what it was given, twice */
    MEETING_CHAT_EDITOR,   /* Meet: it is made of elements */
} MeetingChatField;

/* How Teams' lobby shows. */
typedef enum {
    MEETING_LOBBY_SHOWS_TEXT,
    MEETING_LOBBY_SHOWS_CANCEL,  /* only a button to cancel */
    MEETING_LOBBY_SHOWS_NOTHING, /* that one knows */
} MeetingLobbyShows;

/* What Teams' wire tells of who speaks in the mix. */
typedef enum {
    MEETING_TELLS_SOURCES, /* contributing sources, and dominant speakers */
    MEETING_TELLS_DOMINANT,
    MEETING_TELLS_PAGE,     /* only the page's rings */
    MEETING_TELLS_CAPTIONS, /* once the page has turned them on */
    MEETING_TELLS_NOTHING,
} MeetingTells;

/* Whether Zoom's page asks for a passcode, and what the link says of it. */
typedef enum {
    MEETING_PASSCODE_NONE,
    MEETING_PASSCODE_RIGHT,
    MEETING_PASSCODE_WRONG,
    MEETING_PASSCODE_MISSING,
} MeetingPasscode;

/* How sound gets into Zoom's and Meet's pages. */
typedef enum {
    MEETING_AUDIO_USUAL,    /* until the scenario was read: Zoom element, others receiver */
    MEETING_AUDIO_ELEMENT,  /* decoded by the page, a stream that an audio element plays */
    MEETING_AUDIO_CONTEXT,  /* decoded by the page, into its audio context's destination */
    MEETING_AUDIO_RECEIVER, /* a WebRTC receiver */
} MeetingAudio;

/* A moving picture to be encoded: somebody's camera, or a shared screen. */
typedef struct {
    char *source; /* owned: pattern:NAME, file:PATH (resolved), flash_beep */
    MeetingCodec codec;
    int width;
    int height;
    int fps;
    int loop_s; /* length of the encoded loop; the band's counter wraps with it */
} MeetingCamera;

/* One stretch of sound: a WAV file from its start, or a tone. */
typedef struct {
    double at_s;
    char *wav;      /* owned, resolved path; NULL: a tone */
    double tone_hz; /* 0: a file */
    double for_s;   /* tones only */
} MeetingSpeech;

typedef struct {
    double from_s;
    double to_s;
    MeetingCamera camera;
} MeetingScreen;

typedef struct MeetingPerson {
    char *id;   /* owned */
    char *name; /* owned */
    int number; /* 1.., in the scenario's order; what the band shows */
    bool host;
    bool muted; /* from the start, until an unmute event */
    bool echo;  /* says back at once what the bot says, instead of speech */
    char *room; /* owned: devices of one room share their sound, on Meet; NULL: alone */
    const struct MeetingPerson *companion_of; /* borrowed: this is their second device, or NULL */
    double join_s;
    double leave_s;        /* G_MAXDOUBLE: stays */
    MeetingCamera *camera; /* owned, or NULL: off */
    GPtrArray *speech;     /* owned, of MeetingSpeech */
    GPtrArray *screens;    /* owned, of MeetingScreen */
} MeetingPerson;

typedef struct {
    double at_s;
    MeetingPerson *from; /* borrowed */
    char *text;          /* owned */
} MeetingChat;

typedef struct {
    double at_s;
    MeetingAction action;
    MeetingPerson *person; /* borrowed; NULL unless the action concerns one */
    char *name;            /* owned: the dialog of show_dialog, or NULL */
} MeetingEvent;

typedef struct {
    MeetingPlatform platform;
    double duration_s; /* G_MAXDOUBLE: until the last bot leaves */
    MeetingLobbyMode lobby_mode;
    double lobby_after_s; /* from the knock */
    GPtrArray *people;    /* owned, of MeetingPerson */
    GPtrArray *chat;      /* owned, of MeetingChat, by time */
    GPtrArray *events;    /* owned, of MeetingEvent, by time */

    double loss;      /* 0..1, of RTP packets to the bot */
    double jitter_ms; /* each packet waits 0..jitter_ms, so packets overtake each other */
    guint32 network_seed;

    MeetingReceivers receivers;
    bool audio_level;       /* RFC 6464 header extension offered */
    bool red;               /* audio as RED with one redundant block */
    bool sync_leaves_only;  /* leaving shows only as absence from the sync answer */
    double recycle_every_s; /* 0: a receiver is kept for the whole stretch of speech */

    /* Teams only */
    MeetingTells tells;
    bool no_roster;       /* only the page's tiles */
    bool roster_snapshot; /* who is there at first comes by HTTP, the frames are deltas only */
    bool no_farewell;     /* no conversationEnd: only the page tells how it ended */
    MeetingUi ui;
    MeetingWording wording;
    MeetingChatField chat_field;
    MeetingLobbyShows lobby_shows;
    bool no_devices; /* "Continue without audio or video" stands in the way */
    bool in_frame;   /* the pre-join page lies in a frame */

    MeetingPasscode passcode; /* Zoom only */
    MeetingAudio audio;       /* Teams: receiver */

    bool forgetful;  /* Meet's page ignores the preferences that it finds */
    bool transforms; /* Meet's page sends each picture through a worker of its own */
    MeetingPageVariant page_variant;
    char *cookie;            /* owned: "name=value" that opens the login wall, or NULL */
    GPtrArray *page_dialogs; /* owned, names of dialogs that show upon entering */
    GPtrArray *quirks;       /* owned, names: quirks.h */
} MeetingScenario;

/**
 * meeting_scenario_parse:
 * @json: the document, @length bytes of it (-1: up to a NUL)
 * @folder: relative paths are taken from here
 * @fixtures: (nullable): second folder to look in for relative paths that @folder lacks
 *
 * Reads a scenario. Only paths are looked up; no other file is opened.
 *
 * Errors: MEETING_ERROR_SCENARIO, with the JSON path, the value and what was expected.
 * Returns: (transfer full): free with meeting_scenario_free().
 */
MeetingScenario *meeting_scenario_parse(const char *json, gssize length, const char *folder,
                                        const char *fixtures, GError **error);

void meeting_scenario_free(MeetingScenario *scenario);

/* Presence, camera, microphone and screen as functions of meeting time. */
bool meeting_person_present(const MeetingPerson *person, double at_s);
bool meeting_person_camera_on(const MeetingScenario *scenario, const MeetingPerson *person,
                              double at_s);
bool meeting_person_muted(const MeetingScenario *scenario, const MeetingPerson *person,
                          double at_s);
/* The screen that @person shares at @at_s, or NULL. (transfer none) */
const MeetingScreen *meeting_person_screen(const MeetingPerson *person, double at_s);

const char *meeting_codec_to_string(MeetingCodec codec);

typedef enum {
    MEETING_ERROR_SCENARIO,
    MEETING_ERROR_MEDIA,
    MEETING_ERROR_NETWORK,
    MEETING_ERROR_PROTOCOL,
} MeetingError;

#define MEETING_ERROR (meeting_error_quark())
GQuark meeting_error_quark(void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(MeetingScenario, meeting_scenario_free)
