"""Runs tests, one after another: each on a stage of its own, from its first step to the first that fails."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.config.trial_frame import YEARS, EventFrame, SendFrame, UntilFrame, WaitFrame
from bridge.config.trials import Named, Step, Trial
from bridge.control.explaining import Explainer
from bridge.control.shapes import Shape
from bridge.errors import BridgeError
from bridge.model import Json
from bridge.options import Place
from bridge.ruleset import Ruleset
from bridge.store.nouns import DeliveryQuery
from bridge.trial.accounting import Account, Seen, account
from bridge.trial.clock import MovedClock
from bridge.trial.sending import Cast
from bridge.trial.stage import Stage

APART = timedelta(seconds=1)
"""The time between one event and the next: the CRM does not date two edits alike."""
ALL = 10_000
"""Deliveries of one test at most."""

NOTHING_WRONG = Account((), ())


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, and where; ``explanations`` are of the events since the `expect` before.

    ``speakers`` are the routes that deliver to each target.
    """

    place: Place
    message: str = ""
    account: Account = NOTHING_WRONG
    explanations: tuple[Shape, ...] = ()
    speakers: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """How a test went, and how many seconds it took."""

    trial: Trial
    seconds: float
    failure: Failure | None = None


class Runner:
    """Runs the tests of one ruleset, which was loaded with the same clock."""

    def __init__(self, rules: Ruleset, named: Named, clock: MovedClock) -> None:
        """Take the rules; they tell the time by the clock."""
        self._rules = rules
        self._named = named
        self._clock = clock

    def run(self, trial: Trial) -> Result:
        """Run one test."""
        began = time.perf_counter()
        failure = asyncio.run(self._run(trial))
        return Result(trial, time.perf_counter() - began, failure)

    async def _run(self, trial: Trial) -> Failure | None:
        self._clock.set(trial.begin)
        async with Stage.built(self._rules, trial.answers, self._clock) as stage:
            course = _Course(stage, self._rules, self._named, self._clock)
            for step in trial.steps:
                try:
                    failure = await course.take(step)
                except BridgeError as error:
                    failure = Failure(step.place, str(error))
                if failure:
                    return failure
        return None


@dataclass
class _Course:
    """How far a test has come."""

    stage: Stage
    rules: Ruleset
    named: Named
    clock: MovedClock
    cast: Cast = field(default_factory=Cast)
    last_event: datetime | None = None
    recent: list[str] = field(default_factory=list)
    accounted: dict[str, tuple[str, int]] = field(default_factory=dict)

    async def take(self, step: Step) -> Failure | None:
        """Take one step."""
        match step.said:
            case SendFrame() as said:
                await self._tick()
                bodies = self.cast.bodies(self.named.readers[step.source], said, self.clock.now())
                await self._arrive(bodies, step.source)
            case EventFrame():
                await self._tick()
                await self._arrive([step.body or {}], step.source)
            case WaitFrame(wait=span):
                await self._go_on(span)
            case UntilFrame(until=moment):
                await self._until(moment)
            case _:
                return await self._expect(step)
        return None

    async def _tick(self) -> None:
        if self.last_event:
            await self.stage.until(self.clock.now() + APART)
        self.last_event = self.clock.now()

    async def _arrive(self, bodies: Sequence[Json], source: str) -> None:
        explainer = Explainer(self.rules, self.clock)
        for body in bodies:
            event = explainer.arrived(body, source)
            self.recent.append(event.id)
            await self.stage.arrive(event)

    async def _go_on(self, span: timedelta) -> None:
        if self.clock.now().year + span.days // 365 >= YEARS.stop:
            raise BridgeError(f"a test ends in the year {YEARS[-1]}")
        await self.stage.until(self.clock.now() + span)

    async def _until(self, moment: str) -> None:
        end = next_moment(moment, self.clock.now(), self.named.timezone)
        if end < self.clock.now():
            raise BridgeError(
                f"{moment} is over: the test is at {self.clock.now().astimezone(self.named.timezone):%Y-%m-%d %H:%M}"
            )
        await self.stage.until(end)

    async def _expect(self, step: Step) -> Failure | None:
        await self.stage.settle()
        seen = [await self._seen(delivery_id) for delivery_id in await self._news()]
        found = account(step.expected, seen, self.named.timezone)
        explanations = [await self._explained(event_id) for event_id in self.recent] if found.missing else []
        self.recent.clear()
        if found.missing or found.unexpected:
            return Failure(step.place, account=found, explanations=tuple(explanations), speakers=self._speakers())
        return None

    def _speakers(self) -> Mapping[str, frozenset[str]]:
        return {
            target: frozenset(route.name for route in self.rules.routes if target in {e.target for e in route.deliver})
            for target in self.rules.targets
        }

    async def _news(self) -> Sequence[str]:
        """Return the deliveries that are not as they were at the last `expect`, oldest first."""
        found = await self.stage.store.deliveries(DeliveryQuery(limit=ALL, oldest_first=True))
        now = {delivery.id: (str(delivery.state), delivery.attempts) for delivery in found}
        news = [id_ for id_, state in now.items() if self.accounted.get(id_) != state]
        self.accounted = now
        return news

    async def _seen(self, delivery_id: str) -> Seen:
        delivery = await self.stage.store.delivery(delivery_id)
        if delivery is None:
            raise BridgeError(f"the delivery {delivery_id} is gone")
        attempts = await self.stage.store.attempts(delivery_id)
        at = attempts[-1].started_at if attempts else delivery.created_at
        return Seen(delivery, at, (at - self.last_event).total_seconds() if self.last_event else 0)

    async def _explained(self, event_id: str) -> Shape:
        event = await self.stage.store.event(event_id)
        if event is None:
            return {"event": {"id": event_id}, "state": "duplicate", "reason": "it arrived before", "routes": []}
        explainer = Explainer(self.rules, self.clock)
        return explainer.shape(explainer.stored(event, await self.stage.store.preceding(event)))


def next_moment(written: str, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment of a date and a time, or the next at which it is that time."""
    if len(written) > len("18:00"):
        return datetime.fromisoformat(written).replace(tzinfo=zone)
    local = now.astimezone(zone)
    then = local.replace(hour=int(written[:2]), minute=int(written[3:]), second=0, microsecond=0)
    return then if then > local else then + timedelta(days=1)
