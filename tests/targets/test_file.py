import asyncio
import csv
import errno
import fcntl
import io
import json
import os
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.component import AnyTarget
from bridge.component.client import Client
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject, Message, Receipt
from bridge.options import StandIns
from bridge.targets.file import File, FileAction, FileOptions
from bridge.targets.file.lines import csv_line, ndjson, safe_name
from tests.contracts.target import DELIVERY, KnownLinks, Service, TargetContract, Trouble

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
COLUMNS = ["name", "amount"]


class Writer:
    """Writes to files in a folder as bridge does, at a moment that is set by hand."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.at = NOON
        self.target = File("sales", FileOptions.model_validate({"directory": str(folder), **options}))
        self.target.now = lambda: self.at  # type: ignore[method-assign]

    async def send(self, delivery: str = DELIVERY, file: str = "deals", **row: Any) -> Receipt:
        return await self.target.send(message(delivery, file, **row), KnownLinks(), Client())

    async def look_up(self, delivery: str = DELIVERY, since: datetime = NOON) -> Receipt | None:
        return await self.target.look_up(message(delivery, name="a"), since, KnownLinks(), Client())

    @property
    def files(self) -> dict[str, str]:
        return {path.name: path.read_bytes().decode() for path in sorted(self.folder.iterdir())}

    def ids(self) -> list[str]:
        return [json.loads(line)["delivery_id"] for text in self.files.values() for line in text.splitlines()]


def message(delivery: str = DELIVERY, file: str = "deals", **row: Any) -> Message:
    return Message(delivery, "deal:65", {"file": file, "row": row or {"name": "a"}})


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(tmp_path)


@pytest.fixture
def sheet(tmp_path: Path) -> Writer:
    return Writer(tmp_path, format="csv", columns=COLUMNS)


class Disk:
    """A disk that has no room beyond the first bytes of a line, or that hangs while it writes, until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.patch = monkeypatch
        self.hangs = asyncio.Event()
        self.go_on = threading.Event()

    def fill(self, number: int = errno.ENOSPC) -> None:
        real, left = os.pwrite, [5]

        def full(handle: int, data: bytes, at: int) -> int:
            if not left:
                raise OSError(number, os.strerror(number))
            return real(handle, data[: left.pop()], at)

        self.patch.setattr(os, "pwrite", full)

    def hang(self) -> None:
        real, loop = os.fsync, asyncio.get_running_loop()

        def hanging(handle: int) -> None:
            loop.call_soon_threadsafe(self.hangs.set)
            self.go_on.wait(10)
            real(handle)

        self.patch.setattr("bridge.targets.file.appending.os.fsync", hanging)


class TestContract(TargetContract):
    type_name = "file"
    content: ClassVar[JsonObject] = {"file": "deals", "row": {"name": "Padaria Estrela"}}
    seen_by_people = '"name":"Padaria Estrela"'
    spared: ClassVar[Mapping[Trouble, str]] = {
        Trouble.NOBODY: "a folder that is not there is for a person to see to, as one that is shut",
        Trouble.BROKEN: "what is written in part is taken back",
    }

    @pytest.fixture(autouse=True)
    def _places(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.patch = tmp_path / "exports", monkeypatch

    def build(self, url: str, timeout: float = 15) -> AnyTarget:
        return File("sales", FileOptions(directory="/data"))

    @asynccontextmanager
    async def facing(self, trouble: Trouble | None, seconds: float) -> AsyncIterator[Service]:
        options = {"columns": ["colour"]} if trouble is Trouble.NEVER else {}
        writer = Writer(self.folder, timeout=seconds, **options)
        if trouble is not Trouble.SHUT:
            self.folder.mkdir()
        with self.patch.context() as patch:
            disk = Disk(patch)
            if trouble is Trouble.LATER:
                disk.fill()
            elif trouble is Trouble.SILENT:
                disk.hang()
            yield Service(writer.target, disk.hangs, lambda: "".join(writer.files.values()))
            disk.go_on.set()

    def filled(self, text: str) -> JsonObject:
        return {"file": "deals", "row": {"name": text}}


# Lines


async def test_a_message_is_a_line_of_the_file_of_the_day(writer: Writer) -> None:
    receipt = await writer.send("dlv_1", name="Pão & Cia\n", products=[{"price": 1.5}])
    assert receipt.excerpt == "written to deals-2026-11-24.ndjson"
    assert writer.files == {
        "deals-2026-11-24.ndjson": '{"delivery_id":"dlv_1","key":"deal:65","name":"Pão & Cia\\n",'
        '"products":[{"price":1.5}]}\n'
    }


async def test_columns_give_every_line_the_same_names_in_the_same_order(tmp_path: Path) -> None:
    writer = Writer(tmp_path, columns=COLUMNS)
    await writer.send("dlv_1", amount=1)
    assert '"name":null,"amount":1}' in writer.files["deals-2026-11-24.ndjson"]


async def test_csv_begins_with_its_columns_and_is_read_back_as_it_was(sheet: Writer) -> None:
    await sheet.send("dlv_1", name='a "b", c\r\nd', amount=-1.5)
    await sheet.send("dlv_2", name=None, amount=True)
    text = sheet.files["deals-2026-11-24.csv"]
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["delivery_id", "key", "name", "amount"],
        ["dlv_1", "deal:65", 'a "b", c\nd', "-1.5"],
        ["dlv_2", "deal:65", "", "true"],
    ]


