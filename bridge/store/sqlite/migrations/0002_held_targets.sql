-- What decides whether a target may be claimed becomes a row of its own, which the claim reads; what waits for a held
-- target is parked by that row alone, and not one by one. Deliveries learn what orders them, which lane they wait in,
-- and how their retry schedule stands.

ALTER TABLE delivery ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN give_up_at INTEGER;
ALTER TABLE delivery ADD COLUMN uncertain INTEGER NOT NULL DEFAULT 0 CHECK (uncertain IN (0, 1));
-- JSON of what the deliver entry asked for; null is all as usual.
ALTER TABLE delivery ADD COLUMN terms TEXT;
-- What orders it: its key, or its own id.
ALTER TABLE delivery ADD COLUMN queue TEXT NOT NULL DEFAULT '';
-- Bucket and route with a line break between: claims go round the lanes, and rates are counted by the bucket.
ALTER TABLE delivery ADD COLUMN lane TEXT NOT NULL DEFAULT '';

DROP INDEX delivery_head;
DROP INDEX delivery_due;
DROP INDEX delivery_unfinished;
DROP INDEX delivery_leased;

UPDATE delivery SET state = 'pending', parked_by = NULL WHERE parked_by = 'target_gone';
UPDATE delivery SET failures = attempts, queue = key, lane = char(10) || route;

CREATE UNIQUE INDEX delivery_head ON delivery (target, queue) WHERE head = 1;
CREATE INDEX delivery_due ON delivery (target, lane, due_at, seq) WHERE state = 'pending' AND head = 1;
CREATE INDEX delivery_unfinished ON delivery (target, queue, seq, state)
    WHERE state IN ('pending', 'delivering', 'parked');
CREATE INDEX delivery_leased ON delivery (target, leased_until) WHERE state = 'delivering';
CREATE INDEX delivery_failing ON delivery (target) WHERE state = 'pending' AND give_up_at IS NOT NULL;

CREATE TABLE target (
    name TEXT PRIMARY KEY,
    present INTEGER NOT NULL DEFAULT 1 CHECK (present IN (0, 1)),
    paused_by TEXT CHECK (paused_by IN ('person', 'bridge')),
    paused_at INTEGER,
    paused_reason TEXT,
    breaker TEXT NOT NULL DEFAULT 'closed' CHECK (breaker IN ('closed', 'open', 'half_open')),
    opened_at INTEGER,
    opened_reason TEXT,
    -- How often it opened without closing in between: each time it stays open longer.
    opened_count INTEGER NOT NULL DEFAULT 0,
    retry_at INTEGER,
    wait_until INTEGER NOT NULL DEFAULT 0,
    -- Since when it is held without a break, so that retry schedules are not spent on waiting.
    held_since INTEGER,
    held INTEGER GENERATED ALWAYS AS (present = 0 OR paused_by IS NOT NULL OR breaker <> 'closed') VIRTUAL,
    CHECK ((paused_by IS NULL) = (paused_at IS NULL)),
    CHECK ((breaker = 'closed') = (retry_at IS NULL))
) STRICT, WITHOUT ROWID;

-- Per bucket of a target the theoretical arrival time of the generic cell rate algorithm.
CREATE TABLE pace (
    target TEXT NOT NULL,
    bucket TEXT NOT NULL,
    arrival INTEGER NOT NULL,
    PRIMARY KEY (target, bucket)
) STRICT, WITHOUT ROWID;
