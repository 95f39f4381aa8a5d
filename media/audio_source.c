/* SPDX-License-Identifier: Apache-2.0 */
#include "media/audio_source.h"

#include "media/trace.h"

#include <math.h>
#include <opus.h>
#include <string.h>

#define MS_SAMPLES (MEDIA_AUDIO_RATE_HZ / 1000)
#define MAX_PACKET_SAMPLES (120 * MS_SAMPLES)
#define OPUS_STEP 120 /* the smallest piece that Opus conceals: 2.5 ms */
#define LEVEL_SAMPLES (10 * MS_SAMPLES)
#define CONCEAL_PIECE (10 * MS_SAMPLES)
#define FADE_SAMPLES (40 * MS_SAMPLES)
#define FADE_IN_SAMPLES (15 * MS_SAMPLES)

/* A source on another receiver is taken to go on where it was when it is that near. */
#define HOP_TOLERANCE (60 * MS_SAMPLES)
/* The longest gap before a known unit that is filled, then silence. */
#define GAP_CONCEAL (100 * MS_SAMPLES)
/* Drift of the two clocks: corrected in silence from the first bound on, anywhere at the second. */
#define DRIFT_IN_SILENCE (3 * MS_SAMPLES)
/* The stream's units wait for nothing but each other: where they stand matters less. */
#define DRIFT_OF_STREAM (25 * MS_SAMPLES)
#define DRIFT_LIMIT (40 * MS_SAMPLES)
#define DRIFT_SUSTAINED (2000 * MS_SAMPLES)
#define SILENCE_PEAK 0.001f

typedef struct {
    MediaTrackBuffer *track; /* borrowed; NULL: no segment */
    int64_t offset;          /* position = unit timestamp + offset */
    int64_t last_seq;
    uint32_t epoch;
} Segment;

struct MediaAudioSource {
    uint32_t id;
    GPtrArray *tracks;    /* borrowed */
    OpusDecoder *decoder; /* owned */
    MediaLevelFunc on_level;
    MediaPacketFunc on_packet; /* NULL: nobody wants them */
    gpointer user_data;

    int64_t position; /* next sample to be rendered */
    int64_t arrival_ns;
    float fifo[MAX_PACKET_SAMPLES * 2];
    int64_t fifo_at, fifo_len;

    Segment segment;
    int64_t concealed;                  /* samples in a row */
    int64_t last_heard;                 /* position after the last real sample */
    int64_t last_place;                 /* where the clock put the last unit played */
    const MediaTrackBuffer *last_track; /* what it came on; only compared */
    int64_t last_seq;
    int64_t drift_since; /* position where the deviation went over the limit; -1: it has not */
    bool was_silent;     /* the last unit's energy */
    bool streams;        /* belongs to the stream's playout */
    float fade;          /* gain of concealment */
    MediaAudioSourceStats stats;
};

int64_t media_ns_to_samples(int64_t ns)
{
    return ns / 125000 * 6 + ns % 125000 * 6 / 125000;
}

int64_t media_samples_to_ns(int64_t samples)
{
    return samples / 6 * 125000 + samples % 6 * 125000 / 6;
}

MediaAudioSource *media_audio_source_new(uint32_t id, GPtrArray *tracks, int64_t position,
                                         MediaLevelFunc on_level, gpointer user_data)
{
    MediaAudioSource *source = g_new0(MediaAudioSource, 1);
    int error;
    source->decoder = opus_decoder_create(MEDIA_AUDIO_RATE_HZ, 1, &error);
    g_assert(error == OPUS_OK);
    source->id = id;
    source->tracks = tracks;
    source->position = source->last_heard = position;
    source->last_place = INT64_MIN;
    source->on_level = on_level;
    source->user_data = user_data;
    source->drift_since = -1;
    return source;
}

void media_audio_source_free(MediaAudioSource *source)
{
    opus_decoder_destroy(source->decoder);
    g_free(source);
}

uint32_t media_audio_source_id(const MediaAudioSource *source)
{
    return source->id;
}

void media_audio_source_set_packet_func(MediaAudioSource *source, MediaPacketFunc on_packet)
{
    source->on_packet = on_packet;
}

void media_audio_source_note_arrival(MediaAudioSource *source, int64_t arrival_ns)
{
    source->arrival_ns = arrival_ns;
}

int64_t media_audio_source_last_arrival_ns(const MediaAudioSource *source)
{
    return source->arrival_ns;
}

void media_audio_source_get_stats(const MediaAudioSource *source, MediaAudioSourceStats *ret_stats)
{
    *ret_stats = source->stats;
}

