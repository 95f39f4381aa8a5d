/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/mixer.h"
#include "media/speech.h"

/*
 * The stream playout: mixes what has come as soon as it is here, waits for what is missing as long
 * as packets have lately been late, and hands out blocks of PCM and speech on- and offsets. Driven
 * by media_stream_playout_advance with whatever clock its caller has. Not thread safe.
 */

typedef struct MediaStreamPlayout MediaStreamPlayout;

typedef struct {
    void (*on_pcm)(const int16_t *samples, size_t n_samples, uint64_t first_sample,
                   gpointer user_data);
    MediaSpeechFunc on_speech;
    /* One source's part of the block that on_pcm just gave, while it is heard; @at_ns: when its
     * first sample was said, on CLOCK_MONOTONIC. NULL: not wanted. */
    void (*on_voice)(uint32_t source, const int16_t *samples, size_t n_samples,
                     uint64_t first_sample, int64_t at_ns, gpointer user_data);
} MediaStreamPlayoutEvents;

MediaStreamPlayout *media_stream_playout_new(uint32_t rate_hz, uint16_t block_ms, int64_t now_ns,
                                             const MediaStreamPlayoutEvents *events,
                                             gpointer user_data);
void media_stream_playout_free(MediaStreamPlayout *playout);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaStreamPlayout, media_stream_playout_free)

/** The mixer to push frames into before advancing; borrowed. */
MediaMixer *media_stream_playout_mixer(MediaStreamPlayout *playout);

/** Blocks flow to on_pcm only while @flowing, from the first one on whose first sample was said at
 *  @at_ns or later; mixing and speech detection always go on. Times must not decrease from call to
 *  call. */
void media_stream_playout_set_flowing(MediaStreamPlayout *playout, bool flowing, int64_t at_ns);

/** Play what has come, and silence up to @now_ns. Returns when to call again if nothing comes. */
int64_t media_stream_playout_advance(MediaStreamPlayout *playout, int64_t now_ns);

/** Loudness of the mix over the last 100 ms or so, dBFS; -96 when silent. */
double media_stream_playout_level_db(const MediaStreamPlayout *playout);
