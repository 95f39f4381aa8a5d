/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Decodes a delivered recording completely, as a player would, edit lists applied.
 */

typedef struct {
    double time_s;
    bool has_band;
    unsigned person, number;
    int mean_luma; /* of the whole picture */
} PlayedPicture;

typedef struct {
    GArray *pictures;        /* of PlayedPicture */
    GArray *samples;         /* of float, 48 kHz mono, from time 0 */
    double video_s, audio_s; /* as the file says */
    int width, height;
    unsigned n_errors; /* while demuxing and decoding */
} Playback;

/** Asserts that the file can be opened. */
void playback_load(Playback *playback, const char *path);
void playback_clear(Playback *playback);
