/* SPDX-License-Identifier: Apache-2.0 */
#include "media/vad.h"

#include <math.h>

#define MS INT64_C(1000000)

/* Gaps between words are bridged up to this; longer ones end the turn. */
#define HANGOVER_NS (300 * MS)
/* What is shorter is a click, not speech. */
#define ONSET_VOICED_NS (40 * MS)
#define ONSET_WINDOW_NS (100 * MS)
#define RISE_OVER_FLOOR_DB 12.0
#define STAY_OVER_FLOOR_DB 8.0
/* Nothing below is speech, whatever the floor; the floor itself stays in these bounds. */
#define LEAST_DB (-52.0)
#define FLOOR_MIN_DB (-75.0)
#define FLOOR_MAX_DB (-45.0)
/* The floor follows downwards at once, upwards slowly: speech itself must not become the floor. */
#define FLOOR_RISE_DB_PER_S 2.0

void media_vad_init(MediaVad *vad)
{
    *vad = (MediaVad){.floor_db = FLOOR_MIN_DB};
}

/* A fan, a street: soft, and hardly any louder or softer for a while. Speech rises and falls. */
#define NOISE_MAX_DB (-35.0)
#define NOISE_RANGE_DB 4.0

static void note_level(MediaVad *vad, double level_db)
{
    vad->levels_db[vad->n_levels % MEDIA_VAD_LEVELS] = level_db;
    vad->n_levels++;
}

/* Whether all that is known of the last 300 ms is noise. */
static bool is_steady(const MediaVad *vad, double level_db)
{
    double least = level_db, most = level_db;
    unsigned n = vad->n_levels < MEDIA_VAD_LEVELS ? vad->n_levels : MEDIA_VAD_LEVELS;
    for (unsigned i = 0; i < n; i++) {
        least = fmin(least, vad->levels_db[i]);
        most = fmax(most, vad->levels_db[i]);
    }
    return most < NOISE_MAX_DB && most - least < NOISE_RANGE_DB;
}

static MediaVadEvent stop(MediaVad *vad)
{
    vad->speaking = false;
    vad->candidate = false;
    vad->at_ns = vad->last_voice_ns;
    return MEDIA_VAD_STOP;
}

static void follow_floor(MediaVad *vad, int64_t duration_ns, double level_db)
{
    double risen = vad->floor_db + FLOOR_RISE_DB_PER_S * (double)duration_ns / 1e9;
    vad->floor_db = fmin(fmax(fmin(level_db, risen), FLOOR_MIN_DB), FLOOR_MAX_DB);
}

MediaVadEvent media_vad_feed(MediaVad *vad, int64_t at_ns, int64_t duration_ns, double level_db)
{
    follow_floor(vad, duration_ns, level_db);
    note_level(vad, level_db);
    bool steady = is_steady(vad, level_db);
    if (steady && vad->n_levels >= MEDIA_VAD_LEVELS) {
        vad->floor_db = fmin(fmax(level_db, FLOOR_MIN_DB), NOISE_MAX_DB);
    }
    double over = vad->speaking ? STAY_OVER_FLOOR_DB : RISE_OVER_FLOOR_DB;
    bool voice = level_db > fmax(LEAST_DB, vad->floor_db + over) && !(steady && !vad->speaking);
    int64_t end_ns = at_ns + duration_ns;
    vad->last_fed_ns = end_ns;
    if (vad->speaking) {
        if (voice) {
            vad->last_voice_ns = end_ns;
        }
        return end_ns - vad->last_voice_ns >= HANGOVER_NS ? stop(vad) : MEDIA_VAD_NOTHING;
    }
    if (!voice) {
        if (vad->candidate && end_ns - vad->candidate_ns > ONSET_WINDOW_NS) {
            vad->candidate = false;
        }
        return MEDIA_VAD_NOTHING;
    }
    if (!vad->candidate || at_ns - vad->last_voice_ns > ONSET_WINDOW_NS) {
        vad->candidate = true;
        vad->candidate_ns = at_ns;
        vad->voiced_ns = 0;
    }
    vad->last_voice_ns = end_ns;
    vad->voiced_ns += duration_ns;
    if (vad->voiced_ns < ONSET_VOICED_NS) {
        return MEDIA_VAD_NOTHING;
    }
    vad->speaking = true;
    vad->candidate = false;
    vad->at_ns = vad->candidate_ns;
    return MEDIA_VAD_START;
}

MediaVadEvent media_vad_elapse(MediaVad *vad, int64_t now_ns)
{
    if (vad->speaking && now_ns - vad->last_voice_ns >= HANGOVER_NS) {
        return stop(vad);
    }
    return MEDIA_VAD_NOTHING;
}
