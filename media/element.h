/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/engine.h"

#include <gst/gst.h>

/*
 * One GStreamer element, or a chain of them, run synchronously: a buffer pushed in comes out of the
 * callback before the push returns. No pipeline, no threads, no queues: what happens is decided by
 * what was pushed, not by when a thread woke up. Used for all decoders and encoders. Not thread
 * safe; the callback runs inside push and drain.
 */

typedef struct MediaElement MediaElement;

typedef struct {
    GstBuffer *buffer; /* borrowed */
    GstCaps *caps;     /* borrowed */
    bool has_pts, has_dts;
    int64_t pts_ns, dts_ns; /* running time, negative possible */
} MediaElementOutput;

typedef void (*MediaElementFunc)(const MediaElementOutput *output, gpointer user_data);

/**
 * media_element_new:
 * @description: as gst-launch spells it, without source and sink
 * @caps: (transfer none): of what will be pushed
 *
 * Errors: MEDIA_ERROR_UNSUPPORTED (an element is not installed), MEDIA_ERROR_ENCODER (doesn't
 * start).
 */
MediaElement *media_element_new(const char *description, GstCaps *caps, MediaElementFunc on_output,
                                gpointer user_data, GError **error);
void media_element_free(MediaElement *element);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaElement, media_element_free)

/** @buffer: (transfer full). Errors: MEDIA_ERROR_ENCODER with the element's own words. */
bool media_element_push(MediaElement *element, GstBuffer *buffer, GError **error);

/** End of stream: everything that the element still holds comes out. */
bool media_element_drain(MediaElement *element, GError **error);
