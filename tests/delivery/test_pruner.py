"""The pruner: passes that reach everything, leave the writer to others, and begin again after a failure."""

import asyncio
from datetime import timedelta
from unittest.mock import AsyncMock

import pytest
from structlog.testing import capture_logs

from bridge.delivery.pruner import SHARE, Pruner
from bridge.errors import StoreUnavailableError
from bridge.store.base import Store
from bridge.store.nouns import EventQuery, Pruned
from tests.contracts.store_steps import an_event
from tests.support.clock import ManualClock

DAY = timedelta(days=1)


async def quarantined(store: Store, clock: ManualClock, count: int) -> None:
    for _ in range(count):
        await store.add(an_event(clock, entity=None, state="quarantined"))


async def test_a_pass_lets_go_of_what_is_older_and_of_nothing_else(store: Store, clock: ManualClock) -> None:
    await quarantined(store, clock, 300)
    clock.advance(hours=25)
    await quarantined(store, clock, 1)
    gone = await Pruner(store, clock, keep_events=DAY, keep_bodies=DAY).sweep()
    assert (gone.events, gone.next) == (300, None)
    assert len(await store.events(EventQuery())) == 1


async def test_a_body_is_kept_no_longer_than_its_event(store: Store, clock: ManualClock) -> None:
    asked = store.prune = AsyncMock(return_value=Pruned())  # type: ignore[method-assign]
    await Pruner(store, clock, keep_events=DAY, keep_bodies=7 * DAY).sweep()
    [[[retention, _], _]] = asked.await_args_list
    assert retention.bodies == retention.events == clock.now() - DAY


async def test_it_rests_after_each_step_that_took_the_writer_s_time(store: Store, clock: ManualClock) -> None:
    rests: list[float] = []

    async def rest(seconds: float) -> None:
        rests.append(seconds)

    pruner = Pruner(store, clock, DAY, DAY, rest)
    await pruner.sweep()
    assert rests == [], "there was nothing to do"
    await quarantined(store, clock, 300)
    clock.advance(days=2)
    began = asyncio.get_running_loop().time()
    await pruner.sweep()
    assert len(rests) >= 3
    assert 0 < sum(rests) < SHARE * (asyncio.get_running_loop().time() - began)


async def test_a_pass_that_failed_is_made_again(store: Store, clock: ManualClock) -> None:
    await quarantined(store, clock, 1)
    clock.advance(days=2)
    works, store.prune = store.prune, AsyncMock(side_effect=StoreUnavailableError("the disk is full"))  # type: ignore[method-assign]
    pruner = Pruner(store, clock, DAY, DAY)
    with capture_logs() as lines:
        running = asyncio.create_task(pruner.run())
        pruner.bell.ring()
        async with asyncio.timeout(10):
            while not lines:
                await asyncio.sleep(0)
        store.prune = works  # type: ignore[method-assign]
        pruner.bell.ring()
        async with asyncio.timeout(10):
            while await store.events(EventQuery()):
                await asyncio.sleep(0)
        running.cancel()
    assert lines[0]["event"] == "store unavailable"


@pytest.mark.parametrize(
    ("bodies", "every"), [(timedelta(days=7), 600), (timedelta(minutes=10), 60), (timedelta(seconds=20), 2)]
)
def test_it_looks_ten_times_within_what_is_kept(
    store: Store, clock: ManualClock, bodies: timedelta, every: float
) -> None:
    assert Pruner(store, clock, 30 * DAY, bodies).every == every
