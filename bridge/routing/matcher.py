"""Compiles ``match:`` to closures at load: what an event costs is what its matchers look at."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bridge.document import Read, is_empty, reader
from bridge.model import Change, Json, JsonObject
from bridge.options import Loc, Report, did_you_mean
from bridge.options.carried import meanings
from bridge.routing.operators import BARE, OPERATORS, PREDICATES, TRANSITIONS, BadOperandError
from bridge.routing.route import Finding, Matcher

CheckPath: TypeAlias = Callable[[str], tuple[str, str] | None]
"""Judges a field path of a rule: None, or the message and hint of an ``unknown-field`` problem."""

AS_SENT = "document"
"""The first segment of a path into the document as sent."""

BLOCKS = ("any", "all", "not")
"""The keys of a match block that are no paths."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A matcher made of closures."""

    test: Callable[[Change], bool]
    explain: Callable[[Change], Finding]


def compile_match(block: JsonObject, report: Report, check: CheckPath) -> Matcher:
    """Compile a match block; every mistake in it is reported with its place inside the block, and then left out.

    Reports ``unknown-operator``, ``bad-operand``, ``bad-regex``, ``unknown-field``.
    """
    return all_of(tuple(_Compiler(report, check).block(block, ())))


class _Compiler:
    """One walk over a match block."""

    def __init__(self, report: Report, check: CheckPath) -> None:
        self._report = report
        self._check = check

    def block(self, block: Json, loc: Loc) -> Iterator[Matcher]:
        if not isinstance(block, dict):
            self._report(loc, "bad-operand", "a match block is wanted here", "write `path: value`")
            return
        for key, wanted in block.items():
            if key in BLOCKS:
                yield from self._nested(key, wanted, (*loc, key))
            else:
                yield from self._clause(key, wanted, (*loc, key))

    def _nested(self, kind: str, wanted: Json, loc: Loc) -> Iterator[Matcher]:
        if kind == "not":
            yield none_of(all_of(tuple(self.block(wanted, loc))))
        elif isinstance(wanted, list) and wanted:
            blocks = [all_of(tuple(self.block(block, (*loc, index)))) for index, block in enumerate(wanted)]
            yield any_of(blocks) if kind == "any" else all_of(blocks)
        else:
            self._report(
                loc, "bad-operand", f"`{kind}` wants a list of match blocks", f"write `{kind}: [{{path: value}}, …]`"
            )

    def _clause(self, path: str, wanted: Json, loc: Loc) -> Iterator[Matcher]:
        sent = path.split(".", 1)[0] == AS_SENT
        unknown = None if sent else self._check(path)
        if unknown is not None:
            message, hint = unknown
            block = next((word for word in meanings(path) if word in BLOCKS), None)
            self._report(loc, "unknown-field", message, f'did you mean "{block}"?' if block else hint)
            return
        if isinstance(wanted, dict):
            yield from self._operators(path, wanted, loc)
        else:
            operator, operand = shorthand(wanted)
            yield from self._operator(path, operator, operand, loc)

    def _operators(self, path: str, wanted: JsonObject, loc: Loc) -> Iterator[Matcher]:
        if not wanted:
            self._report(loc, "bad-operand", "an operator is wanted here", "for an empty value write `{exists: false}`")
        for operator, operand in wanted.items():
            yield from self._operator(path, operator, operand, (*loc, operator))

    def _operator(self, path: str, operator: str, operand: Json, loc: Loc) -> Iterator[Matcher]:
        try:
            if operator in PREDICATES:
                yield _predicate(path, operator, operand)
            elif operator in TRANSITIONS:
                yield _transition(path, operator, operand)
            else:
                self._report(
                    loc, "unknown-operator", f'there is no operator "{operator}"', did_you_mean(operator, OPERATORS)
                )
        except BadOperandError as bad:
            self._report(loc, *bad.args)


def shorthand(wanted: Json) -> tuple[str, Json]:
    """Return the operator and operand that a value stands for which names no operator."""
    if isinstance(wanted, str) and wanted in BARE:
        return wanted, True
    return ("in" if isinstance(wanted, list) else "eq"), wanted


@dataclass(frozen=True, slots=True)
class _Field:
    """A path of a rule: into the normalised document, or behind ``document.`` into the one as sent."""

    path: str
    sent: bool
    read: Read

    @classmethod
    def of(cls, path: str) -> "_Field":
        head, _, rest = path.partition(".")
        if head != AS_SENT:
            return cls(path, sent=False, read=reader(path))
        return cls(path, sent=True, read=reader(rest) if rest else lambda document: document)

    def finding(self, operator: str, wanted: Json, change: Change, matched: bool) -> Finding:  # noqa: FBT001 (the verdict)
        seen = self.read(change.document if self.sent else change.current)
        previous = None if self.sent or change.previous is None else self.read(change.previous)
        return Finding(self.path, operator, wanted, _shown(seen), _shown(previous), matched)


def _shown(value: Json) -> Json:
    return None if is_empty(value) else value


def _predicate(path: str, operator: str, wanted: Json) -> Compiled:
    holds, field = PREDICATES[operator](wanted), _Field.of(path)
    read = field.read
    if field.sent:
        return _explained(field, operator, wanted, lambda change: holds(read(change.document)))
    return _explained(field, operator, wanted, lambda change: holds(read(change.current)))


def _transition(path: str, operator: str, wanted: Json) -> Compiled:
    moved, field = TRANSITIONS[operator](wanted), _Field.of(path)
    if field.sent:
        raise BadOperandError(
            "bad-operand",
            f"`{operator}` needs the last state, and none is kept of the document as sent",
            "leave out `document.`",
        )
    read, arrives = field.read, operator == "to"

    def test(change: Change) -> bool:
        if change.previous is None:
            return arrives and change.is_dated(path) and moved(None, read(change.current))
        return moved(read(change.previous), read(change.current))

    return _explained(field, operator, wanted, test)


def _explained(field: _Field, operator: str, wanted: Json, test: Callable[[Change], bool]) -> Compiled:
    return Compiled(test, lambda change: field.finding(operator, wanted, change, test(change)))


def _group(operator: str, test: Callable[[Change], bool], parts: Sequence[Matcher]) -> Compiled:
    def explain(change: Change) -> Finding:
        children = tuple(part.explain(change) for part in parts)
        return Finding("", operator, None, None, None, test(change), children)

    return Compiled(test, explain)


def all_of(parts: Sequence[Matcher]) -> Matcher:
    """Return a matcher that agrees when every part does; without parts it always agrees."""
    tests = tuple(part.test for part in parts)
    if len(tests) == 1:
        return _group("all", tests[0], parts)
    return _group("all", lambda change: _every(tests, change), parts)


def any_of(parts: Sequence[Matcher]) -> Matcher:
    """Return a matcher that agrees when at least one part does."""
    tests = tuple(part.test for part in parts)
    return _group("any", lambda change: _some(tests, change), parts)


def none_of(part: Matcher) -> Matcher:
    """Return a matcher that agrees when the part does not."""
    test = part.test
    return _group("not", lambda change: not test(change), (part,))


def _every(tests: tuple[Callable[[Change], bool], ...], change: Change) -> bool:
    for test in tests:  # noqa: SIM110 (all() over a generator costs twice as much, on every event)
        if not test(change):
            return False
    return True


def _some(tests: tuple[Callable[[Change], bool], ...], change: Change) -> bool:
    for test in tests:  # noqa: SIM110 (the same)
        if test(change):
            return True
    return False
