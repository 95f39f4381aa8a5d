/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

#define MEET_ORIGIN "https://meet.google.com"

bool meet_url_is_ours(GUri *uri);

/**
 * meet_url_canonical:
 *
 * Returns (transfer full) https://meet.google.com/xxx-yyyy-zzz. Queries and fragments mean nothing
 * to a guest and are dropped. Errors: PLATFORM_ERROR_URL.
 */
char *meet_url_canonical(GUri *uri, GError **error);
