/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/*
 * A meeting URL as somebody pasted it, read as a URL and never as text that contains one: https, no
 * user, no port; redirects of mail programs (google.com/url, Outlook's safe links) and a platform's
 * own wrapper unwrapped once each; then no second URL may hide inside, be it plain, percent-encoded
 * (once or twice) or base64. A link that is percent-encoded as a whole is decoded. Pure, fuzzed.
 */

/** (transfer full) what the platform's own link @uri wraps, or NULL when it wraps nothing. */
typedef char *(*PlatformUrlUnwrap)(GUri *uri);

/** (transfer full). Errors: PLATFORM_ERROR_URL with the rule that the text breaks. */
GUri *platform_url_parse(const char *text, PlatformUrlUnwrap unwrap, GError **error);

/**
 * platform_url_get_param:
 *
 * (transfer full): the decoded value of the first @name in @uri's query, or NULL. Other parameters
 * may be anything: links pass through many hands. A '+' stays one.
 */
char *platform_url_get_param(GUri *uri, const char *name);

/** True when @text, or what it decodes to, contains a URL. */
bool platform_url_hides_url(const char *text);
