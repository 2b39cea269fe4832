"""What the writer does with deliveries, attempts and links.

Whoever changes a delivery's state sees to the head of its (target, queue) in the same transaction: who is finished
passes it on, who waits again makes way for an older one.
"""

from collections.abc import Callable, Collection, Sequence
from typing import TypeAlias

import apsw

from bridge.model import Attempt, Delivery, DeliveryState, Link, Outcome, new_id
from bridge.store.base import Claim, Recorded, Settlement, Spread
from bridge.store.sqlite import targets
from bridge.store.sqlite.queries import SQL, Row, change, rows
from bridge.store.sqlite.rows import attempt_row, delivery_of, delivery_row, link_row, microseconds, moment_of

NO_OUTCOME = "no outcome was recorded: the worker was killed, or its lease ran out"

Place: TypeAlias = tuple[str, str]
"""Target and queue: what has one head."""


def add_deliveries(connection: apsw.Connection, planned: Sequence[Delivery], now: int) -> None:
    """Insert deliveries; first let those make way that they supersede."""
    for delivery in planned:
        if delivery.terms.supersedes and delivery.state is DeliveryState.PENDING:
            _supersede(connection, delivery, now)
    connection.executemany(SQL["add_delivery"], map(delivery_row, planned))


def record_attempt(
    connection: apsw.Connection,
    claim: Claim,
    attempt: Attempt | None,
    settlement: Settlement,
    links: Sequence[Link],
    now: int,
) -> Recorded:
    """Write an attempt with all that it brings; nothing when the token no longer holds the delivery."""
    delivery = claim.delivery
    if not _settle(connection, delivery.id, claim.token, settlement, attempt):
        return Recorded(held=False)
    if attempt:
        change(connection, "add_attempt", *attempt_row(attempt))
    for link in links:
        change(connection, "put_link", *link_row(link, now))
    _see_to_head(connection, settlement.state, (delivery.target, delivery.queue), now)
    lesson = settlement.target
    changed = lesson is not None and targets.teach(connection, delivery.target, lesson, now, probe=claim.probe)
    return Recorded(held=True, target_changed=changed)


def release_claims(connection: apsw.Connection, claims: Sequence[Claim], now: int) -> None:
    """Give claimed deliveries back as they were."""
    for claim in claims:
        if change(connection, "release_delivery", claim.delivery.id, claim.token):
            _make_way(connection, (claim.delivery.target, claim.delivery.queue), now)


def rescue_leased(connection: apsw.Connection, expired_by: int, held: Collection[str], now: int) -> list[Delivery]:
    """Return to pending what is leased until then or less; its attempt counts, with the outcome unknown."""
    expired = rows(connection, "leased_deliveries", expired_by)
    return [_rescue(connection, row, now) for row in expired if row[1] not in held]


def retry_deliveries(connection: apsw.Connection, ids: Sequence[str], spread: Spread | None, now: int) -> list[str]:
    """Make dead, parked and waiting deliveries due by a person's wish; return the ids that were."""

    def retry(id_: str, turn: int) -> list[Row]:
        due = microseconds(spread.due(turn)) if spread else now
        return rows(connection, "retry_delivery", due, spread is not None, id_)

    return _by_a_person(connection, ids, retry, now)


def discard_deliveries(connection: apsw.Connection, ids: Sequence[str], reason: str, now: int) -> list[str]:
    """Cancel what is not under way and not delivered, by a person's wish; return the ids that were."""
    return _by_a_person(connection, ids, lambda id_, _: rows(connection, "discard_delivery", reason, id_), now)


def _by_a_person(
    connection: apsw.Connection, ids: Sequence[str], do: Callable[[str, int], list[Row]], now: int
) -> list[str]:
    done: dict[str, Place] = {}
    for id_ in ids:
        for target, queue in do(id_, len(done)):
            done[id_] = (target, queue)
    for place in set(done.values()):
        _make_way(connection, place, now)
        change(connection, "pass_head", *place, now)
    return list(done)


def _supersede(connection: apsw.Connection, delivery: Delivery, now: int) -> None:
    place, reason = (delivery.target, delivery.queue), f"superseded by {delivery.id}"
    if change(connection, "supersede", reason, *place, delivery.route, delivery.entry):
        change(connection, "pass_head", *place, now)


def _settle(connection: apsw.Connection, id_: str, token: str, settlement: Settlement, attempt: Attempt | None) -> bool:
    unknown = attempt is not None and attempt.outcome is Outcome.UNKNOWN
    values = (
        settlement.state.value,
        microseconds(settlement.due_at) if settlement.due_at else None,
        settlement.reason,
        attempt is not None,
        settlement.failure,
        microseconds(settlement.give_up_at) if settlement.give_up_at else None,
        unknown,
    )
    return bool(change(connection, "settle_delivery", *values, id_, token))


def _rescue(connection: apsw.Connection, leased: Row, now: int) -> Delivery:
    id_, token, number, trigger, begin, end = leased
    attempt = Attempt(
        new_id("att"), id_, number, Outcome.UNKNOWN, trigger, moment_of(begin), (end - begin) / 1e6, reason=NO_OUTCOME
    )
    settlement = Settlement(DeliveryState.PENDING, reason=NO_OUTCOME, failure=True)
    _settle(connection, id_, token, settlement, attempt)
    change(connection, "add_attempt", *attempt_row(attempt))
    delivery = get_delivery(connection, id_)
    _make_way(connection, (delivery.target, delivery.queue), now)
    return delivery


def get_delivery(connection: apsw.Connection, id_: str) -> Delivery:
    """Return a delivery that exists."""
    [row] = connection.execute(SQL["get_delivery"].format(conditions="d.id = ?"), (id_,)).fetchall()
    return delivery_of(row)


def _see_to_head(connection: apsw.Connection, state: DeliveryState, place: Place, now: int) -> None:
    if state in {DeliveryState.PENDING, DeliveryState.PARKED}:
        _make_way(connection, place, now)
    else:
        change(connection, "pass_head", *place, now)


def _make_way(connection: apsw.Connection, place: Place, now: int) -> None:
    """Let the head of a place, unless it is under way, step back behind an older delivery that has come back."""
    if change(connection, "give_up_head", *place):
        change(connection, "pass_head", *place, now)
