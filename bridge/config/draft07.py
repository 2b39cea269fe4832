"""Pydantic's JSON Schemas as drafts of 2017: what the language servers of editors understand.

Pydantic writes the 2020 draft; of that, models use nothing that draft 07 lacks but the name of ``$defs``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from bridge.model import Json, JsonObject
from bridge.options.quantity import written

_OUTER = ("description", "default")
"""What is said of a value as a whole, whatever it may be."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """A text that may stand for a value of another type: a reference to the environment, or a template.

    ``whole`` says that it may stand for a list or an object too.
    """

    pattern: str
    whole: bool = False

    def added_to(self, schema: JsonObject) -> JsonObject:
        """Return a schema that takes the text as well."""
        if self._is_welcome_in(schema) or not (self.whole or _is_scalar(schema)):
            return schema
        outer: JsonObject = {key: schema[key] for key in _OUTER if key in schema}
        inner: JsonObject = {key: value for key, value in schema.items() if key not in _OUTER}
        members = inner["anyOf"] if inner.keys() == {"anyOf"} else [inner]
        texts: list[Json] = [{"type": "string", "pattern": self.pattern}]
        return {**outer, "anyOf": [*(members if isinstance(members, list) else ()), *texts]}

    def _is_welcome_in(self, schema: JsonObject) -> bool:
        if not schema.keys() - {*_OUTER}:
            return True
        return any(
            member.get("type") == "string" and not member.keys() & {"enum", "const", "pattern", "format"}
            for member in _members(schema)
        )


@dataclass(frozen=True, slots=True)
class Piece:
    """The schema of a model, with the definitions it refers to."""

    schema: JsonObject
    definitions: JsonObject = field(default_factory=dict)


class _Spelled(GenerateJsonSchema):
    """Spells defaults as rules do."""

    def encode_default(self, dft: Any) -> Any:  # noqa: ANN401 (pydantic's own signature)
        """Return a default as JSON."""
        return written(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def piece(model: type[BaseModel], name: str, stand_in: StandIn | None = None) -> Piece:
    """Return the schema of a model; ``name`` sets its definitions apart from those of other models."""
    schema: JsonObject = model.model_json_schema(
        ref_template=f"#/definitions/{name}.{{model}}", schema_generator=_Spelled
    )
    inner = schema.pop("$defs", {})
    definitions: JsonObject = {}
    for key, value in inner.items() if isinstance(inner, dict) else ():
        definitions[f"{name}.{key}"] = _tidied(value, stand_in)
    tidied = _tidied(schema, stand_in)
    return Piece(tidied if isinstance(tidied, dict) else {}, definitions)


def _tidied(schema: Json, stand_in: StandIn | None) -> Json:
    """Return a schema without titles and without nulls that only mean absence, its fields open for the stand-in."""
    if isinstance(schema, list):
        return [_tidied(item, stand_in) for item in schema]
    if not isinstance(schema, dict):
        return schema
    tidied: JsonObject = {}
    for key, value in schema.items():
        if key in {"properties", "patternProperties"} and isinstance(value, dict):
            tidied[key] = {name: _field(inner, stand_in) for name, inner in value.items()}
        elif key in {"items", "additionalProperties"} and isinstance(value, dict):
            tidied[key] = _field(value, stand_in)
        elif key == "default":
            tidied[key] = value
        elif key != "title":
            tidied[key] = _tidied(value, stand_in)
    return _without_absence(tidied)


def _field(schema: Json, stand_in: StandIn | None) -> Json:
    tidied = _tidied(schema, stand_in)
    return tidied if stand_in is None or not isinstance(tidied, dict) else stand_in.added_to(tidied)


def _without_absence(schema: JsonObject) -> JsonObject:
    """Leave out the null of a field that may be left out: nobody writes it, and it clutters what editors offer."""
    if "default" not in schema or schema["default"] is not None:
        return schema
    rest = {key: value for key, value in schema.items() if key not in {"default", "anyOf"}}
    members: list[Json] = [member for member in _members(schema) if member != {"type": "null"}]
    if len(members) == 1 and isinstance(members[0], dict):
        return {**members[0], **rest}
    return {**rest, "anyOf": members} if "anyOf" in schema else rest


def _members(schema: JsonObject) -> list[JsonObject]:
    members = schema.get("anyOf", [schema])
    return [member for member in members if isinstance(member, dict)] if isinstance(members, list) else []


def _is_scalar(schema: Mapping[str, Json]) -> bool:
    return any(
        "$ref" not in member and member.get("type") not in {"object", "array"} for member in _members(dict(schema))
    )
