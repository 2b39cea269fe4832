-- name: places_with_head
WITH place (target, queue) AS (VALUES {rows})
SELECT target, queue FROM place
WHERE EXISTS (SELECT 1 FROM delivery WHERE target = place.target AND queue = place.queue AND head = 1)

-- name: add_delivery
INSERT INTO delivery (
    id, event_id, route, entry, replay, target, key, state, due_at, created_at, attempts, reason, content, terms, queue,
    lane, head
) VALUES {rows}

-- name: supersede
UPDATE delivery SET state = 'cancelled', head = 0, reason = ?1
WHERE target = ?2 AND queue = ?3 AND route = ?4 AND entry = ?5
    AND state IN ('pending', 'delivering', 'parked') AND state = 'pending'

-- name: under_way
SELECT count(*) FROM delivery WHERE target = ? AND state = 'delivering'

-- name: next_lane
SELECT lane, due_at FROM delivery
WHERE target = ? AND lane > ? AND state = 'pending' AND head = 1
ORDER BY lane, due_at
LIMIT 1

-- name: due_in_lane
SELECT seq FROM delivery
WHERE target = ? AND lane = ? AND due_at <= ? AND state = 'pending' AND head = 1
ORDER BY due_at, seq
LIMIT ?

-- name: lease
UPDATE delivery SET state = 'delivering', lease_token = ?1, leased_at = ?2, leased_until = ?3
WHERE seq IN (SELECT value FROM json_each(?4))
RETURNING
    seq, next_trigger,
    id, event_id, route, entry, replay, target, key, state, due_at, created_at, attempts, failures, give_up_at,
    uncertain, reason, terms, lane, CAST(content AS BLOB)

-- name: settle_delivery
-- Waiting, it stays the head of its queue, and so it does when it waits for a person.
WITH settled (id, token, state, due_at, reason, attempts, failures, give_up_at, uncertain) AS (VALUES {rows})
UPDATE delivery SET
    state = settled.state, head = settled.state IN ('pending', 'parked'),
    parked_by = CASE settled.state WHEN 'parked' THEN 'unknown' END,
    due_at = coalesce(settled.due_at, delivery.due_at), reason = settled.reason,
    attempts = delivery.attempts + settled.attempts, failures = delivery.failures + settled.failures,
    give_up_at = coalesce(settled.give_up_at, delivery.give_up_at),
    uncertain = max(delivery.uncertain, settled.uncertain),
    next_trigger = 'schedule', lease_token = NULL, leased_at = NULL, leased_until = NULL
FROM settled
WHERE delivery.id = settled.id AND delivery.lease_token = settled.token

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
WHERE target = ?1 AND queue = ?2 AND head = 1 AND state <> 'delivering' AND EXISTS (
    SELECT 1 FROM delivery AS older
    WHERE older.target = ?1 AND older.queue = ?2 AND older.seq < delivery.seq
        AND older.state IN ('pending', 'delivering', 'parked')
)

-- name: pass_head
-- Its turn comes behind what waits already: a long queue does not go before the others of its lane.
WITH place (target, queue, now) AS (VALUES {rows})
UPDATE delivery SET head = 1, due_at = max(delivery.due_at, next.now)
FROM (
    SELECT now, (
        SELECT seq FROM delivery
        WHERE target = place.target AND queue = place.queue AND state IN ('pending', 'delivering', 'parked')
        ORDER BY seq
        LIMIT 1
    ) AS seq
    FROM place
    WHERE NOT EXISTS (SELECT 1 FROM delivery WHERE target = place.target AND queue = place.queue AND head = 1)
) AS next
WHERE delivery.seq = next.seq

-- name: retry_delivery
-- A delivery that failed to render has nothing to send: only a replay helps it.
UPDATE delivery SET
    state = 'pending', parked_by = NULL, due_at = CASE WHEN ?2 THEN ?1 ELSE min(due_at, ?1) END,
    next_trigger = 'person', failures = 0, give_up_at = NULL
