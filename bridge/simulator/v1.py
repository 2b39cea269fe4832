"""API v1 at ``/api/v1``: a token in every address, lists with ``has_more``, errors without a single shape."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from aiohttp import web

from bridge.model import Json, JsonObject
from bridge.simulator import v1_shapes
from bridge.simulator.crm import Crm
from bridge.simulator.entities import CustomField, Deal, Record, Task, User
from bridge.simulator.gate import V1, Refusal, answer, sent, v1_error
from bridge.simulator.paging import MOST, USUAL, Page, cut, whole
from bridge.simulator.registrations import RefusedError, Registration, Wish
from bridge.simulator.v1_cursor import UnreadableCursorError, after, cursor
from bridge.simulator.v1_filters import listed

RecordT = TypeVar("RecordT", bound=Record)
Handler = Callable[[web.Request, User | None], Awaitable[web.Response]]
"""Answers a request of a person who sees their own deals alone, or of None, who sees all."""
SELLER: Final = "-seller"
COMPANY: Final = "Equipe de demonstração"


class ApiV1:
    """The handlers of API v1."""

    def __init__(self, crm: Crm) -> None:
        """Take what they read and change."""
        self._crm = crm
        self._team = crm.team

    def routes(self) -> list[web.RouteDef]:
        """Return all handlers; whatever else is asked for does not exist."""
        team = self._team
        gets: dict[str, Handler] = {
            "token/check": self._check,
            "webhooks": self._webhooks,
            "webhooks/{id}": self._webhook,
            "deals": self._deals,
            "deals/{id}": self._deal,
            "deals/{id}/contacts": self._contacts_of_deal,
            "tasks": self._tasks,
            "deal_pipelines": self._pipelines,
            "deal_stages": self._stages,
            "custom_fields": self._fields,
            "tasks/{id}": self._got(lambda: team.tasks, v1_shapes.task),
            **self._listed("contacts", team.contacts, lambda each: v1_shapes.contact(each, self._of("contact"))),
            **self._listed(
                "organizations", team.organizations, lambda each: v1_shapes.organization(each, self._of("organization"))
            ),
            **self._listed("users", team.users, v1_shapes.user),
            **self._listed("products", team.products, v1_shapes.product),
            **self._listed("deal_lost_reasons", team.lost_reasons, v1_shapes.plain),
            **self._listed("deal_sources", team.sources, v1_shapes.plain),
            **self._listed("campaigns", team.campaigns, v1_shapes.plain),
        }
        return [
            *(web.get(f"{V1}/{path}", self._open(handler)) for path, handler in gets.items()),
            web.post(f"{V1}/webhooks", self._open(self._register)),
            web.put(f"{V1}/webhooks/{{id}}", self._open(self._change)),
            web.delete(f"{V1}/webhooks/{{id}}", self._open(self._forget)),
            web.route("*", f"{V1}/{{path:.*}}", self._open(self._nothing)),
        ]

    def _open(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def opened(request: web.Request) -> web.Response:
            token, known = request.query.get("token"), self._crm.settings.token
            if token not in {known, known + SELLER}:
                raise Refusal(401, {"error": "Permission denied."})
            return await handler(request, None if token == known else next(iter(self._team.users.values())))

        return opened

    async def _check(self, _: web.Request, seller: User | None) -> web.Response:
        person = seller or list(self._team.users.values())[-1]
        return answer({"email": person.email, "name": person.name, "organization": COMPANY})

    async def _nothing(self, _: web.Request, __: User | None) -> web.Response:
        raise _missing()

    # deals and tasks, of which a seller sees their own

    async def _deals(self, request: web.Request, seller: User | None) -> web.Response:
        try:
            deals = listed([deal for deal in self._team.deals.values() if _sees(seller, deal)], request.query)
            rows = after(deals, request.query["next_page"]) if "next_page" in request.query else deals
        except UnreadableCursorError:
            raise Refusal(400, {"error": "Invalid next page param format"}) from None
        except ValueError as error:
            raise Refusal(400, {"errors": f"Invalid parameter: {error}"}) from None
        page = self._page(request, rows)
        shown: JsonObject = {"deals": [v1_shapes.listed_deal(deal, self._of("deal")) for deal in page.rows]}
        shown |= {"has_more": page.more, "total": len(deals)}
        return answer(shown | ({"next_page": cursor(page.rows[-1])} if page.rows else {}))

    async def _deal(self, request: web.Request, seller: User | None) -> web.Response:
        return answer(v1_shapes.deal(self._seen(request, seller), self._of("deal")))

    async def _contacts_of_deal(self, request: web.Request, seller: User | None) -> web.Response:
        contacts, fields = self._seen(request, seller).contacts, self._of("contact")
        return self._list(request, "contacts", contacts, lambda each: v1_shapes.contact(each, fields))

    async def _tasks(self, request: web.Request, seller: User | None) -> web.Response:
        wanted = {
            name: request.query[name] for name in ("deal_id", "user_id", "type", "done") if request.query.get(name)
        }
        tasks = [task for task in self._team.tasks.values() if _sees(seller, task.deal) and _fits(task, wanted)]
        return self._list(request, "tasks", tasks, v1_shapes.task)

    def _seen(self, request: web.Request, seller: User | None) -> Deal:
        deal = self._team.deals.get(request.match_info["id"])
        if deal is None or not _sees(seller, deal):
            raise _missing()
        return deal

    # lists

    async def _pipelines(self, _: web.Request, __: User | None) -> web.Response:
        return answer([v1_shapes.pipeline(each) for each in self._team.pipelines.values()])

    async def _stages(self, request: web.Request, _: User | None) -> web.Response:
        wanted = request.query.get("deal_pipeline_id")
        pairs = [
            (stage, pipeline)
            for pipeline in self._team.pipelines.values()
            for stage in pipeline.stages
            if wanted in {None, "", pipeline.id}
        ]
        return self._list(request, "deal_stages", pairs, lambda pair: v1_shapes.stage(*pair))

    async def _fields(self, request: web.Request, _: User | None) -> web.Response:
        """Answer a bare list, as the real API does."""
        wanted = request.query.get("for")
        fields = [field for field in self._team.fields.values() if wanted in {None, "", field.of}]
        return answer([v1_shapes.field(field) for field in fields])

    def _listed(
        self, name: str, holder: Mapping[str, RecordT], write: Callable[[RecordT], JsonObject]
    ) -> dict[str, Handler]:
        async def all_of_them(request: web.Request, _: User | None) -> web.Response:
            return self._list(request, name, list(holder.values()), write)

        return {name: all_of_them, f"{name}/{{id}}": self._got(lambda: holder, write)}

    def _got(self, holder: Callable[[], Mapping[str, RecordT]], write: Callable[[RecordT], JsonObject]) -> Handler:
        async def one(request: web.Request, seller: User | None) -> web.Response:
            found = holder().get(request.match_info["id"])
            if found is None or (isinstance(found, Task) and not _sees(seller, found.deal)):
                raise _missing()
            return answer(write(found))

        return one

    def _list(
        self, request: web.Request, name: str, rows: Sequence[Any], write: Callable[[Any], JsonObject]
    ) -> web.Response:
        page = self._page(request, rows)
        return answer({name: [write(row) for row in page.rows], "has_more": page.more, "total": len(rows)})

    def _page(self, request: web.Request, rows: Sequence[Any]) -> Page[Any]:
        try:
            number, limit = whole(request.query, "page", 1), whole(request.query, "limit", USUAL)
        except ValueError:
            raise Refusal(400, {"errors": "Invalid parameter: page and limit are positive numbers"}) from None
        return cut(rows, number, min(limit, MOST), self._crm.settings.ceiling)

    def _of(self, kind: str) -> list[CustomField]:
        return [field for field in self._team.fields.values() if field.of == kind]

    # webhooks, which a seller may not manage

    async def _webhooks(self, _: web.Request, seller: User | None) -> web.Response:
        _manages(seller)
        return answer({"webhooks": [v1_shapes.webhook(each) for each in self._crm.registry]})

    async def _webhook(self, request: web.Request, seller: User | None) -> web.Response:
        return answer(v1_shapes.webhook(self._known(request, seller)))

    async def _register(self, request: web.Request, seller: User | None) -> web.Response:
        _manages(seller)
        wish = _wish(await _sent(request))
        try:
            made = await self._crm.register(wish)
        except RefusedError as error:
            raise _unprocessable(error) from None
        return answer(v1_shapes.webhook(made), 201)

    async def _change(self, request: web.Request, seller: User | None) -> web.Response:
        known = self._known(request, seller)
        wish = _wish(await _sent(request))
        try:
            await self._crm.change(known, wish)
        except RefusedError as error:
            raise _unprocessable(error) from None
        return answer(v1_shapes.webhook(known))

    async def _forget(self, request: web.Request, seller: User | None) -> web.Response:
        self._crm.forget(self._known(request, seller))
        return web.Response(status=204)

    def _known(self, request: web.Request, seller: User | None) -> Registration:
        _manages(seller)
        found = self._crm.registry.get(request.match_info["id"])
        if found is None:
            raise _missing()
        return found


def routes(crm: Crm) -> list[web.RouteDef]:
    """Return the handlers of API v1."""
    return ApiV1(crm).routes()


def _sees(seller: User | None, deal: Deal) -> bool:
    return seller is None or deal.user is seller


def _manages(seller: User | None) -> None:
    if seller:
        raise Refusal(403, {"error": "forbidden"})


def _fits(task: Task, wanted: Mapping[str, str]) -> bool:
    held = {"deal_id": {task.deal.id}, "user_id": {owner.id for owner in task.owners}, "type": {task.type}}
    held["done"] = {str(task.status == "completed").lower()}
    return all(value in held[name] for name, value in wanted.items())


async def _sent(request: web.Request) -> Mapping[str, Any]:
    body = await sent(request, lambda words: {"errors": words})
    if not isinstance(body, dict):
        raise Refusal(400, {"errors": "The body is no object"})
    return body


def _wish(body: Mapping[str, Any]) -> Wish:
    """Return what a webhook is to be; v1 wants all of it each time, and takes no header."""
    for name in ("event_type", "http_method", "url"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise Refusal(422, {"errors": {name: ["can't be blank"]}})
    if body["http_method"] != "POST":
        told: Json = {
            "error_type": "INVALID_OPTION",
            "error_message": "http_method must be POST",
            "path": "$.http_method",
        }
        raise Refusal(422, {"errors": [told]})
    return Wish(event_name=body["event_type"], url=body["url"], name=body.get("name"))


def _unprocessable(error: RefusedError) -> Refusal:
    told: Json = {"error_type": error.code, "error_message": error.message}
    return Refusal(422, {"errors": {error.field: [told]}})


def _missing() -> Refusal:
    return Refusal(404, v1_error("RESOURCE_NOT_FOUND", "The resource could not be found"))
