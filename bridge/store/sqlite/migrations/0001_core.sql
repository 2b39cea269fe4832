-- Times are microseconds since 1970. JSON is text. Retention may empty event.body, and delete a finished delivery,
-- which takes its attempts along.

CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    entity_kind TEXT,
    entity_id TEXT,
    dedup_key TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    occurred_at INTEGER,
    state TEXT NOT NULL
        CHECK (state IN ('received', 'routed', 'unmatched', 'quarantined', 'duplicate', 'stale')),
    reason TEXT,
    -- 1 when routing made it its entity's last state; a replay does not.
    applied INTEGER NOT NULL DEFAULT 0 CHECK (applied IN (0, 1)),
    -- Last, so that reading the other columns never walks a long body's pages.
    body BLOB,
    UNIQUE (source, dedup_key),
    CHECK ((entity_kind IS NULL) = (entity_id IS NULL))
) STRICT;

CREATE INDEX event_received ON event (seq) WHERE state = 'received';
CREATE INDEX event_quarantined ON event (seq) WHERE state = 'quarantined';
CREATE INDEX event_of_entity ON event (entity_kind, entity_id, seq) WHERE entity_kind IS NOT NULL;
CREATE INDEX event_by_time ON event (received_at);

-- With a rowid, because documents are long: without one, each step of a search would step over them.
CREATE TABLE entity_state (
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    deleted INTEGER NOT NULL CHECK (deleted IN (0, 1)),
    created_seen INTEGER NOT NULL CHECK (created_seen IN (0, 1)),
    document TEXT NOT NULL,
    PRIMARY KEY (source, kind, id)
) STRICT;

CREATE TABLE delivery (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    event_id TEXT NOT NULL REFERENCES event (id),
    route TEXT NOT NULL,
    entry INTEGER NOT NULL,
    replay INTEGER NOT NULL,
    target TEXT NOT NULL,
    key TEXT NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('pending', 'delivering', 'delivered', 'dead', 'parked', 'cancelled')),
    -- 1 for the one delivery of its (target, key) that may be attempted: nothing older is unfinished, or it is under way.
    head INTEGER NOT NULL CHECK (head IN (0, 1)),
    due_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    next_trigger TEXT NOT NULL DEFAULT 'schedule' CHECK (next_trigger IN ('schedule', 'person')),
    parked_by TEXT,
    lease_token TEXT,
    leased_at INTEGER,
    leased_until INTEGER,
    content TEXT,
    UNIQUE (event_id, route, entry, replay),
    CHECK ((state = 'parked') = (parked_by IS NOT NULL)),
    CHECK ((state = 'delivering') = (lease_token IS NOT NULL)),
    CHECK ((lease_token IS NULL) = (leased_at IS NULL)),
    CHECK ((lease_token IS NULL) = (leased_until IS NULL)),
    CHECK (head = 0 OR state IN ('pending', 'delivering', 'parked')),
    CHECK (head = 1 OR state <> 'delivering')
) STRICT;

CREATE UNIQUE INDEX delivery_head ON delivery (target, key) WHERE head = 1;
CREATE INDEX delivery_due ON delivery (target, due_at, seq) WHERE state = 'pending' AND head = 1;
CREATE INDEX delivery_unfinished ON delivery (target, key, seq, state)
    WHERE state IN ('pending', 'delivering', 'parked');
CREATE INDEX delivery_leased ON delivery (leased_until) WHERE state = 'delivering';
CREATE INDEX delivery_dead ON delivery (seq, target) WHERE state = 'dead';

CREATE TABLE attempt (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    delivery_id TEXT NOT NULL REFERENCES delivery (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('delivered', 'transient', 'unknown', 'permanent')),
    "trigger" TEXT NOT NULL CHECK ("trigger" IN ('schedule', 'person')),
    started_at INTEGER NOT NULL,
    duration REAL NOT NULL,
    status INTEGER,
    reason TEXT,
    excerpt TEXT NOT NULL
) STRICT;

CREATE INDEX attempt_of_delivery ON attempt (delivery_id, seq);

CREATE TRIGGER attempt_is_never_rewritten BEFORE UPDATE ON attempt
BEGIN
    SELECT RAISE(ABORT, 'attempts are append-only');
END;

CREATE TRIGGER attempt_goes_with_its_delivery BEFORE DELETE ON attempt
WHEN EXISTS (SELECT 1 FROM delivery WHERE id = old.delivery_id)
BEGIN
    SELECT RAISE(ABORT, 'attempts are append-only');
END;

CREATE TABLE link (
    target TEXT NOT NULL,
    key TEXT NOT NULL,
    external_id TEXT NOT NULL,
    data TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (target, key)
) STRICT, WITHOUT ROWID;
