"""Entities that templates reach from the one an event is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from bridge.model.events import Entity
from bridge.model.values import Json


class Reach(NamedTuple):
    """What is reached from an entity of a source, by a name: ``task.deal``."""

    source: str
    entity: Entity
    name: str

    def __str__(self) -> str:
        """Return it as templates write it."""
        return f"{self.entity.kind}.{self.name}"


@dataclass(frozen=True, slots=True)
class Want:
    """What a message has to say of related entities.

    ``ids`` are those that the document tells. Where it tells none, they stand at ``path`` of the whole document, or the
    source's API knows the entities themselves.
    """

    reach: Reach
    kind: str
    ids: tuple[str, ...]
    path: str
    many: bool = False


Related: TypeAlias = Mapping[Reach, Json]
"""What was found: an object, or a list of them; None where there is none. What could not be found out is not there."""
