"""Whom a command about a source's API speaks to: the running daemon, or, when none runs, the API itself."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

from bridge.cli.connection import answers, load_rules
from bridge.control.client import DaemonClient
from bridge.control.host import Host
from bridge.control.remote_api import RemoteClient
from bridge.control.remotes import RemoteOperations

Remotely: TypeAlias = RemoteClient | RemoteOperations
"""The same questions, asked of a daemon or of the API."""


@asynccontextmanager
async def remotely(data: Path, routes: Path) -> AsyncIterator[Remotely]:
    """Yield the operations of the daemon: two processes must not renew one application's tokens. Else make our own.

    Raises:
        InvalidConfigurationError: no daemon runs, and the rules are broken.
    """
    async with DaemonClient(data) as daemon:
        if await answers(daemon):
            yield daemon.remote
            return
    async with _own(data, routes) as operations:
        yield operations


@asynccontextmanager
async def _own(data: Path, routes: Path) -> AsyncIterator[RemoteOperations]:
    from bridge.component.client import Client
    from bridge.ingest.secretbook import FOLDER, SecretBook
    from bridge.remote.connections import Remotes

    rules, secrets = load_rules(routes), SecretBook(data)
    secrets.adopt(rules.sources)
    async with Client() as http:
        remotes = Remotes(http, data / FOLDER)
        remotes.adopt(rules.sources)
        yield RemoteOperations(
            Host(
                current=lambda: rules,
                paths=secrets.paths,
                headers=secrets.headers,
                public_url=os.environ.get("BRIDGE_PUBLIC_URL", "").rstrip("/") or None,
                remote=remotes.get,
            )
        )
