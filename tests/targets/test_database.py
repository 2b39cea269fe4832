import asyncio
import json
import os
import ssl
import threading
import traceback
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import chain, repeat
from pathlib import Path
from typing import Any, ClassVar

import pytest
import trustme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect

from bridge.component import AnyTarget
from bridge.component.client import Client
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject, Message, Receipt
from bridge.options import Secret, StandIns, secrets_in
from bridge.targets.database import Database, DatabaseOptions
from bridge.targets.database.options import TableOptions
from bridge.targets.database.refusals import MYSQL_LATER, MYSQL_NOT_US, sorted_failure
from bridge.targets.database.statements import Row, record, upsert
from bridge.targets.database.tables import tables
from bridge.targets.database.values import moment
from tests.contracts.target import DELIVERY, KnownLinks, Service, TargetContract, Trouble, once
from tests.support.between import Break, Wire
from tests.support.databases import MYSQL, Bank, mysql_bank, postgres_bank, sqlite_bank
from tests.support.postgres import PASSWORD, Postgres

COLUMNS: dict[str, Any] = {
    "name": "text",
    "order": "integer",
    "amount": "number",
    "won": "boolean",
    "due": "date",
    "Razão Social": "text",
    "closed_at": "moment",
    "products": "json",
}
FIRST, LATER, LAST = "2026-11-24T09:01:00-03:00", "2026-11-24T09:02:00-03:00", "2026-11-24T09:03:00-03:00"
FULL: dict[str, Any] = {
    "name": "Padaria Estrela",
    "order": 3,
    "amount": 11050.5,
    "won": True,
    "due": "2026-12-24",
    "Razão Social": "Estrela Ltda.",
    "closed_at": "2026-11-24T09:00:00.123456-03:00",
    "products": [{"name": "Plano anual", "price": 100}],
}
EMPTY = (None,) * len(COLUMNS)


def options(url: str, *, history: bool = False, **more: Any) -> DatabaseOptions:
    table = {"columns": COLUMNS, **({"history": "deals_history"} if history else {})}
    told = {"url": url, "create": True, "tables": {"deals": table}, **more}
    return DatabaseOptions.model_validate(told)


def told(version: str = FIRST, event: str = "evt_1", *, delete: bool = False, **row: Any) -> JsonObject:
    return {"table": "deals", "row": row, "delete": delete, "version": version, "event_id": event}


@pytest.fixture(params=["sqlite", "postgresql", *(["mysql"] if MYSQL in os.environ else [])])
def bank(request: pytest.FixtureRequest, tmp_path: Path) -> Bank:
    """Each database there is; for MySQL one has to be named."""
    if request.param == "sqlite":
        return sqlite_bank(tmp_path / "bi.db")
    if request.param == "postgresql":
        return postgres_bank(request.getfixturevalue("postgres_server"))
    return mysql_bank()


@pytest.fixture
def elephant(postgres_server: Postgres) -> Bank:
    return postgres_bank(postgres_server)


class Writer:
    """Writes to a database as bridge does, and reads by another way."""

    def __init__(self, bank: Bank, **more: Any) -> None:
        self.bank = bank
        self.target = Database("bi", options(bank.url, **more))

    async def send(self, content: JsonObject, key: str = "deal:65", delivery: str = DELIVERY) -> Receipt:
        return await self.target.send(Message(delivery, key, content), KnownLinks(), Client())

    def names(self) -> list[tuple[Any, ...]]:
        return self.bank.ask('SELECT "key", "name", deleted_at IS NOT NULL FROM deals ORDER BY "key"')

    def rows(self, table: str = "deals") -> int:
        counted: int = self.bank.ask(f'SELECT COUNT(*) FROM "{table}"')[0][0]  # noqa: S608 (a test's own)
        return counted


BREAKING: dict[Trouble | None, Break] = {
    Trouble.SILENT: Break.SILENT_AFTER_COMMIT,
    Trouble.BROKEN: Break.AFTER_COMMIT,
}


