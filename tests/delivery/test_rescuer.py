"""The rescuer: a killed worker's work is done again, and counted as what it was."""

from datetime import timedelta

from bridge.delivery.rescuer import Rescuer
from bridge.model import DeliveryState, Outcome
from bridge.store.base import Store
from tests.delivery.test_worker import plan, the
from tests.support.clock import ManualClock


async def test_at_start_everything_that_was_leased_comes_back(store: Store, clock: ManualClock) -> None:
    [id_] = await plan(store, clock, "deal:1")
    await store.claim("sales", 1, timedelta(minutes=5))
    rung: list[set[str]] = []
    assert await Rescuer(store, rung.append).step(everything=True) == 1
    assert rung == [{"sales"}]
    assert (await the(store, id_)).state is DeliveryState.PENDING
    [attempt] = await store.attempts(id_)
    assert attempt.outcome is Outcome.UNKNOWN


async def test_later_only_what_has_expired_comes_back(store: Store, clock: ManualClock) -> None:
    await plan(store, clock, "deal:1", "deal:2")
    await store.claim("sales", 1, timedelta(minutes=5))
    clock.advance(minutes=4)
    await store.claim("sales", 1, timedelta(minutes=5))
    rescuer = Rescuer(store, lambda _: None)
    assert await rescuer.step() == 0
    clock.advance(minutes=2)
    assert await rescuer.step() == 1
