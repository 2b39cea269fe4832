"""What a message asks for, in ids: every name is looked up before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.component.reading import text_of
from bridge.model import Json, JsonObject
from bridge.targets.trello.api import Api
from bridge.targets.trello.names import Names
from bridge.targets.trello.options import TrelloAction, names_in
from bridge.targets.trello.parts import wanted_value
from bridge.targets.trello.text import line, marked

PLAIN: Mapping[str, str] = {"pos": "pos", "due_complete": "dueComplete", "archived": "closed"}
"""Keys of an entry that Trello takes as they are, and its names for them."""
DATES = ("due", "start")
"""Those that are cleared by nothing."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The fields of a card that are named, and what is to be on it; None where nothing is said of labels or members."""

    fields: JsonObject
    labels: list[str] | None
    members: list[str] | None
    strangers: tuple[str, ...]
    """Names that no member of the board has."""
    custom_fields: Mapping[str, JsonObject]
    """Values as Trello takes them, by the ids of their fields."""


async def wanted_of(action: TrelloAction, mark: str, names: Names, api: Api) -> Wanted:
    """Look up the names in an action.

    Raises:
        PermanentFailure: the board has no such list or custom field, or the field takes no such value.
        DeliveryFailure: as ``Http.deliver``.
    """
    named = action.model_fields_set
    fields = _fields(action, mark)
    if action.list and action.list.strip():
        fields["idList"] = await names.list_id(api, action.list.strip())
    custom = [(await names.custom_field(api, name), value) for name, value in action.custom_fields.items()]
    values = {text_of(field, "id"): wanted_value(field, value) for field, value in custom}
    members, strangers = await names.member_ids(api, names_in(action.members))
    labels = await names.label_ids(api, names_in(action.labels))
    return Wanted(
        fields,
        labels if "labels" in named else None,
        members if "members" in named else None,
        tuple(strangers),
        values,
    )


def _fields(action: TrelloAction, mark: str) -> JsonObject:
    """Return the fields that need no looking up."""
    said: dict[str, Json] = {theirs: getattr(action, ours) for ours, theirs in PLAIN.items()}
    fields: JsonObject = {name: value for name, value in said.items() if value is not None}
    fields |= {name: getattr(action, name) for name in DATES if name in action.model_fields_set}
    if action.name and action.name.strip():
        fields["name"] = line(action.name)
    if "desc" in action.model_fields_set:
        fields["desc"] = marked(action.desc or "", mark)
    return fields
