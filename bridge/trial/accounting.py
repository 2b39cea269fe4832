"""What came beside what was expected: each delivery is accounted for by one line of an `expect`, or is one too many."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import orjson

from bridge.config.trials import Expectation
from bridge.model import Change, Delivery, DeliveryState, Entity, Event, Json, JsonObject
from bridge.options.quantity import written
from bridge.routing.route import Finding

WAITING = frozenset({DeliveryState.DEFERRED, DeliveryState.PENDING})


@dataclass(frozen=True, slots=True)
class Seen:
    """A delivery as it stands, when it was last tried, and how long after the last event."""

    delivery: Delivery
    at: datetime
    since_event: float

    @property
    def after(self) -> str:
        """Return how long after the last event it was tried, as a test says it."""
        return _as_length(self.since_event)

    @property
    def told(self) -> str:
        """Return the same as a sentence says it: where an `expect` is of several events, it may tell of one before."""
        where = "before" if self.since_event < 0 else "after"
        return f"{_as_length(abs(self.since_event))} {where} the last event"

    @property
    def loud(self) -> bool:
        """Tell whether an `expect` has to account for it: something was sent, refused, or given up."""
        quiet = self.delivery.state is DeliveryState.CANCELLED
        waits = self.delivery.state in WAITING and not self.delivery.attempts
        return not (quiet or waits)


@dataclass(frozen=True, slots=True)
class Near:
    """A delivery that came, and in what it differs from what was expected."""

    seen: Seen
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """An expected delivery that did not come as often as it was to; what comes nearest stands first."""

    expected: Expectation
    came: int
    nearest: tuple[Near, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """What is wrong with what came."""

    missing: tuple[Missing, ...]
    unexpected: tuple[Seen, ...]


def account(expected: Sequence[Expectation], seen: Sequence[Seen], zone: ZoneInfo) -> Account:
    """Compare what came with what was expected; a line that says more chooses before one that says less."""
    free, claimed = list(seen), dict[int, int]()
    for index in sorted(range(len(expected)), key=lambda each: -_weight(expected[each])):
        line = expected[index]
        fitting = [each for each in free if not any(differences(line, each, zone))][: line.said.count]
        claimed[index] = len(fitting)
        free = [each for each in free if each not in fitting]
    short = [(line, claimed[index]) for index, line in enumerate(expected) if claimed[index] < line.said.count]
    missing = tuple(Missing(line, came, _nearest(line, free, zone)) for line, came in short)
    return Account(missing, tuple(each for each in free if each.loud))


def differences(line: Expectation, seen: Seen, zone: ZoneInfo) -> Iterator[str]:
    """Yield in what a delivery differs from a line, a sentence each."""
    said, delivery = line.said, seen.delivery
    facts: tuple[tuple[str, object, object], ...] = (
        ("to", said.to, delivery.target),
        ("route", said.route, delivery.route),
        ("state", said.state, str(delivery.state)),
        ("key", said.key, delivery.key),
        ("attempts", said.attempts, delivery.attempts),
        ("at", said.at, _as_said(said.at, seen.at.astimezone(zone))),
    )
    yield from (f"{name}: expected {want}, came {came}" for name, want, came in facts if want not in (None, came))
    if said.after is not None and round(said.after.total_seconds(), 1) != round(seen.since_event, 1):
        yield f"after: expected {written(said.after)}, came after {seen.after}"
    if said.reason is not None and said.reason not in (delivery.reason or ""):
        yield f"reason: expected {said.reason}, came {delivery.reason}"
    if line.content is not None:
        yield from _told(line.content.explain(_as_change(delivery)))


def _weight(line: Expectation) -> int:
    return len(line.said.model_fields_set) + len(line.wanted)


def _as_length(seconds: float) -> str:
    seconds = round(seconds, 1)
    return written(timedelta(seconds=seconds)) if seconds and seconds.is_integer() else f"{seconds:g}s"


def _as_said(said: str | None, moment: datetime) -> str:
    """Return a moment as exactly as it was said: a time, or a date and a time."""
    text = f"{moment:%Y-%m-%d %H:%M}"
    return text[-len(said) :] if said else text


def _nearest(line: Expectation, free: Sequence[Seen], zone: ZoneInfo) -> tuple[Near, ...]:
    near = [Near(each, tuple(differences(line, each, zone))) for each in free]
    return tuple(sorted(near, key=lambda each: (each.seen.delivery.target != line.said.to, len(each.differences))))


def _told(finding: Finding) -> Iterator[str]:
    """Yield what of a message is not as it was to be."""
    if finding.matched:
        return
    if finding.children and finding.operator == "all":
        for child in finding.children:
            yield from _told(child)
    elif finding.children:
        yield (
            f"{finding.operator}: none of it agrees" if finding.operator == "any" else f"{finding.operator}: it agrees"
        )
    else:
        operator = "" if finding.operator == "eq" else f"{finding.operator} "
        yield f"{finding.path}: expected {operator}{_shown(finding.wanted)}, came {_shown(finding.seen)}"


def _shown(value: Json) -> str:
    return orjson.dumps(value).decode()


def _as_change(delivery: Delivery) -> Change:
    """Let matchers look at a message as they look at an entity."""
    content: JsonObject = delivery.content or {}
    event = Event(delivery.event_id, "", "", Entity("", ""), "", b"", delivery.created_at)
    return Change(event, "updated", content, content, None)
