// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/mix.h"

#include <opus.h>
#include <string.h>

enum { RATE = 48000 };

/* Stretches nearer than this are one. */
#define GAP_US 200000
/* A mixer goes on naming who has just fallen silent. */
#define HANG_US 100000

typedef struct {
    gint64 start_us, end_us;
} Stretch;

static gint64 to_samples(gint64 us)
{
    return (us * (RATE / 1000) + 999) / 1000; /* stretches begin on the grid, microseconds don't */
}

static bool is_heard(const MeetingScenario *scenario, const MeetingSource *source, gint64 at_us)
{
    double at_s = (double)at_us / 1e6;
    return meeting_person_present(source->person, at_s) &&
           !meeting_person_muted(scenario, source->person, at_s);
}

bool meeting_mix_contributes(const MeetingScenario *scenario, const MeetingSource *source,
                             gint64 at_us, gint64 hang_us)
{
    if (!is_heard(scenario, source, at_us))
        return false;
    for (guint i = 0; i < source->runs->len; i++) {
        const MeetingRun *run = g_ptr_array_index(source->runs, i);
        for (guint k = 0; k + 1 < run->segments->len; k += 2) {
            if (at_us >= g_array_index(run->segments, gint64, k) - hang_us &&
                at_us < g_array_index(run->segments, gint64, k + 1) + hang_us)
                return true;
        }
    }
    return false;
}

static gint by_start(gconstpointer a, gconstpointer b)
{
    const Stretch *first = a, *second = b;
    return first->start_us < second->start_us ? -1 : first->start_us > second->start_us;
}

/* Where anybody's packets are, overlapping and near ones joined. */
static GArray *find_stretches(GPtrArray *sources)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(Stretch));
    for (guint i = 0; i < sources->len; i++) {
        const MeetingSource *source = g_ptr_array_index(sources, i);
        for (guint k = 0; k < source->runs->len; k++) {
            const MeetingRun *run = g_ptr_array_index(source->runs, k);
            Stretch stretch = {run->start_us,
                               run->start_us + (gint64)run->packets->len * MEETING_PACKET_US};
            g_array_append_val(all, stretch);
        }
    }
    g_array_sort(all, by_start);
    GArray *joined = g_array_new(FALSE, FALSE, sizeof(Stretch));
    for (guint i = 0; i < all->len; i++) {
        const Stretch *next = &g_array_index(all, Stretch, i);
        Stretch *last = joined->len > 0 ? &g_array_index(joined, Stretch, joined->len - 1) : NULL;
        if (last != NULL && next->start_us <= last->end_us + GAP_US)
            last->end_us = MAX(last->end_us, next->end_us);
        else
            g_array_append_val(joined, *next);
    }
    return joined;
}

/* Adds one run to @sum, whose first sample is that of @from_us. */
static void add_run(const MeetingScenario *scenario, const MeetingSource *source,
                    const MeetingRun *run, gint64 from_us, GArray *sum)
{
    int failed = 0;
    OpusDecoder *decoder = opus_decoder_create(RATE, 1, &failed);
    g_assert(failed == OPUS_OK);
    for (guint i = 0; i < run->packets->len; i++) {
        gint16 samples[MEETING_PACKET_SAMPLES];
        gsize length;
        const guint8 *data = g_bytes_get_data(g_ptr_array_index(run->packets, i), &length);
        gint64 at_us = run->start_us + (gint64)i * MEETING_PACKET_US;
        int n = opus_decode(decoder, data, (opus_int32)length, samples, MEETING_PACKET_SAMPLES, 0);
        gint64 at = to_samples(at_us) - to_samples(from_us);
        if (!is_heard(scenario, source, at_us))
            continue;
        for (int k = 0; k < n && at + k < sum->len; k++) {
            gint16 *place = &g_array_index(sum, gint16, at + k);
            *place = (gint16)CLAMP(*place + samples[k], G_MININT16, G_MAXINT16);
        }
    }
    opus_decoder_destroy(decoder);
}

static void note_speakers(const MeetingScenario *scenario, GPtrArray *sources, MeetingRun *run)
{
    run->speakers = g_array_new(FALSE, TRUE, sizeof(MeetingSpeakers));
    g_array_set_size(run->speakers, run->packets->len);
    for (guint i = 0; i < run->packets->len; i++) {
        MeetingSpeakers *speakers = &g_array_index(run->speakers, MeetingSpeakers, i);
        gint64 at_us = run->start_us + (gint64)i * MEETING_PACKET_US;
        for (guint k = 0; k < sources->len && scenario->tells == MEETING_TELLS_SOURCES; k++) {
            const MeetingSource *source = g_ptr_array_index(sources, k);
            if (speakers->n < G_N_ELEMENTS(speakers->ids) &&
                meeting_mix_contributes(scenario, source, at_us, HANG_US))
                speakers->ids[speakers->n++] = source->csrc;
        }
    }
}

GPtrArray *meeting_mix_encode(const MeetingScenario *scenario, GPtrArray *sources, GError **error)
{
    g_autoptr(GPtrArray) runs = g_ptr_array_new_with_free_func((GDestroyNotify)meeting_run_free);
    g_autoptr(GArray) stretches = find_stretches(sources);
    for (guint i = 0; i < stretches->len; i++) {
        const Stretch *stretch = &g_array_index(stretches, Stretch, i);
        g_autoptr(GArray) sum = g_array_new(FALSE, TRUE, sizeof(gint16));
        g_array_set_size(sum, (guint)(to_samples(stretch->end_us) - to_samples(stretch->start_us)));
        for (guint k = 0; k < sources->len; k++) {
            const MeetingSource *source = g_ptr_array_index(sources, k);
            for (guint r = 0; r < source->runs->len; r++) {
                const MeetingRun *run = g_ptr_array_index(source->runs, r);
                if (run->start_us >= stretch->start_us && run->start_us < stretch->end_us)
                    add_run(scenario, source, run, stretch->start_us, sum);
            }
        }
        MeetingRun *run = meeting_run_encode(sum, stretch->start_us, error);
        if (run == NULL)
            return NULL;
        note_speakers(scenario, sources, run);
        g_ptr_array_add(runs, run);
    }
    return g_steal_pointer(&runs);
}
