from collections.abc import Callable
from datetime import timedelta

import pytest

from bridge.simulator import Simulator
from bridge.simulator.entities import Deal
from bridge.simulator.v1_filters import listed
from tests.support.crm import START, simulated


@pytest.fixture(scope="module")
def crm() -> Simulator:
    crm = simulated(deals=30)
    paused = next(deal for deal in crm.team.deals.values() if deal.status == "ongoing")
    crm.team.pause(paused)
    return crm


def found(crm: Simulator, **query: str) -> list[Deal]:
    """Return what is listed, of whatever status unless one is asked for."""
    deals = list(crm.team.deals.values())
    if query.keys() & {"win", "closed_at", "hold"}:
        return listed(deals, query)
    parts = [listed(deals, {**query, "closed_at": closed}) for closed in ("true", "false")]
    return sorted((deal for part in parts for deal in part), key=deals.index)


def test_unless_a_status_is_asked_for_only_ongoing_deals_come(crm: Simulator) -> None:
    deals = list(crm.team.deals.values())
    assert {deal.status for deal in deals} == {"ongoing", "won", "lost", "paused"}
    assert {deal.status for deal in listed(deals, {})} == {"ongoing"}
    assert len(listed(deals, {})) == sum(deal.status == "ongoing" for deal in deals)


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ({"win": "true"}, lambda deal: deal.status == "won"),
        ({"win": "false"}, lambda deal: deal.status == "lost"),
        ({"win": "null"}, lambda deal: deal.status == "ongoing"),
        ({"closed_at": "true"}, lambda deal: deal.closed_at is not None),
        ({"closed_at": "false"}, lambda deal: deal.closed_at is None),
        ({"hold": "true"}, lambda deal: deal.status == "paused"),
        ({"name": "PADARIA"}, lambda deal: "padaria" in deal.name.lower()),
        ({"product_presence": "true"}, lambda deal: bool(deal.items)),
        ({"win": "null", "name": "clínica"}, lambda deal: deal.status == "ongoing" and "Clínica" in deal.name),
    ],
)
def test_a_parameter_lets_its_deals_through(
    crm: Simulator, query: dict[str, str], fits: Callable[[Deal], bool]
) -> None:
    wanted = {deal.id for deal in crm.team.deals.values() if fits(deal)}
    assert {deal.id for deal in found(crm, **query)} == wanted
    assert wanted


def test_deals_are_found_by_what_they_point_at(crm: Simulator) -> None:
    deal = next(each for each in crm.team.deals.values() if each.status == "lost" and each.campaign)
    assert deal.campaign
    assert deal.lost_reason
    assert deal.organization
    for name, wanted in (
        ("user_id", deal.user),
        ("campaign_id", deal.campaign),
        ("deal_stage_id", deal.stage),
        ("deal_pipeline_id", deal.pipeline),
        ("deal_lost_reason_id", deal.lost_reason),
        ("organization", deal.organization),
    ):
        rows = found(crm, **{name: wanted.id})
        assert deal in rows
        assert len(rows) < len(crm.team.deals)
    assert found(crm, user_id="0") == []
    product = deal.items[0].product.id
    assert all(
        product in {item.product.id for item in row.items} for row in found(crm, product_presence=f"x, {product}")
    )
    assert found(crm, product_presence="false") == []


def test_a_name_may_be_meant_exactly(crm: Simulator) -> None:
    deal = next(iter(crm.team.deals.values()))
    assert deal in found(crm, name=deal.name, exact_name="true")
    assert found(crm, name=deal.name[:-1], exact_name="true") == []


def test_periods_count_in_the_time_of_brasilia_and_a_day_counts_whole(crm: Simulator) -> None:
    start, end = START - timedelta(days=30), START - timedelta(days=10)
    for name, at in (("created_at_period", "created_at"), ("closed_at_period", "closed_at")):
        rows = found(crm, **{name: "true"}, start_date=start.isoformat(), end_date=end.isoformat())
        wanted = {
            deal.id for deal in crm.team.deals.values() if getattr(deal, at) and start <= getattr(deal, at) <= end
        }
        assert {row.id for row in rows} == wanted
        assert wanted
    deal = next(iter(crm.team.deals.values()))
    day = (deal.created_at - timedelta(hours=3)).date().isoformat()
    assert deal in found(crm, created_at_period="true", start_date=day, end_date=day)
    naive = (deal.created_at - timedelta(hours=3)).replace(tzinfo=None)
    assert deal in found(crm, created_at_period="true", start_date=naive.isoformat(), end_date=naive.isoformat())
    predicted = found(crm, prediction_date_period="true", start_date="2026-01-01")
    assert {row.id for row in predicted} == {each.id for each in crm.team.deals.values() if each.prediction_date}
    with pytest.raises(ValueError, match="Invalid isoformat"):
        found(crm, created_at_period="true", start_date="ontem")


@pytest.mark.parametrize("order", ["created_at", "updated_at", "closed_at", "name", "amount_total", "rating"])
def test_the_order_is_as_asked(crm: Simulator, order: str) -> None:
    deals = list(crm.team.deals.values())
    up, down = (listed(deals, {"closed_at": "true", "order": order, "direction": each}) for each in ("asc", "desc"))
    values = [getattr(deal, order) for deal in up]
    assert values == sorted(values)
    assert [getattr(deal, order) for deal in down] == values[::-1]
    assert {deal.id for deal in up} == {deal.id for deal in deals if not deal.open}


def test_by_default_the_newest_comes_first(crm: Simulator) -> None:
    times = [deal.created_at for deal in listed(list(crm.team.deals.values()), {})]
    assert times == sorted(times, reverse=True)
