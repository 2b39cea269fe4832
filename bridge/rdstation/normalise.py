"""One full shape per entity, whichever dialect a webhook speaks.

Deals come nested with names (the documented dialect) or flat with ids (API v2); every other entity comes flat.
What a document leaves out altogether, the last document lends; what it holds as null or ``{}`` is empty.
"""

from collections.abc import Mapping

from bridge.document import is_empty, slug
from bridge.model import Json, JsonObject
from bridge.rdstation.shapes import SHAPES

_FLAT_NAMES: Mapping[str, str] = {
    "total_price": "amount_total",
    "one_time_price": "amount_unique",
    "recurrence_price": "amount_monthly",
    "expected_close_date": "prediction_date",
}
_FLAT_RELATIONS: Mapping[str, str] = {
    "owner_id": "user",
    "stage_id": "deal_stage",
    "pipeline_id": "deal_pipeline",
    "source_id": "deal_source",
    "campaign_id": "campaign",
    "lost_reason_id": "deal_lost_reason",
}
_FLAT = _FLAT_NAMES.keys() | _FLAT_RELATIONS.keys()
"""Fields that the flat dialect alone has."""
_EMPTY: Mapping[str, JsonObject] = {
    kind: {field: [] if isinstance(value, list) else value for field, value in shape.items()}
    for kind, shape in SHAPES.items()
}
"""Per kind, the document of which nothing is known."""
_RELATIONS: Mapping[str, Mapping[str, JsonObject]] = {
    kind: {field: value for field, value in shape.items() if isinstance(value, dict) and value}
    for kind, shape in SHAPES.items()
}
"""Per kind, the fields that hold an object of known members."""


def normalise(kind: str, document: JsonObject, last: JsonObject | None) -> JsonObject:
    """Return a document in its entity's full shape; fields that no shape knows are kept as they are.

    ``last`` is the entity's last normalised document. The result shares values with its arguments: change none.
    """
    sent = unflatten(document) if kind == "deal" else dict(document)
    lender = last or {}
    _add_custom(sent, lender)
    if kind == "deal":
        sent.pop("custom_fields", None)  # only the flat dialect has it, and `custom` says the same
    whole = {**_EMPTY[kind], **lender, **sent}
    for field, shape in _RELATIONS[kind].items():
        whole[field] = _relation(shape, whole[field], lender.get(field))
    return whole


def _relation(shape: JsonObject, value: Json, last: Json) -> Json:
    if isinstance(value, dict) and value:
        same_one = isinstance(last, dict) and value.get("id") is not None and value.get("id") == last.get("id")
        return {**shape, **last, **value} if same_one else {**shape, **value}  # type: ignore[dict-item] # a dict, as same_one says
    return dict(shape) if is_empty(value) else value


def unflatten(document: JsonObject) -> JsonObject:
    """Return a copy of a deal in the nested dialect, with the page's and the samples' name of the total."""
    deal = dict(document) if _FLAT.isdisjoint(document) else _renamed(document)
    if "amount_total" in deal or "amount_annual" in deal:
        total, annual = deal.get("amount_total"), deal.get("amount_annual")
        deal["amount_total"] = deal["amount_annual"] = annual if total is None else total
    return deal


def _renamed(document: JsonObject) -> JsonObject:
    deal: JsonObject = {}
    for field, value in document.items():
        if field in _FLAT_NAMES:
            deal.setdefault(_FLAT_NAMES[field], value)
        elif field in _FLAT_RELATIONS:
            deal.setdefault(_FLAT_RELATIONS[field], {} if is_empty(value) else {"id": value})
        else:
            deal[field] = value
    return deal


def _add_custom(sent: JsonObject, last: JsonObject) -> None:
    """Add ``custom`` to a document that holds custom fields in either way of writing them."""
    for field in ("deal_custom_fields", "custom_fields"):
        held = sent.get(field)
        if isinstance(held, list):
            sent["custom"] = _by_label(held)
        elif isinstance(held, dict):
            sent["custom"] = _by_slug(held, last.get("custom"))


def _by_label(fields: list[Json]) -> JsonObject:
    """Return the values by label, or by id where there is no label or another field took it."""
    values: JsonObject = {}
    for field in fields:
        if isinstance(field, dict) and isinstance(definition := field.get("custom_field"), dict):
            label = definition.get("label")
            name = label if isinstance(label, str) and label and label not in values else definition.get("id")
            if isinstance(name, str):
                values[name] = field.get("value")
    return values


def _by_slug(fields: JsonObject, last: Json) -> JsonObject:
    """Return the values under the labels that the last document used for them, so that a slug is no other field."""
    if not isinstance(last, dict) or not fields:
        return fields
    labels = {slug(label): label for label in last}
    return {name if name in last else labels.get(name, name): value for name, value in fields.items()}
