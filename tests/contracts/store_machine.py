"""Everything that can happen to deliveries, in any order, beside a model of what should come of it."""

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bridge.model import DeliveryState, EventState, Outcome, RoutedEvent
from bridge.store.base import Claim, DeliveryQuery, Settlement, Store
from tests.contracts.store_model import UNFINISHED, Model, Row, facts_of
from tests.contracts.store_steps import a_delivery, an_event, attempt_at, decided
from tests.support.clock import ManualClock

TARGETS = ("sales", "billing")

ResultT = TypeVar("ResultT")

targets = st.sampled_from(TARGETS)
keys = st.sampled_from(("deal:1", "deal:2"))
endings = st.sampled_from((DeliveryState.DELIVERED, DeliveryState.DEAD, DeliveryState.PENDING, DeliveryState.CANCELLED))


class DeliveryMachine(RuleBasedStateMachine):
    """An engine's test module makes a subclass that knows how to open a store."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.model = Model()
        self.held: list[Claim] = []
        self.lost: list[Claim] = []
        self.runner = asyncio.Runner()

    @abstractmethod
    async def open(self) -> Store:
        """Return an empty store on this clock."""

    @initialize()
    def start(self) -> None:
        self.store = self.do(self.open())

    def teardown(self) -> None:
        self.do(self.store.close())
        self.runner.close()

    def do(self, step: Awaitable[ResultT]) -> ResultT:
        async def run() -> ResultT:
            return await step

        return self.runner.run(run())

    @rule(to=targets, planned=st.lists(keys, min_size=1, max_size=3))
    def plan(self, to: str, planned: list[str]) -> None:
        event = an_event(self.clock)
        self.do(self.store.add(event))
        deliveries = tuple(
            a_delivery(event.id, self.clock, key, target=to, entry=entry) for entry, key in enumerate(planned)
        )
        self.do(decided(self.store, RoutedEvent(event.id, EventState.ROUTED, deliveries=deliveries)))
        self.model.rows += [Row(d.id, d.event_id, d.entry, d.target, d.key, d.due_at) for d in deliveries]

    @rule(seconds=st.integers(1, 90))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    @rule(of=targets, limit=st.integers(0, 3), seconds=st.integers(1, 60))
    def claim(self, of: str, limit: int, seconds: int) -> None:
        claims = self.do(self.store.claim(of, limit, timedelta(seconds=seconds)))
        expected = self.model.due(of, self.clock.now())[:limit]
        assert [(c.delivery.id, c.trigger) for c in claims] == [(row.id, row.trigger) for row in expected]
        for row in expected:
            row.state = DeliveryState.DELIVERING
            row.leased_until = self.clock.now() + timedelta(seconds=seconds)
        self.held += claims

    @precondition(lambda self: self.held)
    @rule(data=st.data(), state=endings, seconds=st.integers(0, 60))
    def record(self, data: st.DataObject, state: DeliveryState, seconds: int) -> None:
        claim = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        due_at = self.clock.now() + timedelta(seconds=seconds) if state is DeliveryState.PENDING else None
        attempt = attempt_at(claim, self.clock, Outcome.TRANSIENT)
        assert self.do(self.store.record(claim, attempt, Settlement(state, due_at=due_at)))
        self._settle(self.model.find(claim.delivery.id), state)
        self.model.find(claim.delivery.id).due_at = due_at or claim.delivery.due_at
        self.lost.append(claim)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        claim = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        self.do(self.store.release([claim]))
        self.model.find(claim.delivery.id).state = DeliveryState.PENDING
        self.lost.append(claim)

    @precondition(lambda self: self.lost)
    @rule(data=st.data())
    def come_late(self, data: st.DataObject) -> None:
        claim = data.draw(st.sampled_from(self.lost))
        attempt = attempt_at(claim, self.clock)
        assert not self.do(self.store.record(claim, attempt, Settlement(DeliveryState.DELIVERED)))
        self.do(self.store.release([claim]))

    @rule(everything=st.booleans())
    def rescue(self, *, everything: bool) -> None:
        rescued = self.do(self.store.rescue(everything=everything))
        expected = self.model.leased(None if everything else self.clock.now())
        for row in expected:
            self._settle(row, DeliveryState.PENDING)
        assert [facts_of(delivery) for delivery in rescued] == [row.facts for row in expected]
        ids = {row.id for row in expected}
        self.lost += [claim for claim in self.held if claim.delivery.id in ids]
        self.held = [claim for claim in self.held if claim.delivery.id not in ids]

    @precondition(lambda self: self.model.rows)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        row = data.draw(st.sampled_from(self.model.rows))
        possible = row.state in (DeliveryState.DEAD, DeliveryState.PENDING)
        assert self.do(self.store.retry([row.id])) == ([row.id] if possible else [])
        if possible:
            row.state, row.trigger, row.due_at = DeliveryState.PENDING, "person", min(row.due_at, self.clock.now())

    @rule(present=st.sets(targets))
    def lose_and_find_targets(self, present: set[str]) -> None:
        gone, back = self.model.parking(present)
        assert self.do(self.store.park_except(sorted(present))) == (len(gone), len(back))
        for row in gone:
            row.state = DeliveryState.PARKED
        for row in back:
            row.state = DeliveryState.PENDING

    @precondition(lambda self: self.model.rows)
    @rule(data=st.data(), again=st.booleans())
    def replay(self, data: st.DataObject, *, again: bool) -> None:
        row = data.draw(st.sampled_from(self.model.rows))
        anew = a_delivery(row.event_id, self.clock, row.key, target=row.target, entry=row.entry)
        routed = RoutedEvent(row.event_id, EventState.ROUTED, deliveries=(anew,))
        served = UNFINISHED | {DeliveryState.DELIVERED}
        siblings = [r for r in self.model.rows if (r.event_id, r.entry) == (row.event_id, row.entry)]
        expected = again or all(sibling.state not in served for sibling in siblings)
        assert [delivery.id for delivery in self.do(self.store.replay(routed, again=again))] == [anew.id] * expected
        if expected:
            self.model.rows.append(Row(anew.id, anew.event_id, anew.entry, anew.target, anew.key, anew.due_at))

    @invariant()
    def every_delivery_is_where_the_model_has_it(self) -> None:
        stored = self.do(self.store.deliveries(DeliveryQuery(limit=1000)))
        assert [facts_of(delivery) for delivery in reversed(stored)] == [row.facts for row in self.model.rows]

    @invariant()
    def the_next_due_time_is_that_of_the_model(self) -> None:
        for target in TARGETS:
            due = [row.due_at for row in self.model.claimable(target)]
            assert self.do(self.store.next_due(target)) == min(due, default=None)

    def _settle(self, row: Row, state: DeliveryState) -> None:
        row.state, row.trigger, row.leased_until = state, "schedule", None
        row.attempts += 1