class TestContract(TargetContract):
    type_name = "database"
    content: ClassVar[JsonObject] = told(**FULL)
    seen_by_people = "name: Padaria Estrela"
    secrets = ("hush-hush", PASSWORD)

    @pytest.fixture(autouse=True)
    def _places(self, postgres_server: Postgres, unused_tcp_port: int) -> None:
        self.server, self.nowhere = postgres_server, unused_tcp_port

    def build(self, url: str, timeout: float = 15) -> AnyTarget:
        return Database("sales", options("postgresql://bridge:hush-hush@db.example/bi"))

    @asynccontextmanager
    async def facing(self, trouble: Trouble | None, seconds: float) -> AsyncIterator[Service]:
        """Run it as it is after the first message: its table is there."""
        first, breaks = Writer(postgres_bank(self.server)), chain([None, BREAKING.get(trouble)], repeat(None))
        await first.send(self.content, "deal:0")
        async with Wire(self.server.port, lambda _: next(breaks)) as wire, AsyncExitStack() as stack:
            if trouble is Trouble.LATER:
                await stack.enter_async_context(holding(self.server, "LOCK TABLE deals IN SHARE MODE"))
            elif trouble is Trouble.NEVER:
                first.bank.ask('ALTER TABLE deals ADD CONSTRAINT short CHECK (length("name") < 3) NOT VALID')
            port = self.nowhere if trouble is Trouble.NOBODY else wire.port
            url = first.bank.url.replace(str(self.server.port), str(port))
            wrong = url.replace("%4042", "%4043") if trouble is Trouble.SHUT else url
            got = "SELECT * FROM deals ORDER BY 1"
            yield Service(
                Database("sales", options(wrong, timeout=seconds)),
                wire.reached,
                lambda: once(first.bank.ask(got)),
                wire.hung_up,
            )

    def filled(self, text: str) -> JsonObject:
        return told(name=text)


async def test_a_row_is_made_with_every_type_there_is(bank: Bank) -> None:
    writer = Writer(bank)
    receipt = await writer.send(told(**FULL))
    assert receipt.excerpt == "written to deals"
    row = bank.ask('SELECT "name", "order", amount, won, due, "Razão Social", closed_at, products FROM deals')[0]
    name, order, amount, won, due, social, closed, products = row
    assert (name, order, float(amount), won, str(due)) == ("Padaria Estrela", 3, 11050.5, 1, "2026-12-24")
    assert social == "Estrela Ltda."
    assert str(closed).startswith("2026-11-24 12:00:00.123456"), "in UTC"
    assert json.loads(products) == FULL["products"]


async def test_a_row_is_changed_and_what_an_entry_does_not_name_stays(bank: Bank) -> None:
    writer = Writer(bank)
    await writer.send(told(name="Padaria", order=1))
    await writer.send(told(LATER, name="Padaria Estrela"))
    assert bank.ask('SELECT "key", "name", "order" FROM deals') == [("deal:65", "Padaria Estrela", 1)]


async def test_what_is_empty_is_null(bank: Bank) -> None:
    writer = Writer(bank)
    await writer.send(told(**FULL))
    await writer.send(told(LATER) | {"row": dict[str, Any].fromkeys(COLUMNS)})
    columns = ", ".join(f'"{each}"' for each in COLUMNS)
    assert bank.ask(f"SELECT {columns} FROM deals") == [EMPTY]  # noqa: S608 (a test's own)


@pytest.mark.parametrize("empty", ["", [], {}])
async def test_every_kind_of_empty_is_null(bank: Bank, empty: Any) -> None:
    writer = Writer(bank)
    await writer.send(told(**{name: empty for name in COLUMNS if name != "products"}))
    assert bank.ask('SELECT "name", "order", amount, won, due, closed_at FROM deals') == [(None,) * 6]


async def test_a_late_event_changes_nothing_and_the_same_twice_is_once(bank: Bank) -> None:
    writer = Writer(bank)
    for version, name in ((LATER, "new"), (FIRST, "old"), (LATER, "new")):
        await writer.send(told(version, name=name))
    assert writer.names() == [("deal:65", "new", 0)]


async def test_of_two_events_of_one_version_the_later_one_counts(bank: Bank) -> None:
    writer = Writer(bank)
    await writer.send(told(name="a"))
    await writer.send(told(name="b"))
    assert writer.names() == [("deal:65", "b", 0)]


async def test_that_a_newer_row_stays_is_told_where_the_database_tells_it(elephant: Bank) -> None:
    writer = Writer(elephant)
    await writer.send(told(LATER, name="new"))
    assert (await writer.send(told(FIRST, name="old"))).excerpt == "a newer row stays in deals"


async def test_a_deletion_empties_the_row_and_only_what_is_newer_brings_it_back(bank: Bank) -> None:
    writer = Writer(bank)
    await writer.send(told(name="Padaria", order=1))
    await writer.send(told(LATER, delete=True))
    await writer.send(told(FIRST, name="late"))
    await writer.send(told(LATER, name="of the same moment"))
    assert bank.ask('SELECT "key", "name", "order", deleted_at IS NULL FROM deals') == [("deal:65", None, None, 0)]
    await writer.send(told(LAST, name="back"))
    assert bank.ask('SELECT "key", "name", "order", deleted_at IS NULL FROM deals') == [("deal:65", "back", None, 1)]


async def test_a_deletion_of_what_was_never_there_keeps_late_events_out(bank: Bank) -> None:
    writer = Writer(bank)
    await writer.send(told(LATER, delete=True))
    await writer.send(told(FIRST, name="late"))
    assert writer.names() == [("deal:65", None, 1)]


async def test_a_deletion_that_is_late_deletes_nothing(bank: Bank) -> None:
    writer = Writer(bank)
    await writer.send(told(LATER, name="new"))
    await writer.send(told(FIRST, delete=True))
    assert writer.names() == [("deal:65", "new", 0)]