int64_t media_audio_source_idle(const MediaAudioSource *source)
{
    return source->position - source->last_heard;
}

void media_audio_source_forget_track(MediaAudioSource *source, const MediaTrackBuffer *track)
{
    if (source->segment.track == track) {
        source->segment.track = NULL;
    }
}

/* Where the clock alone would put @unit. */
static int64_t clock_place(const MediaTrackBuffer *track, const MediaUnit *unit)
{
    return media_ns_to_samples(media_track_buffer_time_ns(track, unit->ts));
}

/* A mix's sound is that of everybody who contributes to it. */
static void report_level(MediaAudioSource *source, const MediaEncodedFrame *frame, int64_t place,
                         int64_t n, double db)
{
    const uint32_t own[] = {source->id};
    bool of_others = frame->mixed && frame->n_csrcs > 0;
    const uint32_t *speakers = of_others ? frame->csrcs : own;
    for (int i = 0; i < (of_others ? frame->n_csrcs : 1); i++) {
        source->on_level(speakers[i], media_samples_to_ns(place), media_samples_to_ns(n), db,
                         source->user_data);
    }
}

static void report_levels(MediaAudioSource *source, const MediaEncodedFrame *frame,
                          const float *pcm, int64_t n, int64_t place)
{
    for (int64_t at = 0; at < n; at += LEVEL_SAMPLES) {
        int64_t len = MIN(LEVEL_SAMPLES, n - at);
        double sum = 0;
        for (int64_t i = 0; i < len; i++) {
            sum += (double)pcm[at + i] * (double)pcm[at + i];
        }
        double db = 10.0 * log10(sum / (double)len + 1e-10);
        report_level(source, frame, place + at, len, db);
    }
}

static int64_t decode_pcm(const MediaUnit *unit, float *out)
{
    int64_t n = MIN((int64_t)(unit->size / 2), MAX_PACKET_SAMPLES);
    for (int64_t i = 0; i < n; i++) {
        int16_t value = (int16_t)(unit->data[2 * i] | unit->data[2 * i + 1] << 8);
        out[i] = (float)value / 32768.0f;
    }
    return n;
}

static int64_t unit_samples(const MediaUnit *unit)
{
    if (unit->codec == MEDIA_CODEC_PCM) {
        return MIN((int64_t)(unit->size / 2), MAX_PACKET_SAMPLES);
    }
    int n = opus_packet_get_nb_samples(unit->data, (opus_int32)unit->size, MEDIA_AUDIO_RATE_HZ);
    return n > 0 ? n : 0;
}

static float peak_of(const float *pcm, int64_t n)
{
    float peak = 0;
    for (int64_t i = 0; i < n; i++) {
        peak = fmaxf(peak, fabsf(pcm[i]));
    }
    return peak;
}

/* In silence nobody hears a few samples more or less: go back to the wanted delay. */
static int64_t settle(MediaAudioSource *source, float *pcm, int64_t n, int64_t deviation,
                      const MediaPlacement *placement)
{
    bool silent = peak_of(pcm, n) < SILENCE_PEAK;
    bool both = silent && source->was_silent;
    source->was_silent = silent;
    int64_t tolerance = placement->adaptive ? DRIFT_OF_STREAM : DRIFT_IN_SILENCE;
    if (!both || ABS(deviation) < tolerance) {
        return n;
    }
    int64_t step = MIN(ABS(deviation), n / 4);
    if (deviation > 0) {
        source->segment.offset -= step;
        return n - step;
    }
    memset(pcm + n, 0, (size_t)step * sizeof *pcm);
    source->segment.offset += step;
    return n + step;
}

/* The clocks ran apart without a silence to hide it in. */
static bool drifted(MediaAudioSource *source, int64_t deviation, const MediaPlacement *placement)
{
    int64_t most = placement->adaptive
                       ? DRIFT_LIMIT + placement->max_delay - placement->target_delay
                       : DRIFT_LIMIT;
    int64_t least = placement->adaptive ? INT64_MIN : -DRIFT_LIMIT;
    if (deviation <= most && deviation >= least) {
        source->drift_since = -1;
        return false;
    }
    if (source->drift_since < 0) {
        source->drift_since = source->position;
    }
    return source->position - source->drift_since > DRIFT_SUSTAINED;
}

static void anchor(MediaAudioSource *source, MediaTrackBuffer *track, const MediaUnit *unit,
                   int64_t position)
{
    source->segment = (Segment){
        .track = track, .offset = position - unit->ts, .last_seq = -1, .epoch = unit->epoch};
    source->drift_since = -1;
}

