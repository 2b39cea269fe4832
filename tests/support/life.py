"""The life of a deal, and a bridge that tells a service of it while much goes wrong."""

import random
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import pytest

from bridge.component.client import Client
from bridge.config import load
from bridge.delivery.announcer import Announcer
from bridge.delivery.dispatcher import Dispatcher
from bridge.delivery.worker import Worker
from bridge.errors import StoreUnavailableError
from bridge.model import Link
from bridge.ruleset import Ruleset
from bridge.store.base import Store
from bridge.store.nouns import Recorded
from bridge.store.sqlite import open_store
from bridge.trial import MovedClock
from bridge.trial.parts import Delivering, Routing
from bridge.trial.stage import Stage, steady
from tests.support.changes import event_of
from tests.support.crashing import LAST_WORDS
from tests.support.daemon import Daemon
from tests.support.deals import Deal, again
from tests.support.rounds import GONE

ENOUGH: Final = 20
IN_HASTE: Final[dict[str, Any]] = {"rate": "1000/s", "retry": {"first": "1ms", "max": "1ms"}, "breaker": None}
"""Options of a target that waits for nothing."""
FaultT = TypeVar("FaultT")


def life_of(deal: Deal, chance: random.Random) -> list[dict[str, Any]]:
    """Return thirty webhooks of a deal: edits, moves, losses, wins and returns; the last one is an edit that shows."""
    life = [deal.created()]
    while len(life) < 29:
        rating = chance.randint(1, 5)
        choices = [
            lambda: deal.updated(name=f"Padaria {len(life)}", rating=rating),  # noqa: B023 (called at once)
            lambda: deal.moved(f"Etapa {chance.randint(1, 3)}", chance.randint(1, 3)),
            lambda: deal.lost(rating=rating),  # noqa: B023 (the same)
            lambda: deal.updated(status="won", closed_at=deal.moment.isoformat(), deal_lost_reason={}),
            deal.reopened,
        ]
        life.append(chance.choice(choices)())
    return [*life, deal.updated(name="Padaria Estrela", rating=chance.randint(2, 5))]


async def live(deal: Deal, chance: random.Random, stage: Stage, rules: Ruleset, clock: MovedClock) -> None:
    """Let a deal live: its creation comes first, the rest in any order and some twice; then half a day passes."""
    life = life_of(deal, chance)
    arrivals = [*life, *(again(body) for body in chance.sample(life, 10))]
    first = arrivals.pop(0)
    chance.shuffle(arrivals)
    for number, body in enumerate((first, *arrivals)):
        await stage.arrive(event_of(rules.sources["crm"], body, number, clock.now()))
        await stage.until(clock.now() + timedelta(seconds=chance.choice([1, 20, 300])))
    await stage.until(clock.now() + timedelta(hours=12))


class Mishaps(Generic[FaultT]):
    """Lets a share of the requests go wrong, by chance, in every way there is, until it has been enough."""

    def __init__(self, chance: random.Random, faults: Sequence[FaultT], share: float = 0.33) -> None:
        self.chance = chance
        self.faults = faults
        self.share = share
        self.counted = 0

    def __call__(self, _: object) -> FaultT | None:
        if self.counted == ENOUGH or self.chance.random() > self.share:
            return None
        self.counted += 1
        return self.chance.choice(self.faults)


class StoreFault(Enum):
    """Where a store fails."""

    UNREAD = auto()
    UNRECORDED = auto()
    RECORDED = auto()
    """It has recorded an attempt, and nobody is told."""


def let_fail(store: Store, mishaps: Mishaps[StoreFault], patch: pytest.MonkeyPatch) -> None:
    """Let a store fail by chance, for targets with no other service: while links are read, or an attempt recorded."""
    find, record = store.find_link, store.record

    async def finding(target: str, key: str) -> Link | None:
        if mishaps(target) is StoreFault.UNREAD:
            raise StoreUnavailableError("the disk is away")
        return await find(target, key)

    async def recording(*result: Any, patient: bool) -> Recorded:
        fault = mishaps(result)
        recorded = None if fault is StoreFault.UNRECORDED else await record(*result, patient=patient)
        if recorded is None or fault is StoreFault.RECORDED:
            raise StoreUnavailableError("the disk is full")
        return recorded

    patch.setattr(store, "find_link", finding)
    patch.setattr(store, "record", recording)
    patch.setattr("bridge.delivery.worker.RECORD_AGAIN", 0)


@asynccontextmanager
async def staged(
    folder: Path, text: str, target: str, clock: MovedClock
) -> AsyncIterator[tuple[Stage, Store, Ruleset]]:
    """Build a bridge of one target, whose time is moved by hand and whose requests are real."""
    (folder / "routes.yaml").write_text(text, encoding="utf-8")
    rules = load(folder / "routes.yaml", {}, clock).ruleset
    store = await open_store(folder / "data", clock, durable=False)
    async with Client(clock) as client:
        await store.adopt(tuple(rules.targets))
        worker = Delivering(Worker(rules.targets[target], store, client, clock, None, steady), store, clock)
        dispatcher = Dispatcher(store, lambda: rules, lambda _: worker.ring(), clock, announce=Announcer())
        try:
            yield Stage(store, clock, (Routing(dispatcher), worker)), store, rules
        finally:
            await store.close()


@asynccontextmanager
async def outlived(
    folder: Path, rules: str, kill: tuple[str, int], deal: Deal, killed: Callable[[], None] = lambda: None
) -> AsyncIterator[Daemon]:
    """Make a deal, lose it, bring it back and edit it; a daemon is killed at a point of that, and yield the next one.

    ``killed`` is called in between. All webhooks come again to the next daemon, and it has settled when it is yielded.
    """
    life = [deal.created(), deal.lost(), deal.reopened(), deal.updated(name="Padaria Estrela", rating=4)]
    daemon = Daemon(folder)
    daemon.write_rules(rules)
    point, passage = kill
    await daemon.spawn("tests.support.crashing", point, str(passage))
    try:
        assert await daemon.ready()
        await post_until_killed(daemon, life)
        killed()
        await daemon.start()
        for body in life:
            assert (await daemon.post(body))[0] == 200
        await daemon.settle()
        yield daemon
    finally:
        await daemon.kill()


def one_by_one(rules: str, target: str) -> str:
    """Return rules in which no message replaces an older one to a target, so that what a daemon does last is known."""
    return rules.replace(f"      - to: {target}", f"      - supersede: false\n        to: {target}")


async def post_until_killed(daemon: Daemon, life: list[dict[str, Any]]) -> None:
    """Post a life, and wait for the end that the daemon is told to come to."""
    with suppress(*GONE):
        for body in life:
            await daemon.post(body)
    assert await daemon.ended() == -signal.SIGKILL
    assert LAST_WORDS in daemon.log
