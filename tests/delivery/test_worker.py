"""One worker against a real store: every ending of an attempt, in order per key."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.component.limits import BreakerOptions, RetryOptions
from bridge.delivery import ahead
from bridge.delivery.announcer import Announcer
from bridge.delivery.worker import UNRECORDED, Worker
from bridge.errors import (
    AccessRefused,
    PermanentFailure,
    StoreError,
    StoreUnavailableError,
    TransientFailure,
    UnknownOutcome,
)
from bridge.model import (
    Delivery,
    DeliveryState,
    Event,
    EventState,
    Limits,
    Link,
    Outcome,
    Receipt,
    RoutedEvent,
    Terms,
    new_id,
)
from bridge.store.base import Store
from bridge.store.nouns import DeliveryQuery, Recorded, TargetChange
from tests.support.clock import ManualClock
from tests.support.targets import LookingTarget, NoHttp, ScriptedTarget, Step, never

HTTP: Any = NoHttp()
USUAL = Terms()


async def plan(store: Store, clock: ManualClock, *keys: str, target: str = "sales", terms: Terms = USUAL) -> list[str]:
    """Store one event with a delivery per key, as routing would, and return the ids of the deliveries."""
    now = clock.now()
    event = Event(new_id("evt"), "crm", "crm_deal_updated", None, new_id("evt"), b"{}", now)
    await store.add(event)
    planned = tuple(
        Delivery(
            id=new_id("dlv"),
            event_id=event.id,
            route="r",
            entry=entry,
            target=target,
            key=key,
            state=DeliveryState.PENDING,
            content={"text": f"{key}/{entry}"},
            due_at=now,
            created_at=now,
            terms=terms,
        )
        for entry, key in enumerate(keys)
    )
    await store.route(10, lambda _events, _states: [RoutedEvent(event.id, EventState.ROUTED, deliveries=planned)])
    return [delivery.id for delivery in planned]


def worker_for(store: Store, clock: ManualClock, *script: Step, **options: Any) -> tuple[Worker, ScriptedTarget]:
    target = ScriptedTarget("sales", *script, **options)
    return Worker(target, store, HTTP, clock), target


async def work(worker: Worker) -> None:
    """Let the worker claim once and finish what it claimed."""
    await worker.step()
    await worker.drain(5)


async def the(store: Store, delivery_id: str) -> Delivery:
    delivery = await store.delivery(delivery_id)
    assert delivery is not None
    return delivery


async def test_a_delivered_message_is_recorded_with_its_attempt(store: Store, clock: ManualClock) -> None:
    [id_] = await plan(store, clock, "deal:1")
    worker, target = worker_for(store, clock, Receipt(status=200, excerpt="ok"))
    await work(worker)
    [attempt] = await store.attempts(id_)
    assert (await the(store, id_)).state is DeliveryState.DELIVERED
    assert (attempt.number, attempt.outcome, attempt.status, attempt.excerpt) == (1, Outcome.DELIVERED, 200, "ok")
    assert attempt.trigger == "schedule"
    assert [message.content for message in target.sent] == [{"text": "deal:1/0"}]


async def test_a_link_is_there_for_the_next_message_of_its_key(store: Store, clock: ManualClock) -> None:
    await plan(store, clock, "deal:1")
    link = Link("sales", "deal:1", "1700000000.0001", {"channel": "C1"})
    worker, _ = worker_for(store, clock, Receipt(status=200, links=(link,)))
    await work(worker)
    assert await store.find_link("sales", "deal:1") == link


async def test_a_transient_failure_waits_and_then_goes_through_under_the_same_id(
    store: Store, clock: ManualClock
) -> None:
    [id_] = await plan(store, clock, "deal:1")
    worker, target = worker_for(store, clock, TransientFailure("busy", status=503))
    await work(worker)
    waiting = await the(store, id_)
    assert (waiting.state, waiting.attempts, waiting.failures) == (DeliveryState.PENDING, 1, 1)
    assert (waiting.reason, waiting.give_up_at) == ("busy", clock.now() + timedelta(hours=24))
    await work(worker)
    assert len(target.sent) == 1, "it is not due yet"
    clock.advance(seconds=61)
    await work(worker)
    assert (await the(store, id_)).state is DeliveryState.DELIVERED
    assert [message.delivery_id for message in target.sent] == [id_, id_]


async def test_a_permanent_failure_is_dead_and_lets_the_next_of_its_key_go(store: Store, clock: ManualClock) -> None:
    first, second = await plan(store, clock, "deal:1", "deal:1")
    worker, _ = worker_for(store, clock, PermanentFailure("channel_not_found", status=404))
    await work(worker)
    await work(worker)
    assert (await the(store, first)).state is DeliveryState.DEAD
    assert (await the(store, first)).reason == "channel_not_found"
    assert (await the(store, second)).state is DeliveryState.DELIVERED


async def test_a_stuck_delivery_holds_back_its_own_key_only(store: Store, clock: ManualClock) -> None:
    stuck, behind, free = await plan(store, clock, "deal:1", "deal:1", "deal:2")
    worker, target = worker_for(store, clock, TransientFailure("busy"), retry=RetryOptions(first=timedelta(minutes=10)))
    await work(worker)
    await work(worker)
    assert (await the(store, free)).state is DeliveryState.DELIVERED
    assert (await the(store, behind)).state is DeliveryState.PENDING
    assert behind not in {message.delivery_id for message in target.sent}
    clock.advance(seconds=601)
    await work(worker)
    await work(worker)
    assert [m.delivery_id for m in target.sent if m.key == "deal:1"] == [stuck, stuck, behind]


async def test_a_defect_in_a_target_is_a_dead_letter_and_not_the_end_of_the_worker(
    store: Store, clock: ManualClock
) -> None:
    first, second = await plan(store, clock, "deal:1", "deal:2")
    worker, _ = worker_for(store, clock, ZeroDivisionError("oops"), concurrency=1)
    await work(worker)
    await work(worker)
    dead = await the(store, first)
    assert (dead.state, dead.reason) == (DeliveryState.DEAD, "defect in target 'sales': ZeroDivisionError")
    assert (await the(store, second)).state is DeliveryState.DELIVERED


async def test_a_target_that_never_returns_is_broken_off_as_unknown(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.delivery.attempt.GRACE", 0.0)
    [id_] = await plan(store, clock, "deal:1")
    worker, _ = worker_for(store, clock, never, timeout=0.01)
    await work(worker)
    [attempt] = await store.attempts(id_)
    assert (attempt.outcome, attempt.reason) == (Outcome.UNKNOWN, "no answer within 0.01 s")
    assert (await the(store, id_)).state is DeliveryState.PENDING


async def test_stopping_records_what_was_broken_off_as_unknown(store: Store, clock: ManualClock) -> None:
    [id_] = await plan(store, clock, "deal:1")
    worker, target = worker_for(store, clock, never)
    await worker.step()
    await target.arrived.wait()
    await worker.drain(0)
    [attempt] = await store.attempts(id_)
    assert attempt.outcome is Outcome.UNKNOWN
    assert (await the(store, id_)).state is DeliveryState.PENDING


async def test_what_a_stop_breaks_off_is_not_the_services_failure(store: Store, clock: ManualClock) -> None:
    await plan(store, clock, "deal:1", "deal:2")
    worker, target = worker_for(store, clock, never, never, breaker=BreakerOptions(least=1))
    await worker.step()
    await target.arrived.wait()
    await worker.drain(0)
    assert not [each for each in await store.targets() if each.held]


async def test_a_stopped_worker_claims_no_more(store: Store, clock: ManualClock) -> None:
    [id_] = await plan(store, clock, "deal:1")
    worker, target = worker_for(store, clock)
    worker.stop()
    await asyncio.wait_for(worker.run(), 5)
    assert await worker.step() == 0
    assert (target.sent, (await the(store, id_)).attempts) == ([], 0)
    assert (await the(store, id_)).state is DeliveryState.PENDING


async def test_no_more_are_under_way_at_once_than_the_target_allows(store: Store, clock: ManualClock) -> None:
    await plan(store, clock, *(f"deal:{n}" for n in range(5)))
    worker, target = worker_for(store, clock, *[never] * 5, concurrency=2)
    await worker.step()
    await target.arrived.wait()
    assert await worker.step() == 0
    assert len(target.sent) == 2
    assert len(await store.deliveries(DeliveryQuery(states=(DeliveryState.DELIVERING,)))) == 4, "two are claimed ahead"
    await worker.drain(0)
    assert [d.attempts for d in await store.deliveries(DeliveryQuery())] == [0, 0, 0, 1, 1], (
        "and given back unattempted"
    )
    assert len(await store.deliveries(DeliveryQuery(states=(DeliveryState.PENDING,)))) == 5


async def test_with_a_rate_nothing_is_claimed_ahead(store: Store, clock: ManualClock) -> None:
    await plan(store, clock, *(f"deal:{n}" for n in range(5)))
    worker, _ = worker_for(store, clock, *[never] * 5, concurrency=2, rate="100/s")
    assert await worker.step() == 2
    await worker.drain(0)


async def test_more_is_claimed_ahead_where_attempts_are_quick(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await plan(store, clock, *(f"deal:{n}" for n in range(20)))
    worker, _ = worker_for(store, clock, *[never] * 20, concurrency=2)
    monkeypatch.setattr(ahead, "SECONDS", 1e9)
    assert await worker.step() == 2 * (1 + ahead.MOST)
    await worker.drain(0)


async def test_what_was_claimed_ahead_is_given_back_when_the_target_becomes_slow(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await plan(store, clock, *(f"deal:{n}" for n in range(20)))
    worker, target = worker_for(store, clock, Receipt(200), concurrency=2)
    monkeypatch.setattr(ahead, "SECONDS", 1e9)
    await worker.step()
    monkeypatch.setattr(ahead, "SECONDS", 0)
    await worker.drain(5)
    assert len(target.sent) == 1
    assert len(await store.deliveries(DeliveryQuery(states=(DeliveryState.PENDING,)))) == 19


async def test_no_more_is_sent_than_may_be_unrecorded(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience = list[bool]()

    async def endless(*_: Any, patient: bool) -> Recorded:
        patience.append(patient)
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(store, "record", endless)
    await plan(store, clock, *(f"deal:{n}" for n in range(20)))
    worker, target = worker_for(store, clock, *[Receipt(200)] * 20, concurrency=2)
    monkeypatch.setattr(ahead, "SECONDS", 1e9)
    assert await worker.step() == 16
    for _ in range(50):
        await asyncio.sleep(0)
    assert len(target.sent) == UNRECORDED * 2
    assert patience == [True, True, False, False], "as many wait as may be under way: they are in the way of others"
    await worker.drain(0)
    assert len(await store.deliveries(DeliveryQuery(states=(DeliveryState.PENDING,)))) == 16


async def test_an_outcome_waits_for_others_only_if_nobody_waits_for_it(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, patience = store.record, list[bool]()

    async def recorded(*arguments: Any, patient: bool) -> Recorded:
        patience.append(patient)
        return await record(*arguments)

    monkeypatch.setattr(store, "record", recorded)
    await plan(store, clock, "deal:1", "deal:2")
    worker, _ = worker_for(store, clock, Receipt(200), Receipt(200))
    await work(worker)
    assert patience == [True, True]
    await plan(store, clock, "deal:3")
    worker, _ = worker_for(store, clock, Receipt(200))
    await work(worker)
    assert patience == [True, True, False], "it is alone"
    await plan(store, clock, "deal:4", "deal:5")
    worker, _ = worker_for(store, clock, Receipt(200), Receipt(200), rate="100/s")
    await work(worker)
    assert patience[3:] == [False, False], "the rate of its target counts from when it is recorded"


async def test_what_was_claimed_ahead_is_given_back_when_the_target_is_held(store: Store, clock: ManualClock) -> None:
    ids = await plan(store, clock, *(f"deal:{n}" for n in range(4)))
    worker, target = worker_for(store, clock, AccessRefused("401"), concurrency=2)
    await work(worker)
    assert [message.delivery_id for message in target.sent] == ids[:1]
    assert [(await the(store, id_)).attempts for id_ in ids] == [1, 0, 0, 0]
    assert {(await the(store, id_)).state for id_ in ids} == {DeliveryState.PARKED}


async def test_what_was_being_claimed_when_the_target_was_held_is_given_back(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    [id_] = await plan(store, clock, "deal:1")
    worker, target = worker_for(store, clock)
    claim = store.claim

    async def claim_while_it_is_held(*args: Any) -> Any:
        claims = await claim(*args)
        await store.pause("sales", "a person's wish")
        worker.hold()
        return claims

    monkeypatch.setattr(store, "claim", claim_while_it_is_held)
    await work(worker)
    assert target.sent == []
    assert (await the(store, id_)).state is DeliveryState.PARKED


async def test_a_target_may_change_how_many_it_takes_at_once(store: Store, clock: ManualClock) -> None:
    await plan(store, clock, *(f"deal:{n}" for n in range(6)))
    worker, _ = worker_for(store, clock, concurrency=1)
    more = ScriptedTarget("sales", *[never] * 6, concurrency=3)
    worker.adopt(more)
    await worker.step()
    await more.arrived.wait()
    await asyncio.sleep(0)
    assert len(more.sent) == 3
    await worker.drain(0)


async def test_a_change_of_targets_amid_an_attempt_makes_no_room_for_more(store: Store, clock: ManualClock) -> None:
    await plan(store, clock, *(f"deal:{n}" for n in range(6)))
    done = asyncio.Event()

    async def until_done() -> Receipt:
        await done.wait()
        return Receipt(status=200)

    worker, before = worker_for(store, clock, until_done, concurrency=1)
    await worker.step()
    await before.arrived.wait()
    after = ScriptedTarget("sales", *[never] * 6, concurrency=1)
    worker.adopt(after)
    done.set()
    await worker.drain(5)
    assert len(before.sent) == 2, "what was claimed ahead ends with the target it began with"
    assert await worker.step() == 2
    await after.arrived.wait()
    await asyncio.sleep(0)
    assert len(after.sent) == 1
    await worker.drain(0)


async def test_an_outcome_the_store_cannot_take_is_recorded_as_soon_as_it_can(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    [id_] = await plan(store, clock, "deal:1")
    record, failures = store.record, [StoreUnavailableError("disk full"), StoreUnavailableError("disk full")]

    async def failing(*arguments: Any, patient: bool) -> Recorded:
        if failures:
            raise failures.pop()
        return await record(*arguments, patient=patient)

    monkeypatch.setattr(store, "record", failing)
    monkeypatch.setattr("bridge.delivery.worker.RECORD_AGAIN", 0)
    worker, target = worker_for(store, clock)
    with capture_logs() as lines:
        await work(worker)
    assert (await the(store, id_)).state is DeliveryState.DELIVERED
    assert len(target.sent) == 1, "what was delivered is not sent again"
    assert [line["event"] for line in lines] == ["store unavailable", "attempt delivered"], "told once"


async def test_an_outcome_that_can_never_be_recorded_is_not_tried_for_ever(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    [id_] = await plan(store, clock, "deal:1")
    tried = []

    async def refused(*arguments: Any, **_: Any) -> Recorded:
        tried.append(arguments)
        raise StoreError("the store refused: it cannot be written down")

    monkeypatch.setattr(store, "record", refused)
    worker, _ = worker_for(store, clock)
    await work(worker)
    assert (len(tried), (await the(store, id_)).state) == (1, DeliveryState.DELIVERING)
    await store.rescue(everything=True)
    assert (await the(store, id_)).uncertain


@pytest.mark.parametrize("failure", [TransientFailure, UnknownOutcome, PermanentFailure])
async def test_a_secret_that_a_service_echoes_is_not_stored(
    store: Store, clock: ManualClock, failure: type[TransientFailure]
) -> None:
    [id_] = await plan(store, clock, "deal:1")
    worker, _ = worker_for(store, clock, failure("bad token hush-hush", excerpt="token=hush-hush"))
    await work(worker)
    [attempt] = await store.attempts(id_)
    assert (attempt.reason, attempt.excerpt) == ("bad token ***", "token=***")
    assert "hush" not in str((await the(store, id_)).reason)


@pytest.mark.parametrize("failure", [TransientFailure, UnknownOutcome, PermanentFailure, None])
async def test_a_secret_at_the_end_of_an_excerpt_is_blotted_out_before_it_is_cut(
    store: Store, clock: ManualClock, failure: type[TransientFailure] | None
) -> None:
    [id_] = await plan(store, clock, "deal:1")
    said = "x" * 495 + "hush-hush" + "y" * 5000
    worker, _ = worker_for(store, clock, failure("no", excerpt=said) if failure else Receipt(200, said))
    await work(worker)
    [attempt] = await store.attempts(id_)
    assert attempt.excerpt == "x" * 495 + "***" + "y…"


async def test_an_excerpt_that_is_no_text_is_stored_as_it_can_be(store: Store, clock: ManualClock) -> None:
    [id_] = await plan(store, clock, "deal:1")
    worker, target = worker_for(store, clock, Receipt(200, "\udcff"))
    await work(worker)
    assert (await the(store, id_)).state is DeliveryState.DELIVERED
    assert len(target.sent) == 1
    assert (await store.attempts(id_))[0].excerpt == r"\udcff"


async def test_a_worker_that_runs_delivers_what_it_is_rung_for(store: Store, clock: ManualClock) -> None:
    worker, target = worker_for(store, clock)
    running = asyncio.create_task(worker.run())
    [id_] = await plan(store, clock, "deal:1")
    worker.bell.ring()
    await asyncio.wait_for(target.arrived.wait(), 5)
    worker.stop()
    await asyncio.wait_for(running, 5)
    await worker.drain(5)
    assert (await the(store, id_)).state is DeliveryState.DELIVERED


class Heard(Announcer):
    """Remembers what people would hear of."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, str]] = []
        self.dead: list[str] = []

    def target_changed(self, target: str, change: TargetChange) -> None:
        self.changes.append((target, change.kind))

    def delivery_dead(self, delivery: Delivery, reason: str | None) -> None:
        self.dead.append(delivery.id)


