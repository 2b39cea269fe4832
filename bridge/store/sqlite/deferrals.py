"""Deferred deliveries: held beside their deferral until their time comes, joined, called off, or gathered meanwhile."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import apsw

from bridge.errors import legible
from bridge.model import CallOff, Deferral, Deferred, Delivery, DeliveryState, Ripe, Ripened, Unreadable
from bridge.store.nouns import ITEMS
from bridge.store.sqlite.digests import find_former, keep_digested
from bridge.store.sqlite.heads import make_way, pass_head, place_of
from bridge.store.sqlite.listing import find_delivery, find_entity_state
from bridge.store.sqlite.queries import Row, change, change_each, first, rows
from bridge.store.sqlite.quiet import quieted
from bridge.store.sqlite.rows import (
    deferred_of,
    delivery_row,
    event_of,
    json_text,
    microseconds,
    moment_of,
    object_of,
    ripened_row,
)

CALLED_OFF = "called off by {}"
OWN = 6
"""Columns of a deferred item before those of its event."""


def call_off(connection: apsw.Connection, event_id: str, entries: Iterable[CallOff]) -> None:
    """Cancel what entries hold of the entity of an event."""
    subject = _subject(connection, event_id)
    for route, entry in entries if subject else ():
        for [id_] in rows(connection, "deferred_of", subject, route, entry):
            _end(connection, id_, DeliveryState.CANCELLED, CALLED_OFF.format(event_id))


def add_deferrals(connection: apsw.Connection, deliveries: Iterable[Delivery]) -> None:
    """Note what deliveries that were just added wait for, in their order; a held change is joined by the next."""
    for delivery in deliveries:
        if deferral := delivery.deferral:
            subject = None if deferral.vacant else _subject(connection, delivery.event_id)
            if deferral.kind == "debounce" and subject:
                deferral = _joined(connection, delivery, deferral, subject)
            change_each(connection, "add_deferral", [_row(delivery, deferral, subject)])


def next_ripe(connection: apsw.Connection) -> int | None:
    """Return when the next deferred delivery is due, in microseconds since 1970."""
    [[due]] = rows(connection, "next_ripe")
    return None if due is None else int(due)


def ripe_batch(connection: apsw.Connection, limit: int, now: int) -> list[Ripe]:
    """Return what is due; of a digest all that is, up to what one message may tell.

    No other is begun once there is as much as that: whoever makes messages of it keeps webhooks waiting meanwhile.
    """
    found: list[list[str]] = []
    seen: set[str] = set()
    for id_, kind, *group in rows(connection, "ripe", now, limit):
        if len(seen) >= ITEMS:
            break
        if id_ not in seen:
            ids = [each for each, _ in rows(connection, "gathered", *group, now, ITEMS)] if kind == "digest" else [id_]
            found.append(ids)
            seen.update(ids)
    return [ripe_of(connection, ids) for ids in found]


def commit_ripened(
    connection: apsw.Connection, batch: Sequence[tuple[Ripe, Ripened | Unreadable]], now: int
) -> list[Delivery]:
    """Write what became of what was due, unless it is deferred no more; return what was written."""
    return [delivery for ripe, became in batch for delivery in _settle(connection, ripe, became, now)]


def _subject(connection: apsw.Connection, event_id: str) -> str | None:
    found = first(connection, "subject_of", event_id)
    return found[0] if found else None


def _joined(connection: apsw.Connection, delivery: Delivery, deferral: Deferral, subject: str) -> Deferral:
    """Let a change take over the one that is held already: it began with that one, and is held no longer for it."""
    held = first(connection, "held_changes", subject, delivery.route, delivery.entry)
    if held is None:
        return deferral
    id_, latest, before = held
    known = object_of(before)
    change(connection, "hold_until", min(microseconds(delivery.due_at), latest), delivery.id)
    if before is not None and known is None:  # how it began is lost: its time comes at once, and tells of that
        change(connection, "hold_alone", id_)
        change(connection, "hold_until", microseconds(delivery.created_at), id_)
        return replace(deferral, latest=moment_of(latest))
    _end(connection, id_, DeliveryState.CANCELLED, f"told with {delivery.id}")
    return replace(deferral, latest=moment_of(latest), before=known)


def _end(connection: apsw.Connection, id_: str, state: DeliveryState, reason: str | None) -> int:
    change(connection, "drop_deferral", id_)
    return change(connection, "end_deferred", id_, state.value, reason)


def _row(delivery: Delivery, deferral: Deferral, subject: str | None) -> Row:
    """Return a deferral in the order of ``add_deferral``."""
    return (
        delivery.id,
        deferral.kind,
        delivery.route,
        delivery.entry,
        subject,
        deferral.group,
        None if deferral.latest is None else microseconds(deferral.latest),
        None if deferral.before is None else json_text(deferral.before),
        deferral.vacant,
    )


def ripe_of(connection: apsw.Connection, ids: Sequence[str]) -> Ripe:
    """Return deferred deliveries with what they tell of; the last is the newest."""
    found = [(id_, row) for id_ in ids for row in rows(connection, "deferred_item", id_)]
    items = tuple(item for id_, row in found if (item := item_of(id_, row)))
    newest = found[-1][1]
    trigger, kind, group, latest, vacant, before = newest[:OWN]
    turn = None if latest is None else moment_of(latest)
    deferral = Deferral(kind, group, object_of(before), turn, vacant=bool(vacant))
    delivery, event = find_delivery(connection, ids[-1]), event_of(newest[OWN:])
    assert delivery is not None, "a deferral has its delivery"  # noqa: S101 (a foreign key says so)
    last = find_entity_state(connection, event.source, event.entity) if event.entity else None
    ripe = Ripe(replace(delivery, deferral=deferral), items, last, trigger == "person", tuple(ids[:-1]))
    if kind != "digest":
        return ripe
    return replace(ripe, former=find_former(connection, delivery, group, ripe.turn))


def item_of(id_: str, row: Row) -> Deferred | None:
    """Return what a deferred delivery tells of, by its ``deferred_item``; None if it only holds a place."""
    *_, vacant, before = row[:OWN]
    return None if vacant else deferred_of(row[OWN:], before, id_)


def _settle(connection: apsw.Connection, ripe: Ripe, became: Ripened | Unreadable, now: int) -> list[Delivery]:
    """Write what became of deliveries that are told together, and hold the place of the next digest."""
    if isinstance(became, Unreadable):
        tried = [_give_up(connection, id_, reason) for id_, reason in became.reasons.items()]
    else:
        tried = [_write(connection, ripe, became, now)]
    written = [delivery for delivery in tried if delivery is not None]
    if written and became.following:
        _hold_place(connection, became.following)
    return written


def _write(connection: apsw.Connection, ripe: Ripe, ripened: Ripened, now: int) -> Delivery | None:
    """Write what became of a delivery, and of those it tells of as well; None if it is deferred no more."""
    delivery = quieted(connection, _storable(ripened.delivery), now)
    place = place_of(delivery)
    if delivery.terms.supersedes and delivery.state is DeliveryState.PENDING:
        change(connection, "supersede", f"superseded by {delivery.id}", *place, delivery.route, delivery.entry)
    if not change(connection, "ripen_delivery", *ripened_row(delivery)):
        return None
    _keep(connection, ripe, delivery)
    if delivery.deferral:
        change(connection, "hold_for_window", delivery.id)
    else:
        change(connection, "drop_deferral", delivery.id)
    _end_gathered(connection, ripe.others, delivery)
    make_way(connection, place, now)
    pass_head(connection, [place], now)
    return delivery


def _give_up(connection: apsw.Connection, id_: str, reason: str) -> Delivery | None:
    """Make dead what cannot be told; None if it is deferred no more."""
    delivery = find_delivery(connection, id_)
    if delivery is None or not _end(connection, id_, DeliveryState.DEAD, reason):
        return None
    return replace(delivery, state=DeliveryState.DEAD, reason=reason)


def _hold_place(connection: apsw.Connection, following: Delivery) -> None:
    """Add what holds the place of the next digest, unless something does."""
    group = following.deferral.group if following.deferral else ""
    if not first(connection, "place_held", following.route, following.entry, group):
        [[number]] = rows(connection, "next_replay", following.event_id)
        following = replace(following, replay=number)
        change_each(connection, "add_delivery", [(*delivery_row(following), False)])
        add_deferrals(connection, [following])


def _keep(connection: apsw.Connection, ripe: Ripe, delivery: Delivery) -> None:
    """Keep what a digest tells of, where it is told."""
    deferral = ripe.delivery.deferral
    if deferral and deferral.kind == "digest" and delivery.state in {DeliveryState.PENDING, DeliveryState.DEFERRED}:
        ids = [*ripe.others, delivery.id]
        keep_digested(connection, delivery, deferral.group, microseconds(ripe.turn), ids)


def _storable(delivery: Delivery) -> Delivery:
    """Return a delivery as it is, or dead if it holds what JSON cannot."""
    try:
        ripened_row(delivery)
    except TypeError as error:
        reason = f"cannot be stored: {legible(str(error))}"
        return replace(delivery, state=DeliveryState.DEAD, content=None, reason=reason, deferral=None)
    return delivery


def _end_gathered(connection: apsw.Connection, ids: Iterable[str], bearer: Delivery) -> None:
    """End what is told with another; where that could not be rendered, each is a dead letter of its own."""
    dead = bearer.state is DeliveryState.DEAD
    state, reason = (DeliveryState.DEAD, bearer.reason) if dead else (DeliveryState.CANCELLED, f"told with {bearer.id}")
    for id_ in ids:
        _end(connection, id_, state, reason)
