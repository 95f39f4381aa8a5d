// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/speech.h"

#include "tests/meeting/picture.h"

#include <gst/gst.h>
#include <math.h>
#include <opus.h>
#include <string.h>

enum { RATE = 48000, BITRATE = 48000, LEVEL_WINDOW = RATE / 100 };

#define TONE_AMPLITUDE 0.25
#define BEEP_HZ 1000
#define FADE_SAMPLES 48 /* 1 ms: no click, and still an onset to the millisecond */
/* Energy above this counts as speech (full scale = 1); a pause shorter than the gap does not
 * end a segment. */
#define SPEECH_RMS 0.01
#define SEGMENT_GAP_US 300000

void meeting_run_free(MeetingRun *run)
{
    g_ptr_array_unref(run->packets);
    g_byte_array_unref(run->levels);
    g_array_unref(run->segments);
    g_clear_pointer(&run->speakers, g_array_unref);
    g_free(run);
}

/* Decodes any file to mono 48 kHz. Returns (transfer full): array of gint16. */
static GArray *read_wav(const char *path, GError **error)
{
    g_autofree char *uri = gst_filename_to_uri(path, error);
    if (uri == NULL)
        return NULL;
    g_autofree char *line = g_strdup_printf(
        "uridecodebin uri=\"%s\" ! audioconvert ! audioresample quality=10 ! "
        "audio/x-raw,format=S16LE,rate=%d,channels=1 ! appsink name=sink sync=false",
        uri, RATE);
    GstElement *pipeline = gst_parse_launch(line, error);
    if (pipeline == NULL)
        return NULL;
    GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    GArray *samples = g_array_new(FALSE, FALSE, sizeof(gint16));
    GstSample *sample;
    while ((sample = meeting_pull_sample(pipeline, GST_APP_SINK(sink))) != NULL) {
        GstMapInfo map;
        if (gst_buffer_map(gst_sample_get_buffer(sample), &map, GST_MAP_READ)) {
            g_array_append_vals(samples, map.data, (guint)(map.size / sizeof(gint16)));
            gst_buffer_unmap(gst_sample_get_buffer(sample), &map);
        }
        gst_sample_unref(sample);
    }
    gst_element_set_state(pipeline, GST_STATE_NULL);
    g_object_unref(sink);
    g_object_unref(pipeline);
    if (samples->len > 0)
        return samples;
    g_array_unref(samples);
    g_set_error(error, MEETING_ERROR, MEETING_ERROR_MEDIA, "%s: no sound in it", path);
    return NULL;
}

static GArray *make_tone(double hz, double for_s)
{
    guint n = (guint)lround(for_s * RATE);
    GArray *samples = g_array_sized_new(FALSE, FALSE, sizeof(gint16), n);
    for (guint i = 0; i < n; i++) {
        double edge = MIN(i + 1, n - i) / (double)FADE_SAMPLES;
        double value = TONE_AMPLITUDE * MIN(edge, 1.0) * sin(2 * G_PI * hz * i / RATE);
        gint16 sample = (gint16)lround(value * 32767);
        g_array_append_val(samples, sample);
    }
    return samples;
}

static double rms(const gint16 *samples, guint n)
{
    double sum = 0;
    for (guint i = 0; i < n; i++)
        sum += (double)samples[i] * samples[i];
    return n > 0 ? sqrt(sum / n) / 32768 : 0;
}

static guint8 audio_level(const gint16 *samples)
{
    double value = rms(samples, MEETING_PACKET_SAMPLES);
    return value > 0 ? (guint8)CLAMP(lround(-20 * log10(value)), 0, 127) : 127;
}

static gint64 samples_to_us(gint64 n)
{
    return n * G_USEC_PER_SEC / RATE;
}

static void find_segments(MeetingRun *run, const gint16 *samples, guint n)
{
    for (guint at = 0; at < n; at += LEVEL_WINDOW) {
        if (rms(samples + at, MIN(LEVEL_WINDOW, n - at)) < SPEECH_RMS)
            continue;
        gint64 from = run->sound_us + samples_to_us(at);
        gint64 to = run->sound_us + samples_to_us(MIN(at + LEVEL_WINDOW, n));
        guint len = run->segments->len;
        if (len > 0 && from - g_array_index(run->segments, gint64, len - 1) < SEGMENT_GAP_US) {
            g_array_index(run->segments, gint64, len - 1) = to;
            continue;
        }
        g_array_append_val(run->segments, from);
        g_array_append_val(run->segments, to);
    }
}