async def test_a_deletion_keeps_what_it_names(bank: Bank) -> None:
    writer = Writer(bank)
    await writer.send(told(name="Padaria", order=1))
    await writer.send(told(LATER, name="(apagada)", delete=True))
    assert bank.ask('SELECT "name", "order" FROM deals') == [("(apagada)", None)]


async def test_keys_are_told_apart_to_the_letter(bank: Bank) -> None:
    writer = Writer(bank)
    for key in ("deal:a", "deal:A", "deal:ä"):
        await writer.send(told(name=key), key)
    assert writer.rows() == 3


async def test_data_is_bound_and_never_a_part_of_a_statement(bank: Bank) -> None:
    writer = Writer(bank)
    nasty = "'); DROP TABLE deals; -- \" ` %s :x $1 \\"
    await writer.send(told(name=nasty), key=nasty)
    assert writer.names() == [(nasty, nasty, 0)]


async def test_what_no_database_stores_is_replaced(bank: Bank) -> None:
    writer = Writer(bank)
    await writer.send(told(name="a\0b\ud800c", products={"a\0": ["\ud800"]}))
    assert bank.ask('SELECT "name" FROM deals') == [("a\ufffdb?c",)]


async def test_a_history_has_one_row_for_each_event_whatever_comes_twice(bank: Bank) -> None:
    writer = Writer(bank, history=True)
    await writer.send(told(LATER, "evt_2", name="new"))
    await writer.send(told(FIRST, "evt_1", name="old"))
    await writer.send(told(LATER, "evt_2", name="replayed"), delivery="dlv_of_a_replay")
    await writer.send(told(LAST, "evt_3", delete=True))
    told_of = bank.ask('SELECT event_id, "name", deleted FROM deals_history ORDER BY event_id')
    assert told_of == [("evt_1", "old", 0), ("evt_2", "new", 0), ("evt_3", None, 1)]
    assert writer.names() == [("deal:65", None, 1)]


async def test_one_event_may_tell_of_several_keys(bank: Bank) -> None:
    writer = Writer(bank, history=True)
    await writer.send(told(name="a"), "deal:1")
    await writer.send(told(name="b"), "deal:2")
    assert writer.rows("deals_history") == 2


async def test_without_an_event_a_history_goes_by_the_delivery(bank: Bank) -> None:
    writer = Writer(bank, history=True)
    for delivery in ("dlv_1", "dlv_1", "dlv_2"):
        await writer.send(told(event="", name="a"), delivery=delivery)
    assert writer.rows("deals_history") == 2


async def test_row_and_history_are_written_together_or_not_at_all(elephant: Bank) -> None:
    writer = Writer(elephant, history=True)
    await writer.send(told(name="a"))
    elephant.ask('ALTER TABLE deals ADD CONSTRAINT short CHECK (length("name") < 3)')
    with pytest.raises(PermanentFailure, match="23514"):
        await writer.send(told(LATER, "evt_2", name="too long"))
    assert writer.rows("deals_history") == 1


def test_where_a_history_is_kept_no_message_replaces_another() -> None:
    url = "postgresql://a@db.example/bi"
    assert Database("bi", options(url)).upserts(told(name="a"))
    assert not Database("bi", options(url, history=True)).upserts(told(name="a"))


async def test_a_table_of_a_schema_is_written_to(elephant: Bank) -> None:
    elephant.ask('CREATE SCHEMA "order" AUTHORIZATION bridge')
    table = {"columns": {"name": "text"}, "history": "order.Deals of old"}
    target = Database("bi", options(elephant.url, tables={"order.deals": table}))
    content = told(name="a") | {"table": "order.deals"}
    await target.send(Message(DELIVERY, "deal:65", content), KnownLinks(), Client())
    assert elephant.ask('SELECT h."name", d."name" FROM "order".deals d, "order"."Deals of old" h') == [("a", "a")]


async def test_many_at_once_make_the_tables_once_and_leave_the_newest(bank: Bank) -> None:
    writers = [Writer(bank, history=True) for _ in range(2)]
    await writers[0].send(told(name="first"))
    versions = [f"2026-11-24T10:{minute:02}:00-03:00" for minute in range(20)]
    sending = [writers[n % 2].send(told(version, f"evt_{n}", name=str(n))) for n, version in enumerate(versions)]
    for done in await asyncio.gather(*sending, return_exceptions=True):
        assert isinstance(done, Receipt | TransientFailure), done
    await writers[0].send(told(versions[-1], "evt_19", name="19"))
    assert writers[0].names() == [("deal:65", "19", 0)]


# What tables must be like


async def test_a_missing_table_is_told_and_not_made_unless_wanted(bank: Bank) -> None:
    writer = Writer(bank, create=False)
    for asked in (writer.send(told(name="a")), writer.target.probe(Client())):
        with pytest.raises(AccessRefused, match='no table "deals"; make it, or write `create: true`'):
            await asked


