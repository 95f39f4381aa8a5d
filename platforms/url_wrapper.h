/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/*
 * What mail gateways, search engines and chat programs put around links, so that a click passes
 * their servers first. Where the target stands in the link it is read from there; nothing is ever
 * asked. Pure, fuzzed.
 */

/** A bit for each kind of wrapper, so that none is undone twice. */
typedef guint PlatformUrlWrappers;

/**
 * platform_url_unwrap:
 * @text: the link as a text; some wrappers are no well-formed URLs
 * @seen: (inout): the kinds that were undone already; those are left alone
 * @ret_target: (out) (transfer full): the target, still to be checked, or NULL when @uri is no
 * wrapper
 *
 * Errors: PLATFORM_ERROR_URL when the wrapper has no target, or keeps it on its server.
 */
bool platform_url_unwrap(GUri *uri, const char *text, PlatformUrlWrappers *seen, char **ret_target,
                         GError **error);