@pytest.mark.parametrize("formula", ["=1+1", "+cmd|' /C calc'!A0", "-x", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])  # noqa: RUF001
async def test_a_formula_in_data_is_text(sheet: Writer, formula: str) -> None:
    await sheet.send("dlv_1", name=formula)
    cells = list(csv.reader(io.StringIO(sheet.files["deals-2026-11-24.csv"], newline="")))[1]
    assert cells[2].startswith("'")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    "text", ["a{}=1+1", 'a"{}@SUM(A1)', "a\n=1{}b", 'a{}"=1+1', "a{}-x", ["a{}=1+1"], {"a": "{}+x"}]
)
async def test_no_cell_is_a_formula_whatever_a_spreadsheet_separates_cells_by(
    sheet: Writer, text: Any, separator: str
) -> None:
    await sheet.send("dlv_1", name=json.loads(json.dumps(text).replace("{}", json.dumps(separator)[1:-1])))
    written = sheet.files["deals-2026-11-24.csv"]
    for line in written.replace("\r\n", "\n").split("\n"):
        assert not any(cell.strip('"').startswith(("=", "@", "+", "-")) for cell in line.split(separator))


@pytest.mark.parametrize("harmless", ["-5", "+5511999990000", "-1.5", "a=1", "", "de 5;-5", "a - b, c = d", "x, =1"])
async def test_what_is_a_number_or_no_formula_stays(sheet: Writer, harmless: str) -> None:
    await sheet.send("dlv_1", name=harmless)
    assert list(csv.reader(io.StringIO(sheet.files["deals-2026-11-24.csv"])))[1][2] == harmless


async def test_formulas_are_kept_where_one_wants_them(tmp_path: Path) -> None:
    writer = Writer(tmp_path, format="csv", columns=COLUMNS, formulas="keep")
    await writer.send("dlv_1", name="=1+1")
    assert ",=1+1," in writer.files["deals-2026-11-24.csv"]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1), VALUES, min_size=1, max_size=4), st.text())
def test_whatever_data_holds_is_one_line_of_ndjson(row: dict[str, Any], key: str) -> None:
    line = ndjson("dlv_1", key, row, None)
    assert line.count(b"\n") == 1
    assert json.loads(line)


@given(st.lists(VALUES, min_size=2, max_size=2), st.text())
def test_whatever_data_holds_is_one_record_of_csv(values: list[Any], key: str) -> None:
    line = csv_line("dlv_1", key, dict(zip(COLUMNS, values, strict=True)), COLUMNS, inert=True)
    assert line.count(b"\r\n") == 1
    assert [len(record) for record in csv.reader(io.StringIO(line.decode(), newline=""))] == [4]


# Files


async def test_a_new_day_begins_a_new_file_in_the_time_zone(writer: Writer) -> None:
    await writer.send("dlv_1")
    writer.at += timedelta(days=1)
    await writer.send("dlv_2")
    assert list(writer.files) == ["deals-2026-11-24.ndjson", "deals-2026-11-25.ndjson"]
    assert File("bi", FileOptions(directory="/data", timezone="Asia/Tokyo")).now().tzname() == "JST"


@pytest.mark.parametrize(("rotate", "name"), [("month", "deals-2026-11.ndjson"), ("never", "deals.ndjson")])
async def test_files_are_begun_as_seldom_as_wanted(tmp_path: Path, rotate: str, name: str) -> None:
    writer = Writer(tmp_path, rotate=rotate)
    await writer.send("dlv_1")
    assert list(writer.files) == [name]


