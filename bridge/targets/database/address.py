"""The address of a database: one URL, whose host and password come from routes.yaml and nowhere else."""

import importlib.util
import ssl
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias
from uuid import uuid4

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bridge.options import Secret

Kind: TypeAlias = Literal["postgresql", "mysql", "sqlite"]
Tls: TypeAlias = Literal["verify", "unverified", "off"]

KINDS: Final[Mapping[str, Kind]] = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "sqlite": "sqlite",
}
DRIVERS: Final[Mapping[Kind, str]] = {"postgresql": "asyncpg", "mysql": "asyncmy", "sqlite": "aiosqlite"}
EXTRAS: Final[Mapping[Kind, str]] = {"postgresql": "postgres", "mysql": "mysql"}
SOCKETS: Final[Mapping[Kind, str]] = {"postgresql": "host", "mysql": "unix_socket"}
"""The only part of a query that is taken: the folder, or the file, of a Unix socket."""
NAMES: Final[Mapping[Kind, str]] = {"postgresql": "PostgreSQL", "mysql": "MySQL", "sqlite": "SQLite"}
HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts that are reached without leaving the machine."""
STAND_IN: Final = "sqlite:////nowhere/stand-in.db"
"""An address for tests of rules, where there is no other."""
FORM: Final = "must be postgresql://USER:PASSWORD@HOST/DATABASE, mysql://… likewise, or sqlite:////PATH"


def parsed(secret: Secret) -> URL:
    """Return an address with the driver that is used for it.

    Raises:
        ValueError: it is none, or its driver is not installed; without repeating any of it.
    """
    try:
        url = make_url(secret.reveal())
    except (ArgumentError, ValueError):
        raise ValueError(FORM) from None
    kind = KINDS.get(url.drivername)
    if kind is None or not url.database or url.database == ":memory:" or not _reaches(url, kind):
        raise ValueError(FORM)
    if importlib.util.find_spec(DRIVERS[kind]) is None:
        raise ValueError(f'needs the driver for {NAMES[kind]}: install "bridge[{EXTRAS[kind]}]"')
    return url.set(drivername=f"{kind}+{DRIVERS[kind]}")


def kind_of(url: URL) -> Kind:
    """Return which database an address is of."""
    return KINDS[url.get_backend_name()]


def place(url: URL) -> str:
    """Return where a database is, as people are told: never who logs in, nor how."""
    if kind_of(url) == "sqlite":
        return f"{NAMES['sqlite']} in {url.database}"
    return f"{NAMES[kind_of(url)]} at {url.host or 'this machine'}/{url.database}"


def stays_here(url: URL) -> bool:
    """Tell whether the connection does not leave the machine."""
    return not url.host or url.host.lower() in HERE


def arguments(url: URL, tls: Tls, ca_file: str | None, timeout: float) -> dict[str, Any]:
    """Return what the driver takes beside the address; ``timeout`` is in seconds."""
    match kind_of(url):
        case "postgresql":
            # Nothing is kept between two statements, so that a pooler in between may hand each to another server.
            poolers = {
                "statement_cache_size": 0,
                "prepared_statement_cache_size": 0,
                "prepared_statement_name_func": lambda: f"bridge_{uuid4().hex}",
            }
            return {
                "ssl": _trust(tls, ca_file) or False,
                "timeout": timeout,
                "server_settings": {"application_name": "bridge"},
                **poolers,
            }
        case "mysql":
            trust = _trust(tls, ca_file)
            return {"charset": "utf8mb4", "connect_timeout": timeout, **({"ssl": trust} if trust else {})}
        case _:
            return {"timeout": timeout / 2}  # how long a locked file is waited for: less than the whole attempt


def _reaches(url: URL, kind: Kind) -> bool:
    """Tell whether an address names a file, or a host, or a socket, and says nothing else in its query."""
    if kind == "sqlite":
        return not (url.host or url.query or url.username or url.password)
    socket = url.query.get(SOCKETS[kind])
    if socket is None:
        return bool(url.host) and not url.query
    return isinstance(socket, str) and socket.startswith("/") and not url.host and len(url.query) == 1


def _trust(tls: Tls, ca_file: str | None) -> ssl.SSLContext | None:
    if tls == "off":
        return None
    context = ssl.create_default_context(cafile=ca_file)
    if tls == "unverified":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
