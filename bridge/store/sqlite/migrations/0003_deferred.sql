-- Deliveries can be deferred. What a state may be is a check of the table, which only a new table can change.

DROP TRIGGER attempt_goes_with_its_delivery;

CREATE TABLE delivery_new (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    event_id TEXT NOT NULL REFERENCES event (id),
    route TEXT NOT NULL,
    entry INTEGER NOT NULL,
    replay INTEGER NOT NULL,
    target TEXT NOT NULL,
    key TEXT NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('deferred', 'pending', 'delivering', 'delivered', 'dead', 'parked', 'cancelled')),
    -- 1 for the one delivery of its (target, queue) that may be attempted: nothing older is unfinished, or it is under way.
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
    failures INTEGER NOT NULL DEFAULT 0,
    give_up_at INTEGER,
    uncertain INTEGER NOT NULL DEFAULT 0 CHECK (uncertain IN (0, 1)),
    -- JSON of what the deliver entry asked for; null is all as usual.
    terms TEXT,
    -- What orders it: its key, or its own id.
    queue TEXT NOT NULL,
    -- Bucket and route with a line break between: claims go round the lanes, and rates are counted by the bucket.
    lane TEXT NOT NULL,
    UNIQUE (event_id, route, entry, replay),
    CHECK ((state = 'parked') = (parked_by IS NOT NULL)),
    CHECK ((state = 'delivering') = (lease_token IS NOT NULL)),
    CHECK ((lease_token IS NULL) = (leased_at IS NULL)),
    CHECK ((lease_token IS NULL) = (leased_until IS NULL)),
    CHECK (head = 0 OR state IN ('pending', 'delivering', 'parked')),
    CHECK (head = 1 OR state <> 'delivering')
) STRICT;

INSERT INTO delivery_new
SELECT
    seq, id, event_id, route, entry, replay, target, key, state, head, due_at, created_at, attempts, reason, next_trigger,
    parked_by, lease_token, leased_at, leased_until, content, failures, give_up_at, uncertain, terms, queue, lane
FROM delivery;

DROP TABLE delivery;
ALTER TABLE delivery_new RENAME TO delivery;

CREATE UNIQUE INDEX delivery_head ON delivery (target, queue) WHERE head = 1;
CREATE INDEX delivery_due ON delivery (target, lane, due_at, seq) WHERE state = 'pending' AND head = 1;
CREATE INDEX delivery_unfinished ON delivery (target, queue, seq, state)
    WHERE state IN ('pending', 'delivering', 'parked');
CREATE INDEX delivery_leased ON delivery (target, leased_until) WHERE state = 'delivering';
CREATE INDEX delivery_dead ON delivery (seq, target) WHERE state = 'dead';
CREATE INDEX delivery_failing ON delivery (target) WHERE state = 'pending' AND give_up_at IS NOT NULL;
CREATE INDEX delivery_deferred ON delivery (due_at, seq, target) WHERE state = 'deferred';

CREATE TRIGGER attempt_goes_with_its_delivery BEFORE DELETE ON attempt
WHEN EXISTS (SELECT 1 FROM delivery WHERE id = old.delivery_id)
BEGIN
    SELECT RAISE(ABORT, 'attempts are append-only');
END;

-- What a deferred delivery waits for, and what it will tell of; gone when it is deferred no more.
CREATE TABLE deferral (
    delivery_id TEXT PRIMARY KEY REFERENCES delivery (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('debounce', 'delay', 'digest', 'window')),
    route TEXT NOT NULL,
    entry INTEGER NOT NULL,
    -- Source, kind and id of the entity, with line breaks between; null where the event has none.
    subject TEXT,
    gathered_by TEXT NOT NULL,
    latest INTEGER,
    before TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX deferral_of_subject ON deferral (subject, route, entry) WHERE subject IS NOT NULL;
CREATE INDEX deferral_of_group ON deferral (route, entry, gathered_by) WHERE kind = 'digest';

-- Which (route, entry, key) has told something, and until when it tells nothing again.
CREATE TABLE told (
    route TEXT NOT NULL,
    entry INTEGER NOT NULL,
    key TEXT NOT NULL,
    delivery_id TEXT NOT NULL,
    quiet_until INTEGER NOT NULL,
    PRIMARY KEY (route, entry, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX told_until ON told (quiet_until);