async def test_a_table_of_ones_own_is_used_if_it_fits(bank: Bank) -> None:
    stamp = "TIMESTAMPTZ" if bank.kind == "postgresql" else "DATETIME"
    bank.ask(f'CREATE TABLE deals (id VARCHAR(40) PRIMARY KEY, seen {stamp}, gone {stamp}, "name" VARCHAR(9), own INT)')
    if bank.kind == "postgresql":
        bank.ask("ALTER TABLE deals OWNER TO bridge")
    table = {"columns": {"name": "text"}, "key": "id", "version": "seen", "deleted_at": "gone"}
    target = Database("bi", options(bank.url, create=False, tables={"deals": table}))
    assert (await target.probe(Client())).startswith("writes to deals in ")
    await target.send(Message(DELIVERY, "deal:65", told(name="a")), KnownLinks(), Client())
    assert bank.ask('SELECT id, "name" FROM deals') == [("deal:65", "a")]


async def test_a_row_without_a_version_is_older_than_any(bank: Bank) -> None:
    stamp = "TIMESTAMPTZ" if bank.kind == "postgresql" else "DATETIME"
    bank.ask(
        f'CREATE TABLE old ("key" VARCHAR(40) PRIMARY KEY, "version" {stamp}, deleted_at {stamp}, "name" VARCHAR(9))'
    )
    if bank.kind == "postgresql":
        bank.ask("ALTER TABLE old OWNER TO bridge")
    bank.ask("INSERT INTO old (\"key\", \"name\") VALUES ('deal:65', 'mine')")
    target = Database("bi", options(bank.url, tables={"old": {"columns": {"name": "text"}}}))
    await target.send(Message(DELIVERY, "deal:65", told(name="a") | {"table": "old"}), KnownLinks(), Client())
    assert bank.ask('SELECT "name" FROM old') == [("a",)]


@pytest.mark.parametrize(
    ("made", "told_of"),
    [
        ('("key" VARCHAR(40) PRIMARY KEY, "version" DATE, deleted_at DATE)', 'the table "deals" has no column "name"'),
        ('("key" VARCHAR(40), "version" DATE, deleted_at DATE, "name" VARCHAR(9))', "needs a unique key of key"),
        (
            '("key" VARCHAR(40), "version" DATE, deleted_at DATE, "name" VARCHAR(9), UNIQUE ("key", "version"))',
            "needs a unique key of key",
        ),
    ],
)
async def test_a_table_that_does_not_fit_is_refused_before_anything_is_written(
    bank: Bank, made: str, told_of: str
) -> None:
    bank.ask(f"CREATE TABLE deals {made}")
    target = Database("bi", options(bank.url, tables={"deals": {"columns": {"name": "text"}}}))
    with pytest.raises(AccessRefused, match=told_of):
        await target.send(Message(DELIVERY, "deal:65", told(name="a")), KnownLinks(), Client())
    with pytest.raises(AccessRefused, match=told_of):
        await target.probe(Client())


async def test_an_index_of_some_rows_is_no_key(elephant: Bank) -> None:
    elephant.ask('CREATE TABLE deals ("key" TEXT, "version" TIMESTAMPTZ, deleted_at TIMESTAMPTZ, "name" TEXT)')
    elephant.ask('CREATE UNIQUE INDEX part ON deals ("key") WHERE deleted_at IS NULL')
    target = Database("bi", options(elephant.url, tables={"deals": {"columns": {"name": "text"}}}))
    with pytest.raises(AccessRefused, match="needs a unique key"):
        await target.probe(Client())
    elephant.ask('CREATE UNIQUE INDEX whole ON deals ("key")')
    assert await target.probe(Client()) == "writes to deals in PostgreSQL at 127.0.0.1/bi"


async def test_a_probe_writes_nothing(bank: Bank) -> None:
    writer = Writer(bank)
    assert (await writer.target.probe(Client())).startswith("writes to deals in ")
    with pytest.raises(Exception, match="deals"):
        writer.rows()


# What does not fit


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"order": "many"}, 'the column "order": is no number'),
        ({"order": 1.5}, 'the column "order": is no whole number of 64 bits'),
        ({"order": 2**63}, 'the column "order": is no whole number of 64 bits'),
        ({"amount": True}, 'the column "amount": is no number'),
        ({"amount": "NaN"}, 'the column "amount": is no number'),
        ({"won": "perhaps"}, 'the column "won": is neither true nor false'),
        ({"won": 2}, 'the column "won": is neither true nor false'),
        ({"due": "soon"}, 'the column "due": '),
        ({"due": 5}, 'the column "due": is no day and no moment'),
        ({"closed_at": "0001-01-01T00:00:00+14:00"}, 'the column "closed_at": out of range'),
        ({"colour": "red"}, 'the table "deals" has no column "colour"'),
    ],
)
async def test_a_value_that_is_not_of_its_columns_type_is_a_permanent_failure(row: JsonObject, reason: str) -> None:
    target = Database("bi", options("postgresql://nobody@127.0.0.1:1/bi"))
    with pytest.raises(PermanentFailure, match=reason):
        await target.send(Message(DELIVERY, "deal:65", {**told(), "row": row}), KnownLinks(), Client())


