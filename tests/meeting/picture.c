// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/picture.h"

#include <gst/gst.h>
#include <gst/video/video.h>
#include <math.h>
#include <string.h>

struct MeetingPictures {
    const MeetingCamera *camera; /* borrowed */
    unsigned person;
    GstElement *pipeline; /* owned; NULL: drawn here */
    GstAppSink *sink;     /* owned */
    guint8 *texture;      /* owned: the still part of the webcam's picture, twice as wide */
    guint n_read;
};

/* A small fast generator: noise only has to look like a sensor's. */
static guint32 next_random(guint32 *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* A room: soft shapes at several scales, so that an encoder has edges and gradients to keep. */
static guint8 *make_texture(int width, int height, unsigned person)
{
    guint8 *texture = g_malloc((gsize)width * (gsize)height);
    double shift = person * 1.7;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            double u = (double)x / width, v = (double)y / height;
            double value = 110 + 35 * sin(7 * u + shift) * cos(5 * v - shift) +
                           18 * sin(31 * u + 3 * v) + 12 * cos(47 * v - 11 * u + shift);
            if (fmod(u * 5 + shift, 1.0) < 0.06 || fmod(v * 4 + shift, 1.0) < 0.05)
                value -= 30; /* shelves */
            texture[y * width + x] = (guint8)CLAMP(value, 16, 235);
        }
    }
    return texture;
}

/* A head and shoulders that sway before the room. */
static int person_luma(double dx, double dy)
{
    double head = dx * dx / 0.012 + (dy + 0.12) * (dy + 0.12) / 0.030;
    double body = dx * dx / 0.060 + (dy - 0.42) * (dy - 0.42) / 0.100;
    if (head < 1)
        return (int)(175 - 45 * head + 15 * sin(dx * 60) * sin(dy * 40));
    if (body < 1)
        return (int)(85 + 25 * body + 10 * sin(dx * 90));
    return -1;
}

static void draw_webcam(MeetingPictures *p, guint frame, guint8 *const planes[3],
                        const int strides[3])
{
    const MeetingCamera *c = p->camera;
    double turn = 2 * G_PI * frame / (double)(c->fps * c->loop_s);
    double cx = 0.5 + 0.08 * sin(2 * turn), cy = 0.5 + 0.02 * sin(5 * turn);
    guint32 state = (frame + 1) * 2654435761u ^ p->person;
    for (int y = 0; y < c->height; y++) {
        guint8 *row = planes[0] + y * strides[0];
        double dy = (double)y / c->height - cy;
        for (int x = 0; x < c->width; x++) {
            int value = person_luma((double)x / c->width - cx, dy);
            if (value < 0)
                value = p->texture[y * c->width + x];
            guint32 noise = next_random(&state);
            value += (int)(noise & 7) + (int)(noise >> 8 & 7) - 7;
            row[x] = (guint8)CLAMP(value, 16, 235);
        }
    }
    for (int y = 0; y < c->height / 2; y++) {
        memset(planes[1] + y * strides[1], 108 + (int)(p->person * 13 % 40), (size_t)c->width / 2);
        memset(planes[2] + y * strides[2], 150 - (int)(p->person * 29 % 44), (size_t)c->width / 2);
    }
}

/* White for the first 100 ms of each second, dark with a slow bar otherwise. */
static void draw_flash(MeetingPictures *p, guint frame, guint8 *const planes[3],
                       const int strides[3])
{
    const MeetingCamera *c = p->camera;
    guint in_second = frame % (guint)c->fps;
    bool white = in_second * 10 < (guint)c->fps;
    int bar = (int)(frame * (guint)c->width / (guint)(c->fps * c->loop_s));
    for (int y = 0; y < c->height; y++) {
        guint8 *row = planes[0] + y * strides[0];
        memset(row, white ? 235 : 32, (size_t)c->width);
        if (!white && y > c->height * 3 / 4)
            memset(row + bar, 90, (size_t)MIN(8, c->width - bar));
    }
    for (int y = 0; y < c->height / 2; y++) {
        memset(planes[1] + y * strides[1], 128, (size_t)c->width / 2);
        memset(planes[2] + y * strides[2], 128, (size_t)c->width / 2);
    }
}

