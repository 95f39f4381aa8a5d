/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * RFC 2198: redundant audio data. A RED payload holds older blocks again, then the primary one.
 * Pure; a payload is foreign bytes.
 */

#define MEDIA_RED_MAX_BLOCKS 16

typedef struct {
    const uint8_t *data; /* borrowed from the payload */
    size_t size;
    uint32_t ts_offset; /* how much older than the packet's timestamp; 0 for the primary block */
} MediaRedBlock;

/**
 * media_red_split:
 * @ret_blocks: room for MEDIA_RED_MAX_BLOCKS; oldest first, the primary block last
 *
 * Returns how many blocks there are, 0 when the payload is malformed. Empty redundant blocks are
 * left out. Source: RFC 2198, section 3.
 */
size_t media_red_split(const uint8_t *payload, size_t size,
                       MediaRedBlock ret_blocks[MEDIA_RED_MAX_BLOCKS]);
