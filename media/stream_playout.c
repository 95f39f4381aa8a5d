/* SPDX-License-Identifier: Apache-2.0 */
#include "media/stream_playout.h"

#include "media/pcm_writer.h"

#include <math.h>

/* Packets that may still be on their way do not mean that a source fell silent. */
#define PENDING_NS INT64_C(150000000)
/* The consumer gets bytes, not sound: when a busy machine delivers packets late, the stream waits
 * for them and then catches up at once, and no sample is lost or made up. While nothing comes from
 * anybody there is nobody to keep waiting; otherwise the wait is the price that somebody else's
 * words pay, once, when a talkspurt ends. */
#define HOLD_ALL (400 * MEDIA_AUDIO_RATE_HZ / 1000)
#define HOLD_ONE (60 * MEDIA_AUDIO_RATE_HZ / 1000)
#define QUIET_NS INT64_C(50000000)
#define HOLD_LOOK_NS INT64_C(2000000)
#define STEP_SAMPLES (10 * MEDIA_AUDIO_RATE_HZ / 1000)

struct MediaStreamPlayout {
    MediaMixer *mixer;           /* owned */
    MediaPcmWriter *writer;      /* owned */
    MediaSpeechTracker *tracker; /* owned */
    const MediaStreamPlayoutEvents *events;
    gpointer user_data;
    float *block;     /* owned */
    int16_t *samples; /* owned */
    int64_t n_filled; /* of the block */
    bool flowing;
    uint64_t first_sample;
    double mean_square; /* smoothed */
};

static void on_level(uint32_t source, int64_t time_ns, int64_t duration_ns, double level_db,
                     gpointer user_data)
{
    MediaStreamPlayout *playout = user_data;
    media_speech_tracker_feed(playout->tracker, source, time_ns, duration_ns, level_db);
}

MediaStreamPlayout *media_stream_playout_new(uint32_t rate_hz, uint16_t block_ms, int64_t now_ns,
                                             const MediaStreamPlayoutEvents *events,
                                             gpointer user_data)
{
    MediaStreamPlayout *playout = g_new0(MediaStreamPlayout, 1);
    playout->mixer = media_mixer_new(true, now_ns, on_level, playout);
    playout->writer = media_pcm_writer_new(rate_hz, block_ms);
    playout->tracker = media_speech_tracker_new(events->on_speech, user_data);
    playout->events = events;
    playout->user_data = user_data;
    playout->block = g_new0(float, (gsize)media_pcm_writer_block_in(playout->writer));
    playout->samples = g_new0(int16_t, (gsize)media_pcm_writer_block_out(playout->writer));
    return playout;
}

void media_stream_playout_free(MediaStreamPlayout *playout)
{
    media_mixer_free(playout->mixer);
    media_pcm_writer_free(playout->writer);
    media_speech_tracker_free(playout->tracker);
    g_free(playout->block);
    g_free(playout->samples);
    g_free(playout);
}

MediaMixer *media_stream_playout_mixer(MediaStreamPlayout *playout)
{
    return playout->mixer;
}

void media_stream_playout_set_flowing(MediaStreamPlayout *playout, bool flowing)
{
    playout->flowing = flowing;
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

static void put_out_block(MediaStreamPlayout *playout)
{
    measure(playout, playout->n_filled);
    media_pcm_writer_convert(playout->writer, playout->block, playout->samples);
    playout->n_filled = 0;
    if (playout->flowing) {
        size_t n_out = (size_t)media_pcm_writer_block_out(playout->writer);
        playout->events->on_pcm(playout->samples, n_out, playout->first_sample, playout->user_data);
        playout->first_sample += n_out;
    }
}

static bool holds(MediaStreamPlayout *playout, int64_t late, int64_t step, int64_t now_ns)
{
    bool quiet = now_ns - media_mixer_last_arrival_ns(playout->mixer) > QUIET_NS;
    return late >= 0 && late < (quiet ? HOLD_ALL : HOLD_ONE) &&
           media_mixer_starves(playout->mixer, step);
}

/* Small steps, so that a long block knows early what it waits for. */
int64_t media_stream_playout_advance(MediaStreamPlayout *playout, int64_t now_ns)
{
    int64_t n_block = media_pcm_writer_block_in(playout->writer);
    int64_t now = media_ns_to_samples(now_ns);
    bool holding = false;
    for (;;) {
        int64_t step = MIN(STEP_SAMPLES, n_block - playout->n_filled);
        int64_t end = media_mixer_position(playout->mixer) + step;
        holding = holds(playout, now - end, step, now_ns);
        if (end > now || holding) {
            break;
        }
        media_mixer_render(playout->mixer, playout->block + playout->n_filled, step);
        playout->n_filled += step;
        if (playout->n_filled == n_block) {
            put_out_block(playout);
        }
    }
    media_speech_tracker_elapse(playout->tracker, now_ns - PENDING_NS);
    int64_t next =
        media_mixer_position(playout->mixer) + MIN(STEP_SAMPLES, n_block - playout->n_filled);
    return holding ? now_ns + HOLD_LOOK_NS : media_samples_to_ns(next) + 1;
}

double media_stream_playout_level_db(const MediaStreamPlayout *playout)
{
    return fmax(10.0 * log10(playout->mean_square + 1e-10), -96.0);
}