async def test_a_message_for_a_table_that_is_gone_or_without_a_version_is_a_permanent_failure() -> None:
    target = Database("bi", options("postgresql://nobody@127.0.0.1:1/bi"))
    contents: list[JsonObject] = [{**told(name="a"), "table": "others"}, {"table": "deals", "row": {"name": "a"}}]
    for content in contents:
        with pytest.raises(PermanentFailure):
            await target.send(Message(DELIVERY, "deal:65", content), KnownLinks(), Client())


async def test_a_moment_is_read_as_a_day_and_a_day_as_a_moment_in_the_time_zone(bank: Bank) -> None:
    writer = Writer(bank, timezone="America/Sao_Paulo")
    await writer.send(told(due="2026-12-24T01:00:00Z", closed_at="2026-12-24", order="7", amount="1.5", won="false"))
    due, closed, order, amount, won = bank.ask('SELECT due, closed_at, "order", amount, won FROM deals')[0]
    assert (str(due), str(closed)[:19]) == ("2026-12-23", "2026-12-24 03:00:00")
    assert (order, float(amount), won) == (7, 1.5, 0)


async def test_a_structure_in_a_text_is_written_as_json(bank: Bank) -> None:
    writer = Writer(bank)
    await writer.send(told(name=["Ação", 1]))
    assert writer.names() == [("deal:65", '["Ação", 1]', 0)]


# How databases refuse


async def failure(target: Database, content: JsonObject) -> DeliveryFailure:
    """Return how sending fails, having seen to it that nothing of it tells the password."""
    with pytest.raises(DeliveryFailure) as caught:
        await target.send(Message(DELIVERY, "deal:65", content), KnownLinks(), Client())
    said = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert not any(secret in said for secret in secrets_in(target.options))
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    return caught.value


@pytest.mark.parametrize(
    ("change", "kind", "reason"),
    [
        (("%4042", "wrong"), AccessRefused, "password authentication failed"),
        (("/bi", "/nowhere"), AccessRefused, "nowhere"),
        (("bridge:", "stranger:"), AccessRefused, "28P01"),
    ],
)
async def test_no_login_pauses_the_target(
    elephant: Bank, change: tuple[str, str], kind: type[DeliveryFailure], reason: str
) -> None:
    found = await failure(Database("bi", options(elephant.url.replace(*change))), told(name="a"))
    assert isinstance(found, kind)
    assert reason in found.reason


async def test_no_right_to_write_pauses_the_target(elephant: Bank) -> None:
    elephant.ask(
        'CREATE TABLE deals ("key" TEXT PRIMARY KEY, "version" TIMESTAMPTZ, deleted_at TIMESTAMPTZ, "name" TEXT)'
    )
    target = Database("bi", options(elephant.url, tables={"deals": {"columns": {"name": "text"}}}))
    found = await failure(target, told(name="a"))
    assert isinstance(found, AccessRefused)
    assert "42501" in found.reason


async def test_a_column_that_is_too_short_is_a_permanent_failure(elephant: Bank) -> None:
    writer = Writer(elephant)
    await writer.send(told(name="a"))
    elephant.ask('ALTER TABLE deals ALTER "name" TYPE VARCHAR(3)')
    found = await failure(writer.target, told(LATER, name="too long"))
    assert isinstance(found, PermanentFailure)
    assert "22001" in found.reason


async def test_a_table_that_goes_away_is_a_permanent_failure(bank: Bank) -> None:
    writer = Writer(bank)
    await writer.send(told(name="a"))
    bank.ask("DROP TABLE deals")
    assert isinstance(await failure(writer.target, told(LATER, name="b")), PermanentFailure)


async def test_a_row_that_somebody_holds_is_worth_another_try(elephant: Bank, postgres_server: Postgres) -> None:
    writer = Writer(elephant, timeout=0.5)
    await writer.send(told(name="a"))
    async with holding(postgres_server, "SELECT * FROM deals FOR UPDATE"):
        found = await failure(writer.target, told(LATER, name="b"))
    assert (type(found), found.reason) == (TransientFailure, "no answer in time")
    await writer.send(told(LATER, name="b"))
    assert writer.names() == [("deal:65", "b", False)]


@asynccontextmanager
async def holding(server: Postgres, sql: str) -> AsyncIterator[None]:
    import asyncpg  # noqa: PLC0415

    connection = await asyncpg.connect(host=str(server.home), port=server.port, user="postgres", database="bi")
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(sql)
    yield
    await transaction.rollback()
    await connection.close()


