"""A source: a configured system that posts webhooks. One module in ``bridge/sources`` is one type."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeAlias, TypeVar

from pydantic import model_validator

from bridge.component.base import Strict
from bridge.component.http import Http
from bridge.component.remote import Remote
from bridge.model import Entity, EntityState, Envelope, Event, JsonObject, Reading
from bridge.options import Secret
from bridge.options.quantity import Duration


class SourceOptions(Strict):
    """What every source takes."""

    secrets: tuple[Secret, ...] = ()
    """Secrets accepted in the address; several while one replaces another. Without any, bridge makes one."""
    auth_header: str | None = None
    """A header that may authenticate instead of the secret in the address; goes with `auth_key`."""
    auth_key: Secret | None = None
    """The value expected in `auth_header`."""
    silence: Duration | None = None
    """How long the source may send nothing before `bridge.source_silent` is told, such as `1d`. Unset: as is usual."""

    @model_validator(mode="after")
    def _header_and_key(self) -> Self:
        if (self.auth_header is None) != (self.auth_key is None):
            raise ValueError("auth_header and auth_key go together: one without the other opens nothing")
        return self


@dataclass(frozen=True, slots=True)
class NamedTrigger:
    """A documented combination of event names and matchers, such as ``deal.lost``.

    ``match`` is in the language of ``match:`` in routes.yaml. Descriptions are one line each.
    """

    name: str
    events: tuple[str, ...]
    description: str
    description_pt: str
    match: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Relation:
    """Other entities that templates reach from one, by a name of its own: ``task.deal``, ``task.owners``.

    ``path`` is where their id stands in the document, or their ids if there are ``many``; where none stand there, the
    source's API may know. ``completes`` says that the document holds a part of the entity under that name, such as its
    id alone, and what it lacks is filled in.
    """

    kind: str
    path: str
    many: bool = False
    completes: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """An entity as the API of its source tells of it, when it was asked for all that was edited ``since``.

    ``names`` are, per kind, the names of those it points at, by their ids.
    """

    kind: str
    document: JsonObject
    since: datetime
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


OptionsT = TypeVar("OptionsT", bound=SourceOptions)


class Source(ABC, Generic[OptionsT]):
    """Reads webhooks into envelopes, and events into documents. Pure: no I/O, no clock."""

    Options: ClassVar[type[SourceOptions]] = SourceOptions
    triggers: ClassVar[Mapping[str, NamedTrigger]] = {}
    events: ClassVar[Mapping[str, str]] = {}
    """Every event name the source may send, with the kind of entity it is about."""
    shapes: ClassVar[Mapping[str, JsonObject]] = {}
    """Per kind, an empty document in full shape: every known path is there, so a path that is not is misspelt.

    A leaf is None. An empty object is open (any key may follow); a list holds the shape of its items, if known.
    """
    references: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    """Per kind, the kinds it points at and by which path: ``{"task": {"deal": "deal_id"}}``."""
    relations: ClassVar[Mapping[str, Mapping[str, Relation]]] = {}
    """Per kind, what templates reach from it beside its own fields, by name."""
    related_shapes: ClassVar[Mapping[str, JsonObject]] = {}
    """Per kind that no event is about, such as people, an empty document in full shape."""
    choices: ClassVar[Mapping[str, Mapping[str, frozenset[str]]]] = {}
    """Per kind, the paths that hold one of a few known texts, and these texts."""
    certain: ClassVar[Mapping[str, frozenset[str]]] = {}
    """Per kind, the paths that are empty in no event, unless the entity was deleted before it was ever seen."""
    quiet: ClassVar[frozenset[str]] = frozenset()
    """Top-level fields that never count as a difference: they change with any edit, or repeat another field."""
    repairable: ClassVar[Mapping[str, frozenset[str]]] = {}
    """Per kind that the API lists by edit, in the order to be asked for, the kinds that hold names it leaves out."""
    deletions: ClassVar[Mapping[str, str]] = {}
    """Per kind that is ``repairable``, the event that tells of its deletion."""
    labels: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    """Per language (``pt``), what people call a path (``deal_stage.name``: Etapa) or value (``status=lost``: perdida).

    An empty label leaves a path out of what is told.
    """
    amounts: ClassVar[frozenset[str]] = frozenset()
    """Paths whose numbers are money in the account's currency."""

    def __init__(self, name: str, options: OptionsT) -> None:
        """Keep the name from routes.yaml and the parsed options."""
        self.name = name
        self.options = options

    @abstractmethod
    def read(self, body: bytes) -> Envelope:
        """Read the envelope of a webhook. Runs before the answer: microseconds only.

        Raises:
            UnreadableWebhookError: the body is no event of this source; the reason is stored beside it.
        """

    @abstractmethod
    def interpret(self, event: Event, last: JsonObject | None) -> Reading:
        """Return the event's document in the entity's full shape; ``last`` lends what the sender left out."""

    def remote(self, http: Http, folder: Path, former: Remote | None = None) -> Remote | None:
        """Return the API of the source, if its options open it; what that has to keep, it keeps in the folder.

        ``former`` is what its options before a reload opened: what still holds of that goes on, such as its pace.
        """
        return None

    def whole(self, kind: str, document: JsonObject) -> JsonObject:
        """Return an entity that the API of the source gave, in full shape."""
        return document

    @property
    def has_api(self) -> bool:
        """Tell whether the options open the API of the source; see ``remote``."""
        return False

    @property
    def repairs(self) -> bool:
        """Tell whether bridge is to look of its own accord for what was missed while no webhook came."""
        return False

    def edited(self, document: JsonObject) -> int | None:
        """Return the version of a document of the API; None if it has none."""
        return None

    def missed(self, found: Found, last: EntityState | None) -> Sequence[JsonObject]:
        """Return the bodies of the webhooks that must have been missed, oldest first, if ``last`` is what is known.

        The same edit gives the same bodies, whenever it is found. There are none if nothing is new.
        """
        return ()

    def gone(self, last: EntityState, noticed: datetime) -> JsonObject:
        """Return the body of the webhook that told of an entity's deletion, which nobody dates: it was ``noticed``.

        Of the same last state it is the same event, whenever it is noticed.

        Raises:
            KeyError: its kind is none of ``deletions``.
        """
        raise KeyError(last.entity.kind)

    def baseline(self, found: Found) -> JsonObject:
        """Return the body of a webhook that tells how an entity is.

        Raises:
            KeyError: its kind is none of ``repairable``.
        """
        raise KeyError(found.kind)

    @property
    def subscribes(self) -> bool:
        """Tell whether bridge is to register webhooks of its own accord."""
        return False

    def needed(self, heard: frozenset[str]) -> frozenset[str]:
        """Return the events that have to come so that routes which hear these can compare with what was before."""
        return heard

    def page(self, entity: Entity) -> str | None:
        """Return the address of the entity's page in the source's own web interface, if it has one."""
        return None

    def sample(self, name: str, now: datetime) -> JsonObject:
        """Return a sample webhook body for an event name or a trigger, as the source would send it at ``now``.

        Raises:
            KeyError: there is no such sample.
        """
        raise KeyError(name)

    def samples(self, now: datetime) -> Mapping[str, JsonObject]:
        """Return a sample body for every event name that has one."""
        return {}

    def example(self, kind: str, now: datetime) -> JsonObject:
        """Return a document in full shape with something in each of its fields; ``{}`` for want of one."""
        return {}

    def story(self, name: str, now: datetime) -> Sequence[JsonObject]:
        """Return the bodies after which a trigger fires for an entity never seen before, oldest first.

        The last one is the trigger's own, as ``sample`` gives it. An event name has a story of one.

        Raises:
            KeyError: there is no such sample.
        """
        return (self.sample(name, now),)


AnySource: TypeAlias = Source[Any]
"""A source whose type does not matter."""
