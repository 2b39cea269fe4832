"""bridge itself: a source that nobody posts to and no file names. Its events are routed like any others.

What is told of one thing (a target, a source, the rules) is one entity, and every event an update of it, so that
``previous`` is what was told of it before. An event is never a duplicate, and never stale.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final, NamedTuple

import orjson

from bridge.component.source import NamedTrigger, Source, SourceOptions
from bridge.document import is_empty
from bridge.errors import UnreadableWebhookError
from bridge.model import Entity, Envelope, Event, JsonObject, Reading, new_id

NAME: Final = "bridge"
"""The name of this source, which no other may have."""
PREFIX: Final = f"{NAME}."
"""How the names of its events begin, and of no others."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)

_TOLD: Final = (
    ("target_paused", "target", "A target was paused.", "Um destino foi pausado."),
    ("target_resumed", "target", "A target was resumed.", "Um destino voltou a receber."),
    ("breaker_opened", "target", "The breaker of a target opened.", "O disjuntor de um destino abriu."),
    ("breaker_closed", "target", "The breaker of a target closed.", "O disjuntor de um destino fechou."),
    ("delivery_dead", "dead_letter", "Deliveries became dead letters.", "Entregas não chegaram."),
    ("backlog_growing", "backlog", "Much waits, and more and more.", "Há muita coisa esperando."),
    ("source_silent", "feed", "A source has been silent for long.", "Uma fonte está em silêncio."),
    ("source_suspended", "subscription", "The CRM posts webhooks no more.", "O CRM parou de enviar webhooks."),
    ("source_resumed", "subscription", "The CRM posts webhooks again.", "O CRM voltou a enviar webhooks."),
    ("reload_refused", "rules", "Changed rules were refused.", "Regras novas foram recusadas."),
    ("reload_recovered", "rules", "Refused rules were mended.", "As regras foram corrigidas."),
)

EVENTS: Final[Mapping[str, str]] = {PREFIX + name: kind for name, kind, *_ in _TOLD}
TRIGGERS: Final[Mapping[str, NamedTrigger]] = {
    PREFIX + name: NamedTrigger(PREFIX + name, (PREFIX + name,), english, portuguese)
    for name, _, english, portuguese in _TOLD
}

_SHAPES: Final[Mapping[str, tuple[str, ...]]] = {
    "target": ("name", "state", "reason", "by", "until", "waiting"),
    "dead_letter": ("target", "route", "count", "reason", "key", "delivery_id", "event_id", "event_name"),
    "backlog": ("waiting", "events", "deliveries", "threshold", "target", "target_waiting"),
    "feed": ("name", "silence", "hours", "last_event_at"),
    "subscription": ("name", "state", "count"),
    "rules": ("file", "state", "revision", "problem", "count"),
}
_LISTS: Final = {"rules": "problems", "subscription": "events"}
"""Per kind, the field that holds a list."""
SHAPES: Final[Mapping[str, JsonObject]] = {
    kind: {**dict.fromkeys(fields), **({_LISTS[kind]: []} if kind in _LISTS else {}), "at": None}
    for kind, fields in _SHAPES.items()
}

LABELS: Final[Mapping[str, Mapping[str, str]]] = {
    "pt": {
        "name": "Nome",
        "state": "Situação",
        "state=paused": "pausado",
        "state=open": "com o disjuntor aberto",
        "state=ready": "em serviço",
        "state=refused": "recusadas",
        "state=in_force": "em vigor",
        "state=suspended": "suspensos pelo CRM",
        "state=deleted": "apagados no CRM",
        "state=active": "ativos",
        "reason": "Motivo",
        "by": "Por",
        "by=person": "uma pessoa",
        "by=bridge": "o bridge",
        "until": "Até",
        "waiting": "Esperando",
        "target": "Destino",
        "route": "Regra",
        "count": "Quantidade",
        "key": "Chave",
        "delivery_id": "Entrega",
        "event_id": "Evento",
        "event_name": "Tipo de evento",
        "events": "Eventos",
        "deliveries": "Entregas",
        "threshold": "Limite de aviso",
        "target_waiting": "Esperando por ele",
        "silence": "Silêncio tolerado",
        "hours": "Horas em silêncio",
        "last_event_at": "Último evento",
        "file": "Arquivo",
        "revision": "Revisão",
        "problem": "Problema",
        "problems": "Problemas",
    }
}

