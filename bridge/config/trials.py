"""Tests of rules as compiled: what `tests:` says, with every name in it known to exist."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson

from bridge.component import AnySource, AnyTarget
from bridge.config.naming import describe
from bridge.config.problems import Problems
from bridge.config.translation import validated
from bridge.config.trial_frame import (
    EventFrame,
    ExpectationFrame,
    ExpectFrame,
    Reply,
    SendFrame,
    StepFrame,
    TrialFileFrame,
    TrialFrame,
)
from bridge.document import unknown_segment
from bridge.errors import UnreadableWebhookError
from bridge.model import Json, JsonObject
from bridge.options import InvalidConfigurationError, Loc, Place, Report, did_you_mean, read_yaml
from bridge.routing.matcher import AS_SENT, compile_match
from bridge.routing.operators import BARE, TRANSITIONS
from bridge.routing.route import Matcher
from bridge.sources import _bridge

NO_TESTS = "the file holds rules, and a file of tests is wanted here"


@dataclass(frozen=True, slots=True)
class Expectation:
    """One line of an `expect`, with what its message has to hold."""

    said: ExpectationFrame
    content: Matcher | None
    wanted: JsonObject


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a test. ``source`` is where its event arrives, ``body`` an event that was written out."""

    said: StepFrame
    place: Place
    source: str = ""
    body: JsonObject | None = None
    expected: tuple[Expectation, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """One test of the rules."""

    name: str
    place: Place
    begin: datetime
    answers: Mapping[str, Sequence[Reply]]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """What a test may speak of. Sources and targets are those that could be made; their names are those of all."""

    sources: Mapping[str, AnySource]
    source_names: frozenset[str]
    targets: Mapping[str, AnyTarget]
    target_names: frozenset[str]
    routes: frozenset[str]
    timezone: ZoneInfo

    @property
    def readers(self) -> Mapping[str, AnySource]:
        """Return every source that events may come from."""
        return {**self.sources, _bridge.NAME: _bridge.OWN}

    @property
    def unmade(self) -> frozenset[str]:
        """Return the sources that have problems of their own, so that nobody knows what can be sent in their name."""
        return self.source_names - self.sources.keys()


def trials_beside(rules: Path) -> Sequence[Path]:
    """Return the files of tests that belong to a rules file: those of ``tests/`` beside it."""
    return sorted((rules.parent / "tests").glob("*.yaml"))


def read_trials(path: Path, named: Named) -> tuple[Trial, ...]:
    """Read a file of tests.

    Raises:
        InvalidConfigurationError: with every problem in it.
    """
    problems = Problems(read_yaml(path.read_bytes(), str(path)))
    document = problems.located.data
    if isinstance(document, dict) and "routes" in document:
        problems.add(("routes",), "unknown-key", NO_TESTS, "name rules with --routes", key=True)
        raise InvalidConfigurationError(problems.found)
    _, defects = validated(TrialFileFrame, document, lambda loc: describe(document, loc))
    for defect in defects:
        problems.add(defect.loc, defect.code, defect.message, defect.hint, key=defect.at_key)
    written = document.get("tests") if isinstance(document, dict) else None
    trials = TrialCompiler(named, problems, path.parent).compile(written)
    if problems.found:
        raise InvalidConfigurationError(problems.found)
    return trials


class TrialCompiler:
    """Compiles the tests of one file."""

    def __init__(self, named: Named, problems: Problems, folder: Path) -> None:
        """Take what tests may speak of, where problems go, and the folder that files of events are named from."""
        self._named = named
        self._problems = problems
        self._folder = folder

    def compile(self, written: Json) -> tuple[Trial, ...]:
        """Return the tests whose frame is sound; what is broken in it was reported."""
        entries = written if isinstance(written, list) else []
        return tuple(
            self._trial(TrialFrame.model_validate(entry), ("tests", index))
            for index, entry in enumerate(entries)
            if not self._problems.broken(("tests", index))
        )

    def _trial(self, said: TrialFrame, loc: Loc) -> Trial:
        for target in said.answers:
            self._known_target(target, (*loc, "answers", target))
        steps = tuple(self._step(step, (*loc, "steps", index)) for index, step in enumerate(said.steps))
        if not isinstance(said.steps[-1], ExpectFrame):
            last: Loc = (*loc, "steps", len(said.steps) - 1)
            hint = "if nothing is to be told, write `- expect: nothing`"
            self._problems.add(last, "no-expectation", "a test ends with what is expected", hint)
        begin = self._moment(said.at, (*loc, "at"))
        return Trial(said.name, self._problems.located.value(loc), begin, said.answers, steps)

    def _moment(self, written: str, loc: Loc) -> datetime:
        try:
            return datetime.fromisoformat(written).replace(tzinfo=self._named.timezone)
        except ValueError:
            self._problems.add(loc, "bad-value", f'there is no day "{written}"')
            return datetime.now(self._named.timezone)

    def _step(self, said: StepFrame, loc: Loc) -> Step:
        place = self._problems.located.value(loc)
        match said:
            case SendFrame():
                return Step(said, place, self._sample_source(said, loc))
            case EventFrame():
                source, body = self._source(said.source, loc), self._body(said, loc)
                self._check_readable(source, body, loc)
                return Step(said, place, source, body)
            case ExpectFrame(expect=list(expected)):
                lines = (self._expectation(each, (*loc, "expect", index)) for index, each in enumerate(expected))
                return Step(said, place, expected=tuple(lines))
            case _:
                return Step(said, place)

    # what is sent

    def _sample_source(self, said: SendFrame, loc: Loc) -> str:
        readers = self._named.readers
        if said.source is not None and said.source not in readers:
            return self._source(said.source, loc)
        named = {said.source: readers[said.source]} if said.source else readers
        able = [name for name, reader in named.items() if said.send in {*reader.events, *reader.triggers}]
        if not able and said.source is None and self._named.unmade:
            return ""
        if not able:
            known = {name for reader in named.values() for name in (*reader.events, *reader.triggers)}
            message, hint = f'there is no sample "{said.send}"', did_you_mean(said.send, known)
            self._problems.add((*loc, "send"), "unknown-sample", message, hint or "bridge send --list shows all")
            return ""
        if len(able) > 1:
            hint = f"there are: {', '.join(able)}"
            self._problems.add(loc, "missing-key", 'this step needs the key "source"', hint)
        self._check_paths(said, readers[able[0]], loc)
        return able[0]

    def _check_paths(self, said: SendFrame, reader: AnySource, loc: Loc) -> None:
        kind = kind_of(reader, said.send)
        for path in said.set:
            head, dot, inner = path.partition(".")
            field = ".".join(step for step in inner.split(".") if not step.isdecimal())
            unknown = unknown_segment(reader.shapes[kind], field) if head == kind in reader.shapes else None
            if head not in {AS_SENT, kind} or not dot:
                message, hint = f'"{path}" leads nowhere in this event', f"write {kind}.…, such as {kind}.name"
            elif unknown is not None:
                message, hint = f'the {kind} has no field "{inner}"', did_you_mean(*unknown)
            else:
                continue
            self._problems.add((*loc, "set", path), "unknown-field", message, hint, key=True)

    def _source(self, name: str | None, loc: Loc) -> str:
        sources = self._named.sources
        if name is None and self._named.unmade:
            return ""
        if name is None and len(sources) == 1:
            return next(iter(sources))
        if name is None:
            self._problems.add(
                loc, "missing-key", 'this step needs the key "source"', f"there are: {', '.join(sources)}"
            )
        elif name not in {*self._named.readers, *self._named.unmade}:
            message, hint = f'there is no source "{name}"', did_you_mean(name, self._named.source_names)
            self._problems.add((*loc, "source"), "unknown-source", message, hint)
        return name or ""

    def _body(self, said: EventFrame, loc: Loc) -> JsonObject:
        if not isinstance(said.event, str):
            return said.event  # type: ignore[return-value]  # YAML gives nothing but JSON
        try:
            body = json.loads((self._folder / said.event).read_text(encoding="utf-8-sig"))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is no JSON"
            self._problems.add((*loc, "event"), "unreadable-file", f"{said.event} cannot be read: {reason}")
            return {}
        return body if isinstance(body, dict) else {"body": body}

    def _check_readable(self, source: str, body: JsonObject, loc: Loc) -> None:
        reader = self._named.readers.get(source)
        if reader is None or self._problems.broken((*loc, "event")):
            return
        try:
            reader.read(orjson.dumps(body))
        except UnreadableWebhookError as error:
            self._problems.add((*loc, "event"), "unreadable-event", f"this is no event of the source: {error}")

    # what is expected

    def _expectation(self, said: ExpectationFrame, loc: Loc) -> Expectation:
        self._known_target(said.to, (*loc, "to"))
        routes = self._named.routes  # none where their key is misspelt, which is said already
        if said.route is not None and routes and said.route not in routes:
            message = f'there is no route "{said.route}"'
            self._problems.add((*loc, "route"), "unknown-route", message, did_you_mean(said.route, routes))
        wanted: JsonObject = dict(said.model_extra or {})
        content = compile_match(wanted, self._report(loc), lambda _: None) if wanted else None
        for field in wanted:
            self._check_field(said, field, loc)
        return Expectation(said, content, wanted)

    def _report(self, loc: Loc) -> Report:
        return self._problems.under(loc)

    def _check_field(self, said: ExpectationFrame, field: str, loc: Loc) -> None:
        target, wanted = self._named.targets.get(said.to), (said.model_extra or {})[field]
        written = wanted if isinstance(wanted, dict) else {wanted} & BARE if isinstance(wanted, str) else ()
        if compared := next((name for name in written if name in TRANSITIONS), None):
            message = f"`{compared}` compares with a last state, which a message has not"
            self._problems.add((*loc, field), "bad-operand", message, f"for the text itself write {{eq: {compared}}}")
        fields = target.Action.model_fields if target else {}
        if target and field.partition(".")[0] not in fields:
            known = {*fields, *ExpectationFrame.model_fields}
            message = f'a delivery to "{said.to}" has no "{field}"'
            self._problems.add((*loc, field), "unknown-key", message, did_you_mean(field, known), key=True)

    def _known_target(self, name: str, loc: Loc) -> None:
        if name not in self._named.target_names:
            hint = did_you_mean(name, self._named.target_names)
            self._problems.add(loc, "unknown-target", f'there is no target "{name}"', hint)


def kind_of(reader: AnySource, sample: str) -> str:
    """Return the kind of entity that a sample is about."""
    trigger = reader.triggers.get(sample)
    return reader.events[trigger.events[-1] if trigger else sample]
