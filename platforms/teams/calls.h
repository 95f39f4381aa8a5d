/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * Which call of a client is the bot's: a signed-in account may have others, and their ends come on
 * the same socket. No I/O.
 */

typedef struct TeamsCalls TeamsCalls;

TeamsCalls *teams_calls_new(void);
void teams_calls_free(TeamsCalls *calls);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TeamsCalls, teams_calls_free)

/** The page's own call object names the call that the bot is in. */
void teams_calls_set_own(TeamsCalls *calls, const char *id);

/** A roster update belongs to the call @id. */
void teams_calls_note_roster(TeamsCalls *calls, const char *id);

/**
 * teams_calls_is_ours:
 * @id: (nullable): what a message says of the call that it is about
 *
 * Whether the message may be about the bot's call: that of the page's word, as long as roster
 * updates use such ids too, else one that rosters came from. A message without an id, and any while
 * nothing is known, may be.
 */
bool teams_calls_is_ours(TeamsCalls *calls, const char *id);
