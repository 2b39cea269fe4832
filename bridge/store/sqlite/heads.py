"""Whose turn it is: of every (target, queue) one unfinished delivery is the head, and only a head can be claimed.

Whoever changes a delivery's state sees to the head of its place in the same transaction: who is finished passes it on,
who waits again makes way for an older one.
"""

from collections.abc import Iterable
from typing import TypeAlias

import apsw

from bridge.model import Delivery
from bridge.store.sqlite.queries import change, change_each, rows_of_each

Place: TypeAlias = tuple[str, str]
"""Target and queue: what has one head."""


def place_of(delivery: Delivery) -> Place:
    """Return where a delivery stands in line."""
    return (delivery.target, delivery.queue)


def taken(connection: apsw.Connection, places: Iterable[Place]) -> set[Place]:
    """Return those places that have a head."""
    return {(target, queue) for target, queue in rows_of_each(connection, "places_with_head", list(set(places)))}


def pass_head(connection: apsw.Connection, places: Iterable[Place], now: int) -> None:
    """Let the oldest of each place be its head, if it has none."""
    change_each(connection, "pass_head", [(*place, now) for place in dict.fromkeys(places)])


def make_way(connection: apsw.Connection, place: Place, now: int) -> None:
    """Let the head of a place, unless it is under way, step back behind an older delivery that has come back."""
    if change(connection, "give_up_head", *place):
        pass_head(connection, [place], now)
