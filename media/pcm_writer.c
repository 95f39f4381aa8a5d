/* SPDX-License-Identifier: Apache-2.0 */
#include "media/pcm_writer.h"

#include "media/frame.h"

#include <gst/audio/audio.h>
#include <math.h>
#include <string.h>

struct MediaPcmWriter {
    GstAudioResampler *resampler; /* owned; NULL at 48 kHz */
    int64_t block_in, block_out;
    int64_t delay_in;
    float *fifo; /* owned: converted samples that wait for their block */
    size_t fifo_len, fifo_size;
};

MediaPcmWriter *media_pcm_writer_new(uint32_t rate_hz, uint16_t block_ms)
{
    MediaPcmWriter *writer = g_new0(MediaPcmWriter, 1);
    writer->block_in = (int64_t)MEDIA_AUDIO_RATE_HZ * block_ms / 1000;
    writer->block_out = (int64_t)rate_hz * block_ms / 1000;
    writer->fifo_size = (size_t)writer->block_out * 2 + 4096;
    writer->fifo = g_new0(float, writer->fifo_size);
    if (rate_hz == MEDIA_AUDIO_RATE_HZ) {
        return writer;
    }
    GstStructure *options = gst_structure_new_empty("options");
    gst_audio_resampler_options_set_quality(GST_AUDIO_RESAMPLER_METHOD_KAISER,
                                            GST_AUDIO_RESAMPLER_QUALITY_MAX - 2,
                                            MEDIA_AUDIO_RATE_HZ, (gint)rate_hz, options);
    writer->resampler = gst_audio_resampler_new(GST_AUDIO_RESAMPLER_METHOD_KAISER,
                                                GST_AUDIO_RESAMPLER_FLAG_NONE, GST_AUDIO_FORMAT_F32,
                                                1, MEDIA_AUDIO_RATE_HZ, (gint)rate_hz, options);
    gst_structure_free(options);
    /* The filter swallows its latency first; as many zeros keep all blocks whole. */
    size_t first = gst_audio_resampler_get_out_frames(writer->resampler, (gsize)writer->block_in);
    writer->fifo_len = (size_t)writer->block_out - MIN(first, (size_t)writer->block_out);
    writer->delay_in = (int64_t)writer->fifo_len * MEDIA_AUDIO_RATE_HZ / rate_hz;
    return writer;
}

void media_pcm_writer_free(MediaPcmWriter *writer)
{
    g_clear_pointer(&writer->resampler, gst_audio_resampler_free);
    g_free(writer->fifo);
    g_free(writer);
}

int64_t media_pcm_writer_block_in(const MediaPcmWriter *writer)
{
    return writer->block_in;
}

int64_t media_pcm_writer_block_out(const MediaPcmWriter *writer)
{
    return writer->block_out;
}

int64_t media_pcm_writer_delay_in(const MediaPcmWriter *writer)
{
    return writer->delay_in;
}

static int16_t to_s16(float sample)
{
    return (int16_t)lrintf(fminf(fmaxf(sample * 32768.0f, -32768.0f), 32767.0f));
}

void media_pcm_writer_convert(MediaPcmWriter *writer, const float *in, int16_t *out)
{
    if (writer->resampler == NULL) {
        for (int64_t i = 0; i < writer->block_out; i++) {
            out[i] = to_s16(in[i]);
        }
        return;
    }
    size_t n = gst_audio_resampler_get_out_frames(writer->resampler, (gsize)writer->block_in);
    g_assert(writer->fifo_len + n <= writer->fifo_size);
    gpointer from[1] = {(gpointer)in};
    gpointer to[1] = {writer->fifo + writer->fifo_len};
    gst_audio_resampler_resample(writer->resampler, from, (gsize)writer->block_in, to, n);
    writer->fifo_len += n;
    g_assert(writer->fifo_len >= (size_t)writer->block_out);
    for (int64_t i = 0; i < writer->block_out; i++) {
        out[i] = to_s16(writer->fifo[i]);
    }
    writer->fifo_len -= (size_t)writer->block_out;
    memmove(writer->fifo, writer->fifo + writer->block_out,
            writer->fifo_len * sizeof *writer->fifo);
}
