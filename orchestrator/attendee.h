/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/bots.h"

/*
 * Attendee's words for our records, shared by its API and its webhooks: ids with their prefixes,
 * participants folded from the worker's events. Pure; any thread. All returns are (transfer full).
 */

/** "bot_" and the UUID */
char *orch_attendee_bot_id(const OrchBot *bot);
/** "2026-01-01T12:00:00.000Z"; NULL for 0 */
char *orch_attendee_time(gint64 unix_ms);
/** The caller's own data as an object; empty when it gave none. */
JsonObject *orch_attendee_metadata(const OrchBot *bot);

/** One person of a call. */
typedef struct {
    gint64 id;         /* of the worker's roster */
    char *name;        /* owned */
    char *platform_id; /* owned; or NULL */
    bool is_host;
    bool is_room; /* nobody: the one voice of several */
} OrchPerson;

void orch_person_free(OrchPerson *person);

/** Who is who at the end of these "participant" events (JSON texts): id -> OrchPerson. */
GHashTable *orch_attendee_people(GPtrArray *events);

/** {id, participant_name, …}: one entry of participant_events; NULL for an event that is none. */
JsonObject *orch_attendee_participant_event(const OrchBot *bot, const char *type, JsonObject *event,
                                            const OrchPerson *person);
/** {id, text, timestamp_ms, …}: one chat message. @person: (nullable) */
JsonObject *orch_attendee_chat_message(const OrchBot *bot, JsonObject *event,
                                       const OrchPerson *person);

/** One entry of participants. */
JsonObject *orch_attendee_person(const OrchBot *bot, const OrchPerson *person);

/** The Bot object, its history read from @store. */
JsonObject *orch_attendee_bot(OrchStore *store, const OrchBot *bot);
