/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/adapter/flow.h"

#define CALL_SIGHTS 2 /* readings in a row before it is believed */
#define END_SIGHTS 2
#define LOBBY_SIGHTS 3 /* of the lobby again, in the call */
#define MIC_RETRY_MS 1000
#define MAX_MIC_CLICKS 5
#define CAMERA_RETRY_MS 3000
#define MAX_CAMERA_CLICKS 3
/* What came up over the join button goes on by itself until then, or wants it pressed again. */
#define REJOIN_BEHIND_DIALOG_MS 3000
#define MAX_CLICKS 8 /* then it is left alone: it does not react */
/* A client that joins the sound by itself has done so by then; a second press may mute. */
#define AUDIO_PATIENCE_MS 3000
#define AUDIO_RETRY_MS 4000
#define AUDIO_SLOW_RETRY_MS 60000
#define FAST_AUDIO_CLICKS 5 /* then it is said that nothing is heard, and tried now and then */
#define MAX_AUDIO_CLICKS 30

const char *const flow_purpose_names[FLOW_N_PURPOSES + 1] = {
    [FLOW_NOT_FOUND] = "not_found",
    [FLOW_LOGIN_REQUIRED] = "login_required",
    [FLOW_CAPTCHA] = "captcha",
    [FLOW_BLOCKED] = "blocked",
    [FLOW_LOBBY_TIMEOUT] = "lobby_timeout",
    [FLOW_DENIED] = "denied",
    [FLOW_COULD_NOT_CONNECT] = "could_not_connect",
    [FLOW_DISMISS] = "dismiss",
    [FLOW_WITHOUT_ACCOUNT] = "without_account",
    [FLOW_NAME_FIELD] = "name_field",
    [FLOW_MIC_IS_ON] = "mic_is_on",
    [FLOW_MIC_IS_OFF] = "mic_is_off",
    [FLOW_CAMERA_IS_ON] = "camera_is_on",
    [FLOW_CAMERA_IS_OFF] = "camera_is_off",
    [FLOW_PASSCODE_FIELD] = "passcode_field",
    [FLOW_PASSCODE_WRONG] = "passcode_wrong",
    [FLOW_JOIN_BUTTON] = "join_button",
    [FLOW_LOBBY] = "lobby",
    [FLOW_LOBBY_HINT] = "lobby_hint",
    [FLOW_HOST_ABSENT] = "host_absent",
    [FLOW_NOT_STARTED] = "not_started",
    [FLOW_IN_CALL] = "in_call",
    [FLOW_RECORDING_DENIED] = "recording_denied",
    [FLOW_CONSENT] = "consent",
    [FLOW_DIALOG_DISMISS] = "dialog_dismiss",
    [FLOW_REMOVED] = "removed",
    [FLOW_ENDED] = "ended",
    [FLOW_REMOVED_PAGE] = "removed_page",
    [FLOW_ENDED_PAGE] = "ended_page",
    [FLOW_CONNECTION_FAILED] = "connection_failed",
    [FLOW_NETWORK_LOST] = "network_lost",
    [FLOW_LEAVE_BUTTON] = "leave_button",
    [FLOW_LEAVE_CONFIRM] = "leave_confirm",
    [FLOW_CHAT_BUTTON] = "chat_button",
    [FLOW_CHAT_INPUT] = "chat_input",
    [FLOW_CHAT_SEND] = "chat_send",
    [FLOW_MENU_BUTTON] = "menu_button",
    [FLOW_CAPTIONS_ITEM] = "captions_item",
    [FLOW_CAPTIONS_BUTTON] = "captions_button",
    [FLOW_VIDEO_OFF_ITEM] = "video_off_item",
    [FLOW_VIDEO_OFF_TAB] = "video_off_tab",
    [FLOW_VIDEO_OFF_BUTTON] = "video_off_button",
    [FLOW_VIDEO_OFF_CLOSE] = "video_off_close",
    [FLOW_VIDEO_IS_OFF] = "video_is_off",
    [FLOW_CAPTURE_STAGE] = "capture_stage",
    [FLOW_JOIN_AUDIO] = "join_audio",
    [FLOW_N_PURPOSES] = NULL,
};

static FlowStep nothing(void)
{
    return (FlowStep){.todo = FLOW_DO_NOTHING, .purpose = FLOW_N_PURPOSES};
}