async def test_a_service_that_asks_for_time_is_left_alone_by_all(store: Store, clock: ManualClock) -> None:
    first, second = await plan(store, clock, "deal:1", "deal:2")
    slow_down = TransientFailure("slow down", status=429, retry_after=600)
    worker, target = worker_for(store, clock, slow_down, concurrency=1)
    await work(worker)
    await work(worker)
    assert [message.delivery_id for message in target.sent] == [first]
    assert (await the(store, first)).failures == 0
    clock.advance(seconds=600)
    await work(worker)
    await work(worker)
    assert sorted(message.delivery_id for message in target.sent) == sorted([first, first, second])


async def test_a_target_that_is_refused_is_paused_and_delivers_in_order_once_it_is_resumed(
    store: Store, clock: ManualClock
) -> None:
    ids = await plan(store, clock, "deal:1", "deal:2", "deal:3")
    heard = Heard()
    target = ScriptedTarget("sales", AccessRefused("invalid_auth", status=401), concurrency=1)
    worker = Worker(target, store, HTTP, clock, heard)
    await work(worker)
    await work(worker)
    assert heard.changes == [("sales", "pause")]
    assert {(await the(store, id_)).state for id_ in ids} == {DeliveryState.PARKED}
    assert (await the(store, ids[1])).reason == "the target is paused: invalid_auth"
    await store.resume("sales")
    for _ in ids:
        await work(worker)
    assert [message.delivery_id for message in target.sent] == [ids[0], *ids]


