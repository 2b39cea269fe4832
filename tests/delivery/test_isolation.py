"""A target in trouble keeps no other waiting: real sockets, one client and one store for both, a worker each."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from bridge.component.client import Client
from bridge.delivery.fleet import Fleet
from bridge.delivery.worker import Worker
from bridge.model import Breaker, DeliveryState, TargetState
from bridge.store.base import Store
from bridge.store.nouns import DeliveryQuery
from bridge.targets.http import HttpOptions, HttpService
from tests.delivery.test_worker import plan, work
from tests.support.clock import ManualClock
from tests.support.contract_server import ContractServer, Step, answer, reset, stall

KEYS = [f"deal:{number}" for number in range(6)]
"""The same of both targets, as when two routes tell of the same deals."""
TROUBLE: dict[str, tuple[Step, dict[str, Any]]] = {
    "silent": (stall(), {}),
    "silent in the middle": (stall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"), {}),
    "resetting": (reset(), {}),
    "failing": (answer(500), {}),
    "left alone": (answer(500), {"breaker": {"least": 1}}),
    "limited": (answer(429, Retry_After="3600"), {}),
    "out of service for an hour": (answer(503, Retry_After="3600"), {}),
    "refusing access": (answer(401), {}),
    "as slow as its rate": (answer(), {"rate": "1/h"}),
}


def service(name: str, url: str, **options: Any) -> HttpService:
    return HttpService(name, HttpOptions.model_validate({"url": url, "concurrency": 2} | options))


async def ended(store: Store, target: str) -> list[DeliveryState]:
    return [delivery.state for delivery in await store.deliveries(DeliveryQuery(target=target))]


async def target(store: Store, name: str) -> TargetState:
    return next(state for state in await store.targets() if state.name == name)


@dataclass
class Pair:
    """A service in trouble and a sound one, each with its worker."""

    sick: Worker
    sound: Worker
    trouble: ContractServer
    healthy: ContractServer


@pytest.fixture
async def client(clock: ManualClock) -> AsyncIterator[Client]:
    async with Client(clock) as opened:
        yield opened


@pytest.fixture(params=TROUBLE.keys())
async def pair(request: pytest.FixtureRequest, store: Store, clock: ManualClock, client: Client) -> AsyncIterator[Pair]:
    step, options = TROUBLE[request.param]
    await store.adopt(["board", "sales"])
    async with ContractServer(step) as trouble, ContractServer() as healthy:
        sick = Worker(service("sales", trouble.url, **options), store, client, clock)
        sound = Worker(service("board", healthy.url), store, client, clock)
        yield Pair(sick, sound, trouble, healthy)
        await sick.drain(0)


async def test_a_sound_target_is_served_while_another_is_in_trouble_and_after(
    store: Store, clock: ManualClock, pair: Pair
) -> None:
    await plan(store, clock, *KEYS)
    await plan(store, clock, *KEYS, target="board")
    await pair.sick.step()
    await asyncio.wait_for(pair.trouble.arrived.wait(), 5)
    for _ in KEYS:
        await work(pair.sound)
    assert await ended(store, "board") == [DeliveryState.DELIVERED] * 6
    await pair.sick.drain(0)
    assert await ended(store, "sales") != [DeliveryState.DELIVERED] * 6, "else there was no trouble"
    await plan(store, clock, *KEYS, target="board")
    for _ in KEYS:
        await work(pair.sound)
    assert await ended(store, "board") == [DeliveryState.DELIVERED] * 12
    assert len(pair.healthy.seen) == 12
    assert await target(store, "board") == TargetState("board"), "nothing is held against it"


async def test_a_target_in_trouble_makes_no_other_lose_its_order(store: Store, clock: ManualClock, pair: Pair) -> None:
    for _ in range(3):
        await plan(store, clock, "deal:1")
        await plan(store, clock, "deal:1", target="board")
    order = [delivery.id for delivery in reversed(await store.deliveries(DeliveryQuery(target="board")))]
    for _ in order:
        await pair.sick.step()
        await work(pair.sound)
    assert [seen.headers["idempotency-key"] for seen in pair.healthy.seen] == order


async def test_in_a_fleet_the_dead_the_silent_and_the_limited_keep_the_sound_one_from_nothing(
    store: Store, clock: ManualClock, client: Client
) -> None:
    names = ["dead", "silent", "limited", "sound"]
    await store.adopt(names)
    scripts = reset(), stall(), answer(429, Retry_After="3600"), answer()
    servers = [ContractServer(script) for script in scripts]
    async with servers[0], servers[1], servers[2], servers[3], asyncio.TaskGroup() as tasks:
        fleet = Fleet(store, client, clock, tasks)
        served = zip(names, servers, strict=True)
        fleet.adopt({name: service(name, server.url, breaker={"least": 2}) for name, server in served})
        for name in names:
            await plan(store, clock, *KEYS, target=name)
        fleet.ring(names)
        async with asyncio.timeout(5):
            while await ended(store, "sound") != [DeliveryState.DELIVERED] * 6 or not await met(store, servers):
                await asyncio.sleep(0)
        _, _, silent, sound = await store.targets()
        assert (silent, sound) == (TargetState("silent"), TargetState("sound"))
        await fleet.drain(0)
    for name in names[:3]:
        assert DeliveryState.DELIVERED not in await ended(store, name)
    assert len(servers[3].seen) == 6


async def met(store: Store, servers: Sequence[ContractServer]) -> bool:
    """Tell whether all were met, and those whose trouble shows have shown it."""
    dead, limited = await target(store, "dead"), await target(store, "limited")
    shown = dead.breaker is Breaker.OPEN and limited.wait_until is not None
    return shown and all(server.seen for server in servers)
