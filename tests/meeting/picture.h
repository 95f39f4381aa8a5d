// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/meeting/scenario.h"

#include <gst/app/gstappsink.h>

/*
 * Draws raw pictures of a camera source, one after the other, in I420. The pictures that we draw
 * ourselves (webcam, flash_beep) are functions of the frame number; the rest comes from
 * GStreamer's videotestsrc or from a file (which is repeated when it is too short).
 */

typedef struct MeetingPictures MeetingPictures;

MeetingPictures *meeting_pictures_new(const MeetingCamera *camera, unsigned person, GError **error);
void meeting_pictures_free(MeetingPictures *pictures);

/**
 * meeting_pictures_draw:
 * @frame: frame number within the loop; callers go through them in any order for the pictures
 *         that are drawn here, and get the next one of a file or test source
 *
 * Errors: MEETING_ERROR_MEDIA, when the source gives no picture at all.
 */
bool meeting_pictures_draw(MeetingPictures *pictures, guint frame, guint8 *const planes[3],
                           const int strides[3], GError **error);

/* The next sample of a file's pipeline; NULL at its end, on its first error, or after 20 s of
 * nothing. (transfer full) */
GstSample *meeting_pull_sample(GstElement *pipeline, GstAppSink *sink);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(MeetingPictures, meeting_pictures_free)
