/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/frame.h"

#include <stdbool.h>

/*
 * The media of a described meeting: tones and still pictures, made once, sent at their times. What
 * a person sends has numbers of its own: one contributing source on one track for the voice, one
 * track each for camera and screen. Main thread; a timer runs only while somebody sends.
 */

typedef struct NullSender NullSender;

/** Returns false when the sender was freed meanwhile. @frame: (transfer none) */
typedef bool (*NullSendFunc)(MediaEncodedFrame *frame, gpointer user_data);

/** @batch_ms: how often it sends what has become due */
NullSender *null_sender_new(unsigned batch_ms, NullSendFunc send, gpointer user_data);
void null_sender_free(NullSender *sender);

uint32_t null_sender_voice_source(unsigned person);
uint32_t null_sender_voice_track(unsigned person);
uint32_t null_sender_picture_track(unsigned person, bool screen);

/**
 * null_sender_set_voice:
 * @hz: of the tone; 0: silence
 * @from_us: since when, monotonic; what was due until then is sent
 * @to_us: no packet later than this; INT64_MAX: until it is set again
 */
void null_sender_set_voice(NullSender *sender, unsigned person, unsigned hz, int64_t from_us,
                           int64_t to_us);
void null_sender_set_picture(NullSender *sender, unsigned person, bool screen, bool on,
                             int64_t from_us);
/** Nobody, or not @person, sends any more, also not what was due until now. */
void null_sender_stop(NullSender *sender);
void null_sender_stop_person(NullSender *sender, unsigned person);

/** The picture on @track_id is due at once, if there is one. */
void null_sender_hurry_picture(NullSender *sender, uint32_t track_id);
