"""Webhooks as the CRM posts them: deadline, retries, loss, duplicates, reordering, suspension, probe."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from bridge.rdstation.timestamps import instant
from bridge.simulator import Simulator
from bridge.simulator.entities import Deal
from bridge.simulator.posting import Try
from bridge.simulator.registrations import Wish
from bridge.simulator.telling import Note
from tests.support.crm import simulated
from tests.support.sink import Got, Reply, Sink

SOON = timedelta(seconds=2)
QUIET = 1e-6
"""Events an hour: the team does nothing by itself while a test acts for it."""


def still(notes: list[Note] | None = None, **settings: Any) -> Simulator:
    return simulated(notes, events_per_hour=QUIET, **settings)


def a_deal(crm: Simulator) -> Deal:
    return next(deal for deal in crm.team.deals.values() if deal.status == "ongoing")


def uuids(sink: Sink) -> list[str]:
    return [got.body["transaction_uuid"] for got in sink.got]


def tries(crm: Simulator) -> list[tuple[int, str, int | None, bool]]:
    return [(each.number, each.result, each.status, each.last) for each in crm.truth().tries]


async def test_an_event_is_posted_as_json_with_its_document(sink: Sink) -> None:
    async with still() as crm:
        crm.register_all(sink.url)
        deal = a_deal(crm)
        crm.team.win(deal)
        document = crm.team.document_of(deal)
        await crm.advance(SOON)
    [got] = sink.got
    assert (got.method, got.headers["Content-Type"]) == ("POST", "application/json")
    assert list(got.body) == ["event_name", "document", "event_timestamp", "transaction_uuid"]
    assert (got.body["event_name"], got.body["document"]) == ("crm_deal_updated", document)
    assert got.body["document"]["status"] == "won"
    announced, updated = instant(got.body["event_timestamp"]), instant(document["updated_at"])
    assert announced
    assert updated
    assert announced == updated.replace(microsecond=0)
    assert got.body["event_timestamp"].endswith(".000Z")


async def test_only_who_has_registered_for_an_event_hears_of_it(sink: Sink) -> None:
    async with still() as crm:
        crm.registry.add(Wish("crm_deal_deleted", sink.url))
        deal = a_deal(crm)
        crm.team.pause(deal)
        crm.team.delete(deal)
        await crm.advance(SOON)
    assert [got.body["document"] for got in sink.got] == [{"id": deal.id, "name": deal.name}]


async def test_the_header_that_was_registered_goes_along(sink: Sink) -> None:
    async with still() as crm:
        crm.registry.add(Wish("crm_deal_updated", sink.url, auth_header="X-Key", auth_key="s3cret"))
        crm.team.pause(a_deal(crm))
        await crm.advance(SOON)
    assert sink.got[0].headers["X-Key"] == "s3cret"


async def test_a_refused_webhook_is_tried_six_times_with_growing_waits_and_then_lost(sink: Sink) -> None:
    sink.status = 503
    async with still(retry_spacing=timedelta(minutes=1)) as crm:
        crm.register_all(sink.url)
        crm.team.win(a_deal(crm))
        await crm.advance(timedelta(minutes=30))
        assert [number for number, *_ in tries(crm)] == [1, 2, 3, 4, 5]
        await crm.advance(timedelta(hours=3))
        assert tries(crm) == [(number, "refused", 503, number == 6) for number in range(1, 7)]
        waits = [round((later.at - earlier.at).total_seconds() / 60) for earlier, later in pairwise(crm.truth().tries)]
        assert waits == [1, 2, 4, 8, 16]
        assert [each.event_name for each in crm.truth().lost] == ["crm_deal_updated"]
    assert len(set(uuids(sink))) == 1, "a retry is the same webhook"


@pytest.mark.parametrize(
    ("status", "result"), [(200, "delivered"), (204, "delivered"), (302, "refused"), (404, "refused")]
)
async def test_only_2xx_is_a_success(sink: Sink, status: int, result: str) -> None:
    sink.judge = lambda _: Reply(status, {"Location": "/elsewhere"})
    async with still(retries=0) as crm:
        crm.register_all(sink.url)
        crm.team.win(a_deal(crm))
        await crm.advance(SOON)
        assert tries(crm) == [(1, result, status, result != "delivered")]
    assert len(sink.got) == 1, "a redirect is not followed"


async def test_a_slow_answer_counts_as_none_and_the_same_uuid_comes_again(sink: Sink) -> None:
    async with still(deadline=0.1) as crm:
        crm.register_all(sink.url)
        sink.hold()
        crm.team.win(a_deal(crm))
        await crm.advance(SOON)
        sink.release()
        await crm.advance(timedelta(minutes=2))
        assert tries(crm) == [(1, "late", None, False), (2, "delivered", 200, False)]
    assert len(uuids(sink)) == 2
    assert len(set(uuids(sink))) == 1


async def test_nobody_there_is_a_failure_as_well() -> None:
    async with still(retries=1) as crm:
        crm.register_all("http://127.0.0.1:9/")
        crm.team.win(a_deal(crm))
        await crm.advance(timedelta(minutes=5))
        assert tries(crm) == [(1, "unreachable", None, False), (2, "unreachable", None, True)]


async def test_duplicates_come_under_other_uuids_within_a_third_of_a_second(sink: Sink) -> None:
    async with still(duplicates=1.0) as crm:
        crm.register_all(sink.url)
        crm.team.win(a_deal(crm))
        await crm.advance(SOON)
        posted = crm.truth().tries
        assert len(posted) in {2, 3}
        assert posted[-1].at - posted[0].at <= timedelta(seconds=1.01)
    assert len(set(uuids(sink))) == len(posted)
    assert len({str(got.body["document"]) for got in sink.got}) == 1


async def test_a_share_of_the_events_is_doubled(sink: Sink) -> None:
    async with simulated(events_per_hour=6000, duplicates=0.2) as crm:
        crm.register_all(sink.url)
        await crm.advance(timedelta(minutes=4))
    times = Counter(str(got.body["document"]) + got.body["event_name"] for got in sink.got)
    assert 0.1 < sum(count > 1 for count in times.values()) / len(times) < 0.3


@pytest.mark.parametrize(("share", "overtaken"), [(0.0, False), (0.3, True)])
async def test_events_of_one_deal_overtake_each_other_only_if_they_are_to(
    sink: Sink, share: float, *, overtaken: bool
) -> None:
    async with still(reordered=share) as crm:
        crm.register_all(sink.url)
        deal = a_deal(crm)
        for _ in range(20):
            crm.team.pause(deal)
            await crm.advance(timedelta(seconds=1))
        await crm.advance(timedelta(minutes=1))
    times = [got.body["document"]["updated_at"] for got in sink.got]
    assert len(times) == 20
    assert (times != sorted(times)) == overtaken


async def test_a_creation_may_be_told_as_an_update_with_the_same_uuid(sink: Sink) -> None:
    async with still(updated_after_created=True) as crm:
        crm.register_all(sink.url)
        old = a_deal(crm)
        assert old.organization
        new = crm._life._maker.deal(old.organization, crm.team.now())
        await crm.advance(SOON)
    told = [(got.body["event_name"], got.body["document"]["id"]) for got in sink.got]
    assert sorted(told) == [("crm_deal_created", new.id), ("crm_deal_updated", new.id)]
    assert len(set(uuids(sink))) == 1


async def test_constant_errors_suspend_every_webhook_of_the_address_and_what_happens_then_is_not_told(
    sink: Sink,
) -> None:
    sink.status, notes = 500, list[Note]()
    async with still(notes, suspend_after=4, retries=1) as crm:
        crm.register_all(sink.url)
        crm.registry.add(Wish("crm_deal_created", "http://127.0.0.1:9/other"))
        deal = a_deal(crm)
        for _ in range(2):
            crm.team.pause(deal)
            await crm.advance(timedelta(minutes=2))
        assert Counter(each.status for each in crm.registry) == {"suspended": 24, "active": 1}
        assert [note.name for note in notes if note.what == "webhook" and "24 webhooks" in note.text] == ["suspended"]
        sink.status, before = 200, len(sink.got)
        crm.team.pause(deal)
        await crm.advance(timedelta(minutes=2))
        assert len(sink.got) == before


async def test_a_success_begins_the_count_of_failures_anew(sink: Sink) -> None:
    turns = iter([500, 500, 200, 500, 500, 200])
    sink.judge = lambda _: Reply(next(turns))
    async with still(suspend_after=3, retries=0) as crm:
        crm.register_all(sink.url)
        deal = a_deal(crm)
        for _ in range(6):
            crm.team.pause(deal)
            await crm.advance(SOON)
        assert {each.status for each in crm.registry} == {"active"}
    assert len(sink.got) == 6


async def test_what_waits_for_a_retry_is_given_up_when_the_webhook_is_suspended_or_deleted(sink: Sink) -> None:
    sink.status = 500
    async with still() as crm:
        crm.register_all(sink.url)
        crm.team.pause(a_deal(crm))
        await crm.advance(SOON)
        for registration in crm.registry:
            crm.registry.remove(registration)
        await crm.advance(timedelta(minutes=2))
        assert tries(crm) == [(1, "refused", 500, False), (1, "suspended", None, True)]


async def test_the_probe_is_an_empty_body(sink: Sink) -> None:
    async with still() as crm:
        assert await crm._poster.probe(sink.url, {"X-Key": "s3cret"})
        sink.status = 401
        assert not await crm._poster.probe(sink.url, {})
        assert not await crm._poster.probe("http://127.0.0.1:9/", {})
    first: Got = sink.got[0]
    assert (first.method, first.body, first.headers["X-Key"]) == ("POST", "", "s3cret")


async def test_ten_thousand_events_an_hour_go_by_in_seconds(sink: Sink) -> None:
    async with simulated(events_per_hour=10_000, duplicates=0.05, reordered=0.05) as crm:
        crm.register_all(sink.url)
        await crm.advance(timedelta(minutes=3))
        posted = crm.truth().tries
    assert 400 <= len({each.uuid for each in posted}) <= 800
    assert all(each.result == "delivered" for each in posted)
    assert len(sink.got) == len(posted)
    assert isinstance(posted[0], Try)


async def test_what_is_under_way_is_given_up_when_the_crm_ends(sink: Sink) -> None:
    sink.hold()
    async with still() as crm:
        crm.register_all(sink.url)
        crm.team.win(a_deal(crm))
        crm._agenda.run_until(crm.clock.now() + SOON)
        await sink.reached(1)
    assert crm.truth().tries == ()
