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
    s.source, s.kind, s.id, s.version, s.event_id, s.deleted, s.created_seen, s.found, CAST(s.document AS BLOB)
FROM event AS e
LEFT JOIN entity_state AS s ON s.source = e.source AND s.kind = e.entity_kind AND s.id = e.entity_id
WHERE e.state = 'received'
ORDER BY e.seq
LIMIT ?

-- name: decide_event
WITH decided (id, state, reason, applied) AS (VALUES {rows})
UPDATE event SET state = decided.state, reason = decided.reason, applied = decided.applied
FROM decided
WHERE event.id = decided.id AND event.state = 'received'

-- name: decide_event_anew
UPDATE event SET state = ?, reason = ?, applied = max(applied, ?) WHERE id = ? AND state <> 'received'

-- name: advance_entity
INSERT INTO entity_state (source, kind, id, version, event_id, deleted, created_seen, found, document)
VALUES {rows}
ON CONFLICT (source, kind, id) DO UPDATE SET
    version = excluded.version,
    event_id = excluded.event_id,
    deleted = excluded.deleted,
    created_seen = excluded.created_seen,
    found = excluded.found,
    document = excluded.document
WHERE excluded.version >= entity_state.version

-- name: get_entity_state
SELECT source, kind, id, version, event_id, deleted, created_seen, found, CAST(document AS BLOB)
FROM entity_state
WHERE source = ? AND kind = ? AND id = ?

-- name: living_entities
SELECT id FROM entity_state WHERE source = ? AND kind = ? AND NOT deleted

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
ORDER BY seq {order}
LIMIT ?

-- name: count_by_hour
SELECT received_at / 3600000000 AS hour, count(*) FROM event WHERE source = ? AND received_at >= ? GROUP BY hour

-- name: count_received
SELECT count(*), min(received_at) FROM event WHERE state = 'received'

-- name: count_pages
SELECT page_count, freelist_count, page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size
