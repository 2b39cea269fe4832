"""Keys that are still read, and have a successor: a field of a model that is marked as deprecated.

``old: str | None = Field(default=None, deprecated="write `new`")`` is all that its author writes; a validator of the
model reads the old key as the new one. The schema says so too, to editors.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel

from bridge.config.naming import describe
from bridge.config.problems import Problems
from bridge.model import Json
from bridge.options import Loc

DEPRECATED: Final = "deprecated"


def warn_of_deprecated(models: Iterable[tuple[type[BaseModel], Loc]], problems: Problems) -> None:
    """Warn of every key that has a successor; each model holds what is written at a place."""
    data = problems.located.data
    for model, loc in models:
        for key, advice in _marked(model, _at(data, loc), loc) if _marks(model) else ():
            problems.warn(key, DEPRECATED, f"{describe(data, key)} is deprecated", advice)


def _at(data: Json, loc: Loc) -> Any:  # noqa: ANN401 (whatever stands there)
    found: Any = data
    for step in loc:
        found = found[step]
    return found


def _marked(model: type[BaseModel], written: object, loc: Loc) -> Iterator[tuple[Loc, str]]:
    """Yield the place of each deprecated key that is written, with what its author advises."""
    fields = {info.alias or name: info for name, info in model.model_fields.items()}
    for key, value in written.items() if isinstance(written, Mapping) else ():
        info = fields.get(key)
        if info is not None and info.deprecated:
            yield (*loc, key), info.deprecated if isinstance(info.deprecated, str) else ""
        elif info is not None:
            yield from _within(info.annotation, value, (*loc, key))


def _within(annotation: object, value: object, loc: Loc) -> Iterator[tuple[Loc, str]]:
    if _is_model(annotation):
        yield from _marked(annotation, value, loc)  # type: ignore[arg-type] # a model, as was just seen
    elif get_origin(annotation) is list and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _within(get_args(annotation)[0], item, (*loc, index))
    elif get_origin(annotation) in {dict, Mapping} and isinstance(value, dict):
        for key, item in value.items():
            yield from _within(get_args(annotation)[1], item, (*loc, key))
    else:
        for argument in get_args(annotation):
            yield from _within(argument, value, loc)


@cache
def _marks(model: type[BaseModel]) -> bool:
    """Tell whether any key of a model, or of one within it, is deprecated; if none is, nothing is looked for."""
    fields = model.model_fields.values()
    return any(info.deprecated or any(map(_marks, _models(info.annotation))) for info in fields)


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if _is_model(annotation):
        yield annotation  # type: ignore[misc] # a model, as was just seen
    for argument in get_args(annotation):
        yield from _models(argument)


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
