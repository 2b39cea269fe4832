"""What really happened in the simulated CRM, to compare with what was told of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from bridge.model import JsonObject
from bridge.simulator.posting import Try


class Closing(NamedTuple):
    """A deal that was won or lost."""

    deal_id: str
    name: str
    status: Literal["won", "lost"]
    at: datetime


@dataclass(frozen=True, slots=True)
class Truth:
    """All closings in their order, each entity as it was last told of, and every try to post a webhook.

    ``entities`` has each one that was there at any time, by kind and id: its last document, None if it was deleted.
    """

    closings: Sequence[Closing]
    entities: Mapping[tuple[str, str], JsonObject | None]
    tries: Sequence[Try]
    lost: Sequence[Try]
    """The tries after which an event was given up."""
