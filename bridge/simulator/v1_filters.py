"""Which deals ``GET /api/v1/deals`` lists: the parameters of its official page, none of which is ``updated_at``.

Where none of ``win``, ``closed_at`` and ``hold`` is given, only the ongoing ones come, as clients of the API report.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Final

from bridge.rdstation.timestamps import BRASILIA
from bridge.simulator.entities import Deal, Record

Test = Callable[[Deal], bool]

_STATUSES: Final[Mapping[str, str]] = {"true": "won", "false": "lost", "null": "ongoing"}
_PERIODS: Final[Mapping[str, Callable[[Deal], datetime | date | None]]] = {
    "closed_at_period": lambda deal: deal.closed_at,
    "created_at_period": lambda deal: deal.created_at,
    "prediction_date_period": lambda deal: deal.prediction_date,
}
_RELATIONS: Final[Mapping[str, Callable[[Deal], Record | None]]] = {
    "user_id": lambda deal: deal.user,
    "campaign_id": lambda deal: deal.campaign,
    "deal_stage_id": lambda deal: deal.stage,
    "deal_lost_reason_id": lambda deal: deal.lost_reason,
    "deal_pipeline_id": lambda deal: deal.pipeline,
    "organization": lambda deal: deal.organization,
}
_ORDERS: Final[Mapping[str, Callable[[Deal], str | float]]] = {
    "created_at": lambda deal: deal.created_at.timestamp(),
    "updated_at": lambda deal: deal.updated_at.timestamp(),
    "closed_at": lambda deal: deal.closed_at.timestamp() if deal.closed_at else 0,
    "name": lambda deal: deal.name,
    "amount_total": lambda deal: deal.amount_total,
    "rating": lambda deal: deal.rating,
}


def listed(deals: Sequence[Deal], query: Mapping[str, str]) -> list[Deal]:
    """Return the deals that a request asks for, in its order: by default the newest first.

    Raises:
        ValueError: a date or an order cannot be read.
    """
    tests = [*_by_status(query), *_by_relation(query), *_by_name(query), *_by_period(query), *_by_products(query)]
    order = query.get("order", "created_at")
    if order not in _ORDERS:
        raise ValueError(order)
    found = [deal for deal in deals if all(test(deal) for test in tests)]
    return sorted(found, key=_ORDERS[order], reverse=query.get("direction", "desc") != "asc")


def _by_status(query: Mapping[str, str]) -> list[Test]:
    tests: list[Test] = []
    if (status := _STATUSES.get(query.get("win", ""))) is not None:
        tests.append(lambda deal: deal.status == status)
    if query.get("closed_at") in {"true", "false"}:
        tests.append(lambda deal: deal.open == (query["closed_at"] == "false"))
    if query.get("hold") == "true":
        tests.append(lambda deal: deal.status == "paused")
    return tests or [lambda deal: deal.status == "ongoing"]


def _by_relation(query: Mapping[str, str]) -> list[Test]:
    def test(name: str, wanted: str) -> Test:
        return lambda deal: (found := _RELATIONS[name](deal)) is not None and found.id == wanted

    return [test(name, query[name]) for name in _RELATIONS if query.get(name)]


def _by_name(query: Mapping[str, str]) -> list[Test]:
    name = query.get("name", "")
    if not name:
        return []
    if query.get("exact_name") == "true":
        return [lambda deal: deal.name == name]
    return [lambda deal: name.lower() in deal.name.lower()]


def _by_products(query: Mapping[str, str]) -> list[Test]:
    presence = query.get("product_presence", "")
    if presence in {"true", "false"}:
        return [lambda deal: bool(deal.items) == (presence == "true")]
    wanted = {each.strip() for each in presence.split(",") if each.strip()}
    return [lambda deal: any(item.product.id in wanted for item in deal.items)] if wanted else []


def _by_period(query: Mapping[str, str]) -> list[Test]:
    begin, end = _moment(query.get("start_date"), time.min), _moment(query.get("end_date"), time.max)

    def test(name: str) -> Test:
        def within(deal: Deal) -> bool:
            at = _PERIODS[name](deal)
            if at is not None and not isinstance(at, datetime):
                at = datetime.combine(at, time.min, BRASILIA)
            return at is not None and (begin is None or begin <= at) and (end is None or at <= end)

        return within

    return [test(name) for name in _PERIODS if query.get(name) == "true"]


def _moment(text: str | None, hour: time) -> datetime | None:
    """Return a time of a query; without an offset it is one of Brasília, and a day alone is all of it."""
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    if "T" not in text:
        moment = datetime.combine(moment, hour)
    return moment if moment.tzinfo else moment.replace(tzinfo=BRASILIA)
