/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/engine.h"

/*
 * A file a voice: the Opus packets of each source as they came, muxed into Ogg without transcoding,
 * on the recording's time. While it records each source has .work/tracks/<source>.ogg, written
 * without any buffer of ours, and beside it the number of the participant it belongs to; at the end
 * media_track_files_publish makes <output>/tracks/<participant>.ogg of them. Silence is filled with
 * Opus' own silent packets, so that every file begins at the recording's time zero. Not thread
 * safe.
 */

#define MEDIA_TRACKS_DIR "tracks"

typedef struct MediaTrackFiles MediaTrackFiles;

/** Errors: MEDIA_ERROR_IO, _DISK_FULL. */
MediaTrackFiles *media_track_files_new(const char *work_dir, GError **error);
/** Files stay as they are: whole up to the last flush. */
void media_track_files_free(MediaTrackFiles *files);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaTrackFiles, media_track_files_free)

/**
 * media_track_files_write:
 * @participant_id: whom @source speaks for now; 0: not known yet
 * @at_samples: where the packet's first sample stands on the recording's time, at 48 kHz
 * @data: one Opus packet
 *
 * A packet that overlaps what is written follows it; one far behind is left out. Errors:
 * MEDIA_ERROR_IO, _DISK_FULL.
 */
bool media_track_files_write(MediaTrackFiles *files, uint32_t source, uint32_t participant_id,
                             int64_t at_samples, const uint8_t *data, size_t size, GError **error);

/** What was given so far goes onto the disk. */
bool media_track_files_flush(MediaTrackFiles *files, GError **error);

/**
 * media_track_files_publish:
 *
 * After the end, or after a SIGKILL: joins what is in <work_dir>/tracks into
 * <output_dir>/tracks/<participant>.ogg; a source that nobody was named for becomes
 * source-<number>.ogg. Repeating it gives the same files. Does nothing without tracks. Errors:
 * MEDIA_ERROR_IO, _DISK_FULL.
 */
bool media_track_files_publish(const char *work_dir, const char *output_dir, GError **error);
