"""The operations by a source's API as JSON over HTTP: for the control socket, and from the other side of it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

from aiohttp import web

from bridge.control.api import answered
from bridge.control.asking import asked, perhaps, text, texts
from bridge.control.remotes import RemoteOperations
from bridge.control.shapes import Shape
from bridge.model import Json

REFUSALS: Final = frozenset({"remote-refused", "no-api", "unknown-source"})
"""The codes by which a daemon tells that it is refused, or knows no such API."""

Ask: TypeAlias = Callable[[str, str, Json], Awaitable[Shape]]
"""Asks the daemon: method, path, body."""


def routes(remote: RemoteOperations) -> list[web.RouteDef]:
    """Return the handlers under ``/api/remote/``."""
    api = _Api(remote)
    return [
        web.post("/api/remote/status", answered(api.status)),
        web.post("/api/remote/page", answered(api.page)),
        web.post("/api/remote/login", answered(api.login)),
        web.post("/api/remote/webhooks", answered(api.webhooks)),
        web.post("/api/remote/webhook", answered(api.webhook)),
        web.post("/api/remote/names", answered(api.names)),
        web.post("/api/remote/sync", answered(api.sync)),
        web.post("/api/remote/update", answered(api.update)),
        web.post("/api/remote/delete", answered(api.delete)),
        web.post("/api/remote/repair", answered(api.repair)),
        web.post("/api/remote/progress", answered(api.progress)),
    ]


class _Api:
    """Reads requests for the operations."""

    def __init__(self, remote: RemoteOperations) -> None:
        self._remote = remote

    async def status(self, _: web.Request) -> Shape:
        return await self._remote.status()

    async def page(self, request: web.Request) -> Shape:
        given = await asked(request, {"source", "redirect", "state"})
        return await self._remote.sign_in_page(perhaps(given, "source"), text(given, "redirect"), text(given, "state"))

    async def login(self, request: web.Request) -> Shape:
        given = await asked(request, {"source", "code", "redirect"})
        return await self._remote.sign_in(perhaps(given, "source"), text(given, "code"), text(given, "redirect"))

    async def webhooks(self, request: web.Request) -> Shape:
        return await self._remote.webhooks(perhaps(await asked(request, {"source"}), "source"))

    async def webhook(self, request: web.Request) -> Shape:
        given = await asked(request, {"source", "id"})
        return await self._remote.webhook(perhaps(given, "source"), text(given, "id"))

    async def names(self, request: web.Request) -> Shape:
        given = await asked(request, {"source", "kinds"})
        return await self._remote.names(perhaps(given, "source"), texts(given, "kinds"))

    async def sync(self, request: web.Request) -> Shape:
        given = await asked(request, {"source", "dry_run"})
        return await self._remote.sync(perhaps(given, "source"), dry_run=given.get("dry_run") is True)

    async def update(self, request: web.Request) -> Shape:
        source, ids, dry_run = await _some(request)
        return await self._remote.update(source, ids, dry_run=dry_run)

    async def delete(self, request: web.Request) -> Shape:
        source, ids, dry_run = await _some(request)
        return await self._remote.delete(source, ids, dry_run=dry_run)

    async def repair(self, request: web.Request) -> Shape:
        given = await asked(request, {"source", "since", "baseline", "deletions"})
        flags = {name: given.get(name) is True for name in ("baseline", "deletions")}
        return await self._remote.repair(perhaps(given, "source"), perhaps(given, "since"), **flags)

    async def progress(self, request: web.Request) -> Shape:
        return await self._remote.progress(perhaps(await asked(request, {"source"}), "source"))


async def _some(request: web.Request) -> tuple[str | None, list[str], bool]:
    given = await asked(request, {"source", "ids", "dry_run"})
    return perhaps(given, "source"), texts(given, "ids"), given.get("dry_run") is True


class RemoteClient:
    """The same methods as ``RemoteOperations``, asked of a daemon."""

    def __init__(self, ask: Ask) -> None:
        """Take what asks."""
        self._ask = ask

    async def status(self) -> Shape:
        """Tell how the APIs are."""
        return await self._ask("POST", "/api/remote/status", {})

    async def sign_in_page(self, source: str | None, redirect: str, state: str) -> Shape:
        """Return the page on which a person allows access."""
        return await self._ask("POST", "/api/remote/page", {"source": source, "redirect": redirect, "state": state})

    async def sign_in(self, source: str | None, code: str, redirect: str) -> Shape:
        """Take the code that the page led back with."""
        return await self._ask("POST", "/api/remote/login", {"source": source, "code": code, "redirect": redirect})

    async def webhooks(self, source: str | None = None) -> Shape:
        """List registered webhooks."""
        return await self._ask("POST", "/api/remote/webhooks", {"source": source})

    async def webhook(self, source: str | None, id_: str) -> Shape:
        """Return one registered webhook."""
        return await self._ask("POST", "/api/remote/webhook", {"source": source, "id": id_})

    async def names(self, source: str | None, kinds: Sequence[str]) -> Shape:
        """Return all there are of kinds of which an account has few."""
        return await self._ask("POST", "/api/remote/names", {"source": source, "kinds": [*kinds]})

    async def sync(self, source: str | None = None, *, dry_run: bool = False) -> Shape:
        """Register what the rules need."""
        return await self._ask("POST", "/api/remote/sync", {"source": source, "dry_run": dry_run})

    async def update(self, source: str | None, ids: Sequence[str], *, dry_run: bool = False) -> Shape:
        """Give webhooks of ours the address and the header of today."""
        body: Json = {"source": source, "ids": [*ids], "dry_run": dry_run}
        return await self._ask("POST", "/api/remote/update", body)

    async def delete(self, source: str | None, ids: Sequence[str], *, dry_run: bool = False) -> Shape:
        """Take webhooks away."""
        body: Json = {"source": source, "ids": [*ids], "dry_run": dry_run}
        return await self._ask("POST", "/api/remote/delete", body)

    async def repair(
        self, source: str | None = None, since: str | None = None, *, baseline: bool = False, deletions: bool = False
    ) -> Shape:
        """Begin to look for what was missed."""
        body: Json = {"source": source, "since": since, "baseline": baseline, "deletions": deletions}
        return await self._ask("POST", "/api/remote/repair", body)

    async def progress(self, source: str | None = None) -> Shape:
        """Tell how far it is."""
        return await self._ask("POST", "/api/remote/progress", {"source": source})
