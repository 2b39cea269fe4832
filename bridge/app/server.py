"""The listeners: webhooks and health for the world, metrics for operators, the control socket for people."""

import asyncio
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias, cast

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from bridge import telemetry
from bridge.app.door import Door
from bridge.app.settings import Settings
from bridge.app.tls import Certificate
from bridge.control.client import SOCKET
from bridge.errors import SettingsError
from bridge.model import Json, JsonObject

Readiness: TypeAlias = Callable[[], Awaitable[tuple[bool, JsonObject]]]
"""Tells whether the daemon is ready, and what of it there is to know; also brings the gauges up to date."""
LONGEST_SOCKET_PATH = 103
"""Bytes a Unix socket's path may have on every system we run on."""
CONTROL_BODY = 16 * 2**20
WAITING = 1024
"""Connections that the system holds until they are accepted."""
AT_ONCE = 8
"""Connections that asyncio accepts before it does anything else.

It takes four rounds to be rid of those that are turned away, and there are files for that (see ``door``).
"""
LINGERING = 2.0
"""Seconds a refused body is still read, so that its sender gets to read the answer, and a TLS farewell waited for."""


class Servers:
    """Every listener of a daemon: an async context manager that closes them, letting answers finish."""

    def __init__(self, settings: Settings, hooks: Sequence[web.RouteDef], readiness: Readiness) -> None:
        """Prepare; nothing listens before ``start``."""
        self._settings = settings
        self._hooks = hooks
        self._readiness = readiness
        self._stack = AsyncExitStack()
        self._public: asyncio.Server | None = None
        self.certificate = _certificate(settings)

    async def __aenter__(self) -> Self:
        """Return the servers."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every listener; requests that are being answered are answered."""
        await self._stack.aclose()

    @property
    def url(self) -> str:
        """Return the address of the public listener, as this machine reaches it."""
        host, _ = _split(self._settings.listen)
        scheme = "https" if self.certificate else "http"
        port = self._public.sockets[0].getsockname()[1] if self._public else 0
        return f"{scheme}://{_reachable(host)}:{port}"

    async def start(self, control: Callable[[str], Sequence[web.RouteDef]]) -> None:
        """Listen everywhere. ``control`` gives the control socket's handlers, which may tell the public address.

        Raises:
            SettingsError: an address is taken, or not ours.
        """
        operators = [web.get("/readyz", self._readyz), web.get("/metrics", self._metrics)]
        health = [web.get("/healthz", _healthz)]
        public = [*self._hooks, *health]
        if self._settings.admin_listen:
            await self._listen(self._settings.admin_listen, [*health, *operators], "BRIDGE_ADMIN_LISTEN")
        else:
            public += operators
        self._public = await self._listen(self._settings.listen, public, "BRIDGE_LISTEN", self.certificate)
        await self._listen_socket([*control(self.url), *health, *operators])

    async def _listen(
        self, address: str, routes: Sequence[web.RouteDef], setting: str, certificate: Certificate | None = None
    ) -> asyncio.Server:
        host, port = _split(address)
        runner = await self._run(routes, self._settings.body_limit)
        context, door = certificate.context if certificate else None, Door(cast("web.Server", runner.server))
        listen = asyncio.get_running_loop().create_server
        try:
            server = await listen(
                *(door, host or None, port),
                backlog=AT_ONCE,
                ssl=context,
                ssl_handshake_timeout=self._settings.header_timeout if context else None,
                ssl_shutdown_timeout=LINGERING if context else None,
            )
        except OSError as error:
            reason = error.strerror or str(error)
            raise SettingsError(f"cannot listen on {address}: {reason}; set {setting} to another address") from error
        self._stack.callback(server.close)
        for each in server.sockets:
            with socket.socket(fileno=os.dup(each.fileno())) as own:  # the loop's own cannot be set
                own.listen(WAITING)
                _drop_who_takes_nothing(own, self._settings.body_timeout)
        return server

    async def _listen_socket(self, routes: Sequence[web.RouteDef]) -> None:
        path = self._settings.data / SOCKET
        runner = await self._run(routes, CONTROL_BODY)
        await web.SockSite(runner, _socket_at(path)).start()
        self._stack.callback(_remove, path, _inode(path))

    async def _run(self, routes: Sequence[web.RouteDef], body_limit: int) -> web.AppRunner:
        app = web.Application(client_max_size=body_limit)
        app.add_routes(routes)
        runner = web.AppRunner(
            app,
            access_log=None,
            auto_decompress=False,  # a small gzip body may hold a gigabyte: ingest inflates within its limit
            keepalive_timeout=self._settings.header_timeout,  # also runs while a head is still coming
            lingering_time=LINGERING,
            shutdown_timeout=self._settings.body_timeout,
        )
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        return runner

    async def _readyz(self, _: web.Request) -> web.Response:
        ready, facts = await self._readiness()
        told: dict[str, Json] = {"ready": ready, **facts}
        return web.json_response(told, status=200 if ready else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        await self._readiness()
        return web.Response(body=generate_latest(telemetry.REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _healthz(_: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def _certificate(settings: Settings) -> Certificate | None:
    if settings.tls_cert and settings.tls_key:
        return Certificate(settings.tls_cert, settings.tls_key)
    return None


def _socket_at(path: Path) -> socket.socket:
    """Return a Unix socket bound to a path, in place of one that a killed daemon left; its owner alone may open it."""
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise SettingsError(f"the path of the control socket is too long: {path}; set BRIDGE_DATA to a shorter one")
    bound = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o177)
    try:
        path.unlink(missing_ok=True)
        bound.bind(os.fsencode(path))
    except OSError as error:
        bound.close()
        raise SettingsError(f"cannot listen on {path}: {error.strerror}; set BRIDGE_DATA to another folder") from error
    finally:
        os.umask(mask)
    return bound


def _remove(path: Path, inode: int | None) -> None:
    """Remove a socket, unless it is another's by now: of a daemon on a folder that was put in the place of ours.

    One that cannot be removed, as from a disk that has become read-only, is replaced by the next start.
    """
    if _inode(path) == inode:
        with suppress(OSError):
            path.unlink()


def _inode(path: Path) -> int | None:
    with suppress(OSError):
        return path.stat().st_ino
    return None


def _drop_who_takes_nothing(listener: socket.socket, seconds: float) -> None:
    """Have the system end connections of a listener whose other side takes nothing of an answer for so long.

    Else each would be held for as long as it likes by who asks, and never reads. Only Linux can do so.
    """
    if sys.platform == "linux":
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _reachable(host: str) -> str:
    """Return the host under which this machine itself reaches a listener."""
    if host in {"", "0.0.0.0"}:  # noqa: S104 (compared, not bound)
        return "127.0.0.1"
    if host == "::":
        return "[::1]"
    return f"[{host}]" if ":" in host else host
