"""The daemon's operations from another process, through the socket in its data directory."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import aiohttp
import orjson

from bridge.control.amount import ALL, USUAL, Amount, Manner
from bridge.control.filters import parameters_of
from bridge.control.reading import deferred_shape, event_whole, ripe_from
from bridge.control.remote_client import RemoteClient
from bridge.control.shapes import Shape
from bridge.errors import DaemonUnreachableError, RequestRefusedError
from bridge.model import CallOff, Delivery, Entity, Event, Json, JsonObject, Ripe
from bridge.store.nouns import DeliveryQuery, EventQuery

SOCKET = "bridge.sock"
"""The name of the control socket in a data directory."""
OK, SERVER_ERROR = 200, 500
CONNECT = 5.0
PATIENCE = 300.0
"""Seconds for a whole answer: replaying ten thousand events takes its time."""


class DaemonClient:
    """Speaks to the daemon of a data directory: the same methods as ``Operations``, the same answers.

    Every method may raise ``DaemonUnreachableError`` (nobody answers) and ``RequestRefusedError`` (with the reason).
    """

    def __init__(self, data_dir: Path) -> None:
        """Take the data directory; the connection is made on entering."""
        self._socket = data_dir / SOCKET

    async def __aenter__(self) -> Self:
        """Open a session; nothing is sent yet."""
        connector = aiohttp.UnixConnector(path=str(self._socket))
        timeout = aiohttp.ClientTimeout(total=PATIENCE, sock_connect=CONNECT)
        self._session = aiohttp.ClientSession("http://bridge", connector=connector, timeout=timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the session."""
        await self._session.close()

    @property
    def remote(self) -> RemoteClient:
        """Return the operations by a source's API."""
        return RemoteClient(lambda method, path, body: self._ask(method, path, body=body))

    async def events(self, query: EventQuery) -> Shape:
        """List events."""
        return await self._ask("GET", "/api/events", parameters=parameters_of(query))

    async def event(self, event_id: str) -> Shape:
        """Return one event."""
        return await self._ask("GET", f"/api/events/{_segment(event_id)}")

    async def deliveries(self, query: DeliveryQuery) -> Shape:
        """List deliveries."""
        return await self._ask("GET", "/api/deliveries", parameters=parameters_of(query))

    async def delivery(self, delivery_id: str) -> Shape:
        """Return one delivery."""
        return await self._ask("GET", f"/api/deliveries/{_segment(delivery_id)}")

    async def state(self, source: str, entity: Entity) -> Shape:
        """Return an entity's last state."""
        named = "/".join(map(_segment, (source, entity.kind, entity.id)))
        return await self._ask("GET", f"/api/states/{named}")

    async def retry(
        self, chosen: Sequence[str] | DeliveryQuery, amount: Amount = ALL, *, dry_run: bool = False
    ) -> Shape:
        """Make deliveries due."""
        return await self._ask("POST", "/api/retry", body=_choice(chosen, amount, dry_run=dry_run))

    async def discard(
        self, chosen: Sequence[str] | DeliveryQuery, reason: str, amount: Amount = ALL, *, dry_run: bool = False
    ) -> Shape:
        """Take deliveries back."""
        return await self._ask("POST", "/api/discard", body=_choice(chosen, amount, reason=reason, dry_run=dry_run))

    async def replay(
        self, chosen: Sequence[str] | EventQuery, manner: Manner = USUAL, amount: Amount = ALL, *, dry_run: bool = False
    ) -> Shape:
        """Decide stored events anew."""
        return await self._ask("POST", "/api/replay", body=_choice(chosen, amount, **asdict(manner), dry_run=dry_run))

    async def targets(self) -> Shape:
        """List targets."""
        return await self._ask("GET", "/api/targets")

    async def pause(self, target: str, reason: str | None = None) -> Shape:
        """Send nothing to a target until it is resumed."""
        return await self._ask("POST", "/api/pause", body={"target": target, "reason": reason})

    async def resume(self, target: str) -> Shape:
        """Let a target go."""
        return await self._ask("POST", "/api/resume", body={"target": target})

    async def explain(self, event_id: str) -> Shape:
        """Explain a stored event."""
        return await self._ask("POST", "/api/explain", body={"event": event_id})

    async def explain_body(self, body: Json, source: str | None = None, before: Json = None) -> Shape:
        """Explain a body that would arrive now."""
        return await self._ask("POST", "/api/explain", body={"body": body, "source": source, "before": before})

    async def waiting(self, event: Event, delivery: Delivery) -> Ripe:
        """Return what a deferred delivery of an event would be told with."""
        asked: JsonObject = {"event": event_whole(event), "delivery": deferred_shape(delivery)}
        return ripe_from(await self._ask("POST", "/api/waiting", body=asked))

    async def called_off(self, event: Event, entries: Sequence[CallOff]) -> Sequence[Sequence[str]]:
        """Return, for each entry, the ids of the deliveries that an event called off, or would."""
        asked: JsonObject = {"event": event_whole(event), "entries": [[*entry] for entry in entries]}
        answer = await self._ask("POST", "/api/called-off", body=asked)
        ids: Sequence[Sequence[str]] = answer["called_off"]
        return ids

    async def link(self, target: str, key: str) -> Shape | None:
        """Return what a target made for a key, if anything."""
        answer = await self._ask("GET", "/api/link", parameters={"target": [target], "key": [key]})
        link: Shape | None = answer["link"]
        return link

    async def sources(self) -> Shape:
        """List sources with their addresses."""
        return await self._ask("GET", "/api/sources")

    async def status(self) -> Shape:
        """Return how the daemon is."""
        return await self._ask("GET", "/api/status")

    async def reload(self) -> Shape:
        """Load the rules anew."""
        return await self._ask("POST", "/api/reload")

    async def _ask(
        self, method: str, path: str, *, parameters: Mapping[str, Sequence[str]] | None = None, body: Json = None
    ) -> Shape:
        query = [(name, value) for name, values in (parameters or {}).items() for value in values]
        try:
            async with self._session.request(method, path, params=query, data=orjson.dumps(body)) as answer:
                return _answer(answer.status, await answer.read())
        except TimeoutError as error:
            raise DaemonUnreachableError(f"the daemon on {self._socket} does not answer in time") from error
        except (aiohttp.ClientConnectorError, OSError) as error:
            reason = f"no daemon answers on {self._socket}; start one with: bridge run"
            raise DaemonUnreachableError(reason) from error
        except aiohttp.ClientError as error:
            raise DaemonUnreachableError(f"the daemon on {self._socket} broke off its answer") from error


def _segment(text: str) -> str:
    return quote(text, safe="")


def _choice(chosen: Sequence[str] | EventQuery | DeliveryQuery, amount: Amount, **more: Json) -> JsonObject:
    asked = {**amount.written(), **more}
    if isinstance(chosen, EventQuery | DeliveryQuery):
        return {"filter": {name: list(values) for name, values in parameters_of(chosen).items()}, **asked}
    return {"ids": list(chosen), **asked}


def _answer(status: int, body: bytes) -> Shape:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        why = "its log says why" if status >= SERVER_ERROR else "is it of another version than this command?"
        raise RequestRefusedError(f"the daemon answered {status}; {why}") from None
    if status == OK:
        return dict(answer)
    told = answer["error"]
    raise RequestRefusedError(told["message"], told["code"])
