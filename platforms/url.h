/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/*
 * A meeting URL as somebody pasted it, read as a URL and never as text that contains one: https, no
 * user, no port; google.com/url unwrapped once; then no second URL may hide inside, be it plain,
 * percent-encoded (once or twice) or base64. Pure, fuzzed.
 */

/** (transfer full). Errors: PLATFORM_ERROR_URL with the rule that the text breaks. */
GUri *platform_url_parse(const char *text, GError **error);

/** True when @text, or what it decodes to, contains a URL. */
bool platform_url_hides_url(const char *text);
