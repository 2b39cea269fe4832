"""Everything that can happen to deliveries, in any order, beside a model of what should come of it."""

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bridge.model import Delivery, DeliveryState, EventState, Limits, Outcome, RoutedEvent, Terms
from bridge.store.base import Store
from bridge.store.nouns import Claim, DeliveryQuery, Settlement
from tests.contracts.store_model import UNFINISHED, Model, Row, facts_of
from tests.contracts.store_steps import a_delivery, an_event, attempt_at, decided
from tests.support.clock import ManualClock

TARGETS = ("sales", "billing")

ResultT = TypeVar("ResultT")

targets = st.sampled_from(TARGETS)
keys = st.sampled_from(("deal:1", "deal:2"))
endings = st.sampled_from([s for s in DeliveryState if s not in {DeliveryState.DELIVERING, DeliveryState.DEFERRED}])
BY_A_PERSON = frozenset({DeliveryState.DEAD, DeliveryState.PENDING, DeliveryState.PARKED})


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

    @rule(to=targets, planned=st.lists(keys, min_size=1, max_size=3), supersede=st.booleans())
    def plan(self, to: str, planned: list[str], *, supersede: bool) -> None:
        event = an_event(self.clock)
        self.do(self.store.add(event))
        deliveries = tuple(
            replace(a_delivery(event.id, self.clock, key, target=to, entry=n), terms=Terms(supersedes=supersede))
            for n, key in enumerate(planned)
        )
        self.do(decided(self.store, RoutedEvent(event.id, EventState.ROUTED, deliveries=deliveries)))
        for delivery in deliveries:
            self._plan(delivery)

    @rule(seconds=st.integers(1, 90))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    @rule(of=targets, limit=st.integers(0, 4), seconds=st.integers(1, 60))
    def claim(self, of: str, limit: int, seconds: int) -> None:
        claims = self.do(self.store.claim(of, Limits(limit), timedelta(seconds=seconds)))
        expected = self.model.due(of, self.clock.now(), limit)
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
        assert self.do(self.store.record(claim, attempt, Settlement(state, due_at=due_at))).held
        self.model.find(claim.delivery.id).due_at = due_at or claim.delivery.due_at
        self._settle(self.model.find(claim.delivery.id), state)
        self.lost.append(claim)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        claim = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        self.do(self.store.release([claim]))
        self._change(self.model.find(claim.delivery.id), DeliveryState.PENDING)
        self.lost.append(claim)

    @precondition(lambda self: self.lost)
    @rule(data=st.data())
    def come_late(self, data: st.DataObject) -> None:
        claim = data.draw(st.sampled_from(self.lost))
        attempt = attempt_at(claim, self.clock)
        assert not self.do(self.store.record(claim, attempt, Settlement(DeliveryState.DELIVERED))).held
        self.do(self.store.release([claim]))

    @rule(everything=st.booleans())
    def rescue(self, *, everything: bool) -> None:
        rescued = self.do(self.store.rescue(everything=everything))
        expected = self.model.leased(None if everything else self.clock.now())
        for row in expected:
            self._settle(row, DeliveryState.PENDING)
        assert [delivery.id for delivery in rescued] == [row.id for row in expected]
        ids = {row.id for row in expected}
        self.lost += [claim for claim in self.held if claim.delivery.id in ids]
        self.held = [claim for claim in self.held if claim.delivery.id not in ids]

    @precondition(lambda self: self.model.rows)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        row = data.draw(st.sampled_from(self.model.rows))
        possible = row.state in BY_A_PERSON
        assert self.do(self.store.retry([row.id])) == ([row.id] if possible else [])
        if possible:
            row.trigger, row.due_at = "person", min(row.due_at, self.clock.now())
            self._change(row, DeliveryState.PENDING)

    @precondition(lambda self: self.model.rows)
    @rule(data=st.data())
    def discard(self, data: st.DataObject) -> None:
        row = data.draw(st.sampled_from(self.model.rows))
        possible = row.state in BY_A_PERSON
        assert self.do(self.store.discard([row.id], "not wanted")) == ([row.id] if possible else [])
        if possible:
            self._change(row, DeliveryState.CANCELLED)

    @rule(present=st.sets(targets))
    def lose_and_find_targets(self, present: set[str]) -> None:
        expected = self.model.adopt(present)
        assert self.do(self.store.adopt(sorted(present))) == expected
        known = {state.name for state in self.do(self.store.targets())}
        self.model.gone = known - present

    @rule(which=targets)
    def pause(self, which: str) -> None:
        assert self.do(self.store.pause(which, "a person")) is (which not in self.model.paused)
        self.model.paused.add(which)

    @rule(which=targets)
    def resume(self, which: str) -> None:
        assert self.do(self.store.resume(which)) is (which in self.model.paused)
        self.model.paused.discard(which)

    @precondition(lambda self: self.model.rows)
    @rule(data=st.data(), again=st.booleans())
    def replay(self, data: st.DataObject, *, again: bool) -> None:
        row = data.draw(st.sampled_from(self.model.rows))
        anew = a_delivery(row.event_id, self.clock, row.key, target=row.target, entry=row.entry)
        routed = RoutedEvent(row.event_id, EventState.ROUTED, deliveries=(anew,))
        served = UNFINISHED | {DeliveryState.DELIVERED}
        siblings = [r for r in self.model.rows if (r.event_id, r.entry) == (row.event_id, row.entry)]
        expected = again or not any(sibling.state in served or sibling.undone_by_replay for sibling in siblings)
        assert [delivery.id for delivery in self.do(self.store.replay(routed, again=again))] == [anew.id] * expected
        if expected:
            self._plan(anew)

    @invariant()
    def every_delivery_is_where_the_model_has_it(self) -> None:
        stored = self.do(self.store.deliveries(DeliveryQuery(limit=1000)))
        expected = [row.facts(self.model.held) for row in self.model.rows]
        assert [facts_of(delivery) for delivery in reversed(stored)] == expected

    @invariant()
    def the_next_due_time_is_that_of_the_model(self) -> None:
        for target in TARGETS:
            due = [row.due_at for row in self.model.claimable(target)]
            assert self.do(self.store.next_due(target, Limits())) == min(due, default=None)

    def _plan(self, delivery: Delivery) -> None:
        facts = delivery.id, delivery.event_id, delivery.entry, delivery.target, delivery.key, delivery.due_at
        self.model.plan(Row(*facts, supersedes=delivery.terms.supersedes), self.clock.now())

    def _settle(self, row: Row, state: DeliveryState) -> None:
        row.trigger, row.leased_until = "schedule", None
        row.attempts += 1
        self._change(row, state)

    def _change(self, row: Row, state: DeliveryState) -> None:
        row.state = state
        self.model.see_to_head(row, self.clock.now())