async def test_a_file_that_somebody_writes_to_is_worth_another_try_and_blocks_nobody(tmp_path: Path) -> None:
    bank = sqlite_bank(tmp_path / "bi.db")
    writer = Writer(bank, timeout=4)
    await writer.send(told(name="a"))
    import sqlite3  # noqa: PLC0415

    other = sqlite3.connect(tmp_path / "bi.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    loop = asyncio.get_running_loop()
    turns = 0

    def turn() -> None:
        nonlocal turns
        turns += 1
        loop.call_later(0.01, turn)

    loop.call_soon(turn)
    found = await failure(writer.target, told(LATER, name="b"))
    other.rollback()
    other.close()
    assert isinstance(found, TransientFailure)
    assert "SQLITE_BUSY" in found.reason
    assert turns > 20


@pytest.mark.parametrize("what", ["no folder", "no database", "read-only"])
async def test_a_file_that_cannot_be_used_pauses_the_target(tmp_path: Path, what: str) -> None:
    file = tmp_path / ("none/bi.db" if what == "no folder" else "bi.db")
    if what == "no database":
        file.write_text("no database " * 100)
    elif what == "read-only":
        await Writer(sqlite_bank(file)).send(told(name="a"))
        file = Path(f"{tmp_path}/bi.db")
        bank = sqlite_bank(file)
        bank.ask("CREATE TRIGGER never BEFORE UPDATE ON deals BEGIN SELECT RAISE(ABORT, 'no'); END")
        assert isinstance(await failure(Database("bi", options(bank.url)), told(LATER, name="b")), PermanentFailure)
        return
    before = {*threading.enumerate()}
    assert isinstance(await failure(Database("bi", options(f"sqlite:///{file}")), told(name="a")), AccessRefused)
    for thread in {*threading.enumerate()} - before:  # the driver's own answers once more, and fails without a loop
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, 5)


async def test_nobody_listening_is_safe_to_try_again(unused_tcp_port: int) -> None:
    for scheme in ("postgresql", "mysql"):
        found = await failure(
            Database("bi", options(f"{scheme}://bridge:hush-hush@127.0.0.1:{unused_tcp_port}/bi")), told(name="a")
        )
        assert isinstance(found, TransientFailure), found
        assert "hush" not in found.reason


async def test_a_name_that_nobody_has_is_safe_to_try_again() -> None:
    for scheme in ("postgresql", "mysql"):
        found = await failure(Database("bi", options(f"{scheme}://bridge:hush-hush@nobody.invalid/bi")), told(name="a"))
        assert isinstance(found, TransientFailure), found


@asynccontextmanager
async def server(*said: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, bytearray]]:
    """Answer what comes with these words, one by one, then no more; return the port, and what comes."""
    heard = bytearray()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())  # type: ignore[arg-type]
        try:
            for word in said:
                heard.extend(await reader.read(1024))
                writer.write(word)
            if tls:
                await writer.start_tls(tls)
            while more := await reader.read(1024):
                heard.extend(more)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1], heard
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    async with server() as (port, _):
        target = Database("bi", options(f"postgresql://bridge:hush-hush@127.0.0.1:{port}/bi", timeout=0.3))
        found = await failure(target, told(name="a"))
    assert (type(found), found.reason) == (TransientFailure, "no answer in time")


async def test_cancelling_hangs_up_and_is_no_failure() -> None:
    async with server() as (port, heard):
        target = Database("bi", options(f"postgresql://bridge:hush-hush@127.0.0.1:{port}/bi"))
        attempt = asyncio.create_task(target.send(Message(DELIVERY, "deal:65", told(name="a")), KnownLinks(), Client()))
        while not heard:
            await asyncio.sleep(0.01)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt


async def test_a_server_that_cannot_encrypt_gets_no_password(elephant: Bank) -> None:
    found = await failure(Database("bi", options(elephant.url, tls="verify")), told(name="a"))
    assert isinstance(found, AccessRefused)
    assert "cannot encrypt" in found.reason


