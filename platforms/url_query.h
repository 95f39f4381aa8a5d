/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/*
 * The parameters of a meeting link. Others than those asked for may be anything: links pass through
 * many hands. Pure, fuzzed.
 */

/**
 * platform_url_get_param:
 *
 * (transfer full): the decoded value of the first @name in @uri's query, or NULL. A '+' stays one.
 */
char *platform_url_get_param(GUri *uri, const char *name);

/**
 * platform_url_read_secret:
 * @ret_value: (out) (transfer full): as it stands in a canonical link, or NULL where @uri has none
 *
 * Reads a passcode or a token, which must be kept to the letter: escapes are written in one way,
 * and nothing else changes ("==" and "%3D%3D" are the same, '+' and "%2B" are not). A value that
 * can't be kept (blanks, control characters, two different ones, @name where no parameter can
 * stand) is refused by name: a bot that joins without it is turned away and nobody knows why.
 * Errors: PLATFORM_ERROR_URL.
 */
bool platform_url_read_secret(GUri *uri, const char *name, char **ret_value, GError **error);
