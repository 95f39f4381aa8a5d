/* SPDX-License-Identifier: Apache-2.0 */
#include "media/dominant.h"

#include <glib.h>
#include <math.h>

#define MS INT64_C(1000000)

/* One step is the paper's immediate time; N1 steps of levels, N2 mediums, N3 longs as there. */
#define STEP_NS (20 * MS)
#define N1 13 /* sub-bands of the level: how loud */
#define N2 5  /* steps in a medium interval: 100 ms */
#define N3 10 /* mediums in a long interval: 1 s */
#define N_STEPS (N2 * N3)
#define MEDIUM_THRESHOLD 7 /* a step with so many active bands counts */
#define LONG_THRESHOLD 4   /* a medium with so many counting steps counts */
/* Thresholds C1, C2, C3 of the paper, on its log-likelihood ratios. */
#define C1 3.0
#define C2 2.0
#define C3 0.0
/* After a switch nobody else takes over while the new speaker goes on, for so long. */
#define HOLD_NS (400 * MS)
#define HINT_NS (1000 * MS)
#define FLOOR_DB (-65.0)
#define TOP_DB (-20.0)

typedef struct {
    uint32_t source;
    uint8_t bands[N_STEPS]; /* ring, newest at head - 1 */
    double pending_db;      /* loudest since the last step */
    bool pending_speaking;
    int64_t last_loud_ns;
    int64_t hinted_ns;
    double immediate, medium, lasting; /* scores */
} Speaker;

struct MediaDominant {
    GArray *speakers; /* of Speaker */
    int head;
    int64_t next_step_ns;
    bool known;
    uint32_t current;
    int64_t switched_ns;
};

MediaDominant *media_dominant_new(void)
{
    MediaDominant *dominant = g_new0(MediaDominant, 1);
    dominant->speakers = g_array_new(FALSE, TRUE, sizeof(Speaker));
    return dominant;
}

void media_dominant_free(MediaDominant *dominant)
{
    g_array_unref(dominant->speakers);
    g_free(dominant);
}

static Speaker *find(MediaDominant *dominant, uint32_t source)
{
    for (guint i = 0; i < dominant->speakers->len; i++) {
        Speaker *speaker = &g_array_index(dominant->speakers, Speaker, i);
        if (speaker->source == source) {
            return speaker;
        }
    }
    return NULL;
}

static Speaker *find_or_add(MediaDominant *dominant, uint32_t source)
{
    Speaker *speaker = find(dominant, source);
    if (speaker == NULL) {
        Speaker added = {.source = source, .pending_db = FLOOR_DB, .hinted_ns = -HINT_NS};
        g_array_append_val(dominant->speakers, added);
        speaker = &g_array_index(dominant->speakers, Speaker, dominant->speakers->len - 1);
    }
    return speaker;
}

void media_dominant_feed(MediaDominant *dominant, uint32_t source, int64_t at_ns, double level_db,
                         bool speaking)
{
    Speaker *speaker = find_or_add(dominant, source);
    speaker->pending_db = fmax(speaker->pending_db, level_db);
    speaker->pending_speaking |= speaking;
    if (level_db > FLOOR_DB) {
        speaker->last_loud_ns = at_ns;
    }
}

void media_dominant_hint(MediaDominant *dominant, uint32_t source, int64_t now_ns)
{
    find_or_add(dominant, source)->hinted_ns = now_ns;
}

void media_dominant_remove(MediaDominant *dominant, uint32_t source)
{
    for (guint i = 0; i < dominant->speakers->len; i++) {
        if (g_array_index(dominant->speakers, Speaker, i).source == source) {
            g_array_remove_index_fast(dominant->speakers, i);
            return;
        }
    }
}

bool media_dominant_get(const MediaDominant *dominant, uint32_t *ret_source)
{
    if (dominant->known) {
        *ret_source = dominant->current;
    }
    return dominant->known;
}

static double binomial_log(int n, int k)
{
    return lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0);
}

/* Section 3.2 of the paper: k of n sub-units active, binomial under speech against an exponential
 * prior under silence, as a log-likelihood ratio. */
static double score(int k, int n, double p, double lambda)
{
    double value = binomial_log(n, k) + k * log(p) + (n - k) * log(1.0 - p);
    value += lambda * k - log(lambda);
    return fmax(value, 1e-10);
}

