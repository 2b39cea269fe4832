"""API v2 at ``/crm/v2``: Bearer tokens, ``data`` around everything, pages by links, filters in RDQL."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from aiohttp import web

from bridge.model import JsonObject
from bridge.simulator import rdql, v2_shapes
from bridge.simulator.chance import Chance
from bridge.simulator.crm import Crm
from bridge.simulator.entities import Record
from bridge.simulator.gate import V2, BrokenError, Refusal, answer, sent, v2_errors
from bridge.simulator.paging import MOST, USUAL, cut, whole
from bridge.simulator.registrations import RefusedError, Registration, Wish

Handler = Callable[[web.Request], Awaitable[web.Response]]
_STATUSES: Final = frozenset({"active", "suspended", "inactive"})


class ApiV2:
    """The handlers of API v2."""

    def __init__(self, crm: Crm) -> None:
        """Take what they read and change."""
        self._crm = crm
        self._chance = Chance(crm.settings.seed, "unsteady")
        team = crm.team
        self._lists: Mapping[str, Mapping[str, Record]] = {
            "deals": team.deals,
            "contacts": team.contacts,
            "organizations": team.organizations,
            "tasks": team.tasks,
            "products": team.products,
            "users": team.users,
            "pipelines": team.pipelines,
            "lost_reasons": team.lost_reasons,
            "sources": team.sources,
            "campaigns": team.campaigns,
            "segments": team.segments,
            "custom_fields": team.fields,
        }

    def routes(self) -> list[web.RouteDef]:
        """Return all handlers; whatever else is asked for does not exist."""
        return [
            web.get(f"{V2}/webhooks", self._open(self._webhooks)),
            web.post(f"{V2}/webhooks", self._open(self._register)),
            web.get(f"{V2}/webhooks/{{id}}", self._open(self._webhook)),
            web.put(f"{V2}/webhooks/{{id}}", self._open(self._change)),
            web.delete(f"{V2}/webhooks/{{id}}", self._open(self._forget)),
            web.get(f"{V2}/pipelines/{{id}}/stages", self._open(self._stages)),
            web.get(f"{V2}/{{list}}", self._open(self._all)),
            web.get(f"{V2}/{{list}}/{{id}}", self._open(self._one)),
            web.route("*", f"{V2}/{{path:.*}}", self._open(self._nothing)),
        ]

    def _open(self, handler: Handler) -> Handler:
        async def opened(request: web.Request) -> web.Response:
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not self._crm.grants.admits(token):
                raise Refusal(401, v2_errors("Invalid or expired access token"))
            return await handler(request)

        return opened

    # what the team has

    async def _all(self, request: web.Request) -> web.Response:
        name = request.match_info["list"]
        if name not in self._lists:
            raise _missing()
        if name == "tasks" and "updated_at" in request.query.get("filter", "") and not self._crm.settings.tasks_by_time:
            raise BrokenError
        newest_first = sorted(self._lists[name].values(), key=lambda record: record.created_at, reverse=True)
        rows = [self._written(record) for record in newest_first]
        return self._page(request, self._shaken(_filtered(rows, request.query.get("filter"))))

    async def _one(self, request: web.Request) -> web.Response:
        found = self._lists.get(request.match_info["list"], {}).get(request.match_info["id"])
        if found is None:
            raise _missing()
        return _data(self._written(found))

    async def _stages(self, request: web.Request) -> web.Response:
        pipeline = self._crm.team.pipelines.get(request.match_info["id"])
        if pipeline is None:
            raise _missing()
        return self._page(request, [v2_shapes.stage(stage) for stage in pipeline.stages])

    async def _nothing(self, _: web.Request) -> web.Response:
        raise _missing()

    def _written(self, record: Record) -> JsonObject:
        return v2_shapes.written(record, tuple(self._crm.team.fields.values()))

    # webhooks

    async def _webhooks(self, request: web.Request) -> web.Response:
        return self._page(request, [v2_shapes.webhook(each) for each in self._crm.registry])

    async def _webhook(self, request: web.Request) -> web.Response:
        return _data(v2_shapes.webhook(self._known(request)))

    async def _register(self, request: web.Request) -> web.Response:
        try:
            made = await self._crm.register(_wish(await _sent(request), None))
        except RefusedError as error:
            raise _unprocessable(error) from None
        return _data(v2_shapes.webhook(made), status=201)

    async def _change(self, request: web.Request) -> web.Response:
        known = self._known(request)
        try:
            await self._crm.change(known, _wish(await _sent(request), known))
        except RefusedError as error:
            raise _unprocessable(error) from None
        return _data(v2_shapes.webhook(known))

    async def _forget(self, request: web.Request) -> web.Response:
        self._crm.forget(self._known(request))
        return web.Response(status=204)

    def _known(self, request: web.Request) -> Registration:
        found = self._crm.registry.get(request.match_info["id"])
        if found is None:
            raise _missing()
        return found

    # pages

    def _page(self, request: web.Request, rows: Sequence[JsonObject]) -> web.Response:
        try:
            number, size = whole(request.query, "page[number]", 1), whole(request.query, "page[size]", USUAL)
        except ValueError:
            raise Refusal(400, v2_errors("page[number] and page[size] are positive numbers")) from None
        if size > MOST:
            raise Refusal(400, v2_errors(f"page[size] must be less than or equal to {MOST}"))
        page = cut(rows, number, size, self._crm.settings.ceiling)
        links: JsonObject = {"self": _at(request, number, size), "first": _at(request, 1, size)}
        links["next"] = _at(request, number + 1, size) if page.more else None
        return answer({"data": list(page.rows), "links": links})

    def _shaken(self, rows: list[JsonObject]) -> list[JsonObject]:
        """Put some rows in another place, as the real lists do from request to request."""
        for place in range(len(rows)):
            if self._chance.happens(self._crm.settings.unsteady):
                other = self._chance.number(0, len(rows) - 1)
                rows[place], rows[other] = rows[other], rows[place]
        return rows


def routes(crm: Crm) -> list[web.RouteDef]:
    """Return the handlers of API v2."""
    return ApiV2(crm).routes()


def _filtered(rows: Iterable[JsonObject], text: str | None) -> list[JsonObject]:
    if not text:
        return list(rows)
    try:
        lets_through = rdql.compiled(text)
    except rdql.UnreadableFilterError:
        raise Refusal(400, v2_errors("Invalid filter")) from None
    except rdql.UnbearableFilterError:
        raise BrokenError from None
    return [row for row in rows if lets_through(row)]


async def _sent(request: web.Request) -> Mapping[str, Any]:
    """Return what stands under ``data``."""
    body = await sent(request, v2_errors)
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, dict):
        raise Refusal(400, v2_errors("data is missing"))
    return data


def _wish(data: Mapping[str, Any], known: Registration | None) -> Wish:
    """Return what a webhook is to be: what is not sent stays as it is, and a suspended one becomes active."""
    before: Mapping[str, Any] = v2_shapes.secretive(known) if known else {}
    text = {name: data.get(name, before.get(name)) for name in ("event_name", "url", "http_method")}
    for name, value in text.items():
        if not isinstance(value, str) or not value:
            raise RefusedError(name, "CANNOT_BE_BLANK", "can't be blank")
    if text["http_method"] != "POST":
        raise RefusedError("http_method", "INVALID_OPTION", "must be POST")
    status = data.get("status", "active")
    if status not in _STATUSES:
        raise RefusedError("status", "INVALID_OPTION", "is not included in the list")
    rest = {name: data.get(name, before.get(name)) for name in ("name", "auth_header", "auth_key")}
    return Wish(event_name=text["event_name"], url=text["url"], status=status, **rest)


def _at(request: web.Request, number: int, size: int) -> str:
    return str(request.url.update_query({"page[number]": str(number), "page[size]": str(size)}))


def _data(data: JsonObject, status: int = 200) -> web.Response:
    return answer({"data": data}, status)


def _missing() -> Refusal:
    return Refusal(404, v2_errors("Resource not found"))


def _unprocessable(error: RefusedError) -> Refusal:
    return Refusal(422, v2_errors(f"{error.field} {error.message}"))
