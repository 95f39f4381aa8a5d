/* SPDX-License-Identifier: Apache-2.0 */
#include "media/picture.h"

#include <string.h>

MediaPicture *media_picture_new(GstBuffer *buffer, const GstVideoInfo *info, int64_t time_ns)
{
    MediaPicture *picture = g_new0(MediaPicture, 1);
    picture->buffer = gst_buffer_ref(buffer);
    picture->info = *info;
    picture->time_ns = time_ns;
    g_atomic_ref_count_init(&picture->ref_count);
    return picture;
}

/* Without what pads its rows. */
static bool same_plane(const GstVideoFrame *a, const GstVideoFrame *b, guint plane)
{
    const uint8_t *row_a = GST_VIDEO_FRAME_PLANE_DATA(a, plane);
    const uint8_t *row_b = GST_VIDEO_FRAME_PLANE_DATA(b, plane);
    size_t width = (size_t)GST_VIDEO_FRAME_COMP_WIDTH(a, plane) *
                   (size_t)GST_VIDEO_FRAME_COMP_PSTRIDE(a, plane);
    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(a, plane); y++) {
        if (memcmp(row_a, row_b, width) != 0) {
            return false;
        }
        row_a += GST_VIDEO_FRAME_PLANE_STRIDE(a, plane);
        row_b += GST_VIDEO_FRAME_PLANE_STRIDE(b, plane);
    }
    return true;
}

bool media_picture_shows(const MediaPicture *picture, GstBuffer *buffer, const GstVideoInfo *info)
{
    GstVideoFrame a, b;
    /* A plane holds one component: what decoders give, and what a display is made into. */
    if (GST_VIDEO_INFO_N_PLANES(info) != GST_VIDEO_INFO_N_COMPONENTS(info) ||
        !gst_video_info_is_equal(&picture->info, info) ||
        !gst_video_frame_map(&a, info, picture->buffer, GST_MAP_READ)) {
        return false;
    }
    bool same = gst_video_frame_map(&b, info, buffer, GST_MAP_READ);
    if (same) {
        for (guint plane = 0; same && plane < GST_VIDEO_INFO_N_PLANES(info); plane++) {
            same = same_plane(&a, &b, plane);
        }
        gst_video_frame_unmap(&b);
    }
    gst_video_frame_unmap(&a);
    return same;
}

MediaPicture *media_picture_ref(MediaPicture *picture)
{
    g_atomic_ref_count_inc(&picture->ref_count);
    return picture;
}

void media_picture_unref(MediaPicture *picture)
{
    if (g_atomic_ref_count_dec(&picture->ref_count)) {
        gst_buffer_unref(picture->buffer);
        g_free(picture);
    }
}
