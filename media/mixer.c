/* SPDX-License-Identifier: Apache-2.0 */
#include "media/mixer.h"

#include "media/limiter.h"
#include "media/trace.h"

#include <string.h>

#define MS_SAMPLES (MEDIA_AUDIO_RATE_HZ / 1000)
#define STEP_SAMPLES (10 * MS_SAMPLES)

/* A page is a hostile peer: it may name any number of tracks and sources. */
#define MAX_TRACKS 256
#define MAX_SOURCES 256
#define MAX_UNITS 600
#define FORGET_SOURCE (60 * MEDIA_AUDIO_RATE_HZ)

#define MIN_PATIENCE (10 * MS_SAMPLES)
#define MAX_PATIENCE (80 * MS_SAMPLES)
#define FIRST_PATIENCE (30 * MS_SAMPLES)
/* The stream plays what comes however late it is, but for a page that stood still. */
#define MAX_DELAY (2000 * MS_SAMPLES)
/* The stream plays a unit as soon as it is here, not when the clock says: the clock follows one
 * packet behind, so that a punctual unit finds its place just coming. */
#define STREAM_PLACE (-20 * MS_SAMPLES)
#define PATIENCE_MARGIN (5 * MS_SAMPLES)
#define CONCEAL_STREAM (80 * MS_SAMPLES)
#define CONCEAL_RECORDING (20 * MS_SAMPLES)

/* Histogram of how late frames come: 2 ms a bin, the past fades with a time constant of 10 s at 50
 * packets a second. */
#define BINS 60
#define BIN_SAMPLES (2 * MS_SAMPLES)
#define FADE 0.998
#define QUANTILE 0.97
#define ENOUGH_WEIGHT 50.0

typedef struct {
    double weight[BINS];
    double total;
} Lateness;

struct MediaMixer {
    GPtrArray *tracks;   /* owned MediaTrackBuffer */
    GPtrArray *sources;  /* owned MediaAudioSource */
    GHashTable *ended;   /* track ids that are going away */
    GHashTable *ignored; /* sources */
    MediaLevelFunc on_level;
    MediaPacketFunc on_packet; /* NULL: nobody wants them */
    MediaVoiceFunc on_voice;   /* NULL: nobody asked */
    gpointer user_data;
    int64_t position;
    int64_t last_arrival_ns;
    MediaPlacement placement;
    Lateness lateness;
    MediaLimiter limiter;
    MediaMixerStats former; /* of sources and tracks that are gone */
};

MediaMixer *media_mixer_new(bool adaptive, int64_t position_ns, MediaLevelFunc on_level,
                            gpointer user_data)
{
    MediaMixer *mixer = g_new0(MediaMixer, 1);
    mixer->tracks = g_ptr_array_new_with_free_func((GDestroyNotify)media_track_buffer_free);
    mixer->sources = g_ptr_array_new_with_free_func((GDestroyNotify)media_audio_source_free);
    mixer->ended = g_hash_table_new(NULL, NULL);
    mixer->ignored = g_hash_table_new(NULL, NULL);
    mixer->on_level = on_level;
    mixer->user_data = user_data;
    mixer->position = media_ns_to_samples(position_ns);
    mixer->last_arrival_ns = position_ns;
    mixer->placement = (MediaPlacement){
        .adaptive = adaptive,
        .target_delay = adaptive ? STREAM_PLACE : 0,
        .patience = FIRST_PATIENCE,
        .not_before = INT64_MIN / 2,
        .max_delay = MAX_DELAY,
        .conceal = adaptive ? CONCEAL_STREAM : CONCEAL_RECORDING,
    };
    media_limiter_init(&mixer->limiter);
    return mixer;
}

void media_mixer_free(MediaMixer *mixer)
{
    g_ptr_array_unref(mixer->sources);
    g_ptr_array_unref(mixer->tracks);
    g_hash_table_unref(mixer->ended);
    g_hash_table_unref(mixer->ignored);
    g_free(mixer);
}

void media_mixer_set_packet_func(MediaMixer *mixer, MediaPacketFunc on_packet)
{
    mixer->on_packet = on_packet;
}

void media_mixer_set_voice_func(MediaMixer *mixer, MediaVoiceFunc on_voice)
{
    mixer->on_voice = on_voice;
}

void media_mixer_ignore(MediaMixer *mixer, uint32_t source)
{
    g_hash_table_add(mixer->ignored, GUINT_TO_POINTER(source));
}

