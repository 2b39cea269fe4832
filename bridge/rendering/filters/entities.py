"""Filters over documents: a custom field by its label, the page in the CRM, and what changed in words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bridge.component import Source
from bridge.document import custom_value, is_empty, lookup
from bridge.model import Entity, Json
from bridge.rendering.filters.formats import Formats
from bridge.rendering.region import Region
from bridge.rendering.value import Changes, Document, described, given, printed

ARROW = " → "
NOTHING = "—"


def field(value: object, label: str) -> Json:
    """Return the value of a custom field by its label, slug or id; nothing if the document has no such field."""
    if given(value) is None:
        return None
    if not isinstance(value, Document):
        raise TypeError(f"field wants a document such as deal, not {described(value)}")
    return custom_value(value, label)


def link(value: object, kind: str | None = None) -> str:
    """Return the address of a document's page in the CRM; nothing if it has none.

    With ``kind``, of what the document points at: ``{{ task | link("deal") }}``.
    """
    if given(value) is None:
        return ""
    if not isinstance(value, Document) or value.entity is None or value.source is None:
        raise TypeError(f"link wants the event's own document such as deal, not {described(value)}")
    entity = value.entity if kind in {None, value.entity.kind} else _referred(value, value.source, str(kind))
    return (value.source.page(entity) or "") if entity else ""


def _referred(document: Document, source: Source[Any], kind: str) -> Entity | None:
    path = source.references.get(document.kind, {}).get(kind)
    if path is None:
        raise ValueError(f"a {document.kind} points at no {kind}")
    found = lookup(document, path)
    return Entity(kind, str(found)) if isinstance(found, str | int) and found else None


@dataclass(frozen=True, slots=True)
class Diff:
    """The filter ``diff`` of one region."""

    formats: Formats

    def __call__(self, value: object, separator: str = "\n") -> str:
        """Return what changed, a line each: ``Etapa: Proposta → Negociação``."""
        if given(value) is None:
            return ""
        if not isinstance(value, Changes):
            raise TypeError(f"diff wants changes, not {described(value)}")
        return separator.join(self._lines(value))

    def _lines(self, changes: Changes) -> Iterator[str]:
        labels = changes.source.labels.get(self.formats.region.locale.language, {})
        parents = {path.rpartition(".")[0] for path in labels} - {""}
        for change in changes:
            path = change["path"]
            # Of an object whose name has a label, its id, order and nickname tell a reader nothing more.
            if labels.get(path, "" if path.rpartition(".")[0] in parents else path):
                sides = (self._value(path, change[side], changes.source, labels) for side in ("before", "after"))
                yield f"{labels.get(path) or _spelt_out(path)}: {ARROW.join(sides)}"

    def _value(self, path: str, value: Json, source: Source[Any], labels: Any) -> str:  # noqa: ANN401
        if is_empty(value):
            return NOTHING
        if isinstance(value, str):
            return str(labels.get(f"{path}={value}") or self._text(path, value))
        if isinstance(value, list):
            return ", ".join(filter(None, map(_brief, value)))
        if isinstance(value, bool) or not isinstance(value, int | float):
            return printed(value)
        return self.formats.money(value) if path in source.amounts else self.formats.number(value)

    def _text(self, path: str, value: str) -> str:
        return self.formats.moment(value) if path.endswith(("_at", "_date")) else value


def _brief(item: Json) -> str:
    """Return an item of a list as one would name it: of an object, its first field that holds something."""
    if isinstance(item, dict):
        return printed(next((field for field in (item.get("name"), *item.values()) if not is_empty(field)), None))
    return printed(item)


def _spelt_out(path: str) -> str:
    """Return a path without a label, readable: ``custom.Unidade`` is Unidade, ``deal_source.name`` Deal source name."""
    words = path.removeprefix("custom.")
    if words != path:
        return words
    words = words.replace(".", " ").replace("_", " ")
    return words[:1].upper() + words[1:]


def entity_filters(region: Region) -> dict[str, Callable[..., Any]]:
    """Return the filters by their names in templates."""
    return {"diff": Diff(Formats(region)), "field": field, "link": link}
