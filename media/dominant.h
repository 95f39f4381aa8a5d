/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Who is the active speaker. After Volfin and Cohen, "Dominant speaker identification for
 * multipoint videoconferencing" (Computer Speech & Language 27, 2013): each source's level is
 * scored over an immediate, a medium and a long window; a challenger takes over when it beats the
 * present speaker in all three, so that a cough does not switch and an answer does. The last
 * speaker stays through silence. Not thread safe; no clock of its own.
 */

typedef struct MediaDominant MediaDominant;

MediaDominant *media_dominant_new(void);
void media_dominant_free(MediaDominant *dominant);

/** @source sent an interval of @level_db (dBFS); a speaking source is one the VAD agrees with. */
void media_dominant_feed(MediaDominant *dominant, uint32_t source, int64_t at_ns, double level_db,
                         bool speaking);

/** Decide for the time up to @now_ns; call every 20 ms or so. True when the speaker changed. */
bool media_dominant_step(MediaDominant *dominant, int64_t now_ns);

/** The platform says that @source speaks; counts for a while where levels leave it open. */
void media_dominant_hint(MediaDominant *dominant, uint32_t source, int64_t now_ns);

/** @source left: somebody else may take over at once. */
void media_dominant_remove(MediaDominant *dominant, uint32_t source);

/** False while nobody has spoken yet. */
bool media_dominant_get(const MediaDominant *dominant, uint32_t *ret_source);
