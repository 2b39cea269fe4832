"""The API of a source, as the rest of bridge uses it: what it can be asked, whichever CRM answers."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Literal, Protocol, TypeAlias

from bridge.model import Entity, JsonObject
from bridge.options import Secret

RegistrationStatus: TypeAlias = Literal["active", "suspended", "inactive"]


class Urgency(IntEnum):
    """Who is served first where an API allows only so many requests: the lowest."""

    MESSAGE = 0
    """A message waits for a name."""
    PERSON = 1
    """A person waits, or the webhooks themselves are looked after."""
    REPAIR = 2
    """Nobody waits: what was missed is looked for, or a cache is filled."""


@dataclass(frozen=True, slots=True)
class Registration:
    """A webhook as the API has it registered: one event name, and the address that it is posted to."""

    id: str
    event: str
    url: str
    status: RegistrationStatus

    def __repr__(self) -> str:
        """Return all but the address, in which a secret stands."""
        return f"<Registration {self.id} {self.event} {self.status}>"


@dataclass(frozen=True, slots=True)
class Address:
    """Where webhooks are to be posted, and the header that they are to carry, if any."""

    url: str
    header: tuple[str, Secret] | None = None

    def __repr__(self) -> str:
        """Return nothing of the address: a secret stands in it."""
        return "<Address>"


Wanted: TypeAlias = Callable[[JsonObject], Awaitable[bool]]
"""Tells of an entity, as a list holds it, whether it is news; it is asked of each that a list holds."""


async def everything(_: JsonObject) -> bool:
    """Want all of them."""
    return True


class Remote(Protocol):
    """The API of one source.

    An entity comes as a webhook of the source would hold it, and may hold more.
    All that it is asked may raise the errors of ``RemoteError``. It waits for the pace that the API allows, and
    repeats what failed and does no harm twice.
    """

    @property
    def near(self) -> bool:
        """Tell whether the API is on this machine, as a simulated one is: it reaches bridge where others do not."""

    @property
    def patience(self) -> float:
        """Return how many seconds a message waits at most for what has to be asked for."""

    @property
    def left(self) -> int:
        """Return how many requests the API would take just now."""

    async def identity(self) -> str:
        """Return whose account the credentials open, for a person to read."""

    def sign_in_page(self, redirect: str, state: str) -> str | None:
        """Return the page on which a person allows access, and which leads back to an address; None without one."""

    async def sign_in(self, code: str, redirect: str) -> None:
        """Take the code that the page led back with."""

    async def registrations(self) -> Sequence[Registration]:
        """Return every webhook that is registered, whoever registered it."""

    async def register(self, event: str, address: Address) -> Registration:
        """Have an event posted to an address from now on."""

    async def activate(self, registration: Registration, address: Address) -> Registration:
        """Have a registered webhook posted again, to this address."""

    async def unregister(self, id_: str) -> None:
        """Have a webhook posted no more; it is no error if it is not registered."""

    async def document(self, entity: Entity, urgency: Urgency) -> JsonObject | None:
        """Return an entity as a webhook of the source would hold it now; None if there is none such."""

    async def related(self, entity: Entity, name: str, urgency: Urgency) -> Sequence[JsonObject]:
        """Return the entities that one has under a name, where no webhook tells their ids: the contacts of a deal."""

    async def listed(self, kind: str, urgency: Urgency = Urgency.REPAIR) -> Sequence[JsonObject]:
        """Return all there are of a kind of which an account has few: its people, stages, pipelines, lost reasons."""

    def changed(self, kind: str, since: datetime, wanted: Wanted = everything) -> AsyncIterator[JsonObject]:
        """Yield every entity of a kind that was edited since; in no order, and maybe twice.

        Where lists hold less than all of an entity, only those that are ``wanted`` are asked for by themselves.
        """

    def present(self, kind: str) -> AsyncGenerator[str]:
        """Yield the id of every entity of a kind that lists hold, in no order; where lists have an end, not of all."""