MeetingRun *meeting_run_encode(GArray *sound, gint64 at_us, GError **error)
{
    int failed = 0, lookahead = 0;
    OpusEncoder *encoder = opus_encoder_create(RATE, 1, OPUS_APPLICATION_AUDIO, &failed);
    if (encoder == NULL) {
        g_set_error(error, MEETING_ERROR, MEETING_ERROR_MEDIA, "Opus: %s", opus_strerror(failed));
        return NULL;
    }
    opus_encoder_ctl(encoder, OPUS_SET_BITRATE(BITRATE));
    opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(5));
    opus_encoder_ctl(encoder, OPUS_SET_INBAND_FEC(1));
    opus_encoder_ctl(encoder, OPUS_SET_PACKET_LOSS_PERC(2));
    opus_encoder_ctl(encoder, OPUS_GET_LOOKAHEAD(&lookahead));

    guint lead = MEETING_PACKET_SAMPLES;
    guint n_packets = (lead + sound->len + MEETING_PACKET_SAMPLES - 1) / MEETING_PACKET_SAMPLES;
    guint total = (n_packets + 1) * MEETING_PACKET_SAMPLES;
    g_autofree gint16 *padded = g_new0(gint16, total);
    memcpy(padded + lead, sound->data, sound->len * sizeof(gint16));

    MeetingRun *run = g_new0(MeetingRun, 1);
    run->sound_us = at_us;
    run->sound_end_us = at_us + samples_to_us(sound->len);
    run->start_us = at_us - MEETING_PACKET_US;
    run->packets = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    run->levels = g_byte_array_new();
    run->segments = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = 0; i < n_packets; i++) {
        guint8 data[1275];
        const gint16 *input = padded + i * MEETING_PACKET_SAMPLES;
        int bytes =
            opus_encode(encoder, input + lookahead, MEETING_PACKET_SAMPLES, data, sizeof data);
        if (bytes < 0) {
            g_set_error(error, MEETING_ERROR, MEETING_ERROR_MEDIA, "Opus: %s",
                        opus_strerror(bytes));
            g_clear_pointer(&run, meeting_run_free);
            break;
        }
        guint8 level = audio_level(input);
        g_byte_array_append(run->levels, &level, 1);
        g_ptr_array_add(run->packets, g_bytes_new(data, (gsize)bytes));
    }
    opus_encoder_destroy(encoder);
    if (run != NULL)
        find_segments(run, (gint16 *)(gpointer)sound->data, sound->len);
    return run;
}

static bool add(GPtrArray *runs, GArray *sound, double at_s, GError **error)
{
    if (sound == NULL)
        return false;
    /* On the sample grid of the meeting clock, so that RTP time is exact. */
    gint64 at_us = samples_to_us(llround(at_s * RATE));
    MeetingRun *run = meeting_run_encode(sound, at_us, error);
    g_array_unref(sound);
    if (run != NULL)
        g_ptr_array_add(runs, run);
    return run != NULL;
}

static bool add_beeps(GPtrArray *runs, const MeetingPerson *person, double duration_s,
                      GError **error)
{
    double last_s = MIN(MIN(duration_s, person->leave_s), 7200);
    for (double at_s = ceil(MAX(person->join_s, 1)); at_s < last_s; at_s++) {
        if (!add(runs, make_tone(BEEP_HZ, 0.1), at_s, error))
            return false;
    }
    return true;
}

static gint by_start(gconstpointer a, gconstpointer b)
{
    const MeetingRun *first = *(MeetingRun *const *)a, *second = *(MeetingRun *const *)b;
    return first->start_us < second->start_us ? -1 : first->start_us > second->start_us;
}

GPtrArray *meeting_speech_encode(const MeetingPerson *person, double duration_s, GError **error)
{
    g_autoptr(GPtrArray) runs = g_ptr_array_new_with_free_func((GDestroyNotify)meeting_run_free);
    for (guint i = 0; i < person->speech->len; i++) {
        const MeetingSpeech *speech = g_ptr_array_index(person->speech, i);
        GArray *sound = speech->wav != NULL ? read_wav(speech->wav, error)
                                            : make_tone(speech->tone_hz, speech->for_s);
        if (!add(runs, sound, speech->at_s, error))
            return NULL;
    }
    if (person->camera != NULL && g_str_equal(person->camera->source, "flash_beep") &&
        !add_beeps(runs, person, duration_s, error))
        return NULL;
    g_ptr_array_sort(runs, by_start);
    for (guint i = 1; i < runs->len; i++) {
        const MeetingRun *before = g_ptr_array_index(runs, i - 1),
                         *run = g_ptr_array_index(runs, i);
        if (run->start_us < before->sound_end_us + MEETING_PACKET_US) {
            g_set_error(error, MEETING_ERROR, MEETING_ERROR_MEDIA,
                        "%s: speech at %.3f s begins before the one at %.3f s has ended",
                        person->id, (double)run->sound_us / 1e6, (double)before->sound_us / 1e6);
            return NULL;
        }
    }
    return g_steal_pointer(&runs);
}
