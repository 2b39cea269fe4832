"""Pydantic's errors placed in the data, and only those of what its author meant."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeGuard, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from bridge.config.wording import is_type_error
from bridge.options import Loc, nearest


@dataclass(frozen=True, slots=True)
class Fault:
    """One error of pydantic: its way through the data, and through the members of unions on that way."""

    loc: Loc
    error: ErrorDetails
    members: Mapping[Loc, str] = field(default_factory=dict)
    at_key: bool = False

    @property
    def type(self) -> str:
        """Return pydantic's name of the error."""
        return self.error["type"]


def meant_faults(errors: Iterable[ErrorDetails], model: type[BaseModel], data: object) -> list[Fault]:
    """Return the faults, without those of union members that were not meant and of keys that were misspelt."""
    faults = _without_misspelt([_placed(error, data) for error in errors], model)
    for union in sorted({loc for fault in faults for loc in fault.members}, key=len):
        faults = _of_meant_members(union, faults)
    return faults


def known_keys(model: type[BaseModel], loc: Loc) -> frozenset[str]:
    """Return the keys that a model takes at a place inside it, whichever members of unions lead there."""
    places: set[object] = {model}
    for step in loc:
        if isinstance(step, str):
            places = {inner for each in places for inner in _below(each, step)}
    models = [each for place in places for each in _mappings(place) if _is_model(each)]
    return frozenset(info.alias or name for each in models for name, info in each.model_fields.items())


def _below(annotation: object, key: str) -> Iterable[object]:
    """Yield what may stand at a key of what an annotation allows."""
    for each in _mappings(annotation):
        if _is_model(each):
            yield from (info.annotation for name, info in each.model_fields.items() if key == (info.alias or name))
        else:
            yield get_args(each)[1]


def _mappings(annotation: object) -> Iterable[object]:
    """Yield the models that an annotation allows, also in lists, and its mappings of names to something."""
    if _is_model(annotation) or get_origin(annotation) in {dict, Mapping}:
        yield annotation
    else:
        for argument in get_args(annotation):
            yield from _mappings(argument)


def _is_model(annotation: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _placed(error: ErrorDetails, data: object) -> Fault:
    """Split pydantic's way into steps of the data and names of union members."""
    missing = error["type"] == "missing"
    loc: Loc = ()
    members: dict[Loc, str] = {}
    for step in error["loc"][:-1] if missing else error["loc"]:
        if _leads_into(data, step):
            loc, data = (*loc, step), data[step]  # type: ignore[index]  # just seen to hold it
        elif step != "[key]":
            members[loc] = f"{members.get(loc, '')}/{step}"
    return Fault((*loc, error["loc"][-1]) if missing else loc, error, members, "[key]" in error["loc"])


def _leads_into(data: object, step: int | str) -> bool:
    if isinstance(data, dict):
        return step in data
    return isinstance(data, list) and isinstance(step, int) and step < len(data)


def _without_misspelt(faults: Sequence[Fault], model: type[BaseModel]) -> list[Fault]:
    """Leave out each missing key that an unknown key beside it was meant to be: one mistake, not two."""
    meant = {
        (*fault.loc[:-1], nearest(str(fault.loc[-1]), known_keys(model, fault.loc[:-1])))
        for fault in faults
        if fault.type == "extra_forbidden"
    }
    return [fault for fault in faults if fault.type != "missing" or fault.loc not in meant]


def _of_meant_members(union: Loc, faults: Sequence[Fault]) -> list[Fault]:
    """Leave out the faults of all members of a union but those that come nearest to what is written."""
    scores: dict[str, Counter[str]] = defaultdict(Counter)
    for fault in faults:
        if (member := fault.members.get(union)) is not None:
            scores[member][_strangeness(fault, union)] += 1
    ranks = {
        member: (score["other kind"], score["other keys"], score["other values"]) for member, score in scores.items()
    }
    best = min(ranks.values())
    kept = [fault for fault in faults if union not in fault.members or ranks[fault.members[union]] == best]
    return _unambiguous(union, kept)


def _strangeness(fault: Fault, union: Loc) -> str:
    if fault.loc == union and is_type_error(fault.type):
        return "other kind"
    return "other keys" if fault.type in {"missing", "extra_forbidden"} else "other values"


def _unambiguous(union: Loc, faults: Sequence[Fault]) -> list[Fault]:
    """Where several members are as near, what each of them misses is a guess beside a key that none of them knows."""
    inside = [fault for fault in faults if union in fault.members]
    several = len({fault.members[union] for fault in inside}) > 1
    if several and any(fault.type == "extra_forbidden" for fault in inside):
        return [fault for fault in faults if union not in fault.members or fault.type != "missing"]
    return list(faults)
