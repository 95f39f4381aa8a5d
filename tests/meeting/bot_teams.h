// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/meeting/bot_priv.h"

/* What a bot gets in a Teams meeting besides pictures and sound. Thread: main. */

/* The page's trouter socket; a former one is closed. */
void meeting_bot_attach_trouter(MeetingBot *bot, SoupWebsocketConnection *socket);
void meeting_bot_drop_trouter(MeetingBot *bot);

/* Tells of @users what differs from what was told. Returns whether there is somebody to tell. */
bool meeting_bot_send_roster(MeetingBot *bot, GPtrArray *users);

/* The conversation is over for the bot, unless the scenario leaves that out. */
void meeting_bot_farewell(MeetingBot *bot, int sub_code, bool by_host);

/* Who dominates and, once asked for, captions: from when `main-channel` opens. */
void meeting_bot_tell_speakers(MeetingBot *bot);
void meeting_bot_hush(MeetingBot *bot);
void meeting_bot_turn_captions_on(MeetingBot *bot);
