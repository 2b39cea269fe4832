-- 1 where the document was found by the API of the source and not told by a webhook, which may still come.
ALTER TABLE entity_state ADD COLUMN found INTEGER NOT NULL DEFAULT 0 CHECK (found IN (0, 1));
