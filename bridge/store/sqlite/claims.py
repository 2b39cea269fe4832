"""Claiming: which deliveries of a target may go now, by its row, its limits, and the lanes they wait in."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import apsw

from bridge.model import Limits
from bridge.store.nouns import Claim
from bridge.store.sqlite.pace import Pace
from bridge.store.sqlite.queries import Row, change, first, rows
from bridge.store.sqlite.rows import SEPARATOR, delivery_of, json_text, moment_of

OWN = 2
"""Columns of a lease before those of the delivery."""


class Lease(NamedTuple):
    """What proves a claim, and its begin and end in microseconds since 1970."""

    token: str
    begin: int
    end: int


class Gate(NamedTuple):
    """What the row of a target says; one that has no row is open."""

    present: bool = True
    paused: bool = False
    breaker: str = "closed"
    retry_at: int | None = None
    wait_until: int = 0

    @property
    def opens_at(self) -> int | None:
        """Return the moment from which something may be claimed; None if that is not a question of time."""
        if not self.present or self.paused:
            return None
        return max(self.wait_until, self.retry_at or 0) if self.breaker == "open" else self.wait_until

    @property
    def probing(self) -> bool:
        """Tell whether one delivery alone may go, to see how the service is."""
        return self.breaker != "closed"


def claim_due(
    connection: apsw.Connection, target: str, limits: Limits, lease: Lease, after: str
) -> tuple[list[Claim], str]:
    """Lease what may go now; return it with the lane that was served last, after which the next claim begins."""
    gate = _gate(connection, target)
    if gate.opens_at is None or gate.opens_at > lease.begin:
        return [], after
    [[under_way]] = rows(connection, "under_way", target)
    free = (1 if gate.probing else limits.concurrency) - under_way
    chosen, last = _choose(connection, target, limits, lease.begin, free, after) if free > 0 else ([], after)
    if not chosen:
        return [], after
    if gate.probing:
        change(connection, "half_open_breaker", target)
    return _lease(connection, chosen, lease, probe=gate.probing), last


def next_due(connection: apsw.Connection, target: str, limits: Limits, now: int) -> int | None:
    """Return when a delivery of a target may next be claimed, in microseconds since 1970."""
    gate = _gate(connection, target)
    closed = gate.opens_at is None or gate.breaker == "half_open"  # then the outcome of the probe decides
    waiting = () if closed else _lanes(connection, target)
    pace = Pace(connection, target, limits.rate, now)
    due = [max(due, pace.opens_at(_bucket(lane)) if limits.rate else due) for lane, due in waiting]
    return max(min(due), gate.opens_at or 0) if due else None


def _gate(connection: apsw.Connection, target: str) -> Gate:
    row = first(connection, "gate", target)
    return Gate(*row) if row else Gate()


def _choose(
    connection: apsw.Connection, target: str, limits: Limits, now: int, most: int, after: str
) -> tuple[list[int], str]:
    """Go round the lanes that have something due, beginning after the one that was served last."""
    pace = Pace(connection, target, limits.rate, now)
    lanes = [lane for lane, due in _lanes(connection, target) if due <= now]
    waiting = {lane: _due(connection, target, lane, now, most) for lane in _round(lanes, after)}
    chosen: list[int] = []
    while waiting and len(chosen) < most:
        for lane in tuple(waiting)[: most - len(chosen)]:
            if waiting[lane] and pace.take(_bucket(lane)):
                chosen.append(waiting[lane].pop())
                after = lane
            else:
                del waiting[lane]
    pace.save()
    return chosen, after


def _lanes(connection: apsw.Connection, target: str) -> Iterator[tuple[str, int]]:
    """Yield the lanes in which something waits, and when its first is due; however much waits in each."""
    lane = ""
    while found := first(connection, "next_lane", target, lane):
        lane, due = found
        yield lane, due


def _due(connection: apsw.Connection, target: str, lane: str, now: int, most: int) -> list[int]:
    """Return what is due in a lane, the longest due last."""
    return [seq for [seq] in reversed(rows(connection, "due_in_lane", target, lane, now, most))]


def _round(lanes: Sequence[str], after: str) -> list[str]:
    return [lane for lane in lanes if lane > after] + [lane for lane in lanes if lane <= after]


def _bucket(lane: str) -> str:
    return lane.partition(SEPARATOR)[0]


def _lease(connection: apsw.Connection, chosen: list[int], lease: Lease, *, probe: bool) -> list[Claim]:
    leased = {row[0]: row for row in rows(connection, "lease", *lease, json_text([*chosen]))}
    return [_claim(leased[seq], lease, probe) for seq in chosen]  # RETURNING promises no order


def _claim(row: Row, lease: Lease, probe: bool) -> Claim:  # noqa: FBT001 (private)
    return Claim(delivery_of(row[OWN:]), lease.token, moment_of(lease.end), row[1], probe)
