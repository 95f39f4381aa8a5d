/* SPDX-License-Identifier: Apache-2.0 */
#include "media/ledger.h"

typedef struct {
    uint32_t source, participant_id;
    int64_t from_ns;
} Binding;

typedef struct {
    uint32_t source;
    int64_t start_ns, end_ns; /* end -1: speaks on */
} Turn;

typedef struct {
    int64_t from_ns, to_ns; /* to INT64_MAX: lasts */
} Cut;

struct MediaLedger {
    GMutex lock;
    /* --- protected by lock */
    GArray *bindings; /* of Binding, by time */
    GArray *turns;    /* of Turn */
    GArray *cuts;     /* of Cut */
    bool started;
    int64_t start_ns, stop_ns;
};

MediaLedger *media_ledger_new(void)
{
    MediaLedger *ledger = g_new0(MediaLedger, 1);
    g_mutex_init(&ledger->lock);
    ledger->bindings = g_array_new(FALSE, FALSE, sizeof(Binding));
    ledger->turns = g_array_new(FALSE, FALSE, sizeof(Turn));
    ledger->cuts = g_array_new(FALSE, FALSE, sizeof(Cut));
    ledger->stop_ns = INT64_MAX;
    return ledger;
}

void media_ledger_free(MediaLedger *ledger)
{
    g_array_unref(ledger->bindings);
    g_array_unref(ledger->turns);
    g_array_unref(ledger->cuts);
    g_mutex_clear(&ledger->lock);
    g_free(ledger);
}

static uint32_t participant_locked(const MediaLedger *ledger, uint32_t source, int64_t at_ns)
{
    uint32_t found = 0;
    for (guint i = 0; i < ledger->bindings->len; i++) {
        const Binding *binding = &g_array_index(ledger->bindings, Binding, i);
        /* A binding to nobody is open: the one after it counts for its time, too. */
        if (binding->source == source && (found == 0 || binding->from_ns <= at_ns)) {
            found = binding->participant_id;
        }
    }
    return found;
}

void media_ledger_bind(MediaLedger *ledger, uint32_t source, uint32_t participant_id, int64_t at_ns)
{
    g_mutex_lock(&ledger->lock);
    if (participant_locked(ledger, source, INT64_MAX) != participant_id) {
        Binding binding = {source, participant_id, at_ns};
        g_array_append_val(ledger->bindings, binding);
    }
    g_mutex_unlock(&ledger->lock);
}

uint32_t media_ledger_participant(MediaLedger *ledger, uint32_t source, int64_t at_ns)
{
    g_mutex_lock(&ledger->lock);
    uint32_t participant_id = participant_locked(ledger, source, at_ns);
    g_mutex_unlock(&ledger->lock);
    return participant_id;
}

bool media_ledger_source_of(MediaLedger *ledger, uint32_t participant_id, uint32_t *ret_source)
{
    bool found = false;
    g_mutex_lock(&ledger->lock);
    for (guint i = 0; i < ledger->bindings->len; i++) {
        const Binding *binding = &g_array_index(ledger->bindings, Binding, i);
        if (binding->participant_id == participant_id) {
            *ret_source = binding->source;
            found = true;
        }
    }
    g_mutex_unlock(&ledger->lock);
    return found;
}

void media_ledger_start(MediaLedger *ledger, int64_t at_ns)
{
    g_mutex_lock(&ledger->lock);
    ledger->started = true;
    ledger->start_ns = at_ns;
    g_mutex_unlock(&ledger->lock);
}

void media_ledger_pause(MediaLedger *ledger, int64_t at_ns)
{
    Cut cut = {at_ns, INT64_MAX};
    g_mutex_lock(&ledger->lock);
    g_array_append_val(ledger->cuts, cut);
    g_mutex_unlock(&ledger->lock);
}

