/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * Which meeting a link leads into, on any of the platforms. Pure, fuzzed.
 */

/**
 * platform_check_url:
 * @ret_name: (out) (optional): static name of the platform, "meet"
 * @ret_url: (out) (optional) (transfer full): the canonical URL
 *
 * Errors: PLATFORM_ERROR_URL with a sentence that names what is wrong, and what to do.
 */
bool platform_check_url(const char *url, const char **ret_name, char **ret_url, GError **error);

/**
 * platform_meeting_of_url:
 *
 * Returns (transfer full) a text that is the same for every link into one meeting, whatever host,
 * passcode, token or account it carries; NULL when @url leads into none.
 */
char *platform_meeting_of_url(const char *url);
