/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A still picture from a file that nobody trusts (PNG, JPEG or WebP), made into a JPEG of a fixed
 * size. Pure.
 */

#define MEDIA_STILL_MAX_PIXELS (40 * 1000 * 1000)

/**
 * media_still_to_jpeg:
 * @file: a whole file; what it is, is read from its first bytes
 * @width, @height: of the result, even
 *
 * Fits the picture into the size, centred on dark grey, which also shows through where it is
 * transparent. Decoded and encoded by libavcodec.
 *
 * Thread: any. Errors: MEDIA_ERROR_FORMAT (another kind of file, broken, or of more than
 * MEDIA_STILL_MAX_PIXELS). Returns (transfer full).
 */
GBytes *media_still_to_jpeg(GBytes *file, int width, int height, GError **error);
