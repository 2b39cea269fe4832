"""What the writer does with deliveries, attempts and links.

Whoever changes a delivery's state sees to the head of its (target, key) in the same transaction: who is finished passes
it on, who waits again makes way for an older one.
"""

from collections.abc import Sequence
from typing import TypeAlias

import apsw

from bridge.model import Attempt, Delivery, DeliveryState, Link, Outcome, new_id
from bridge.store.base import Claim, Settlement
from bridge.store.sqlite.queries import Row, change, rows
from bridge.store.sqlite.rows import (
    attempt_row,
    delivery_of,
    json_text,
    link_row,
    microseconds,
    moment_of,
)

NO_OUTCOME = "no outcome was recorded: the worker was killed, or its lease ran out"
DELIVERY_COLUMNS = 13

Place: TypeAlias = tuple[str, str]
"""Target and key: what has one head."""


def claim_due(connection: apsw.Connection, target: str, limit: int, lease: tuple[str, int, int]) -> list[Claim]:
    """Lease a target's due heads, oldest first; ``lease`` is its token, its begin and its end."""
    token, begin, end = lease
    claimed = sorted(rows(connection, "claim_due", token, begin, end, target, limit), key=_age)
    until = moment_of(end)
    return [Claim(delivery_of(row[:DELIVERY_COLUMNS]), token, until, row[DELIVERY_COLUMNS]) for row in claimed]


def record_attempt(
    connection: apsw.Connection, claim: Claim, attempt: Attempt, settlement: Settlement, links: Sequence[Link], now: int
) -> bool:
    """Write an attempt with all that it brings; return False when the token no longer holds the delivery."""
    delivery = claim.delivery
    if not _settle(connection, delivery.id, claim.token, settlement):
        return False
    change(connection, "add_attempt", *attempt_row(attempt))
    for link in links:
        change(connection, "put_link", *link_row(link, now))
    if settlement.state is DeliveryState.PENDING:
        _make_way(connection, (delivery.target, delivery.key))
    else:
        change(connection, "pass_head", delivery.target, delivery.key)
    return True


def release_claims(connection: apsw.Connection, claims: Sequence[Claim]) -> None:
    """Give claimed deliveries back as they were."""
    for claim in claims:
        if change(connection, "release_delivery", claim.delivery.id, claim.token):
            _make_way(connection, (claim.delivery.target, claim.delivery.key))


def rescue_leased(connection: apsw.Connection, expired_by: int) -> list[Delivery]:
    """Return to pending what is leased until then or less; its attempt counts, with the outcome unknown."""
    return [_rescue(connection, row) for row in rows(connection, "leased_deliveries", expired_by)]


def retry_deliveries(connection: apsw.Connection, ids: Sequence[str], now: int) -> list[str]:
    """Make dead and waiting deliveries due by a person's wish; return the ids that were."""
    retried: dict[str, Place] = {}
    for id_ in ids:
        for target, key in rows(connection, "retry_delivery", now, id_):
            retried[id_] = (target, key)
    for place in set(retried.values()):
        _make_way(connection, place)
        change(connection, "pass_head", *place)
    return list(retried)


def park(connection: apsw.Connection, targets: Sequence[str], limit: int) -> int:
    """Park pending deliveries of other targets than these, so many at most; return how many."""
    return change(connection, "park_targets", json_text([*targets]), limit)


def unpark(connection: apsw.Connection, targets: Sequence[str], limit: int) -> int:
    """Make pending what was parked because one of these targets was gone; return how many."""
    return change(connection, "unpark_targets", json_text([*targets]), limit)


def _age(row: Row) -> tuple[int, int]:
    return row[8], row[-1]  # due_at, seq: RETURNING promises no order


def _settle(connection: apsw.Connection, id_: str, token: str, settlement: Settlement) -> bool:
    due = microseconds(settlement.due_at) if settlement.due_at else None
    state, spent = settlement.state.value, settlement.spends_attempt
    return bool(change(connection, "settle_delivery", state, due, settlement.reason, spent, id_, token))


def _rescue(connection: apsw.Connection, leased: Row) -> Delivery:
    id_, token, number, trigger, begin, end = leased
    attempt = Attempt(
        new_id("att"), id_, number, Outcome.UNKNOWN, trigger, moment_of(begin), (end - begin) / 1e6, reason=NO_OUTCOME
    )
    _settle(connection, id_, token, Settlement(DeliveryState.PENDING, reason=NO_OUTCOME))
    change(connection, "add_attempt", *attempt_row(attempt))
    [row] = rows(connection, "get_delivery", id_)
    delivery = delivery_of(row)
    _make_way(connection, (delivery.target, delivery.key))
    return delivery


def _make_way(connection: apsw.Connection, place: Place) -> None:
    """Let the head of a place, unless it is under way, step back behind an older delivery that has come back."""
    if change(connection, "give_up_head", *place):
        change(connection, "pass_head", *place)
