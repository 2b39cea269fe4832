"""The operations by a source's API from another process; nothing of the daemon is loaded for it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

from bridge.control.shapes import Shape
from bridge.model import Json

REFUSALS: Final = frozenset({"remote-refused", "no-api", "unknown-source"})
"""The codes by which a daemon tells that it is refused, or knows no such API."""

Ask: TypeAlias = Callable[[str, str, Json], Awaitable[Shape]]
"""Asks the daemon: method, path, body."""


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