async def test_a_service_that_keeps_failing_is_left_alone_and_tried_with_one_message(
    store: Store, clock: ManualClock
) -> None:
    await plan(store, clock, *(f"deal:{n}" for n in range(8)))
    heard = Heard()
    failures = [TransientFailure("500")] * 5
    target = ScriptedTarget(
        "sales", *failures, breaker=BreakerOptions(least=4), retry=RetryOptions(first=timedelta(minutes=1))
    )
    worker = Worker(target, store, HTTP, clock, heard)
    await work(worker)
    assert heard.changes == [("sales", "open")]
    await work(worker)
    assert len(target.sent) == 4, "nothing is sent while it is open"
    clock.advance(seconds=30)
    await work(worker)
    assert (len(target.sent), heard.changes[1:]) == (5, [("sales", "open")])
    clock.advance(seconds=60)
    await work(worker)
    assert (len(target.sent), heard.changes[2:]) == (6, [("sales", "close")])
    await work(worker)
    assert len(target.sent) > 7, "and then many at once again"


async def test_a_dead_letter_is_announced(store: Store, clock: ManualClock) -> None:
    [id_] = await plan(store, clock, "deal:1")
    heard = Heard()
    worker = Worker(ScriptedTarget("sales", PermanentFailure("no")), store, HTTP, clock, heard)
    await work(worker)
    assert heard.dead == [id_]


