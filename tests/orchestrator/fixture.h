/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/bots.h"
#include "orchestrator/secrets.h"
#include "orchestrator/store.h"

/* A store in a folder of its own, with one account and its key, and bots over it. */

typedef struct {
    char *dir; /* owned */
    OrchConfig *config;
    OrchSecrets *secrets;
    OrchStore *store;
    OrchLinks links;
    OrchBots *bots;
    OrchKey *key;
    char *key_text;
} Fixture;

/** @config: (nullable): JSON over the fixture's own */
void fixture_set_up(Fixture *fixture, const char *config);
void fixture_tear_down(Fixture *fixture);

/** Close the database as a killed process would: nothing that is not committed survives. */
void fixture_reopen(Fixture *fixture);

/** A bot as POST /bots makes it; @details: JSON. (transfer full), created. */
OrchBot *fixture_bot(Fixture *fixture, OrchApi api, const char *details);

/** Apply a worker's event given as JSON; it must be taken. */
void fixture_event(Fixture *fixture, const OrchBot *bot, const char *json);
/** Again what the store has of it. */
OrchBot *fixture_reload(Fixture *fixture, const OrchBot *bot);

/** The events of a whole life: joins, records, is asked to leave by somebody else, ends. */
void fixture_live(Fixture *fixture, const OrchBot *bot);

/** The bodies in the outbox, oldest first: (transfer full) of JsonObject. */
GPtrArray *fixture_bodies(Fixture *fixture, const OrchBot *bot);
