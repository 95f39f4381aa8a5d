/* SPDX-License-Identifier: Apache-2.0 */
#include "media/fragment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t type;
    int header;
    if (size >= 16) {
        int64_t length = media_fragment_box(data, &type, &header);
        g_assert_true(length == 0 || length >= header);
    }
    g_autoptr(GArray) samples = g_array_new(FALSE, FALSE, sizeof(MediaFragmentSample));
    bool parsed = media_fragment_parse(data, size, 1000, samples);
    g_assert_cmpuint(samples->len, <=, MEDIA_FRAGMENT_MAX_SAMPLES);
    for (guint i = 0; parsed && i < samples->len; i++) {
        const MediaFragmentSample *sample = &g_array_index(samples, MediaFragmentSample, i);
        g_assert_true(sample->size >= 0 && sample->offset >= 0);
    }
    return 0;
}
