-- name: add_event
INSERT INTO event (
    id, source, name, entity_kind, entity_id, dedup_key, received_at, occurred_at, state, reason, body
) VALUES {rows}
ON CONFLICT (source, dedup_key) DO NOTHING

-- name: find_event
SELECT id, seq FROM event WHERE source = ? AND dedup_key = ?

-- name: received_events
SELECT
    e.id, e.source, e.name, e.entity_kind, e.entity_id, e.dedup_key, e.received_at, e.occurred_at, e.state, e.reason,
    e.body,
    s.source, s.kind, s.id, s.version, s.event_id, s.deleted, s.created_seen, s.document
FROM event AS e
LEFT JOIN entity_state AS s ON s.source = e.source AND s.kind = e.entity_kind AND s.id = e.entity_id
WHERE e.state = 'received'
ORDER BY e.seq
LIMIT ?

-- name: decide_event
UPDATE event SET state = ?, reason = ?, applied = ? WHERE id = ? AND state = 'received'

-- name: decide_quarantined
UPDATE event SET
    state = ?, reason = ?, applied = ?,
    name = coalesce(?, name), entity_kind = coalesce(?, entity_kind), entity_id = coalesce(?, entity_id),
    occurred_at = coalesce(?, occurred_at)
WHERE id = ? AND state = 'quarantined'

-- name: decide_event_anew
-- What was decided once does not become quarantine: that is the state of what was never decided.
UPDATE event SET state = ?1, reason = ?2
WHERE id = ?3 AND state NOT IN ('received', 'quarantined') AND ?1 <> 'quarantined'

-- name: advance_entity
INSERT INTO entity_state (source, kind, id, version, event_id, deleted, created_seen, document)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (source, kind, id) DO UPDATE SET
    version = excluded.version,
    event_id = excluded.event_id,
    deleted = excluded.deleted,
    created_seen = excluded.created_seen,
    document = excluded.document
WHERE excluded.version >= entity_state.version

-- name: get_entity_state
SELECT source, kind, id, version, event_id, deleted, created_seen, document
FROM entity_state
WHERE source = ? AND kind = ? AND id = ?

-- name: get_event
SELECT id, source, name, entity_kind, entity_id, dedup_key, received_at, occurred_at, state, reason, body
FROM event
WHERE id = ?

-- name: preceding_event
SELECT id, source, name, entity_kind, entity_id, dedup_key, received_at, occurred_at, state, reason, body
FROM event
WHERE entity_kind = ? AND entity_id = ? AND source = ? AND applied = 1 AND seq < (SELECT seq FROM event WHERE id = ?)
ORDER BY seq DESC
LIMIT 1

-- name: list_events
SELECT id, source, name, entity_kind, entity_id, dedup_key, received_at, occurred_at, state, reason, body
FROM event
WHERE {conditions}
ORDER BY seq DESC
LIMIT ?

-- name: count_received
SELECT count(*), min(received_at) FROM event WHERE state = 'received'
