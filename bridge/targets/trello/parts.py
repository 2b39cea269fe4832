"""What is on a card beside its fields: an address, checklists, custom fields. Only what is missing is added."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

from bridge.component.reading import text_of, things_in
from bridge.errors import PermanentFailure
from bridge.model import Json, JsonObject
from bridge.targets.trello.api import Api
from bridge.targets.trello.names import option_of
from bridge.targets.trello.options import TrelloAction, moment_of, names_in
from bridge.targets.trello.text import cut, line

READ: Final = {
    "fields": "idLabels,idMembers",
    "attachments": "true",
    "attachment_fields": "url",
    "checklists": "all",
    "customFieldItems": "true",
}
"""How a card is asked for, so that it is seen what it has."""
TRUE: Final = frozenset({"true", "sim", "yes", "1"})
FALSE: Final = frozenset({"false", "não", "nao", "no", "0"})
"""How a template may spell what a box says."""
DIGITS: Final = 20
"""Digits that a number may have before or behind its point."""


def has_parts(action: TrelloAction) -> bool:
    """Tell whether something is asked for that depends on what the card has."""
    return bool(action.url or action.checklists or action.custom_fields)


async def add_parts(api: Api, card: JsonObject, action: TrelloAction, values: Mapping[str, JsonObject]) -> None:
    """Bring the parts of a card to what is asked for; ``card`` is what it has. Safe to do again.

    ``values`` are those of custom fields, by their ids. Raises as ``Http.deliver``.
    """
    id_ = text_of(card, "id")
    if action.url and action.url not in {text_of(each, "url") for each in things_in(card, "attachments")}:
        await api.ask("POST", f"/cards/{id_}/attachments", {"url": action.url})
    for name, items in action.checklists.items():
        await _check_off(api, card, line(name), [line(item) for item in names_in(items)])
    there = {text_of(each, "idCustomField"): each for each in things_in(card, "customFieldItems")}
    for field, wanted in values.items():
        if not _has(there.get(field, {}), wanted):
            await api.ask("PUT", f"/cards/{id_}/customField/{field}/item", wanted)


async def _check_off(api: Api, card: JsonObject, name: str, items: Sequence[str]) -> None:
    """Add the items that a checklist lacks, and the checklist itself; without items there is none."""
    if not items:
        return
    found = next((each for each in things_in(card, "checklists") if text_of(each, "name") == name), None)
    checklist = found or await api.post(f"/cards/{text_of(card, 'id')}/checklists", {"name": name})
    there = {text_of(item, "name") for item in things_in(checklist, "checkItems")}
    for item in items:
        if item not in there:
            await api.ask("POST", f"/checklists/{text_of(checklist, 'id')}/checkItems", {"name": item})


def _has(item: JsonObject, wanted: JsonObject) -> bool:
    """Tell whether a custom field has a value already; one without a value is no item of its card."""
    return all((item.get(name) or None) == (value or None) for name, value in wanted.items())


def wanted_value(field: JsonObject, value: Json) -> JsonObject:
    """Return a value as Trello takes it for a custom field: all of them are texts, and an empty one clears it.

    https://developer.atlassian.com/cloud/trello/guides/rest-api/getting-started-with-custom-fields/

    Raises:
        PermanentFailure: the field takes no such value.
    """
    text = "" if value is None else _spelt(value)
    kind = text_of(field, "type")
    if kind == "list":
        return {"idValue": option_of(field, text) if text else ""}
    if not text:
        return {"value": {}}
    match kind:
        case "checkbox":
            return {"value": {**_checked(field, text)}}
        case "number":
            return {"value": {"number": _number(field, text)}}
        case "date":
            return {"value": {"date": _date(field, text)}}
        case _:
            return {"value": {"text": cut(text)}}


def _spelt(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value).strip()


def _checked(field: JsonObject, text: str) -> JsonObject:
    """Return the value of a box: one that is not ticked has none."""
    if text.casefold() not in TRUE | FALSE:
        raise _unfit(field, "true or false")
    return {"checked": "true"} if text.casefold() in TRUE else {}


def _number(field: JsonObject, text: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise _unfit(field, "a number") from None
    if not number.is_finite() or abs(number.adjusted()) > DIGITS:
        raise _unfit(field, "a number")
    return f"{number.normalize():f}"


def _date(field: JsonObject, text: str) -> str:
    try:
        return moment_of(text)
    except ValueError:
        raise _unfit(field, "a day or a moment") from None


def _unfit(field: JsonObject, what: str) -> PermanentFailure:
    return PermanentFailure(f'the custom field "{text_of(field, "name")}" takes {what}')
