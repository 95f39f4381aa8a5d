/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/* What can be told from the name of a bot's file, "tracks/3.ogg": nothing here reads the disk. */

/**
 * base_file_name_is_plain:
 * @name: (nullable)
 *
 * Whether @name stays below the folder that it will be appended to, and names none of the worker's
 * own files: 1 to 255 bytes, relative, no part empty or beginning with a dot. Pure.
 */
bool base_file_name_is_plain(const char *name);

/** The MIME type by the name's suffix, static; "application/octet-stream" for all that is not
 * listed: a page that a bot saw must not run where it is served. Pure. */
const char *base_file_name_get_mime_type(const char *name);
