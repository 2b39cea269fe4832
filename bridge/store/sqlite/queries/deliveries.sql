-- name: add_delivery
-- Whatever is unfinished has one head, so a new delivery is the head exactly when its key has none.
INSERT INTO delivery (
    id, event_id, route, entry, replay, target, key, state, due_at, created_at, attempts, reason, content, head
) VALUES (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
    ?8 = 'pending' AND NOT EXISTS (SELECT 1 FROM delivery WHERE target = ?6 AND key = ?7 AND head = 1)
)

-- name: claim_due
UPDATE delivery SET state = 'delivering', lease_token = ?1, leased_at = ?2, leased_until = ?3
WHERE seq IN (
    SELECT seq FROM delivery
    WHERE target = ?4 AND due_at <= ?2 AND state = 'pending' AND head = 1
    ORDER BY due_at, seq
    LIMIT ?5
)
RETURNING
    id, event_id, route, entry, replay, target, key, state, due_at, created_at, attempts, reason, content,
    next_trigger, seq

-- name: settle_delivery
UPDATE delivery SET
    state = ?1, head = ?1 = 'pending', due_at = coalesce(?2, due_at), reason = ?3, attempts = attempts + ?4,
    next_trigger = 'schedule', lease_token = NULL, leased_at = NULL, leased_until = NULL
WHERE id = ?5 AND lease_token = ?6

-- name: release_delivery
UPDATE delivery SET state = 'pending', lease_token = NULL, leased_at = NULL, leased_until = NULL
WHERE id = ? AND lease_token = ?

-- name: leased_deliveries
SELECT id, lease_token, attempts + 1, next_trigger, leased_at, leased_until
FROM delivery INDEXED BY delivery_leased
WHERE state = 'delivering' AND leased_until <= ?
ORDER BY seq

-- name: give_up_head
-- An older one has come back (only a person's retry does that): the head is its turn, unless it is under way.
UPDATE delivery SET head = 0
WHERE target = ?1 AND key = ?2 AND head = 1 AND state <> 'delivering' AND EXISTS (
    SELECT 1 FROM delivery AS older
    WHERE older.target = ?1 AND older.key = ?2 AND older.seq < delivery.seq
        AND older.state IN ('pending', 'delivering', 'parked')
)

-- name: pass_head
UPDATE delivery SET head = 1
WHERE seq = (
    SELECT seq FROM delivery
    WHERE target = ?1 AND key = ?2 AND state IN ('pending', 'delivering', 'parked')
    ORDER BY seq
    LIMIT 1
) AND NOT EXISTS (SELECT 1 FROM delivery WHERE target = ?1 AND key = ?2 AND head = 1)

-- name: next_due
SELECT min(due_at) FROM delivery WHERE target = ? AND state = 'pending' AND head = 1

-- name: retry_delivery
-- A delivery that failed to render has nothing to send: only a replay helps it.
UPDATE delivery SET state = 'pending', due_at = min(due_at, ?1), next_trigger = 'person'
WHERE id = ?2 AND state IN ('dead', 'pending') AND content IS NOT NULL
RETURNING target, key

-- name: park_targets
UPDATE delivery SET state = 'parked', parked_by = 'target_gone'
WHERE seq IN (
    SELECT seq FROM delivery
    WHERE state IN ('pending', 'delivering', 'parked') AND state = 'pending'
        AND target NOT IN (SELECT value FROM json_each(?))
    LIMIT ?
)

-- name: unpark_targets
UPDATE delivery SET state = 'pending', parked_by = NULL
WHERE seq IN (
    SELECT seq FROM delivery
    WHERE state IN ('pending', 'delivering', 'parked') AND state = 'parked' AND parked_by = 'target_gone'
        AND target IN (SELECT value FROM json_each(?))
    LIMIT ?
)

-- name: next_replay
SELECT coalesce(max(replay), 0) + 1 FROM delivery WHERE event_id = ?

-- name: is_served
SELECT 1 FROM delivery
WHERE event_id = ? AND route = ? AND entry = ? AND state IN ('pending', 'delivering', 'parked', 'delivered')
LIMIT 1

-- name: get_delivery
SELECT id, event_id, route, entry, replay, target, key, state, due_at, created_at, attempts, reason, content
FROM delivery
WHERE id = ?

-- name: list_deliveries
SELECT id, event_id, route, entry, replay, target, key, state, due_at, created_at, attempts, reason, content
FROM delivery
WHERE {conditions}
ORDER BY seq DESC
LIMIT ?

-- name: unfinished_only
seq IN (SELECT seq FROM delivery WHERE {unfinished} AND {states})

-- name: count_unfinished
SELECT target, state, count(*) FROM delivery
WHERE state IN ('pending', 'delivering', 'parked')
GROUP BY target, state

-- name: count_dead
SELECT target, state, count(*) FROM delivery WHERE state = 'dead' GROUP BY target

-- name: add_attempt
INSERT INTO attempt (id, delivery_id, number, outcome, "trigger", started_at, duration, status, reason, excerpt)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: attempts_of
SELECT id, delivery_id, number, outcome, "trigger", started_at, duration, status, reason, excerpt
FROM attempt
WHERE delivery_id = ?
ORDER BY seq

-- name: put_link
INSERT INTO link (target, key, external_id, data, updated_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (target, key) DO UPDATE SET
    external_id = excluded.external_id, data = excluded.data, updated_at = excluded.updated_at

-- name: get_link
SELECT target, key, external_id, data FROM link WHERE target = ? AND key = ?
