"""What the parts of a rules file are called in a sentence."""

from bridge.model import Json
from bridge.options import Loc

_LISTED = {"sources": "source", "targets": "target"}


def describe(document: Json, loc: Loc) -> str:
    """Return a name for the part at ``loc``: ``target "sales"``, ``"match" of route "deal-lost"``."""
    match loc:
        case ():
            name = "the file"
        case ("sources" | "targets" as section, str(key)):
            name = f'{_LISTED[section]} "{key}"'
        case ("routes", int(index)):
            name = _named(document, "route", index)
        case ("tests", int(index)):
            name = _named(document, "test", index)
        case ("routes", int(), "deliver", int(index)):
            name = f"entry {index + 1} of {describe(document, loc[:2])}"
        case (str(key),):
            name = f'"{key}"'
        case _:
            name = f"{_step(loc[-1])} of {describe(document, loc[:-1])}"
    return name


def _step(step: str | int) -> str:
    return f'"{step}"' if isinstance(step, str) else f"item {step + 1}"


def _named(document: Json, what: str, index: int) -> str:
    items = document.get(f"{what}s") if isinstance(document, dict) else None
    item = items[index] if isinstance(items, list) and index < len(items) else None
    name = item.get("name") if isinstance(item, dict) else None
    return f'{what} "{name}"' if isinstance(name, str) else f"{what} {index + 1}"
