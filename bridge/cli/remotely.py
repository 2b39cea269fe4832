"""Whom a command about a source's API speaks to: the running daemon, or, when none runs, the API itself."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from bridge.cli.connection import answers, load_rules
from bridge.control.client import DaemonClient
from bridge.control.host import Host
from bridge.control.remote_client import RemoteClient
from bridge.control.remotes import RemoteOperations
from bridge.model import SystemClock
from bridge.remote.repairing import Repairs
from bridge.ruleset import Ruleset

if TYPE_CHECKING:
    from bridge.remote.connections import Remotes

Remotely: TypeAlias = RemoteClient | RemoteOperations
"""The same questions, asked of a daemon or of the API."""


@asynccontextmanager
async def remotely(data: Path, routes: Path, *, storing: bool = False) -> AsyncIterator[Remotely]:
    """Yield the operations of the daemon: two processes must not renew one application's tokens. Else make our own.

    With ``storing`` ours have a store too; what it is given is routed by the next daemon.

    Raises:
        InvalidConfigurationError: no daemon runs, and the rules are broken.
    """
    async with DaemonClient(data) as daemon:
        if await answers(daemon):
            yield daemon.remote
            return
    async with AsyncExitStack() as stack:
        yield await _own(data, routes, stack, storing=storing)


async def _own(data: Path, routes: Path, stack: AsyncExitStack, *, storing: bool) -> RemoteOperations:
    from bridge.component.client import Client
    from bridge.ingest.secretbook import FOLDER, SecretBook
    from bridge.remote.connections import Remotes

    rules, secrets = load_rules(routes), SecretBook(data)
    secrets.adopt(rules.sources)
    remotes = Remotes(await stack.enter_async_context(Client()), data / FOLDER)
    remotes.adopt(rules.sources)
    host = Host(
        current=lambda: rules,
        paths=secrets.paths,
        headers=secrets.headers,
        public_url=os.environ.get("BRIDGE_PUBLIC_URL", "").rstrip("/") or None,
        remote=remotes.get,
        repairs=await _repairs(data, rules, remotes, stack) if storing else None,
    )
    return RemoteOperations(host)


async def _repairs(data: Path, rules: Ruleset, remotes: "Remotes", stack: AsyncExitStack) -> Repairs:
    from bridge.ingest.secretbook import FOLDER
    from bridge.store.sqlite import open_store

    store = await open_store(data)
    stack.push_async_callback(store.close)
    repairs = Repairs(store, lambda: rules, remotes.get, SystemClock(), data / FOLDER)
    stack.push_async_callback(repairs.close)
    return repairs
