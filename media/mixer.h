/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/audio_source.h"

/*
 * One audio playout: the tracks, the sources on them, and their sum on a timeline of 48 kHz mono
 * samples that never stops. What it renders depends only on what was pushed before and on the
 * positions asked for, never on when it was asked. Not thread safe: lives in one thread.
 */

typedef struct MediaMixer MediaMixer;

typedef struct {
    uint64_t n_late, n_lost, n_concealed;
    int64_t delay_ns; /* the adaptive depth: how long a missing unit is waited for */
} MediaMixerStats;

/* @n samples that @source adds to what is being rendered, from its @at-th sample on; @delay: how
 * many samples the source plays behind the clock. Only while it is heard. */
typedef void (*MediaVoiceFunc)(uint32_t source, const float *samples, int64_t at, int64_t n,
                               int64_t delay, gpointer user_data);

/**
 * media_mixer_new:
 * @adaptive: true: units are placed where the mixer is when they come, one packet behind the
 *   clock when they are punctual; false: at the clock's time, and the caller renders late
 * @on_level: the energy of each source as it was received, in capture time; never NULL
 */
MediaMixer *media_mixer_new(bool adaptive, int64_t position_ns, MediaLevelFunc on_level,
                            gpointer user_data);
void media_mixer_free(MediaMixer *mixer);

/** Opus packets as they are played, with the same user data as on_level. Once, before any frame. */
void media_mixer_set_packet_func(MediaMixer *mixer, MediaPacketFunc on_packet);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaMixer, media_mixer_free)

/** Hand out every voice alone, too, with the user data of media_mixer_new. */
void media_mixer_set_voice_func(MediaMixer *mixer, MediaVoiceFunc on_voice);

/** Frames of @source are dropped from now on: it is the bot's own voice. */
void media_mixer_ignore(MediaMixer *mixer, uint32_t source);

/** @arrival_ns: when the frame got to us, for the depth. */
void media_mixer_push(MediaMixer *mixer, MediaEncodedFrame *frame, int64_t arrival_ns);

/** The track ended; what it still holds is played. */
void media_mixer_end_track(MediaMixer *mixer, uint32_t track_id);

/** The same for all tracks; the next connection may give the number of a source that was ignored to
 *  somebody else, so none is any more. */
void media_mixer_end_all_tracks(MediaMixer *mixer);

/**
 * media_mixer_render:
 * @out: @n samples, ±1.0; whatever stays below full scale in sum is left untouched
 */
void media_mixer_render(MediaMixer *mixer, float *out, int64_t n);

/**
 * media_mixer_outlook:
 * @ret_n: samples that every source with something to say has; 0 in a gap and when starved
 * @ret_last_ns: when the last packet came from those with that outlook; not for silence
 *
 * The worst outlook of any source (media/audio_source.h).
 */
MediaOutlook media_mixer_outlook(MediaMixer *mixer, int64_t *ret_n, int64_t *ret_last_ns);

/** How many samples a unit that is missing is worth waiting for: the adaptive depth. */
int64_t media_mixer_patience(const MediaMixer *mixer);

/** No talkspurt begins before @position. */
void media_mixer_set_not_before(MediaMixer *mixer, int64_t position);

/** When the last frame came, as media_mixer_push was told; at first when the mixer was made. */
int64_t media_mixer_last_arrival_ns(const MediaMixer *mixer);

/** Position of the next sample to be rendered. */
int64_t media_mixer_position(const MediaMixer *mixer);

void media_mixer_get_stats(const MediaMixer *mixer, MediaMixerStats *ret_stats);
