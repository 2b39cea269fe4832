"""The control API: the operations as JSON over HTTP, for the Unix socket alone.

Errors are ``{"error": {"code", "message"}}``; those of broken rules hold every problem under ``problems``.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from typing import Any, TypeAlias

import orjson
from aiohttp import web

from bridge.control.amount import Amount, Manner, amount_from
from bridge.control.asking import are_texts, asked, perhaps, text
from bridge.control.filters import Parameters, delivery_query, event_query, refused
from bridge.control.operations import Operations
from bridge.control.reading import deferred_from, event_from, ripe_shape
from bridge.control.shapes import Shape, too_deep
from bridge.errors import (
    BridgeError,
    RemoteError,
    RemoteUnavailableError,
    RequestRefusedError,
    StoreUnavailableError,
)
from bridge.model import CallOff, Entity, JsonObject
from bridge.options import InvalidConfigurationError
from bridge.store.nouns import DeliveryQuery, EventQuery

STATUSES = {"unknown-id": 404, "no-rules": 409, "no-daemon": 409, "no-api": 409, "no-public-url": 409}
"""The HTTP status of a refusal by its code; any other code is 422."""
CHOICE = {"ids", "filter", "limit", "rate", "dry_run"}
"""What every request may hold that acts on many."""

Answering: TypeAlias = Callable[[web.Request], Awaitable[Shape]]
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.Response]]


def routes(operations: Operations) -> list[web.RouteDef]:
    """Return the handlers under ``/api/``."""
    api = _Api(operations)
    return [
        web.get("/api/status", answered(api.status)),
        web.get("/api/sources", answered(api.sources)),
        web.get("/api/events", answered(api.events)),
        web.get("/api/events/{id}", answered(api.event)),
        web.get("/api/deliveries", answered(api.deliveries)),
        web.get("/api/deliveries/{id}", answered(api.delivery)),
        web.get("/api/states/{source}/{kind}/{id}", answered(api.state)),
        web.get("/api/link", answered(api.link)),
        web.post("/api/explain", answered(api.explain)),
        web.post("/api/waiting", answered(api.waiting)),
        web.post("/api/called-off", answered(api.called_off)),
        web.get("/api/targets", answered(api.targets)),
        web.post("/api/pause", answered(api.pause)),
        web.post("/api/resume", answered(api.resume)),
        web.post("/api/retry", answered(api.retry)),
        web.post("/api/discard", answered(api.discard)),
        web.post("/api/replay", answered(api.replay)),
        web.post("/api/reload", answered(api.reload)),
    ]


def answered(answer: Answering) -> Handler:
    """Return a handler that writes an answer as JSON, and every error of ours as the error that it is."""

    @wraps(answer)
    async def handle(request: web.Request) -> web.Response:
        try:
            return _json(await answer(request))
        except BridgeError as error:
            return _error(error)

    return handle


class _Api:
    """Reads requests for the operations."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def status(self, _: web.Request) -> Shape:
        return await self._operations.status()

    async def sources(self, _: web.Request) -> Shape:
        return await self._operations.sources()

    async def events(self, request: web.Request) -> Shape:
        return await self._operations.events(event_query(_parameters(request)))

    async def event(self, request: web.Request) -> Shape:
        return await self._operations.event(request.match_info["id"])

    async def deliveries(self, request: web.Request) -> Shape:
        return await self._operations.deliveries(delivery_query(_parameters(request)))

    async def delivery(self, request: web.Request) -> Shape:
        return await self._operations.delivery(request.match_info["id"])

    async def state(self, request: web.Request) -> Shape:
        named = request.match_info
        return await self._operations.state(named["source"], Entity(named["kind"], named["id"]))

    async def link(self, request: web.Request) -> Shape:
        given = request.query
        return {"link": await self._operations.link(given.get("target", ""), given.get("key", ""))}

    async def explain(self, request: web.Request) -> Shape:
        given = await asked(request, {"event", "body", "source", "before"})
        if isinstance(event_id := given.get("event"), str):
            return await self._operations.explain(event_id)
        if "body" not in given:
            raise refused("an event or a body is needed")
        if too_deep(given["body"]) or too_deep(given.get("before")):
            raise refused("the body is nested too deeply")
        source = given.get("source")
        named = source if isinstance(source, str) else None
        return await self._operations.explain_body(given["body"], named, given.get("before"))

    async def waiting(self, request: web.Request) -> Shape:
        given: Shape = await asked(request, {"event", "delivery"})
        try:
            event, delivery = event_from(given["event"]), deferred_from(given["delivery"])
        except (KeyError, TypeError, ValueError):
            raise refused("an event and a deferred delivery are needed") from None
        return ripe_shape(await self._operations.waiting(event, delivery))

    async def called_off(self, request: web.Request) -> Shape:
        given: Shape = await asked(request, {"event", "entries"})
        try:
            event = event_from(given["event"])
            entries = [CallOff(str(route), int(entry)) for route, entry in given["entries"]]
        except (KeyError, TypeError, ValueError):
            raise refused("an event and a list of entries are needed") from None
        return {"called_off": [[*ids] for ids in await self._operations.called_off(event, entries)]}

    async def retry(self, request: web.Request) -> Shape:
        given = await asked(request, CHOICE)
        chosen = _chosen(given, delivery_query)
        return await self._operations.retry(chosen, _amount(given), dry_run=given.get("dry_run") is True)

    async def discard(self, request: web.Request) -> Shape:
        given = await asked(request, {*CHOICE, "reason"})
        chosen, reason = _chosen(given, delivery_query), text(given, "reason")
        return await self._operations.discard(chosen, reason, _amount(given), dry_run=given.get("dry_run") is True)

    async def replay(self, request: web.Request) -> Shape:
        given = await asked(request, {*CHOICE, "route", "as_planned", "again"})
        chosen, route = _chosen(given, event_query), perhaps(given, "route")
        manner = Manner(route, as_planned=given.get("as_planned") is True, again=given.get("again") is True)
        return await self._operations.replay(chosen, manner, _amount(given), dry_run=given.get("dry_run") is True)

    async def targets(self, _: web.Request) -> Shape:
        return await self._operations.targets()

    async def pause(self, request: web.Request) -> Shape:
        given = await asked(request, {"target", "reason"})
        return await self._operations.pause(text(given, "target"), perhaps(given, "reason"))

    async def resume(self, request: web.Request) -> Shape:
        given = await asked(request, {"target"})
        return await self._operations.resume(text(given, "target"))

    async def reload(self, _: web.Request) -> Shape:
        return await self._operations.reload()


