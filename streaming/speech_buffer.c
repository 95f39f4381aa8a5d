/* SPDX-License-Identifier: Apache-2.0 */
#include "streaming/speech_buffer.h"

#include <string.h>

/* Samples of one rate. */
typedef struct {
    uint32_t rate_hz;
    GByteArray *bytes; /* owned: s16le from start on; an odd last byte is half a sample */
    gsize start;       /* bytes already taken */
} Run;

struct StreamingSpeechBuffer {
    GQueue runs; /* owned Run; only the last one grows */
    gsize max_bytes;
};

/* Bytes already taken are kept in front until there are this many: moving is then rare. */
#define COMPACT_BYTES 65536
/* A peer that changes the rate with every message makes many runs. */
#define MAX_RUNS 1000

StreamingSpeechBuffer *streaming_speech_buffer_new(gsize max_samples)
{
    StreamingSpeechBuffer *buffer = g_new0(StreamingSpeechBuffer, 1);
    g_queue_init(&buffer->runs);
    buffer->max_bytes = max_samples * sizeof(int16_t);
    return buffer;
}

static void run_free(gpointer data)
{
    Run *run = data;
    g_byte_array_unref(run->bytes);
    g_free(run);
}

void streaming_speech_buffer_free(StreamingSpeechBuffer *buffer)
{
    g_queue_clear_full(&buffer->runs, run_free);
    g_free(buffer);
}

static gsize run_bytes(const Run *run)
{
    return run->bytes->len - run->start;
}

static gsize waiting_bytes(const StreamingSpeechBuffer *buffer)
{
    gsize sum = 0;
    for (const GList *item = buffer->runs.head; item != NULL; item = item->next) {
        sum += run_bytes(item->data);
    }
    return sum;
}

/* The run that samples of @rate_hz go on; NULL when there are too many. */
static Run *run_of(StreamingSpeechBuffer *buffer, uint32_t rate_hz)
{
    Run *run = g_queue_peek_tail(&buffer->runs);
    if (run != NULL && run->rate_hz == rate_hz) {
        return run;
    }
    if (run != NULL) { /* half a sample has no other half any more */
        g_byte_array_set_size(run->bytes, run->bytes->len - run_bytes(run) % 2);
        if (run_bytes(run) == 0) {
            run_free(g_queue_pop_tail(&buffer->runs));
        }
    }
    if (buffer->runs.length >= MAX_RUNS) {
        return NULL;
    }
    run = g_new0(Run, 1);
    run->rate_hz = rate_hz;
    run->bytes = g_byte_array_new();
    g_queue_push_tail(&buffer->runs, run);
    return run;
}

gsize streaming_speech_buffer_push(StreamingSpeechBuffer *buffer, const guint8 *data, gsize n_bytes,
                                   uint32_t rate_hz)
{
    Run *run = run_of(buffer, rate_hz);
    if (run == NULL) {
        return n_bytes / sizeof(int16_t);
    }
    gsize waiting = waiting_bytes(buffer);
    /* A cut leaves the same half sample pending as the whole piece would have. */
    gsize room = buffer->max_bytes > waiting ? buffer->max_bytes - waiting : 0;
    gsize dropped = n_bytes > room ? (n_bytes - room + 1) / 2 * 2 : 0;
    dropped = MIN(dropped, n_bytes / 2 * 2);
    g_byte_array_append(run->bytes, data, (guint)(n_bytes - dropped));
    return dropped / sizeof(int16_t);
}

gsize streaming_speech_buffer_pop(StreamingSpeechBuffer *buffer, int16_t *ret_samples,
                                  gsize max_samples, uint32_t *ret_rate_hz)
{
    Run *run = g_queue_peek_head(&buffer->runs);
    if (run == NULL) {
        return 0;
    }
    gsize n = MIN(max_samples, run_bytes(run) / sizeof(int16_t));
    const guint8 *from = run->bytes->data + run->start;
    for (gsize i = 0; i < n; i++) {
        ret_samples[i] = (int16_t)((guint16)from[2 * i] | (guint16)from[2 * i + 1] << 8);
    }
    *ret_rate_hz = run->rate_hz;
    run->start += n * sizeof(int16_t);
    if (run_bytes(run) == 0 && buffer->runs.length > 1) {
        run_free(g_queue_pop_head(&buffer->runs));
    } else if (run->start >= COMPACT_BYTES || run->start == run->bytes->len) {
        g_byte_array_remove_range(run->bytes, 0, (guint)run->start);
        run->start = 0;
    }
    return n;
}

gsize streaming_speech_buffer_flush(StreamingSpeechBuffer *buffer)
{
    gsize n = streaming_speech_buffer_length(buffer);
    g_queue_clear_full(&buffer->runs, run_free);
    return n;
}

gsize streaming_speech_buffer_length(const StreamingSpeechBuffer *buffer)
{
    gsize sum = 0;
    for (const GList *item = buffer->runs.head; item != NULL; item = item->next) {
        sum += run_bytes(item->data) / sizeof(int16_t);
    }
    return sum;
}
