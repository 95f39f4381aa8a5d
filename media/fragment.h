/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A fragment's index ("moof") in a file of one track (ISO/IEC 14496-12, 8.8): where its packets
 * stand, and when. Pure; any thread.
 */

/** Most packets of one fragment, and the longest index that is worth looking at. */
#define MEDIA_FRAGMENT_MAX_SAMPLES 65536u
#define MEDIA_FRAGMENT_MAX_INDEX (4 * 1024 * 1024)

typedef struct {
    int64_t offset; /* in the file */
    int32_t size;
    int64_t dts, pts; /* in the track's own units */
} MediaFragmentSample;

/** A box's header: @data has 16 bytes. Returns its whole length, and how long the header is; 0: it
 *  is senseless, or goes to the end of the file. */
int64_t media_fragment_box(const uint8_t data[16], uint32_t *ret_type, int *ret_header);

#define MEDIA_FRAGMENT_TYPE(a, b, c, d)                                                            \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/**
 * media_fragment_parse:
 * @data: what is inside the moof, without its header
 * @offset: where the moof stands in the file
 * @samples: (element-type MediaFragmentSample): appended to; on failure too, perhaps
 *
 * Returns false when it is no index of one track whose times and sizes are all said in it.
 */
bool media_fragment_parse(const uint8_t *data, size_t size, int64_t offset, GArray *samples);
