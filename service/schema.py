"""The database as SQL scripts. A change of it is a new VERSION and a row in MIGRATIONS.

Deleting a session deletes all that is said of it (ON DELETE CASCADE); its sealed records are files beside the database.
"""

VERSION = 4

SCRIPT = """
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    group_name TEXT NOT NULL,
    user_name TEXT NOT NULL,
    user_email TEXT NOT NULL,
    public_key TEXT NOT NULL,
    settings TEXT NOT NULL,                  -- contract.http.ProctoringSettings as JSON
    expiry_s INTEGER NOT NULL,
    registered_ms INTEGER NOT NULL,
    sealing_key BLOB NOT NULL,               -- X25519 public key
    wrapped_key BLOB NOT NULL,               -- its private key, see vault.py
    state TEXT NOT NULL DEFAULT 'registered',
    end_reason TEXT NOT NULL DEFAULT '',
    started_ms INTEGER,                      -- wall time of the session clock's 0
    ended_ms INTEGER,
    ended_us INTEGER,                        -- session time of the end
    contact_us INTEGER,                      -- session time of the last heartbeat while running
    heard_ms INTEGER,
    backlog INTEGER NOT NULL DEFAULT 0,
    link TEXT NOT NULL DEFAULT '{}'          -- contract.link.Snapshot as JSON
) STRICT;
CREATE INDEX sessions_by_user ON sessions (public_key, group_name, user_id, registered_ms);

CREATE TABLE records (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    stream TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    live_only INTEGER NOT NULL,
    start_us INTEGER NOT NULL,
    duration_us INTEGER NOT NULL,
    wall_us INTEGER NOT NULL,
    codec TEXT NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL,
    size INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    dropped INTEGER NOT NULL DEFAULT 0,      -- 1: live-only, its file was deleted after the live window
    PRIMARY KEY (session, stream, epoch, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX records_live ON records (received_ms) WHERE live_only AND NOT dropped;

CREATE TABLE totals (                        -- what has arrived, kept up with each record: consoles ask often
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    stream TEXT NOT NULL,
    segments INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    PRIMARY KEY (session, stream)
) STRICT, WITHOUT ROWID;

CREATE TABLE heads (                         -- chain heads as first announced: a later announcement changes nothing
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    stream TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (session, stream, epoch, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE commands (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    issued_ms INTEGER NOT NULL,
    sent_ms INTEGER,
    received_ms INTEGER,
    applied_ms INTEGER,
    acknowledged_ms INTEGER,
    acknowledged_by TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (session, id)
) STRICT;

CREATE TABLE chat (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    sender TEXT NOT NULL,
    text TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (session, sender, id)
) STRICT;

CREATE TABLE seen (                          -- events told over the channel; the evidence is in the sealed records
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    stream TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX seen_by_session ON seen (session);
"""

EXPIRY_AND_REFUSALS = """
ALTER TABLE sessions ADD COLUMN running_us INTEGER;                    -- session time at which all sources delivered
ALTER TABLE sessions ADD COLUMN through INTEGER NOT NULL DEFAULT 0;    -- 1: the agent said that it has delivered all

CREATE TABLE attended (                      -- how long the service has run, in one row; see contacts.py
    one INTEGER PRIMARY KEY CHECK (one = 1),
    at_s REAL NOT NULL
) STRICT;

CREATE TABLE contacts (                      -- when each agent was last heard, in attended time
    session TEXT PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    at_s REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE refused (                       -- evidence that was not taken, see refusals.py
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    stream TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    found TEXT NOT NULL,                     -- what lay there instead, as an address
    hash TEXT NOT NULL,                      -- of the bytes that were offered
    stored TEXT NOT NULL,                    -- of the record that is stored there
    at_ms INTEGER NOT NULL,                  -- the first time
    times INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (session, stream, epoch, seq, kind)
) STRICT, WITHOUT ROWID;
"""

