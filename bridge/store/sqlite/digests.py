"""What digests have told of, kept for the digest that is compared with it."""

from collections.abc import Sequence
from datetime import datetime

import apsw

from bridge import telemetry
from bridge.model import Delivery, Former
from bridge.store.nouns import ITEMS
from bridge.store.sqlite.queries import change, first, rows
from bridge.store.sqlite.rows import deferred_of, json_text, microseconds, moment_of


def find_former(connection: apsw.Connection, delivery: Delivery, group: str, turn: datetime) -> Former | None:
    """Return what a digest told of a group before a turn; None if it has told nothing of any group."""
    found = first(connection, "former_turns", delivery.route, delivery.entry, group, microseconds(turn))
    last, of_group = found or (None, None)
    if last is None:
        return None
    if of_group is None:
        return Former(moment_of(last))
    told = rows(connection, "digested_items", delivery.route, delivery.entry, of_group, group)
    items = tuple(deferred_of(row[1:], row[0]) for row in told)
    for damaged in (item for item in items if item.damaged):
        telemetry.former_unreadable(delivery.route, damaged.event.id)
    return Former(moment_of(of_group), items)


def keep_digested(connection: apsw.Connection, delivery: Delivery, group: str, turn: int, ids: Sequence[str]) -> None:
    """Keep what a digest tells of, as much as one message has at most, and forget what none will be compared with."""
    place = (delivery.route, delivery.entry)
    change(connection, "forget_digested", *place, turn)
    change(connection, "add_digested", *place, turn, group, json_text([*ids]), ITEMS)
