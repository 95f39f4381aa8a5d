/* SPDX-License-Identifier: Apache-2.0 */
#include "media/video_work.h"

#include "media/writer.h"

#include <string.h>

#define MS INT64_C(1000000)
#define VIDEO_SCALE 90000
#define FIRST_NS (3000 * MS) /* a young file has nothing to lose */
/* A changed picture that waits longer in the encoder is pushed out by repeats of the last one. */
#define PUSH_OUT_NS (500 * MS)
/* A still picture is repeated so often. */
#define STILL_NS (1000 * MS)
/* Players and tools guess a file's rate from its first pictures: these come at the full rate. */
#define STEADY_START_NS (1200 * MS)
/* An encoder that dies again within so many seconds is not worth another start. */
#define RESTART_AFTER_S 10

typedef struct {
    int64_t pts_ns;
    bool changed; /* no repeat of the one before */
} Waiting;

struct MediaVideoWork {
    char *path; /* owned */
    MediaVideoEncoderConfig config;
    char *wanted; /* owned */
    GstVideoInfo info;
    MediaWarningFunc warn;
    gpointer user_data;

    MediaElement *encoder; /* owned */
    const char *name;      /* static: of the encoder */
    bool restarted;
    uint64_t started_at; /* n_fed when it started */
    MediaWriter *writer; /* owned; made with the first output */
    GstCaps *caps;       /* owned: what the file was begun with */
    GError *problem;     /* owned: raised inside the encoder's callback */

    GstBuffer *last_picture; /* owned */
    int64_t last_pts_ns;     /* of the picture given last; -1: none */
    int64_t frame_gap_ns;
    bool owed; /* the last picture is not in the file yet */
    uint64_t n_fed;
    GArray *waiting; /* of Waiting: pictures inside the encoder, oldest first */
};

/* Whether two runs of an encoder can stand in one file. */
static bool same_parameters(GstCaps *a, GstCaps *b)
{
    const GValue *x = gst_structure_get_value(gst_caps_get_structure(a, 0), "codec_data");
    const GValue *y = gst_structure_get_value(gst_caps_get_structure(b, 0), "codec_data");
    return x != NULL && y != NULL && gst_value_compare(x, y) == GST_VALUE_EQUAL;
}

static void begin_file(MediaVideoWork *work, GstCaps *caps)
{
    if (work->caps == NULL) {
        gst_caps_replace(&work->caps, caps);
        work->writer = media_writer_new(work->path, caps, VIDEO_SCALE, &work->problem);
    } else if (caps != work->caps && !same_parameters(work->caps, caps)) {
        g_set_error(&work->problem, MEDIA_ERROR, MEDIA_ERROR_ENCODER,
                    "%s, started again, does not go on where it stopped", work->name);
    }
}

static void on_video(const MediaElementOutput *output, gpointer user_data)
{
    MediaVideoWork *work = user_data;
    if (work->problem != NULL) {
        return;
    }
    begin_file(work, output->caps);
    /* Without B-frames pictures come out as they went in, so their times can be kept here: the
     * encoder is told a constant rate, and its rate control and level stay what they should be. */
    if (work->waiting->len == 0) {
        return;
    }
    int64_t pts_ns = g_array_index(work->waiting, Waiting, 0).pts_ns;
    int64_t pts = (int64_t)gst_util_uint64_scale_round((guint64)pts_ns, VIDEO_SCALE, GST_SECOND);
    g_array_remove_index(work->waiting, 0);
    if (work->problem == NULL) {
        media_writer_write(work->writer, output->buffer, pts, pts, VIDEO_SCALE / 25,
                           &work->problem);
    }
}

static bool start_encoder(MediaVideoWork *work, GError **error)
{
    g_autofree char *note = NULL;
    work->config.wanted = work->wanted;
    work->config.info = &work->info;
    work->encoder =
        media_video_encoder_new(&work->config, on_video, work, &work->name, &note, error);
    work->started_at = work->n_fed;
    if (note != NULL) {
        work->warn("encoder_fallback", note, work->user_data);
    }
    return work->encoder != NULL;
}

