"""Sources and targets: their type found, their options filled in from outside and checked, themselves made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bridge.component import AnySource, AnyTarget
from bridge.config.naming import describe
from bridge.config.problems import Problems
from bridge.config.translation import Defect, validated
from bridge.model import Json, JsonObject
from bridge.options import Interpolation, Loc, did_you_mean, interpolate

ComponentT = TypeVar("ComponentT", AnySource, AnyTarget)


@dataclass(frozen=True, slots=True)
class Components(Generic[ComponentT]):
    """The components of one section. ``types`` knows those whose options are broken too, ``made`` only sound ones.

    ``complete`` is False when some type could not be told: then what that component would offer is not known.
    """

    types: Mapping[str, type[ComponentT]] = field(default_factory=dict)
    made: Mapping[str, ComponentT] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    complete: bool = False


class ComponentBuilder:
    """Makes the components of a file, and reports what it cannot make."""

    def __init__(self, problems: Problems, environ: Mapping[str, str]) -> None:
        """Take where problems go and what ``${NAME}`` stands for."""
        self._problems = problems
        self._environ = environ

    def build(self, section: str, known: Mapping[str, type[ComponentT]]) -> Components[ComponentT]:
        """Make every component of a section, of the types that are known."""
        document = self._problems.located.data
        entries = document.get(section) if isinstance(document, dict) else None
        if not isinstance(entries, dict):
            return Components()
        types: dict[str, type[ComponentT]] = {}
        made: dict[str, ComponentT] = {}
        for name, entry in entries.items():
            found = self._type((section, name), entry, known)
            if found is not None and isinstance(entry, dict):
                types[name] = found
                component = self._make((section, name), entry, found)
                if component is not None:
                    made[name] = component
        return Components(types, made, frozenset(entries), len(types) == len(entries))

    def _type(self, loc: Loc, entry: Json, known: Mapping[str, type[ComponentT]]) -> type[ComponentT] | None:
        """Return the class of the entry's type; an entry that is no mapping was reported with the frame."""
        if not isinstance(entry, dict):
            return None
        name = entry.get("type")
        subject = self._describe(loc)
        if "type" not in entry:
            self._problems.add(loc, "missing-key", f'{subject} needs the key "type"', did_you_mean("", known))
        elif not isinstance(name, str):
            self._problems.add((*loc, "type"), "wrong-type", f'"type" of {subject} must be a text')
        elif name not in known:
            self._problems.add(
                (*loc, "type"),
                "unknown-type",
                f'there is no type of {str(loc[0]).removesuffix("s")} called "{name}"',
                did_you_mean(name, known),
            )
        return known.get(name) if isinstance(name, str) else None

    def _make(self, loc: Loc, entry: JsonObject, found: type[ComponentT]) -> ComponentT | None:
        options = {key: value for key, value in entry.items() if key != "type"}
        filled = interpolate(options, self._environ, self._problems.under(loc))
        model, defects = validated(found.Options, filled.data, lambda inner: self._describe((*loc, *inner)))
        for defect in defects:
            if not _follows(defect, filled.unresolved):
                self._report(loc, defect, filled)
        return None if model is None or filled.unresolved else found(str(loc[-1]), model)

    def _report(self, loc: Loc, defect: Defect, filled: Interpolation) -> None:
        """Report a defect of options, in words that hold no value from outside the file."""
        told = any(value and value in f"{defect.message} {defect.hint}" for value in filled.values)
        message = f"{self._describe((*loc, *defect.loc))} is not accepted" if told else defect.message
        hint = "" if told else defect.hint
        self._problems.add((*loc, *defect.loc), defect.code, message, hint, key=defect.at_key)

    def _describe(self, loc: Loc) -> str:
        return describe(self._problems.located.data, loc)


def _follows(defect: Defect, unresolved: Sequence[Loc] | frozenset[Loc]) -> bool:
    """Tell whether a defect may only follow from a reference that gave no value."""
    return any(loc[: len(defect.loc)] == defect.loc for loc in unresolved)
