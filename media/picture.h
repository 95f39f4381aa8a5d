/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gst/video/video.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * One decoded picture, reference counted and never changed after it was made.
 */

typedef struct {
    GstBuffer *buffer; /* owned */
    GstVideoInfo info;
    int64_t time_ns; /* when it was captured, CLOCK_MONOTONIC */
    gatomicrefcount ref_count;
} MediaPicture;

/** @buffer: (transfer none): a reference is kept. */
MediaPicture *media_picture_new(GstBuffer *buffer, const GstVideoInfo *info, int64_t time_ns);
/** Whether @buffer shows the same, to the bit. */
bool media_picture_shows(const MediaPicture *picture, GstBuffer *buffer, const GstVideoInfo *info);
MediaPicture *media_picture_ref(MediaPicture *picture);
void media_picture_unref(MediaPicture *picture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaPicture, media_picture_unref)
