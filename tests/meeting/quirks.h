// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/meeting/scenario.h"

/* Single deviations of a page from the usual one, by name: "page.quirks" in docs/test-meeting.md.
 */

/* (transfer full): the names that a platform's page knows, for an error message; or NULL: @name is
 * one. */
char *meeting_quirk_check(MeetingPlatform platform, const char *name);

bool meeting_has_quirk(const MeetingScenario *scenario, const char *name);

/* (transfer full): all of them, with blanks between. */
char *meeting_quirks_join(const MeetingScenario *scenario);
