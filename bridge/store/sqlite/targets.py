"""What the writer does with the rows of targets: whether they may be sent to, and since when they may not."""

from collections.abc import Sequence
from typing import Literal

import apsw

from bridge.store.nouns import TargetChange
from bridge.store.sqlite.queries import change, first, rows

MICROSECONDS = 1_000_000


def adopt(connection: apsw.Connection, names: Sequence[str], now: int) -> tuple[list[str], list[str]]:
    """Take these targets for those of the rules; return those that are gone by it and have work, and those back."""
    working = {name for [name] in rows(connection, "targets_with_work")}
    known = {name for name, *_ in rows(connection, "list_targets")}
    for name in {*names, *working} - known:
        change(connection, "put_target", name)
    gone = [name for name in sorted(known | working) if name not in names and _presence(connection, name, now, 0)]
    back = [name for name in names if _presence(connection, name, now, 1)]
    return [name for name in gone if name in working], back


def pause(
    connection: apsw.Connection, target: str, reason: str | None, by: Literal["person", "bridge"], now: int
) -> bool:
    """Pause a target; return False if it was."""
    change(connection, "put_target", target)
    return _changed(connection, target, now, change(connection, "pause_target", by, now, reason, target))


def resume(connection: apsw.Connection, target: str, now: int) -> bool:
    """Let a target go; return False if nothing held or delayed it."""
    return _changed(connection, target, now, change(connection, "resume_target", target, now))


def teach(connection: apsw.Connection, target: str, lesson: TargetChange, now: int, *, probe: bool) -> bool:
    """Apply what an attempt taught; return whether anything changed."""
    change(connection, "put_target", target)
    match lesson.kind:
        case "pause":
            return pause(connection, target, lesson.reason, "bridge", now)
        case "wait":
            return _wait(connection, target, now + round(lesson.seconds * MICROSECONDS), now)
        case "open":
            spans = round(lesson.seconds * MICROSECONDS), round(lesson.most * MICROSECONDS)
            opened = change(connection, "open_breaker", now, lesson.reason, *spans, target, probe)
            return _changed(connection, target, now, opened)
        case "close":
            return _changed(connection, target, now, change(connection, "close_breaker", target))


def _wait(connection: apsw.Connection, target: str, until: int, now: int) -> bool:
    """Make a target wait, and retry schedules with it."""
    row = first(connection, "gate", target)
    before = row[-1] if row else 0
    changed = change(connection, "make_wait", until, target)
    if changed:
        change(connection, "be_patient", until - max(now, before), target)
    return bool(changed)


def _presence(connection: apsw.Connection, name: str, now: int, present: int) -> bool:
    return _changed(connection, name, now, change(connection, "change_presence", present, name))


def _changed(connection: apsw.Connection, target: str, now: int, rows_changed: int) -> bool:
    """Note since when a target is held, or give retry schedules the time back in which it was."""
    if rows_changed:
        change(connection, "note_held", now, target)
        if row := first(connection, "held_since", target):
            change(connection, "be_patient", now - row[0], target)
            change(connection, "held_no_more", target)
    return bool(rows_changed)