/* After a gap that was not concealed the decoder still holds the end of what came before it and
 * plays it into the first milliseconds of what comes now: fade those in. Starting the decoder anew
 * would cost more, since an encoder that was only not forwarded counts on its past. Nothing is
 * faded when nothing was lost (Opus' own silence). Returns whether to fade. */
static bool begins_after_gap(MediaAudioSource *source, const MediaUnit *unit)
{
    bool follows = source->segment.track == source->last_track && unit->seq >= 0 &&
                   unit->seq == source->last_seq + 1;
    bool gap =
        source->last_place != INT64_MIN && source->position - source->last_heard >= GAP_CONCEAL;
    source->last_track = source->segment.track;
    source->last_seq = unit->seq;
    return gap && !follows;
}

static void fade_in(float *pcm, int64_t n)
{
    const int64_t length = FADE_IN_SAMPLES;
    for (int64_t i = 0; i < MIN(n, length); i++) {
        float share = (float)i / (float)length;
        pcm[i] *= share * share;
    }
}

/* Decode @peeked, whose place is source->position, into the (empty) fifo. */
static void play(MediaAudioSource *source, const MediaUnit *peeked, const MediaPlacement *placement)
{
    MediaTrackBuffer *track = source->segment.track;
    g_autoptr(MediaUnit) unit = media_track_buffer_take(track, peeked);
    int64_t n;
    bool after_gap = begins_after_gap(source, unit);
    if (unit->codec == MEDIA_CODEC_PCM) {
        n = decode_pcm(unit, source->fifo);
    } else {
        n = opus_decode_float(source->decoder, unit->data, (opus_int32)unit->size, source->fifo,
                              MAX_PACKET_SAMPLES, 0);
    }
    if (n <= 0) {
        source->stats.n_lost++;
        return;
    }
    if (source->on_packet != NULL && unit->codec == MEDIA_CODEC_OPUS) {
        source->on_packet(source->id, source->position, unit->data, unit->size, source->user_data);
    }
    if (placement->adaptive && media_trace_on()) {
        media_trace("unit %u %u %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, unit->frame->ssrc,
                    unit->frame->rtp_timestamp, source->position, n);
    }
    if (after_gap) {
        fade_in(source->fifo, n);
    }
    int64_t place = source->last_place = clock_place(track, unit);
    report_levels(source, unit->frame, source->fifo, n, place);
    int64_t deviation = source->position - place - placement->target_delay;
    source->stats.delay = source->position - place;
    n = settle(source, source->fifo, n, deviation, placement);
    if (drifted(source, deviation, placement)) {
        source->segment.track = NULL;
    }
    source->fifo_at = 0;
    source->fifo_len = n;
    source->concealed = 0;
    source->fade = 1;
    source->segment.last_seq = unit->seq;
    source->segment.epoch = unit->epoch;
    source->last_heard = source->position + n;
}

/* Fill the fifo with @n samples of what Opus guesses; @fec: the unit after the gap, or NULL. */
static void conceal(MediaAudioSource *source, int64_t n, const MediaUnit *fec)
{
    int64_t whole = n - n % OPUS_STEP;
    int64_t got = 0;
    if (whole > 0 && fec != NULL && fec->codec == MEDIA_CODEC_OPUS) {
        got = opus_decode_float(source->decoder, fec->data, (opus_int32)fec->size, source->fifo,
                                (int)whole, 1);
    } else if (whole > 0) {
        got = opus_decode_float(source->decoder, NULL, 0, source->fifo, (int)whole, 0);
    }
    got = MAX(got, 0);
    memset(source->fifo + got, 0, (size_t)(n - got) * sizeof *source->fifo);
    source->stats.n_concealed++;
    if (source->streams && media_trace_on()) {
        media_trace("conceal %u %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, source->id,
                    source->position, n);
    }
    source->concealed += n;
    source->fifo_at = 0;
    source->fifo_len = n;
}

/* Concealment must not go on droning: down to nothing over the last FADE_SAMPLES of @limit. */
static void fade_out(MediaAudioSource *source, int64_t limit)
{
    int64_t begin = source->concealed - source->fifo_len;
    float length = (float)MIN(FADE_SAMPLES, limit);
    for (int64_t i = 0; i < source->fifo_len; i++) {
        float left = (float)(limit - begin - i) / length;
        source->fade = fminf(source->fade, fmaxf(left, 0.0f));
        source->fifo[i] *= source->fade;
    }
}

static bool lost_between(const MediaAudioSource *source, const MediaUnit *next)
{
    const Segment *segment = &source->segment;
    return segment->last_seq < 0 || next->seq < 0 || next->epoch != segment->epoch ||
           next->seq > segment->last_seq + 1;
}

