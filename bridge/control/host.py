"""What the process around lends to the operations: a daemon all of it, an offline command little."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Literal, TypeAlias, TypeVar

from bridge.component.remote import Remote
from bridge.delivery.reached import FindRelated, nothing_found
from bridge.errors import BridgeError, RequestRefusedError
from bridge.options import Problem
from bridge.remote.repairing import Repairs
from bridge.remote.subscriptions import Subscriptions
from bridge.ruleset import Ruleset

VERSION = version("bridge")

FoundT = TypeVar("FoundT")

_IDS = {
    "evt_": ("event", "an event: bridge events"),
    "dlv_": ("delivery", "a delivery, which names its event: bridge deliveries"),
}
"""What an id is of by its first letters, and the command that shows it."""

Reload: TypeAlias = Callable[[], Awaitable[Ruleset]]
"""Loads the rules anew; raises InvalidConfigurationError and keeps the old ones when they are broken."""
Announce: TypeAlias = Callable[[str, Literal["pause", "resume"], str | None], None]
"""Takes the target, what was done with it, and the reason of a pause."""


@dataclass(frozen=True, slots=True)
class Host:
    """The surroundings of ``Operations``; every default is what there is when no daemon runs.

    ``paths`` returns the paths a source is posted to (``/hooks/crm/<secret>``, several while a secret is replaced),
    ``headers`` what a webhook has to carry where its path alone opens nothing.
    ``public_url`` and ``local_url`` (without a slash at the end) go in front: the one that the sender reaches, and
    the one this machine reaches. ``ring`` is told which targets got work, ``hold`` which one is to get no more, and
    ``announce`` what a person did with a target and why, for those who should hear of it. ``no_room`` returns why
    webhooks are turned away, if they are. ``remote`` returns the API of a source, if it has one; ``look_up``
    finds what messages have to say of related entities, and
    ``repairs`` finds by it what was missed, where there is a store.
    """

    current: Callable[[], Ruleset | None]
    paths: Callable[[str], Sequence[str]] = lambda _: ()
    headers: Callable[[str], Mapping[str, str]] = lambda _: {}
    public_url: str | None = None
    local_url: str | None = None
    reload: Reload | None = None
    problems: Callable[[], Iterable[Problem | BridgeError]] = tuple
    no_room: Callable[[], str | None] = lambda: None
    ring: Callable[[Iterable[str]], None] = lambda _: None
    hold: Callable[[str], None] = lambda _: None
    announce: Announce = lambda *_: None
    started_at: datetime | None = None
    remote: Callable[[str], Remote | None] = lambda _: None
    look_up: FindRelated = nothing_found
    repairs: Repairs | None = None

    def rules(self) -> Ruleset:
        """Return the ruleset of the moment.

        Raises:
            RequestRefusedError: there is none (``no-rules``).
        """
        rules = self.current()
        if rules is None:
            raise RequestRefusedError("no rules are loaded", "no-rules")
        return rules

    def subscriptions(self) -> Subscriptions:
        """Return the webhooks that the rules of the moment want, at the addresses of this process."""
        return Subscriptions(self.rules, self.paths, self.headers, self.public_url, self.local_url)


def unknown(kind: str, name: str) -> RequestRefusedError:
    """Return the refusal of an id that is not stored; one of another kind is told as what it is."""
    other, command = _IDS.get(name[:4], (kind, ""))
    hint = "" if other == kind else f"; that is the id of {command} {name}"
    return RequestRefusedError(f'there is no {kind} "{name}"{hint}', "unknown-id")


async def each_of(
    kind: str, ids: Iterable[str], find: Callable[[str], Awaitable[FoundT | None]]
) -> AsyncIterator[FoundT]:
    """Yield what is stored under these ids, in their order and each once.

    Raises:
        RequestRefusedError: one is not stored (``unknown-id``).
    """
    for id_ in dict.fromkeys(ids):
        found = await find(id_)
        if found is None:
            raise unknown(kind, id_)
        yield found
