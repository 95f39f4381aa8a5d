/* SPDX-License-Identifier: Apache-2.0 */
#include "media/recorder.h"

#include "media/element.h"
#include "media/work_state.h"
#include "media/writer.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define MS INT64_C(1000000)
#define VIDEO_SCALE 90000

#define AAC_FRAME 1024
#define AAC_PRIMING 1024 /* of libavcodec's encoder */
/* Silence in front of it all, cut out by the finalizer: so the file is there from the start. */
#define AAC_LEAD (4 * AAC_FRAME)
#define AAC_BITRATE_BPS 96000

/* How long a fragment gets before it is written: what a SIGKILL may cost. */
#define FLUSH_NS (400 * MS)
#define FIRST_NS (3000 * MS) /* a young file has nothing to lose */
#define FIRST_FLUSH_NS (100 * MS)
/* x264 holds back as many pictures: short, since what it holds back a SIGKILL takes. */
#define LOOKAHEAD 4
/* A changed picture that waits longer in the encoder is pushed out by repeats of the last one. */
#define PUSH_OUT_NS (500 * MS)
/* A still picture is repeated so often. */
#define STILL_NS (1000 * MS)
/* Players and tools guess a file's rate from its first pictures: these come at the full rate. */
#define STEADY_START_NS (1200 * MS)

typedef struct {
    int64_t pts_ns;
    bool changed; /* no repeat of the one before */
} Waiting;

struct MediaRecorder {
    char *work_dir; /* owned */
    MediaWorkState state;
    MediaElement *video, *audio;              /* owned encoders; video NULL for audio only */
    MediaWriter *video_writer, *audio_writer; /* owned; made with the first output */
    GError *problem;                          /* owned: raised inside an encoder's callback */

    GstBuffer *last_picture; /* owned */
    int64_t last_pts_ns;     /* of the picture given last; -1: none */
    int64_t frame_gap_ns;
    bool owed;   /* the last picture is not in the file yet */
    int grid_hz; /* pictures stand on this grid, so that players and tools see one rate */
    uint64_t n_fed;
    GArray *waiting; /* of Waiting: pictures inside the encoder, oldest first */

    int64_t n_samples; /* of audio given */
    int64_t n_audio_packets;
    int64_t flushed_ns;
};

static const char *video_element_name(const char *encoder)
{
    bool known = encoder == NULL || strcmp(encoder, "auto") == 0 || strcmp(encoder, "x264") == 0;
    return known ? "x264enc" : NULL;
}

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
    const char *name = video_element_name(encoder);
    if (name == NULL) {
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
                    "there is no video encoder '%s'; there are: auto, x264", encoder);
        return false;
    }
    return have_element(name, error) && have_element("avenc_aac", error) &&
           have_element("audioconvert", error);
}

static void on_video(const MediaElementOutput *output, gpointer user_data)
{
    MediaRecorder *recorder = user_data;
    if (recorder->problem != NULL) {
        return;
    }
    if (recorder->video_writer == NULL) {
        g_autofree char *path = g_build_filename(recorder->work_dir, MEDIA_WORK_VIDEO, NULL);
        recorder->video_writer =
            media_writer_new(path, output->caps, VIDEO_SCALE, &recorder->problem);
    }
    /* Without B-frames pictures come out as they went in, so their times can be kept here: the
     * encoder is told a constant rate, and its rate control and level stay what they should be. */
    if (recorder->waiting->len == 0) {
        return;
    }
    int64_t pts_ns = g_array_index(recorder->waiting, Waiting, 0).pts_ns;
    int64_t pts = (int64_t)gst_util_uint64_scale_round((guint64)pts_ns, VIDEO_SCALE, GST_SECOND);
    g_array_remove_index(recorder->waiting, 0);
    if (recorder->video_writer != NULL) {
        media_writer_write(recorder->video_writer, output->buffer, pts, pts, VIDEO_SCALE / 25,
                           &recorder->problem);
    }
}

