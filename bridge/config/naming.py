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
            name = _route(document, index)
        case ("routes", int(), "deliver", int(index)):
            name = f"entry {index + 1} of {describe(document, loc[:2])}"
        case (str(key),):
            name = f'"{key}"'
        case _:
            name = f"{_step(loc[-1])} of {describe(document, loc[:-1])}"
    return name


def _step(step: str | int) -> str:
    return f'"{step}"' if isinstance(step, str) else f"item {step + 1}"


def _route(document: Json, index: int) -> str:
    routes = document.get("routes") if isinstance(document, dict) else None
    route = routes[index] if isinstance(routes, list) and index < len(routes) else None
    name = route.get("name") if isinstance(route, dict) else None
    return f'route "{name}"' if isinstance(name, str) else f"route {index + 1}"