static void rate(const MediaDominant *dominant, Speaker *speaker)
{
    int newest = (dominant->head + N_STEPS - 1) % N_STEPS;
    int active_mediums = 0, latest_medium = 0;
    for (int m = 0; m < N3; m++) {
        int counting = 0;
        for (int i = 0; i < N2; i++) {
            int at = (newest - m * N2 - i + 2 * N_STEPS) % N_STEPS;
            counting += speaker->bands[at] >= MEDIUM_THRESHOLD;
        }
        if (m == 0) {
            latest_medium = counting;
        }
        active_mediums += counting >= LONG_THRESHOLD;
    }
    speaker->immediate = score(speaker->bands[newest], N1, 0.5, 0.78);
    speaker->medium = score(latest_medium, N2, 0.5, 24.0);
    speaker->lasting = score(active_mediums, N3, 0.5, 47.0);
}

static bool beats(const Speaker *challenger, const Speaker *current)
{
    return log(challenger->immediate / current->immediate) > C1 &&
           log(challenger->medium / current->medium) > C2 &&
           log(challenger->lasting / current->lasting) > C3;
}

static bool active_lately(const Speaker *speaker)
{
    int n = 0;
    for (int i = 0; i < N_STEPS; i++) {
        n += speaker->bands[i] >= MEDIUM_THRESHOLD;
    }
    return n > 0;
}

/* How much of the last @n steps was speech: what a person would call "is talking now". */
static int recent(const MediaDominant *dominant, const Speaker *speaker, int n)
{
    int count = 0;
    for (int i = 1; i <= n; i++) {
        count += speaker->bands[(dominant->head - i + 2 * N_STEPS) % N_STEPS] >= MEDIUM_THRESHOLD;
    }
    return count;
}

static bool may_take_over(const MediaDominant *dominant, const Speaker *challenger,
                          const Speaker *current, int64_t now_ns)
{
    int talking = recent(dominant, challenger, N2 * 2);
    if (talking < N2) {
        return false; /* under 100 ms of voice in the last 200: a click */
    }
    if (current == NULL || recent(dominant, current, N2 * 3) == 0) {
        return true; /* the floor is free */
    }
    if (now_ns - dominant->switched_ns < HOLD_NS) {
        return false;
    }
    bool hinted = now_ns - challenger->hinted_ns < HINT_NS;
    return beats(challenger, current) ||
           (hinted && challenger->lasting >= current->lasting && talking >= N2 * 2);
}

static void shift_levels(MediaDominant *dominant)
{
    for (guint i = 0; i < dominant->speakers->len; i++) {
        Speaker *speaker = &g_array_index(dominant->speakers, Speaker, i);
        double share = (speaker->pending_db - FLOOR_DB) / (TOP_DB - FLOOR_DB);
        double bands = speaker->pending_speaking ? fmin(fmax(share, 0.0), 1.0) * N1 : 0.0;
        /* What the VAD calls speech counts, however quiet the microphone. */
        speaker->bands[dominant->head] = speaker->pending_speaking && speaker->pending_db > FLOOR_DB
                                             ? (uint8_t)fmax(bands, MEDIUM_THRESHOLD)
                                             : (uint8_t)bands;
        speaker->pending_db = FLOOR_DB;
        speaker->pending_speaking = false;
    }
    dominant->head = (dominant->head + 1) % N_STEPS;
}

static bool choose(MediaDominant *dominant, int64_t now_ns)
{
    Speaker *current = dominant->known ? find(dominant, dominant->current) : NULL;
    Speaker *best = NULL;
    for (guint i = 0; i < dominant->speakers->len; i++) {
        Speaker *speaker = &g_array_index(dominant->speakers, Speaker, i);
        if (!active_lately(speaker)) {
            continue;
        }
        rate(dominant, speaker);
    }
    if (current != NULL) {
        rate(dominant, current);
    }
    for (guint i = 0; i < dominant->speakers->len; i++) {
        Speaker *speaker = &g_array_index(dominant->speakers, Speaker, i);
        if (speaker != current && active_lately(speaker) &&
            may_take_over(dominant, speaker, current, now_ns) &&
            (best == NULL || speaker->medium > best->medium)) {
            best = speaker;
        }
    }
    if (best == NULL) {
        return false;
    }
    dominant->known = true;
    dominant->current = best->source;
    dominant->switched_ns = now_ns;
    return true;
}

bool media_dominant_step(MediaDominant *dominant, int64_t now_ns)
{
    if (now_ns - dominant->next_step_ns > N_STEPS * STEP_NS) {
        dominant->next_step_ns = now_ns;
    }
    bool changed = false;
    while (dominant->next_step_ns <= now_ns) {
        shift_levels(dominant);
        changed |= choose(dominant, dominant->next_step_ns);
        dominant->next_step_ns += STEP_NS;
    }
    return changed;
}