static FlowStep click(FlowPurpose purpose)
{
    return (FlowStep){.todo = FLOW_DO_CLICK, .purpose = purpose};
}

static FlowStep over(FlowPurpose purpose, PlatformLeft left, const char *message)
{
    return (FlowStep){.todo = FLOW_DO_LEFT, .purpose = purpose, .left = left, .message = message};
}

static bool shows(const FlowReading *reading, FlowPurpose purpose)
{
    return reading->rules[purpose] != NULL;
}

/* True when @purpose shows and is worth another click; counts it. */
static bool is_in_the_way(Flow *flow, const FlowReading *reading, FlowPurpose purpose)
{
    if (!shows(reading, purpose)) {
        flow->n_clicks[purpose] = 0;
        return false;
    }
    return flow->n_clicks[purpose]++ < MAX_CLICKS;
}

/* Walls before the call, in the order in which they are believed. */
static FlowStep check_walls(const FlowReading *reading)
{
    static const struct {
        FlowPurpose purpose;
        PlatformLeft left;
        const char *message;
    } walls[] = {
        {FLOW_NOT_FOUND, PLATFORM_LEFT_NOT_FOUND, "there is no such meeting"},
        {FLOW_PASSCODE_WRONG, PLATFORM_LEFT_NOT_FOUND, "the passcode in the link is wrong"},
        /* Before the ways out that such a page offers: a sign-in, a captcha. */
        {FLOW_BLOCKED, PLATFORM_LEFT_BOTS_NOT_ALLOWED, "the platform does not let this guest join"},
        {FLOW_LOGIN_REQUIRED, PLATFORM_LEFT_LOGIN_REQUIRED, "the page asks for a sign-in"},
        {FLOW_CAPTCHA, PLATFORM_LEFT_CAPTCHA, "the page shows a captcha"},
        {FLOW_LOBBY_TIMEOUT, PLATFORM_LEFT_LOBBY_TIMEOUT, "nobody answered the request to join"},
        {FLOW_DENIED, PLATFORM_LEFT_DENIED, "the request to join was denied"},
        {FLOW_COULD_NOT_CONNECT, PLATFORM_LEFT_NETWORK_LOST,
         "the platform could not connect the bot to the meeting"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(walls); i++) {
        if (shows(reading, walls[i].purpose)) {
            return over(walls[i].purpose, walls[i].left, walls[i].message);
        }
    }
    return nothing();
}

/* Where platforms send those that they do not let in, or that they make sure of first. */
static FlowStep elsewhere(Flow *flow, const FlowReading *reading, int64_t now_ms)
{
    if (flow->elsewhere_since_ms < 0) {
        flow->elsewhere_since_ms = now_ms;
    }
    FlowStep step = check_walls(reading);
    if (step.todo != FLOW_DO_NOTHING || now_ms - flow->elsewhere_since_ms < flow->elsewhere_ms) {
        return step;
    }
    if (reading->place == FLOW_PLACE_SIGN_IN) {
        return over(FLOW_N_PURPOSES, PLATFORM_LEFT_LOGIN_REQUIRED,
                    "the platform asks for a sign-in before this meeting");
    }
    return flow->joined_once
               ? over(FLOW_N_PURPOSES, PLATFORM_LEFT_DENIED, "the platform sent the bot away")
               : over(FLOW_N_PURPOSES, PLATFORM_LEFT_NOT_FOUND,
                      "the platform sent the bot to another page: there is no such meeting");
}

/* The link's passcode, then the button again at once. */
static FlowStep give_passcode(Flow *flow)
{
    if (!flow->has_passcode) {
        return over(FLOW_PASSCODE_FIELD, PLATFORM_LEFT_NOT_FOUND,
                    "the meeting asks for a passcode, and the link has none");
    }
    if (flow->passcode_refused) {
        return over(FLOW_PASSCODE_FIELD, PLATFORM_LEFT_NOT_FOUND,
                    "the meeting's passcode field does not take the passcode in the link: a link "
                    "may hold a token in its place, so add the meeting's own passcode");
    }
    flow->phase = FLOW_PHASE_PREJOIN;
    return (FlowStep){.todo = FLOW_DO_PASSCODE, .purpose = FLOW_PASSCODE_FIELD};
}

/* The way in came to no end: what it hangs on. */
static FlowStep stuck(const Flow *flow, const FlowReading *reading)
{
    if (shows(reading, FLOW_PASSCODE_FIELD) && !flow->passcode_given) {
        return over(FLOW_PASSCODE_FIELD, PLATFORM_LEFT_NOT_FOUND,
                    "the page's field does not take the link's passcode");
    }
    if (flow->phase != FLOW_PHASE_PREJOIN) {
        return over(FLOW_IN_CALL, PLATFORM_LEFT_UI_NOT_FOUND,
                    "after the request to join, neither lobby nor call shows");
    }
    if (shows(reading, FLOW_NAME_FIELD) && !flow->named) {
        return over(FLOW_NAME_FIELD, PLATFORM_LEFT_UI_NOT_FOUND,
                    "the page's name field takes no text");
    }
    return over(FLOW_JOIN_BUTTON, PLATFORM_LEFT_UI_NOT_FOUND,
                "the page shows no name field and join button");
}

/* Microphone and camera off, then the name, then the button. */
static FlowStep prejoin(Flow *flow, const FlowReading *reading, int64_t now_ms)
{
    static const FlowPurpose in_the_way[] = {FLOW_CONSENT, FLOW_DISMISS, FLOW_WITHOUT_ACCOUNT,
                                             FLOW_MIC_IS_ON, FLOW_CAMERA_IS_ON};
    int64_t since_ms = flow->phase == FLOW_PHASE_PREJOIN ? flow->start_ms : flow->knocked_ms;
    if (now_ms - since_ms >= flow->prejoin_ms) {
        return stuck(flow, reading);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(in_the_way); i++) {
        if (is_in_the_way(flow, reading, in_the_way[i])) {
            flow->uncovered_ms = now_ms;
            return click(in_the_way[i]);
        }
    }
    if (shows(reading, FLOW_NAME_FIELD) && !flow->named) {
        return (FlowStep){.todo = FLOW_DO_NAME, .purpose = FLOW_NAME_FIELD};
    }
    if (shows(reading, FLOW_PASSCODE_FIELD) && !flow->passcode_given) {
        return give_passcode(flow);
    }
    bool uncovered = flow->uncovered_ms > flow->knocked_ms &&
                     now_ms - flow->uncovered_ms >= REJOIN_BEHIND_DIALOG_MS;
    if (shows(reading, FLOW_JOIN_BUTTON) && (flow->phase == FLOW_PHASE_PREJOIN || uncovered ||
                                             now_ms - flow->knocked_ms >= flow->rejoin_ms)) {
        /* Each press begins its own wait; all of them together have an end, too. */
        flow->joining_since_ms = flow->n_joins++ == 0 ? now_ms : flow->joining_since_ms;
        if (now_ms - flow->joining_since_ms >= flow->prejoin_ms) {
            return over(FLOW_JOIN_BUTTON, PLATFORM_LEFT_UI_NOT_FOUND,
                        "the page's join button leads nowhere");
        }
        flow->phase = FLOW_PHASE_KNOCKING;
        flow->joined_once = true;
        flow->knocked_ms = now_ms;
        return click(FLOW_JOIN_BUTTON);
    }
    return nothing();
}

/* A lobby that does not say what it is. */
static bool seems_lobby(const Flow *flow, const FlowReading *reading, int64_t now_ms)
{
    bool waits = flow->joined_once && !shows(reading, FLOW_JOIN_BUTTON) &&
                 reading->n_in_call < flow->in_call_min;
    return waits &&
           ((shows(reading, FLOW_LOBBY_HINT) && now_ms - flow->knocked_ms >= flow->lobby_hint_ms) ||
            (flow->infer_lobby_ms > 0 && now_ms - flow->knocked_ms >= flow->infer_lobby_ms));
}

/* A page that does not change by itself when the host comes: a lobby all the same. */
static FlowStep not_started(Flow *flow, int64_t now_ms)
{
    FlowStep step = nothing();
    step.purpose = FLOW_NOT_STARTED;
    step.lobby = !flow->lobby_seen;
    step.host_changed = !flow->host_absent;
    flow->lobby_seen = flow->host_absent = true;
    if (flow->loaded_ms < 0) {
        flow->loaded_ms = now_ms;
    } else if (now_ms - flow->loaded_ms >= flow->reload_ms) {
        flow->loaded_ms = now_ms;
        flow->phase = FLOW_PHASE_PREJOIN;
        flow->named = flow->passcode_given = false;
        flow->n_joins = 0;
        flow->start_ms = now_ms;
        step.todo = FLOW_DO_RELOAD;
    }
    return step;
}

static FlowStep before_call(Flow *flow, const FlowReading *reading, int64_t now_ms)
{
    bool host_absent = shows(reading, FLOW_HOST_ABSENT);
    bool in_lobby = shows(reading, FLOW_LOBBY) || host_absent || seems_lobby(flow, reading, now_ms);
    bool in_call = reading->n_in_call >= flow->in_call_min && !shows(reading, FLOW_JOIN_BUTTON);
    FlowStep step = nothing();
    if (reading->told_left) {
        return over(FLOW_N_PURPOSES, reading->told, reading->told_message);
    }
    if (reading->place != FLOW_PLACE_HOME) {
        return elsewhere(flow, reading, now_ms);
    }
    flow->elsewhere_since_ms = -1;
    /* In the call people's names are on the page, and a name may be any text. */
    if (in_lobby || !in_call) {
        step = check_walls(reading);
    }
    if (step.todo != FLOW_DO_NOTHING) {
        return step;
    }
    if (shows(reading, FLOW_NOT_STARTED) && !in_call) {
        return not_started(flow, now_ms);
    }
    flow->loaded_ms = -1;
    if (in_lobby) {
        flow->n_call_seen = 0;
        step.host_changed = host_absent != flow->host_absent;
        flow->host_absent = host_absent;
        flow->phase = FLOW_PHASE_LOBBY;
        flow->n_joins = 0;
        step.lobby = !flow->lobby_seen;
        flow->lobby_seen = true;
        step.purpose = host_absent                  ? FLOW_HOST_ABSENT
                       : shows(reading, FLOW_LOBBY) ? FLOW_LOBBY
                                                    : FLOW_LOBBY_HINT;
        if (is_in_the_way(flow, reading, FLOW_CONSENT)) {
            step.todo = FLOW_DO_CLICK;
            step.purpose = FLOW_CONSENT;
        }
        return step;
    }
    flow->n_call_seen = in_call ? flow->n_call_seen + 1 : 0;
    if (flow->n_call_seen >= CALL_SIGHTS) {
        flow->phase = FLOW_PHASE_CALL;
        step.admitted = true;
        step.purpose = FLOW_IN_CALL;
        step.recording_denied = shows(reading, FLOW_RECORDING_DENIED);
        flow->denial_seen = step.recording_denied;
        return step;
    }
    if (in_call) {
        return step;
    }
    if (flow->phase == FLOW_PHASE_LOBBY) { /* let in or sent away: the page is changing */
        return is_in_the_way(flow, reading, FLOW_CONSENT) ? click(FLOW_CONSENT) : step;
    }
    return prejoin(flow, reading, now_ms);
}

static FlowStep check_end(Flow *flow, const FlowReading *reading, int64_t now_ms)
{
    static const struct {
        FlowPurpose purpose;
        PlatformLeft left;
        const char *message;
    } ends[] = {
        {FLOW_REMOVED, PLATFORM_LEFT_REMOVED, "somebody removed the bot from the meeting"},
        {FLOW_ENDED, PLATFORM_LEFT_ENDED, "the meeting ended"},
        {FLOW_REMOVED_PAGE, PLATFORM_LEFT_REMOVED, "somebody removed the bot from the meeting"},
        {FLOW_CONNECTION_FAILED, PLATFORM_LEFT_NETWORK_LOST, "the page lost the connection"},
        {FLOW_ENDED_PAGE, PLATFORM_LEFT_ENDED, "the meeting ended"},
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
    if (reading->place != FLOW_PLACE_HOME) {
        return over(FLOW_N_PURPOSES, PLATFORM_LEFT_PAGE_LOST, "the page went elsewhere");
    }
    if (reading->n_in_call > 0) {
        flow->vanished_since_ms = -1;
    } else if (flow->vanished_since_ms < 0) {
        flow->vanished_since_ms = now_ms;
    } else if (now_ms - flow->vanished_since_ms >= flow->vanished_ms) {
        return over(FLOW_IN_CALL, PLATFORM_LEFT_PAGE_LOST, "the call's controls vanished");
    }
    return nothing();
}

/* What the page says of its network, unless frames prove it wrong. */
static FlowStep check_network(Flow *flow, const FlowReading *reading, int64_t now_ms)
{
    bool lost =
        (shows(reading, FLOW_NETWORK_LOST) || reading->link_failed) && !reading->media_flows;
    if (!lost) {
        flow->network_since_ms = -1;
    } else if (flow->network_since_ms < 0) {
        flow->network_since_ms = now_ms;
    } else if (now_ms - flow->network_since_ms >= flow->network_lost_ms) {
        return over(FLOW_NETWORK_LOST, PLATFORM_LEFT_NETWORK_LOST,
                    "the page could not reach the meeting any more");
    }
    return nothing();
}

/* Off at once; on with patience, since a page may take its time to show that it is. */
static FlowStep keep_camera(Flow *flow, const FlowReading *reading, int64_t now_ms)
{
    FlowStep step = nothing();
    if (!flow->want_camera) {
        return is_in_the_way(flow, reading, FLOW_CAMERA_IS_ON) ? click(FLOW_CAMERA_IS_ON) : step;
    }
    if (!shows(reading, FLOW_CAMERA_IS_OFF)) {
        flow->n_camera_clicks = 0;
        return step;
    }
    if (flow->n_camera_clicks > MAX_CAMERA_CLICKS ||
        (flow->n_camera_clicks > 0 && now_ms - flow->camera_clicked_ms < CAMERA_RETRY_MS)) {
        return step;
    }
    if (flow->n_camera_clicks++ == MAX_CAMERA_CLICKS) {
        step.camera_gave_up = true;
        return step;
    }
    flow->camera_clicked_ms = now_ms;
    return click(FLOW_CAMERA_IS_OFF);
}

static FlowStep keep_devices(Flow *flow, const FlowReading *reading, int64_t now_ms)
{
    FlowStep camera = keep_camera(flow, reading, now_ms);
    if (camera.todo != FLOW_DO_NOTHING || camera.camera_gave_up) {
        return camera;
    }
    FlowPurpose button = flow->want_open_mic ? FLOW_MIC_IS_OFF : FLOW_MIC_IS_ON;
    if (!shows(reading, button)) {
        flow->n_mic_clicks = 0;
        return nothing();
    }
    if (flow->n_mic_clicks > MAX_MIC_CLICKS ||
        (flow->n_mic_clicks > 0 && now_ms - flow->mic_clicked_ms < MIC_RETRY_MS)) {
        return nothing();
    }
    if (flow->n_mic_clicks++ == MAX_MIC_CLICKS) {
        FlowStep step = nothing();
        step.mic_gave_up = true;
        return step;
    }
    flow->mic_clicked_ms = now_ms;
    return click(button);
}

/* What the button shows: "turn off" stands on an open microphone. It opens with a connection that
 * carries it: what is said before is lost. */
static bool note_mic(Flow *flow, const FlowReading *reading)
{
    bool open = shows(reading, FLOW_MIC_IS_ON), closed = shows(reading, FLOW_MIC_IS_OFF);
    int before = flow->mic;
    if (open != closed && !(open && reading->unsent)) {
        flow->mic = open ? FLOW_MIC_OPEN : FLOW_MIC_CLOSED;
    }
    return (int)flow->mic != before;
}

/* Some clients enter the call without its sound: their button is pressed until there is some, and
 * never beside it, where it mutes. */
static FlowStep join_audio(Flow *flow, const FlowReading *reading, int64_t now_ms)
{
    FlowStep step = nothing();
    if (!reading->soundless || !flow->joins_audio) {
        flow->soundless_since_ms = -1;
        flow->n_audio_clicks = 0;
        return step;
    }
    if (flow->soundless_since_ms < 0) {
        flow->soundless_since_ms = now_ms;
    }
    int64_t without_ms = now_ms - flow->soundless_since_ms;
    if (!flow->no_sound_told &&
        without_ms >= AUDIO_PATIENCE_MS + FAST_AUDIO_CLICKS * AUDIO_RETRY_MS) {
        flow->no_sound_told = step.no_sound = true;
        return step;
    }
    int64_t wait_ms =
        flow->n_audio_clicks < FAST_AUDIO_CLICKS ? AUDIO_RETRY_MS : AUDIO_SLOW_RETRY_MS;
    bool may = flow->n_audio_clicks == 0 ? without_ms >= AUDIO_PATIENCE_MS
                                         : now_ms - flow->audio_clicked_ms >= wait_ms;
    if (!may || flow->n_audio_clicks >= MAX_AUDIO_CLICKS || !shows(reading, FLOW_JOIN_AUDIO)) {
        return step;
    }
    flow->n_audio_clicks++;
    flow->audio_clicked_ms = now_ms;
    return click(FLOW_JOIN_AUDIO);
}

/* The host put the bot back: the lobby shows, with too few marks for a call, or (the lobby may show
 * the call's controls, too) while nothing is heard or seen. In a call some page text might do that.
 */
static bool is_back_in_lobby(Flow *flow, const FlowReading *reading)
{
    bool lobby = (shows(reading, FLOW_LOBBY) || shows(reading, FLOW_HOST_ABSENT)) &&
                 (reading->n_in_call < flow->in_call_min || !reading->media_flows);
    flow->n_lobby_seen = lobby ? flow->n_lobby_seen + 1 : 0;
    return flow->n_lobby_seen >= LOBBY_SIGHTS;
}

static FlowStep back_in_lobby(Flow *flow, const FlowReading *reading)
{
    FlowStep step = nothing();
    flow->phase = FLOW_PHASE_LOBBY;
    flow->n_call_seen = flow->n_lobby_seen = flow->n_end_seen = 0;
    flow->vanished_since_ms = flow->network_since_ms = flow->soundless_since_ms = -1;
    flow->lobby_seen = true;
    flow->host_absent = shows(reading, FLOW_HOST_ABSENT);
    step.lobby = true;
    step.host_changed = flow->host_absent;
    step.purpose = flow->host_absent ? FLOW_HOST_ABSENT : FLOW_LOBBY;
    return step;
}

static FlowStep in_call(Flow *flow, const FlowReading *reading, int64_t now_ms)
{
    if (reading->told_left) {
        return over(FLOW_N_PURPOSES, reading->told, reading->told_message);
    }
    if (is_back_in_lobby(flow, reading)) {
        return back_in_lobby(flow, reading);
    }
    FlowStep step = check_end(flow, reading, now_ms);
    if (step.todo == FLOW_DO_NOTHING) {
        step = check_network(flow, reading, now_ms);
    }
    if (step.todo != FLOW_DO_NOTHING) {
        return step;
    }
    if (shows(reading, FLOW_RECORDING_DENIED) && !flow->denial_seen) {
        flow->denial_seen = true;
        step.recording_denied = true;
        step.purpose = FLOW_RECORDING_DENIED;
        return step;
    }
    if (is_in_the_way(flow, reading, FLOW_RECORDING_DENIED)) {
        return click(FLOW_DIALOG_DISMISS);
    }
    if (is_in_the_way(flow, reading, FLOW_CONSENT)) {
        return click(FLOW_CONSENT);
    }
    bool ending = shows(reading, FLOW_REMOVED) || shows(reading, FLOW_ENDED) ||
                  shows(reading, FLOW_REMOVED_PAGE) || shows(reading, FLOW_ENDED_PAGE);
    if (reading->unknown_dialog != NULL && !ending) {
        return (FlowStep){.todo = FLOW_DO_DIALOG, .purpose = FLOW_DIALOG_DISMISS};
    }
    step = join_audio(flow, reading, now_ms);
    return step.todo != FLOW_DO_NOTHING || step.no_sound ? step
                                                         : keep_devices(flow, reading, now_ms);
}

FlowStep flow_step(Flow *flow, const FlowReading *reading, int64_t now_ms)
{
    if (!flow->started) {
        flow->started = true;
        flow->start_ms = now_ms;
        flow->vanished_since_ms = flow->network_since_ms = flow->elsewhere_since_ms = -1;
        flow->loaded_ms = flow->soundless_since_ms = -1;
    }
    if (flow->phase != FLOW_PHASE_CALL) {
        return before_call(flow, reading, now_ms);
    }
    bool mic_changed = note_mic(flow, reading);
    FlowStep step = in_call(flow, reading, now_ms);
    step.mic_changed = mic_changed;
    return step;
}
