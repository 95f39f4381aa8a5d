/* SPDX-License-Identifier: Apache-2.0 */
#include "media/red.h"

size_t media_red_split(const uint8_t *payload, size_t size,
                       MediaRedBlock ret_blocks[MEDIA_RED_MAX_BLOCKS])
{
    uint32_t offsets[MEDIA_RED_MAX_BLOCKS];
    size_t lengths[MEDIA_RED_MAX_BLOCKS];
    size_t n_redundant = 0, at = 0;

    while (at < size && (payload[at] & 0x80) != 0) {
        if (n_redundant == MEDIA_RED_MAX_BLOCKS - 1 || size - at < 4) {
            return 0;
        }
        offsets[n_redundant] = ((uint32_t)payload[at + 1] << 6) | (payload[at + 2] >> 2);
        lengths[n_redundant] = ((size_t)(payload[at + 2] & 0x03) << 8) | payload[at + 3];
        n_redundant++;
        at += 4;
    }
    if (at >= size) {
        return 0;
    }
    at++; /* the primary block's one-byte header */

    size_t n = 0;
    for (size_t i = 0; i < n_redundant; i++) {
        if (lengths[i] > size - at) {
            return 0;
        }
        if (lengths[i] > 0) {
            ret_blocks[n++] = (MediaRedBlock){payload + at, lengths[i], offsets[i]};
        }
        at += lengths[i];
    }
    ret_blocks[n++] = (MediaRedBlock){payload + at, size - at, 0};
    return n;
}
