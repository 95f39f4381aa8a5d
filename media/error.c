/* SPDX-License-Identifier: Apache-2.0 */
#include "media/error.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

G_DEFINE_QUARK(media_error, media_error)

const char *media_error_to_string(MediaError code)
{
    static const char *const names[] = {
        [MEDIA_ERROR_FAILED] = "failed",
        [MEDIA_ERROR_UNSUPPORTED] = "unsupported",
        [MEDIA_ERROR_STOPPED] = "stopped",
        [MEDIA_ERROR_FORMAT] = "format",
        [MEDIA_ERROR_DISK_FULL] = "disk_full",
        [MEDIA_ERROR_ENCODER] = "encoder",
        [MEDIA_ERROR_NOTHING_RECORDED] = "nothing_recorded",
        [MEDIA_ERROR_IO] = "io",
    };
    return names[code];
}

MediaError media_error_from_errno(int number)
{
    bool full = number == ENOSPC || number == EDQUOT || number == EFBIG;
    return full ? MEDIA_ERROR_DISK_FULL : MEDIA_ERROR_IO;
}

bool media_set_errno(GError **error, const char *what, int number)
{
    g_set_error(error, MEDIA_ERROR, media_error_from_errno(number), "%s: %s", what,
                g_strerror(number));
    return false;
}

int media_write_all(int fd, const void *data, size_t size)
{
    const uint8_t *from = data;
    while (size > 0) {
        ssize_t n = write(fd, from, size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? errno : EIO;
        }
        from += n;
        size -= (size_t)n;
    }
    return 0;
}
