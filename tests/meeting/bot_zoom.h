// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/meeting/bot_priv.h"

/*
 * What only Zoom's bots have: sound that comes as packets on a data channel, for the page to decode
 * itself, and a passcode that the page asks for. Thread: main.
 */

/* The passcode that the meeting wants, where the scenario says that it wants one. */
#define MEETING_ZOOM_PASSCODE "AbC123"

/**
 * meeting_bot_start_sound:
 *
 * From now on the mix goes out on the page's channel, each packet at its time, behind 8 bytes:
 * meeting time in microseconds, little-endian. Nothing happens on other platforms, and where a
 * receiver brings the sound.
 */
void meeting_bot_start_sound(MeetingBot *bot);
void meeting_bot_stop_sound(MeetingBot *bot);

/* What the page makes of a passcode: "right" or "wrong". */
const char *meeting_bot_judge_passcode(const char *text);
