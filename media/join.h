/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/work_state.h"

#include <libavformat/avformat.h>

/*
 * The working files of a recording, read packet by packet in the order in which the delivered file
 * has them: sound and pictures in turns. Not thread safe.
 */

#define MEDIA_JOIN_VIDEO_SCALE 90000
#define MEDIA_JOIN_AAC_FRAME 1024
/* Sound and pictures alternate in stretches of this length: long ones make the index short. */
#define MEDIA_JOIN_INTERLEAVE_MS 500

/* One working file being read. */
typedef struct {
    /* Reads the next packet: its times (in @scale), place and size; below 0: the end. NULL: libav
     * reads the file. */
    int (*next)(gpointer source, AVPacket *packet);
    gpointer source; /* borrowed */

    AVFormatContext *context; /* owned; NULL: there is none */
    AVPacket *packet;         /* owned: the next one, in the output's units */
    bool at_end;
    AVRational scale;
    int64_t shift; /* added to all times, in @scale */
    bool started;
    int out_index;
    int64_t end;       /* of what was written, in @scale */
    int64_t file_size; /* what lies behind it was cut off */
} MediaJoinInput;

typedef struct MediaJoin MediaJoin;

struct MediaJoin {
    MediaJoinInput video, audio;
    AVPacket *held;       /* owned: the last video packet, whose duration is not known yet */
    MediaWorkState state; /* as it was loaded */
    /* Takes the next packet, with times in input->scale; its contents may be changed. Below 0: an
     * error of libav, which ends it. */
    int (*write)(MediaJoin *join, MediaJoinInput *input, AVPacket *packet);
};

/**
 * media_join_open:
 * @join: zero, but for state and write, and next and source of what is not read by libav
 *
 * Read the first packet of each; there may be none: at_end.
 */
void media_join_open(MediaJoin *join, const char *work_dir);
void media_join_close(MediaJoin *join);

/** Everything to its end, by join->write. Returns below 0 what that did. */
int media_join_copy(MediaJoin *join);