static void on_audio(const MediaElementOutput *output, gpointer user_data)
{
    MediaRecorder *recorder = user_data;
    bool mp3 = recorder->state.mode == MEDIA_MODE_AUDIO_ONLY;
    if (recorder->problem != NULL) {
        return;
    }
    if (recorder->audio_writer == NULL) {
        g_autofree char *path =
            g_build_filename(recorder->work_dir, mp3 ? MEDIA_WORK_MP3 : MEDIA_WORK_AUDIO, NULL);
        recorder->audio_writer =
            media_writer_new(path, output->caps, MEDIA_AUDIO_RATE_HZ, &recorder->problem);
    }
    if (recorder->audio_writer != NULL) {
        int64_t pts = recorder->n_audio_packets++ * AAC_FRAME;
        media_writer_write(recorder->audio_writer, output->buffer, pts, pts, AAC_FRAME,
                           &recorder->problem);
    }
}

static bool start_video(MediaRecorder *recorder, const MediaRecorderConfig *config, GError **error)
{
    g_autoptr(GstCaps) caps = gst_video_info_to_caps(config->video);
    gst_caps_set_simple(caps, "framerate", GST_TYPE_FRACTION, config->fps, 1, NULL);
    int threads =
        GST_VIDEO_INFO_WIDTH(config->video) * GST_VIDEO_INFO_HEIGHT(config->video) > 1280 * 720 ? 2
                                                                                                : 1;
    g_autofree char *rate = config->video_bitrate_bps > 0
                                ? g_strdup_printf("pass=cbr bitrate=%u vbv-buf-capacity=2000",
                                                  config->video_bitrate_bps / 1000)
                                : g_strdup("pass=qual quantizer=23");
    g_autofree char *description = g_strdup_printf(
        "x264enc speed-preset=veryfast %s bframes=0 rc-lookahead=%d sync-lookahead=0 "
        "key-int-max=%d threads=%d sliced-threads=%s ! capsfilter "
        "caps=video/x-h264,stream-format=avc,alignment=au",
        rate, LOOKAHEAD, config->fps * 4, threads, threads > 1 ? "true" : "false");
    recorder->video = media_element_new(description, caps, on_video, recorder, error);
    return recorder->video != NULL;
}

static bool start_audio(MediaRecorder *recorder, const MediaRecorderConfig *config, GError **error)
{
    g_autoptr(GstCaps) caps =
        gst_caps_from_string("audio/x-raw,format=F32LE,rate=48000,channels=1,layout=interleaved");
    g_autofree char *description =
        config->mode == MEDIA_MODE_AUDIO_ONLY
            ? g_strdup("audioconvert ! lamemp3enc target=quality quality=4")
            : g_strdup_printf("audioconvert ! avenc_aac bitrate=%d ! "
                              "capsfilter caps=audio/mpeg,mpegversion=4,stream-format=raw",
                              AAC_BITRATE_BPS);
    recorder->audio = media_element_new(description, caps, on_audio, recorder, error);
    return recorder->audio != NULL;
}

static bool make_work_dir(MediaRecorder *recorder, const char *output_dir, GError **error)
{
    recorder->work_dir = g_build_filename(output_dir, MEDIA_WORK_DIR, NULL);
    if (g_mkdir_with_parents(recorder->work_dir, 0755) != 0) {
        int number = errno;
        g_set_error(error, MEDIA_ERROR, number == ENOSPC ? MEDIA_ERROR_DISK_FULL : MEDIA_ERROR_IO,
                    "%s: %s", recorder->work_dir, g_strerror(number));
        return false;
    }
    return media_work_state_save(recorder->work_dir, &recorder->state, error);
}

MediaRecorder *media_recorder_new(const MediaRecorderConfig *config, GError **error)
{
    g_autoptr(MediaRecorder) recorder = g_new0(MediaRecorder, 1);
    recorder->state =
        (MediaWorkState){.mode = config->mode, .audio_priming = AAC_PRIMING + AAC_LEAD};
    recorder->last_pts_ns = -1;
    recorder->frame_gap_ns = GST_SECOND / config->fps;
    recorder->grid_hz = config->fps;
    recorder->waiting = g_array_new(FALSE, FALSE, sizeof(Waiting));
    if (!make_work_dir(recorder, config->output_dir, error) ||
        (config->video != NULL && !start_video(recorder, config, error)) ||
        !start_audio(recorder, config, error)) {
        return NULL;
    }
    return g_steal_pointer(&recorder);
}

