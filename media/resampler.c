/* SPDX-License-Identifier: Apache-2.0 */
#include "media/resampler.h"

#include <gst/audio/audio.h>

struct MediaResampler {
    GstAudioResampler *filter; /* owned; NULL when the rates are equal */
};

#define QUALITY 8 /* of 10: stop band below the noise of 16 bits */

MediaResampler *media_resampler_new(uint32_t in_hz, uint32_t out_hz)
{
    MediaResampler *resampler = g_new0(MediaResampler, 1);
    if (in_hz != out_hz) {
        GstStructure *options = gst_structure_new_empty("options");
        gst_audio_resampler_options_set_quality(GST_AUDIO_RESAMPLER_METHOD_KAISER, QUALITY,
                                                (gint)in_hz, (gint)out_hz, options);
        resampler->filter = gst_audio_resampler_new(
            GST_AUDIO_RESAMPLER_METHOD_KAISER, GST_AUDIO_RESAMPLER_FLAG_NONE, GST_AUDIO_FORMAT_S16,
            1, (gint)in_hz, (gint)out_hz, options);
        gst_structure_free(options);
    }
    return resampler;
}

void media_resampler_free(MediaResampler *resampler)
{
    g_clear_pointer(&resampler->filter, gst_audio_resampler_free);
    g_free(resampler);
}

/* @samples NULL: silence, as the library has it. */
static void run(MediaResampler *resampler, const int16_t *samples, gsize n_samples, GArray *out)
{
    gsize n_out = gst_audio_resampler_get_out_frames(resampler->filter, n_samples);
    guint before = out->len;
    g_array_set_size(out, before + (guint)n_out);
    gpointer in_planes[1] = {(gpointer)samples};
    int16_t nothing; /* an array that never held anything has no memory */
    gpointer out_planes[1] = {n_out > 0 ? &g_array_index(out, int16_t, before) : &nothing};
    gst_audio_resampler_resample(resampler->filter, samples != NULL ? in_planes : NULL, n_samples,
                                 out_planes, n_out);
}

void media_resampler_push(MediaResampler *resampler, const int16_t *samples, gsize n_samples,
                          GArray *out)
{
    if (resampler->filter == NULL) {
        g_array_append_vals(out, samples, (guint)n_samples);
    } else if (n_samples > 0) {
        run(resampler, samples, n_samples, out);
    }
}

void media_resampler_drain(MediaResampler *resampler, GArray *out)
{
    if (resampler->filter != NULL) {
        run(resampler, NULL, gst_audio_resampler_get_max_latency(resampler->filter), out);
        gst_audio_resampler_reset(resampler->filter);
    }
}

void media_resampler_reset(MediaResampler *resampler)
{
    if (resampler->filter != NULL) {
        gst_audio_resampler_reset(resampler->filter);
    }
}
