/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "platforms/platform.h"

/*
 * The way through a meeting page as a pure function: what was read from the page and the time in,
 * what to do next out. No I/O, no clock. The lobby is checked before the call, because the lobby
 * page shows the call's controls too; an end is believed on its second sight.
 */

typedef enum {
    FLOW_NOT_FOUND,
    FLOW_LOGIN_REQUIRED,
    FLOW_CAPTCHA,
    FLOW_BLOCKED,
    FLOW_LOBBY_TIMEOUT,
    FLOW_DENIED,
    FLOW_COULD_NOT_CONNECT,
    FLOW_DISMISS,
    FLOW_WITHOUT_ACCOUNT, /* or "continue on this browser", where an app is offered */
    FLOW_NAME_FIELD,
    FLOW_MIC_IS_ON,
    FLOW_MIC_IS_OFF,
    FLOW_CAMERA_IS_ON,
    FLOW_CAMERA_IS_OFF,
    FLOW_PASSCODE_FIELD,
    FLOW_PASSCODE_WRONG,
    FLOW_JOIN_BUTTON,
    FLOW_LOBBY,
    FLOW_LOBBY_HINT,  /* after the knock it means the lobby; before, nothing */
    FLOW_HOST_ABSENT, /* the lobby says so */
    FLOW_NOT_STARTED, /* the same, but the page has to be loaded again to see a change */
    FLOW_IN_CALL,
    FLOW_RECORDING_DENIED,
    FLOW_CONSENT,
    FLOW_DIALOG_DISMISS,
    FLOW_REMOVED,
    FLOW_ENDED,
    FLOW_REMOVED_PAGE,
    FLOW_ENDED_PAGE,
    FLOW_CONNECTION_FAILED,
    FLOW_NETWORK_LOST,
    FLOW_LEAVE_BUTTON,
    FLOW_LEAVE_CONFIRM,
    FLOW_CHAT_BUTTON,
    FLOW_CHAT_INPUT,
    FLOW_CHAT_SEND,
    FLOW_MENU_BUTTON, /* opens the menu that holds the next ones */
    FLOW_CAPTIONS_ITEM,
    FLOW_CAPTIONS_BUTTON,
    FLOW_VIDEO_OFF_ITEM,
    FLOW_VIDEO_OFF_TAB,
    FLOW_VIDEO_OFF_BUTTON,
    FLOW_VIDEO_OFF_CLOSE, /* the dialog that all this happened in */
    FLOW_VIDEO_IS_OFF,    /* the page says so */
    FLOW_CAPTURE_STAGE,   /* what a picture of the page shows of it */
    FLOW_JOIN_AUDIO,      /* in the call: what joins its sound */
    FLOW_N_PURPOSES,
} FlowPurpose;

/** Names of the purposes in the rules file, NULL-ended. */
extern const char *const flow_purpose_names[FLOW_N_PURPOSES + 1];

typedef enum {
    FLOW_PHASE_PREJOIN,
    FLOW_PHASE_KNOCKING, /* the join button was pressed, nothing shows yet */
    FLOW_PHASE_LOBBY,
    FLOW_PHASE_CALL,
} FlowPhase;

/* Where the page is, by the rules' "hosts". */
typedef enum {
    FLOW_PLACE_HOME,
    FLOW_PLACE_SIGN_IN,
    FLOW_PLACE_ELSEWHERE,
} FlowPlace;

typedef struct {
    const char *rules[FLOW_N_PURPOSES]; /* id of the candidate that matched, or NULL */
    unsigned n_in_call;                 /* how many of the call's marks show */
    FlowPlace place;
    const char *unknown_dialog; /* the text of an open dialog that no rule knows, or NULL */
    bool media_flows;           /* frames came since the last reading */
    bool link_failed;           /* the page's connection reports that it is broken */
    bool unsent;                /* no connection stands yet that would carry speech */
    bool soundless;             /* nothing stands through which the meeting would be heard */
    bool told_left;             /* the platform's own messages say: over, as told below */
    PlatformLeft told;
    const char *told_message;
} FlowReading;

typedef struct {
    /* Settings, milliseconds but for the first; set before the first step. */
    unsigned in_call_min;
    int64_t prejoin_ms, rejoin_ms, vanished_ms, network_lost_ms;
    int64_t
        infer_lobby_ms;    /* after the knock, what is no call and no wall is the lobby; 0: never */
    int64_t lobby_hint_ms; /* how long after the knock FLOW_LOBBY_HINT begins to mean the lobby */
    int64_t reload_ms;     /* between two loads of a page that waits for the host */
    bool has_passcode;     /* there is one to type */
    int64_t elsewhere_ms;  /* how long the page may be elsewhere on its way in */
    bool want_open_mic, want_camera; /* changed at any time; of the call */
    bool joins_audio;                /* there may be a call without its sound */
    /* State. */
    FlowPhase phase;
    int64_t joining_since_ms;
    unsigned n_joins;      /* presses of the join button without any effect */
    bool passcode_refused; /* its field does not take it */
    bool named, passcode_given, joined_once, lobby_seen, denial_seen;
    int64_t loaded_ms; /* since when the page waits for the host; -1: it does not */
    int64_t elsewhere_since_ms, start_ms, knocked_ms, vanished_since_ms, network_since_ms,
        mic_clicked_ms;
    unsigned n_call_seen, n_end_seen, n_lobby_seen, n_mic_clicks, n_camera_clicks;
    int64_t camera_clicked_ms;
    int64_t uncovered_ms; /* when something that lay over the join button was last closed */
    int64_t soundless_since_ms, audio_clicked_ms; /* the first -1: there is sound */
    unsigned n_audio_clicks;
    bool no_sound_told;
    unsigned n_clicks[FLOW_N_PURPOSES]; /* in a row, for what should go away when it is clicked */
    bool started, host_absent;
    enum { FLOW_MIC_UNKNOWN, FLOW_MIC_OPEN, FLOW_MIC_CLOSED } mic;
} Flow;

typedef enum {
    FLOW_DO_NOTHING,
    FLOW_DO_CLICK, /* the element of step.purpose */
    FLOW_DO_NAME,  /* write the bot's name */
    FLOW_DO_PASSCODE,
    FLOW_DO_RELOAD, /* the meeting's URL again */
    FLOW_DO_DIALOG, /* photograph the unknown dialog, then dismiss it */
    FLOW_DO_LEFT,   /* it is over: step.left, step.message */
} FlowDo;

typedef struct {
    FlowDo todo;
    FlowPurpose purpose; /* what the step is about, for its rule; FLOW_N_PURPOSES: none */
    PlatformLeft left;
    const char *message;
    bool lobby, host_changed, admitted, recording_denied, mic_changed, mic_gave_up, camera_gave_up,
        no_sound; /* to report */
} FlowStep;

FlowStep flow_step(Flow *flow, const FlowReading *reading, int64_t now_ms);
