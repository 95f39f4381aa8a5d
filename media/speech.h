/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Who is speaking now: one voice activity detector per source, fed with the energy of what was
 * received. Not thread safe: each playout has its own.
 */

typedef struct MediaSpeechTracker MediaSpeechTracker;

/** @at_ns: when it happened, on the axis that was fed; a little before now. */
typedef void (*MediaSpeechFunc)(uint32_t source, bool speaking, int64_t at_ns, gpointer user_data);

MediaSpeechTracker *media_speech_tracker_new(MediaSpeechFunc on_speech, gpointer user_data);
void media_speech_tracker_free(MediaSpeechTracker *tracker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaSpeechTracker, media_speech_tracker_free)

/** Returns whether @source speaks, this interval included. */
bool media_speech_tracker_feed(MediaSpeechTracker *tracker, uint32_t source, int64_t at_ns,
                               int64_t duration_ns, double level_db);

/** Time goes on also for sources whose packets stopped. */
void media_speech_tracker_elapse(MediaSpeechTracker *tracker, int64_t now_ns);

/** Whether anybody speaks. */
bool media_speech_tracker_any(const MediaSpeechTracker *tracker);
