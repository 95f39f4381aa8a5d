/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * null:NAME or null:NAME#MEETING: the meeting that NAME.json describes, in the folder that the
 * configuration allows (null_dir). Bots with different MEETINGs are in different meetings. Both are
 * letters, digits, '-' and '_', at most 64 of them, so that no link leads out of the folder. Pure,
 * fuzzed.
 */

/** By the scheme alone. */
bool null_url_is_ours(const char *url);

/** Returns (transfer full) the canonical URL. Errors: PLATFORM_ERROR_URL. */
char *null_url_canonical(const char *url, GError **error);

/** Returns (transfer full) the file name of the document of a canonical URL: "NAME.json". */
char *null_url_file(const char *canonical);