def _parameters(request: web.Request) -> Parameters:
    return {name: request.query.getall(name) for name in request.query}


def _chosen(
    given: JsonObject, query: Callable[[Parameters], EventQuery] | Callable[[Parameters], DeliveryQuery]
) -> Any:  # noqa: ANN401 (ids, or the query that the caller's reader makes)
    ids, filters = given.get("ids"), given.get("filter")
    if are_texts(ids):
        return ids
    if isinstance(filters, dict) and all(map(are_texts, filters.values())):
        return query(filters)  # type: ignore[arg-type]  # checked on the line above
    raise refused("ids, a list of ids, or filter, an object of lists, is needed")


def _amount(given: JsonObject) -> Amount:
    return amount_from(given.get("limit"), given.get("rate"))


def _json(answer: Shape, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(answer), status=status, content_type="application/json")


def _error(error: BridgeError) -> web.Response:
    problems: Sequence[str] = ()
    code, status = "failed", 500
    if isinstance(error, RequestRefusedError):
        code, status = error.code, STATUSES.get(error.code, 422)
    elif isinstance(error, InvalidConfigurationError):
        code, status, problems = "invalid-configuration", 422, [str(problem) for problem in error.problems]
    elif isinstance(error, StoreUnavailableError):
        code, status = "store-unavailable", 503
    elif isinstance(error, RemoteError):
        later = isinstance(error, RemoteUnavailableError)
        code, status = "remote-unavailable" if later else "remote-refused", 502
    told: Shape = {"code": code, "message": str(error)}
    return _json({"error": told | ({"problems": list(problems)} if problems else {})}, status)
