"""How attempts end: what was tried, what became of the delivery, and what it taught about the target."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import apsw

from bridge.model import Attempt, Delivery, DeliveryState, Link, Outcome, new_id
from bridge.store.nouns import Claim, Recorded, Settlement
from bridge.store.sqlite import targets
from bridge.store.sqlite.deliveries import get_delivery
from bridge.store.sqlite.heads import make_way, pass_head, place_of
from bridge.store.sqlite.queries import Row, change, change_each, rows
from bridge.store.sqlite.rows import attempt_row, link_row, microseconds, moment_of

NO_OUTCOME = "no outcome was recorded: bridge was killed in the middle of it, or could not record it in time"
WAITING = frozenset({DeliveryState.PENDING, DeliveryState.PARKED})


class Record(NamedTuple):
    """What is to be recorded of a claim, and when, in microseconds since 1970."""

    claim: Claim
    attempt: Attempt | None
    settlement: Settlement
    links: Sequence[Link]
    now: int


def record_attempt(connection: apsw.Connection, record: Record) -> Recorded:
    """Write an attempt with all that it brings; nothing when the token no longer holds the delivery."""
    if not _settle(connection, [record]):
        return Recorded(held=False)
    [recorded] = _conclude(connection, [record])
    return recorded


def record_attempts(connection: apsw.Connection, records: Sequence[Record]) -> list[Recorded]:
    """Write several attempts, all or none.

    Raises:
        LookupError: some token no longer holds its delivery, or two are of one delivery, and only the first can count.
    """
    recorded: list[Recorded] = []
    with connection:
        if _settle(connection, records) < len(records):
            raise LookupError("not all of them are held")
        recorded += _conclude(connection, records)
    return recorded


def rescue_leased(connection: apsw.Connection, expired_by: int, held: Collection[str], now: int) -> list[Delivery]:
    """Return to pending what is leased until then or less; its attempt counts, with the outcome unknown."""
    expired = rows(connection, "leased_deliveries", expired_by)
    return [_rescue(connection, row, now) for row in expired if row[1] not in held]


def _settle(connection: apsw.Connection, records: Sequence[Record]) -> int:
    """Settle those deliveries that their tokens hold still; return how many."""
    return change_each(connection, "settle_delivery", list(map(_settled_row, records)))


def _conclude(connection: apsw.Connection, records: Sequence[Record]) -> list[Recorded]:
    """Write what follows from deliveries that are settled."""
    _note(connection, records)
    _see_to_heads(connection, records)
    return [_taught(connection, record) for record in records]


def _note(connection: apsw.Connection, records: Sequence[Record]) -> None:
    attempts = [attempt_row(record.attempt) for record in records if record.attempt]
    change_each(connection, "add_attempt", attempts)
    for record in records:
        for link in record.links:
            change(connection, "put_link", *link_row(link, record.now))


def _see_to_heads(connection: apsw.Connection, records: Sequence[Record]) -> None:
    waiting = [record for record in records if record.settlement.state in WAITING]
    finished = [place_of(record.claim.delivery) for record in records if record.settlement.state not in WAITING]
    for record in waiting:
        make_way(connection, place_of(record.claim.delivery), record.now)
    if finished:
        pass_head(connection, finished, max(record.now for record in records))


def _taught(connection: apsw.Connection, record: Record) -> Recorded:
    lesson, claim = record.settlement.target, record.claim
    if lesson is None:
        return Recorded(held=True)
    changed = targets.teach(connection, claim.delivery.target, lesson, record.now, probe=claim.probe)
    return Recorded(held=True, target_changed=changed)


def _settled_row(record: Record) -> Row:
    return _settled(record.claim.delivery.id, record.claim.token, record.settlement, record.attempt)


def _settled(id_: str, token: str, settlement: Settlement, attempt: Attempt | None) -> Row:
    """Return a settlement in the order of ``settle_delivery``."""
    return (
        id_,
        token,
        settlement.state.value,
        microseconds(settlement.due_at) if settlement.due_at else None,
        settlement.reason,
        attempt is not None,
        settlement.failure,
        microseconds(settlement.give_up_at) if settlement.give_up_at else None,
        attempt is not None and attempt.outcome is Outcome.UNKNOWN,
    )


def _rescue(connection: apsw.Connection, leased: Row, now: int) -> Delivery:
    id_, token, number, trigger, begin, end = leased
    longest = (min(end, now) - begin) / 1e6  # when it ended, nobody knows
    attempt = Attempt(
        new_id("att"), id_, number, Outcome.UNKNOWN, trigger, moment_of(begin), longest, reason=NO_OUTCOME
    )
    settlement = Settlement(DeliveryState.PENDING, reason=NO_OUTCOME, failure=True)
    change_each(connection, "settle_delivery", [_settled(id_, token, settlement, attempt)])
    change_each(connection, "add_attempt", [attempt_row(attempt)])
    delivery = get_delivery(connection, id_)
    make_way(connection, place_of(delivery), now)
    return delivery
