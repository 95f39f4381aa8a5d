/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/http.h"

/* What the files of Attendee's API share. */

/** "cursor" of the query into a number; otherwise answers 400 and returns false. */
bool orch_attendee_read_cursor(OrchRequest *request, gint64 *ret_number);

/** {next, previous, results}. @results: (transfer full). @next: the next page's cursor; 0: none */
void orch_attendee_reply_page(OrchRequest *request, JsonArray *results, gint64 next);

/** The bot, in one of the four joined states; otherwise answers and returns NULL. */
OrchBot *orch_attendee_joined_bot(OrchRequest *request, const char *cannot);

/** Send a command to the worker; {} or the refusal when it answered. @args: (transfer full) */
void orch_attendee_ask(OrchRequest *request, const OrchBot *bot, const char *name, JsonObject *args,
                       const char *refusal, bool with_bot);

/* Handlers of api_attendee_data.c and api_attendee_audio.c */
void orch_attendee_recording(OrchRequest *request);
void orch_attendee_transcript(OrchRequest *request);
void orch_attendee_participants(OrchRequest *request);
void orch_attendee_participant_events(OrchRequest *request);
void orch_attendee_chat_messages(OrchRequest *request);
void orch_attendee_output_audio(OrchRequest *request);
