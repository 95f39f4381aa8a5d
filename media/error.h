/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* What can go wrong in media/; below all its other files. Pure, any thread, but for
 * media_write_all. */

typedef enum {
    MEDIA_ERROR_FAILED,
    MEDIA_ERROR_UNSUPPORTED,
    MEDIA_ERROR_STOPPED,
    MEDIA_ERROR_FORMAT,
    MEDIA_ERROR_DISK_FULL,
    MEDIA_ERROR_ENCODER,
    MEDIA_ERROR_NOTHING_RECORDED,
    MEDIA_ERROR_IO,
} MediaError;

#define MEDIA_ERROR media_error_quark()
GQuark media_error_quark(void);
const char *media_error_to_string(MediaError code);

/** MEDIA_ERROR_DISK_FULL where errno says that there is no room (also a quota's, or a file's
 * largest size), else MEDIA_ERROR_IO. */
MediaError media_error_from_errno(int number);

/** Sets "@what: " and what errno means; returns false, for return statements. */
bool media_set_errno(GError **error, const char *what, int number);

/** Writes all of it, whatever signals come. Returns 0, or the errno. */
int media_write_all(int fd, const void *data, size_t size);
