/* SPDX-License-Identifier: Apache-2.0 */
#include "media/picture.h"

MediaPicture *media_picture_new(GstBuffer *buffer, const GstVideoInfo *info, int64_t time_ns)
{
    MediaPicture *picture = g_new0(MediaPicture, 1);
    picture->buffer = gst_buffer_ref(buffer);
    picture->info = *info;
    picture->time_ns = time_ns;
    g_atomic_ref_count_init(&picture->ref_count);
    return picture;
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
