/* SPDX-License-Identifier: Apache-2.0 */
#include "media/recorder.h"

#include "media/aac_encoder.h"
#include "media/audio_source.h"
#include "media/track_files.h"
#include "media/wav_file.h"
#include "media/work_state.h"
#include "media/writer.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define MS INT64_C(1000000)

#define AAC_FRAME MEDIA_AAC_FRAME
/* Silence in front of it all, cut out by the finalizer: so the file is there from the start. */
#define AAC_LEAD (4 * AAC_FRAME)
#define AAC_QUALITY 1.5

/* How long a fragment gets before it is written: what a SIGKILL may cost. */
#define FLUSH_NS (400 * MS)
#define FIRST_NS (3000 * MS) /* a young file has nothing to lose */
#define FIRST_FLUSH_NS (100 * MS)

struct MediaRecorder {
    char *work_dir; /* owned */
    MediaWorkState state;
    MediaVideoEncoderConfig video_config; /* with an owned name */
    MediaWarningFunc warn;
    gpointer user_data;
    MediaVideoWork *video;     /* owned; NULL: audio only, or not begun yet */
    MediaAacEncoder *aac;      /* owned: the encoder beside pictures; or NULL */
    MediaElement *mp3;         /* owned: the encoder of audio only; or NULL */
    MediaWriter *audio_writer; /* owned; made with the first output */
    MediaTrackFiles *tracks;   /* owned; NULL: not asked for */
    MediaWavFile *wav;         /* owned; NULL: not asked for */
    GError *problem;           /* owned: raised inside the encoder's callback */

    int64_t n_samples; /* of audio given */
    int64_t n_audio_packets;
    int64_t flushed_ns;
};

static bool have_element(const char *name, GError **error)
{
    g_autoptr(GstElementFactory) factory = gst_element_factory_find(name);
    if (factory == NULL) {
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
                    "the GStreamer element '%s' is not installed", name);
    }
    return factory != NULL;
}

bool media_recorder_check(MediaMode mode, const char *encoder, GError **error)
{
    if (mode == MEDIA_MODE_AUDIO_ONLY) {
        return have_element("lamemp3enc", error) && have_element("audioconvert", error);
    }
    return media_video_encoder_check(encoder, error);
}

static void on_packet(GstBuffer *packet, GstCaps *caps, gpointer user_data)
{
    MediaRecorder *recorder = user_data;
    if (recorder->problem != NULL) {
        return;
    }
    if (recorder->audio_writer == NULL) {
        g_autofree char *path = g_build_filename(
            recorder->work_dir, recorder->mp3 != NULL ? MEDIA_WORK_MP3 : MEDIA_WORK_AUDIO, NULL);
        recorder->audio_writer =
            media_writer_new(path, caps, MEDIA_AUDIO_RATE_HZ, &recorder->problem);
    }
    if (recorder->audio_writer != NULL) {
        int64_t pts = recorder->n_audio_packets++ * AAC_FRAME;
        media_writer_write(recorder->audio_writer, packet, pts, pts, AAC_FRAME, &recorder->problem);
    }
}

static void on_mp3(const MediaElementOutput *output, gpointer user_data)
{
    on_packet(output->buffer, output->caps, user_data);
}

static bool start_audio(MediaRecorder *recorder, const MediaRecorderConfig *config, GError **error)
{
    if (config->mode != MEDIA_MODE_AUDIO_ONLY) {
        recorder->aac = media_aac_encoder_new(AAC_QUALITY, on_packet, recorder, error);
        return recorder->aac != NULL;
    }
    g_autoptr(GstCaps) caps =
        gst_caps_from_string("audio/x-raw,format=F32LE,rate=48000,channels=1,layout=interleaved");
    recorder->mp3 = media_element_new("audioconvert ! lamemp3enc target=quality quality=4", caps,
                                      on_mp3, recorder, error);
    return recorder->mp3 != NULL;
}

static bool make_work_dir(MediaRecorder *recorder, const char *output_dir, GError **error)
{
    recorder->work_dir = g_build_filename(output_dir, MEDIA_WORK_DIR, NULL);
    if (g_mkdir_with_parents(recorder->work_dir, 0755) != 0) {
        return media_set_errno(error, recorder->work_dir, errno);
    }
    return media_work_state_save(recorder->work_dir, &recorder->state, error);
}

