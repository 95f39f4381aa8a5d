/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/engine_priv.h"
#include "media/finalizer.h"
#include "tests/media/playback.h"
#include "tests/media/synth.h"

/*
 * A meeting on a clock of its own: three people with cameras who speak when the test says so, an
 * engine that records them, and what came of it.
 */

#define MEETING_MS INT64_C(1000000)
#define MEETING_START_NS INT64_C(5000000000000)
#define MEETING_PEOPLE 3

typedef struct {
    int64_t from_ms, to_ms;
} MeetingSpan;

typedef struct {
    MediaEngine *engine;
    char *output_dir;
    int64_t now_ms; /* since MEETING_START_NS */
    SynthVoice *voices[MEETING_PEOPLE + 1];
    SynthCamera *cameras[MEETING_PEOPLE + 1];
    /* by person, from 1; ended by a span to 0 */
    const MeetingSpan *speech[MEETING_PEOPLE + 1];
    const MeetingSpan *camera_off[MEETING_PEOPLE + 1];
    int fps[MEETING_PEOPLE + 1];
    int camera_width; /* 16:9 */
    int camera_noise_bits;
    unsigned jitter_ms;    /* of receive times */
    unsigned loss_percent; /* of packets and pictures */
    unsigned double_percent;
    int drift_ppm;       /* how much faster the senders' clocks run than the engine's */
    uint32_t rtp_offset; /* of the cameras' timestamps */
    uint32_t ssrc;       /* added to everybody's */
    uint32_t seed;
    unsigned n_pictures[MEETING_PEOPLE + 1]; /* sent */
    bool clapper; /* person 1: a white picture and a beep together, on every whole second */

    GPtrArray *recording_ops; /* of char*: "started 0", … */
    GPtrArray *warnings;      /* of char*: "code: message" */
    GArray *speech_events;    /* of MediaSpeech */
    GError *error;            /* owned: of on_error */
    GArray *pcm;              /* of int16_t */
    uint64_t n_forgotten;     /* samples before those */
} Meeting;

/** A meeting of three; track and source of person n are 10 + n and 100 + n, the camera's 20 + n. */
Meeting *meeting_new(const MediaEngineConfig *config);
void meeting_free(Meeting *meeting);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Meeting, meeting_free)

/** The usual: speaker view, 640x360 at 25, nobody streams. */
MediaEngineConfig meeting_config(void);

/** The engine's clock when the senders' is at @at_ms. */
int64_t meeting_clock_ns(const Meeting *meeting, int64_t at_ms);

/** Everybody sends until @to_ms. */
void meeting_run(Meeting *meeting, int64_t to_ms);

/** Nobody sends any more: let time pass. */
void meeting_idle(Meeting *meeting, int64_t to_ms);

/** Dispatch what the engine has to say. */
void meeting_dispatch(Meeting *meeting);

/** What was heard and said up to now is of no interest. */
void meeting_forget(Meeting *meeting);

/** Stop, finalize and load what came of it. */
void meeting_finish(Meeting *meeting, Playback *ret_playback, MediaFinalized *ret_finalized);
