"""Pydantic's errors as defects: each where it stands in the document, one for one mistake."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError

from bridge.config.faults import Fault, known_keys, meant_faults
from bridge.config.misplaced import key_hint, stands_for
from bridge.config.wording import bad_value, described, expected_type, is_type_error, suggestion, type_hint
from bridge.options import Loc

ModelT = TypeVar("ModelT", bound=BaseModel)
_BEGINNING = {"version": "begin the file with `version: 1`"}
Describe: TypeAlias = Callable[[Loc], str]
"""Names the part of the data at a place, for a sentence."""


@dataclass(frozen=True, slots=True)
class Defect:
    """One mistake. ``loc`` leads to it from the root of what was validated; ``value`` is what stands there."""

    loc: Loc
    code: str
    message: str
    hint: str = ""
    value: object = None
    at_key: bool = False


def validated(model: type[ModelT], data: object, describe: Describe) -> tuple[ModelT | None, Sequence[Defect]]:
    """Return the model of the data, or None and every defect."""
    try:
        return model.model_validate(data), ()
    except ValidationError as error:
        faults = meant_faults(error.errors(include_url=False), model, data)
    translation = _Translation(model, describe)
    return None, [translation.defect(group) for group in _grouped(faults)]


def _grouped(faults: Sequence[Fault]) -> Sequence[Sequence[Fault]]:
    """Join what several members of a union say of one place: of a value, or of the keys that a mapping misses."""
    groups: dict[object, list[Fault]] = defaultdict(list)
    for fault in faults:
        missing = fault.type == "missing"
        parent = fault.loc[:-1]
        alone = missing and parent not in fault.members
        groups[(parent, missing) if missing and not alone else (fault.loc, fault.at_key)].append(fault)
    return list(groups.values())


class _Translation:
    """Translates the faults of one model."""

    def __init__(self, model: type[BaseModel], describe: Describe) -> None:
        self._model = model
        self._describe = describe

    def defect(self, faults: Sequence[Fault]) -> Defect:
        """Return the one defect of faults that are about the same."""
        first = faults[0]
        if first.type == "missing":
            return self._missing_key(faults)
        if first.type == "extra_forbidden":
            return self._unknown_key(first)
        refusal = next((fault for fault in faults if not is_type_error(fault.type)), None)
        asked = [words for fault in faults if (words := expected_type(fault.type))]
        return self._bad_value(refusal or first) if refusal or not asked else self._wrong_type(first, asked)

    def _missing_key(self, faults: Sequence[Fault]) -> Defect:
        loc = faults[0].loc
        keys = [f'"{key}"' for key in dict.fromkeys(fault.loc[-1] for fault in faults)]
        together = len({tuple(fault.members.values()) for fault in faults}) == 1
        asked = f"the key {keys[0]}" if len(keys) == 1 else f"{'all' if together else 'one'} of {', '.join(keys)}"
        around = faults[0].error["input"]
        written = around if isinstance(around, dict) else ()
        hint = stands_for(str(loc[-1]), written, known_keys(self._model, loc[:-1])) or _BEGINNING.get(str(loc[-1]), "")
        return Defect(loc, "missing-key", f"{self._describe(loc[:-1])} needs {asked}", hint)

    def _unknown_key(self, fault: Fault) -> Defect:
        around, key = fault.loc[:-1], str(fault.loc[-1])
        message = f'{self._describe(around)} has no key "{key}"'
        hint = key_hint(key, known_keys(self._model, around))
        return Defect(fault.loc, "unknown-key", message, hint, at_key=True)

    def _wrong_type(self, fault: Fault, asked: Sequence[str]) -> Defect:
        value = fault.error["input"]
        found = "and is empty" if value is None else f"not {described(value)}"
        message = f"{self._describe(fault.loc)} must be {' or '.join(dict.fromkeys(asked))}, {found}"
        hint = type_hint(next((step for step in reversed(fault.loc) if isinstance(step, str)), ""), asked, value)
        return Defect(fault.loc, "wrong-type", message, hint, value)

    def _bad_value(self, fault: Fault) -> Defect:
        message = bad_value(fault.error, self._describe(fault.loc))
        return Defect(
            fault.loc, "bad-value", message, suggestion(fault.error), fault.error["input"], at_key=fault.at_key
        )
