-- SPDX-License-Identifier: Apache-2.0
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    webhook_url TEXT,
    webhooks TEXT,
    sealed_secret TEXT NOT NULL,
    created_ms INTEGER NOT NULL
);

CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES accounts (id),
    label TEXT,
    hash TEXT NOT NULL UNIQUE,
    sealed TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    revoked_ms INTEGER NOT NULL
);

CREATE TABLE bots (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    account INTEGER NOT NULL REFERENCES accounts (id),
    key_id TEXT,
    api INTEGER NOT NULL,
    state INTEGER NOT NULL,
    meeting_url TEXT NOT NULL,
    bot_name TEXT NOT NULL,
    document TEXT NOT NULL,
    details TEXT NOT NULL,
    extra TEXT,
    dedup_key TEXT,
    scheduling_key TEXT,
    reserved INTEGER NOT NULL,
    leave_requested INTEGER NOT NULL,
    reported INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    join_at_ms INTEGER NOT NULL,
    joined_ms INTEGER NOT NULL,
    recording_started_ms INTEGER NOT NULL,
    exited_ms INTEGER NOT NULL,
    ended_ms INTEGER NOT NULL,
    deleted_ms INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    recording_state TEXT,
    end_reason TEXT,
    error TEXT,
    error_code TEXT,
    message TEXT,
    speakers TEXT,
    artifacts TEXT,
    has_place INTEGER NOT NULL,
    worker_pid INTEGER NOT NULL,
    worker_started INTEGER NOT NULL,
    worker_seen_ms INTEGER NOT NULL,
    output_dir TEXT,
    last_seq INTEGER NOT NULL,
    control_token_hash TEXT,
    n_events INTEGER NOT NULL
);

CREATE INDEX bots_by_account ON bots (account, number);
CREATE INDEX bots_by_state ON bots (state, has_place);
CREATE INDEX bots_by_dedup_key ON bots (account, dedup_key) WHERE dedup_key IS NOT NULL;
CREATE INDEX bots_by_scheduling_key ON bots (account, scheduling_key)
    WHERE scheduling_key IS NOT NULL;
CREATE INDEX bots_by_meeting ON bots (account, meeting_url, created_ms);

CREATE TABLE transitions (
    bot_id TEXT NOT NULL,
    n INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    event TEXT NOT NULL,
    sub_type TEXT,
    old_state TEXT NOT NULL,
    new_state TEXT NOT NULL,
    PRIMARY KEY (bot_id, n)
) WITHOUT ROWID;

CREATE TABLE events (
    bot_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    type TEXT NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (bot_id, seq)
) WITHOUT ROWID;

CREATE TABLE deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    account INTEGER NOT NULL,
    bot_id TEXT NOT NULL,
    key_id TEXT,
    kind INTEGER NOT NULL,
    trigger TEXT NOT NULL,
    url TEXT NOT NULL,
    body BLOB NOT NULL,
    created_ms INTEGER NOT NULL,
    next_attempt_ms INTEGER NOT NULL,
    n_attempts INTEGER NOT NULL,
    state INTEGER NOT NULL,
    last_status INTEGER NOT NULL,
    last_error TEXT,
    delivered_ms INTEGER NOT NULL,
    head INTEGER NOT NULL -- nothing older of its bot and URL waits
);

CREATE INDEX deliveries_waiting ON deliveries (bot_id, url, number) WHERE state = 0;
CREATE INDEX deliveries_due ON deliveries (next_attempt_ms) WHERE state = 0 AND head = 1;
CREATE INDEX deliveries_by_bot ON deliveries (bot_id, number);
CREATE INDEX deliveries_by_account ON deliveries (account, number);

CREATE TABLE attempts (
    delivery_id TEXT NOT NULL,
    n INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    status INTEGER NOT NULL,
    error TEXT,
    answer TEXT,
    PRIMARY KEY (delivery_id, n)
) WITHOUT ROWID;
