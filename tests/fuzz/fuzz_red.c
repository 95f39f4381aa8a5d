/* SPDX-License-Identifier: Apache-2.0 */
#include "media/red.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    MediaRedBlock blocks[MEDIA_RED_MAX_BLOCKS];
    size_t n = media_red_split(data, size, blocks);
    if (n > MEDIA_RED_MAX_BLOCKS) {
        abort();
    }
    for (size_t i = 0; i < n; i++) {
        if (blocks[i].data < data || blocks[i].data + blocks[i].size > data + size) {
            abort();
        }
    }
    return 0;
}
