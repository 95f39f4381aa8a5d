-- SPDX-License-Identifier: Apache-2.0
-- The platforms' accounts that bots sign in with: who needs one, who has which, and which are signed
-- out. A bot's own columns are the only book of who has one.
ALTER TABLE bots ADD COLUMN login_class TEXT;
ALTER TABLE bots ADD COLUMN login TEXT;
ALTER TABLE bots ADD COLUMN login_stamp TEXT;
ALTER TABLE bots ADD COLUMN login_shared INTEGER NOT NULL DEFAULT 0;
ALTER TABLE bots ADD COLUMN login_out INTEGER NOT NULL DEFAULT 0;
ALTER TABLE bots ADD COLUMN login_run INTEGER NOT NULL DEFAULT 0;
CREATE INDEX bots_with_login ON bots (login) WHERE login IS NOT NULL;
CREATE INDEX bots_that_want_login ON bots (login_class, wants_ms, number)
    WHERE wants_ms IS NOT NULL;

CREATE TABLE login_marks (
    name TEXT PRIMARY KEY,
    since_ms INTEGER NOT NULL,
    reason TEXT,
    stamp TEXT
) WITHOUT ROWID;
