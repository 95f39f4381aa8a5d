/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "platforms/platform.h"

/*
 * The way through a Meet page as a pure function: what was read from the page and the time in, what
 * to do next out. No I/O, no clock. The lobby is checked before the call, because the lobby page
 * shows the call's controls too; an end is believed on its second sight.
 */

typedef enum {
    MEET_NOT_FOUND,
    MEET_LOGIN_REQUIRED,
    MEET_CAPTCHA,
    MEET_BLOCKED,
    MEET_LOBBY_TIMEOUT,
    MEET_DENIED,
    MEET_DISMISS,
    MEET_WITHOUT_ACCOUNT,
    MEET_NAME_FIELD,
    MEET_MIC_IS_ON,
    MEET_MIC_IS_OFF,
    MEET_CAMERA_IS_ON,
    MEET_CAMERA_IS_OFF,
    MEET_JOIN_BUTTON,
    MEET_LOBBY,
    MEET_HOST_ABSENT, /* the lobby says so */
    MEET_IN_CALL,
    MEET_RECORDING_DENIED,
    MEET_CONSENT,
    MEET_DIALOG_DISMISS,
    MEET_REMOVED,
    MEET_ENDED,
    MEET_REMOVED_PAGE,
    MEET_ENDED_PAGE,
    MEET_CONNECTION_FAILED,
    MEET_NETWORK_LOST,
    MEET_LEAVE_BUTTON,
    MEET_CHAT_BUTTON,
    MEET_CHAT_INPUT,
    MEET_CHAT_SEND,
    MEET_N_PURPOSES,
} MeetPurpose;

/** Names of the purposes in the rules file, NULL-ended. */
extern const char *const meet_purpose_names[MEET_N_PURPOSES + 1];

typedef enum {
    MEET_PHASE_PREJOIN,
    MEET_PHASE_KNOCKING, /* the join button was pressed, nothing shows yet */
    MEET_PHASE_LOBBY,
    MEET_PHASE_CALL,
} MeetPhase;

typedef struct {
    const char *rules[MEET_N_PURPOSES]; /* id of the candidate that matched, or NULL */
    unsigned n_in_call;                 /* how many of the call's marks show */
    const char *url;                    /* where the page is */
    const char *unknown_dialog;         /* the text of an open dialog that no rule knows, or NULL */
    bool media_flows;                   /* frames came since the last reading */
    bool link_failed;                   /* the page's connection reports that it is broken */
} MeetReading;

typedef struct {
    /* Settings, milliseconds but for the first; set before the first step. */
    unsigned in_call_min;
    int64_t prejoin_ms, rejoin_ms, vanished_ms, network_lost_ms;
    bool want_open_mic; /* changed at any time */
    /* State. */
    MeetPhase phase;
    bool named, joined_once, lobby_seen, denial_seen;
    int64_t start_ms, knocked_ms, vanished_since_ms, network_since_ms, mic_clicked_ms;
    unsigned n_call_seen, n_end_seen, n_mic_clicks;
    unsigned n_clicks[MEET_N_PURPOSES]; /* in a row, for what should go away when it is clicked */
    bool started, host_absent;
    enum { MEET_MIC_UNKNOWN, MEET_MIC_OPEN, MEET_MIC_CLOSED } mic;
} MeetFlow;

typedef enum {
    MEET_DO_NOTHING,
    MEET_DO_CLICK,  /* the element of step.purpose */
    MEET_DO_NAME,   /* write the bot's name */
    MEET_DO_DIALOG, /* photograph the unknown dialog, then dismiss it */
    MEET_DO_LEFT,   /* it is over: step.left, step.message */
} MeetDo;

typedef struct {
    MeetDo todo;
    MeetPurpose purpose; /* what the step is about, for its rule; MEET_N_PURPOSES: none */
    PlatformLeft left;
    const char *message;
    bool lobby, host_changed, admitted, recording_denied, mic_changed, mic_gave_up; /* to report */
} MeetStep;

MeetStep meet_flow_step(MeetFlow *flow, const MeetReading *reading, int64_t now_ms);
