"""Rounds that each end with a kill, on one data directory, and what must be true after the last of them.

``python -m tests.support.rounds --rounds 1000`` plays many with points at random, and prints the seed.
What was lost, doubled under another id or out of order ends it with that assertion, and exit code 1.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby, islice, pairwise
from pathlib import Path
from typing import Any, NamedTuple, Self

import aiohttp

from bridge.model import DeliveryState
from bridge.store.nouns import DeliveryQuery, EventQuery
from bridge.store.sqlite import open_store
from tests.support.crashing import AT_START, LAST_WORDS, POINTS
from tests.support.daemon import Daemon
from tests.support.deals import Deal
from tests.support.sink import Got, Reply, Sink

RULES = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  team: {type: http, url: "{sink}/team"}
  picky: {type: http, url: "{sink}/picky"}
routes:
  - name: news
    on: [deal.lost, deal.reopened]
    deliver:
      - {to: team, body: {deal: "{{ deal.id }}", number: "{{ deal.name }}"}}
      - {to: picky, body: {deal: "{{ deal.id }}", number: "{{ deal.name }}"}}
"""
DEALS = 3
PASSAGES = (1, 4, 2, 9, 3, 6)
"""At which passage of a point to kill, in its turns: the first ones meet an idle daemon, later ones a busy one."""
TOGETHER = 50
"""So many random rounds are on one data directory."""
PATIENCE = 20.0
"""Seconds in which a point must be passed."""
GONE = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, ConnectionError, FileNotFoundError)
"""How a daemon that was killed answers."""


class Round(NamedTuple):
    """Where to kill, and at which passage."""

    point: str
    passage: int

    @classmethod
    def of(cls, point: str, passage: int) -> Self:
        """Return a round; what happens at a start happens once."""
        return cls(point, 1 if point in AT_START else passage)


class Oracle:
    """Decides what the sink answers: ``picky`` refuses everything once, ``team`` refuses access now and then."""

    def __init__(self) -> None:
        self.mild = False
        self._known: set[str] = set()
        self._team = 0

    def __call__(self, got: Got) -> Reply:
        if got.path == "/picky":
            refused = got.id not in self._known
            self._known.add(got.id)
            return Reply(400 if refused else 200)
        self._team += 1
        return Reply(401 if self._team % 25 == 0 and not self.mild else 200)


class Customer:
    """A deal that is lost and reopened in turns. What is not acknowledged is posted again, as the CRM does."""

    def __init__(self, id_: str) -> None:
        self.id = id_
        self.acknowledged: dict[int, str] = {}
        self._deal = Deal(id_)
        self._number = 0
        self._owed: dict[str, Any] | None = None

    async def post_until_killed(self, hook: str) -> None:
        async with aiohttp.ClientSession() as session:
            with suppress(*GONE):
                while True:
                    await self._post(session, hook, self._owed or self._next())
                    await asyncio.sleep(0.005)  # a load, not a flood: the rounds are to be many

    async def post_what_is_owed(self, hook: str) -> None:
        if self._owed:
            async with aiohttp.ClientSession() as session:
                await self._post(session, hook, self._owed)

    async def _post(self, session: aiohttp.ClientSession, hook: str, body: dict[str, Any]) -> None:
        async with session.post(hook, json=body) as answer:
            assert answer.status == 200
            self.acknowledged[self._number] = (await answer.json())["event_id"]
            self._owed = None

    def _next(self) -> dict[str, Any]:
        self._number += 1
        name = str(self._number)
        ongoing: dict[str, Any] = {"status": "ongoing", "closed_at": None, "deal_lost_reason": {}}
        lost = self._number % 2 == 1
        self._owed = self._deal.lost(name=name) if lost else self._deal.updated(name=name, **ongoing)
        return self._owed


@dataclass
class Person:
    """Pauses and resumes, retries and discards, again and again."""

    wanted: set[str] = field(default_factory=set)
    """What is or may be discarded."""
    discarded: set[str] = field(default_factory=set)
    """What is discarded: the daemon has said so."""

    async def act_until_killed(self, daemon: Daemon) -> None:
        with suppress(*GONE):
            while True:
                await daemon.tell("/api/resume", target="team")
                await self._act(daemon)
                await daemon.tell("/api/pause", target="team", reason="a look")

    async def _act(self, daemon: Daemon) -> None:
        dead = await dead_letters(daemon)
        for id_ in dead[:1]:
            self.wanted.add(id_)
            self.discarded |= set((await daemon.tell("/api/discard", ids=[id_], reason="not this"))["discarded"])
        if dead[1:]:
            await daemon.tell("/api/retry", ids=dead[1:])


