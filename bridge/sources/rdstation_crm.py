"""RD Station CRM: reads its webhooks, and knows its entities, triggers and pages."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from bridge.component.http import Http
from bridge.component.remote import Remote
from bridge.component.source import Found, NamedTrigger, Relation, Source, SourceOptions
from bridge.model import Action, Entity, EntityState, Envelope, Event, JsonObject, Origin, Reading
from bridge.rdstation import (
    CERTAIN,
    CHOICES,
    DATED_BY,
    EVENTS,
    MEANINGS,
    QUIET,
    REFERENCES,
    RELATED_SHAPES,
    RELATIONS,
    SHAPES,
    TRIGGERS,
    example,
    normalise,
    sample,
    samples,
    story,
)
from bridge.rdstation.api.options import ApiOptions
from bridge.rdstation.labels import AMOUNTS, LABELS
from bridge.rdstation.missing import DELETIONS, REPAIRABLE, baseline, gone, missed
from bridge.rdstation.timestamps import end_of_second, instant, microseconds
from bridge.rdstation.webhook import Webhook, parse

USUAL = re.compile(r"[0-9A-Za-z_.~-]+")
"""What percent-encoding leaves alone."""
FRESH = timedelta(minutes=10)
"""What lies at most between a closing or completion and `updated_at` within which the document dates its own change."""
AHEAD = timedelta(days=1)
"""How far a time may lie after arrival: clocks differ, but the year 2199 would make all that follows stale."""


class RdStationCrmOptions(SourceOptions):
    """What RD Station CRM takes."""

    api: ApiOptions | None = None
    """Access to the CRM's own API: for names that webhooks leave out, to register webhooks, and to close gaps."""


class RdStationCrm(Source[RdStationCrmOptions]):
    """RD Station CRM, all eight entities, both dialects of its deals."""

    Options = RdStationCrmOptions
    triggers: ClassVar[Mapping[str, NamedTrigger]] = TRIGGERS
    events: ClassVar[Mapping[str, str]] = EVENTS
    shapes: ClassVar[Mapping[str, JsonObject]] = SHAPES
    references: ClassVar[Mapping[str, Mapping[str, str]]] = REFERENCES
    relations: ClassVar[Mapping[str, Mapping[str, Relation]]] = RELATIONS
    related_shapes: ClassVar[Mapping[str, JsonObject]] = RELATED_SHAPES
    choices: ClassVar[Mapping[str, Mapping[str, frozenset[str]]]] = CHOICES
    certain: ClassVar[Mapping[str, frozenset[str]]] = CERTAIN
    quiet: ClassVar[frozenset[str]] = QUIET
    labels: ClassVar[Mapping[str, Mapping[str, str]]] = LABELS
    amounts: ClassVar[frozenset[str]] = AMOUNTS
    repairable: ClassVar[Mapping[str, frozenset[str]]] = REPAIRABLE
    deletions: ClassVar[Mapping[str, str]] = DELETIONS

    def read(self, body: bytes) -> Envelope:
        """Read name, entity and dedup key; the same uuid may serve several events, so it never stands alone."""
        webhook = parse(body)
        entity = Entity(webhook.kind, webhook.id)
        return Envelope(webhook.name, entity, _dedup_key(webhook, body), instant(webhook.timestamp))

    def interpret(self, event: Event, last: JsonObject | None) -> Reading:
        """Return the document in full shape, ordered by `updated_at`, else by the event's time, else by arrival.

        A time that lies more than a day after arrival is none.

        Raises:
            UnreadableWebhookError: as ``read`` does.
        """
        webhook = parse(event.body)
        version = _version(webhook, event.received_at)
        return Reading(
            webhook.action,
            webhook.document,
            normalise(webhook.kind, webhook.document, last),
            version,
            _dated(webhook.kind, webhook.action, webhook.document, _since(webhook, event)),
        )

    def remote(self, http: Http, folder: Path, former: Remote | None = None) -> Remote | None:
        """Return the CRM's API, if ``api`` opens it."""
        if self.options.api is None:
            return None
        from bridge.rdstation.api.connecting import connect  # noqa: PLC0415 (its libraries are slow to load)

        return connect(self.options.api, http, folder / f"{self.name}.tokens", former)

    def whole(self, kind: str, document: JsonObject) -> JsonObject:
        """Return an entity that the CRM's API gave, in full shape."""
        return normalise(kind, document, None) if kind in SHAPES else {**RELATED_SHAPES.get(kind, {}), **document}

    @property
    def has_api(self) -> bool:
        """Tell whether there is an `api`."""
        return self.options.api is not None

    @property
    def repairs(self) -> bool:
        """Tell whether `repair` is `auto`."""
        return self.options.api is not None and self.options.api.repair == "auto"

    def edited(self, document: JsonObject) -> int | None:
        """Return when it was edited."""
        moment = instant(document.get("updated_at"))
        return None if moment is None else microseconds(moment)

    def missed(self, found: Found, last: EntityState | None) -> Sequence[JsonObject]:
        """Return what webhooks would have told: of a deal that was lost twice, that it was reopened in between."""
        return missed(found, last)

    def gone(self, last: EntityState, noticed: datetime) -> JsonObject:
        """Return the deletion of an entity, as its webhook would have told it."""
        return gone(last, noticed)

    def baseline(self, found: Found) -> JsonObject:
        """Return an update that tells how an entity is."""
        return baseline(found)

    @property
    def subscribes(self) -> bool:
        """Tell whether `subscribe` is `auto`."""
        return self.options.api is not None and self.options.api.subscribe == "auto"

    def needed(self, heard: frozenset[str]) -> frozenset[str]:
        """Return the events beside those that make and end what updates are told of.

        Without its creation an update would be the first sight of a deal, and what was deleted would live on.
        """
        updated = {EVENTS[name] for name in heard if MEANINGS[name][1] == "updated"}
        return heard | {name for name, kind in EVENTS.items() if kind in updated}

    def page(self, entity: Entity) -> str | None:
        """Return the page of a deal; no other entity's address is known."""
        return f"https://crm.rdstation.com/app/deals/{quote(entity.id, safe='')}" if entity.kind == "deal" else None

    def sample(self, name: str, now: datetime) -> JsonObject:
        """Return the official sample of an event name, or an example of a trigger, as if sent at ``now``."""
        return sample(name, now)

    def samples(self, now: datetime) -> Mapping[str, JsonObject]:
        """Return a sample of each of the 24 events."""
        return samples(now)

    def example(self, kind: str, now: datetime) -> JsonObject:
        """Return an entity with something in each of its fields, last edited at ``now``."""
        return example(kind, now)

    def story(self, name: str, now: datetime) -> Sequence[JsonObject]:
        """Return the webhooks after which a trigger fires, the last one at ``now``."""
        return story(name, now)


