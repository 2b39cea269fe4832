"""Names that rules speak of, held against those that there are in the CRM: stages, pipelines, people, lost reasons."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias, cast

from bridge.component import AnySource
from bridge.config import Loaded
from bridge.config.problems import Problems
from bridge.errors import BridgeError, RemoteRefusedError, legible
from bridge.model import JsonObject
from bridge.options import Loc, Problem, did_you_mean
from bridge.rehearsal.conditions import Clause
from bridge.rehearsal.idle import NAMES_VALUES
from bridge.rehearsal.online import Answered
from bridge.rehearsal.reach import Reach

UNKNOWN_NAME: Final = "unknown-name"
REFUSED: Final = "source-refused"
UNREACHABLE: Final = "source-unreachable"
REFUSALS: Final = frozenset({"remote-refused", "no-api", "unknown-source"})
"""The codes by which a daemon tells that it is refused, or knows no such API."""

Names: TypeAlias = Mapping[str, Sequence[JsonObject]]
"""Per kind, all that the account has of it."""
AskNames: TypeAlias = Callable[[str, Sequence[str]], Awaitable[Names]]
"""Asks a source's API for all there are of some kinds."""


class Spoken(NamedTuple):
    """A value that a rule names, of a field of something that an account has few of."""

    clause: Clause
    kind: str
    field: str


async def ask_sources(loaded: Loaded, ask: AskNames, problems: Problems) -> list[Answered]:
    """Ask the API of each source that has one, and warn of names that its account does not know."""
    spoken = list(_spoken(loaded, problems))
    answers: list[Answered] = []
    for name, source in loaded.ruleset.sources.items():
        if getattr(source.options, "api", None):
            answers.append(await _asked(name, [each for each in spoken if _is_of(each, source)], ask, problems))
    return answers


async def _asked(name: str, spoken: Sequence[Spoken], ask: AskNames, problems: Problems) -> Answered:
    kinds = sorted({each.kind for each in spoken})
    try:
        names = await ask(name, kinds)
    except BridgeError as error:
        refused = isinstance(error, RemoteRefusedError) or getattr(error, "code", "") in REFUSALS
        message = f'source "{name}": {legible(str(error))}'
        place = problems.located.key(("sources", name))
        return Answered(name, None, Problem(place, REFUSED if refused else UNREACHABLE, message))
    for each in spoken:
        _warn(each, names.get(each.kind, ()), problems)
    found = ", ".join(f"{len(names.get(kind, ()))} {kind}s" for kind in kinds)
    return Answered(name, f"its API answers{': ' if found else ''}{found}")


def _warn(spoken: Spoken, there_are: Sequence[JsonObject], problems: Problems) -> None:
    known = {str(each[spoken.field]) for each in there_are if each.get(spoken.field) is not None}
    wanted = spoken.clause.wanted if isinstance(spoken.clause.wanted, list) else [spoken.clause.wanted]
    for value in (str(each) for each in wanted if each):
        if value not in known:
            message = f'the CRM has no {spoken.kind} whose {spoken.field} is "{value}"'
            problems.warn(spoken.clause.loc, UNKNOWN_NAME, message, did_you_mean(value, known))


def _spoken(loaded: Loaded, problems: Problems) -> Iterator[Spoken]:
    """Yield each value, once, that rules name of what entities hold a part of."""
    reach, written = Reach(loaded.words, problems), cast("JsonObject", loaded.located.data)["routes"]
    kinds: dict[str, dict[str, str]] = defaultdict(dict)
    for source in loaded.ruleset.sources.values():
        for kind, relations in source.relations.items():
            kinds[kind] |= {name: each.kind for name, each in relations.items() if each.completes}
    seen: set[Loc] = set()
    for number, route in enumerate(loaded.ruleset.routes):
        for asked in reach.asked(route, cast("Sequence[JsonObject]", written)[number], ("routes", number)):
            parts = kinds[loaded.words.events[asked.event]]
            for clause in (clause for case in asked.cases for clause in case.clauses):
                head, _, field = clause.path.partition(".")
                if clause.loc not in seen and head in parts and field and clause.operator in NAMES_VALUES:
                    seen.add(clause.loc)
                    yield Spoken(clause, parts[head], field)


def _is_of(spoken: Spoken, source: AnySource) -> bool:
    return any(each.kind == spoken.kind for relations in source.relations.values() for each in relations.values())