void media_recorder_free(MediaRecorder *recorder)
{
    g_clear_pointer(&recorder->video, media_element_free);
    g_clear_pointer(&recorder->audio, media_element_free);
    g_clear_pointer(&recorder->video_writer, media_writer_free);
    g_clear_pointer(&recorder->audio_writer, media_writer_free);
    g_clear_error(&recorder->problem);
    gst_clear_buffer(&recorder->last_picture);
    g_array_unref(recorder->waiting);
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

bool media_recorder_push_audio(MediaRecorder *recorder, const float *samples, int64_t n,
                               GError **error)
{
    GstBuffer *buffer = gst_buffer_new_memdup(samples, (gsize)n * sizeof *samples);
    GST_BUFFER_PTS(buffer) =
        gst_util_uint64_scale((guint64)recorder->n_samples, GST_SECOND, MEDIA_AUDIO_RATE_HZ);
    GST_BUFFER_DURATION(buffer) =
        gst_util_uint64_scale((guint64)n, GST_SECOND, MEDIA_AUDIO_RATE_HZ);
    recorder->n_samples += n;
    return settle(recorder, media_element_push(recorder->audio, buffer, error), error);
}

static guint64 place_on_grid(const MediaRecorder *recorder, int64_t pts_ns)
{
    return gst_util_uint64_scale_round((guint64)pts_ns, (guint64)recorder->grid_hz, GST_SECOND);
}

/* The grid's place nearest to @pts_ns, after that of the picture before. */
static int64_t next_on_grid(const MediaRecorder *recorder, int64_t pts_ns)
{
    guint64 place = place_on_grid(recorder, pts_ns);
    if (recorder->last_pts_ns >= 0) {
        place = MAX(place, place_on_grid(recorder, recorder->last_pts_ns) + 1);
    }
    return (int64_t)gst_util_uint64_scale_round(place, GST_SECOND, (guint64)recorder->grid_hz);
}

static bool feed(MediaRecorder *recorder, GstBuffer *picture, int64_t pts_ns, bool changed,
                 GError **error)
{
    pts_ns = next_on_grid(recorder, pts_ns);
    recorder->last_pts_ns = pts_ns;
    recorder->owed = false;
    Waiting waiting = {pts_ns, changed};
    g_array_append_val(recorder->waiting, waiting);
    /* The encoder is told a constant rate; see on_video. */
    GST_BUFFER_PTS(picture) = recorder->n_fed++ * (GstClockTime)recorder->frame_gap_ns;
    return settle(recorder, media_element_push(recorder->video, picture, error), error);
}

bool media_recorder_push_video(MediaRecorder *recorder, GstBuffer *picture, int64_t pts_ns,
                               GError **error)
{
    picture = gst_buffer_make_writable(picture);
    gst_buffer_replace(&recorder->last_picture, picture);
    if (recorder->last_pts_ns >= 0 &&
        place_on_grid(recorder, pts_ns) <= place_on_grid(recorder, recorder->last_pts_ns)) {
        /* Its place is taken. Put later, it would push all that follow it later too. */
        recorder->owed = true;
        gst_buffer_unref(picture);
        return true;
    }
    /* Only the time is written to, before anybody else looks. */
    return feed(recorder, picture, pts_ns, true, error);
}

GstBuffer *media_recorder_last_picture(const MediaRecorder *recorder)
{
    return recorder->last_picture;
}

/* Since when a picture that is no repeat waits in the encoder; INT64_MAX: none does. */
static int64_t waits_since(const MediaRecorder *recorder)
{
    for (guint i = 0; i < recorder->waiting->len; i++) {
        const Waiting *waiting = &g_array_index(recorder->waiting, Waiting, i);
        if (waiting->changed) {
            return waiting->pts_ns;
        }
    }
    return INT64_MAX;
}

/* x264 puts a picture out only after others came in: when nothing changes any more, repeats of the
 * last one push it out; after that one a second keeps the file's end near. */
static bool repeat_still(MediaRecorder *recorder, int64_t now_ns, GError **error)
{
    if (recorder->last_picture == NULL) {
        return true;
    }
    int64_t patience_ns = now_ns < FIRST_NS ? 0 : PUSH_OUT_NS;
    bool pushing = waits_since(recorder) < now_ns - patience_ns;
    bool steady = now_ns < STEADY_START_NS;
    bool soon = recorder->owed || pushing || steady;
    /* The place after the last is left to a new picture until that would have come. */
    if (now_ns - recorder->last_pts_ns < (soon ? 2 * recorder->frame_gap_ns : STILL_NS)) {
        return true;
    }
    int64_t pts_ns =
        recorder->owed || steady ? recorder->last_pts_ns + recorder->frame_gap_ns : now_ns;
    return feed(recorder, gst_buffer_copy(recorder->last_picture), pts_ns, recorder->owed, error);
}

static bool flush(MediaRecorder *recorder, GError **error)
{
    return (recorder->video_writer == NULL || media_writer_flush(recorder->video_writer, error)) &&
           (recorder->audio_writer == NULL || media_writer_flush(recorder->audio_writer, error));
}

bool media_recorder_prime(MediaRecorder *recorder, GstBuffer *picture, int64_t *ret_next_ns,
                          GError **error)
{
    static const float silence[AAC_LEAD];
    if (recorder->audio_writer == NULL && recorder->state.mode != MEDIA_MODE_AUDIO_ONLY &&
        !media_recorder_push_audio(recorder, silence, AAC_LEAD, error)) {
        gst_clear_buffer(&picture);
        return false;
    }
    if (picture != NULL && !media_recorder_push_video(recorder, picture, 0, error)) {
        return false;
    }
    for (int i = 0; picture != NULL && i < LOOKAHEAD + 1; i++) {
        if (!feed(recorder, gst_buffer_copy(recorder->last_picture), 0, false, error)) {
            return false;
        }
    }
    *ret_next_ns = recorder->last_pts_ns + recorder->frame_gap_ns;
    return flush(recorder, error);
}

bool media_recorder_tick(MediaRecorder *recorder, int64_t now_ns, GError **error)
{
    if (recorder->video != NULL && !repeat_still(recorder, now_ns, error)) {
        return false;
    }
    if (now_ns - recorder->flushed_ns < (now_ns < FIRST_NS ? FIRST_FLUSH_NS : FLUSH_NS)) {
        return true;
    }
    recorder->flushed_ns = now_ns;
    return flush(recorder, error);
}

/* The encoder keeps a packet to itself at the end: let that be silence after the end. */
static bool push_out_sound(MediaRecorder *recorder, GError **error)
{
    static const float silence[2 * AAC_FRAME];
    return recorder->state.mode == MEDIA_MODE_AUDIO_ONLY ||
           media_recorder_push_audio(recorder, silence, G_N_ELEMENTS(silence), error);
}

bool media_recorder_finish(MediaRecorder *recorder, int64_t duration_ns, GError **error)
{
    if (recorder->video != NULL &&
        !settle(recorder, media_element_drain(recorder->video, error), error)) {
        return false;
    }
    if (!push_out_sound(recorder, error) ||
        !settle(recorder, media_element_drain(recorder->audio, error), error)) {
        return false;
    }
    if (recorder->video_writer != NULL && !media_writer_close(recorder->video_writer, error)) {
        return false;
    }
    if (recorder->audio_writer != NULL && !media_writer_close(recorder->audio_writer, error)) {
        return false;
    }
    recorder->state.ended = true;
    recorder->state.duration_ns = duration_ns;
    return media_work_state_save(recorder->work_dir, &recorder->state, error);
}

uint64_t media_recorder_n_pictures(const MediaRecorder *recorder)
{
    return recorder->n_fed;
}