WHERE id = ?3 AND state IN ('dead', 'pending', 'parked') AND content IS NOT NULL
RETURNING target, queue

-- name: discard_delivery
UPDATE delivery SET state = 'cancelled', head = 0, parked_by = NULL, reason = ?1
WHERE id = ?2 AND state IN ('dead', 'deferred', 'pending', 'parked')
RETURNING target, queue

-- name: be_patient
-- Time in which nothing could be sent is no time that was tried.
UPDATE delivery SET give_up_at = give_up_at + ?1
WHERE target = ?2 AND state = 'pending' AND give_up_at IS NOT NULL

-- name: next_replay
SELECT coalesce(max(replay), 0) + 1 FROM delivery WHERE event_id = ?

-- name: is_served
-- What a delivery of another event has superseded, or tells along, is as good as delivered: that one is newer, and must
-- not be undone.
SELECT 1 FROM delivery AS d
WHERE event_id = ? AND route = ? AND entry = ? AND (
    state IN ('deferred', 'pending', 'delivering', 'parked', 'delivered') OR state = 'cancelled' AND EXISTS (
        SELECT 1 FROM delivery AS newer
        WHERE d.reason IN ('superseded by ' || newer.id, 'told with ' || newer.id)
            AND newer.id = substr(d.reason, instr(d.reason, ' dlv_') + 1)
            AND newer.event_id <> d.event_id
    )
)
LIMIT 1

-- name: is_decided
SELECT 1 FROM event WHERE id = ? AND state <> 'received'

-- name: get_delivery
-- What waits for a target that is held is parked, for as long as that holds.
SELECT
    d.id, d.event_id, d.route, d.entry, d.replay, d.target, d.key,
    CASE WHEN d.state = 'pending' AND t.held THEN 'parked' ELSE d.state END,
    d.due_at, d.created_at, d.attempts, d.failures, d.give_up_at, d.uncertain,
    CASE WHEN d.state = 'pending' AND t.held THEN
        CASE
            WHEN NOT t.present THEN 'the target is not in the rules any more'
            WHEN t.paused_by IS NOT NULL THEN 'the target is paused: ' || t.paused_reason
            ELSE 'the circuit breaker of the target is open: ' || t.opened_reason
        END
    ELSE d.reason END,
    d.terms, d.lane, CAST(d.content AS BLOB)
FROM delivery AS d
LEFT JOIN target AS t ON t.name = d.target
WHERE {conditions}

-- name: unfinished_only
d.seq IN (SELECT seq FROM delivery WHERE {unfinished} AND {states})

-- name: count_unfinished
SELECT d.target, CASE WHEN d.state = 'pending' AND t.held THEN 'parked' ELSE d.state END AS seen, sum(d.number)
FROM (
    SELECT target, state, count(*) AS number FROM delivery
    WHERE state IN ('pending', 'delivering', 'parked')
    GROUP BY target, state
) AS d
LEFT JOIN target AS t ON t.name = d.target
GROUP BY d.target, seen

-- name: count_dead
SELECT target, state, count(*) FROM delivery WHERE state = 'dead' GROUP BY target

-- name: add_attempt
INSERT INTO attempt (id, delivery_id, number, outcome, "trigger", started_at, duration, status, reason, excerpt)
VALUES {rows}

-- name: attempts_of
SELECT id, delivery_id, number, outcome, "trigger", started_at, duration, status, reason, excerpt
FROM attempt
WHERE delivery_id = ?
ORDER BY seq

-- name: put_link
INSERT INTO link (target, key, external_id, data, updated_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (target, key) DO UPDATE SET
    external_id = excluded.external_id, data = excluded.data, updated_at = excluded.updated_at

-- name: links_not_over
SELECT target, key, external_id, data
FROM (
    SELECT target, key, external_id, data
    FROM link
    WHERE target = ? AND data ->> '$.over' >= ?
    ORDER BY data ->> '$.over' DESC
    LIMIT ?
)
ORDER BY key

-- name: get_link
SELECT target, key, external_id, data FROM link WHERE target = ? AND key = ?