static bool open_pipeline(MeetingPictures *p, GError **error)
{
    const MeetingCamera *c = p->camera;
    g_autofree char *caps = g_strdup_printf(
        "video/x-raw,format=I420,width=%d,height=%d,framerate=%d/1,pixel-aspect-ratio=1/1",
        c->width, c->height, c->fps);
    g_autofree char *source = NULL;
    if (g_str_has_prefix(c->source, "file:")) {
        g_autofree char *uri = gst_filename_to_uri(c->source + strlen("file:"), error);
        if (uri == NULL)
            return false;
        source = g_strdup_printf("uridecodebin uri=\"%s\" ! videoconvert ! videoscale "
                                 "add-borders=true ! videorate",
                                 uri);
    } else {
        source =
            g_strdup_printf("videotestsrc motion=sweep pattern=%s", c->source + strlen("pattern:"));
    }
    g_autofree char *line =
        g_strdup_printf("%s ! %s ! appsink name=sink sync=false max-buffers=2", source, caps);
    p->pipeline = gst_parse_launch(line, error);
    if (p->pipeline == NULL)
        return false;
    p->sink = GST_APP_SINK(gst_bin_get_by_name(GST_BIN(p->pipeline), "sink"));
    gst_element_set_state(p->pipeline, GST_STATE_PLAYING);
    return true;
}

MeetingPictures *meeting_pictures_new(const MeetingCamera *camera, unsigned person, GError **error)
{
    g_autoptr(MeetingPictures) p = g_new0(MeetingPictures, 1);
    p->camera = camera;
    p->person = person;
    if (g_str_equal(camera->source, "pattern:webcam"))
        p->texture = make_texture(camera->width, camera->height, person);
    else if (!g_str_equal(camera->source, "flash_beep") && !open_pipeline(p, error))
        return NULL;
    return g_steal_pointer(&p);
}

void meeting_pictures_free(MeetingPictures *p)
{
    if (p == NULL)
        return;
    if (p->pipeline != NULL)
        gst_element_set_state(p->pipeline, GST_STATE_NULL);
    g_clear_object(&p->sink);
    g_clear_object(&p->pipeline);
    g_free(p->texture);
    g_free(p);
}

GstSample *meeting_pull_sample(GstElement *pipeline, GstAppSink *sink)
{
    g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
    for (int i = 0; i < 200; i++) {
        GstSample *sample = gst_app_sink_try_pull_sample(sink, GST_SECOND / 10);
        if (sample != NULL || gst_app_sink_is_eos(sink))
            return sample;
        g_autoptr(GstMessage) failure = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
        if (failure != NULL)
            return NULL;
    }
    return NULL;
}

/* The next picture of the pipeline, from the start again at its end. */
static GstSample *pull(MeetingPictures *p)
{
    GstSample *sample = meeting_pull_sample(p->pipeline, p->sink);
    if (sample != NULL || p->n_read == 0 || !gst_app_sink_is_eos(p->sink))
        return sample;
    gst_element_seek_simple(p->pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0);
    return meeting_pull_sample(p->pipeline, p->sink);
}

static bool copy_next(MeetingPictures *p, guint8 *const planes[3], const int strides[3],
                      GError **error)
{
    g_autoptr(GstSample) sample = pull(p);
    GstVideoInfo info;
    GstVideoFrame frame;
    if (sample == NULL || !gst_video_info_from_caps(&info, gst_sample_get_caps(sample)) ||
        !gst_video_frame_map(&frame, &info, gst_sample_get_buffer(sample), GST_MAP_READ)) {
        g_set_error(error, MEETING_ERROR, MEETING_ERROR_MEDIA, "%s gives no picture",
                    p->camera->source);
        return false;
    }
    p->n_read++;
    for (guint i = 0; i < 3; i++) {
        int lines = GST_VIDEO_FRAME_COMP_HEIGHT(&frame, i);
        for (int y = 0; y < lines; y++)
            memcpy(planes[i] + y * strides[i],
                   (guint8 *)GST_VIDEO_FRAME_PLANE_DATA(&frame, i) +
                       y * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, i),
                   (size_t)GST_VIDEO_FRAME_COMP_WIDTH(&frame, i));
    }
    gst_video_frame_unmap(&frame);
    return true;
}

bool meeting_pictures_draw(MeetingPictures *p, guint frame, guint8 *const planes[3],
                           const int strides[3], GError **error)
{
    if (p->pipeline != NULL)
        return copy_next(p, planes, strides, error);
    if (p->texture != NULL)
        draw_webcam(p, frame, planes, strides);
    else
        draw_flash(p, frame, planes, strides);
    return true;
}
