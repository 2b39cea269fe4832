"""The rescuer: a killed worker's work is done again, and counted as what it was."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from bridge.delivery.rescuer import Rescuer
from bridge.errors import StoreUnavailableError
from bridge.model import DeliveryState, Limits, Outcome
from bridge.store.base import Store
from tests.delivery.test_worker import plan, the
from tests.support.clock import ManualClock


async def test_at_start_everything_that_was_leased_comes_back(store: Store, clock: ManualClock) -> None:
    [id_] = await plan(store, clock, "deal:1")
    await store.claim("sales", Limits(1), timedelta(minutes=5))
    rung: list[set[str]] = []
    assert await Rescuer(store, lambda: ["sales"], set, rung.append).step(everything=True) == 1
    assert rung == [{"sales"}]
    assert (await the(store, id_)).state is DeliveryState.PENDING
    [attempt] = await store.attempts(id_)
    assert attempt.outcome is Outcome.UNKNOWN


async def test_later_only_what_has_expired_comes_back(store: Store, clock: ManualClock) -> None:
    await plan(store, clock, "deal:1", "deal:2")
    await store.claim("sales", Limits(1), timedelta(minutes=5))
    clock.advance(minutes=4)
    await store.claim("sales", Limits(2), timedelta(minutes=5))
    rescuer = Rescuer(store, lambda: ["sales"], set, lambda _: None)
    assert await rescuer.step() == 0
    clock.advance(minutes=2)
    assert await rescuer.step() == 1


async def test_what_has_no_target_any_more_waits_for_its_return(store: Store, clock: ManualClock) -> None:
    [id_] = await plan(store, clock, "deal:1")
    targets, rung = ["board"], list[set[str]]()
    rescuer = Rescuer(store, lambda: targets, set, rung.append)
    await rescuer.step()
    assert (await the(store, id_)).state is DeliveryState.PARKED
    targets.append("sales")
    await rescuer.step()
    assert (await the(store, id_)).state is DeliveryState.PENDING
    assert rung == [set(), {"sales"}]


async def test_a_store_that_fails_is_looked_at_again(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    [id_] = await plan(store, clock, "deal:1")
    adopt, failures, done = store.adopt, [StoreUnavailableError("disk full")], asyncio.Event()

    async def failing(names: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
        if failures:
            raise failures.pop()
        done.set()
        return await adopt(names)

    monkeypatch.setattr(store, "adopt", failing)
    monkeypatch.setattr("bridge.delivery.rescuer.EVERY", 0.01)
    running = asyncio.create_task(Rescuer(store, lambda: ["sales"], set, lambda _: None).run())
    await asyncio.wait_for(done.wait(), 5)
    running.cancel()
    assert (await the(store, id_)).state is DeliveryState.PENDING


async def test_what_a_living_worker_holds_is_left_alone_whatever_the_clock_says(
    store: Store, clock: ManualClock
) -> None:
    await plan(store, clock, "deal:1")
    [claim] = await store.claim("sales", Limits(1), timedelta(minutes=5))
    clock.advance(hours=3)
    assert await Rescuer(store, lambda: ["sales"], lambda: {claim.token}, lambda _: None).step() == 0
