-- name: recent_delivery
-- ?2 is the moment before which finished things may go: planned since, or tried since.
(d.created_at >= ?2 OR EXISTS (SELECT 1 FROM attempt AS a WHERE a.delivery_id = d.id AND a.started_at >= ?2))

-- name: body_wanted
-- Whether the body of an event is wanted for its own sake; ?1 is the moment before which bodies may go.
({event}.state = 'received' OR {event}.received_at >= ?1 OR EXISTS (
    SELECT 1 FROM delivery AS d
    WHERE d.event_id = {event}.id
        AND (d.state IN ('deferred', 'pending', 'delivering', 'parked') OR d.state = 'dead' AND {recent})
) OR EXISTS (SELECT 1 FROM digested AS g WHERE g.event_id = {event}.id))

-- name: explains
-- Whether a later one with a body was compared with the event (none is with one that had no entity); the newest is what the next will be compared with.
(e.applied = 1 AND e.entity_kind IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM (
        SELECT n.seq AS seq FROM event AS n
        WHERE n.entity_kind = e.entity_kind AND n.entity_id = e.entity_id AND n.source = e.source
            AND n.applied = 1 AND n.seq > e.seq
        ORDER BY n.seq
        LIMIT 1
    ) AS following
    WHERE NOT EXISTS (
        SELECT 1 FROM event AS x
        WHERE x.entity_kind = e.entity_kind AND x.entity_id = e.entity_id AND x.source = e.source
            AND x.seq > e.seq AND x.seq <= following.seq AND x.body IS NOT NULL AND {still}
    )
))

-- name: body_may_go
e.body IS NOT NULL AND e.state IN ('routed', 'unmatched', 'duplicate', 'stale') AND NOT {wanted} AND NOT {explains}

-- name: event_may_go
e.received_at < ?2 AND e.state <> 'received' AND NOT EXISTS (
    SELECT 1 FROM delivery AS d
    WHERE d.event_id = e.id AND (d.state IN ('deferred', 'pending', 'delivering', 'parked') OR {recent})
) AND NOT EXISTS (SELECT 1 FROM digested AS g WHERE g.event_id = e.id) AND NOT {explains}

-- name: bodies_after
-- In the order of arrival, which needs no index: one would cost each webhook more than a pass costs in all.
SELECT e.received_at, e.seq, {may_go} FROM (
    SELECT seq, id, source, entity_kind, entity_id, received_at, state, applied, TRUE AS body
    FROM event
    WHERE seq > ?4 AND ?3 IS NOT NULL AND body IS NOT NULL
    ORDER BY seq
    LIMIT ?5
) AS e
WHERE e.received_at < ?1

-- name: events_after
SELECT e.received_at, e.seq, {may_go} FROM event AS e INDEXED BY event_by_time
WHERE (e.received_at, e.seq) > (?3, ?4) AND e.received_at < ?2
ORDER BY e.received_at, e.seq
LIMIT ?5

-- name: drop_bodies
UPDATE event AS e SET body = NULL WHERE e.seq IN (SELECT value FROM json_each(?3)) AND {may_go}

-- name: still_may_go
SELECT e.seq FROM event AS e WHERE e.seq IN (SELECT value FROM json_each(?3)) AND {may_go}

-- name: forget_old_digests
DELETE FROM digested WHERE turn < ?

-- name: drop_deliveries
-- Their attempts go with them.
DELETE FROM delivery WHERE event_id IN (SELECT id FROM event WHERE seq IN (SELECT value FROM json_each(?)))

-- name: drop_events
DELETE FROM event WHERE seq IN (SELECT value FROM json_each(?))