_SAMPLES: Final[Mapping[str, tuple[str, JsonObject]]] = {
    "target_paused": (
        "vendas",
        {"name": "vendas", "state": "paused", "reason": "Slack answers: invalid_auth", "by": "bridge", "waiting": 12},
    ),
    "target_resumed": ("vendas", {"name": "vendas", "state": "ready", "by": "person", "waiting": 12}),
    "breaker_opened": (
        "vendas",
        {"name": "vendas", "state": "open", "reason": "HTTP 503", "by": "bridge", "until": 30, "waiting": 40},
    ),
    "breaker_closed": ("vendas", {"name": "vendas", "state": "ready", "by": "bridge", "waiting": 40}),
    "delivery_dead": (
        "vendas",
        {
            "target": "vendas",
            "route": "negociacao-perdida",
            "count": 3,
            "reason": "Slack answers: channel_not_found",
            "key": "deal:6f2d77d4a11d4271900cc4c2",
            "delivery_id": "dlv_019ab0c1d2e3f405162738495a6b",
            "event_id": "evt_019ab0c1d2e0a4b5c6d7e8f90a1b",
            "event_name": "crm_deal_updated",
        },
    ),
    "backlog_growing": (
        "all",
        {
            "waiting": 2300,
            "events": 100,
            "deliveries": 2200,
            "threshold": 1000,
            "target": "vendas",
            "target_waiting": 2100,
        },
    ),
    "source_silent": ("crm", {"name": "crm", "silence": "1d", "hours": 25, "last_event_at": -90000}),
    "source_suspended": (
        "crm",
        {"name": "crm", "state": "suspended", "count": 2, "events": ["crm_deal_created", "crm_deal_updated"]},
    ),
    "source_resumed": ("crm", {"name": "crm", "state": "active", "count": 0, "events": []}),
    "reload_refused": (
        "routes.yaml",
        {
            "file": "routes.yaml",
            "state": "refused",
            "revision": "4f0c2a91b3de",
            "problem": 'routes.yaml:14:17: unknown-target: there is no target "slak"; did you mean "slack"?',
            "problems": ['routes.yaml:14:17: unknown-target: there is no target "slak"; did you mean "slack"?'],
            "count": 1,
        },
    ),
    "reload_recovered": ("routes.yaml", {"file": "routes.yaml", "state": "in_force", "revision": "90be51c7f2aa"}),
}
_CHOICES: Final[Mapping[str, Mapping[str, frozenset[str]]]] = {
    "target": {"state": frozenset({"paused", "open", "ready"}), "by": frozenset({"person", "bridge"})},
    "subscription": {"state": frozenset({"suspended", "deleted", "active"})},
    "rules": {"state": frozenset({"refused", "in_force"})},
}
_CERTAIN: Final[Mapping[str, frozenset[str]]] = {
    "target": frozenset({"name", "state", "by", "waiting", "at"}),
    "dead_letter": frozenset({*_SHAPES["dead_letter"], "at"}),
    "backlog": frozenset({"waiting", "events", "deliveries", "threshold", "at"}),
    "feed": frozenset({"name", "silence", "hours", "at"}),
    "subscription": frozenset({"name", "state", "count", "at"}),
    "rules": frozenset({"file", "state", "at"}),
}
_ENDS: Final = {
    "target_resumed": "target_paused",
    "breaker_closed": "breaker_opened",
    "source_resumed": "source_suspended",
    "reload_recovered": "reload_refused",
}
"""What each of these ends."""
_TIMES: Final = ("until", "last_event_at")


