-- name: add_deferral
INSERT INTO deferral (delivery_id, kind, route, entry, subject, gathered_by, latest, before, vacant) VALUES {rows}

-- name: subject_of
SELECT source || char(10) || entity_kind || char(10) || entity_id FROM event WHERE id = ?

-- name: held_changes
-- Of one entry and entity there is one at most.
SELECT f.delivery_id, f.latest, CAST(f.before AS BLOB)
FROM deferral AS f
WHERE f.subject = ? AND f.route = ? AND f.entry = ? AND f.kind = 'debounce'

-- name: place_held
SELECT 1 FROM deferral WHERE route = ? AND entry = ? AND gathered_by = ? AND kind = 'digest' AND vacant

-- name: hold_alone
-- Nothing joins it any more, and nothing calls it off.
UPDATE deferral SET subject = NULL WHERE delivery_id = ?

-- name: hold_until
UPDATE delivery SET due_at = ? WHERE id = ?

-- name: deferred_of
SELECT delivery_id FROM deferral WHERE subject = ? AND route = ? AND entry = ?

-- name: called_off_by
SELECT d.id
FROM event AS e
JOIN delivery AS d ON d.event_id = e.id
WHERE
    e.source = ? AND e.entity_kind = ? AND e.entity_id = ?
    AND d.route = ? AND d.entry = ? AND d.state = 'cancelled' AND d.reason = ?
ORDER BY d.seq

-- name: end_deferred
UPDATE delivery SET state = ?2, reason = ?3 WHERE id = ?1 AND state = 'deferred'

-- name: drop_deferral
DELETE FROM deferral WHERE delivery_id = ?

-- name: next_ripe
SELECT min(due_at) FROM delivery WHERE state = 'deferred'

-- name: ripe
SELECT d.id, f.kind, f.route, f.entry, f.gathered_by
FROM delivery AS d
JOIN deferral AS f ON f.delivery_id = d.id
WHERE d.state = 'deferred' AND d.due_at <= ?
ORDER BY d.due_at, d.seq
LIMIT ?

-- name: gathered
-- Oldest first, so that a digest of more than fit one message goes on with the younger ones.
SELECT d.id, iif(f.vacant, NULL, d.event_id)
FROM deferral AS f
JOIN delivery AS d ON d.id = f.delivery_id
WHERE f.kind = 'digest' AND f.route = ? AND f.entry = ? AND f.gathered_by = ? AND d.state = 'deferred' AND d.due_at <= ?
ORDER BY d.seq
LIMIT ?

-- name: deferred_item
SELECT
    d.next_trigger, f.kind, f.gathered_by, f.latest, f.vacant, CAST(f.before AS BLOB),
    e.id, e.source, e.name, e.entity_kind, e.entity_id, e.dedup_key, e.received_at, e.occurred_at, e.state, e.reason,
    e.body
FROM delivery AS d
JOIN deferral AS f ON f.delivery_id = d.id
JOIN event AS e ON e.id = d.event_id
WHERE d.id = ?

-- name: ripen_delivery
-- It takes its place behind what is under way; ``head`` is seen to by who calls.
UPDATE delivery SET
    state = ?2, key = ?3, queue = ?4, lane = ?5, content = ?6, terms = ?7, reason = ?8, due_at = ?9, head = 0
WHERE id = ?1 AND state = 'deferred'

-- name: hold_for_window
UPDATE deferral SET kind = 'window', before = NULL WHERE delivery_id = ?

-- name: hurry_deferred
UPDATE delivery SET due_at = min(due_at, ?), next_trigger = 'person' WHERE id = ? AND state = 'deferred'
RETURNING target, queue

-- name: told_before
-- What came to nothing was not told, nor was what another entry told that stood in this place.
SELECT t.delivery_id FROM told AS t
WHERE t.route = ? AND t.entry = ? AND t.key = ? AND t.quiet_until > ? AND NOT EXISTS (
    SELECT 1 FROM delivery AS d
    WHERE d.id = t.delivery_id AND (d.state IN ('dead', 'cancelled') OR d.target <> ?)
)

-- name: put_told
INSERT INTO told (route, entry, key, delivery_id, quiet_until) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (route, entry, key) DO UPDATE SET
    delivery_id = excluded.delivery_id, quiet_until = excluded.quiet_until

-- name: forget_told
DELETE FROM told WHERE quiet_until < ?

-- name: count_deferred
SELECT target, state, count(*) FROM delivery WHERE state = 'deferred' GROUP BY target

-- name: former_turns
-- The newest turn before another, of any group and of one.
SELECT max(turn), max(turn) FILTER (WHERE gathered_by = ?3) FROM digested WHERE route = ?1 AND entry = ?2 AND turn < ?4

-- name: digested_items
SELECT
    CAST(g.before AS BLOB),
    e.id, e.source, e.name, e.entity_kind, e.entity_id, e.dedup_key, e.received_at, e.occurred_at, e.state, e.reason,
    e.body
FROM digested AS g
JOIN event AS e ON e.id = g.event_id
WHERE g.route = ? AND g.entry = ? AND g.turn = ? AND g.gathered_by = ? AND NOT g.vacant
ORDER BY g.seq

-- name: add_digested
-- Of a turn that needs several messages, what the first of them told.
INSERT OR IGNORE INTO digested (route, entry, turn, gathered_by, seq, vacant, event_id, before)
SELECT ?1, ?2, ?3, ?4, d.seq, f.vacant, d.event_id, f.before
FROM delivery AS d
JOIN deferral AS f ON f.delivery_id = d.id
WHERE d.id IN (SELECT value FROM json_each(?5))
ORDER BY d.seq
LIMIT max(0, ?6 - (SELECT count(*) FROM digested WHERE route = ?1 AND entry = ?2 AND turn = ?3 AND gathered_by = ?4))

-- name: forget_digested
-- What is older than the turn before this one.
DELETE FROM digested WHERE route = ?1 AND entry = ?2 AND turn < (
    SELECT max(turn) FROM digested WHERE route = ?1 AND entry = ?2 AND turn < ?3
)