/* What was asked for beside the recording itself. */
static bool start_extras(MediaRecorder *recorder, const MediaRecorderConfig *config, GError **error)
{
    if (config->audio_wav) {
        recorder->wav = media_wav_file_new(recorder->work_dir, error);
    }
    if (config->separate_audio) {
        recorder->tracks = media_track_files_new(recorder->work_dir, error);
    }
    return (recorder->wav != NULL || !config->audio_wav) &&
           (recorder->tracks != NULL || !config->separate_audio);
}

MediaRecorder *media_recorder_new(const MediaRecorderConfig *config, GError **error)
{
    g_autoptr(MediaRecorder) recorder = g_new0(MediaRecorder, 1);
    recorder->state =
        (MediaWorkState){.mode = config->mode, .audio_priming = MEDIA_AAC_PRIMING + AAC_LEAD};
    recorder->video_config =
        (MediaVideoEncoderConfig){.wanted = g_strdup(config->encoder),
                                  .fps = config->fps,
                                  .bitrate_bps = config->video_bitrate_bps,
                                  .quantizer = config->video_quantizer,
                                  .tiles = config->mode == MEDIA_MODE_GALLERY_VIEW};
    recorder->warn = config->warn;
    recorder->user_data = config->user_data;
    if (!make_work_dir(recorder, config->output_dir, error) ||
        !start_audio(recorder, config, error) || !start_extras(recorder, config, error)) {
        return NULL;
    }
    return g_steal_pointer(&recorder);
}

void media_recorder_free(MediaRecorder *recorder)
{
    g_clear_pointer(&recorder->video, media_video_work_free);
    g_clear_pointer(&recorder->aac, media_aac_encoder_free);
    g_clear_pointer(&recorder->mp3, media_element_free);
    g_clear_pointer(&recorder->audio_writer, media_writer_free);
    g_clear_pointer(&recorder->tracks, media_track_files_free);
    g_clear_pointer(&recorder->wav, media_wav_file_free);
    g_clear_error(&recorder->problem);
    g_free((char *)recorder->video_config.wanted);
    g_free(recorder->work_dir);
    g_free(recorder);
}

/* What a callback ran into comes back from the call that caused it. */
static bool settle(MediaRecorder *recorder, bool ok, GError **error)
{
    if (recorder->problem != NULL) {
        if (ok) {
            g_propagate_error(error, g_error_copy(recorder->problem));
        }
        return false;
    }
    return ok;
}

static bool encode_mp3(MediaRecorder *recorder, const float *samples, int64_t n, GError **error)
{
    GstBuffer *buffer = gst_buffer_new_memdup(samples, (gsize)n * sizeof *samples);
    GST_BUFFER_PTS(buffer) =
        gst_util_uint64_scale((guint64)recorder->n_samples, GST_SECOND, MEDIA_AUDIO_RATE_HZ);
    GST_BUFFER_DURATION(buffer) =
        gst_util_uint64_scale((guint64)n, GST_SECOND, MEDIA_AUDIO_RATE_HZ);
    return media_element_push(recorder->mp3, buffer, error);
}

static bool encode_audio(MediaRecorder *recorder, const float *samples, int64_t n, GError **error)
{
    bool ok = recorder->aac != NULL ? media_aac_encoder_push(recorder->aac, samples, n, error)
                                    : encode_mp3(recorder, samples, n, error);
    recorder->n_samples += n;
    return settle(recorder, ok, error);
}

bool media_recorder_push_audio(MediaRecorder *recorder, const float *samples, int64_t n,
                               GError **error)
{
    if (recorder->wav != NULL) {
        media_wav_file_push(recorder->wav, samples, n);
    }
    return encode_audio(recorder, samples, n, error);
}

bool media_recorder_push_packet(MediaRecorder *recorder, uint32_t source, uint32_t participant_id,
                                int64_t at_ns, const uint8_t *data, size_t size, GError **error)
{
    return recorder->tracks == NULL ||
           media_track_files_write(recorder->tracks, source, participant_id,
                                   media_ns_to_samples(at_ns), data, size, error);
}

