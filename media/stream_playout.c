/* SPDX-License-Identifier: Apache-2.0 */
#include "media/stream_playout.h"

#include "media/pcm_writer.h"
#include "media/trace.h"

#include <math.h>
#include <string.h>

/* Packets that may still be on their way do not mean that a source fell silent. */
#define PENDING_NS INT64_C(150000000)
/* The consumer gets bytes, not sound: what everybody who speaks has sent goes out as soon as it is
 * here, ahead of the clock within AHEAD; the clock moves the stream through silence only, one
 * packet (SLACK) behind. A missing packet is waited for, and what came meanwhile follows at once:
 * no sample is lost or made up because a busy machine was late. While nothing comes from anybody
 * there is nobody to keep waiting; otherwise the wait is the price that somebody else's words pay,
 * once, when a talkspurt ends. */
#define MS_SAMPLES (MEDIA_AUDIO_RATE_HZ / 1000)
#define AHEAD (1000 * MS_SAMPLES)
#define SLACK (20 * MS_SAMPLES)
#define HOLD_ALL (400 * MS_SAMPLES)
#define HOLD_ONE (60 * MS_SAMPLES)
#define BURST (3 * MS_SAMPLES)
#define QUIET_NS INT64_C(50000000)
#define STEP_SAMPLES (10 * MS_SAMPLES)

/* A voice that is handed out alone goes on through this many silent blocks, then is forgotten. */
#define VOICE_BLOCKS 50

typedef struct {
    MediaPcmWriter *writer; /* owned */
    float *block;           /* owned */
    int64_t delay;
    bool heard;   /* in the present block */
    guint silent; /* blocks in a row */
} Voice;

typedef struct {
    int64_t at_ns;
    bool flowing;
} Change;

struct MediaStreamPlayout {
    GHashTable *voices; /* source -> owned Voice */
    uint32_t rate_hz;
    uint16_t block_ms;
    MediaMixer *mixer;           /* owned */
    MediaPcmWriter *writer;      /* owned */
    MediaSpeechTracker *tracker; /* owned */
    const MediaStreamPlayoutEvents *events;
    gpointer user_data;
    float *block;     /* owned */
    int16_t *samples; /* owned */
    int64_t n_filled; /* of the block */
    bool anybody;     /* had something to say at the last look */
    bool flowing;
    GArray *changes; /* owned: of Change, of flowing, that are not reached yet */
    uint64_t first_sample;
    double mean_square; /* smoothed */
};

static void on_level(uint32_t source, int64_t time_ns, int64_t duration_ns, double level_db,
                     gpointer user_data)
{
    MediaStreamPlayout *playout = user_data;
    media_speech_tracker_feed(playout->tracker, source, time_ns, duration_ns, level_db);
}

static void voice_free(gpointer data)
{
    Voice *voice = data;
    media_pcm_writer_free(voice->writer);
    g_free(voice->block);
    g_free(voice);
}

static void on_voice(uint32_t source, const float *samples, int64_t at, int64_t n, int64_t delay,
                     gpointer user_data)
{
    MediaStreamPlayout *playout = user_data;
    Voice *voice = g_hash_table_lookup(playout->voices, GUINT_TO_POINTER(source));
    if (voice == NULL) {
        voice = g_new0(Voice, 1);
        voice->writer = media_pcm_writer_new(playout->rate_hz, playout->block_ms);
        voice->block = g_new0(float, (gsize)media_pcm_writer_block_in(voice->writer));
        g_hash_table_insert(playout->voices, GUINT_TO_POINTER(source), voice);
    }
    memcpy(voice->block + playout->n_filled + at, samples, (size_t)n * sizeof *samples);
    voice->delay = delay;
    voice->heard = true;
}

