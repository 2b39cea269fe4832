"""Who has told something and is quiet for a while: ``once`` and ``repeat_after``."""

from dataclasses import replace

import apsw

from bridge.model import Delivery, DeliveryState
from bridge.store.sqlite.queries import change, first


def quieted(connection: apsw.Connection, delivery: Delivery, now: int) -> Delivery:
    """Return a delivery that may go, noting that it goes; or cancelled, where the same was told not long ago."""
    if not delivery.terms.quiet or delivery.state is not DeliveryState.PENDING:
        return delivery
    place = (delivery.route, delivery.entry, delivery.key)
    if told := first(connection, "told_before", *place, now, delivery.target):
        return replace(delivery, state=DeliveryState.CANCELLED, reason=f"told already by {told[0]}")
    change(connection, "put_told", *place, delivery.id, now + round(delivery.terms.quiet * 1_000_000))
    return delivery
