-- What each digest has told of, until the digest after the next: that one compares with it.
CREATE TABLE digested (
    route TEXT NOT NULL,
    entry INTEGER NOT NULL,
    -- When it was to be told by the rules, also where a person did not wait for it.
    turn INTEGER NOT NULL,
    gathered_by TEXT NOT NULL,
    -- That of its delivery.
    seq INTEGER NOT NULL,
    -- 1 for what only held the place of a digest that may have nothing to tell.
    vacant INTEGER NOT NULL CHECK (vacant IN (0, 1)),
    event_id TEXT NOT NULL REFERENCES event (id),
    before TEXT,
    PRIMARY KEY (route, entry, turn, gathered_by, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX digested_event ON digested (event_id);

ALTER TABLE deferral ADD COLUMN vacant INTEGER NOT NULL DEFAULT 0 CHECK (vacant IN (0, 1));
