"""The simulated CRM as a whole: time, and what is true of it."""

import asyncio
from datetime import timedelta

import pytest

from bridge.errors import SettingsError
from bridge.simulator import Simulator
from bridge.simulator.telling import Note
from tests.support.crm import START, CrmClient, simulated

HOUR = timedelta(hours=1)


async def test_time_stands_still_until_it_is_moved(crm: Simulator) -> None:
    notes: list[Note] = []
    crm._tell = notes.append
    await asyncio.sleep(0.1)
    assert crm.clock.now() == START
    await crm.advance(HOUR)
    assert crm.clock.now() == START + HOUR
    assert 300 < len(notes) < 1200, "600 events an hour"


async def test_events_come_as_often_as_they_are_to() -> None:
    notes: list[Note] = []
    async with simulated(notes, events_per_hour=6000) as crm:
        await crm.advance(HOUR / 10)
    assert 450 < len(notes) < 750


async def test_it_runs_by_itself_as_fast_as_it_is_to() -> None:
    async with simulated(speed=600.0) as crm:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(crm.run(), 0.5)
        assert timedelta(minutes=3) < crm.clock.now() - START < timedelta(minutes=30)


async def test_it_knows_what_was_won_and_lost_and_what_became_of_everything() -> None:
    async with simulated(events_per_hour=3000) as crm:
        deals = [deal for deal in crm.team.deals.values() if deal.status == "ongoing"]
        won, deleted = deals[0], deals[1]
        crm.team.win(won)
        crm.team.edit(won, "corrected", rating=2)
        crm.team.delete(deleted)
        truth = crm.truth()
        assert [(each.deal_id, each.name, each.status) for each in truth.closings] == [(won.id, won.name, "won")]
        assert truth.closings[0].at == won.closed_at
        assert truth.entities["deal", deleted.id] is None
        assert truth.entities["deal", won.id] == crm.team.document_of(won)
        await crm.advance(HOUR)
        truth = crm.truth()
        living = {(record.kind, record.id) for record in crm.team.records()}
        assert living == {key for key, document in truth.entities.items() if document is not None}
        assert [each.at for each in truth.closings] == sorted(each.at for each in truth.closings)


async def test_a_deal_that_is_lost_again_is_there_twice() -> None:
    async with simulated() as crm:
        deal = next(deal for deal in crm.team.deals.values() if deal.status == "ongoing")
        reason = next(iter(crm.team.lost_reasons.values()))
        crm.team.lose(deal, reason, "caro")
        crm.team.reopen(deal)
        assert (deal.closed_at, deal.lost_reason, deal.lost_note) == (None, None, None)
        crm.team.lose(deal, reason)
        assert [each.status for each in crm.truth().closings] == ["lost", "lost"]


async def test_what_was_there_before_is_not_told(crm: Simulator) -> None:
    assert crm.team.deals
    assert crm.truth().closings == ()
    assert crm.truth().tries == ()


async def test_an_address_that_is_taken_is_said_so(crm: Simulator) -> None:
    port = int(crm.url.rpartition(":")[2])
    with pytest.raises(SettingsError, match=rf"cannot listen on 127\.0\.0\.1:{port}"):
        async with Simulator(listen=("127.0.0.1", port)):
            pass


async def test_it_listens_until_it_is_left() -> None:
    async with simulated() as crm, CrmClient(crm.url) as client:
        assert (await client.v1("token/check")).status == 200
        url = crm.url
    async with CrmClient(url) as client:
        with pytest.raises(OSError, match="Cannot connect"):
            await client.v1("token/check")