void media_ledger_resume(MediaLedger *ledger, int64_t at_ns)
{
    g_mutex_lock(&ledger->lock);
    g_assert(ledger->cuts->len > 0);
    g_array_index(ledger->cuts, Cut, ledger->cuts->len - 1).to_ns = at_ns;
    g_mutex_unlock(&ledger->lock);
}

void media_ledger_stop(MediaLedger *ledger, int64_t at_ns)
{
    g_mutex_lock(&ledger->lock);
    ledger->stop_ns = at_ns;
    g_mutex_unlock(&ledger->lock);
}

static int64_t to_recording_locked(const MediaLedger *ledger, int64_t at_ns)
{
    int64_t time = at_ns - ledger->start_ns;
    for (guint i = 0; i < ledger->cuts->len; i++) {
        const Cut *cut = &g_array_index(ledger->cuts, Cut, i);
        if (at_ns > cut->from_ns) {
            time -= MIN(at_ns, cut->to_ns) - cut->from_ns;
        }
    }
    return time;
}

int64_t media_ledger_to_recording(MediaLedger *ledger, int64_t at_ns)
{
    g_mutex_lock(&ledger->lock);
    bool inside = ledger->started && at_ns >= ledger->start_ns && at_ns <= ledger->stop_ns;
    int64_t time = inside ? to_recording_locked(ledger, at_ns) : -1;
    g_mutex_unlock(&ledger->lock);
    return time;
}

bool media_ledger_records(MediaLedger *ledger, int64_t at_ns)
{
    g_mutex_lock(&ledger->lock);
    bool records = ledger->started && at_ns >= ledger->start_ns && at_ns < ledger->stop_ns;
    for (guint i = 0; i < ledger->cuts->len && records; i++) {
        const Cut *cut = &g_array_index(ledger->cuts, Cut, i);
        records = at_ns < cut->from_ns || at_ns >= cut->to_ns;
    }
    g_mutex_unlock(&ledger->lock);
    return records;
}

void media_ledger_speech(MediaLedger *ledger, uint32_t source, bool speaking, int64_t at_ns)
{
    g_mutex_lock(&ledger->lock);
    if (speaking) {
        Turn turn = {source, at_ns, -1};
        g_array_append_val(ledger->turns, turn);
    } else {
        for (guint i = ledger->turns->len; i-- > 0;) {
            Turn *turn = &g_array_index(ledger->turns, Turn, i);
            if (turn->source == source) {
                turn->end_ns = at_ns;
                break;
            }
        }
    }
    g_mutex_unlock(&ledger->lock);
}

static int compare_segments(gconstpointer a, gconstpointer b)
{
    const MediaSpeechSegment *left = a, *right = b;
    if (left->start_ns != right->start_ns) {
        return left->start_ns < right->start_ns ? -1 : 1;
    }
    return (left->source > right->source) - (left->source < right->source);
}

GArray *media_ledger_dup_segments(MediaLedger *ledger, int64_t now_ns)
{
    GArray *segments = g_array_new(FALSE, FALSE, sizeof(MediaSpeechSegment));
    g_mutex_lock(&ledger->lock);
    for (guint i = 0; i < ledger->turns->len && ledger->started; i++) {
        const Turn *turn = &g_array_index(ledger->turns, Turn, i);
        int64_t start = MAX(turn->start_ns, ledger->start_ns);
        int64_t end = MIN(turn->end_ns < 0 ? now_ns : turn->end_ns, ledger->stop_ns);
        if (end <= start) {
            continue;
        }
        MediaSpeechSegment segment = {
            .source = turn->source,
            .participant_id = participant_locked(ledger, turn->source, start),
            .start_ns = to_recording_locked(ledger, start),
            .end_ns = to_recording_locked(ledger, end),
        };
        if (segment.end_ns > segment.start_ns) {
            g_array_append_val(segments, segment);
        }
    }
    g_mutex_unlock(&ledger->lock);
    g_array_sort(segments, compare_segments);
    return segments;
}
