/* SPDX-License-Identifier: Apache-2.0 */
#include "media/engine.h"

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
