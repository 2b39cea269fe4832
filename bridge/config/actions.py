"""Deliver entries held against the action model of their target: as written, and once more as rendered."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import get_args

from bridge.component import Action, AnyTarget
from bridge.config.components import Components
from bridge.config.frame import EntryFrame
from bridge.config.misplaced import key_hint
from bridge.config.naming import describe
from bridge.config.problems import Problems
from bridge.config.translation import Defect, validated
from bridge.model import JsonObject
from bridge.options import Loc

COMMON = frozenset(EntryFrame.model_fields)
"""The keys that every entry takes, whatever its target."""
FILLED = "{{ template }}"
"""Stands for the text of a template file while an action is checked."""


class ActionChecker:
    """Checks the actions of one file."""

    def __init__(self, targets: Components[AnyTarget], problems: Problems) -> None:
        """Take the targets, which know what they can never do, and where problems go."""
        self._targets = targets
        self._problems = problems

    def check(self, target: type[AnyTarget], name: str, content: JsonObject, loc: Loc) -> None:
        """Report what a target refuses of an action as written; a template in it stands for any value."""
        _, defects = validated(target.Action, content, lambda inner: self._describe((*loc, *inner)))
        for defect in defects:
            if not _is_template(defect.value):
                told = _helped(defect, target)
                self._problems.add((*loc, *told.loc), told.code, told.message, told.hint, key=told.at_key)
        made = self._targets.made.get(name)
        if made is None:
            return
        for sentence in made.objections(content):
            self._problems.add(loc, "bad-value", f"{self._describe(loc)}: {sentence}")
        for sentence in made.warnings(content):
            self._problems.warn(loc, "no-effect", f"{self._describe(loc)}: {sentence}")

    def _describe(self, loc: Loc) -> str:
        return describe(self._problems.located.data, loc)


def checker(model: type[Action], entry: str) -> Callable[[JsonObject], None]:
    """Return what holds rendered content against the model; it raises ValueError with a sentence for each defect."""

    def check(content: JsonObject) -> None:
        _, defects = validated(model, content, lambda loc: describe(None, loc) if loc else entry)
        if defects:
            raise ValueError("; ".join(defect.message for defect in defects))

    return check


@cache
def texts_of(model: type[Action]) -> frozenset[str]:
    """Return the fields that take text and nothing else, so that a rendered number is written out for them."""
    return frozenset(name for name, info in model.model_fields.items() if kinds_of(info.annotation) == {str})


def kinds_of(annotation: object) -> set[object]:
    """Return the types that an annotation allows, but for None."""
    inside = [kind for argument in get_args(annotation) for kind in kinds_of(argument)]
    return set(inside or [annotation]) - {type(None)}


def _is_template(value: object) -> bool:
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def _helped(defect: Defect, target: type[AnyTarget]) -> Defect:
    """Add to a defect what an action model cannot know of: the keys that all entries share."""
    match defect:
        case Defect(code="unknown-key", loc=(str(key),)):
            return replace(defect, hint=key_hint(key, COMMON | set(target.Action.model_fields)))
        case Defect(code="missing-key", loc=(key,)) if key == target.main_field:
            return replace(defect, hint="or name a file of templates/: `template: FILE`")
        case _:
            return defect