def _dedup_key(webhook: Webhook, body: bytes) -> str:
    """Join name, id and uuid (or a digest of the body) so that no two triples look the same."""
    nonce = _part(webhook.uuid) if webhook.uuid else f"body:{blake2b(body, digest_size=16).hexdigest()}"
    return f"{webhook.name}/{_part(webhook.id)}/{nonce}"


def _part(text: str) -> str:
    """Return a text without the sign that parts are joined with; nearly all are as they should be."""
    return text if USUAL.fullmatch(text) else quote(text, safe="")


def _version(webhook: Webhook, received_at: datetime) -> int:
    latest = received_at + AHEAD
    updated = instant(webhook.document.get("updated_at"))
    if updated is not None and updated <= latest:
        return microseconds(updated)
    announced = instant(webhook.timestamp)
    return microseconds(received_at) if announced is None or announced > latest else end_of_second(announced)


def _since(webhook: Webhook, event: Event) -> datetime | None:
    """Return since when edits were asked for, of a document that the API told."""
    return None if event.origin is Origin.WEBHOOK else instant(webhook.found_since)


def _dated(kind: str, action: Action, document: JsonObject, since: datetime | None) -> frozenset[str] | None:
    """Return what the document itself dates: everything at a creation, a status that closed with this very edit.

    The API tells the last of several edits: there a status counts that closed ``since`` they were asked for.
    """
    if action == "created":
        return None
    if action == "updated" and kind in DATED_BY:
        path, dating = DATED_BY[kind]
        at, edited = instant(document.get(dating)), instant(document.get("updated_at"))
        fresh = at is not None and edited is not None and (at >= since if since else abs(at - edited) <= FRESH)
        if fresh:
            return frozenset({path})
    return frozenset()
