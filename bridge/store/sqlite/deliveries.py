"""What the writer does with deliveries before and beside their attempts."""

from collections.abc import Callable, Sequence
from itertools import groupby

import apsw

from bridge.model import Delivery, DeliveryState
from bridge.store.nouns import Claim, Spread
from bridge.store.sqlite.deferrals import add_deferrals
from bridge.store.sqlite.heads import Place, make_way, pass_head, place_of, taken
from bridge.store.sqlite.queries import SQL, Row, change, change_each, rows
from bridge.store.sqlite.quiet import quieted
from bridge.store.sqlite.rows import delivery_of, delivery_row, microseconds


def add_deliveries(connection: apsw.Connection, planned: Sequence[Delivery], now: int) -> None:
    """Insert deliveries in their order; before each that supersedes, let those make way which it does."""
    planned = [quieted(connection, delivery, now) for delivery in planned]
    for supersedes, run in groupby(planned, _supersedes):
        if supersedes:
            for delivery in run:
                _supersede(connection, delivery, now)
                _insert(connection, [delivery])
        else:
            _insert(connection, list(run))
    add_deferrals(connection, planned)


def release_claims(connection: apsw.Connection, claims: Sequence[Claim], now: int) -> None:
    """Give claimed deliveries back as they were."""
    for claim in claims:
        if change(connection, "release_delivery", claim.delivery.id, claim.token):
            make_way(connection, place_of(claim.delivery), now)


def retry_deliveries(connection: apsw.Connection, ids: Sequence[str], spread: Spread | None, now: int) -> list[str]:
    """Make dead, parked and waiting deliveries due by a person's wish; return the ids that were."""

    def retry(id_: str, turn: int) -> list[Row]:
        due = microseconds(spread.due(turn)) if spread else now
        if hurried := rows(connection, "hurry_deferred", due, id_):
            return hurried
        return rows(connection, "retry_delivery", due, spread is not None, id_)

    return _by_a_person(connection, ids, retry, now)


def discard_deliveries(connection: apsw.Connection, ids: Sequence[str], reason: str, now: int) -> list[str]:
    """Cancel what is not under way and not delivered, by a person's wish; return the ids that were."""
    discarded = _by_a_person(connection, ids, lambda id_, _: rows(connection, "discard_delivery", reason, id_), now)
    for id_ in discarded:
        change(connection, "drop_deferral", id_)
    return discarded


def get_delivery(connection: apsw.Connection, id_: str) -> Delivery:
    """Return a delivery that exists."""
    [row] = connection.execute(SQL["get_delivery"].format(conditions="d.id = ?"), (id_,)).fetchall()
    return delivery_of(row)


def _by_a_person(
    connection: apsw.Connection, ids: Sequence[str], do: Callable[[str, int], list[Row]], now: int
) -> list[str]:
    done: dict[str, Place] = {}
    for id_ in ids:
        for target, queue in do(id_, len(done)):
            done[id_] = (target, queue)
    for place in set(done.values()):
        make_way(connection, place, now)
    pass_head(connection, done.values(), now)
    return list(done)


def _supersedes(delivery: Delivery) -> bool:
    return delivery.terms.supersedes and delivery.state is DeliveryState.PENDING


def _supersede(connection: apsw.Connection, delivery: Delivery, now: int) -> None:
    place, reason = place_of(delivery), f"superseded by {delivery.id}"
    if change(connection, "supersede", reason, *place, delivery.route, delivery.entry):
        pass_head(connection, [place], now)


def _insert(connection: apsw.Connection, planned: Sequence[Delivery]) -> None:
    """Insert deliveries; whatever is unfinished has one head, so a new one is it exactly when its place has none."""
    heads = taken(connection, map(place_of, planned))
    values: list[Row] = []
    for delivery in planned:
        place = place_of(delivery)
        is_head = delivery.state is DeliveryState.PENDING and place not in heads
        if is_head:
            heads.add(place)
        values.append((*delivery_row(delivery), is_head))
    change_each(connection, "add_delivery", values)
