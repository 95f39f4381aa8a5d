/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/engine.h"

/*
 * One Ogg Opus file (RFC 7845) that grows by packets, written without any buffer of ours: what was
 * flushed survives a SIGKILL. Gaps are filled with silent packets. Not thread safe.
 */

typedef struct MediaOggWriter MediaOggWriter;

/** Errors: MEDIA_ERROR_IO, _DISK_FULL. */
MediaOggWriter *media_ogg_writer_new(const char *path, GError **error);
/** Without ending the file. */
void media_ogg_writer_free(MediaOggWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaOggWriter, media_ogg_writer_free)

/**
 * media_ogg_writer_write:
 * @at_samples: 48 kHz, from the beginning of the file
 *
 * Fills up to @at_samples and appends the packet; one that begins more than 60 ms before the end of
 * the file is left out. Anything that is no Opus packet is too. Errors: MEDIA_ERROR_IO, _DISK_FULL.
 */
bool media_ogg_writer_write(MediaOggWriter *writer, int64_t at_samples, const uint8_t *data,
                            size_t size, GError **error);

bool media_ogg_writer_flush(MediaOggWriter *writer, GError **error);

/** Flush and end the file properly. */
bool media_ogg_writer_close(MediaOggWriter *writer, GError **error);

/** Samples in the file. */
int64_t media_ogg_writer_length(const MediaOggWriter *writer);