@dataclass
class Play:
    """Rounds on one data directory, and what is known of them."""

    daemon: Daemon
    sink: Sink
    customers: Sequence[Customer] = field(default_factory=lambda: [Customer(f"deal-{n}") for n in range(DEALS)])
    person: Person = field(default_factory=Person)
    oracle: Oracle = field(default_factory=Oracle)
    killed: Counter[str] = field(default_factory=Counter)

    async def rounds(self, planned: Sequence[Round]) -> None:
        """Play the rounds, then start once more and let everything settle."""
        self.daemon.write_rules(RULES)
        self.sink.judge = self.oracle
        for one in planned:
            await self._round(one)
        self.oracle.mild = True
        await self.daemon.start()
        await self._settle()

    async def _round(self, one: Round) -> None:
        await self.daemon.spawn("tests.support.crashing", one.point, str(one.passage))
        if await self.daemon.ready():
            load = [customer.post_until_killed(self.daemon.hook) for customer in self.customers]
            acting = asyncio.gather(*load, self.person.act_until_killed(self.daemon))
            try:
                await self.daemon.ended(PATIENCE)
            finally:
                await self.daemon.kill()
                await acting
        await self.daemon.ended(PATIENCE)
        self.killed[one.point] += 1
        said = self.daemon.log.count(f"{LAST_WORDS} {one.point}\n")  # the log's own thread may have had the last line
        assert said == self.killed[one.point], f"{one} was not where it ended"

    async def _settle(self) -> None:
        await self.daemon.tell("/api/resume", target="team")
        for customer in self.customers:
            await customer.post_what_is_owed(self.daemon.hook)
        await self.daemon.settle(60)
        while dead := await dead_letters(self.daemon):
            await self.daemon.tell("/api/retry", ids=dead)
            await self.daemon.settle(60)

    @property
    def acknowledged(self) -> dict[tuple[str, str], str]:
        """Event ids by deal and number."""
        told = ((customer.id, customer.acknowledged) for customer in self.customers)
        return {(deal, str(number)): event for deal, events in told for number, event in events.items()}

    @property
    def duplicates(self) -> int:
        """How many messages were accepted again."""
        return len(self.sink.accepted) - len({got.id for got in self.sink.accepted})

    async def check(self) -> None:
        """Hold everything to its promise."""
        assert await self.daemon.stop() == 0
        cancelled = await self._check_store()
        self._check_messages(cancelled)
        self._check_order()

    async def _check_store(self) -> set[str]:
        """Check that every acknowledged event is there, and all is finished; return the deliveries taken back."""
        store = await open_store(self.daemon.data)
        events = {event.id for event in await store.events(EventQuery(limit=1_000_000))}
        deliveries = await store.deliveries(DeliveryQuery(limit=1_000_000))
        await store.close()
        lost = self.acknowledged.keys() - {key for key, event in self.acknowledged.items() if event in events}
        assert not lost, "acknowledged events were lost"
        states = {delivery.id: delivery.state for delivery in deliveries}
        assert set(states.values()) <= {DeliveryState.DELIVERED, DeliveryState.CANCELLED}
        cancelled = {id_ for id_, state in states.items() if state is DeliveryState.CANCELLED}
        assert self.person.discarded <= cancelled <= self.person.wanted, "a discard was lost, or made up"
        return cancelled

    def _check_messages(self, cancelled: set[str]) -> None:
        made: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        for got in self.sink.got:
            made[got.path, got.body["deal"], got.body["number"]].add(got.id)
        assert {len(ids) for ids in made.values()} == {1}, "a message came twice under different ids"
        accepted = {(got.path, got.body["deal"], got.body["number"]) for got in self.sink.accepted}
        assert not {("/team", *key) for key in self.acknowledged} - accepted, "expected messages were lost"
        missing = {("/picky", *key) for key in self.acknowledged} - accepted
        assert all(made[key] <= cancelled for key in missing), "a message was lost that nobody discarded"

    def _check_order(self) -> None:
        for customer in self.customers:
            came = [got for got in self.sink.got if got.path == "/team" and got.body["deal"] == customer.id]
            numbers = [int(number) for number, _ in groupby(got.body["number"] for got in came)]
            assert all(earlier < later for earlier, later in pairwise(numbers)), f"{customer.id} came out of order"


async def dead_letters(daemon: Daemon) -> list[str]:
    found = (await daemon.ask("/api/deliveries?state=dead&limit=1000"))["deliveries"]
    return [delivery["id"] for delivery in found]


def by_turns(begin: int, count: int) -> list[Round]:
    """Return rounds of which many in a row are at every point, and then again at another passage."""
    names = list(POINTS)
    turns = (divmod(n, len(names)) for n in range(begin, begin + count))
    return [Round.of(names[place], PASSAGES[turn % len(PASSAGES)]) for turn, place in turns]


def at_random(generator: random.Random) -> Iterator[Round]:
    """Yield rounds for ever."""
    while True:
        yield Round.of(generator.choice(list(POINTS)), generator.randint(1, 6))


async def play(planned: Sequence[Round], folder: Path) -> Play:
    """Play rounds, and check them."""
    async with Sink() as sink:
        played = Play(Daemon(folder, sink.url), sink)
        try:
            await played.rounds(planned)
            await played.check()
        finally:
            await played.daemon.kill()
        return played


async def play_many(rounds: int, seed: int) -> None:
    """Play rounds at random, so many on each data directory and two of these at a time, and tell of them."""
    plan = at_random(random.Random(seed))  # noqa: S311 (no secret)
    planned = [list(islice(plan, min(TOGETHER, rounds - begun))) for begun in range(0, rounds, TOGETHER)]
    two = asyncio.Semaphore(2)

    async def play_some(some: Sequence[Round]) -> Play:
        async with two:
            with tempfile.TemporaryDirectory() as folder:
                played = await play(some, Path(folder))
        sys.stdout.write(f"{told([played])}\n")
        return played

    sys.stdout.write(f"in all {told(await asyncio.gather(*map(play_some, planned)))}\n")


def told(played: Sequence[Play]) -> str:
    """Return the figures of rounds that were checked: what is lost, or came out of order, does not get here."""
    killed = sum((one.killed for one in played), Counter())
    acknowledged = sum(len(one.acknowledged) for one in played)
    accepted = sum(len(one.sink.accepted) for one in played)
    return (
        f"{killed.total()} rounds at {len(killed)} points: {acknowledged} events acknowledged, 0 lost; "
        f"{accepted} messages accepted, 0 lost, {sum(one.duplicates for one in played)} of them again"
    )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))  # noqa: S311 (no secret)
    arguments = parser.parse_args()
    sys.stdout.write(f"seed {arguments.seed}\n")
    asyncio.run(play_many(arguments.rounds, arguments.seed))


if __name__ == "__main__":
    main()
