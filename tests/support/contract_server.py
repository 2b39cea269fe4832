"""A service on a real socket that answers as scripted, misbehaves on demand, and holds requests to their contract."""

import asyncio
import json
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from ssl import SSLContext
from typing import Any, Final, Self
from urllib.parse import parse_qsl

from jsonschema import Draft7Validator

SPECS = Path(__file__).parents[1] / "contracts" / "specs"
FORM: Final = "application/x-www-form-urlencoded"
MESSAGES: Final = {"chat.postMessage": "ChatPostMessageArguments", "chat.update": "ChatUpdateArguments"}
Step = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bool]]
"""Answers one request; returns whether the connection goes on."""


@dataclass(frozen=True)
class Seen:
    """One request as it arrived; header names are lower-cased."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True))


class ContractServer:
    """Answers each request with the next step of its script, then with its last step for ever."""

    def __init__(
        self, *script: Step, tls: SSLContext | None = None, contract: Callable[[Seen], list[str]] | None = None
    ) -> None:
        self.seen: list[Seen] = []
        self.violations: list[str] = []
        self.arrived = asyncio.Event()
        self.hung_up = asyncio.Event()
        self._script = deque(script or (answer(),))
        self._tls = tls
        self._contract = contract or violations
        self._tasks: set[asyncio.Task[None]] = set()

    def script(self, *script: Step) -> None:
        self._script = deque(script)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        if kind is None and self.violations:
            raise AssertionError("requests broke their contract:\n" + "\n".join(self.violations))

    @property
    def port(self) -> int:
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while (seen := await _read(reader)) and await self._respond(seen, reader, writer):
                pass
        except ConnectionError:
            pass
        finally:
            self._tasks.discard(task)
            self.hung_up.set()
            writer.close()

    async def _respond(self, seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        self.seen.append(seen)
        self.violations.extend(self._contract(seen))
        self.arrived.set()
        step = self._script.popleft() if len(self._script) > 1 else self._script[0]
        return await step(reader, writer)


def answer(status: int = 200, body: bytes = b"ok", **headers: str) -> Step:
    """Answer properly; underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} x", *(f"{name}: {value}" for name, value in named.items())]
    if status >= 200 and status not in {204, 304}:
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join((*lines, "", "")).encode()
    return raw(head + (body if status not in {204, 304} else b""), goes_on=True)


def says(reply: object, status: int = 200, **headers: str) -> Step:
    """Answer with JSON."""
    return answer(status, json.dumps(reply, separators=(",", ":")).encode(), Content_Type="application/json", **headers)


def raw(data: bytes, *, goes_on: bool = False) -> Step:
    """Write bytes as they are, and hang up unless the connection goes on."""

    async def step(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(data)
        await writer.drain()
        return goes_on

    return step


def stall(first: bytes = b"") -> Step:
    """Write some bytes, then nothing until the client hangs up."""

    async def step(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(first)
        await writer.drain()
        await reader.read()
        return False

    return step


def trickle(piece: bytes, first: bytes = b"") -> Step:
    """Write a piece again and again, until the client hangs up."""

    async def step(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(first)
        while not writer.transport.is_closing():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)  # lets others work
        return False

    return step


def reset() -> Step:
    """Break the connection with a reset instead of an answer."""

    async def step(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        plain: socket.socket = writer.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        return False

    return step


def half_close() -> Step:
    """End the answer before it began, and keep listening."""

    async def step(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write_eof()
        await reader.read()
        return False

    return step


def violations(seen: Seen) -> list[str]:
    """Return what a request breaks of its service's contract; requests to no known service break nothing."""
    method = seen.target.rpartition("/")[2]
    if method in MESSAGES:
        return [*_header_violations(seen, token=True), *_body_violations(MESSAGES[method], seen)]
    if seen.target.startswith("/services/"):
        return [*_header_violations(seen, token=False), *_body_violations("IncomingWebhookSendArguments", seen)]
    if "/conversations." in seen.target:
        return [*_header_violations(seen, token=True, kind=FORM), *_question_violations(seen)]
    return _method_call_violations(seen)


def _method_call_violations(seen: Seen) -> list[str]:
    if seen.target.endswith("/users.lookupByEmail"):
        return [*_header_violations(seen, token=True, kind=FORM), *_method_violations(seen, seen.form)]
    if seen.target.endswith(("/files.completeUploadExternal", "/reactions.add")):
        return [*_header_violations(seen, token=True), *_method_violations(seen, seen.json)]
    if seen.target.endswith("/files.getUploadURLExternal"):
        asked = {**seen.form, "length": int(seen.form.get("length", -1))}
        return [*_header_violations(seen, token=True, kind=FORM), *_method_violations(seen, asked)]
    if seen.target.startswith("/upload/"):
        return _header_violations(seen, token=False, kind="image/png")
    return []


def schema_violations(name: str, message: object) -> list[str]:
    """Return what a message breaks of a definition in Slack's schema."""
    return [f"{name}: {error.json_path}: {error.message[:300]}" for error in _slack(name).iter_errors(message)]


def _body_violations(name: str, seen: Seen) -> list[str]:
    try:
        return schema_violations(name, seen.json)
    except ValueError:
        return [f"{name}: the body is not JSON"]


def _question_violations(seen: Seen) -> list[str]:
    """Return what is wrong with a form of conversations.history, or of conversations.replies, which needs a ``ts``."""
    asked: dict[str, Any] = {**seen.form}
    if seen.target.endswith("/conversations.replies") and not asked.pop("ts", ""):
        return ["conversations.replies: no ts"]
    for name, spelt in asked.items():
        if name in {"limit", "include_all_metadata", "inclusive"}:
            asked[name] = json.loads(spelt)
    arguments = slack_methods()["conversations.history"]["arguments"]
    return [f"{seen.target}: {error.message[:300]}" for error in Draft7Validator(arguments).iter_errors(asked)]


def _method_violations(seen: Seen, asked: object) -> list[str]:
    arguments = slack_methods()[seen.target.rpartition("/")[2]]["arguments"]
    return [f"{seen.target}: {error.message[:300]}" for error in Draft7Validator(arguments).iter_errors(asked)]


def _header_violations(seen: Seen, *, token: bool, kind: str = "application/json; charset=utf-8") -> list[str]:
    found = []
    if seen.method != "POST":
        found.append(f"{seen.method} is not POST")
    if seen.headers.get("content-type") != kind:
        found.append(f"Content-Type is not {kind}")
    if seen.headers.get("authorization", "").startswith("Bearer xoxb-") != token:
        found.append("Authorization carries no bot token" if token else "a webhook was sent a token")
    return found


@cache
def slack_methods() -> Any:
    """Return what Slack's reference says of some methods: arguments, errors, what stands in every reply."""
    return json.loads((SPECS / "slack" / "slack-methods.json").read_text(encoding="utf-8"))


@cache
def _slack(name: str) -> Draft7Validator:
    document = json.loads((SPECS / "slack" / "slack-messages.schema.json").read_text(encoding="utf-8"))
    return Draft7Validator({"$ref": f"#/definitions/{name}", "definitions": document["definitions"]})


async def _read(reader: asyncio.StreamReader) -> Seen | None:
    """Read one request whose body, if any, has a length."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Seen(method, target, headers, await reader.readexactly(int(headers.get("content-length", 0))))
