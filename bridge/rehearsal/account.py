"""Names that rules speak of, held against those that there are in the CRM: stages, pipelines, people, lost reasons."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias, cast

from bridge.component import AnySource
from bridge.config import Loaded
from bridge.config.problems import Problems
from bridge.control.remote_client import REFUSALS
from bridge.document import CUSTOM, slug
from bridge.errors import BridgeError, RemoteRefusedError, legible
from bridge.model import JsonObject
from bridge.options import Loc, Problem, did_you_mean
from bridge.rehearsal.conditions import Clause
from bridge.rehearsal.idle import NAMES_VALUES
from bridge.rehearsal.online import Answered
from bridge.rehearsal.pieces import Piece, pieces_of
from bridge.rehearsal.reach import Reach

UNKNOWN_NAME: Final = "unknown-name"
REFUSED: Final = "source-refused"
UNREACHABLE: Final = "source-unreachable"
CUSTOM_FIELD: Final = "custom_field"

Names: TypeAlias = Mapping[str, Sequence[JsonObject]]
"""Per kind, all that the account has of it."""
AskNames: TypeAlias = Callable[[str, Sequence[str]], Awaitable[Names]]
"""Asks a source's API for all there are of some kinds."""


class Spoken(NamedTuple):
    """Values that a rule names, of a field of something that an account has few of; of custom fields, their names."""

    loc: Loc
    kind: str
    field: str
    values: tuple[str, ...]


async def ask_sources(loaded: Loaded, ask: AskNames, problems: Problems) -> list[Answered]:
    """Ask the API of each source that has one, and warn of names that its account does not know."""
    spoken = list(_spoken(loaded, problems))
    answers: list[Answered] = []
    for name, source in loaded.ruleset.sources.items():
        if source.has_api:
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
    known = {name for each in there_are for name in _names(each, spoken)}
    for value in spoken.values:
        if value not in known:
            custom = f'the CRM has no custom field "{value}"'
            message = f'the CRM has no {spoken.kind} whose {spoken.field} is "{value}"'
            problems.warn(
                spoken.loc, UNKNOWN_NAME, custom if spoken.kind == CUSTOM_FIELD else message, did_you_mean(value, known)
            )


def _names(thing: JsonObject, spoken: Spoken) -> Iterator[str]:
    """Yield what rules may call something by the field that is spoken of; of a custom field, all its names."""
    if spoken.kind != CUSTOM_FIELD:
        yield str(thing.get(spoken.field))
        return
    label = str(thing.get("label") or thing.get("name"))
    yield from (label, slug(label), str(thing.get("slug")), str(thing.get("id")))


def _spoken(loaded: Loaded, problems: Problems) -> Iterator[Spoken]:
    """Yield what rules name of what entities hold a part of, and the custom fields that they speak of."""
    reach, written = Reach(loaded.words, problems), cast("JsonObject", loaded.located.data)["routes"]
    parts = _parts(loaded.ruleset.sources.values())
    seen: set[Loc] = set()
    for number, route in enumerate(loaded.ruleset.routes):
        own, loc = cast("Sequence[JsonObject]", written)[number], ("routes", number)
        for asked in reach.asked(route, own, loc):
            kind = loaded.words.events[asked.event]
            for clause in (clause for case in asked.cases for clause in case.clauses if clause.loc not in seen):
                seen.add(clause.loc)
                yield from _of_clause(clause, parts[kind])
        for piece in pieces_of(route, own, loc):
            yield from _of_template(piece)


def _parts(sources: Iterable[AnySource]) -> Mapping[str, Mapping[str, str]]:
    """Return per kind the fields that hold a part of something else, with the kind of that."""
    parts: dict[str, dict[str, str]] = defaultdict(dict)
    for source in sources:
        for kind, relations in source.relations.items():
            parts[kind] |= {name: each.kind for name, each in relations.items() if each.completes}
    return parts


def _of_clause(clause: Clause, parts: Mapping[str, str]) -> Iterator[Spoken]:
    head, _, field = clause.path.partition(".")
    if head == CUSTOM and field:
        yield Spoken(clause.loc, CUSTOM_FIELD, "name", (field,))
    elif head in parts and field and clause.operator in NAMES_VALUES:
        wanted = clause.wanted if isinstance(clause.wanted, list) else [clause.wanted]
        yield Spoken(clause.loc, parts[head], field, tuple(str(each) for each in wanted if each))


def _of_template(piece: Piece) -> Iterator[Spoken]:
    names = {each.path[2] for each in piece.used if len(each.path) > 2 and each.path[1] == CUSTOM}  # noqa: PLR2004 (deal.custom.NAME)
    if names:
        yield Spoken(piece.loc, CUSTOM_FIELD, "name", tuple(sorted(names)))


def _is_of(spoken: Spoken, source: AnySource) -> bool:
    kinds = {each.kind for relations in source.relations.values() for each in relations.values()}
    return spoken.kind in kinds or (spoken.kind == CUSTOM_FIELD and bool(kinds))
