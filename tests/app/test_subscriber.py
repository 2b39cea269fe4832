"""The subscriber: what the rules need is registered, at the start and when they need other things."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest
from structlog.testing import capture_logs

from bridge.app.subscriber import Subscriber
from bridge.simulator import Simulator
from tests.support.clock import ManualClock
from tests.support.crm import simulated
from tests.support.remotes import DEAL_EVENTS, SECRET, Office, office, rules_text
from tests.support.shop import load_rules

AUTO = ", subscribe: auto"
ALL = dict.fromkeys(DEAL_EVENTS, "active")


@pytest.fixture
async def crm() -> AsyncIterator[Simulator]:
    async with simulated(client_secret="s3cret") as running:
        yield running


@pytest.fixture(params=["v1", "v2"])
async def there(request: pytest.FixtureRequest, crm: Simulator, tmp_path: Path) -> AsyncIterator[Office]:
    async with office(crm, tmp_path, request.param, api=AUTO) as made:
        yield made


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def subscriber(there: Office, clock: ManualClock) -> Subscriber:
    return Subscriber(there.host.subscriptions(), there.remotes, lambda: there.rules, clock)


def told(logs: list[Any]) -> list[str]:
    return [entry["event"] for entry in logs if entry["event"].startswith(("webhooks s", "subscribing"))]


async def test_what_the_rules_need_is_registered_once(there: Office, clock: ManualClock) -> None:
    subscribing = subscriber(there, clock)
    with capture_logs() as logs:
        for _ in range(3):
            await subscribing.step()
            clock.advance(days=1)
    assert there.registered() == ALL
    assert told(logs) == ["webhooks subscribed"]
    there.crm.registry.suspend(there.address)
    await subscriber(there, clock).step()
    assert there.registered() == ALL, "a new start looks again"


async def test_whoever_waits_for_the_first_try_goes_on_when_it_failed_too(there: Office, clock: ManualClock) -> None:
    for status, registered in ((500, {}), (200, ALL)):
        there.hooks.status = status
        subscribing = subscriber(there, clock)
        running = asyncio.ensure_future(subscribing.run())
        await asyncio.wait_for(subscribing.tried.wait(), 10)
        assert there.registered() == registered
        running.cancel()
        await asyncio.wait([running])


async def test_what_is_posted_again_is_told_for_nothing_came_of_it_before(there: Office, clock: ManualClock) -> None:
    told: list[str] = []

    async def started() -> list[str]:
        told.clear()
        subscriptions = there.host.subscriptions()
        await Subscriber(subscriptions, there.remotes, lambda: there.rules, clock, told.append).step()
        return told

    assert await started() == [], "what is new was never posted"
    assert await started() == []
    there.crm.registry.suspend(there.address)
    assert await started() == ["crm"]
    next(iter(there.crm.registry)).url = there.address.removesuffix(SECRET) + "old"
    assert await started() == ["crm"]


async def test_other_rules_have_other_webhooks(there: Office, clock: ManualClock, tmp_path: Path) -> None:
    subscribing = subscriber(there, clock)
    await subscribing.step()
    text = rules_text(there.crm, there.version, api=AUTO)
    there.reload(
        load_rules(
            tmp_path, clock, text.replace("[deal.won, deal.lost]", "contact.created").replace("deal.name", "event.name")
        )
    )
    await subscribing.step()
    assert there.registered() == {"crm_contact_created": "active"}
    there.reload(load_rules(tmp_path, clock, rules_text(there.crm, there.version)))
    await subscribing.step()
    assert there.registered() == {"crm_contact_created": "active"}, "by hand nothing is done by itself"


async def test_what_fails_is_told_and_tried_again_ever_later(there: Office, clock: ManualClock) -> None:
    subscribing = subscriber(there, clock)
    there.hooks.status = 500
    with capture_logs() as logs:
        for _ in range(20):
            await subscribing.step()
            clock.advance(seconds=15)
    failed = [entry for entry in logs if entry["event"] == "subscribing failed"]
    assert [entry["again_in"] for entry in failed] == [30, 60, 120, 240]
    assert all(there.address not in str(entry) for entry in logs)
    there.hooks.status = 200
    clock.advance(minutes=15)
    await subscribing.step()
    assert there.registered() == ALL


async def test_an_api_that_refuses_or_a_defect_stops_nothing(there: Office, clock: ManualClock) -> None:
    refusing = there.without_address()
    subscribing = Subscriber(refusing._subscriptions, there.remotes, lambda: there.rules, clock)
    with capture_logs() as logs:
        await subscribing.step()
    assert "BRIDGE_PUBLIC_URL" in str(logs)
    subscribing = subscriber(there, clock)
    subscribing._subscriptions.steps = AsyncMock(side_effect=KeyError("x"))  # type: ignore[method-assign]
    with capture_logs() as logs:
        await subscribing.step()
    assert "a defect of bridge: KeyError" in str(logs)
    assert subscribing._again.pause() == 30


async def test_by_hand_nothing_is_registered(crm: Simulator, tmp_path: Path, clock: ManualClock) -> None:
    async with office(crm, tmp_path, "v1") as there:
        await subscriber(there, clock).step()
        assert list(crm.registry) == []
