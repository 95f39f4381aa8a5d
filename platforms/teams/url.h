/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/*
 * Teams' links: teams.microsoft.com, teams.live.com, teams.cloud.microsoft, teams.microsoft.us and
 * their subdomains. Pure, fuzzed.
 */

bool teams_url_is_ours(GUri *uri);

/**
 * teams_url_unwrap:
 *
 * Returns (transfer full) the meeting's own link when @uri is the launcher, a light-meetings link
 * (both forms of coords) or an app link with the meeting in its fragment; NULL when it is none, or
 * when what it holds is no link of Teams'. What comes back still has to be parsed and checked.
 */
char *teams_url_unwrap(GUri *uri);

/**
 * teams_url_canonical:
 *
 * Returns (transfer full) https://HOST/meet/ID[?p=PASSCODE] or
 * https://HOST/l/meetup-join/THREAD/MESSAGE[?context=JSON]. Errors: PLATFORM_ERROR_URL.
 */
char *teams_url_canonical(GUri *uri, GError **error);

/** (transfer full): the meeting in a canonical @uri, the same for all its links; or NULL. */
char *teams_url_meeting(GUri *uri);
