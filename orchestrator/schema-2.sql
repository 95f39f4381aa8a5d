-- SPDX-License-Identifier: Apache-2.0
-- Who is next for a place is asked whenever a bot changes: neither the length of the queue nor the
-- number of bots that ever were may matter.
ALTER TABLE bots ADD COLUMN wants_ms INTEGER GENERATED ALWAYS AS ( -- a place, as in schedule.c
    CASE
        WHEN has_place OR state > 2 THEN NULL -- it has one, or has begun: after BOT_STATE_READY
        WHEN join_at_ms = 0 OR (reserved AND created_ms < join_at_ms) THEN created_ms
        ELSE join_at_ms
    END) VIRTUAL;
CREATE INDEX bots_that_want ON bots (wants_ms, number) WHERE wants_ms IS NOT NULL;
CREATE INDEX bots_with_place ON bots (number) WHERE has_place = 1;

-- Bots whose data was deleted, and whose bucket is looked at again for what came late.
ALTER TABLE bots ADD COLUMN sweep_ms INTEGER NOT NULL DEFAULT 0;
CREATE INDEX bots_to_sweep ON bots (sweep_ms) WHERE sweep_ms > 0;
