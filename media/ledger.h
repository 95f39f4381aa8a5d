/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/engine.h"

/*
 * What the playouts agree on: which source speaks for whom, how the clock maps to the recording's
 * time, and who spoke when. Everything is kept on CLOCK_MONOTONIC and mapped when asked, so that a
 * late binding and a late pause still count. Thread safe; its lock is taken last.
 */

typedef struct MediaLedger MediaLedger;

MediaLedger *media_ledger_new(void);
void media_ledger_free(MediaLedger *ledger);

/** @source speaks for @participant_id from @at_ns on; a first binding counts for the past too, and
 * so does the next one after @participant_id 0 (nobody knows yet), back to that. */
void media_ledger_bind(MediaLedger *ledger, uint32_t source, uint32_t participant_id,
                       int64_t at_ns);
/** 0: nobody was bound. */
uint32_t media_ledger_participant(MediaLedger *ledger, uint32_t source, int64_t at_ns);
/** The source bound last to @participant_id; false: none. */
bool media_ledger_source_of(MediaLedger *ledger, uint32_t participant_id, uint32_t *ret_source);

/** Recording time zero, cuts and the end, on the clock. */
void media_ledger_start(MediaLedger *ledger, int64_t at_ns);
void media_ledger_pause(MediaLedger *ledger, int64_t at_ns);
void media_ledger_resume(MediaLedger *ledger, int64_t at_ns);
void media_ledger_stop(MediaLedger *ledger, int64_t at_ns);

/** The recording's time of @at_ns; inside a cut that of its beginning; -1 outside of it. */
int64_t media_ledger_to_recording(MediaLedger *ledger, int64_t at_ns);
/** Whether what happens at @at_ns belongs into the recording. */
bool media_ledger_records(MediaLedger *ledger, int64_t at_ns);

void media_ledger_speech(MediaLedger *ledger, uint32_t source, bool speaking, int64_t at_ns);

/** Returns (transfer full) (element-type MediaSpeechSegment): see media_engine_dup_segments; who
 * speaks on does so until
 *  @now_ns. */
GArray *media_ledger_dup_segments(MediaLedger *ledger, int64_t now_ns);