static MediaTrackBuffer *find_track(MediaMixer *mixer, uint32_t track_id)
{
    for (guint i = 0; i < mixer->tracks->len; i++) {
        MediaTrackBuffer *track = g_ptr_array_index(mixer->tracks, i);
        if (media_track_buffer_id(track) == track_id) {
            return track;
        }
    }
    if (mixer->tracks->len >= MAX_TRACKS) {
        return NULL;
    }
    MediaTrackBuffer *track = media_track_buffer_new(track_id, false, MAX_UNITS);
    g_ptr_array_add(mixer->tracks, track);
    return track;
}

static MediaAudioSource *get_source(MediaMixer *mixer, uint32_t id)
{
    for (guint i = 0; i < mixer->sources->len; i++) {
        MediaAudioSource *source = g_ptr_array_index(mixer->sources, i);
        if (media_audio_source_id(source) == id) {
            return source;
        }
    }
    if (mixer->sources->len >= MAX_SOURCES) {
        return NULL;
    }
    MediaAudioSource *source = media_audio_source_new(id, mixer->tracks, mixer->position,
                                                      mixer->on_level, mixer->user_data);
    media_audio_source_set_packet_func(source, mixer->on_packet);
    g_ptr_array_add(mixer->sources, source);
    return source;
}

/* How long nearly all frames are worth waiting for. It grows with the first later one anyway. */
static void learn_delay(MediaMixer *mixer, int64_t late)
{
    Lateness *l = &mixer->lateness;
    l->total = l->total * FADE + 1.0;
    for (int i = 0; i < BINS; i++) {
        l->weight[i] *= FADE;
    }
    l->weight[CLAMP(late / BIN_SAMPLES, 0, BINS - 1)] += 1.0;
    if (l->total < ENOUGH_WEIGHT) {
        return;
    }
    double sum = 0;
    int bin = 0;
    while (bin < BINS - 1 && (sum += l->weight[bin]) < QUANTILE * l->total) {
        bin++;
    }
    int64_t wanted = (bin + 1) * BIN_SAMPLES + PATIENCE_MARGIN;
    mixer->placement.patience = CLAMP(wanted, MIN_PATIENCE, MAX_PATIENCE);
}

void media_mixer_push(MediaMixer *mixer, MediaEncodedFrame *frame, int64_t arrival_ns)
{
    uint32_t id = media_encoded_frame_source(frame);
    if (g_hash_table_contains(mixer->ignored, GUINT_TO_POINTER(id))) {
        return;
    }
    MediaTrackBuffer *track = find_track(mixer, frame->track_id);
    int64_t ts;
    mixer->last_arrival_ns = arrival_ns;
    if (mixer->placement.adaptive && media_trace_on()) {
        media_trace("packet %u %u %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT,
                    frame->ssrc, frame->rtp_timestamp, frame->receive_ns, frame->sent_ns,
                    arrival_ns);
    }
    if (track == NULL || !media_track_buffer_push(track, frame, &ts)) {
        return;
    }
    MediaAudioSource *source = get_source(mixer, id);
    if (source != NULL) {
        media_audio_source_note_arrival(source, arrival_ns);
    }
    if (mixer->placement.adaptive) {
        int64_t late_ns = arrival_ns - media_track_buffer_time_ns(track, ts);
        learn_delay(mixer, media_ns_to_samples(late_ns));
    }
}

void media_mixer_end_track(MediaMixer *mixer, uint32_t track_id)
{
    g_hash_table_add(mixer->ended, GUINT_TO_POINTER(track_id));
}

void media_mixer_end_all_tracks(MediaMixer *mixer)
{
    for (guint i = 0; i < mixer->tracks->len; i++) {
        media_mixer_end_track(mixer, media_track_buffer_id(g_ptr_array_index(mixer->tracks, i)));
    }
    g_hash_table_remove_all(mixer->ignored);
}

static void remove_track(MediaMixer *mixer, guint index)
{
    MediaTrackBuffer *track = g_ptr_array_index(mixer->tracks, index);
    for (guint i = 0; i < mixer->sources->len; i++) {
        media_audio_source_forget_track(g_ptr_array_index(mixer->sources, i), track);
    }
    mixer->former.n_late += media_track_buffer_n_late(track);
    g_hash_table_remove(mixer->ended, GUINT_TO_POINTER(media_track_buffer_id(track)));
    g_ptr_array_remove_index(mixer->tracks, index);
}

static void add_stats(MediaMixerStats *sum, const MediaAudioSource *source)
{
    MediaAudioSourceStats stats;
    media_audio_source_get_stats(source, &stats);
    sum->n_late += stats.n_late;
    sum->n_lost += stats.n_lost;
    sum->n_concealed += stats.n_concealed;
}