MediaStreamPlayout *media_stream_playout_new(uint32_t rate_hz, uint16_t block_ms, int64_t now_ns,
                                             const MediaStreamPlayoutEvents *events,
                                             gpointer user_data)
{
    MediaStreamPlayout *playout = g_new0(MediaStreamPlayout, 1);
    playout->mixer = media_mixer_new(true, now_ns, on_level, playout);
    playout->writer = media_pcm_writer_new(rate_hz, block_ms);
    playout->tracker = media_speech_tracker_new(events->on_speech, user_data);
    playout->voices = g_hash_table_new_full(NULL, NULL, NULL, voice_free);
    playout->changes = g_array_new(FALSE, FALSE, sizeof(Change));
    playout->rate_hz = rate_hz;
    playout->block_ms = block_ms;
    if (events->on_voice != NULL) {
        media_mixer_set_voice_func(playout->mixer, on_voice);
    }
    playout->events = events;
    playout->user_data = user_data;
    playout->block = g_new0(float, (gsize)media_pcm_writer_block_in(playout->writer));
    playout->samples = g_new0(int16_t, (gsize)media_pcm_writer_block_out(playout->writer));
    return playout;
}

void media_stream_playout_free(MediaStreamPlayout *playout)
{
    media_mixer_free(playout->mixer);
    g_hash_table_unref(playout->voices);
    media_pcm_writer_free(playout->writer);
    media_speech_tracker_free(playout->tracker);
    g_array_unref(playout->changes);
    g_free(playout->block);
    g_free(playout->samples);
    g_free(playout);
}

MediaMixer *media_stream_playout_mixer(MediaStreamPlayout *playout)
{
    return playout->mixer;
}

void media_stream_playout_set_flowing(MediaStreamPlayout *playout, bool flowing, int64_t at_ns)
{
    Change change = {at_ns, flowing};
    g_array_append_val(playout->changes, change);
}

/* The stream may be behind: what it still has to play is from before. */
static void change_at(MediaStreamPlayout *playout, int64_t begin_ns)
{
    guint n = 0;
    for (; n < playout->changes->len; n++) {
        const Change *change = &g_array_index(playout->changes, Change, n);
        if (change->at_ns > begin_ns) {
            break;
        }
        playout->flowing = change->flowing;
    }
    g_array_remove_range(playout->changes, 0, n);
}

static void measure(MediaStreamPlayout *playout, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += (double)playout->block[i] * (double)playout->block[i];
    }
    double share = fmin((double)n / (0.1 * MEDIA_AUDIO_RATE_HZ), 1.0);
    playout->mean_square += (sum / (double)n - playout->mean_square) * share;
}

/* The same block of everybody who is heard in it, which begins at @begin; the filter's end takes
 * one more. */
static void put_out_voices(MediaStreamPlayout *playout, int64_t begin)
{
    int64_t n_in = media_pcm_writer_block_in(playout->writer);
    size_t n_out = (size_t)media_pcm_writer_block_out(playout->writer);
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, playout->voices);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        Voice *voice = value;
        media_pcm_writer_convert(voice->writer, voice->block, playout->samples);
        memset(voice->block, 0, (size_t)n_in * sizeof *voice->block);
        voice->silent = voice->heard ? 0 : voice->silent + 1;
        voice->heard = false;
        if (playout->flowing && voice->silent <= 1) {
            playout->events->on_voice(
                GPOINTER_TO_UINT(key), playout->samples, n_out, playout->first_sample,
                media_samples_to_ns(begin - voice->delay), playout->user_data);
        }
        if (voice->silent > VOICE_BLOCKS) {
            g_hash_table_iter_remove(&iter);
        }
    }
}