MediaVideoWork *media_video_work_new(const char *path, const MediaVideoEncoderConfig *config,
                                     MediaWarningFunc warn, gpointer user_data, GError **error)
{
    g_autoptr(MediaVideoWork) work = g_new0(MediaVideoWork, 1);
    work->path = g_strdup(path);
    work->config = *config;
    work->wanted = g_strdup(config->wanted);
    work->info = *config->info;
    work->warn = warn;
    work->user_data = user_data;
    work->last_pts_ns = -1;
    work->frame_gap_ns = GST_SECOND / config->fps;
    work->waiting = g_array_new(FALSE, FALSE, sizeof(Waiting));
    return start_encoder(work, error) ? g_steal_pointer(&work) : NULL;
}

void media_video_work_free(MediaVideoWork *work)
{
    g_clear_pointer(&work->encoder, media_element_free);
    g_clear_pointer(&work->writer, media_writer_free);
    gst_clear_caps(&work->caps);
    g_clear_error(&work->problem);
    gst_clear_buffer(&work->last_picture);
    g_array_unref(work->waiting);
    g_free(work->wanted);
    g_free(work->path);
    g_free(work);
}

/* What a callback ran into comes back from the call that caused it. */
static bool settle(MediaVideoWork *work, bool ok, GError **error)
{
    if (work->problem != NULL) {
        if (ok) {
            g_propagate_error(error, g_error_copy(work->problem));
        }
        return false;
    }
    return ok;
}

/* With memory of its own: shared, it would be no good to its pool any more, which would take new
 * memory for every repeat. */
static GstBuffer *repeat_last(const MediaVideoWork *work)
{
    GstBuffer *copy = NULL;
    GstMapInfo map;
    GstBufferPool *pool = work->last_picture->pool;
    if (pool == NULL || gst_buffer_pool_acquire_buffer(pool, &copy, NULL) != GST_FLOW_OK) {
        return gst_buffer_copy_deep(work->last_picture);
    }
    if (gst_buffer_map(work->last_picture, &map, GST_MAP_READ)) {
        gst_buffer_fill(copy, 0, map.data, map.size);
        gst_buffer_unmap(work->last_picture, &map);
    }
    return copy;
}

static bool encode(MediaVideoWork *work, GstBuffer *picture, Waiting waiting, GError **error)
{
    g_array_append_val(work->waiting, waiting);
    /* The encoder is told a constant rate; see on_video. */
    GST_BUFFER_PTS(picture) = work->n_fed++ * (GstClockTime)work->frame_gap_ns;
    return settle(work, media_element_push(work->encoder, picture, error), error);
}

/* The encoder failed with @why (taken): what it held is lost, the picture given last goes to a new
 * one. Before anything was written that may be another kind of encoder, later only the same. */
static bool start_again(MediaVideoWork *work, Waiting waiting, GError *why, GError **error)
{
    bool hopeless = work->problem != NULL || work->last_picture == NULL ||
                    !g_error_matches(why, MEDIA_ERROR, MEDIA_ERROR_ENCODER) ||
                    (work->restarted &&
                     work->n_fed - work->started_at < (uint64_t)work->config.fps * RESTART_AFTER_S);
    if (hopeless) {
        g_propagate_error(error, why);
        return false;
    }
    g_autofree char *message =
        g_strdup_printf("The video encoder %s failed (%s) and was started again; what it held, at "
                        "most some tenths of a second of picture, is lost.",
                        work->name, why->message);
    /* One that fails with its first pictures would do so again. */
    const char *next = work->writer != NULL              ? work->name
                       : strcmp(work->name, "x264") == 0 ? "openh264"
                                                         : "x264";
    g_free(work->wanted);
    work->wanted = g_strdup(next);
    g_clear_pointer(&work->encoder, media_element_free);
    g_array_set_size(work->waiting, 0);
    work->warn("encoder_restarted", message, work->user_data);
    work->restarted = true;
    g_error_free(why);
    return start_encoder(work, error) && encode(work, repeat_last(work), waiting, error);
}

static guint64 place_on_grid(const MediaVideoWork *work, int64_t pts_ns)
{
    return gst_util_uint64_scale_round((guint64)pts_ns, work->config.fps, GST_SECOND);
}

