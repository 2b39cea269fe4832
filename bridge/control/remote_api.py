"""The operations by a source's API as JSON over HTTP, for the control socket."""

from aiohttp import web

from bridge.control.api import answered
from bridge.control.asking import asked, perhaps, text, texts
from bridge.control.remotes import RemoteOperations
from bridge.control.shapes import Shape


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
