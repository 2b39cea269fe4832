-- name: gate
SELECT present, paused_by IS NOT NULL, breaker, retry_at, wait_until FROM target WHERE name = ?

-- name: put_target
INSERT INTO target (name) VALUES (?) ON CONFLICT (name) DO NOTHING

-- name: targets_with_work
-- From one target to the next through the index, however many deliveries wait for each.
WITH RECURSIVE found (name) AS (
    SELECT min(target) FROM delivery WHERE state IN ('pending', 'delivering', 'parked')
    UNION ALL
    SELECT (SELECT min(target) FROM delivery WHERE state IN ('pending', 'delivering', 'parked') AND target > found.name)
    FROM found
    WHERE found.name IS NOT NULL
)
SELECT name FROM found WHERE name IS NOT NULL

-- name: change_presence
UPDATE target SET present = ?1 WHERE name = ?2 AND present <> ?1

-- name: pause_target
UPDATE target SET paused_by = ?1, paused_at = ?2, paused_reason = ?3 WHERE name = ?4 AND paused_by IS NULL

-- name: resume_target
UPDATE target SET
    paused_by = NULL, paused_at = NULL, paused_reason = NULL, wait_until = 0,
    breaker = 'closed', opened_at = NULL, opened_reason = NULL, opened_count = 0, retry_at = NULL
WHERE name = ?1 AND (paused_by IS NOT NULL OR breaker <> 'closed' OR wait_until > ?2)

-- name: open_breaker
-- Twice as long each time in a row. Only its probe may open a breaker that is half open.
UPDATE target SET
    breaker = 'open', opened_at = coalesce(opened_at, ?1), opened_reason = ?2, opened_count = opened_count + 1,
    retry_at = ?1 + min(?4, ?3 << min(opened_count, 20))
WHERE name = ?5 AND breaker = CASE WHEN ?6 THEN 'half_open' ELSE 'closed' END

-- name: half_open_breaker
UPDATE target SET breaker = 'half_open' WHERE name = ? AND breaker = 'open'

-- name: close_breaker
UPDATE target SET
    breaker = 'closed', opened_at = NULL, opened_reason = NULL, opened_count = 0, retry_at = NULL
WHERE name = ? AND breaker <> 'closed'

-- name: make_wait
UPDATE target SET wait_until = ?1 WHERE name = ?2 AND wait_until < ?1

-- name: note_held
UPDATE target SET held_since = ?1 WHERE name = ?2 AND held AND held_since IS NULL

-- name: held_no_more
UPDATE target SET held_since = NULL WHERE name = ?1 AND NOT held AND held_since IS NOT NULL

-- name: held_since
SELECT held_since FROM target WHERE name = ?1 AND NOT held AND held_since IS NOT NULL

-- name: list_targets
SELECT
    name, present, paused_by, breaker, coalesce(paused_reason, opened_reason),
    coalesce(paused_at, opened_at, held_since), retry_at, wait_until
FROM target
ORDER BY name

-- name: get_pace
SELECT arrival FROM pace WHERE target = ? AND bucket = ?

-- name: put_pace
INSERT INTO pace (target, bucket, arrival) VALUES (?, ?, ?)
ON CONFLICT (target, bucket) DO UPDATE SET arrival = excluded.arrival

-- name: forget_pace
DELETE FROM pace WHERE arrival < ?
