/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * The events that the orchestrator has not acknowledged, in order, with a place for the next one to
 * send. So many bytes are kept in memory; what comes beyond them is left in events.ndjson and read
 * from there when there is room. (Memory first, because a full disk is reported, too.) Not
 * thread-safe.
 */

typedef struct BotControlJournal BotControlJournal;

BotControlJournal *bot_control_journal_new(gsize max_bytes);
void bot_control_journal_free(BotControlJournal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BotControlJournal, bot_control_journal_free)

/** @path: events.ndjson, where everything up to @last_seq stands already. */
void bot_control_journal_open(BotControlJournal *journal, const char *path, gint64 last_seq);

/** @event: JSON text; @seq: one more than before. */
void bot_control_journal_add(BotControlJournal *journal, gint64 seq, const char *event);

/** Every event up to @seq is kept by the other end; false: there was never such an event. */
bool bot_control_journal_ack(BotControlJournal *journal, gint64 seq);

/** The next event to send (borrowed until the next call), or NULL; at most 500 are under way. */
const char *bot_control_journal_next(BotControlJournal *journal);

/** A new connection: what is not acknowledged is sent once more. */
void bot_control_journal_rewind(BotControlJournal *journal);

/** Were events sent that are not acknowledged? */
bool bot_control_journal_is_waiting(BotControlJournal *journal);

/** Nothing is left, neither sent nor unsent. */
bool bot_control_journal_is_empty(BotControlJournal *journal);

/** The newest event's number; 0: none. */
gint64 bot_control_journal_get_last_seq(BotControlJournal *journal);