async def test_a_file_that_is_full_is_followed_by_the_next_and_never_cut(tmp_path: Path) -> None:
    writer = Writer(tmp_path, max_size="1 kB", rotate="never")
    for number in range(20):
        await writer.send(f"dlv_{number:02}", name="x" * 100)
    assert list(writer.files) == ["deals.2.ndjson", "deals.3.ndjson", "deals.4.ndjson", "deals.ndjson"]
    assert all(len(text) <= 1000 for text in writer.files.values())
    before = writer.files["deals.ndjson"]
    await writer.send("dlv_20", name="short")
    assert writer.files["deals.ndjson"] == before, "who loads it has done so already"
    assert sorted(writer.ids()) == [f"dlv_{number:02}" for number in range(21)]


async def test_a_line_that_is_larger_than_a_file_may_be_has_one_of_its_own(tmp_path: Path) -> None:
    writer = Writer(tmp_path, max_size="1 kB", format="csv", columns=["name"])
    for number in range(2):
        await writer.send(f"dlv_{number}", name="x" * 2000)
    assert len(writer.files) == 2
    assert all(text.startswith("delivery_id,key,name\r\n") for text in writer.files.values())


@pytest.mark.parametrize("name", ["../deals", "/etc/passwd", "a/b", ".deals", "", "a.b", "a\0", "_a", "x" * 101, "a\n"])
async def test_no_name_leads_out_of_the_folder(writer: Writer, name: str) -> None:
    with pytest.raises(PermanentFailure, match="does not fit"):
        await writer.send(file=name)
    assert writer.files == {}


