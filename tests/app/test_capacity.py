"""Capacity: every limit is seen, told once, and left only when there is clearly room again."""

from pathlib import Path
from unittest.mock import AsyncMock, Mock

import pytest
from structlog.testing import capture_logs

from bridge import telemetry
from bridge.app.capacity import Capacity, Room
from bridge.errors import StoreUnavailableError
from bridge.model import DeliveryState
from bridge.store.base import Store
from bridge.store.nouns import Backlog
from bridge.store.sqlite.store import SqliteStore
from tests.contracts.store_steps import an_event
from tests.support.clock import ManualClock

MIB = 2**20
ROOM = Room(backlog=100, store=200 * MIB, reserve=64 * MIB)


class Measured(Capacity):
    """A capacity whose measures are set by hand."""

    def __init__(self, store: Store, folder: Path, clock: ManualClock, room: Room = ROOM) -> None:
        self.free, self.seen = 1000 * MIB, Backlog()
        super().__init__(store, folder, room, clock, lambda _: self.free)
        self.counting = AsyncMock(side_effect=lambda: self.seen)
        self.store_writable, self.told = AsyncMock(), Mock()
        store.backlog = self.counting  # type: ignore[method-assign]
        store.writable = self.store_writable  # type: ignore[method-assign]
        store.economise = self.told  # type: ignore[method-assign]

    async def at(self, *, waiting: int = 0, size: int = 0, free: int = 1000 * MIB) -> str | None:
        """Look, and return the limit that is reached."""
        self.free, parked = free, {("sales", DeliveryState.PARKED): waiting // 2, ("sales", DeliveryState.DEAD): 10_000}
        self.seen = Backlog(events_received=waiting - waiting // 2, deliveries=parked, size=size)
        await self.look()
        return self.shortage and self.shortage.limit


@pytest.fixture
def capacity(store: Store, tmp_path: Path, clock: ManualClock) -> Measured:
    return Measured(store, tmp_path, clock)


async def test_where_there_is_room_nothing_is_told(capacity: Measured) -> None:
    with capture_logs() as lines:
        assert await capacity.at(waiting=99, size=199 * MIB, free=64 * MIB) is None
    assert (capacity.unready, lines) == (None, [])


@pytest.mark.parametrize(
    ("limit", "measure", "reached", "nearly", "room", "reason"),
    [
        ("backlog", "waiting", 100, 91, 89, "the backlog has reached its limit: 100 of 100 wait"),
        ("store", "size", 200 * MIB, 191 * MIB, 189 * MIB, "the store has reached its limit: 200.0 MiB of 200.0 MiB"),
        ("disk", "free", 63 * MIB, 79 * MIB, 80 * MIB, "the disk is nearly full: 63.0 MiB free, 64.0 MiB is kept back"),
    ],
)
async def test_a_limit_holds_until_there_is_clearly_room_again(
    capacity: Measured, *, limit: str, measure: str, reached: int, nearly: int, room: int, reason: str
) -> None:
    with capture_logs() as lines:
        assert await capacity.at(**{measure: nearly}) is None
        assert await capacity.at(**{measure: reached}) == limit
        assert capacity.unready == reason
        assert await capacity.at(**{measure: nearly}) == limit
        assert await capacity.at(**{measure: room}) is None
    told = [(line["event"], line["limit"], line.get("reason")) for line in lines]
    assert told == [("no room", limit, reason), ("room again", limit, None)]
    assert telemetry.REGISTRY.get_sample_value("bridge_no_room", {"limit": limit}) == 0
    assert capacity.unready is None


async def test_the_next_limit_is_told_when_the_first_is_left(capacity: Measured) -> None:
    with capture_logs() as lines:
        assert await capacity.at(waiting=100, free=0) == "disk"
        assert await capacity.at(waiting=100) == "backlog"
    assert [line["event"] for line in lines] == ["no room", "room again", "no room"]


async def test_without_a_limit_the_store_may_be_as_large_as_the_disk(
    store: Store, tmp_path: Path, clock: ManualClock
) -> None:
    capacity = Measured(store, tmp_path, clock, Room(backlog=100, store=None, reserve=MIB))
    assert await capacity.at(size=2**50) is None


async def test_dead_letters_are_no_backlog(capacity: Measured) -> None:
    assert await capacity.at(waiting=0) is None
    assert capacity.backlog.deliveries_dead == 10_000


async def test_what_cannot_be_counted_is_told_and_is_no_shortage(capacity: Measured) -> None:
    await capacity.at(waiting=5)
    capacity.counting.side_effect = StoreUnavailableError("the volume is gone")
    await capacity.look()
    told = [(capacity.unready, capacity.shortage)]
    assert capacity.backlog.events_received == 3, "what was known last"
    capacity.counting.side_effect = lambda: capacity.seen
    await capacity.look()
    told.append((capacity.unready, capacity.shortage))
    assert told == [("the volume is gone", None), (None, None)]


async def test_what_cannot_be_written_is_told_though_there_is_room(capacity: Measured) -> None:
    refusal = capacity.store_writable
    refusal.side_effect = StoreUnavailableError("the file is locked")
    with capture_logs() as lines:
        assert await capacity.at(waiting=5) is None
        assert await capacity.at(waiting=5) is None
    assert [line["event"] for line in lines] == ["store unavailable"]
    assert (capacity.unready, capacity.no_room) == ("the file is locked", "the file is locked")
    refusal.side_effect = None
    assert await capacity.at(waiting=5) is None
    assert capacity.unready is None


async def test_nobody_is_made_to_wait_for_a_disk_that_hangs(
    capacity: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    await capacity.at()
    told = [capacity.turns_away]
    monkeypatch.setattr(SqliteStore, "hangs", True)
    told.append(capacity.turns_away)
    await capacity.at(waiting=100)
    told.append(capacity.turns_away)
    monkeypatch.undo()
    await capacity.at()
    assert [*told, capacity.turns_away] == [None, "hang", "backlog", None]


async def test_a_folder_that_is_gone_is_told(store: Store, tmp_path: Path, clock: ManualClock) -> None:
    capacity = Capacity(store, tmp_path / "gone", ROOM, clock)
    await capacity.look()
    assert capacity.unready == f"the data directory {tmp_path / 'gone'} cannot be used: No such file or directory"


async def test_the_store_hears_whether_the_disk_has_room(capacity: Measured) -> None:
    heard = []
    for free in (1000, 63, 79, 80):
        await capacity.at(free=free * MIB)
        heard.append(capacity.told.call_args.kwargs["room"])
    assert heard == [True, False, False, True]


async def test_what_was_seen_long_ago_is_not_known(capacity: Measured, clock: ManualClock) -> None:
    told = [capacity.unready]
    await capacity.look()
    told.append(capacity.unready)
    clock.advance(seconds=16)
    told.append(capacity.unready)
    assert capacity.no_room is None, "webhooks may be stored all the same"
    assert told == ["the store has not answered for a while", None, "the store has not answered for a while"]


async def test_the_store_and_the_disk_are_really_measured(store: Store, tmp_path: Path, clock: ManualClock) -> None:
    await store.add(an_event(clock))
    capacity = Capacity(store, tmp_path, Room(backlog=1, store=None, reserve=1), clock)
    await capacity.look()
    assert capacity.shortage is not None
    assert capacity.shortage.limit == "backlog"
    for name in ("bridge_store_bytes", "bridge_disk_free_bytes"):
        assert (telemetry.REGISTRY.get_sample_value(name) or 0) > 10_000