class Bridge(Source[SourceOptions]):
    """What bridge tells of itself. Pure, like every source."""

    triggers: ClassVar[Mapping[str, NamedTrigger]] = TRIGGERS
    events: ClassVar[Mapping[str, str]] = EVENTS
    shapes: ClassVar[Mapping[str, JsonObject]] = SHAPES
    references: ClassVar[Mapping[str, Mapping[str, str]]] = {"dead_letter": {"target": "target"}}
    choices: ClassVar[Mapping[str, Mapping[str, frozenset[str]]]] = _CHOICES
    certain: ClassVar[Mapping[str, frozenset[str]]] = _CERTAIN
    quiet: ClassVar[frozenset[str]] = frozenset({"at"})
    labels: ClassVar[Mapping[str, Mapping[str, str]]] = LABELS

    def read(self, body: bytes) -> Envelope:
        """Read the envelope; no two bodies that ``noticed`` makes have the same dedup key.

        Raises:
            UnreadableWebhookError: it made no such body.
        """
        told = _parsed(body)
        entity = Entity(EVENTS[told.name], told.id)
        return Envelope(told.name, entity, f"{told.name}/{told.id}/{told.notice}", told.at)

    def interpret(self, event: Event, last: JsonObject | None) -> Reading:
        """Return the document, newer than the last one whatever the machine's clock said.

        Raises:
            UnreadableWebhookError: as ``read`` does.
        """
        told = _parsed(event.body)
        at = max(told.at, _moment(last) + _TICK) if last else told.at
        current = {**SHAPES[EVENTS[told.name]], **told.document, "at": at.isoformat()}
        return Reading("updated", told.document, current, (at - _EPOCH) // _TICK, dated=None)

    def sample(self, name: str, now: datetime) -> JsonObject:
        """Return the body of an example of an event, as if it had happened at ``now``."""
        id_, document = _SAMPLES[name.removeprefix(PREFIX)]
        return _body(name, id_, _dated(document, now), now, new_id("evt"))

    def samples(self, now: datetime) -> Mapping[str, JsonObject]:
        """Return an example of every event."""
        return {name: self.sample(name, now) for name in EVENTS}

    def example(self, kind: str, now: datetime) -> JsonObject:
        """Return all that examples of its events tell of a kind."""
        told: JsonObject = {}
        for name, (_, document) in _SAMPLES.items():
            if EVENTS[PREFIX + name] == kind:
                told |= {field: value for field, value in _dated(document, now).items() if not is_empty(value)}
        return {**SHAPES[kind], **told, "at": now.isoformat()}

    def story(self, name: str, now: datetime) -> Sequence[JsonObject]:
        """Return an example, behind one of what it ends, an hour before."""
        ended = _ENDS.get(name.removeprefix(PREFIX))
        before = [self.sample(PREFIX + ended, now - timedelta(hours=1))] if ended else []
        return (*before, self.sample(name, now))


OWN: Final = Bridge(NAME, SourceOptions())
"""The one there is."""


def noticed(name: str, id_: str, document: JsonObject, at: datetime) -> Event:
    """Return the event, not stored yet, that tells something of the thing with this id; its name is of ``EVENTS``."""
    event_id = new_id("evt")
    body = orjson.dumps(_body(name, id_, document, at, event_id))
    read = OWN.read(body)
    return Event(event_id, NAME, read.name, read.entity, read.dedup_key, body, at, read.occurred_at)


class _Told(NamedTuple):
    """A body, read."""

    name: str
    id: str
    notice: str
    document: JsonObject
    at: datetime


def _body(name: str, id_: str, document: JsonObject, at: datetime, notice: str) -> JsonObject:
    return {"event_name": name, "id": id_, "notice": notice, "document": {**document, "at": at.isoformat()}}


def _parsed(body: bytes) -> _Told:
    try:
        told = orjson.loads(body)
        EVENTS[told["event_name"]]
        document = dict(told["document"])
        return _Told(told["event_name"], str(told["id"]), str(told["notice"]), document, _moment(document))
    except (ValueError, TypeError, KeyError) as error:
        raise UnreadableWebhookError("the body is none that bridge made of itself") from error


def _moment(document: JsonObject) -> datetime:
    return datetime.fromisoformat(str(document["at"])).astimezone(UTC)


def _dated(document: JsonObject, now: datetime) -> JsonObject:
    """Return an example with its times, which are written as their distance from now, in seconds."""
    return {
        field: (now + timedelta(seconds=float(str(value)))).isoformat() if field in _TIMES else value
        for field, value in document.items()
    }
