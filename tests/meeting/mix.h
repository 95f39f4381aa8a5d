// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/meeting/sender.h"

/*
 * What a server that mixes sends: everybody's speech as one voice, encoded ahead, each packet with
 * those who contribute to it. Who is muted or absent is not in it.
 */

/* Whether @source is heard around @at_us: in one of its stretches of energy, give or take
 * @hang_us. */
bool meeting_mix_contributes(const MeetingScenario *scenario, const MeetingSource *source,
                             gint64 at_us, gint64 hang_us);

/**
 * meeting_mix_encode:
 * @sources: (element-type MeetingSource)
 *
 * Errors: MEETING_ERROR_MEDIA. Returns (transfer full): array of MeetingRun*, by start; their
 * packets name nobody unless the scenario tells who speaks by contributing sources.
 */
GPtrArray *meeting_mix_encode(const MeetingScenario *scenario, GPtrArray *sources, GError **error);
