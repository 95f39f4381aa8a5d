/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "platforms/teams/roster.h"

/*
 * Whose voice is in the mix. Teams sends one mixed stream; who speaks in it is told, in this order
 * of trust, by the packet's contributing sources, by a fresh dominant-speaker message, by the rings
 * around the page's tiles, by captions that name somebody now, and by an older dominant-speaker
 * message. With none of these the voice
 * stays nobody's: it is never guessed. No I/O, no clock.
 */

typedef struct {
    int64_t dominant[TEAMS_MAX_SPEAKERS]; /* as last told */
    unsigned n_dominant;
    int64_t dominant_ns;             /* when; 0: never */
    uint32_t shown[MEDIA_MAX_CSRCS]; /* sources whose tiles have a ring now */
    uint8_t n_shown;
    int64_t captioned; /* the source that captions named last */
    int64_t captioned_ns;
    int64_t no_evidence_ns; /* since when packets came without a contributing source; 0: not so */
} TeamsVoices;

typedef enum {
    TEAMS_EVIDENCE_NONE,
    TEAMS_EVIDENCE_SOURCES,
    TEAMS_EVIDENCE_DOMINANT,
    TEAMS_EVIDENCE_SHOWN,
    TEAMS_EVIDENCE_CAPTION,
    TEAMS_EVIDENCE_STALE,
} TeamsEvidence;

void teams_voices_init(TeamsVoices *voices);
void teams_voices_dominant(TeamsVoices *voices, const int64_t *source_ids, unsigned n,
                           int64_t now_ns);
/** What the page shows from now on, at most MEDIA_MAX_CSRCS sources. */
void teams_voices_shown(TeamsVoices *voices, const uint32_t *sources, unsigned n);
void teams_voices_caption(TeamsVoices *voices, TeamsRoster *roster, const char *user_id,
                          int64_t now_ns);

/**
 * teams_voices_attribute:
 * @frame: a packet of the mix
 * @ret_sources: at least MEDIA_MAX_CSRCS places
 *
 * Fills in who speaks in @frame. Returns by what evidence; *@ret_n is 0 with none.
 */
TeamsEvidence teams_voices_attribute(TeamsVoices *voices, TeamsRoster *roster,
                                     const MediaEncodedFrame *frame, uint32_t *ret_sources,
                                     uint8_t *ret_n);

/** Whether the mix has come for @for_ns without any word on who speaks, so that captions would
 *  help. */
bool teams_voices_want_captions(const TeamsVoices *voices, int64_t now_ns, int64_t for_ns);
