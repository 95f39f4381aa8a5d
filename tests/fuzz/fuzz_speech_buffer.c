/* SPDX-License-Identifier: Apache-2.0 */
#include "streaming/speech_buffer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Pieces of any length in, pieces of any length out: samples come in order and are never made up.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(StreamingSpeechBuffer) buffer = streaming_speech_buffer_new(1000);
    int16_t samples[64];
    gsize in_bytes = 0, out_samples = 0, dropped = 0;
    while (size > 2) {
        gsize piece = MIN(data[0], size - 2);
        gsize take = data[1] % G_N_ELEMENTS(samples);
        uint32_t rate_hz = 0;
        dropped += streaming_speech_buffer_push(buffer, data + 2, piece, 24000);
        in_bytes += piece;
        out_samples += streaming_speech_buffer_pop(buffer, samples, take, &rate_hz);
        g_assert_true(rate_hz == 24000 || rate_hz == 0);
        g_assert_cmpuint(streaming_speech_buffer_length(buffer), <=, 1001);
        g_assert_cmpuint(out_samples + dropped + streaming_speech_buffer_length(buffer), ==,
                         in_bytes / 2);
        data += 2 + piece;
        size -= 2 + piece;
    }
    return 0;
}
