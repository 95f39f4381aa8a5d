/* SPDX-License-Identifier: Apache-2.0 */
#include "streaming/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever a consumer sends as text: speech comes with a rate that can be played, or not at all. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GBytes) pcm = NULL;
    uint32_t rate_hz = 0;
    StreamingTextKind kind = streaming_text_read((const char *)data, size, &pcm, &rate_hz);
    g_assert_true((kind == STREAMING_TEXT_BOT_OUTPUT) == (pcm != NULL));
    if (pcm != NULL) {
        g_assert_cmpuint(rate_hz, >=, 8000);
        g_assert_cmpuint(rate_hz, <=, 48000);
        g_assert_cmpuint(g_bytes_get_size(pcm), <=, size);
    }
    return 0;
}
