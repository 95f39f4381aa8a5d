// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/meeting/bot_priv.h"

/* What a bot's page is told, as JSON on its signalling socket; nothing while that is away. */

void meeting_bot_send_text(MeetingBot *bot, const char *json);

/* {"t": type, key: value, …}; pairs of strings, which end with NULL. */
void meeting_bot_send(MeetingBot *bot, const char *type, ...) G_GNUC_NULL_TERMINATED;

void meeting_bot_send_people(MeetingBot *bot, GPtrArray *users);

/* The page shows rings around these, unless it knows. */
void meeting_bot_show_speaking(MeetingBot *bot, const guint32 *csrcs, guint n);
