/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/meet/flow.h"

#include "platforms/meet/url.h"

#include <string.h>

#define CALL_SIGHTS 2 /* readings in a row before it is believed */
#define END_SIGHTS 2
#define MIC_RETRY_MS 1000
#define MAX_MIC_CLICKS 5
#define MAX_CLICKS 8 /* then it is left alone: it does not react */

const char *const meet_purpose_names[MEET_N_PURPOSES + 1] = {
    [MEET_NOT_FOUND] = "not_found",
    [MEET_LOGIN_REQUIRED] = "login_required",
    [MEET_CAPTCHA] = "captcha",
    [MEET_BLOCKED] = "blocked",
    [MEET_LOBBY_TIMEOUT] = "lobby_timeout",
    [MEET_DENIED] = "denied",
    [MEET_DISMISS] = "dismiss",
    [MEET_WITHOUT_ACCOUNT] = "without_account",
    [MEET_NAME_FIELD] = "name_field",
    [MEET_MIC_IS_ON] = "mic_is_on",
    [MEET_MIC_IS_OFF] = "mic_is_off",
    [MEET_CAMERA_IS_ON] = "camera_is_on",
    [MEET_CAMERA_IS_OFF] = "camera_is_off",
    [MEET_JOIN_BUTTON] = "join_button",
    [MEET_LOBBY] = "lobby",
    [MEET_HOST_ABSENT] = "host_absent",
    [MEET_IN_CALL] = "in_call",
    [MEET_RECORDING_DENIED] = "recording_denied",
    [MEET_CONSENT] = "consent",
    [MEET_DIALOG_DISMISS] = "dialog_dismiss",
    [MEET_REMOVED] = "removed",
    [MEET_ENDED] = "ended",
    [MEET_REMOVED_PAGE] = "removed_page",
    [MEET_ENDED_PAGE] = "ended_page",
    [MEET_CONNECTION_FAILED] = "connection_failed",
    [MEET_NETWORK_LOST] = "network_lost",
    [MEET_LEAVE_BUTTON] = "leave_button",
    [MEET_CHAT_BUTTON] = "chat_button",
    [MEET_CHAT_INPUT] = "chat_input",
    [MEET_CHAT_SEND] = "chat_send",
    [MEET_N_PURPOSES] = NULL,
};

static MeetStep nothing(void)
{
    return (MeetStep){.todo = MEET_DO_NOTHING, .purpose = MEET_N_PURPOSES};
}

static MeetStep click(MeetPurpose purpose)
{
    return (MeetStep){.todo = MEET_DO_CLICK, .purpose = purpose};
}

static MeetStep over(MeetPurpose purpose, PlatformLeft left, const char *message)
{
    return (MeetStep){.todo = MEET_DO_LEFT, .purpose = purpose, .left = left, .message = message};
}

static bool shows(const MeetReading *reading, MeetPurpose purpose)
{
    return reading->rules[purpose] != NULL;
}

/* True when @purpose shows and is worth another click; counts it. */
static bool is_in_the_way(MeetFlow *flow, const MeetReading *reading, MeetPurpose purpose)
{
    if (!shows(reading, purpose)) {
        flow->n_clicks[purpose] = 0;
        return false;
    }
    return flow->n_clicks[purpose]++ < MAX_CLICKS;
}

/* Where Google sends those that it does not let in. */
static MeetStep check_place(const MeetFlow *flow, const MeetReading *reading)
{
    if (g_str_has_prefix(reading->url, MEET_ORIGIN "/")) {
        return nothing();
    }
    if (g_str_has_prefix(reading->url, "https://accounts.google.com/")) {
        return over(MEET_N_PURPOSES, PLATFORM_LEFT_LOGIN_REQUIRED,
                    "Google asks for a sign-in before this meeting");
    }
    return flow->joined_once ? over(MEET_N_PURPOSES, PLATFORM_LEFT_DENIED, "Meet sent the bot away")
                             : over(MEET_N_PURPOSES, PLATFORM_LEFT_NOT_FOUND,
                                    "Meet sent the bot to another page: there is no such meeting");
}

