"""API v1, opened by the token of a person: https://crm.rdstation.com/api/v1."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from bridge.component.remote import Address, Registration, Urgency, Wanted, everything
from bridge.errors import RemoteInvalidError, RemoteMissingError
from bridge.model import Entity, Json, JsonObject
from bridge.rdstation.api.caller import Caller, items, segment, whole
from bridge.rdstation.api.options import ApiOptions, Credentials
from bridge.rdstation.api.registering import registration
from bridge.rdstation.api.translation import from_v1
from bridge.rdstation.timestamps import instant

PATH: Final = "/api/v1"
PAGE: Final = 200
"""Records of a page: the most that v1 gives."""
CEILING: Final = 10_000
"""Records that a list reaches, per filter."""
LISTS: Final[Mapping[str, str]] = {
    "deal": "deals",
    "task": "tasks",
    "contact": "contacts",
    "organization": "organizations",
    "user": "users",
    "deal_pipeline": "deal_pipelines",
    "deal_stage": "deal_stages",
    "lost_reason": "deal_lost_reasons",
    "source": "deal_sources",
    "campaign": "campaigns",
    "custom_field": "custom_fields",
}
"""Per kind, the path of its list, which is the name that the list has in an answer too."""
ALL_DEALS: Final[Sequence[Mapping[str, str]]] = ({"win": "true"}, {"win": "false"}, {"win": "null"}, {"hold": "true"})
"""The lists that together hold every deal."""


class V1:
    """See ``Remote``."""

    def __init__(self, caller: Caller) -> None:
        """Take what asks."""
        self._caller = caller

    @property
    def credentials(self) -> Credentials:
        """Return what opens the API."""
        return self._caller.credentials

    def under(self, options: ApiOptions) -> "V1":
        """Return this API under other options with the same credentials."""
        return V1(self._caller.under(options))

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
        """See ``Remote``."""
        told = whole(await self._get("token/check", Urgency.PERSON), "token")
        return ", ".join(str(told[name]) for name in ("organization", "name", "email") if told.get(name))

    def sign_in_page(self, redirect: str, state: str) -> str | None:
        """See ``Remote``: the token is all there is."""
        return None

    async def sign_in(self, code: str, redirect: str) -> None:
        """See ``Remote``."""
        raise RemoteInvalidError("API v1 is opened by its token: there is nothing to sign in to")

    async def registrations(self) -> Sequence[Registration]:
        """See ``Remote``."""
        told = await self._get("webhooks", Urgency.PERSON)
        return [registration(each, "uuid", "event_type") for each in items(told, "webhooks")]

    async def register(self, event: str, address: Address) -> Registration:
        """See ``Remote``.

        Raises:
            RemoteInvalidError: a header is to go along, which v1 cannot have.
        """
        told = await self._send("POST", "webhooks", _webhook(event, address))
        return registration(whole(told, "webhook"), "uuid", "event_type")

    async def activate(self, registered: Registration, address: Address) -> Registration:
        """See ``Remote``; one that stays suspended is made anew."""
        body = {**_webhook(registered.event, address), "status": "active"}
        told = await self._send("PUT", f"webhooks/{segment(registered.id)}", body)
        changed = registration(whole(told, "webhook"), "uuid", "event_type")
        if changed.status == "active":
            return changed
        await self.unregister(registered.id)
        return await self.register(registered.event, address)

    async def unregister(self, id_: str) -> None:
        """See ``Remote``."""
        with suppress(RemoteMissingError):
            await self._caller.ask("DELETE", f"{PATH}/webhooks/{segment(id_)}", Urgency.PERSON)

    async def document(self, entity: Entity, urgency: Urgency) -> JsonObject | None:
        """See ``Remote``. v1 gives people only as a list."""
        if entity.kind == "user":
            people = await self.listed("user", urgency)
            return next((each for each in people if each["id"] == entity.id), None)
        try:
            told = await self._get(f"{LISTS[entity.kind]}/{segment(entity.id)}", urgency)
        except RemoteMissingError:
            return None
        return from_v1(entity.kind, whole(told, entity.kind))

    async def related(self, entity: Entity, name: str, urgency: Urgency) -> Sequence[JsonObject]:
        """See ``Remote``: a deal has ``contacts``, which come whole."""
        try:
            told = await self._get(f"{LISTS[entity.kind]}/{segment(entity.id)}/{name}", urgency)
        except RemoteMissingError:
            return ()
        return [from_v1("contact", each) for each in items(told, name)]

    async def listed(self, kind: str, urgency: Urgency = Urgency.REPAIR) -> Sequence[JsonObject]:
        """See ``Remote``."""
        if kind == "deal_stage":
            pipelines = await self.listed("deal_pipeline", urgency)
            return [stage for pipeline in pipelines for stage in await self._stages(pipeline, urgency)]
        return [each async for each in self._pages(kind, {}, urgency)]

    async def changed(self, kind: str, since: datetime, wanted: Wanted = everything) -> AsyncIterator[JsonObject]:
        """See ``Remote``. v1 has no list by edit: of closed deals those closed since are asked for, of all else all.

        Without ``win`` it lists open deals alone, with ``hold`` paused ones. A deal of a list lacks what it was lost
        for, so each that was edited is fetched by itself.
        """
        for query in _closings(since) if kind == "deal" else [{}]:
            async for each in self._sliced(kind, query):
                edited = instant(each.get("updated_at"))
                news = await wanted(each) and (edited is None or edited >= since)
                if news and (found := await self._whole(kind, each)):
                    yield found

    async def present(self, kind: str) -> AsyncGenerator[str]:
        """See ``Remote``. Closed deals come first: whoever asked for edits has seen the lists of all others."""
        for query in ALL_DEALS if kind == "deal" else [{}]:
            async for each in self._sliced(kind, query):
                yield str(each["id"])

    async def _whole(self, kind: str, listed: JsonObject) -> JsonObject | None:
        return await self.document(Entity(kind, str(listed["id"])), Urgency.REPAIR) if kind == "deal" else listed

    async def _stages(self, pipeline: JsonObject, urgency: Urgency = Urgency.REPAIR) -> Sequence[JsonObject]:
        of_one = {"deal_pipeline_id": str(pipeline["id"])}
        stages = [each async for each in self._pages("deal_stage", of_one, urgency)]
        return [{**stage, "deal_pipeline_id": pipeline["id"]} for stage in stages]

    async def _sliced(self, kind: str, query: Mapping[str, str]) -> AsyncIterator[JsonObject]:
        """Yield a list that may be longer than its ceiling: then by pipeline, or where that is not enough, by stage."""
        for within in await self._slices(query) if kind == "deal" and await self._too_long(kind, query) else [query]:
            async for each in self._pages(kind, within):
                yield each

    async def _slices(self, query: Mapping[str, str]) -> Sequence[Mapping[str, str]]:
        slices: list[Mapping[str, str]] = []
        for pipeline in await self.listed("deal_pipeline"):
            within = {**query, "deal_pipeline_id": str(pipeline["id"])}
            too_long = await self._too_long("deal", within)
            stages = await self._stages(pipeline) if too_long else ()
            slices += [{**within, "deal_stage_id": str(stage["id"])} for stage in stages] or [within]
        return slices

    async def _too_long(self, kind: str, query: Mapping[str, str]) -> bool:
        told = await self._get(LISTS[kind], Urgency.REPAIR, {**query, "page": "1", "limit": "1"})
        total = told.get("total") if isinstance(told, dict) else None
        return isinstance(total, int) and total > CEILING

    async def _pages(
        self, kind: str, query: Mapping[str, str], urgency: Urgency = Urgency.REPAIR
    ) -> AsyncIterator[JsonObject]:
        for number in range(1, CEILING // PAGE + 1):
            told = await self._get(LISTS[kind], urgency, {**query, "page": str(number), "limit": str(PAGE)})
            for each in items(told, LISTS[kind]):
                yield from_v1(kind, each)
            if not (isinstance(told, dict) and told.get("has_more")):
                return

    async def _get(self, path: str, urgency: Urgency, query: Mapping[str, str] | None = None) -> Json:
        return await self._caller.ask("GET", f"{PATH}/{path}", urgency, query=query)

    async def _send(self, method: str, path: str, body: JsonObject) -> Json:
        return await self._caller.ask(method, f"{PATH}/{path}", Urgency.PERSON, body=body)


def _webhook(event: str, address: Address) -> JsonObject:
    if address.header:
        raise RemoteInvalidError(
            "API v1 cannot have webhooks carry a header: give the source a secret in its address, or use API v2"
        )
    return {"event_type": event, "http_method": "POST", "url": address.url}


def _closings(since: datetime) -> Sequence[Mapping[str, str]]:
    """Return the lists of deals that together hold each one which may have been edited since."""
    period = {
        "closed_at_period": "true",
        "start_date": _written(since - timedelta(days=1)),
        "end_date": _written(datetime.now(UTC) + timedelta(days=1)),
    }
    return [{"win": "null"}, {"hold": "true"}, {"win": "true", **period}, {"win": "false", **period}]


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
