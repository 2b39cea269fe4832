"""Whom a command speaks to: the running daemon, or, when none runs, the store in its data directory."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from bridge.cli import screen
from bridge.control.client import DaemonClient
from bridge.errors import BridgeError, DaemonUnreachableError

if TYPE_CHECKING:
    from bridge.control.operations import Operations
    from bridge.ruleset import Ruleset

Control: TypeAlias = "DaemonClient | Operations"
"""The same questions, asked of a daemon or of a store."""

DATABASE = "bridge.db"


class NothingStoredError(BridgeError):
    """There is neither a daemon nor a store."""


@asynccontextmanager
async def connect(data: Path, routes: Path | None = None, *, needs_rules: bool = False) -> AsyncIterator[Control]:
    """Yield the daemon of a data directory, or its store if no daemon runs; says on stderr when it is the store.

    Raises:
        NothingStoredError: there is neither.
        InvalidConfigurationError: no daemon runs, and the rules that the command needs are broken.
    """
    async with DaemonClient(data) as daemon:
        if await answers(daemon):
            yield daemon
            return
    async with opened(data, routes, needs_rules=needs_rules) as operations:
        yield operations


@asynccontextmanager
async def running(data: Path) -> AsyncIterator[DaemonClient]:
    """Yield the running daemon of a data directory.

    Raises:
        DaemonUnreachableError: none runs.
    """
    async with DaemonClient(data) as daemon:
        if not await answers(daemon):
            raise DaemonUnreachableError(f"no daemon runs on {data}; start one with: bridge run")
        yield daemon


async def answers(daemon: DaemonClient) -> bool:
    """Tell whether the daemon is there."""
    try:
        await daemon.status()
    except DaemonUnreachableError:
        return False
    return True


@asynccontextmanager
async def opened(data: Path, routes: Path | None, *, needs_rules: bool) -> "AsyncIterator[Operations]":
    """Yield the operations over the store of a data directory that no daemon uses."""
    if not (data / DATABASE).exists():
        raise NothingStoredError(f"no daemon runs on {data}, and nothing is stored there; start one with: bridge run")
    from bridge.control.host import Host
    from bridge.control.operations import Operations
    from bridge.store.sqlite import open_store

    host = Host(_rules(routes, needed=needs_rules))
    store = await open_store(data)
    try:
        screen.note(f"No daemon runs: reading {data / DATABASE} itself.")
        yield Operations(store, host)
    finally:
        await store.close()


def _rules(routes: Path | None, *, needed: bool) -> "Callable[[], Ruleset | None]":
    if routes is None:
        return lambda: None
    if needed:
        rules = load_rules(routes)
        return lambda: rules
    return cache(lambda: _perhaps(routes))


def _perhaps(routes: Path) -> "Ruleset | None":
    with suppress(BridgeError):
        return load_rules(routes)
    return None


def load_rules(routes: Path) -> "Ruleset":
    """Return the rules of a file, read with this process's environment.

    Raises:
        InvalidConfigurationError: every problem.
    """
    from bridge import config

    return config.load(routes, os.environ).ruleset
