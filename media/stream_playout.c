/* SPDX-License-Identifier: Apache-2.0 */
#include "media/stream_playout.h"

#include "media/pcm_writer.h"

#include <math.h>

/* Packets that may still be on their way do not mean that a source fell silent. */
#define PENDING_NS INT64_C(150000000)

struct MediaStreamPlayout {
    MediaMixer *mixer;           /* owned */
    MediaPcmWriter *writer;      /* owned */
    MediaSpeechTracker *tracker; /* owned */
    const MediaStreamPlayoutEvents *events;
    gpointer user_data;
    float *block;     /* owned */
    int16_t *samples; /* owned */
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

static void play_block(MediaStreamPlayout *playout, int64_t n)
{
    media_mixer_render(playout->mixer, playout->block, n);
    measure(playout, n);
    media_pcm_writer_convert(playout->writer, playout->block, playout->samples);
    if (playout->flowing) {
        size_t n_out = (size_t)media_pcm_writer_block_out(playout->writer);
        playout->events->on_pcm(playout->samples, n_out, playout->first_sample, playout->user_data);
        playout->first_sample += n_out;
    }
}

int64_t media_stream_playout_advance(MediaStreamPlayout *playout, int64_t now_ns)
{
    int64_t n = media_pcm_writer_block_in(playout->writer);
    int64_t now = media_ns_to_samples(now_ns);
    while (media_mixer_position(playout->mixer) + n <= now) {
        play_block(playout, n);
    }
    media_speech_tracker_elapse(playout->tracker, now_ns - PENDING_NS);
    return media_samples_to_ns(media_mixer_position(playout->mixer) + n) + 1;
}

double media_stream_playout_level_db(const MediaStreamPlayout *playout)
{
    return fmax(10.0 * log10(playout->mean_square + 1e-10), -96.0);
}
