/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/chapters.h"

/*
 * Joins the working files of a recording into the delivered one, without re-encoding. The same call
 * serves the normal end and --recover after a SIGKILL at any moment, also one of an earlier
 * finalizer; it is idempotent. Blocking: run it in a thread. No state is kept between calls.
 */

/** The delivered file of a recording with pictures. */
#define MEDIA_FINAL_MP4 "recording.mp4"

typedef struct {
    const char *title;       /* NULL: none */
    int64_t created_unix_ms; /* 0: none */
    GArray *chapters;        /* (element-type MediaChapter), with titles; NULL: none */
} MediaFinalizeOptions;

typedef struct {
    char *path;        /* owned: the file under its final name */
    double duration_s; /* the longer of audio and video */
    double video_s, audio_s;
    bool recovered; /* something had been cut off */
} MediaFinalized;

void media_finalized_clear(MediaFinalized *finalized);

/**
 * media_finalize:
 * @output_dir: the folder that media_engine_new was given
 *
 * Reads <output_dir>/.work, writes <output_dir>/recording.mp4 (or .mp3) by way of a temporary name
 * in the same folder, fsyncs, renames, does the same for audio.wav and tracks/ where they were
 * asked for, and only then removes the working files.
 *
 * Thread: any. Errors: MEDIA_ERROR_NOTHING_RECORDED, MEDIA_ERROR_DISK_FULL (working files kept),
 * MEDIA_ERROR_FORMAT, MEDIA_ERROR_IO.
 */
bool media_finalize(const char *output_dir, const MediaFinalizeOptions *options,
                    MediaFinalized *ret_finalized, GError **error);

/** True when @output_dir holds working files that nobody has finalized. */
bool media_has_unfinished(const char *output_dir);

/**
 * A working file that grows at its end only and whose bytes go into the delivered file as they are,
 * in one piece and in their order; but the last second may be cut. Both names are relative to the
 * output folder.
 */
typedef struct {
    const char *work;
    const char *final;
    bool in_place; /* its first kilobyte may be rewritten; else a header comes in front of it */
} MediaGrowingFile;

/**
 * media_growing_files:
 *
 * Returns (transfer none): those that a recording may have; a NULL name ends them. An MP4 is joined
 * from two files (media_follow tells it as it grows); of the tracks the pages are laid out anew, in
 * one file of all that a participant sent.
 */
const MediaGrowingFile *media_growing_files(void);