/* Before @next, which stands @gap samples ahead. Returns samples of plain silence (0: fifo). */
static int64_t bridge(MediaAudioSource *source, const MediaUnit *next, int64_t gap)
{
    bool opus = next->codec == MEDIA_CODEC_OPUS;
    if (!opus || source->concealed >= GAP_CONCEAL || !lost_between(source, next)) {
        return gap;
    }
    int64_t last = unit_samples(next);
    if (source->concealed == 0) {
        source->stats.n_lost++;
    }
    if (gap <= last) {
        conceal(source, gap, next);
    } else {
        conceal(source, MIN(gap - last, CONCEAL_PIECE), NULL);
        fade_out(source, GAP_CONCEAL);
    }
    return 0;
}

static void drop_unit(MediaAudioSource *source, MediaTrackBuffer *track, const MediaUnit *unit)
{
    source->stats.n_late++;
    media_unit_free(media_track_buffer_take(track, unit));
}

/* What @track has of this source that is newer than what was played from anywhere. */
static const MediaUnit *peek_newer(MediaAudioSource *source, MediaTrackBuffer *track)
{
    for (;;) {
        const MediaUnit *unit = media_track_buffer_peek(track, &source->id);
        if (unit == NULL || clock_place(track, unit) > source->last_place) {
            return unit;
        }
        drop_unit(source, track, unit);
    }
}

/* The head of another track than the segment's that carries this source, earliest first. */
static const MediaUnit *find_elsewhere(MediaAudioSource *source, MediaTrackBuffer **ret_track,
                                       int64_t *ret_place)
{
    const MediaUnit *best = NULL;
    for (guint i = 0; i < source->tracks->len; i++) {
        MediaTrackBuffer *track = g_ptr_array_index(source->tracks, i);
        if (track == source->segment.track) {
            continue;
        }
        const MediaUnit *unit = peek_newer(source, track);
        int64_t place = unit != NULL ? clock_place(track, unit) : 0;
        if (unit != NULL && (best == NULL || place < *ret_place)) {
            best = unit;
            *ret_track = track;
            *ret_place = place;
        }
    }
    return best;
}

/* @unit's place in the segment has passed: play it late, place it anew, or leave it out. */
static void handle_late(MediaAudioSource *source, MediaTrackBuffer *track, const MediaUnit *unit,
                        const MediaPlacement *placement)
{
    int64_t place = clock_place(track, unit);
    int64_t delay = source->position - place;
    if (placement->adaptive && delay <= placement->max_delay) {
        anchor(source, track, unit, source->position);
    } else if (!placement->adaptive && delay <= placement->target_delay) {
        source->segment.track = NULL; /* the anchor is wrong by now, the unit is not */
    } else {
        drop_unit(source, track, unit);
    }
}

/* Where a unit belongs: a stretch under way goes on as late as it is, another begins anew. */
static int64_t wanted_position(const MediaAudioSource *source, const MediaPlacement *placement,
                               int64_t place, bool goes_on)
{
    if (goes_on) {
        return place + (placement->adaptive ? source->stats.delay : placement->target_delay);
    }
    return MAX(place + placement->target_delay, placement->not_before);
}

/* No segment goes on here: begin one with the nearest unit. Returns silence to render, 0 when there
 * is something to play, INT64_MAX when nothing is known. */
static int64_t begin_segment(MediaAudioSource *source, const MediaPlacement *placement)
{
    bool goes_on =
        source->segment.track != NULL && source->position - source->last_heard < GAP_CONCEAL;
    MediaTrackBuffer *track = NULL;
    const MediaUnit *unit;
    int64_t place = 0;
    while ((unit = find_elsewhere(source, &track, &place)) != NULL) {
        int64_t ahead = wanted_position(source, placement, place, goes_on) - source->position;
        int64_t delay = source->position - place;
        if (goes_on ? ABS(ahead) <= HOP_TOLERANCE : ahead == 0) {
            anchor(source, track, unit, source->position);
            return 0;
        }
        if (ahead > 0) {
            return ahead;
        }
        if (placement->adaptive ? delay <= placement->max_delay : -ahead <= DRIFT_IN_SILENCE) {
            anchor(source, track, unit, source->position);
            return 0;
        }
        drop_unit(source, track, unit);
    }
    return INT64_MAX;
}

