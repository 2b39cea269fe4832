"""What of a project has a name: sections, custom fields, people. Asked for when first needed, and then kept."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, Literal, TypeAlias
from urllib.parse import quote
from zoneinfo import ZoneInfo

from bridge.component.occasion import read
from bridge.component.reading import is_gone, text_of, things_in
from bridge.errors import AccessRefused, PermanentFailure
from bridge.model import Json, JsonObject
from bridge.options import did_you_mean
from bridge.targets.asana.api import Api
from bridge.targets.asana.options import GID, AsanaOptions, Value

Kind: TypeAlias = Literal["sections", "custom_field_settings"]

FIELDS: Final[Mapping[Kind, str]] = {
    "sections": "name",
    "custom_field_settings": "custom_field.name,custom_field.resource_subtype,custom_field.enum_options.name",
}
"""What is asked for of each kind."""
KEPT: Final = 300.0
"""Seconds in which nothing is asked again: what a name stands for, and whom Asana does not know."""
NOBODY: Final = frozenset({400, 403, 404})
"""Statuses of a question for somebody who is not there."""
_UTC: Final = ZoneInfo("UTC")


class Names:
    """The names of one project. What is not found is asked for at once: people may have made it since."""

    def __init__(self, options: AsanaOptions) -> None:
        """Know nothing yet."""
        self._options = options
        self._people = {name.casefold(): account for name, account in options.people.items()}
        self._known: dict[Kind, tuple[float, list[JsonObject]]] = {}
        self._users: dict[str, tuple[float, str]] = {}
        self.sought: dict[Kind, str] = {}
        """What is looked for last, of each kind."""

    def forget(self) -> None:
        """Ask for everything anew when it is needed."""
        self._known.clear()
        self._users.clear()

    async def project(self, api: Api) -> JsonObject:
        """Return the project.

        Raises:
            AccessRefused: there is no such project for this token.
            DeliveryFailure: as ``Api.ask``.
        """
        with project_needed():
            return await api.thing("GET", f"/projects/{self._options.project}", opt_fields="name,archived")

    async def section_id(self, api: Api, name: str) -> str:
        """Return the id of a section.

        Raises:
            PermanentFailure: the project has no such section.
            DeliveryFailure: as ``project``.
        """
        if GID.fullmatch(name):
            return name
        return text_of(await self._needed(api, "sections", name, "section"), "gid")

    async def field_value(self, api: Api, name: str, value: Value) -> tuple[str, Json]:
        """Return the id of a custom field, and a value as Asana takes it; raises as ``section_id``."""
        field = await self._needed(api, "custom_field_settings", name, "custom field")
        return text_of(field, "gid"), field_value(field, value)

    async def user_id(self, api: Api, name: str) -> str | None:
        """Return the id of a person; None if Asana knows nobody of that address or id."""
        account = self._people.get(name.casefold(), name)
        since, known = self._users.get(account, (-KEPT, ""))
        if _now() - since >= KEPT:
            known = await self._ask_for(api, account)
            self._users[account] = _now(), known
        return known or None

    async def _ask_for(self, api: Api, account: str) -> str:
        if not (GID.fullmatch(account) or "@" in account):
            return ""
        try:
            return text_of(await api.thing("GET", f"/users/{quote(account, safe='@')}", opt_fields="name"), "gid")
        except (PermanentFailure, AccessRefused) as failure:
            if failure.status not in NOBODY:
                raise
        return ""

    async def _needed(self, api: Api, kind: Kind, name: str, word: str) -> JsonObject:
        self.sought[kind] = name
        found = _called(name, self._kept(kind))
        if found is None:
            self._known[kind] = _now(), await self._listed(api, kind)
            found = _called(name, self._kept(kind))
        if found is None:
            hint = did_you_mean(name, (text_of(each, "name") for each in self._kept(kind)))
            raise PermanentFailure(f'the project has no {word} "{name}"' + (f"; {hint}" if hint else ""))
        return found

    async def _listed(self, api: Api, kind: Kind) -> list[JsonObject]:
        path = f"/projects/{self._options.project}/{kind}"
        with project_needed():
            found = [each async for each in api.listed(path, opt_fields=FIELDS[kind])]
        return [inner if isinstance(inner := each.get("custom_field"), dict) else each for each in found]

    def _kept(self, kind: Kind) -> Sequence[JsonObject]:
        since, things = self._known.get(kind, (-KEPT, []))
        return things if _now() - since < KEPT else ()


def field_value(field: JsonObject, value: Value) -> Json:
    """Return a value as Asana takes it for a custom field; empty clears it.

    Raises:
        PermanentFailure: the field takes no such value.
    """
    if value is None or (isinstance(value, str | list) and not value):
        return None
    kind, several = text_of(field, "resource_subtype"), value if isinstance(value, list) else [value]
    match kind:
        case "text":
            return ", ".join(_spelt(each) for each in several)
        case "number":
            return _number(field, value)
        case "enum":
            return _option(field, _spelt(several[0]))
        case "multi_enum":
            return [_option(field, _spelt(each)) for each in several if each]
        case "date":
            return {"date": _day(field, _spelt(value))}
        case _:
            raise _unfit(field, f"no value of ours: it is of the kind {kind}")


def _option(field: JsonObject, name: str) -> str:
    options = things_in(field, "enum_options")
    found = _called(name, options)
    if found:
        return text_of(found, "gid")
    hint = did_you_mean(name, (text_of(each, "name") for each in options))
    raise _unfit(field, f'no option "{name}"' + (f"; {hint}" if hint else ""))


def _number(field: JsonObject, value: Value) -> float:
    try:
        return float(_spelt(value))
    except ValueError:
        raise _unfit(field, "a number") from None


def _day(field: JsonObject, text: str) -> str:
    try:
        return read(text, _UTC).isoformat()[:10]
    except ValueError:
        raise _unfit(field, "a day") from None


def _unfit(field: JsonObject, what: str) -> PermanentFailure:
    return PermanentFailure(f'the custom field "{text_of(field, "name")}" takes {what}')


def _spelt(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value).strip()


def _called(name: str, things: Sequence[JsonObject]) -> JsonObject | None:
    """Return the thing of that name or id: written just so, or else in other capitals."""
    folded = name.strip().casefold()
    exact = (thing for thing in things if name in {text_of(thing, "name"), text_of(thing, "gid")})
    alike = (thing for thing in things if text_of(thing, "name").strip().casefold() == folded)
    return next(exact, None) or next(alike, None)


@contextmanager
def project_needed() -> Iterator[None]:
    """Make of what is not there a failure of the target: without its project no message fares better."""
    try:
        yield
    except PermanentFailure as failure:
        if not is_gone(failure):
            raise
        excerpt = failure.excerpt
    else:
        return
    reason = "Asana has no such project, or the account of the token may not see it"
    raise AccessRefused(reason, status=404, excerpt=excerpt)


def _now() -> float:
    return asyncio.get_running_loop().time()
