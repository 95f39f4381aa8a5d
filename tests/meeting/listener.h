// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

/*
 * Hears and sees what one bot sends: its microphone goes into a WAV file (48 kHz mono, gaps
 * filled with silence), stretches of sound are noted; of its camera the pictures are counted and
 * the key frames decoded, to know whether they show anything.
 *
 * Thread: push from streaming threads, the rest from one other; under its own lock.
 */

typedef struct MeetingListener MeetingListener;

/* @wav_path: (nullable): no file then */
MeetingListener *meeting_listener_new(const char *wav_path);
void meeting_listener_free(MeetingListener *listener);

/* One RTP packet; @at_us: when it came, monotonic. */
void meeting_listener_push_audio(MeetingListener *listener, GstBuffer *packet, gint64 at_us);
void meeting_listener_push_video(MeetingListener *listener, GstBuffer *packet, gint64 at_us);

/* The bot has opened its microphone: what comes now belongs to now, however its timestamps go on
 * (Chromium's stand still meanwhile). */
void meeting_listener_resume(MeetingListener *listener);

/**
 * meeting_listener_report:
 * @zero_us: meeting time zero on the monotonic clock
 *
 * Completes the WAV file and adds the members "said" and "camera" to an open JSON object.
 */
void meeting_listener_report(MeetingListener *listener, JsonBuilder *b, gint64 zero_us);
