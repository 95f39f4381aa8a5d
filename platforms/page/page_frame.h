/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/frame.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * The binary messages of the page link, version 1: docs/page-link.md. Pure: bytes in, records out.
 * A page is a hostile peer, so every length is checked before it is used.
 */

#define PAGE_FRAME_VERSION 1
#define PAGE_FRAME_BATCH_BYTES 16
#define PAGE_FRAME_RECORD_BYTES 36

typedef enum {
    PAGE_RECORD_AUDIO = 1,
    PAGE_RECORD_VIDEO = 2,
    PAGE_RECORD_CHANNEL = 3, /* one message of a watched data channel; track = watch number */
    PAGE_RECORD_FETCH = 4,   /* the body of a watched fetch; track = watch number */
} PageRecordType;

typedef struct {
    const uint8_t *data; /* borrowed */
    size_t size, pos;
    uint32_t n_left;
    double now_ms; /* the page's clock when it sent the message */
} PageFrameReader;

typedef struct {
    PageRecordType type;
    MediaCodec codec;
    bool key_frame, has_sequence, has_level;
    uint32_t track, ssrc, rtp_timestamp;
    double receive_ms; /* on the clock of now_ms */
    uint16_t sequence;
    uint8_t audio_level, spatial_layer;
    uint16_t width, height;
    uint8_t n_csrcs;
    uint32_t csrcs[MEDIA_MAX_CSRCS];
    const uint8_t *payload; /* borrowed from the message */
    uint32_t payload_size;
} PageRecord;

/** Errors: PLATFORM_ERROR_PROTOCOL (not a message of this version). */
bool page_frame_reader_init(PageFrameReader *reader, const void *data, size_t size, GError **error);

/**
 * page_frame_reader_next:
 *
 * Returns true and fills @ret_record, or false: at the end without @error, or with
 * PLATFORM_ERROR_PROTOCOL when the message is damaged; then nothing more can be read from it.
 */
bool page_frame_reader_next(PageFrameReader *reader, PageRecord *ret_record, GError **error);

/**
 * page_record_to_frame:
 * @message: what holds the record; the frame's payload keeps it alive
 * @track_base: added to the page's track number
 * @receive_ns: the record's receive time on CLOCK_MONOTONIC
 *
 * For PAGE_RECORD_AUDIO and _VIDEO. Returns (transfer full).
 */
MediaEncodedFrame *page_record_to_frame(const PageRecord *record, GBytes *message,
                                        uint32_t track_base, int64_t receive_ns);
