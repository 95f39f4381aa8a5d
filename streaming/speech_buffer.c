/* SPDX-License-Identifier: Apache-2.0 */
#include "streaming/speech_buffer.h"

#include <string.h>

struct StreamingSpeechBuffer {
    GByteArray *bytes; /* s16le from start on; an odd last byte is half a sample */
    gsize start;       /* bytes already taken */
    gsize max_bytes;
};

/* Bytes already taken are kept in front until there are this many: moving is then rare. */
#define COMPACT_BYTES 65536

StreamingSpeechBuffer *streaming_speech_buffer_new(gsize max_samples)
{
    StreamingSpeechBuffer *buffer = g_new0(StreamingSpeechBuffer, 1);
    buffer->bytes = g_byte_array_new();
    buffer->max_bytes = max_samples * sizeof(int16_t);
    return buffer;
}

void streaming_speech_buffer_free(StreamingSpeechBuffer *buffer)
{
    g_byte_array_unref(buffer->bytes);
    g_free(buffer);
}

gsize streaming_speech_buffer_push(StreamingSpeechBuffer *buffer, const guint8 *data, gsize n_bytes)
{
    gsize waiting = buffer->bytes->len - buffer->start;
    /* A cut leaves the same half sample pending as the whole piece would have. */
    gsize room = buffer->max_bytes > waiting ? buffer->max_bytes - waiting : 0;
    gsize dropped = n_bytes > room ? (n_bytes - room + 1) / 2 * 2 : 0;
    dropped = MIN(dropped, n_bytes / 2 * 2);
    g_byte_array_append(buffer->bytes, data, (guint)(n_bytes - dropped));
    return dropped / sizeof(int16_t);
}

gsize streaming_speech_buffer_pop(StreamingSpeechBuffer *buffer, int16_t *ret_samples,
                                  gsize max_samples)
{
    gsize n = MIN(max_samples, streaming_speech_buffer_length(buffer));
    const guint8 *from = buffer->bytes->data + buffer->start;
    for (gsize i = 0; i < n; i++) {
        ret_samples[i] = (int16_t)((guint16)from[2 * i] | (guint16)from[2 * i + 1] << 8);
    }
    buffer->start += n * sizeof(int16_t);
    if (buffer->start >= COMPACT_BYTES || buffer->start == buffer->bytes->len) {
        g_byte_array_remove_range(buffer->bytes, 0, (guint)buffer->start);
        buffer->start = 0;
    }
    return n;
}

void streaming_speech_buffer_flush(StreamingSpeechBuffer *buffer)
{
    g_byte_array_set_size(buffer->bytes, 0);
    buffer->start = 0;
}

gsize streaming_speech_buffer_length(const StreamingSpeechBuffer *buffer)
{
    return (buffer->bytes->len - buffer->start) / sizeof(int16_t);
}
