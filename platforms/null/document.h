/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "platforms/platform.h"

/*
 * A meeting that is described instead of held (docs/test-meeting.md has the keys): who is there,
 * what they say and when it ends, as a list of steps in the order of their times. Pure, fuzzed.
 */

#define NULL_NEVER_US ((int64_t)-1)

typedef enum {
    NULL_LOBBY_NONE,
    NULL_LOBBY_ADMIT,
    NULL_LOBBY_DENY,
    NULL_LOBBY_IGNORE,
    NULL_LOBBY_HOST_ABSENT,
    NULL_LOBBY_EXPIRE,
} NullLobby;

typedef enum {
    NULL_RECORDING_GRANTED,
    NULL_RECORDING_DENIED,
    NULL_RECORDING_LATER, /* by an event */
} NullRecording;

typedef struct {
    char *id;
    char *name;
    bool is_host;
    bool muted;   /* from the start */
    bool camera;  /* on from the start */
    bool unnamed; /* from the start */
} NullPerson;

typedef enum {
    NULL_STEP_COME,
    NULL_STEP_GO,
    NULL_STEP_NAME, /* the name becomes known */
    NULL_STEP_SPEAK,
    NULL_STEP_SILENCE,
    NULL_STEP_SCREEN_ON,
    NULL_STEP_SCREEN_OFF,
    NULL_STEP_CAMERA_ON,
    NULL_STEP_CAMERA_OFF,
    NULL_STEP_MUTE,
    NULL_STEP_UNMUTE,
    NULL_STEP_CHAT,
    NULL_STEP_END,
    NULL_STEP_SEND_TO_LOBBY,
    NULL_STEP_ADMIT_BOT,
    NULL_STEP_DENY_RECORDING,
    NULL_STEP_ALLOW_RECORDING,
    NULL_STEP_MUTE_BOT,
    NULL_STEP_STOP_CHAT, /* what the bot writes is refused from now on */
    NULL_STEP_ALLOW_CHAT,
} NullStepKind;

typedef struct {
    int64_t at_us; /* since the first admission */
    unsigned order;
    NullStepKind kind;
    unsigned person;   /* index; of steps that somebody takes */
    unsigned tone_hz;  /* SPEAK; 0 of SILENCE */
    int64_t for_us;    /* SPEAK */
    PlatformLeft left; /* END */
    unsigned n_times;  /* END: of how many joins, this one counted */
    char *text;        /* owned: CHAT; END: the message, or NULL */
} NullStep;

typedef struct {
    int64_t joining_us; /* until the lobby, or the call, shows */
    bool joining_ends;  /* with joining_left, instead */
    PlatformLeft joining_left;
    NullLobby lobby;
    int64_t lobby_us; /* from the lobby to the answer */
    NullRecording recording;
    int64_t leaving_us; /* how long leaving takes */
    GPtrArray *people;  /* owned NullPerson */
    GArray *steps;      /* NullStep, sorted */
} NullDocument;

/** Errors: PLATFORM_ERROR_RULES, a sentence that names the JSON path. */
NullDocument *null_document_parse(const char *text, size_t length, GError **error);
void null_document_free(NullDocument *document);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NullDocument, null_document_free)