PROCTORS_AND_AUTHORIZATION = """
ALTER TABLE sessions ADD COLUMN backlog_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN quality TEXT NOT NULL DEFAULT 'full';
ALTER TABLE sessions ADD COLUMN step TEXT NOT NULL DEFAULT '';         -- contract.channel.AuthorizationStep, or ''
ALTER TABLE sessions ADD COLUMN wanted TEXT NOT NULL DEFAULT '';       -- what is still to be shown, spaces between
ALTER TABLE sessions ADD COLUMN consent_ms INTEGER;
ALTER TABLE sessions ADD COLUMN submitted_ms INTEGER;

ALTER TABLE totals ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;        -- the place of the newest record
ALTER TABLE totals ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
UPDATE totals SET (epoch, seq) = (
    SELECT epoch, seq FROM records WHERE records.session = totals.session AND records.stream = totals.stream
    ORDER BY epoch DESC, seq DESC LIMIT 1
) WHERE (session, stream) IN (SELECT session, stream FROM records);

ALTER TABLE commands ADD COLUMN text TEXT NOT NULL DEFAULT '';
ALTER TABLE commands ADD COLUMN argument TEXT NOT NULL DEFAULT '';
ALTER TABLE commands ADD COLUMN issued_by TEXT NOT NULL DEFAULT '';
ALTER TABLE commands ADD COLUMN expires_ms INTEGER;
ALTER TABLE commands ADD COLUMN unacknowledged_ms INTEGER;
UPDATE commands SET expires_ms = issued_ms + 300000;                   -- every command's lifetime until this version
CREATE INDEX commands_unsent ON commands (expires_ms) WHERE status = 'issued' AND sent_ms IS NULL;

ALTER TABLE chat ADD COLUMN said_by TEXT NOT NULL DEFAULT '';
ALTER TABLE chat ADD COLUMN delivered_ms INTEGER;
ALTER TABLE chat ADD COLUMN read_ms INTEGER;
UPDATE chat SET delivered_ms = at_ms WHERE sender = 'candidate';
CREATE INDEX chat_unread ON chat (session) WHERE sender = 'candidate' AND read_ms IS NULL;

CREATE TABLE proctors (                      -- accounts, see proctors.py
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    groups TEXT NOT NULL,                    -- a JSON array of group names
    disabled INTEGER NOT NULL,
    hash TEXT NOT NULL,                      -- of the password, see passwords.py; '' lets nobody in
    version TEXT NOT NULL                    -- of the log-ins: a new one ends those that there are
) STRICT, WITHOUT ROWID;

CREATE TABLE reference_photos (              -- see reference.py; without photo and error it is still to be fetched
    session TEXT PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    photo BLOB,                              -- as it was fetched, locked by vault.py
    error TEXT NOT NULL DEFAULT ''
) STRICT;
"""

LOCKDOWN_AND_ATTESTATIONS = """
ALTER TABLE sessions ADD COLUMN zero_ms INTEGER;                       -- this service's wall clock at the session clock's 0
ALTER TABLE sessions ADD COLUMN phase TEXT NOT NULL DEFAULT 'off';     -- contract.lockdown.Phase, as told last
ALTER TABLE sessions ADD COLUMN stopping INTEGER NOT NULL DEFAULT 0;   -- rules that keep the exam from starting
ALTER TABLE sessions ADD COLUMN away INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN browser TEXT NOT NULL DEFAULT '';      -- contract.msb.Proof, or ''
ALTER TABLE sessions ADD COLUMN attested INTEGER NOT NULL DEFAULT 0;   -- good attestations of heartbeats
ALTER TABLE sessions ADD COLUMN attested_ms INTEGER;                   -- the last of them

CREATE TABLE lockdowns (                     -- what the agent told last, see lockdown.py
    session TEXT PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    told TEXT NOT NULL,                      -- contract.channel.LockdownChanged as JSON
    unlike_ms INTEGER                        -- since when attestations say otherwise
) STRICT, WITHOUT ROWID;

CREATE TABLE session_keys (                  -- by which the session's agents sign attestations
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    x TEXT NOT NULL,                         -- Ed25519 public key, base64url
    at_ms INTEGER NOT NULL,                  -- as the agent said
    told_ms INTEGER NOT NULL,
    n INTEGER NOT NULL DEFAULT 0,            -- of the newest attestation that came with a heartbeat
    PRIMARY KEY (session, x)
) STRICT;

CREATE TABLE misattested (                   -- attestations of heartbeats that were not good
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    verdict TEXT NOT NULL,                   -- contract.attestation.Verdict
    times INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    PRIMARY KEY (session, verdict)
) STRICT, WITHOUT ROWID;

CREATE TABLE used_attestations (             -- those that were good for one use, until they are stale for everybody
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    x TEXT NOT NULL,
    n INTEGER NOT NULL,
    used_ms INTEGER NOT NULL,
    PRIMARY KEY (session, x, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX used_attestations_by_age ON used_attestations (used_ms);

CREATE TABLE doubts (                        -- times in which the lockdown was not attested, see doubts.py
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    from_ms INTEGER NOT NULL,                -- of this service's wall clock
    until_ms INTEGER NOT NULL,
    heard_ms INTEGER NOT NULL,               -- for how long of it the agent was heard
    PRIMARY KEY (session, kind, from_ms)
) STRICT, WITHOUT ROWID;
"""

MIGRATIONS: dict[int, str] = {
    1: SCRIPT,
    2: EXPIRY_AND_REFUSALS,
    3: PROCTORS_AND_AUTHORIZATION,
    4: LOCKDOWN_AND_ATTESTATIONS,
}
"""The script that leads to each version from the one before it."""
