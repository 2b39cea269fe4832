"""The webhooks that are registered: one event name and one address each. Both APIs manage the same ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from bridge.rdstation.catalog import EVENTS
from bridge.simulator.chance import Chance
from bridge.simulator.clock import VirtualClock

Status: TypeAlias = Literal["active", "suspended", "inactive"]


class RefusedError(Exception):
    """A webhook that cannot be registered so: which field it is about, and why."""

    def __init__(self, field: str, code: str, message: str) -> None:
        """Keep the field, a code in capitals and a sentence."""
        super().__init__(message)
        self.field = field
        self.code = code
        self.message = message


@dataclass(slots=True, eq=False)
class Registration:
    """A registered webhook. ``auth_header`` with the value ``auth_key`` goes along with what is posted."""

    id: str
    event_name: str
    url: str
    created_at: datetime
    updated_at: datetime
    name: str | None = None
    auth_header: str | None = None
    auth_key: str | None = None
    status: Status = "active"

    @property
    def headers(self) -> dict[str, str]:
        """Return the header that proves who posts, if one was asked for."""
        return {self.auth_header: self.auth_key} if self.auth_header and self.auth_key else {}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a webhook is to be."""

    event_name: str
    url: str
    name: str | None = None
    auth_header: str | None = None
    auth_key: str | None = None
    status: Status = "active"


class Registry:
    """All registered webhooks by their ids."""

    def __init__(self, clock: VirtualClock, chance: Chance) -> None:
        """Begin with none."""
        self._clock = clock
        self._chance = chance
        self._known: dict[str, Registration] = {}

    def __iter__(self) -> Iterator[Registration]:
        """Yield each, oldest first."""
        return iter(list(self._known.values()))

    def get(self, id_: str) -> Registration | None:
        """Return one by its id."""
        return self._known.get(id_)

    def check(self, wish: Wish, but: Registration | None = None) -> None:
        """See whether a webhook may be so.

        Raises:
            RefusedError: there is no such event, the address is none, or another one has both already.
        """
        if wish.event_name not in EVENTS:
            raise RefusedError("event_type", "INVALID_OPTION", "is not included in the list")
        if not wish.url.startswith(("http://", "https://")):
            raise RefusedError("url", "INVALID_FORMAT", "is invalid")
        if (wish.auth_header is None) != (wish.auth_key is None):
            raise RefusedError("auth_key", "CANNOT_BE_BLANK", "must be given together with auth_header")
        if any((each.event_name, each.url) == (wish.event_name, wish.url) for each in self if each is not but):
            raise RefusedError("url", "ALREADY_TAKEN", "has already been taken")

    def add(self, wish: Wish) -> Registration:
        """Register a webhook that was found to be allowed."""
        now = self._clock.now()
        made = Registration(self._chance.uuid(), wish.event_name, wish.url, now, now)
        self._known[made.id] = made
        self._apply(made, wish)
        return made

    def update(self, registration: Registration, wish: Wish) -> None:
        """Change a webhook; one that was suspended is active again, unless something else is wished."""
        self._apply(registration, wish)
        registration.updated_at = self._clock.now()

    def remove(self, registration: Registration) -> None:
        """Forget a webhook."""
        del self._known[registration.id]

    def listening(self, event_name: str) -> list[Registration]:
        """Return the active webhooks of an event."""
        return [each for each in self if each.event_name == event_name and each.status == "active"]

    def suspend(self, url: str) -> int:
        """Suspend every active webhook of an address; return how many there were."""
        found = [each for each in self if each.url == url and each.status == "active"]
        for each in found:
            each.status, each.updated_at = "suspended", self._clock.now()
        return len(found)

    def _apply(self, registration: Registration, wish: Wish) -> None:
        registration.event_name, registration.url, registration.name = wish.event_name, wish.url, wish.name
        registration.auth_header, registration.auth_key = wish.auth_header, wish.auth_key
        registration.status = wish.status
