// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/meeting/bot_priv.h"

/*
 * Sound that comes as packets for the page to decode itself, and the passcode that Zoom's page asks
 * for. Thread: main.
 */

/* The passcode that the meeting wants, where the scenario says that it wants one. */
#define MEETING_ZOOM_PASSCODE "AbC123"

/**
 * meeting_bot_start_sound:
 *
 * From now on the mix goes out, each packet at its time, behind 8 bytes: meeting time in
 * microseconds, little-endian. Zoom's goes on the page's data channel, Meet's on its signalling
 * socket.
 */
void meeting_bot_start_sound(MeetingBot *bot);
void meeting_bot_stop_sound(MeetingBot *bot);

/* What the page makes of a passcode: "right" or "wrong". */
const char *meeting_bot_judge_passcode(const char *text);
