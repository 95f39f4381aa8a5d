/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/*
 * A meeting URL as somebody pasted it, read as a URL and never as text that contains one: https, no
 * user, no port; what came along when it was copied left out (url_text.h); wrappers of mail
 * gateways and search engines (url_wrapper.h) and a platform's own undone, each kind once; then no
 * second URL may hide inside, be it plain, percent-encoded (once or twice) or base64. Pure, fuzzed.
 */

/** (transfer full) what the platform's own link @uri wraps, or NULL when it wraps nothing. */
typedef char *(*PlatformUrlUnwrap)(GUri *uri);

/** (transfer full). Errors: PLATFORM_ERROR_URL with the rule that the text breaks. */
GUri *platform_url_parse(const char *text, PlatformUrlUnwrap unwrap, GError **error);

/** True when @text, or what it decodes to, contains a URL. */
bool platform_url_hides_url(const char *text);