/* A block of the mix is whole. */
static void put_out_block(MediaStreamPlayout *playout)
{
    int64_t n_in = media_pcm_writer_block_in(playout->writer);
    size_t n_out = (size_t)media_pcm_writer_block_out(playout->writer);
    /* Of what comes out, where the filter still has the end of what went in. */
    int64_t begin =
        media_mixer_position(playout->mixer) - n_in - media_pcm_writer_delay_in(playout->writer);
    measure(playout, n_in);
    media_pcm_writer_convert(playout->writer, playout->block, playout->samples);
    playout->n_filled = 0;
    change_at(playout, media_samples_to_ns(begin));
    if (playout->flowing) {
        if (media_trace_on()) {
            media_trace("block %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GUINT64_FORMAT
                        " %zu %" G_GINT64_FORMAT,
                        begin, n_in, playout->first_sample, n_out, g_get_monotonic_time() * 1000);
        }
        playout->events->on_pcm(playout->samples, n_out, playout->first_sample, playout->user_data);
    }
    put_out_voices(playout, begin);
    playout->first_sample += playout->flowing ? n_out : 0;
}

/* Position of the clock at which a step that ends at @end is rendered though somebody's sound is
 * missing, whose last packet came at @last_ns. */
static int64_t deadline(MediaStreamPlayout *playout, MediaOutlook outlook, int64_t end,
                        int64_t last_ns, int64_t now_ns)
{
    bool quiet = now_ns - media_mixer_last_arrival_ns(playout->mixer) > QUIET_NS;
    int64_t last = media_ns_to_samples(last_ns);
    switch (outlook) {
    case MEDIA_OUTLOOK_STARVED: /* the next packet was due a packet's length after the last */
        return MAX(end, last) + SLACK + (quiet ? HOLD_ALL : HOLD_ONE);
    case MEDIA_OUTLOOK_GAP: /* a burst is read packet by packet */
        return MAX(end + SLACK + media_mixer_patience(playout->mixer), last + BURST);
    case MEDIA_OUTLOOK_SILENCE:
    case MEDIA_OUTLOOK_SOUND:
        break;
    }
    return end + SLACK;
}

/* How many samples are to be rendered now; 0: none before *@ret_next. */
static int64_t due(MediaStreamPlayout *playout, int64_t now_ns, int64_t *ret_next)
{
    int64_t now = media_ns_to_samples(now_ns);
    int64_t position = media_mixer_position(playout->mixer);
    int64_t rest = media_pcm_writer_block_in(playout->writer) - playout->n_filled;
    int64_t certain, last_ns;
    MediaOutlook outlook = media_mixer_outlook(playout->mixer, &certain, &last_ns);
    playout->anybody = outlook != MEDIA_OUTLOOK_SILENCE;
    if (outlook == MEDIA_OUTLOOK_SOUND && certain > 0) {
        int64_t n = MIN(certain, rest);
        *ret_next = position + n - AHEAD;
        return *ret_next <= now ? n : 0;
    }
    int64_t step = MIN(STEP_SAMPLES, rest);
    *ret_next = deadline(playout, outlook, position + step, last_ns, now_ns);
    return *ret_next <= now ? step : 0;
}

int64_t media_stream_playout_advance(MediaStreamPlayout *playout, int64_t now_ns)
{
    int64_t n_block = media_pcm_writer_block_in(playout->writer);
    int64_t next = 0, n;
    while ((n = due(playout, now_ns, &next)) > 0) {
        media_mixer_render(playout->mixer, playout->block + playout->n_filled, n);
        playout->n_filled += n;
        if (playout->n_filled == n_block) {
            put_out_block(playout);
        }
        /* The first to speak begins with a block, so that whole packets fill whole blocks. */
        int64_t wait = playout->anybody || playout->n_filled == 0 ? 0 : n_block - playout->n_filled;
        media_mixer_set_not_before(playout->mixer, media_mixer_position(playout->mixer) + wait);
    }
    media_speech_tracker_elapse(playout->tracker, now_ns - PENDING_NS);
    return media_samples_to_ns(next) + 1;
}

double media_stream_playout_level_db(const MediaStreamPlayout *playout)
{
    return fmax(10.0 * log10(playout->mean_square + 1e-10), -96.0);
}
