/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/frame.h"

#include <gst/video/video.h>

/*
 * Pictures that come without compression: what a display shows, made into what is recorded. Not
 * thread safe.
 */

typedef struct MediaRawConverter MediaRawConverter;

MediaRawConverter *media_raw_converter_new(void);
void media_raw_converter_free(MediaRawConverter *converter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaRawConverter, media_raw_converter_free)

/** Returns (transfer full): @frame, of MEDIA_CODEC_BGRX, as MEDIA_CODEC_I420; NULL when its payload
 *  is not as large as it says, or it is larger than 8192 pixels a side. */
MediaEncodedFrame *media_raw_convert(MediaRawConverter *converter, MediaEncodedFrame *frame);

/** How the planes of such a picture lie in its payload; rows are padded. */
void media_raw_get_info(int width, int height, GstVideoInfo *ret_info);
