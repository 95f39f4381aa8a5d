/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/engine.h"

#include <gst/gst.h>

/*
 * A working file while it grows: one track of fragmented MP4, or the bare frames of an MP3, written
 * without any buffer of ours, so that a file survives a SIGKILL at any moment up to its last whole
 * fragment. Not thread safe.
 */

typedef struct MediaWriter MediaWriter;

/**
 * media_writer_new:
 * @caps: of the encoded buffers: H.264 (avc, au), AAC (raw) or MP3
 * @timescale: units a second of the times given to media_writer_write
 *
 * Errors: MEDIA_ERROR_IO, _DISK_FULL, _FORMAT.
 */
MediaWriter *media_writer_new(const char *path, GstCaps *caps, int timescale, GError **error);

/** Frees without ending the file; what was flushed stays. */
void media_writer_free(MediaWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaWriter, media_writer_free)

/** Times in units of the timescale; none negative; @dts grows. Kept until the next flush. */
bool media_writer_write(MediaWriter *writer, GstBuffer *buffer, int64_t pts, int64_t dts,
                        int64_t duration, GError **error);

/** Everything given so far but the newest packet goes to the file, as one fragment. */
bool media_writer_flush(MediaWriter *writer, GError **error);

/** Flush and end the file properly. */
bool media_writer_close(MediaWriter *writer, GError **error);
