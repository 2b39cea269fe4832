"""Retention, a small step at a time: readers find what may go, the writer looks again and lets it go.

Of each entity its last event stays, whatever its age, since the next one will be compared with it; and so does any
event with which one was compared whose body is still there. So an explanation is right, or is refused.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import apsw

from bridge.store.nouns import Mark, Pruned
from bridge.store.sqlite.queries import SQL, Row, change
from bridge.store.sqlite.rows import json_text

STEP: Final = 128
"""Events that one step looks at, and drops at most."""
PAGES: Final = 256
"""Pages that one step gives back to the disk: a mebibyte."""
SLACK: Final = 8
"""One free page in so many is kept for what comes next."""
IDLE: Final = 3600 * 1_000_000
"""Microseconds after which an idle bucket is forgotten; before that, the clock may have been set back."""
FORMER: Final = 400 * 24 * IDLE
"""Microseconds for which is kept what a digest has told, if none follows: those of a year are compared at most."""
BODIES, EVENTS, SPACE = 0, 1, 2
"""The parts of a pass, in order."""
BEGIN: Final[Mark] = (BODIES, 0, 0)

_RECENT = SQL["recent_delivery"]


def _explains(still: str) -> str:
    return SQL["explains"].format(still=still)


def _wanted(event: str) -> str:
    return SQL["body_wanted"].format(event=event, recent=_RECENT)


_MAY_GO = {
    BODIES: SQL["body_may_go"].format(wanted=_wanted("e"), explains=_explains(_wanted("x"))),
    EVENTS: SQL["event_may_go"].format(recent=_RECENT, explains=_explains("TRUE")),
}
LOOKS: Final = {
    BODIES: SQL["bodies_after"].format(may_go=_MAY_GO[BODIES]),
    EVENTS: SQL["events_after"].format(may_go=_MAY_GO[EVENTS]),
}
"""What finds the next events of a part, and tells of each whether it may go."""
DROP_BODIES: Final = SQL["drop_bodies"].format(may_go=_MAY_GO[BODIES])
STILL_MAY_GO: Final = SQL["still_may_go"].format(may_go=_MAY_GO[EVENTS])


class Bounds(NamedTuple):
    """Before which moments bodies and events may go, in microseconds since 1970."""

    bodies: int
    events: int


class Look(NamedTuple):
    """What a step has found: the events that may go, and where the next step goes on."""

    part: int
    found: Sequence[int]
    next: Mark


def look(connection: apsw.Connection, bounds: Bounds, mark: Mark) -> Look:
    """Look at the next few events of a pass, oldest first; the last part has none."""
    part, received_at, seq = mark
    if part == SPACE:
        return Look(part, (), mark)
    seen: list[Row] = connection.execute(LOOKS[part], (*bounds, received_at, seq, STEP)).fetchall()
    found = [seq for _, seq, may_go in seen if may_go]
    return Look(part, found, (part, *seen[-1][:2]) if len(seen) == STEP else (part + 1, 0, 0))


def drop(connection: apsw.Connection, bounds: Bounds, looked: Look) -> Pruned:
    """Drop what was found, unless it has come to be needed since."""
    chosen = json_text([*looked.found])
    if looked.part == BODIES:
        connection.execute(DROP_BODIES, (*bounds, chosen))
        return Pruned(bodies=connection.changes(), next=looked.next)
    still = [seq for (seq,) in connection.execute(STILL_MAY_GO, (*bounds, chosen)).fetchall()]
    chosen = json_text([*still])
    deliveries = change(connection, "drop_deliveries", chosen)
    return Pruned(events=change(connection, "drop_events", chosen), deliveries=deliveries, next=looked.next)


def tidy(connection: apsw.Connection, now: int) -> Pruned:
    """Forget idle buckets, old digests, what may be told again; and give back free pages if there are many."""
    change(connection, "forget_pace", now - IDLE)
    change(connection, "forget_told", now - IDLE)
    change(connection, "forget_old_digests", now - FORMER)
    free, pages = _pages(connection)
    if free <= max(PAGES, pages // SLACK):
        return Pruned()
    connection.execute(f"PRAGMA incremental_vacuum({PAGES})").fetchall()
    left, _ = _pages(connection)
    return Pruned(pages=free - left, next=(SPACE, 0, 0) if left < free else None)


def _pages(connection: apsw.Connection) -> tuple[int, int]:
    return connection.pragma("freelist_count"), connection.pragma("page_count")