async def test_a_certificate_that_is_not_trusted_ends_the_connection_before_the_password(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    told_of = {}
    ways: dict[str, dict[str, Any]] = {
        "unknown": {"tls": "verify"},
        "known": {"tls": "verify", "ca_file": str(tmp_path / "ca.pem")},
        "unverified": {"tls": "unverified"},
    }
    for name, more in ways.items():
        async with server(b"S", tls=context) as (port, heard):
            url = f"postgresql://bridge:hush-hush@127.0.0.1:{port}/bi"
            told_of[name] = (await failure(Database("bi", options(url, timeout=1, **more)), told(name="a"))).reason
            assert (b"bridge" in heard) is (name != "unknown")
    assert "certificate of the host is not trusted" in told_of["unknown"]
    assert told_of["known"] == told_of["unverified"] == "no answer in time"


class StateError(Exception):
    """An error as drivers raise it."""

    def __init__(self, state: str) -> None:
        super().__init__("as it says")
        self.sqlstate = state


@pytest.mark.parametrize(
    ("states", "kind"),
    [
        ("08000 08006 40001 40P01 53100 53300 55P03 57P01 57P02 57P03", TransientFailure),
        ("28000 28P01 3D000 42501", AccessRefused),
        ("22001 22P02 23502 23505 42703 42P01 55000 XX000", PermanentFailure),
    ],
)
def test_every_state_has_its_meaning(states: str, kind: type[DeliveryFailure]) -> None:
    for state in states.split():
        assert type(sorted_failure(StateError(state), left=False)) is kind, state


@pytest.mark.parametrize(
    ("state", "kind"), [("57P01", UnknownOutcome), ("08006", UnknownOutcome), ("40001", TransientFailure)]
)
def test_a_connection_that_is_lost_at_the_commit_leaves_the_outcome_unknown(
    state: str, kind: type[DeliveryFailure]
) -> None:
    assert type(sorted_failure(StateError(state), left=True)) is kind
    assert type(sorted_failure(ConnectionResetError(), left=True)) is UnknownOutcome


def test_every_number_of_mysql_has_its_meaning() -> None:
    from asyncmy.errors import OperationalError  # noqa: PLC0415

    for numbers, kind in (
        (MYSQL_LATER, TransientFailure),
        (MYSQL_NOT_US, AccessRefused),
        ({1054, 1146}, PermanentFailure),
    ):
        for number in numbers:
            assert type(sorted_failure(OperationalError(number, "as it says"), left=False)) is kind, number
    lost = OperationalError(2013, "Lost connection")
    assert type(sorted_failure(lost, left=False)) is TransientFailure
    assert type(sorted_failure(lost, left=True)) is UnknownOutcome


# What the rules may say


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://hush@db.example",
        "postgresql://hush@/bi",
        "postgresql:///bi?host=relative&hush=1",
        "postgresql://hush@db.example/bi?sslmode=disable",
        "postgresql+psycopg2://hush@db.example/bi",
        "mysql://hush@db.example/bi?host=/run/hush",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite://hush/bi",
        "sqlite:////bi.db?mode=hush",
        "oracle://hush@db.example/bi",
        "hush",
    ],
)
def test_an_address_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValidationError, match="must be postgresql://") as caught:
        options(url)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "tls"),
    [
        ("postgresql://a:b@db.example/bi", "verify"),
        ("postgres://a:b@10.0.0.9:5433/bi", "verify"),
        ("mariadb://a:b@db.example/bi", "verify"),
        ("postgresql://a@localhost/bi", "off"),
        ("postgresql://a@/bi?host=/run/postgresql", "off"),
        ("mysql://a@/bi?unix_socket=/run/mysqld.sock", "off"),
        ("sqlite:////data/bi.db", "off"),
    ],
)
def test_what_leaves_the_machine_is_encrypted_unless_the_rules_say_otherwise(url: str, tls: str) -> None:
    assert options(url).secured == tls
    assert options(url, tls="off").secured == "off"