async def test_where_sending_twice_is_worse_a_lost_answer_waits_for_a_person(store: Store, clock: ManualClock) -> None:
    [id_] = await plan(store, clock, "deal:1", terms=Terms(on_unknown="park"))
    worker, target = worker_for(store, clock, UnknownOutcome("timed out"))
    await work(worker)
    clock.advance(hours=1)
    await work(worker)
    assert (await the(store, id_)).state is DeliveryState.PARKED
    assert len(target.sent) == 1
    await store.retry([id_])
    await work(worker)
    assert (await the(store, id_)).state is DeliveryState.DELIVERED


async def test_so_does_one_whose_worker_was_killed(store: Store, clock: ManualClock) -> None:
    [id_] = await plan(store, clock, "deal:1", terms=Terms(on_unknown="park"))
    await store.claim("sales", Limits(1), timedelta(minutes=1))
    await store.rescue(everything=True)
    worker, target = worker_for(store, clock)
    await work(worker)
    delivery = await the(store, id_)
    assert (delivery.state, target.sent) == (DeliveryState.PARKED, [])
    assert str(delivery.reason).startswith("it may have arrived: no outcome was recorded")
    assert len(await store.attempts(id_)) == 1, "the rescue's; no other was made"


async def test_a_lost_answer_waits_for_nobody_where_the_target_can_look_it_up(store: Store, clock: ManualClock) -> None:
    [id_] = await plan(store, clock, "deal:1", terms=Terms(on_unknown="park"))
    target = LookingTarget("sales", UnknownOutcome("timed out"))
    target.there = {id_}
    worker = Worker(target, store, HTTP, clock)
    await work(worker)
    clock.advance(hours=1)
    await work(worker)
    assert (await the(store, id_)).state is DeliveryState.DELIVERED
    assert (len(target.sent), target.looked) == (1, [id_])


