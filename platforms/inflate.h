/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/**
 * platform_inflate:
 * @max_bytes: the most that may come out
 *
 * Returns (transfer full) what gzip, zlib or raw deflate @data holds, or a copy of @data when it is
 * none of them. Pure. Errors: PLATFORM_ERROR_PROTOCOL: larger than @max_bytes, or cut short.
 */
GBytes *platform_inflate(const void *data, size_t size, size_t max_bytes, GError **error);
