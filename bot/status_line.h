/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/session.h"

/*
 * The live status of `steno-worker join` on a terminal: state, time recorded, people in the call,
 * who speaks, a level meter; one line, redrawn in place, on standard error. Where that is no
 * terminal, one line a change of state instead. Main thread only; at most one at a time.
 */

typedef struct BotStatusLine BotStatusLine;

/** @session: (transfer none): must outlive it. */
BotStatusLine *bot_status_line_new(BotSession *session);
void bot_status_line_free(BotStatusLine *line);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BotStatusLine, bot_status_line_free)

/**
 * bot_status_line_format:
 * @columns: width of the terminal; the text is never wider
 *
 * Returns (transfer full) the line as text. Pure.
 */
char *bot_status_line_format(const BotSessionStatus *status, guint columns);
