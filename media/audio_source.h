/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/track_buffer.h"

/*
 * One voice in the mix: decodes the units of one source, whichever tracks they come on, onto a
 * timeline of 48 kHz mono samples that never stops. A talkspurt is anchored once by the clock and
 * then contiguous by RTP timestamps, so no sample is lost or doubled by jitter, nor when the source
 * hops to another receiver; a new anchor is taken only in silence, at a new talkspurt, or when the
 * clocks have drifted apart. Not thread safe: lives in one playout.
 */

typedef struct MediaAudioSource MediaAudioSource;

typedef struct {
    /* false: places stay where the clock says and late units are lost (recording). true: a unit is
     * played where the stream is when it comes, up to @max_delay behind its place (stream). */
    bool adaptive;
    int64_t target_delay; /* samples between the clock's place of a unit and where it is played */
    int64_t max_delay;    /* samples */
    int64_t patience;     /* samples: how long a late unit is worth waiting for (stream) */
    int64_t not_before;   /* position before which no talkspurt begins (stream) */
    int64_t conceal;      /* samples: how long a gap is concealed when nothing is known to follow */
} MediaPlacement;

typedef struct {
    uint64_t n_late, n_lost, n_concealed; /* units, units, 10 ms pieces */
    int64_t delay;                        /* samples: how far behind the clock the source plays */
} MediaAudioSourceStats;

/* Energy of what was received, for speech detection; never of concealment. */
typedef void (*MediaLevelFunc)(uint32_t source, int64_t time_ns, int64_t duration_ns,
                               double level_db, gpointer user_data);

/* A unit is played as it came: an Opus packet whose first sample stands at @position. */
typedef void (*MediaPacketFunc)(uint32_t source, int64_t position, const uint8_t *data, size_t size,
                                gpointer user_data);

/** @tracks: (element-type MediaTrackBuffer): borrowed for the source's lifetime. */
MediaAudioSource *media_audio_source_new(uint32_t source, GPtrArray *tracks, int64_t position,
                                         MediaLevelFunc on_level, gpointer user_data);
void media_audio_source_free(MediaAudioSource *source);

/** @on_packet gets what is played from now on; NULL: nobody wants it. */
void media_audio_source_set_packet_func(MediaAudioSource *source, MediaPacketFunc on_packet);

/**
 * media_audio_source_render:
 * @mix: @n samples; the source's are added
 *
 * Returns whether anything but silence was added.
 */
bool media_audio_source_render(MediaAudioSource *source, float *mix, int64_t n,
                               const MediaPlacement *placement);

typedef enum {
    MEDIA_OUTLOOK_SILENCE, /* nothing is to be said */
    MEDIA_OUTLOOK_SOUND,   /* something is here */
    MEDIA_OUTLOOK_GAP,     /* a unit is missing, and a later one is here: lost, or overtaken */
    MEDIA_OUTLOOK_STARVED, /* heard up to now, and nothing more is here: silent now, or late */
} MediaOutlook;

/**
 * media_audio_source_outlook:
 * @ret_n: how many of the next samples are certain; not touched for silence
 *
 * What rendering now would give. Only time can tell how a gap or starvation ends.
 */
MediaOutlook media_audio_source_outlook(MediaAudioSource *source, const MediaPlacement *placement,
                                        int64_t *ret_n);

/** A track is going away. */
void media_audio_source_forget_track(MediaAudioSource *source, const MediaTrackBuffer *track);

/** A unit of the source came, and when; and when that last was. */
void media_audio_source_note_arrival(MediaAudioSource *source, int64_t arrival_ns);
int64_t media_audio_source_last_arrival_ns(const MediaAudioSource *source);

uint32_t media_audio_source_id(const MediaAudioSource *source);
void media_audio_source_get_stats(const MediaAudioSource *source, MediaAudioSourceStats *ret_stats);

/** Samples since the source was last heard. */
int64_t media_audio_source_idle(const MediaAudioSource *source);

/** CLOCK_MONOTONIC to a sample position of the timeline and back. */
int64_t media_ns_to_samples(int64_t ns);
int64_t media_samples_to_ns(int64_t samples);
