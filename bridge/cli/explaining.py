"""Finding what an explanation needs: the rules, the event, and what its entity was before."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from bridge.cli import body as bodies
from bridge.cli.connection import Control, NothingStoredError, connect, load_rules
from bridge.control.client import DaemonClient
from bridge.control.explaining import Explainer, type_of, with_links
from bridge.control.foretelling import Explained, Foreteller
from bridge.control.reading import event_from, state_from
from bridge.control.shapes import Shape
from bridge.errors import RequestRefusedError
from bridge.model import EntityState, Event, Json, SystemClock
from bridge.ruleset import Ruleset
from bridge.sources import _bridge


@dataclass(frozen=True, slots=True)
class Question:
    """What `bridge explain` was asked. ``own_rules`` says that the file decides, whatever a daemon has loaded."""

    event: str
    settings: tuple[str, ...]
    source: str | None
    data: Path
    routes: Path
    own_rules: bool = False

    async def answer(self) -> Shape:
        """Return the explanation, from the daemon, from a store beside it, or from the rules alone."""
        async with AsyncExitStack() as stack:
            control = await self._control(stack)
            if isinstance(control, DaemonClient) and not self.own_rules:
                return await self._ask(control)
            return await self._work_out(load_rules(self.routes), control)

    async def _control(self, stack: AsyncExitStack) -> "Control | None":
        try:
            return await stack.enter_async_context(connect(self.data))
        except NothingStoredError:
            return None

    async def _ask(self, daemon: DaemonClient) -> Shape:
        if self._is_stored:
            return await daemon.explain(self.event)
        sources = (await daemon.sources())["sources"]
        *before, body = self._story({source["name"]: source["type"] for source in sources})
        return await daemon.explain_body(body, self._named, before[-1] if before else None)

    async def _work_out(self, rules: Ruleset, control: "Control | None") -> Shape:
        explainer = Explainer(rules, SystemClock())
        told = await self._explained(explainer, rules, control)
        if control is None:
            return await with_links(explainer.shape(told), _no_link)
        told = await Foreteller(rules, SystemClock(), control).complete(told)
        return await with_links(explainer.shape(told), control.link)

    async def _explained(self, explainer: Explainer, rules: Ruleset, control: "Control | None") -> Explained:
        if self._is_stored:
            return await self._stored(explainer, control)
        *before, body = self._story(types_of(rules))
        event = explainer.arrived(body, self._named)
        if before:
            return explainer.following(event, explainer.arrived(before[-1], self._named))
        state = await last_state(control, event) if control else None
        return explainer.arriving(event, state)

    async def _stored(self, explainer: Explainer, control: "Control | None") -> Explained:
        if control is None:
            raise NothingStoredError(f"nothing is stored in {self.data}, so there is no event {self.event}")
        event = await control.event(self.event)
        preceding = await control.event(event["preceding"]) if event["preceding"] else None
        return explainer.stored(event_from(event), event_from(preceding) if preceding else None)

    @property
    def _is_stored(self) -> bool:
        return self.event.startswith(("evt_", "dlv_"))  # of a delivery too: that refusal says what to do

    @property
    def _named(self) -> str | None:
        """Return the source that was named, or bridge itself where one of its own events was."""
        return _bridge.NAME if self.event in _bridge.EVENTS else self.source

    def _story(self, types: Mapping[str, str]) -> Sequence[Json]:
        told: Sequence[Json]
        if self.event == "-" or self.event.endswith(".json") or Path(self.event).is_file():
            told = [bodies.read(self.event)]
        else:
            told = bodies.story(type_named(types, self._named), self.event, datetime.now(UTC))
        return bodies.changed(told, self.settings)


async def _no_link(target: str, key: str) -> None:
    """Find nothing: nothing is stored."""


def types_of(rules: Ruleset) -> dict[str, str]:
    """Return the type of every source by its name."""
    return {source.name: type_of(source) for source in rules.sources.values()}


def type_named(types: Mapping[str, str], source: str | None) -> str:
    """Return the type of a source, or of the only one.

    Raises:
        click.UsageError: there is no such source, or several and none was named.
    """
    if source == _bridge.NAME:
        return _bridge.NAME
    if source is None and len(set(types.values())) == 1:
        return next(iter(types.values()))
    if source is None or source not in types:
        raise click.UsageError(f"name the source with --source; there are: {', '.join(types)}")
    return types[source]


async def last_state(control: "Control", event: Event) -> EntityState | None:
    """Return what is known of an event's entity, if anything is."""
    if event.entity is None:
        return None
    try:
        known = await control.state(event.source, event.entity)
    except RequestRefusedError:
        return None
    return state_from(known)
