// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/meeting/meeting.h"

#include <libsoup/soup.h>

/*
 * One bot in the test meeting: its way from the knock through the lobby and the call, its page's
 * signalling socket, its WebRTC connection, and what is reported of it.
 *
 * Thread: main.
 */

MeetingBot *meeting_bot_new(Meeting *meeting, guint number);
void meeting_bot_free(MeetingBot *bot);

const char *meeting_bot_token(MeetingBot *bot);
const char *meeting_bot_device(MeetingBot *bot);
const char *meeting_bot_name(MeetingBot *bot);
bool meeting_bot_in_call(MeetingBot *bot);
bool meeting_bot_is_connected(MeetingBot *bot);
/* Knocked at least once, and never will again: it left, or its page is gone. */
bool meeting_bot_is_gone(MeetingBot *bot);

/* The page's socket; a former one is closed. */
void meeting_bot_attach(MeetingBot *bot, SoupWebsocketConnection *socket);

/* Tells the page about people, and gives streams to those whom it shall see. */
void meeting_bot_update(MeetingBot *bot);

/* MediaStream id of the stream that shows a source (@screen -1: the camera), or NULL. */
const char *meeting_bot_stream_of(MeetingBot *bot, const MeetingSource *source, int screen);

void meeting_bot_chat(MeetingBot *bot, const MeetingChatMessage *message, const char *name);
/* Perform an event of the scenario. */
void meeting_bot_act(MeetingBot *bot, MeetingAction action, const char *name);
/* Ends its media and socket until the network is restored. */
void meeting_bot_drop_network(MeetingBot *bot);
/* Lets a bot in that the host put back into the lobby. */
void meeting_bot_admit_again(MeetingBot *bot);

/* Adds one object to the report. */
void meeting_bot_report(MeetingBot *bot, JsonBuilder *b);
