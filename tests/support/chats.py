"""Chats on a real socket that keep their messages, and hold each request, and each answer of theirs, to the contract.

``fail`` lets requests go wrong: with an answer instead of the deed, or behind the deed, when the connection ends before
the answer. What breaks the contract fails the test at its end.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, ClassVar, Final, NamedTuple, Self

from aiohttp import web

from bridge.model import Clock, SystemClock
from tests.support.chat_contracts import (
    discord_reply_violations,
    discord_violations,
    telegram_reply_violations,
    telegram_violations,
)
from tests.support.contract_server import Seen, violations

CHANNEL: Final = "C0123SALES"


class Fault(NamedTuple):
    """What goes wrong: a status, or with ``lost`` an answer that never comes; ``done`` is done anyway."""

    status: int = 503
    lost: bool = False
    done: bool = False


class Reply(NamedTuple):
    """An answer of the chat."""

    told: Any
    status: int = 200


@dataclass
class Chat(ABC):
    """A chat, and what happened in it; ``posted`` holds each message by its id, in the order in which they came."""

    clock: Clock = field(default_factory=SystemClock)
    fail: Callable[[Seen], Fault | None] = lambda _: None
    posted: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    url: str = ""
    looks_up: ClassVar[bool] = False
    """Whether a message that is there can be found by who has lost the answer."""

    @abstractmethod
    def target(self, **options: Any) -> dict[str, Any]:
        """Return the options of a target that writes to the chat."""

    @abstractmethod
    def broken(self, seen: Seen) -> list[str]:
        """Return what a request breaks of the contract."""

    @abstractmethod
    def answered(self, seen: Seen) -> Reply:
        """Do as a request says."""

    @abstractmethod
    def text(self, message: dict[str, Any]) -> str:
        """Return what a message says."""

    def broken_by_reply(self, seen: Seen, reply: Reply) -> list[str]:
        """Return what an answer breaks of the contract."""
        return []

    @property
    def texts(self) -> list[str]:
        """Return what all messages say."""
        return [self.text(each) for each in self.posted.values()]

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2**22)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
        if kind is None and self.violations:
            raise AssertionError("a contract was broken:\n" + "\n".join(self.violations))

    async def _serve(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        seen = Seen(request.method, request.path_qs, headers, await request.read())
        self.seen.append(seen)
        self.violations += self.broken(seen)
        fault = self.fail(seen)
        if fault is None or fault.done:
            reply = self.answered(seen)
            self.violations += self.broken_by_reply(seen, reply)
        if fault is None:
            return web.json_response(reply.told, status=reply.status)
        if fault.lost and request.transport:
            request.transport.abort()
        return web.Response(status=fault.status)

    def number(self) -> int:
        """Return the number of the next message."""
        return len(self.posted) + 1


class SlackChannel(Chat):
    """Slack's one channel."""

    looks_up = True

    def target(self, **options: Any) -> dict[str, Any]:
        known = {"type": "slack", "token": "xoxb-hush", "channel": CHANNEL, "api_url": f"{self.url}/api"}
        return known | {"look_up": True} | options

    def broken(self, seen: Seen) -> list[str]:
        return violations(seen)

    def text(self, message: dict[str, Any]) -> str:
        return str(message["text"])

    def answered(self, seen: Seen) -> Reply:
        method = seen.target.rpartition("/")[2]
        if method == "conversations.history":
            since = float(seen.form["oldest"])
            listed = [each for each in self.posted.values() if float(each["ts"]) >= since]
            return Reply({"ok": True, "messages": listed, "has_more": False})
        if method == "chat.update" and seen.json["ts"] not in self.posted:
            return Reply({"ok": False, "error": "message_not_found"})
        ts = seen.json.get("ts") or f"{self.clock.now().timestamp():.0f}.{self.number():06}"
        self.posted[ts] = {**self.posted.get(ts, {}), **seen.json, "ts": ts}
        return Reply({"ok": True, "channel": CHANNEL, "ts": ts, "text": seen.json["text"], "message": {}})


class DiscordChannel(Chat):
    """The channel of a webhook."""

    def target(self, **options: Any) -> dict[str, Any]:
        return {"type": "discord", "webhook_url": f"{self.url}/api/webhooks/1234/hush"} | options

    def broken(self, seen: Seen) -> list[str]:
        return discord_violations(seen)

    def broken_by_reply(self, seen: Seen, reply: Reply) -> list[str]:
        return discord_reply_violations(seen, reply.status, reply.told)

    def text(self, message: dict[str, Any]) -> str:
        return str(message["content"])

    def answered(self, seen: Seen) -> Reply:
        id_ = seen.target.rpartition("/")[2] if seen.method == "PATCH" else str(self.number())
        if seen.method == "PATCH" and id_ not in self.posted:
            return Reply({"code": 10008, "message": "Unknown Message"}, 404)
        self.posted[id_] = {"id": id_, "channel_id": "22", "content": seen.json["content"]}
        return Reply(self.posted[id_])


class TelegramGroup(Chat):
    """A group with a bot in it."""

    def target(self, **options: Any) -> dict[str, Any]:
        return {"type": "telegram", "token": "123456:hush-hush", "chat": "-100123", "api_url": self.url} | options

    def broken(self, seen: Seen) -> list[str]:
        return telegram_violations(seen)

    def broken_by_reply(self, seen: Seen, reply: Reply) -> list[str]:
        return telegram_reply_violations(seen, reply.status, reply.told)

    def text(self, message: dict[str, Any]) -> str:
        return str(message["text"])

    def answered(self, seen: Seen) -> Reply:
        id_ = str(seen.json.get("message_id", self.number()))
        if seen.target.endswith("/editMessageText"):
            if id_ not in self.posted:
                return self._refused("message to edit not found")
            if self.text(self.posted[id_]) == seen.json["text"]:
                return self._refused("message is not modified: specified new message content is exactly the same")
        self.posted[id_] = {"message_id": int(id_), "text": seen.json["text"]}
        return Reply({"ok": True, "result": self.posted[id_]})

    def _refused(self, words: str) -> Reply:
        return Reply({"ok": False, "error_code": 400, "description": f"Bad Request: {words}"}, 400)
