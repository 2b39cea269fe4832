"""API v2, opened by an application: https://api.rd.services/crm/v2."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from bridge.component.http import Http
from bridge.component.remote import Address, Registration, Urgency, Wanted, everything
from bridge.errors import RemoteInvalidError, RemoteMissingError, RemoteUnavailableError
from bridge.model import Entity, Json, JsonObject
from bridge.rdstation.api.access import OAuthAccess
from bridge.rdstation.api.caller import Caller, items, segment, whole
from bridge.rdstation.api.options import ApiOptions, Credentials
from bridge.rdstation.api.registering import registration
from bridge.rdstation.timestamps import instant

PATH: Final = "/crm/v2"
PAGE: Final = 200
"""Records of a page: the most that v2 gives."""
CEILING: Final = 10_000
"""Records that a list reaches, per filter."""
LISTS: Final[Mapping[str, str]] = {
    "deal": "deals",
    "task": "tasks",
    "contact": "contacts",
    "organization": "organizations",
    "user": "users",
    "deal_pipeline": "pipelines",
    "lost_reason": "lost_reasons",
    "source": "sources",
    "campaign": "campaigns",
    "custom_field": "custom_fields",
}
UNFILTERED: Final = frozenset({"task"})
"""Kinds of which the list fails when it is to begin at a date, as clients of the API report."""


class V2:
    """See ``Remote``."""

    def __init__(self, caller: Caller, access: OAuthAccess, http: Http) -> None:
        """Take what asks, what opens the API, and the way out."""
        self._caller = caller
        self._access = access
        self._http = http

    @property
    def credentials(self) -> Credentials:
        """Return what opens the API."""
        return self._caller.credentials

    def under(self, options: ApiOptions) -> "V2":
        """Return this API under other options with the same credentials."""
        return V2(self._caller.under(options), self._access, self._http)

    @property
    def near(self) -> bool:
        """See ``Remote``."""
        return self._caller.near

    @property
    def patience(self) -> float:
        """See ``Remote``."""
        return self._caller.patience

    @property
    def left(self) -> int:
        """See ``Remote``."""
        return self._caller.budget.left

    async def identity(self) -> str:
        """See ``Remote``. v2 tells of no account, only of its people."""
        told = await self._get("users", Urgency.PERSON, {"page[number]": "1", "page[size]": "1"})
        names = [str(user["name"]) for user in items(told, "data") if user.get("name")]
        return f"the account of {names[0]} and others" if names else "an account without people"

    def sign_in_page(self, redirect: str, state: str) -> str | None:
        """See ``Remote``."""
        return self._access.sign_in_page(redirect, state)

    async def sign_in(self, code: str, redirect: str) -> None:
        """See ``Remote``."""
        await self._access.sign_in(code, redirect, self._http)

    async def registrations(self) -> Sequence[Registration]:
        """See ``Remote``."""
        return [registration(each, "id", "event_name") async for each in self._pages("webhooks", {}, Urgency.PERSON)]

    async def register(self, event: str, address: Address) -> Registration:
        """See ``Remote``."""
        return await self._webhook("POST", "webhooks", _described(event, address))

    async def activate(self, registered: Registration, address: Address) -> Registration:
        """See ``Remote``; one that stays suspended is made anew."""
        body = {**_described(registered.event, address), "status": "active"}
        changed = await self._webhook("PUT", f"webhooks/{segment(registered.id)}", body)
        if changed.status == "active":
            return changed
        await self.unregister(registered.id)
        return await self.register(registered.event, address)

    async def unregister(self, id_: str) -> None:
        """See ``Remote``."""
        with suppress(RemoteMissingError):
            await self._caller.ask("DELETE", f"{PATH}/webhooks/{segment(id_)}", Urgency.PERSON)

    async def document(self, entity: Entity, urgency: Urgency) -> JsonObject | None:
        """See ``Remote``. v2 gives stages only as lists of their pipelines."""
        if entity.kind == "deal_stage":
            return next((each for each in await self.listed("deal_stage", urgency) if each["id"] == entity.id), None)
        try:
            told = await self._get(f"{LISTS[entity.kind]}/{segment(entity.id)}", urgency)
        except RemoteMissingError:
            return None
        return whole(told, "data")

    async def related(self, entity: Entity, name: str, urgency: Urgency) -> Sequence[JsonObject]:
        """See ``Remote``: a deal has ``contacts``, which it names by their ids."""
        owner = await self.document(entity, urgency) or {}
        ids = owner.get(f"{name.removesuffix('s')}_ids")
        found = [await self.document(Entity(name.removesuffix("s"), id_), urgency) for id_ in _texts(ids)]
        return [each for each in found if each]

    async def listed(self, kind: str, urgency: Urgency = Urgency.REPAIR) -> Sequence[JsonObject]:
        """See ``Remote``."""
        if kind == "deal_stage":
            pipelines = await self.listed("deal_pipeline", urgency)
            return [stage for pipeline in pipelines for stage in await self._stages(pipeline, urgency)]
        return [each async for each in self._pages(LISTS[kind], {}, urgency)]

    async def changed(self, kind: str, since: datetime, wanted: Wanted = everything) -> AsyncIterator[JsonObject]:
        """See ``Remote``. Whether v2 heeds the filter, or not: what is older is dropped here."""
        async for each in self._since(kind, since):
            edited = instant(each.get("updated_at"))
            if await wanted(each) and (edited is None or edited >= since):
                yield each

    async def present(self, kind: str) -> AsyncGenerator[str]:
        """See ``Remote``."""
        async for each in self._every(kind, {}):
            yield str(each.get("id"))

    async def _since(self, kind: str, since: datetime) -> AsyncIterator[JsonObject]:
        filtered = {} if kind in UNFILTERED else {"filter": f"updated_at:>={_written(since)}"}
        try:
            found = [each async for each in self._every(kind, filtered)]
        except (RemoteInvalidError, RemoteUnavailableError):
            if not filtered:
                raise
            found = [each async for each in self._every(kind, {})]
        for each in found:
            yield each

    async def _every(self, kind: str, filtered: Mapping[str, str]) -> AsyncIterator[JsonObject]:
        """Yield a list, and of deals beyond its ceiling more, which only narrower lists reach."""
        count = 0
        async for each in self._pages(LISTS[kind], filtered):
            count += 1
            yield each
        if kind == "deal" and count >= CEILING:
            async for each in self._sliced():
                yield each

    async def _sliced(self) -> AsyncIterator[JsonObject]:
        for stage in await self.listed("deal_stage"):
            async for each in self._pages(LISTS["deal"], {"filter": f"stage_id:{stage['id']}"}):
                yield each

    async def _stages(self, pipeline: JsonObject, urgency: Urgency) -> Sequence[JsonObject]:
        stages = [each async for each in self._pages(f"pipelines/{segment(str(pipeline['id']))}/stages", {}, urgency)]
        return [{**stage, "deal_pipeline_id": pipeline["id"]} for stage in stages]

    async def _pages(
        self, path: str, query: Mapping[str, str], urgency: Urgency = Urgency.REPAIR
    ) -> AsyncIterator[JsonObject]:
        """Yield a list, page by page. Of a link to the next only its being there counts: it leads to inner hosts."""
        for number in range(1, CEILING // PAGE + 1):
            told = await self._get(path, urgency, {**query, "page[number]": str(number), "page[size]": str(PAGE)})
            for each in items(told, "data"):
                yield each
            links = told.get("links") if isinstance(told, dict) else None
            if not (isinstance(links, dict) and links.get("next")):
                return

    async def _get(self, path: str, urgency: Urgency, query: Mapping[str, str] | None = None) -> Json:
        return await self._caller.ask("GET", f"{PATH}/{path}", urgency, query=query)

    async def _webhook(self, method: str, path: str, body: JsonObject) -> Registration:
        told = await self._caller.ask(method, f"{PATH}/{path}", Urgency.PERSON, body={"data": body})
        return registration(whole(told, "data"), "id", "event_name")


def _texts(ids: Json) -> Sequence[str]:
    return [each for each in ids if isinstance(each, str)] if isinstance(ids, list) else ()


def _described(event: str, address: Address) -> JsonObject:
    described: JsonObject = {"event_name": event, "http_method": "POST", "url": address.url}
    if address.header:
        name, key = address.header
        described |= {"auth_header": name, "auth_key": key.reveal()}
    return described


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