static bool source_has_units(MediaMixer *mixer, uint32_t id)
{
    for (guint i = 0; i < mixer->tracks->len; i++) {
        if (media_track_buffer_peek(g_ptr_array_index(mixer->tracks, i), &id) != NULL) {
            return true;
        }
    }
    return false;
}

static void clean_up(MediaMixer *mixer)
{
    for (guint i = mixer->tracks->len; i-- > 0;) {
        MediaTrackBuffer *track = g_ptr_array_index(mixer->tracks, i);
        gpointer id = GUINT_TO_POINTER(media_track_buffer_id(track));
        if (media_track_buffer_n_units(track) == 0 && g_hash_table_contains(mixer->ended, id)) {
            remove_track(mixer, i);
        }
    }
    for (guint i = mixer->sources->len; i-- > 0;) {
        MediaAudioSource *source = g_ptr_array_index(mixer->sources, i);
        if (media_audio_source_idle(source) > FORGET_SOURCE &&
            !source_has_units(mixer, media_audio_source_id(source))) {
            add_stats(&mixer->former, source);
            g_ptr_array_remove_index_fast(mixer->sources, i);
        }
    }
}

static void render_alone(MediaMixer *mixer, MediaAudioSource *source, float *out, int64_t at,
                         int64_t n)
{
    float voice[STEP_SAMPLES] = {0};
    if (!media_audio_source_render(source, voice, n, &mixer->placement)) {
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        out[i] += voice[i];
    }
    MediaAudioSourceStats stats;
    media_audio_source_get_stats(source, &stats);
    mixer->on_voice(media_audio_source_id(source), voice, at, n, stats.delay, mixer->user_data);
}

void media_mixer_render(MediaMixer *mixer, float *out, int64_t n)
{
    memset(out, 0, (size_t)n * sizeof *out);
    for (int64_t at = 0; at < n; at += STEP_SAMPLES) {
        int64_t step = MIN(n - at, STEP_SAMPLES);
        for (guint i = 0; i < mixer->sources->len; i++) {
            MediaAudioSource *source = g_ptr_array_index(mixer->sources, i);
            if (mixer->on_voice != NULL) {
                render_alone(mixer, source, out + at, at, step);
            } else {
                media_audio_source_render(source, out + at, step, &mixer->placement);
            }
        }
        media_limiter_process(&mixer->limiter, out + at, step);
        mixer->position += step;
    }
    clean_up(mixer);
}

MediaOutlook media_mixer_outlook(MediaMixer *mixer, int64_t *ret_n, int64_t *ret_last_ns)
{
    MediaOutlook worst = MEDIA_OUTLOOK_SILENCE;
    int64_t least = INT64_MAX, last_ns = INT64_MIN;
    for (guint i = 0; i < mixer->sources->len; i++) {
        MediaAudioSource *source = g_ptr_array_index(mixer->sources, i);
        int64_t n = 0;
        MediaOutlook outlook = media_audio_source_outlook(source, &mixer->placement, &n);
        if (outlook == MEDIA_OUTLOOK_SILENCE) {
            continue;
        }
        least = MIN(least, n);
        int64_t arrival_ns = media_audio_source_last_arrival_ns(source);
        if (outlook > worst) {
            worst = outlook;
            last_ns = arrival_ns;
        } else if (outlook == worst) {
            last_ns = MAX(last_ns, arrival_ns);
        }
    }
    *ret_n = least;
    *ret_last_ns = last_ns;
    return worst;
}

int64_t media_mixer_patience(const MediaMixer *mixer)
{
    return mixer->placement.patience;
}

void media_mixer_set_not_before(MediaMixer *mixer, int64_t position)
{
    mixer->placement.not_before = position;
}

int64_t media_mixer_last_arrival_ns(const MediaMixer *mixer)
{
    return mixer->last_arrival_ns;
}

int64_t media_mixer_position(const MediaMixer *mixer)
{
    return mixer->position;
}

void media_mixer_get_stats(const MediaMixer *mixer, MediaMixerStats *ret_stats)
{
    MediaMixerStats sum = mixer->former;
    for (guint i = 0; i < mixer->sources->len; i++) {
        add_stats(&sum, g_ptr_array_index(mixer->sources, i));
    }
    for (guint i = 0; i < mixer->tracks->len; i++) {
        sum.n_late += media_track_buffer_n_late(g_ptr_array_index(mixer->tracks, i));
    }
    sum.delay_ns = media_samples_to_ns(mixer->placement.patience);
    *ret_stats = sum;
}
