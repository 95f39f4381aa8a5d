/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/engine.h"

/*
 * Carries events from the playout threads to the main context of the engine's creator: never from
 * inside a call, in order, and never after it was closed. Reference counted, since an event that is
 * under way may outlive the engine.
 */

typedef struct MediaOutlet MediaOutlet;

/** For the thread-default main context of the caller. @events: borrowed, static. */
MediaOutlet *media_outlet_new(const MediaEngineEvents *events, gpointer user_data);

/** No event comes after this; drops the caller's reference. Thread: the creating one. */
void media_outlet_close(MediaOutlet *outlet);

/* Thread: any. */
void media_outlet_speech(MediaOutlet *outlet, const MediaSpeech *speech);
void media_outlet_recording(MediaOutlet *outlet, MediaRecordingOp op, int64_t recording_ns);
void media_outlet_key_frame_wanted(MediaOutlet *outlet, uint32_t track_id);
void media_outlet_warning(MediaOutlet *outlet, const char *code, const char *message);
void media_outlet_error(MediaOutlet *outlet, const GError *error);