/* Walls before the call, in the order in which they are believed. */
static MeetStep check_walls(const MeetReading *reading)
{
    static const struct {
        MeetPurpose purpose;
        PlatformLeft left;
        const char *message;
    } walls[] = {
        {MEET_NOT_FOUND, PLATFORM_LEFT_NOT_FOUND, "Meet knows no meeting of this code"},
        {MEET_LOGIN_REQUIRED, PLATFORM_LEFT_LOGIN_REQUIRED, "Meet asks for a sign-in"},
        {MEET_CAPTCHA, PLATFORM_LEFT_CAPTCHA, "Meet shows a captcha"},
        {MEET_LOBBY_TIMEOUT, PLATFORM_LEFT_LOBBY_TIMEOUT, "nobody answered the request to join"},
        {MEET_DENIED, PLATFORM_LEFT_DENIED, "the request to join was denied"},
        {MEET_BLOCKED, PLATFORM_LEFT_BOTS_NOT_ALLOWED, "Meet does not let this guest join"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(walls); i++) {
        if (shows(reading, walls[i].purpose)) {
            return over(walls[i].purpose, walls[i].left, walls[i].message);
        }
    }
    return nothing();
}

/* Microphone and camera off, then the name, then the button. */
static MeetStep prejoin(MeetFlow *flow, const MeetReading *reading, int64_t now_ms)
{
    static const MeetPurpose in_the_way[] = {MEET_CONSENT, MEET_DISMISS, MEET_WITHOUT_ACCOUNT,
                                             MEET_MIC_IS_ON, MEET_CAMERA_IS_ON};
    for (size_t i = 0; i < G_N_ELEMENTS(in_the_way); i++) {
        if (is_in_the_way(flow, reading, in_the_way[i])) {
            return click(in_the_way[i]);
        }
    }
    if (shows(reading, MEET_NAME_FIELD) && !flow->named) {
        return (MeetStep){.todo = MEET_DO_NAME, .purpose = MEET_NAME_FIELD};
    }
    if (shows(reading, MEET_JOIN_BUTTON) &&
        (flow->phase == MEET_PHASE_PREJOIN || now_ms - flow->knocked_ms >= flow->rejoin_ms)) {
        flow->phase = MEET_PHASE_KNOCKING;
        flow->joined_once = true;
        flow->knocked_ms = now_ms;
        return click(MEET_JOIN_BUTTON);
    }
    int64_t since_ms = flow->phase == MEET_PHASE_PREJOIN ? flow->start_ms : flow->knocked_ms;
    if (now_ms - since_ms >= flow->prejoin_ms) {
        return flow->phase == MEET_PHASE_PREJOIN
                   ? over(MEET_JOIN_BUTTON, PLATFORM_LEFT_UI_NOT_FOUND,
                          "the page shows no name field and join button")
                   : over(MEET_IN_CALL, PLATFORM_LEFT_UI_NOT_FOUND,
                          "after the request to join, neither lobby nor call shows");
    }
    return nothing();
}

static MeetStep before_call(MeetFlow *flow, const MeetReading *reading, int64_t now_ms)
{
    bool host_absent = shows(reading, MEET_HOST_ABSENT);
    bool in_lobby = shows(reading, MEET_LOBBY) || host_absent;
    bool in_call = reading->n_in_call >= flow->in_call_min && !shows(reading, MEET_JOIN_BUTTON);
    MeetStep step = check_place(flow, reading);
    /* In the call people's names are on the page, and a name may be any text. */
    if (step.todo == MEET_DO_NOTHING && (in_lobby || !in_call)) {
        step = check_walls(reading);
    }
    if (step.todo != MEET_DO_NOTHING) {
        return step;
    }
    if (in_lobby) {
        flow->n_call_seen = 0;
        step.host_changed = host_absent != flow->host_absent;
        flow->host_absent = host_absent;
        flow->phase = MEET_PHASE_LOBBY;
        step.lobby = !flow->lobby_seen;
        flow->lobby_seen = true;
        step.purpose = host_absent ? MEET_HOST_ABSENT : MEET_LOBBY;
        if (is_in_the_way(flow, reading, MEET_CONSENT)) {
            step.todo = MEET_DO_CLICK;
            step.purpose = MEET_CONSENT;
        }
        return step;
    }
    flow->n_call_seen = in_call ? flow->n_call_seen + 1 : 0;
    if (flow->n_call_seen >= CALL_SIGHTS) {
        flow->phase = MEET_PHASE_CALL;
        step.admitted = true;
        step.purpose = MEET_IN_CALL;
        step.recording_denied = shows(reading, MEET_RECORDING_DENIED);
        flow->denial_seen = step.recording_denied;
        return step;
    }
    if (in_call) {
        return step;
    }
    if (flow->phase == MEET_PHASE_LOBBY) { /* let in or sent away: the page is changing */
        return is_in_the_way(flow, reading, MEET_CONSENT) ? click(MEET_CONSENT) : step;
    }
    return prejoin(flow, reading, now_ms);
}

static MeetStep check_end(MeetFlow *flow, const MeetReading *reading, int64_t now_ms)
{
    static const struct {
        MeetPurpose purpose;
        PlatformLeft left;
        const char *message;
    } ends[] = {
        {MEET_REMOVED, PLATFORM_LEFT_REMOVED, "somebody removed the bot from the meeting"},
        {MEET_ENDED, PLATFORM_LEFT_ENDED, "the meeting ended"},
        {MEET_REMOVED_PAGE, PLATFORM_LEFT_REMOVED, "somebody removed the bot from the meeting"},
        {MEET_CONNECTION_FAILED, PLATFORM_LEFT_NETWORK_LOST, "Meet lost the connection"},
        {MEET_ENDED_PAGE, PLATFORM_LEFT_ENDED, "the meeting ended"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        if (shows(reading, ends[i].purpose)) {
            flow->n_end_seen++;
            return flow->n_end_seen >= END_SIGHTS
                       ? over(ends[i].purpose, ends[i].left, ends[i].message)
                       : nothing();
        }
    }
    flow->n_end_seen = 0;
    if (!g_str_has_prefix(reading->url, MEET_ORIGIN "/")) {
        return over(MEET_N_PURPOSES, PLATFORM_LEFT_PAGE_LOST, "the page went elsewhere");
    }
    if (reading->n_in_call > 0) {
        flow->vanished_since_ms = -1;
    } else if (flow->vanished_since_ms < 0) {
        flow->vanished_since_ms = now_ms;
    } else if (now_ms - flow->vanished_since_ms >= flow->vanished_ms) {
        return over(MEET_IN_CALL, PLATFORM_LEFT_PAGE_LOST, "the call's controls vanished");
    }
    return nothing();
}

/* What the page says of its network, unless frames prove it wrong. */
static MeetStep check_network(MeetFlow *flow, const MeetReading *reading, int64_t now_ms)
{
    bool lost =
        (shows(reading, MEET_NETWORK_LOST) || reading->link_failed) && !reading->media_flows;
    if (!lost) {
        flow->network_since_ms = -1;
    } else if (flow->network_since_ms < 0) {
        flow->network_since_ms = now_ms;
    } else if (now_ms - flow->network_since_ms >= flow->network_lost_ms) {
        return over(MEET_NETWORK_LOST, PLATFORM_LEFT_NETWORK_LOST,
                    "the page could not reach the meeting any more");
    }
    return nothing();
}

static MeetStep keep_devices(MeetFlow *flow, const MeetReading *reading, int64_t now_ms)
{
    if (is_in_the_way(flow, reading, MEET_CAMERA_IS_ON)) {
        return click(MEET_CAMERA_IS_ON);
    }
    MeetPurpose button = flow->want_open_mic ? MEET_MIC_IS_OFF : MEET_MIC_IS_ON;
    if (!shows(reading, button)) {
        flow->n_mic_clicks = 0;
        return nothing();
    }
    if (flow->n_mic_clicks > MAX_MIC_CLICKS ||
        (flow->n_mic_clicks > 0 && now_ms - flow->mic_clicked_ms < MIC_RETRY_MS)) {
        return nothing();
    }
    if (flow->n_mic_clicks++ == MAX_MIC_CLICKS) {
        MeetStep step = nothing();
        step.mic_gave_up = true;
        return step;
    }
    flow->mic_clicked_ms = now_ms;
    return click(button);
}

/* What the button shows: "turn off" stands on an open microphone. */
static bool note_mic(MeetFlow *flow, const MeetReading *reading)
{
    bool open = shows(reading, MEET_MIC_IS_ON), closed = shows(reading, MEET_MIC_IS_OFF);
    int before = flow->mic;
    if (open != closed) {
        flow->mic = open ? MEET_MIC_OPEN : MEET_MIC_CLOSED;
    }
    return (int)flow->mic != before;
}

static MeetStep in_call(MeetFlow *flow, const MeetReading *reading, int64_t now_ms)
{
    MeetStep step = check_end(flow, reading, now_ms);
    if (step.todo == MEET_DO_NOTHING) {
        step = check_network(flow, reading, now_ms);
    }
    if (step.todo != MEET_DO_NOTHING) {
        return step;
    }
    if (shows(reading, MEET_RECORDING_DENIED) && !flow->denial_seen) {
        flow->denial_seen = true;
        step.recording_denied = true;
        step.purpose = MEET_RECORDING_DENIED;
        return step;
    }
    if (is_in_the_way(flow, reading, MEET_RECORDING_DENIED)) {
        return click(MEET_DIALOG_DISMISS);
    }
    if (is_in_the_way(flow, reading, MEET_CONSENT)) {
        return click(MEET_CONSENT);
    }
    bool ending = shows(reading, MEET_REMOVED) || shows(reading, MEET_ENDED) ||
                  shows(reading, MEET_REMOVED_PAGE) || shows(reading, MEET_ENDED_PAGE);
    if (reading->unknown_dialog != NULL && !ending) {
        return (MeetStep){.todo = MEET_DO_DIALOG, .purpose = MEET_DIALOG_DISMISS};
    }
    return keep_devices(flow, reading, now_ms);
}

MeetStep meet_flow_step(MeetFlow *flow, const MeetReading *reading, int64_t now_ms)
{
    if (!flow->started) {
        flow->started = true;
        flow->start_ms = now_ms;
        flow->vanished_since_ms = flow->network_since_ms = -1;
    }
    if (flow->phase != MEET_PHASE_CALL) {
        return before_call(flow, reading, now_ms);
    }
    bool mic_changed = note_mic(flow, reading);
    MeetStep step = in_call(flow, reading, now_ms);
    step.mic_changed = mic_changed;
    return step;
}
