"""What keeps a batch of decisions from being written: the disk, or one of them."""

from collections.abc import Sequence
from typing import Any

import apsw
import pytest

from bridge.errors import StoreError, StoreUnavailableError
from bridge.model import Entity, EventState, RoutedEvent
from bridge.store.base import Store
from bridge.store.nouns import EventQuery
from bridge.store.sqlite import events
from tests.contracts.store_steps import an_event, decided
from tests.support.clock import ManualClock

Decide = events._decide


def failing(*errors: Exception) -> Any:
    """Return what fails so often before it decides as it should."""
    left = list(errors)

    def decide(connection: apsw.Connection, batch: Sequence[RoutedEvent], now: int) -> list[RoutedEvent]:
        if left:
            raise left.pop(0)
        return Decide(connection, batch, now)

    return decide


@pytest.mark.parametrize("before", [[], [ValueError("one of them")]])
async def test_a_full_disk_is_no_events_fault(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, before: list[Exception]
) -> None:
    event = an_event(clock)
    await store.add(event)
    monkeypatch.setattr(events, "_decide", failing(*before, apsw.FullError("disk is full")))
    with pytest.raises(StoreUnavailableError, match="disk is full"):
        await decided(store, RoutedEvent(event.id, EventState.UNMATCHED))
    assert (await store.backlog()).events_received == 1
    await decided(store, RoutedEvent(event.id, EventState.UNMATCHED))
    assert (await store.backlog()).events_received == 0


async def test_what_failed_in_company_and_succeeds_alone_is_written(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = an_event(clock)
    await store.add(event)
    monkeypatch.setattr(events, "_decide", failing(ValueError("one of them")))
    [written] = await decided(store, RoutedEvent(event.id, EventState.UNMATCHED))
    assert written.state is EventState.UNMATCHED


async def test_a_question_that_sqlite_cannot_take_is_an_error_of_the_store(store: Store) -> None:
    with pytest.raises(StoreError, match="surrogates not allowed"):
        await store.events(EventQuery(entity=Entity("deal", "\ud800")))
    assert await store.events(EventQuery()) == []
