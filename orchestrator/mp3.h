/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* MP3 to what the worker's "speak" takes. Pure; any thread, and slow enough for one of its own. */

/**
 * orch_mp3_decode:
 *
 * Returns (transfer full): signed 16-bit mono, native byte order, at *ret_rate_hz; at most
 * @max_bytes of it. Errors: G_IO_ERROR_INVALID_DATA, it is no MP3; G_IO_ERROR_NO_SPACE, longer.
 */
GBytes *orch_mp3_decode(GBytes *mp3, gsize max_bytes, guint *ret_rate_hz, GError **error);
