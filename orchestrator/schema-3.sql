-- SPDX-License-Identifier: Apache-2.0
-- One meeting has many links: bots of the same one are found by the meeting, not by its spelling.
ALTER TABLE bots ADD COLUMN meeting TEXT;
UPDATE bots SET meeting = meeting_of(meeting_url) WHERE deleted_ms = 0;
DROP INDEX bots_by_meeting;
CREATE INDEX bots_by_meeting ON bots (account, meeting, created_ms);
