"""Databases as tests meet them: asked by another way than the target's own."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import asyncmy
import asyncpg

from tests.support.postgres import PASSWORD, Postgres

MYSQL: Final = "TEST_MYSQL_URL"
"""Names the address of an empty database on a server of MySQL or MariaDB; no registry of packages has one."""


@dataclass(frozen=True)
class Bank:
    """A database: its address for the target, and a way to ask it."""

    url: str
    ask: Callable[[str], list[tuple[Any, ...]]]

    @property
    def kind(self) -> str:
        return self.url.partition(":")[0]


def sqlite_bank(file: Path) -> Bank:
    def ask(sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(file)) as connection, connection:
            return connection.execute(sql).fetchall()

    return Bank(f"sqlite:///{file}", ask)


def postgres_bank(server: Postgres, port: int | None = None) -> Bank:
    """Empty the server's database; ``port`` is where the target is to find it, if not at its own."""

    async def asked(sql: str) -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(host=str(server.home), port=server.port, user="postgres", database="bi")
        try:
            return [tuple(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    for schema in ("public", '"order"'):
        _run(asked(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
    _run(asked("CREATE SCHEMA public AUTHORIZATION bridge"))
    return Bank(
        f"postgresql://bridge:{quote(PASSWORD, safe='')}@127.0.0.1:{port or server.port}/bi",
        lambda sql: _run(asked(sql)),
    )


def mysql_bank() -> Bank:
    """Empty the database that is named."""
    url = os.environ[MYSQL]
    parts = urlsplit(url)

    async def asked(sql: str) -> list[tuple[Any, ...]]:
        connection = await asyncmy.connect(
            host=parts.hostname,
            port=parts.port or 3306,
            user=parts.username,
            password=parts.password or "",
            db=parts.path[1:],
            autocommit=True,
        )
        try:
            async with connection.cursor() as cursor:
                await cursor.execute(sql)
                return list(await cursor.fetchall())
        finally:
            await connection.ensure_closed()

    def ask(sql: str) -> list[tuple[Any, ...]]:
        answered: list[tuple[Any, ...]] = _run(asked(sql.replace('"', "`")))
        return answered

    for table in ask("SHOW TABLES"):
        ask(f"DROP TABLE `{table[0]}`")
    return Bank(url, ask)


def _run(asking: Any) -> Any:
    """Ask in a loop and a thread of its own: tests run in a loop already."""
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(asyncio.run, asking).result()
