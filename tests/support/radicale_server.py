"""A Radicale on a real socket, with one user and two calendars, which can be made to fail before or behind its deed.

What is in it is read back with vobject, which knows nothing of how it was written.
"""

import asyncio
import io
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import vobject
from aiohttp import web
from radicale import config
from radicale.app import Application

USER: Final = "vendas"
PASSWORD: Final = "hush-hush"
NAME: Final = "Reuniões do time"
_MAKE: Final = """<?xml version="1.0" encoding="utf-8"?>
<c:mkcalendar xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:set><d:prop><d:displayname>{}</d:displayname>
<c:supported-calendar-component-set><c:comp name="{}"/></c:supported-calendar-component-set></d:prop></d:set>
</c:mkcalendar>"""


@dataclass(frozen=True)
class Fault:
    """What goes wrong: a status, or with ``lost`` no answer at all; ``done`` says that it was done all the same."""

    status: int = 503
    lost: bool = False
    done: bool = False
    body: bytes = b""


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    body: bytes
    headers: dict[str, str]


@dataclass
class RadicaleServer:
    """The server, and what happened; ``folder`` is where it keeps its calendars."""

    folder: Path
    fail: Callable[[Asked], Fault | None] = lambda _: None
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    async def __aenter__(self) -> Self:
        (self.folder / "collection-root").mkdir(parents=True)
        (self.folder / "users").write_text(f"{USER}:{PASSWORD}\n")
        self._radicale = Application(_settings(self.folder))
        await self._make("agenda", NAME, "VEVENT")
        await self._make("tarefas", NAME, "VTODO")
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

    def options(self, **more: Any) -> dict[str, Any]:
        """Return the options of a target that finds the calendar by its name."""
        return {"url": self.url, "calendar": NAME, "username": USER, "password": PASSWORD, **more}

    @property
    def objects(self) -> list[str]:
        """What the calendars hold, as it is kept."""
        places = (self.folder / "collection-root" / USER).glob("*/*.ics")
        return [path.read_bytes().decode() for path in sorted(places)]

    @property
    def one(self) -> Any:
        """The one event or to-do there is, read by another library."""
        (text,) = self.objects
        whole = vobject.readOne(text)
        return whole.vevent if "vevent" in whole.contents else whole.vtodo

    def lines(self) -> list[str]:
        """Return the methods of the requests about objects."""
        return [asked.method for asked in self.asked if asked.method != "PROPFIND"]

    def edit(self, old: str, new: str) -> None:
        """Change the one object as a person's client would."""
        (path,) = (self.folder / "collection-root" / USER).glob("*/*.ics")
        changed = path.read_bytes().decode().replace(old, new).encode()
        status, _, _ = self._answered("PUT", f"/{USER}/{path.parent.name}/{path.name}", changed, _AS_USER)
        assert status in {201, 204}

    def delete(self) -> None:
        """Delete the one object."""
        (path,) = (self.folder / "collection-root" / USER).glob("*/*.ics")
        status, _, _ = self._answered("DELETE", f"/{USER}/{path.parent.name}/{path.name}", b"", _AS_USER)
        assert status == 200

    async def _make(self, path: str, name: str, kind: str) -> None:
        body = _MAKE.format(name, kind).encode()
        status, _, answer = await asyncio.to_thread(self._answered, "MKCALENDAR", f"/{USER}/{path}/", body, _AS_USER)
        assert status == 201, answer

    async def _serve(self, request: web.Request) -> web.Response:
        asked = Asked(request.method, request.path, await request.read(), dict(request.headers))
        self.asked.append(asked)
        fault = self.fail(asked)
        if fault and not fault.done:
            return self._faulty(fault, request)
        status, headers, body = self._answered(asked.method, asked.path, asked.body, asked.headers)
        return self._faulty(fault, request) if fault else web.Response(status=status, headers=headers, body=body)

    def _faulty(self, fault: Fault, request: web.Request) -> web.Response:
        if fault.lost and request.transport:
            request.transport.abort()
        return web.Response(status=fault.status, body=fault.body)

    def _answered(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask Radicale, which speaks WSGI."""
        told: list[Any] = []
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "SCRIPT_NAME": "",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": headers.get("Content-Type", ""),
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.url_scheme": "http",
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
        }
        answer = b"".join(self._radicale(environ, lambda *said: told.extend(said)))
        kept = {name: value for name, value in told[1] if name.lower() != "content-length"}
        return int(told[0].split()[0]), kept, answer


_AS_USER: Final = {
    "Authorization": f"Basic {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}",
    "Content-Type": "text/calendar; charset=utf-8",
}


def _settings(folder: Path) -> config.Configuration:
    settings = config.load()
    told = {
        "auth": {"type": "htpasswd", "htpasswd_filename": str(folder / "users"), "htpasswd_encryption": "plain"},
        "storage": {"filesystem_folder": str(folder), "_filesystem_fsync": "False"},
        "web": {"type": "none"},
        "logging": {"level": "critical"},
    }
    settings.update(told, "test", privileged=True)
    return settings
