/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/null/crowd.h"

typedef struct {
    bool present, unnamed, muted, camera, screen;
    unsigned tone_hz;    /* 0: silent */
    int64_t tone_end_us; /* monotonic */
} State;

struct NullCrowd {
    NullCrowdConfig config;
    State *states; /* owned: one a person of the document */
    bool begun, heard, stopped;
};

NullCrowd *null_crowd_new(const NullCrowdConfig *config)
{
    NullCrowd *crowd = g_new0(NullCrowd, 1);
    const GPtrArray *people = config->document->people;
    crowd->config = *config;
    crowd->states = g_new0(State, people->len + 1);
    for (guint i = 0; i < people->len; i++) {
        const NullPerson *person = g_ptr_array_index(people, i);
        crowd->states[i] =
            (State){.unnamed = person->unnamed, .muted = person->muted, .camera = person->camera};
    }
    return crowd;
}

void null_crowd_free(NullCrowd *crowd)
{
    g_free(crowd->states);
    g_free(crowd);
}

static const NullPerson *get_person(const NullCrowd *crowd, unsigned index)
{
    return g_ptr_array_index(crowd->config.document->people, index);
}

/* --- what is reported --- */

static bool is_reported(const NullCrowd *crowd, unsigned index)
{
    return crowd->begun && !crowd->stopped && crowd->states[index].present;
}

static void report_person(NullCrowd *crowd, unsigned index, PlatformParticipantOp op)
{
    if (!is_reported(crowd, index)) {
        return;
    }
    const NullPerson *person = get_person(crowd, index);
    PlatformParticipant participant = {
        .platform_id = person->id,
        .name = crowd->states[index].unnamed ? "" : person->name,
        .is_host = person->is_host,
        .muted = crowd->states[index].muted,
    };
    crowd->config.events->on_participant(op, &participant, crowd->config.user_data);
}

static void report_source(NullCrowd *crowd, unsigned index, PlatformSourceKind kind)
{
    if (!is_reported(crowd, index)) {
        return;
    }
    const State *state = &crowd->states[index];
    bool is_voice = kind == PLATFORM_SOURCE_AUDIO, is_screen = kind == PLATFORM_SOURCE_SCREEN;
    PlatformSource source = {
        .kind = kind,
        .source = is_voice ? null_sender_voice_source(index)
                           : null_sender_picture_track(index, is_screen),
        .platform_id = get_person(crowd, index)->id,
        .active = is_voice    ? !state->muted
                  : is_screen ? state->screen
                              : state->camera,
    };
    crowd->config.events->on_source(&source, crowd->config.user_data);
}

static void report_track_ended(NullCrowd *crowd, unsigned index, uint32_t track_id)
{
    if (is_reported(crowd, index)) {
        crowd->config.events->on_track_ended(track_id, crowd->config.user_data);
    }
}

static void report_arrival(NullCrowd *crowd, unsigned index)
{
    report_person(crowd, index, PLATFORM_PARTICIPANT_JOINED);
    report_source(crowd, index, PLATFORM_SOURCE_AUDIO);
    if (crowd->states[index].camera) {
        report_source(crowd, index, PLATFORM_SOURCE_VIDEO);
    }
    if (crowd->states[index].screen) {
        report_source(crowd, index, PLATFORM_SOURCE_SCREEN);
    }
}

/* --- what is sent --- */

static void update_media(NullCrowd *crowd, unsigned index, int64_t at_us)
{
    const State *state = &crowd->states[index];
    bool live = crowd->heard && !crowd->stopped && state->present;
    bool seen = live && crowd->config.want_video;
    NullSender *sender = crowd->config.sender;
    null_sender_set_voice(sender, index, live && !state->muted ? state->tone_hz : 0, at_us,
                          state->tone_end_us);
    null_sender_set_picture(sender, index, false, seen && state->camera, at_us);
    null_sender_set_picture(sender, index, true, seen && state->screen, at_us);
}

/* --- steps --- */

static void go(NullCrowd *crowd, unsigned index)
{
    null_sender_stop_person(crowd->config.sender, index);
    report_track_ended(crowd, index, null_sender_voice_track(index));
    report_track_ended(crowd, index, null_sender_picture_track(index, false));
    report_track_ended(crowd, index, null_sender_picture_track(index, true));
    report_person(crowd, index, PLATFORM_PARTICIPANT_LEFT);
    crowd->states[index].present = false;
}

static void set_muted(NullCrowd *crowd, unsigned index, bool muted)
{
    crowd->states[index].muted = muted;
    report_person(crowd, index, PLATFORM_PARTICIPANT_UPDATED);
    report_source(crowd, index, PLATFORM_SOURCE_AUDIO);
}

static void set_picture(NullCrowd *crowd, unsigned index, PlatformSourceKind kind, bool on)
{
    State *state = &crowd->states[index];
    *(kind == PLATFORM_SOURCE_SCREEN ? &state->screen : &state->camera) = on;
    report_source(crowd, index, kind);
}

static void speak(NullCrowd *crowd, unsigned index, unsigned hz, int64_t end_us)
{
    State *state = &crowd->states[index];
    state->tone_hz = hz;
    state->tone_end_us = end_us;
    if (hz > 0 && !state->muted && is_reported(crowd, index)) {
        crowd->config.events->on_speaker(get_person(crowd, index)->id, crowd->config.user_data);
    }
}

void null_crowd_step(NullCrowd *crowd, const NullStep *step, int64_t at_us)
{
    unsigned index = step->person;
    NullStepKind kind = step->kind;
    if (kind == NULL_STEP_COME) {
        crowd->states[index].present = true;
        report_arrival(crowd, index);
    } else if (kind == NULL_STEP_GO) {
        go(crowd, index);
    } else if (kind == NULL_STEP_NAME) {
        crowd->states[index].unnamed = false;
        report_person(crowd, index, PLATFORM_PARTICIPANT_UPDATED);
    } else if (kind == NULL_STEP_MUTE || kind == NULL_STEP_UNMUTE) {
        set_muted(crowd, index, kind == NULL_STEP_MUTE);
    } else if (kind == NULL_STEP_SPEAK || kind == NULL_STEP_SILENCE) {
        speak(crowd, index, step->tone_hz, at_us + step->for_us);
    } else if (kind == NULL_STEP_CAMERA_ON || kind == NULL_STEP_CAMERA_OFF) {
        set_picture(crowd, index, PLATFORM_SOURCE_VIDEO, kind == NULL_STEP_CAMERA_ON);
    } else {
        g_assert(kind == NULL_STEP_SCREEN_ON || kind == NULL_STEP_SCREEN_OFF);
        set_picture(crowd, index, PLATFORM_SOURCE_SCREEN, kind == NULL_STEP_SCREEN_ON);
    }
    update_media(crowd, index, at_us);
}

void null_crowd_begin(NullCrowd *crowd)
{
    crowd->begun = true;
    for (guint i = 0; i < crowd->config.document->people->len; i++) {
        report_arrival(crowd, i);
    }
}

void null_crowd_set_heard(NullCrowd *crowd, bool heard)
{
    crowd->heard = heard;
    if (!heard) {
        null_sender_stop(crowd->config.sender);
    }
    for (guint i = 0; i < crowd->config.document->people->len; i++) {
        update_media(crowd, i, g_get_monotonic_time());
    }
}

void null_crowd_stop(NullCrowd *crowd)
{
    crowd->stopped = true;
    null_sender_stop(crowd->config.sender);
}
