"""The fleet: workers come, change and go with the targets of each ruleset."""

import asyncio
from typing import Any

from bridge.delivery.fleet import Fleet
from bridge.model import DeliveryState, Receipt
from bridge.store.base import Store
from bridge.store.nouns import DeliveryQuery
from tests.delivery.test_worker import plan
from tests.support.clock import ManualClock
from tests.support.targets import NoHttp, ScriptedTarget

HTTP: Any = NoHttp()


async def delivered(store: Store) -> int:
    return len(await store.deliveries(DeliveryQuery(states=(DeliveryState.DELIVERED,))))


async def test_each_target_is_served_and_what_is_replaced_serves_on(store: Store, clock: ManualClock) -> None:
    first, second, other = ScriptedTarget("sales"), ScriptedTarget("sales"), ScriptedTarget("board")
    async with asyncio.TaskGroup() as tasks:
        fleet = Fleet(store, HTTP, clock, tasks)
        fleet.adopt({"sales": first})
        await plan(store, clock, "deal:1")
        fleet.ring(["sales", "a target that is gone"])
        await asyncio.wait_for(first.arrived.wait(), 5)
        fleet.adopt({"sales": second, "board": other})
        await plan(store, clock, "deal:2")
        await plan(store, clock, "deal:1", target="board")
        fleet.ring(["sales", "board"])
        await asyncio.wait_for(asyncio.gather(second.arrived.wait(), other.arrived.wait()), 5)
        await fleet.drain(5)
    assert (len(first.sent), len(second.sent), len(other.sent)) == (1, 1, 1)
    assert await delivered(store) == 3


async def test_a_target_that_is_removed_ends_what_it_began(store: Store, clock: ManualClock) -> None:
    held = asyncio.Event()

    async def when_held() -> Any:
        await held.wait()
        return await ScriptedTarget().send(target.sent[0], HTTP, HTTP)

    target = ScriptedTarget("sales", when_held)
    async with asyncio.TaskGroup() as tasks:
        fleet = Fleet(store, HTTP, clock, tasks)
        fleet.adopt({"sales": target})
        await plan(store, clock, "deal:1")
        fleet.ring(["sales"])
        await asyncio.wait_for(target.arrived.wait(), 5)
        fleet.adopt({})
        held.set()
        await fleet.drain(5)
    assert await delivered(store) == 1


async def test_what_was_claimed_ahead_is_not_sent_to_a_target_that_a_person_pauses(
    store: Store, clock: ManualClock
) -> None:
    held = asyncio.Event()

    async def when_held() -> Receipt:
        await held.wait()
        return Receipt(status=200)

    target = ScriptedTarget("sales", when_held, concurrency=1)
    async with asyncio.TaskGroup() as tasks:
        fleet = Fleet(store, HTTP, clock, tasks)
        fleet.adopt({"sales": target})
        await plan(store, clock, "deal:1", "deal:2")
        fleet.ring(["sales"])
        await asyncio.wait_for(target.arrived.wait(), 5)
        await store.pause("sales", "the service moves")
        fleet.hold("sales")
        fleet.hold("a target that is gone")
        held.set()
        async with asyncio.timeout(5):
            while not (parked := await store.deliveries(DeliveryQuery(states=(DeliveryState.PARKED,)))):
                await asyncio.sleep(0)
        await fleet.drain(5)
    assert [(each.key, each.attempts) for each in parked] == [("deal:2", 0)]
    assert len(target.sent) == 1