/* Nothing is there to play. Returns samples of silence (INT64_MAX: until something comes). */
static int64_t run_dry(MediaAudioSource *source, const MediaPlacement *placement, int64_t limit)
{
    bool talking = source->last_heard > 0 && source->segment.track != NULL;
    if (talking && !source->was_silent && source->concealed < placement->conceal &&
        limit >= CONCEAL_PIECE) {
        conceal(source, CONCEAL_PIECE, NULL);
        fade_out(source, placement->conceal);
        return 0;
    }
    if (source->position - source->last_heard >= GAP_CONCEAL) {
        source->segment.track = NULL; /* the talkspurt is over; the next one is anchored anew */
    }
    return limit;
}

/* Decide what comes at source->position. Returns 0 (fifo filled or look again) or silence. */
static int64_t decide(MediaAudioSource *source, const MediaPlacement *placement)
{
    MediaTrackBuffer *track = source->segment.track;
    const MediaUnit *unit = track != NULL ? media_track_buffer_peek(track, &source->id) : NULL;
    if (unit == NULL) {
        int64_t silence = begin_segment(source, placement);
        return silence == 0 ? 0 : run_dry(source, placement, silence);
    }
    int64_t gap = unit->ts + source->segment.offset - source->position;
    if (gap == 0) {
        play(source, unit, placement);
        return 0;
    }
    if (gap < 0) {
        handle_late(source, track, unit, placement);
        return 0;
    }
    if (gap > GAP_CONCEAL && source->position - source->last_heard >= GAP_CONCEAL) {
        source->segment.track = NULL; /* a new talkspurt on the same track */
        int64_t silence = begin_segment(source, placement);
        return silence == INT64_MAX ? gap : silence;
    }
    MediaTrackBuffer *other = NULL;
    int64_t place = 0;
    const MediaUnit *hop = find_elsewhere(source, &other, &place);
    if (hop != NULL) {
        int64_t ahead = wanted_position(source, placement, place, true) - source->position;
        if (ahead < gap && ABS(ahead) <= HOP_TOLERANCE) {
            anchor(source, other, hop, source->position);
            return 0;
        }
    }
    return bridge(source, unit, gap);
}

/* The same of a source that has nothing more on the track it was heard on. */
static MediaOutlook outlook_elsewhere(MediaAudioSource *source, const MediaPlacement *placement,
                                      int64_t *ret_n)
{
    int64_t place;
    MediaTrackBuffer *track;
    const MediaUnit *unit = find_elsewhere(source, &track, &place);
    bool heard = source->segment.track != NULL && source->position == source->last_heard;
    if (unit == NULL) {
        *ret_n = 0;
        return heard && !source->was_silent ? MEDIA_OUTLOOK_STARVED : MEDIA_OUTLOOK_SILENCE;
    }
    int64_t begin =
        heard ? source->position : MAX(place + placement->target_delay, placement->not_before);
    *ret_n = MAX(begin - source->position, 0) + unit_samples(unit);
    return MEDIA_OUTLOOK_SOUND;
}

MediaOutlook media_audio_source_outlook(MediaAudioSource *source, const MediaPlacement *placement,
                                        int64_t *ret_n)
{
    if (source->fifo_len > 0) {
        *ret_n = source->fifo_len;
        return source->concealed > 0 ? MEDIA_OUTLOOK_SILENCE : MEDIA_OUTLOOK_SOUND;
    }
    MediaTrackBuffer *track = source->segment.track;
    const MediaUnit *unit = track != NULL ? media_track_buffer_peek(track, &source->id) : NULL;
    if (unit == NULL) {
        return outlook_elsewhere(source, placement, ret_n);
    }
    int64_t gap = unit->ts + source->segment.offset - source->position;
    if (gap > 0 && source->position - source->last_heard < GAP_CONCEAL &&
        lost_between(source, unit)) {
        *ret_n = 0;
        return MEDIA_OUTLOOK_GAP;
    }
    *ret_n = MAX(gap, 0) + unit_samples(unit);
    return MEDIA_OUTLOOK_SOUND;
}

static void add_from_fifo(MediaAudioSource *source, float *mix, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        mix[i] += source->fifo[source->fifo_at + i];
    }
    source->fifo_at += n;
    source->fifo_len -= n;
}

bool media_audio_source_render(MediaAudioSource *source, float *mix, int64_t n,
                               const MediaPlacement *placement)
{
    bool heard = false;
    source->streams = placement->adaptive;
    while (n > 0) {
        int64_t step;
        if (source->fifo_len > 0) {
            step = MIN(n, source->fifo_len);
            add_from_fifo(source, mix, step);
            heard = true;
        } else {
            int64_t silence = decide(source, placement);
            step = MIN(n, silence);
        }
        mix += step;
        source->position += step;
        n -= step;
    }
    return heard;
}
