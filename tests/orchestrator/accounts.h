/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tests/orchestrator/fixture.h"

/* A signed-in account "notes" of Meet: a folder with what a browser would leave of a session. */

typedef struct {
    char *dir;     /* owned */
    char *profile; /* owned: <dir>/notes */
} Accounts;

void accounts_make(Accounts *accounts);
void accounts_clear(Accounts *accounts);

/** (transfer full): a configuration with it; @more: its other members, as JSON */
char *accounts_config(const Accounts *accounts, const char *use, const char *more);

/** Both, with a fixture. */
void accounts_set_up(Accounts *accounts, Fixture *fixture, const char *use, const char *more);
void accounts_tear_down(Accounts *accounts, Fixture *fixture);

/** A file of the profile. */
void accounts_write(const Accounts *accounts, const char *name, const char *text);
