/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/page/page_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GBytes) message = g_bytes_new(data, size);
    PageFrameReader reader;
    PageRecord record;
    if (!page_frame_reader_init(&reader, g_bytes_get_data(message, NULL), size, NULL)) {
        return 0;
    }
    while (page_frame_reader_next(&reader, &record, NULL)) {
        g_assert_cmpuint(record.n_csrcs, <=, MEDIA_MAX_CSRCS);
        g_autoptr(MediaEncodedFrame) frame = page_record_to_frame(&record, message, 1, 0);
        g_assert_cmpuint(g_bytes_get_size(frame->payload), ==, record.payload_size);
    }
    g_assert_cmpuint(reader.pos, <=, size);
    return 0;
}
