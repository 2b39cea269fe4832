"""Which webhooks are to be registered, beside those that are: a plan that can be shown, and carried out again.

A webhook is ours if its address begins like that of the source, whatever secret follows. No other is ever touched.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bridge.component.remote import Address, Registration, Remote
from bridge.component.source import AnySource
from bridge.errors import RemoteError
from bridge.ruleset import Ruleset


class Act(StrEnum):
    """What is done about one webhook."""

    KEEP = "keep"
    CREATE = "create"
    MOVE = "move"
    ACTIVATE = "activate"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Step:
    """One act; ``registered`` is what it is done to, if there is something yet."""

    act: Act
    event: str
    registered: Registration | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a step; ``error`` is why it failed."""

    step: Step
    error: str | None = None


def events_wanted(ruleset: Ruleset, source: AnySource) -> frozenset[str]:
    """Return the events of a source that its webhooks have to bring: what routes listen to, and what that needs."""
    heard = {name for route in ruleset.routes for name in route.events}
    for route in ruleset.routes:
        heard |= {name for entry in route.deliver for listener in entry.unless for name in listener.events}
    return source.needed(frozenset(heard & source.events.keys()))


def plan(wanted: Iterable[str], registered: Sequence[Registration], address: Address, ours: str) -> tuple[Step, ...]:
    """Return what is to be done so that each wanted event is posted to the address, once.

    ``ours`` is how the addresses of this source begin, without a secret.
    """
    own = [each for each in registered if is_below(each.url, ours)]
    steps, left = list[Step](), set(own)
    for event in sorted(wanted):
        found = sorted((each for each in own if each.event == event), key=lambda each: _fitness(each, address))
        steps.append(_step(event, found[0] if found else None, address))
        left.difference_update(found[:1])
    steps += [Step(Act.DELETE, each.event, each) for each in sorted(left, key=lambda each: (each.event, each.id))]
    return tuple(steps)


def is_below(url: str, ours: str) -> bool:
    """Tell whether an address is that of a source, or lies below it, whatever secret follows."""
    return f"{url}/".startswith(f"{ours}/")


async def carry_out(steps: Iterable[Step], remote: Remote, address: Address) -> tuple[Done, ...]:
    """Take the steps one after another; one that fails keeps no other from being taken."""
    done: list[Done] = []
    for step in steps:
        try:
            await _take(step, remote, address)
            done.append(Done(step))
        except RemoteError as error:
            done.append(Done(step, str(error)))
    return tuple(done)


def _step(event: str, registered: Registration | None, address: Address) -> Step:
    if registered is None:
        return Step(Act.CREATE, event)
    if registered.url != address.url:
        return Step(Act.MOVE, event, registered)
    return Step(Act.KEEP if registered.status == "active" else Act.ACTIVATE, event, registered)


def _fitness(registered: Registration, address: Address) -> tuple[bool, bool, str]:
    return registered.url != address.url, registered.status != "active", registered.id


async def _take(step: Step, remote: Remote, address: Address) -> None:
    if step.act is Act.CREATE:
        await remote.register(step.event, address)
    elif step.registered and step.act in {Act.MOVE, Act.ACTIVATE, Act.UPDATE}:
        await remote.activate(step.registered, address)
    elif step.registered and step.act is Act.DELETE:
        await remote.unregister(step.registered.id)
