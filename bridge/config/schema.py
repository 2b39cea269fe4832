"""The JSON Schema of routes.yaml, for editors that complete and check it as one types."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from pydantic import BaseModel

from bridge.component import AnySource, AnyTarget, NamedTrigger
from bridge.component.discovery import source_types, target_types
from bridge.config.draft07 import StandIn, piece
from bridge.config.frame import EntryFrame, FileFrame, PartFrame
from bridge.config.languages import ENGLISH, PORTUGUESE, Language
from bridge.config.match_schema import MATCH, match_definitions
from bridge.config.vocabulary import vocabulary
from bridge.model import Json, JsonObject
from bridge.sources._bridge import Bridge

RAW: Final = "The raw event, about a {kind}."
FROM_OUTSIDE = StandIn(r"\$\{")
"""In options, a reference to the environment may stand for a value."""
RENDERED = StandIn(r"\{[{%]", whole=True)
"""In deliver entries, a template may stand for anything."""


def json_schema(code: str = ENGLISH, *, part: bool = False) -> JsonObject:
    """Return the schema of a rules file, or of a part that one includes, for all types of source and target there are.

    It is of draft 07, and its descriptions are in one of ``LANGUAGES``.
    """
    language = Language(code)
    schema = language.translated(_schema(language, PartFrame if part else FileFrame))
    return schema if isinstance(schema, dict) else {}


def _schema(language: Language, model: type[FileFrame] | type[PartFrame]) -> JsonObject:
    sources, targets = source_types(), target_types()
    heard: list[type[AnySource]] = [*sources.values(), Bridge]
    words = vocabulary(heard, complete=True)
    labels = {
        path: label for source in reversed(heard) for path, label in source.labels.get(language.short, {}).items()
    }
    frame = piece(model, "frame")
    definitions: JsonObject = {**frame.definitions, **match_definitions(words, labels, language)}
    definitions |= dict(_components("source", {name: source.Options for name, source in sources.items()}))
    definitions |= dict(_components("target", {name: target.Options for name, target in targets.items()}))
    definitions |= dict(_actions(targets)) | {"event": _event(heard, language)}
    _refer(definitions["frame.RouteFrame"], "on", _one_or_more({"$ref": "#/definitions/event"}))
    _refer(definitions["frame.RouteFrame"], "match", {"allOf": [{"$ref": f"#/definitions/{MATCH}"}]})
    entries: JsonObject = {"anyOf": [{"$ref": f"#/definitions/action.{name}"} for name in sorted(targets)]}
    _refer(definitions["frame.RouteFrame"], "deliver", {"type": "array", "minItems": 1, "items": entries})
    for section, definition in (("sources", "source"), ("targets", "target")):
        _refer(frame.schema, section, {"additionalProperties": {"$ref": f"#/definitions/{definition}"}})
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Rules of bridge",
        **(frame.schema if model is PartFrame else _completed_by_parts(frame.schema)),
        "definitions": dict(sorted(definitions.items())),
    }


def _completed_by_parts(file: JsonObject) -> JsonObject:
    """Let included files bring the sections that a file lacks."""
    sections: list[Json] = [name for name in FileFrame.model_fields if name in PartFrame.model_fields]
    return {**file, "required": ["version"], "anyOf": [{"required": ["include"]}, {"required": sections}]}


def _refer(owner: Json, key: str, schema: JsonObject) -> None:
    """Say of a field what its model leaves open, and keep what the model does say."""
    properties = owner.get("properties") if isinstance(owner, dict) else None
    written = properties.get(key) if isinstance(properties, dict) else None
    if not isinstance(properties, dict) or not isinstance(written, dict):
        raise TypeError(f"the frame has no field {key}")
    kept = {name: value for name, value in written.items() if name in {"description", "type", "minProperties"}}
    patterns = written.get("patternProperties")
    names: JsonObject = {"propertyNames": {"pattern": next(iter(patterns))}} if isinstance(patterns, dict) else {}
    properties[key] = {**kept, **names, **schema}


def _components(kind: str, options: Mapping[str, type[BaseModel]]) -> Iterator[tuple[str, Json]]:
    """Yield the schema of a component of any type, and of each type, from the models of their options."""
    names: list[Json] = [*sorted(options)]
    choices: list[Json] = []
    for name, model in sorted(options.items()):
        written = piece(model, f"{kind}.{name}", FROM_OUTSIDE)
        yield from written.definitions.items()
        yield f"{kind}.{name}", _with(written.schema, {"type": {"const": name}}, ("type",))
        then: JsonObject = {"$ref": f"#/definitions/{kind}.{name}"}
        choices.append({"if": {"properties": {"type": {"const": name}}, "required": ["type"]}, "then": then})
    named: JsonObject = {"enum": names, "description": f"What kind of {kind} this is."}
    yield kind, {"type": "object", "required": ["type"], "properties": {"type": named}, "allOf": choices}


def _actions(targets: Mapping[str, type[AnyTarget]]) -> Iterator[tuple[str, Json]]:
    """Yield the schema of a deliver entry to each type of target."""
    entry = piece(EntryFrame, "entry")
    common = entry.schema["properties"]
    yield from entry.definitions.items()
    for name, target in sorted(targets.items()):
        action = piece(target.Action, f"action.{name}", RENDERED)
        yield from action.definitions.items()
        schema = _with(action.schema, common if isinstance(common, dict) else {}, ("to",))
        yield f"action.{name}", _filled_by_template(schema, target.main_field)


def _with(schema: JsonObject, properties: JsonObject, required: Iterable[str]) -> JsonObject:
    own, needed = schema.get("properties"), schema.get("required")
    together = {**properties, **(own if isinstance(own, dict) else {})}
    return {**schema, "properties": together, "required": [*required, *(needed if isinstance(needed, list) else ())]}


def _filled_by_template(schema: JsonObject, main: str) -> JsonObject:
    """Let a template file take the place of the main field where that is required."""
    required = schema["required"]
    if not isinstance(required, list) or main not in required:
        return schema
    either: list[Json] = [{"required": [main]}, {"required": ["template"]}]
    return {**schema, "required": [name for name in required if name != main], "anyOf": either}


def _event(sources: Iterable[type[AnySource]], language: Language) -> JsonObject:
    """Return the schema of an item of ``on:``: a known name, with what it means, or a pattern."""
    meanings: dict[str, str] = {}
    for source in sources:
        meanings |= {name: _meaning(trigger, language) for name, trigger in source.triggers.items()}
        raw = {name: language.say(RAW, kind=kind) for name, kind in source.events.items()}
        meanings |= {name: text for name, text in raw.items() if name not in meanings}
    known: JsonObject = {"enum": list(meanings), "enumDescriptions": list(meanings.values())}
    pattern: JsonObject = {"type": "string", "pattern": r"[*?\[]", "description": "A pattern of raw event names."}
    return {"anyOf": [known, pattern]}


def _meaning(trigger: NamedTrigger, language: Language) -> str:
    return trigger.description_pt if language.code == PORTUGUESE else trigger.description


def _one_or_more(item: JsonObject) -> JsonObject:
    return {"anyOf": [item, {"type": "array", "minItems": 1, "items": item}]}
