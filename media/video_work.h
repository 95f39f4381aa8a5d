/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/video_encoder.h"

/*
 * The growing video file of a recording: composed pictures go in with their times, H.264 goes onto
 * the disk in fragments. A picture that does not change costs one repeat a second. An encoder that
 * dies is started again once; all times are on the recording's time. Everything runs inside the
 * calls; not thread safe.
 */

typedef struct MediaVideoWork MediaVideoWork;

/** Something went another way than asked, and on. */
typedef void (*MediaWarningFunc)(const char *code, const char *message, gpointer user_data);

/** @path: the file; it appears with the first picture. Errors: as of media_video_encoder_new. */
MediaVideoWork *media_video_work_new(const char *path, const MediaVideoEncoderConfig *config,
                                     MediaWarningFunc warn, gpointer user_data, GError **error);
/** The file stays as it is: whole up to the last flush. */
void media_video_work_free(MediaVideoWork *work);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaVideoWork, media_video_work_free)

/**
 * media_video_work_prime:
 * @picture: (transfer full): what shows at time 0
 * @ret_next_ns: the time of the next picture at the earliest
 *
 * Once, before anything else: puts a first picture through the encoder, so that there is a file.
 * Errors: MEDIA_ERROR_ENCODER, _IO, _DISK_FULL, as of all that follow.
 */
bool media_video_work_prime(MediaVideoWork *work, GstBuffer *picture, int64_t *ret_next_ns,
                            GError **error);

/** @picture: (transfer full). A picture whose place is taken waits for the next free one. */
bool media_video_work_push(MediaVideoWork *work, GstBuffer *picture, int64_t pts_ns,
                           GError **error);

/** Time goes on: repeats a still picture where needed. */
bool media_video_work_tick(MediaVideoWork *work, int64_t now_ns, GError **error);

/** What has been encoded goes onto the disk. */
bool media_video_work_flush(MediaVideoWork *work, GError **error);

/** Everything that the encoder holds comes out, and the file ends. */
bool media_video_work_finish(MediaVideoWork *work, GError **error);

/** The picture given last; borrowed, NULL when there was none. */
GstBuffer *media_video_work_last_picture(const MediaVideoWork *work);

uint64_t media_video_work_n_pictures(const MediaVideoWork *work);
