"""Templates of the rules: compiled, and held against what the sources offer, with every defect at its place."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

from bridge.config.problems import Problems
from bridge.config.vocabulary import Advice, Vocabulary
from bridge.document import unknown_segment
from bridge.model import Json, JsonObject
from bridge.options import Loc, Place, did_you_mean
from bridge.rendering import (
    EVENT_SHAPE,
    GATHERED,
    Expression,
    Reference,
    Region,
    Rendering,
    Structure,
    Template,
    TemplateNotFoundError,
    TemplateSyntaxProblem,
    known_names,
)

AS_TEXT = "`template` names a file: what is told itself stands under `text`"
FOLDER = "templates"
"""The folder of template files, beside the rules."""

_NO_FILTER = re.compile(r"No filter named '(?P<name>[^']*)'")


class Compiled(Protocol):
    """Anything that was made of templates."""

    def references(self) -> tuple[Reference, ...]:
        """Return the names and fields it uses."""


CompiledT = TypeVar("CompiledT", bound=Compiled)


@dataclass(frozen=True, slots=True)
class Action:
    """What a deliver entry asks for: content as written, and fields that template files fill."""

    content: JsonObject
    files: Mapping[str, str]
    escapes: Mapping[str, Callable[[str], str]]
    texts: frozenset[str] = frozenset()
    check: Callable[[JsonObject], object] | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """Where a template stands, and the kinds of entities its route hears of; None when that cannot be told.

    ``gathered`` says that it is told of many changes at once, as ``items``.
    """

    loc: Loc
    kinds: frozenset[str] | None
    gathered: bool = False

    def below(self, *steps: str | int) -> "Site":
        """Return a place inside this one."""
        return replace(self, loc=(*self.loc, *steps))


class TemplateCompiler:
    """Compiles the templates of one file."""

    def __init__(self, rendering: Rendering, words: Vocabulary, problems: Problems) -> None:
        """Take what compiles, and what templates may speak of."""
        self._rendering = rendering
        self._words = words
        self._problems = problems
        self._folder = Path(problems.located.file).parent / FOLDER

    @property
    def region(self) -> Region:
        """Return where the users of the rules live."""
        return self._rendering.region

    def text(self, source: str, site: Site) -> Template | None:
        """Compile a text."""
        return self._checked(lambda: self._rendering.text(source), site, "")

    def condition(self, source: str, site: Site) -> Expression | None:
        """Compile an expression."""
        return self._checked(lambda: self._rendering.expression(source), site, "")

    def action(self, action: Action, site: Site) -> Structure | None:
        """Compile an action; if it will not do whole, leaf by leaf, so that each defect is told at its own place."""
        try:
            made = self._rendering.structure(
                action.content, action.escapes, action.files, action.check, texts=action.texts
            )
        except (TemplateNotFoundError, TemplateSyntaxProblem):
            made = None
        if made is not None and not any(self._defect(reference, site) for reference in made.references()):
            return made
        for field, content in action.content.items():
            self._leaves(content, site.below(field), action, field)
        for field, name in action.files.items():
            self._file(name, field, action, site.below("template"))
        return None

    def _leaves(self, content: Json, site: Site, action: Action, name: str) -> None:
        """Report the defects of every leaf of a part of an action; ``name`` is its path, from its field on."""
        if isinstance(content, dict | list):
            for step, item in content.items() if isinstance(content, dict) else enumerate(content):
                self._leaves(item, site.below(step), action, f"{name}.{step}")
            return
        field = name.split(".", 1)[0]
        escape, as_text = action.escapes.get(field), field in action.texts
        self._checked(lambda: self._rendering.leaf(content, escape, name, as_text=as_text), site, name)

    def _file(self, name: str, field: str, action: Action, site: Site) -> None:
        self._checked(lambda: self._rendering.file(name, action.escapes.get(field)), site, "")

    def _checked(self, make: Callable[[], CompiledT], site: Site, name: str) -> CompiledT | None:
        """Return what was compiled, or None with its defects reported; ``name`` is what errors in the text bear."""
        try:
            made = make()
        except TemplateNotFoundError as error:
            hint = AS_TEXT if "{{" in error.name or " " in error.name else error.hint
            self._problems.add(site.loc, "unknown-template", f'there is no template "{error.name}"', hint)
            return None
        except TemplateSyntaxProblem as error:
            self._report_syntax(error, site, "" if error.name == name else error.name)
            return None
        sound = [self._is_known(reference, site) for reference in made.references()]
        return made if all(sound) else None

    def _report_syntax(self, error: TemplateSyntaxProblem, site: Site, file: str) -> None:
        unknown = _NO_FILTER.match(error.message)
        word = unknown["name"] if unknown else ""
        problem = ("unknown-filter", f'there is no filter "{word}"') if word else ("template-syntax", error.message)
        self._report(site, Spot(file, error.line, word), (*problem, error.hint))

    def _is_known(self, reference: Reference, site: Site) -> bool:
        defect = self._defect(reference, site)
        if defect is not None:
            self._report(site, Spot(reference.file, reference.line, ".".join(reference.path)), defect)
        return defect is None

    def _defect(self, reference: Reference, site: Site) -> tuple[str, str, str] | None:
        if site.kinds is None:
            return None
        name, *fields = reference.path
        names = known_names(site.kinds, gathered=site.gathered)
        if name not in names:
            return ("undefined-name", *self._undefined(name, names, site))
        advice = self._unknown_field(name, ".".join(fields), site.kinds) if fields else None
        return None if advice is None else ("unknown-field", *advice)

    def _undefined(self, name: str, names: frozenset[str], site: Site) -> Advice:
        if site.gathered and name in known_names(site.kinds or ()):
            return (
                f'a digest has no "{name}", but `items`, each of which has one',
                f"write `{{% for item in items %}}{{{{ item.{name} }}}}`",
            )
        if name in GATHERED:
            return f'there is no "{name}" here: only a route with `digest` has it', ""
        if name in self._words.kinds:
            return f'there is no "{name}" here: the route does not listen to its events', ""
        return f'there is no name "{name}"', self._meant(name, names, site)

    def _meant(self, name: str, names: frozenset[str], site: Site) -> str:
        """Return the hint for a name that is none: a field without its entity, a text without its quotation marks."""
        owner = next(
            (kind for kind in sorted(site.kinds or ()) if self._words.unknown_field({kind}, name) is None), None
        )
        if owner is not None:
            return f"write {owner}.{name}"
        return f"a text stands between quotation marks: '{name}'" if name[:1].isupper() else did_you_mean(name, names)

    def _unknown_field(self, name: str, path: str, kinds: frozenset[str]) -> Advice | None:
        if name in kinds or name == "previous":
            return self._words.unknown_field(kinds if name == "previous" else {name}, path, reached=name != "previous")
        unknown = unknown_segment(EVENT_SHAPE, path) if name == "event" else None
        return None if unknown is None else (f'the event has no field "{path}"', did_you_mean(*unknown))

    def _report(self, site: Site, spot: "Spot", problem: tuple[str, str, str]) -> None:
        if spot.file:
            self._problems.add_at(place_in_file(self._folder, spot), site.loc, *problem)
        else:
            self._problems.add_in_text(site.loc, spot.line, spot.word, problem)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in a text a defect lies: the template file, unless it is the text itself, the line, and the word."""

    file: str
    line: int
    word: str = ""


def place_in_file(folder: Path, spot: Spot) -> Place:
    """Return where a spot of a template file is; ``folder`` is that of all such files."""
    path = folder / spot.file
    lines = _lines(path) if spot.word else []
    column = lines[spot.line - 1].find(spot.word) if 0 < spot.line <= len(lines) else -1
    return Place(str(path), spot.line, max(column, 0) + 1)


def _lines(path: Path) -> list[str]:
    """Return the lines of a file; of one that cannot be read, none."""
    with suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    return []