async def test_a_target_that_can_looks_before_it_sends_again(store: Store, clock: ManualClock) -> None:
    arrived, lost = await plan(store, clock, "deal:1", "deal:2")
    target = LookingTarget("sales", UnknownOutcome("reset"), UnknownOutcome("reset"))
    target.there = {arrived}
    worker = Worker(target, store, HTTP, clock)
    await work(worker)
    clock.advance(hours=1)
    await work(worker)
    assert [message.delivery_id for message in target.sent] == [arrived, lost, lost]
    assert {(await the(store, id_)).state for id_ in (arrived, lost)} == {DeliveryState.DELIVERED}
    assert (await store.attempts(arrived))[-1].excerpt == "found"


async def test_a_first_attempt_is_sent_without_looking(store: Store, clock: ManualClock) -> None:
    await plan(store, clock, "deal:1")
    target = LookingTarget("sales")
    await work(Worker(target, store, HTTP, clock))
    assert (len(target.sent), target.looked) == (1, [])


async def test_a_look_that_fails_sends_nothing(store: Store, clock: ManualClock) -> None:
    [id_] = await plan(store, clock, "deal:1")
    target = LookingTarget("sales", UnknownOutcome("reset"))
    target.looking = [TransientFailure("500")]
    worker = Worker(target, store, HTTP, clock)
    await work(worker)
    clock.advance(hours=1)
    await work(worker)
    assert (len(target.sent), (await the(store, id_)).reason) == (1, "500")


async def test_a_delivery_that_kills_its_worker_each_time_is_given_up(store: Store, clock: ManualClock) -> None:
    [id_] = await plan(store, clock, "deal:1", terms=Terms({"attempts": 3}))
    worker, target = worker_for(store, clock)
    for _ in range(3):
        await store.claim("sales", Limits(1), timedelta(minutes=1))
        await store.rescue(everything=True)
    await work(worker)
    assert (target.sent, (await the(store, id_)).state) == ([], DeliveryState.DEAD)


async def test_a_stop_does_not_wait_for_a_store_that_cannot_be_written(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    [id_] = await plan(store, clock, "deal:1")
    worker, target = worker_for(store, clock, never)
    await worker.step()
    await target.arrived.wait()

    async def full(*_: Any, **__: Any) -> Recorded:
        raise StoreUnavailableError("disk full")

    monkeypatch.setattr(store, "record", full)
    await asyncio.wait_for(worker.drain(0), 5)
    assert (await the(store, id_)).state is DeliveryState.DELIVERING, "the next start finds its lease"