/* The grid's place nearest to @pts_ns, after that of the picture before. */
static int64_t next_on_grid(const MediaVideoWork *work, int64_t pts_ns)
{
    guint64 place = place_on_grid(work, pts_ns);
    if (work->last_pts_ns >= 0) {
        place = MAX(place, place_on_grid(work, work->last_pts_ns) + 1);
    }
    return (int64_t)gst_util_uint64_scale_round(place, GST_SECOND, work->config.fps);
}

static bool feed(MediaVideoWork *work, GstBuffer *picture, int64_t pts_ns, bool changed,
                 GError **error)
{
    GError *why = NULL;
    Waiting waiting = {next_on_grid(work, pts_ns), changed};
    work->last_pts_ns = waiting.pts_ns;
    work->owed = false;
    return encode(work, picture, waiting, &why) || start_again(work, waiting, why, error);
}

bool media_video_work_push(MediaVideoWork *work, GstBuffer *picture, int64_t pts_ns, GError **error)
{
    picture = gst_buffer_make_writable(picture);
    gst_buffer_replace(&work->last_picture, picture);
    if (work->last_pts_ns >= 0 &&
        place_on_grid(work, pts_ns) <= place_on_grid(work, work->last_pts_ns)) {
        /* Its place is taken. Put later, it would push all that follow it later too. */
        work->owed = true;
        gst_buffer_unref(picture);
        return true;
    }
    /* Only the time is written to, before anybody else looks. */
    return feed(work, picture, pts_ns, true, error);
}

/* Since when a picture that is no repeat waits in the encoder; INT64_MAX: none does. */
static int64_t waits_since(const MediaVideoWork *work)
{
    for (guint i = 0; i < work->waiting->len; i++) {
        const Waiting *waiting = &g_array_index(work->waiting, Waiting, i);
        if (waiting->changed) {
            return waiting->pts_ns;
        }
    }
    return INT64_MAX;
}

/* x264 puts a picture out only after others came in: when nothing changes any more, repeats of the
 * last one push it out; after that one a second keeps the file's end near. */
bool media_video_work_tick(MediaVideoWork *work, int64_t now_ns, GError **error)
{
    if (work->last_picture == NULL) {
        return true;
    }
    int64_t patience_ns = now_ns < FIRST_NS ? 0 : PUSH_OUT_NS;
    bool pushing = waits_since(work) < now_ns - patience_ns;
    bool steady = now_ns < STEADY_START_NS;
    bool soon = work->owed || pushing || steady;
    /* The place after the last is left to a new picture until that would have come. */
    if (now_ns - work->last_pts_ns < (soon ? 2 * work->frame_gap_ns : STILL_NS)) {
        return true;
    }
    int64_t pts_ns = work->owed || steady ? work->last_pts_ns + work->frame_gap_ns : now_ns;
    return feed(work, repeat_last(work), pts_ns, work->owed, error);
}

bool media_video_work_flush(MediaVideoWork *work, GError **error)
{
    return work->writer == NULL || media_writer_flush(work->writer, error);
}

bool media_video_work_prime(MediaVideoWork *work, GstBuffer *picture, int64_t *ret_next_ns,
                            GError **error)
{
    if (!media_video_work_push(work, picture, 0, error)) {
        return false;
    }
    for (int i = 0; i < MEDIA_ENCODER_LOOKAHEAD + 1; i++) {
        if (!feed(work, repeat_last(work), 0, false, error)) {
            return false;
        }
    }
    *ret_next_ns = work->last_pts_ns + work->frame_gap_ns;
    return media_video_work_flush(work, error);
}

bool media_video_work_finish(MediaVideoWork *work, GError **error)
{
    return settle(work, media_element_drain(work->encoder, error), error) &&
           (work->writer == NULL || media_writer_close(work->writer, error));
}

GstBuffer *media_video_work_last_picture(const MediaVideoWork *work)
{
    return work->last_picture;
}

uint64_t media_video_work_n_pictures(const MediaVideoWork *work)
{
    return work->n_fed;
}
