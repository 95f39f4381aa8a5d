/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Voice activity of one source from the energy of what it sent: an adaptive noise floor that soft
 * steady noise becomes at once, a fast onset, a hangover that bridges the gaps between words, and
 * end times dated back to when the energy ended. Plain data, no clock of its own; times are
 * whatever axis the caller feeds.
 */

typedef enum {
    MEDIA_VAD_NOTHING,
    MEDIA_VAD_START,
    MEDIA_VAD_STOP,
} MediaVadEvent;

#define MEDIA_VAD_LEVELS 30

typedef struct {
    bool speaking;
    int64_t at_ns; /* of the last event */
    /* internal */
    double floor_db;
    double levels_db[MEDIA_VAD_LEVELS]; /* the last ones, a ring */
    unsigned n_levels;                  /* ever */
    bool candidate;
    int64_t candidate_ns; /* when the energy rose */
    int64_t voiced_ns;    /* how much of it was voice since */
    int64_t last_voice_ns;
    int64_t last_fed_ns;
} MediaVad;

void media_vad_init(MediaVad *vad);

/**
 * media_vad_feed:
 * @level_db: of the interval, dBFS (RMS)
 *
 * Feed the interval that begins at @at_ns. On MEDIA_VAD_START and _STOP, @vad->at_ns holds when it
 * happened: at the rise or at the end of the energy, not now.
 */
MediaVadEvent media_vad_feed(MediaVad *vad, int64_t at_ns, int64_t duration_ns, double level_db);

/** Nothing was fed up to @now_ns: packets stopped. */
MediaVadEvent media_vad_elapse(MediaVad *vad, int64_t now_ns);
