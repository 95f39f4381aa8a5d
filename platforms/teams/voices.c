/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/teams/voices.h"

#include <string.h>

#define FRESH_NS (INT64_C(2) * G_USEC_PER_SEC * 1000)
#define CAPTION_NS (INT64_C(1500) * 1000000)
#define STALE_NS (INT64_C(60) * G_USEC_PER_SEC * 1000)

void teams_voices_init(TeamsVoices *voices)
{
    *voices = (TeamsVoices){.captioned = TEAMS_NO_SOURCE};
}

void teams_voices_dominant(TeamsVoices *voices, const int64_t *source_ids, unsigned n,
                           int64_t now_ns)
{
    voices->n_dominant = MIN(n, TEAMS_MAX_SPEAKERS);
    memcpy(voices->dominant, source_ids, sizeof *source_ids * voices->n_dominant);
    voices->dominant_ns = now_ns;
}

void teams_voices_shown(TeamsVoices *voices, const uint32_t *sources, unsigned n)
{
    voices->n_shown = (uint8_t)MIN(n, MEDIA_MAX_CSRCS);
    for (unsigned i = 0; i < voices->n_shown; i++) {
        voices->shown[i] = sources[i];
    }
}

void teams_voices_caption(TeamsVoices *voices, TeamsRoster *roster, const char *user_id,
                          int64_t now_ns)
{
    int64_t source = teams_roster_audio_of(roster, user_id);
    if (source != TEAMS_NO_SOURCE) {
        voices->captioned = source;
        voices->captioned_ns = now_ns;
    }
}

/* The most dominant one who can be it: who is muted or gone is not heard. */
static int64_t dominant_of(const TeamsVoices *voices, TeamsRoster *roster)
{
    for (unsigned i = 0; i < voices->n_dominant; i++) {
        if (teams_roster_can_speak(roster, voices->dominant[i])) {
            return voices->dominant[i];
        }
    }
    return TEAMS_NO_SOURCE;
}

static TeamsEvidence one(int64_t source, TeamsEvidence evidence, uint32_t *ret_sources,
                         uint8_t *ret_n)
{
    ret_sources[0] = (uint32_t)source;
    *ret_n = 1;
    return evidence;
}

TeamsEvidence teams_voices_attribute(TeamsVoices *voices, TeamsRoster *roster,
                                     const MediaEncodedFrame *frame, uint32_t *ret_sources,
                                     uint8_t *ret_n)
{
    int64_t now_ns = frame->receive_ns;
    *ret_n = 0;
    for (unsigned i = 0; i < MIN(frame->n_csrcs, MEDIA_MAX_CSRCS); i++) {
        const char *id = teams_roster_speaker(roster, frame->csrcs[i]);
        if (id == NULL || !teams_roster_is_self(roster, id)) {
            ret_sources[(*ret_n)++] = frame->csrcs[i];
        }
    }
    if (frame->n_csrcs > 0) {
        voices->no_evidence_ns = 0;
        return TEAMS_EVIDENCE_SOURCES;
    }
    int64_t dominant = dominant_of(voices, roster);
    int64_t age_ns = now_ns - voices->dominant_ns;
    bool captioned = voices->captioned != TEAMS_NO_SOURCE &&
                     now_ns - voices->captioned_ns <= CAPTION_NS &&
                     teams_roster_can_speak(roster, voices->captioned);
    if (voices->no_evidence_ns == 0) {
        voices->no_evidence_ns = now_ns;
    }
    if (dominant != TEAMS_NO_SOURCE && age_ns <= FRESH_NS) {
        voices->no_evidence_ns = 0;
        return one(dominant, TEAMS_EVIDENCE_DOMINANT, ret_sources, ret_n);
    }
    if (voices->n_shown > 0) {
        voices->no_evidence_ns = 0;
        memcpy(ret_sources, voices->shown, sizeof *voices->shown * voices->n_shown);
        *ret_n = voices->n_shown;
        return TEAMS_EVIDENCE_SHOWN;
    }
    if (captioned) {
        return one(voices->captioned, TEAMS_EVIDENCE_CAPTION, ret_sources, ret_n);
    }
    if (dominant != TEAMS_NO_SOURCE && age_ns <= STALE_NS) {
        voices->no_evidence_ns = 0;
        return one(dominant, TEAMS_EVIDENCE_STALE, ret_sources, ret_n);
    }
    return TEAMS_EVIDENCE_NONE;
}

bool teams_voices_want_captions(const TeamsVoices *voices, int64_t now_ns, int64_t for_ns)
{
    return voices->no_evidence_ns != 0 && now_ns - voices->no_evidence_ns >= for_ns;
}