bool media_recorder_push_video(MediaRecorder *recorder, GstBuffer *picture, int64_t pts_ns,
                               GError **error)
{
    return media_video_work_push(recorder->video, picture, pts_ns, error);
}

GstBuffer *media_recorder_last_picture(const MediaRecorder *recorder)
{
    return recorder->video != NULL ? media_video_work_last_picture(recorder->video) : NULL;
}

static bool flush(MediaRecorder *recorder, GError **error)
{
    return (recorder->video == NULL || media_video_work_flush(recorder->video, error)) &&
           (recorder->audio_writer == NULL || media_writer_flush(recorder->audio_writer, error)) &&
           (recorder->tracks == NULL || media_track_files_flush(recorder->tracks, error)) &&
           (recorder->wav == NULL || media_wav_file_flush(recorder->wav, error));
}

bool media_recorder_prime(MediaRecorder *recorder, GError **error)
{
    static const float silence[AAC_LEAD];
    return recorder->state.mode == MEDIA_MODE_AUDIO_ONLY ||
           (encode_audio(recorder, silence, AAC_LEAD, error) && flush(recorder, error));
}

bool media_recorder_begin_video(MediaRecorder *recorder, const GstVideoInfo *info,
                                GstBuffer *picture, int64_t *ret_next_ns, GError **error)
{
    g_autofree char *path = g_build_filename(recorder->work_dir, MEDIA_WORK_VIDEO, NULL);
    recorder->video_config.info = info;
    recorder->video = media_video_work_new(path, &recorder->video_config, recorder->warn,
                                           recorder->user_data, error);
    recorder->video_config.info = NULL;
    if (recorder->video == NULL) {
        gst_buffer_unref(picture);
        return false;
    }
    return media_video_work_prime(recorder->video, picture, ret_next_ns, error);
}

bool media_recorder_tick(MediaRecorder *recorder, int64_t now_ns, GError **error)
{
    if (recorder->video != NULL && !media_video_work_tick(recorder->video, now_ns, error)) {
        return false;
    }
    if (now_ns - recorder->flushed_ns < (now_ns < FIRST_NS ? FIRST_FLUSH_NS : FLUSH_NS)) {
        return true;
    }
    recorder->flushed_ns = now_ns;
    return flush(recorder, error);
}

static bool drain_audio(MediaRecorder *recorder, GError **error)
{
    bool ok = recorder->aac != NULL ? media_aac_encoder_drain(recorder->aac, error)
                                    : media_element_drain(recorder->mp3, error);
    return settle(recorder, ok, error);
}

/* The encoder keeps a packet to itself at the end: let that be silence after the end. */
static bool push_out_sound(MediaRecorder *recorder, GError **error)
{
    static const float silence[2 * AAC_FRAME];
    return recorder->state.mode == MEDIA_MODE_AUDIO_ONLY ||
           encode_audio(recorder, silence, G_N_ELEMENTS(silence), error);
}

bool media_recorder_finish(MediaRecorder *recorder, int64_t duration_ns, GError **error)
{
    if (recorder->video != NULL && !media_video_work_finish(recorder->video, error)) {
        return false;
    }
    if (!push_out_sound(recorder, error) || !drain_audio(recorder, error)) {
        return false;
    }
    if (recorder->audio_writer != NULL && !media_writer_close(recorder->audio_writer, error)) {
        return false;
    }
    if ((recorder->tracks != NULL && !media_track_files_flush(recorder->tracks, error)) ||
        (recorder->wav != NULL && !media_wav_file_finish(recorder->wav, error))) {
        return false;
    }
    recorder->state.ended = true;
    recorder->state.duration_ns = duration_ns;
    recorder->state.n_video_packets = (int64_t)media_recorder_n_pictures(recorder);
    recorder->state.n_audio_packets = recorder->n_audio_packets;
    return media_work_state_save(recorder->work_dir, &recorder->state, error);
}

uint64_t media_recorder_n_pictures(const MediaRecorder *recorder)
{
    return recorder->video != NULL ? media_video_work_n_pictures(recorder->video) : 0;
}