@pytest.mark.usefixtures("elephant")
async def test_a_socket_is_a_way_in(postgres_server: Postgres) -> None:
    url = f"postgresql://bridge@:{postgres_server.port}/bi?host={postgres_server.home}"
    assert await Database("bi", options(url)).probe(Client()) == "writes to deals in PostgreSQL at this machine/bi"


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_driver_that_is_not_installed_is_told(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ValidationError, match=r'install "bridge\[(postgres|mysql)\]"') as caught:
        options(f"{kind}://hush@db.example/bi")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"tables": {}}, "at least 1"),
        ({"tables": {"deals": {"columns": {}}}}, "at least 1"),
        ({"tables": {'de"als': {"columns": {"a": "text"}}}}, "pattern"),
        ({"tables": {"a.b.c": {"columns": {"a": "text"}}}}, "pattern"),
        ({"tables": {"deals": {"columns": {"a; b": "text"}}}}, "pattern"),
        ({"tables": {"deals": {"columns": {"a": "blob"}}}}, "text"),
        ({"tables": {"deals": {"columns": {"ã" * 40: "text"}}}}, "63 bytes"),
        ({"tables": {"deals": {"columns": {"KEY": "text"}}}}, 'two columns "key"'),
        ({"tables": {"deals": {"columns": {"event_id": "text"}, "history": "h"}}}, 'two columns "event_id"'),
        ({"tables": {"deals": {"columns": {"a": "text"}, "history": "DEALS"}}}, "the same name"),
        ({"ca_file": "/nowhere.pem"}, "PEM"),
        ({"ca_file": ssl.get_default_verify_paths().openssl_cafile, "tls": "off"}, "ca_file|PEM"),
    ],
)
def test_options_that_make_no_sense_are_refused(more: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        options("postgresql://a:b@db.example/bi", **more)


@pytest.mark.parametrize("content", [{"table": "deals"}, {"table": "deals", "row": {}}, {"row": {"a": 1}}])
def test_an_entry_that_says_nothing_is_refused(content: JsonObject) -> None:
    with pytest.raises(ValidationError):
        Database.Action.model_validate(content)


def test_an_entry_for_what_the_target_does_not_have_is_warned_of() -> None:
    target = Database("bi", options("postgresql://a:b@db.example/bi"))
    assert target.warnings({"table": "others", "row": {}}) == ('the target has no table "others"',)
    assert target.warnings({"table": "deals", "row": {"colour": 1, "name": 2}}) == (
        'the table "deals" has no column "colour"',
    )
    assert target.warnings({"table": "{{ deal.id }}", "row": {"colour": 1}}) == ()


def test_the_password_is_a_secret_of_its_own() -> None:
    target = Database("bi", options("postgresql://bridge:hush%2Fhush@db.example/bi"))
    assert target.redactor.redacted("got hush/hush and hush%2Fhush") == "got *** and ***"


def test_a_stand_in_is_taken_for_an_address() -> None:
    assert options(StandIns.value("BI_URL")).url != Secret("")


def test_an_entry_tells_how_new_it_is_without_saying_so() -> None:
    assert Database.prepare({"table": "deals"}) == {
        "table": "deals",
        "version": "{{ event.version }}",
        "event_id": "{{ event.id }}",
    }
    assert Database.prepare({"table": "deals"}, gathered=True) == {"table": "deals", "version": "{{ now }}"}
    assert Database.prepare({"version": "2026-12-24"})["version"] == "2026-12-24"


def test_a_preview_shows_a_deletion() -> None:
    target = Database("bi", options("postgresql://a:b@db.example/bi"))
    assert target.preview(told(delete=True, name=None)) == f"deals · {FIRST} · deleted\nname: "


# What MySQL is sent; its server is no part of any registry of packages


def statement(dialect: Dialect, *, delete: bool = False, history: bool = False) -> str:
    declared = TableOptions.model_validate({"columns": {"name": "text"}, "history": "past"})
    pair = tables({"deals": declared})["deals"]
    row = Row("deal:65", moment(FIRST, None), {"name": "a"}, delete, "evt_1")  # type: ignore[arg-type]
    made = record("mysql", pair.all[1], declared, row) if history else upsert("mysql", pair.current, declared, row)
    return " ".join(str(made.compile(dialect=dialect)).split())


def mysql_dialect(*, mariadb: bool) -> Dialect:
    dialect = mysql.dialect(is_mariadb=mariadb)
    dialect.server_version_info = (10, 11, 0) if mariadb else (8, 4, 0)
    dialect._requires_alias_for_on_duplicate_key = not mariadb  # as it sees for itself where there is a server
    return dialect


def test_mysql_compares_before_it_assigns_what_is_compared() -> None:
    newer = (
        "`deals`.`version` IS NULL OR `deals`.`version` < new.`version` "
        "OR `deals`.`version` = new.`version` AND `deals`.`deleted_at` IS NULL"
    )
    assigned = (
        f"`{name}` = CASE WHEN ({newer}) THEN new.`{name}` ELSE `deals`.`{name}` END"
        for name in ("name", "deleted_at", "version")
    )
    head, _, tail = statement(mysql_dialect(mariadb=False)).partition(" AS new ON DUPLICATE KEY UPDATE ")
    assert head == "INSERT INTO `deals` (`key`, `version`, `deleted_at`, `name`) VALUES (%s, %s, %s, %s)"
    assert tail == ", ".join(assigned)


def test_mariadb_is_told_the_same_in_its_own_words() -> None:
    said = statement(mysql_dialect(mariadb=True))
    assert "AS new" not in said
    assert said.endswith("THEN VALUES(`version`) ELSE `deals`.`version` END")


def test_mysql_adds_to_a_history_what_it_has_not_and_hides_no_other_mistake() -> None:
    said = statement(mysql_dialect(mariadb=False), history=True)
    assert "IGNORE" not in said
    assert said.endswith("ON DUPLICATE KEY UPDATE `event_id` = `past`.`event_id`")


# Whatever the CRM sends


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_whatever_a_text_or_a_structure_holds_is_stored(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if kind == "sqlite":
        await _store_anything(Writer(sqlite_bank(tmp_path / "bi.db")))
    else:
        await _store_anything(Writer(postgres_bank(request.getfixturevalue("postgres_server"))))


async def _store_anything(writer: Writer) -> None:
    loop = asyncio.get_running_loop()

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(text=VALUES, structure=VALUES, key=st.text(min_size=1, max_size=40))
    def hold(text: Any, structure: Any, key: str) -> None:
        content = told(name=text, products=structure)
        asyncio.run_coroutine_threadsafe(writer.send(content, key), loop).result(10)

    await asyncio.to_thread(hold)
    assert writer.rows() > 0