@given(st.text(max_size=50))
def test_data_in_a_name_is_only_ever_a_name(data: str) -> None:
    named = FileAction.model_validate({"file": f"deals-{safe_name(data)}", "row": {"a": 1}})
    assert len(Path(named.file).parts) == 1


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
async def test_what_is_no_file_is_not_written_to(writer: Writer, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "deals-2026-11-24.ndjson"
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.write_text("mine")
    make: dict[str, Callable[[], object]] = {
        "link": lambda: path.symlink_to(outside),
        "pipe": lambda: os.mkfifo(path),
        "folder": path.mkdir,
    }
    make[kind]()
    with pytest.raises(AccessRefused, match="cannot be written"):
        await writer.send("dlv_1")
    assert outside.read_text() == "mine"


# Whole lines, and none twice


@pytest.mark.parametrize("torn", ['{"delivery_id":"dlv_0","ke', "x" * 3_000_000])
async def test_a_line_that_a_kill_has_torn_is_cut_off(writer: Writer, torn: str) -> None:
    await writer.send("dlv_1")
    with (writer.folder / "deals-2026-11-24.ndjson").open("a") as file:
        file.write(torn)
    await writer.send("dlv_2")
    assert writer.ids() == ["dlv_1", "dlv_2"]


@pytest.mark.parametrize("torn", ["delivery_id,ke", 'delivery_id,key,name,amount\r\ndlv_1,deal:65,"a\nb'])
async def test_a_record_of_csv_that_was_torn_within_a_cell_is_cut_off(sheet: Writer, torn: str) -> None:
    path = sheet.folder / "deals-2026-11-24.csv"
    path.write_bytes(torn.encode())
    await sheet.send("dlv_2", name="b")
    assert sheet.files[path.name] == "delivery_id,key,name,amount\r\ndlv_2,deal:65,b,\r\n"


async def test_a_line_is_found_where_it_is_and_a_torn_one_is_not(writer: Writer) -> None:
    assert await writer.look_up("dlv_1") is None
    await writer.send("dlv_1")
    found = await writer.look_up("dlv_1")
    assert found is not None
    assert found.excerpt == "is in deals-2026-11-24.ndjson"
    assert await writer.look_up("dlv_") is None
    path = writer.folder / "deals-2026-11-24.ndjson"
    path.write_text(path.read_text().rstrip("\n"))
    assert await writer.look_up("dlv_1") is None


async def test_what_data_says_is_no_line(writer: Writer, sheet: Writer) -> None:
    await writer.send("dlv_1", name='\n{"delivery_id":"dlv_9",')
    await sheet.send("dlv_1", name="a\ndlv_9,x")
    assert await writer.look_up("dlv_9") is None
    assert await sheet.look_up("dlv_9") is None


async def test_a_line_is_found_beyond_midnight_in_large_files_and_in_all_parts(tmp_path: Path) -> None:
    writer = Writer(tmp_path, max_size="900 kB")
    writer.at = NOON + timedelta(hours=15)
    for number in range(5):
        await writer.send(f"dlv_{number}", name="x" * 400_000)
    writer.at += timedelta(days=2)
    for number in range(5):
        assert await writer.look_up(f"dlv_{number}", NOON) is not None
    assert await writer.look_up("dlv_5", NOON) is None


async def test_csv_is_looked_through_too(sheet: Writer) -> None:
    await sheet.send("dlv_1", name="a")
    assert await sheet.look_up("dlv_1") is not None
    assert sheet.target.never_doubles


async def test_many_at_once_are_all_there_and_whole(tmp_path: Path) -> None:
    writers = [Writer(tmp_path, max_size="2 kB") for _ in range(3)]
    await asyncio.gather(*(writers[n % 3].send(f"dlv_{n:03}", name="x" * 50) for n in range(90)))
    assert sorted(writers[0].ids()) == [f"dlv_{n:03}" for n in range(90)]


async def test_a_line_is_on_the_disk_before_it_is_delivered(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real = os.fsync

    def noted(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        real(handle)

    monkeypatch.setattr(os, "fsync", noted)
    await writer.send("dlv_1")
    await writer.send("dlv_2")
    assert synced == ["deals-2026-11-24.ndjson", writer.folder.name, "deals-2026-11-24.ndjson"]


# How disks refuse


async def failure(writer: Writer, delivery: str = "dlv_2") -> DeliveryFailure:
    with pytest.raises(DeliveryFailure) as caught:
        await writer.send(delivery)
    return caught.value


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
async def test_what_a_full_disk_takes_in_part_is_taken_back(
    writer: Writer, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    await writer.send("dlv_1")
    with monkeypatch.context() as patch:
        Disk(patch).fill(number)
        assert isinstance(await failure(writer), TransientFailure)
    assert writer.ids() == ["dlv_1"]
    await writer.send("dlv_2")
    assert writer.ids() == ["dlv_1", "dlv_2"]


async def test_a_folder_that_is_not_there_pauses_the_target(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "none")
    assert isinstance(await failure(writer), AccessRefused)
    with pytest.raises(AccessRefused, match="no folder"):
        await writer.target.probe(Client())


async def test_no_right_to_write_pauses_the_target(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("bridge.targets.file.appending.os.open", refuse)
    found = await failure(writer)
    assert isinstance(found, AccessRefused)
    assert "Permission denied" in found.reason


async def test_a_probe_looks_at_the_folder_and_writes_nothing(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await writer.target.probe(Client()) == f"writes to {writer.folder}"
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(AccessRefused, match="may not write"):
        await writer.target.probe(Client())
    assert writer.files == {}


@asynccontextmanager
async def held(path: Path) -> AsyncIterator[None]:
    """Hold a file, as another program that writes to it does."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


async def test_what_was_given_up_before_it_began_is_never_written(tmp_path: Path) -> None:
    writer = Writer(tmp_path, timeout=0.2)
    await writer.send("dlv_1")
    async with held(tmp_path / "deals-2026-11-24.ndjson"):
        assert isinstance(await failure(writer), TransientFailure)
    await Writer(tmp_path).send("dlv_3")
    assert writer.ids() == ["dlv_1", "dlv_3"]


async def test_what_hangs_while_it_is_written_is_looked_for_when_it_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(tmp_path, timeout=0.2)
    with monkeypatch.context() as patch:
        disk = Disk(patch)
        disk.hang()
        assert isinstance(await failure(writer), UnknownOutcome)
        with pytest.raises(TransientFailure):
            await writer.look_up("dlv_2")
        disk.go_on.set()
        assert await Writer(tmp_path).look_up("dlv_2") is not None
    assert writer.ids() == ["dlv_2"]


# What the rules may say


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"directory": "exports"}, "whole path"),
        ({"directory": "/a\0"}, "whole path"),
        ({"format": "csv"}, 'needs "columns"'),
        ({"columns": []}, "at least 1"),
        ({"columns": ["a", "a"]}, "twice"),
        ({"columns": ["key"]}, "bridge's own"),
        ({"max_size": 5}, "must be a size"),
        ({"max_size": "5 boxes"}, "must be a size"),
        ({"rotate": "hour"}, "day"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        FileOptions.model_validate({"directory": "/data", **options})


def test_a_size_has_a_unit() -> None:
    sizes = [
        FileOptions.model_validate({"directory": "/d", "max_size": each}).max_size for each in ("5kB", "2 MB", "1 GB")
    ]
    assert sizes == [5000, 2_000_000, 1_000_000_000]


async def test_what_is_no_column_is_warned_of_and_never_written(sheet: Writer) -> None:
    content: JsonObject = {"file": "deals", "row": {"colour": "red"}}
    assert sheet.target.warnings(content) == ('there is no column "colour"',)
    with pytest.raises(PermanentFailure, match='no column "colour"'):
        await sheet.send(colour="red")
    assert File("bi", FileOptions(directory="/data")).warnings(content) == ()


def test_a_stand_in_is_taken_for_a_folder() -> None:
    assert FileOptions(directory=StandIns.value("EXPORTS")).directory == "/nowhere"
