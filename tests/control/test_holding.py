import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.control.host import Host
from bridge.control.operations import Operations
from bridge.errors import RequestRefusedError
from bridge.model import Attempt, DeliveryState, Limits, Outcome, new_id
from bridge.store.nouns import EventQuery, Settlement, TargetChange
from tests.support.deals import Deal
from tests.support.shop import RULES, Shop, load_rules


async def target(shop: Shop, name: str = "sales") -> dict[str, object]:
    """Return a target as it is told."""
    (found,) = [each for each in (await shop.operations.targets())["targets"] if each["name"] == name]
    return dict(found)


async def taught(shop: Shop, change: TargetChange) -> None:
    """Let an attempt fail that teaches this about its target."""
    await shop.receive(Deal().lost())
    (claim,) = await shop.store.claim("sales", Limits(1), timedelta(minutes=1))
    now = shop.clock.now()
    attempt = Attempt(new_id("att"), claim.delivery.id, 1, Outcome.TRANSIENT, "schedule", now, 0.1)
    await shop.store.record(claim, attempt, Settlement(DeliveryState.PENDING, now, target=change))


async def test_targets_are_told_in_the_order_of_the_rules_with_limits_and_what_waits(shop: Shop) -> None:
    text = RULES.replace("{type: log}", "{type: log, concurrency: 2, rate: 100/10s}")
    rules = load_rules(shop.folder, shop.clock, text)
    shop.host = replace(shop.host, current=lambda: rules)
    await shop.receive(*(Deal(id_).lost() for id_ in ("d1", "d2", "d3")))
    await shop.attempt("sales", Outcome.PERMANENT, DeliveryState.DEAD, "refused")
    await shop.store.claim("sales", Limits(1), timedelta(minutes=1))
    sales, billing = (await shop.operations.targets())["targets"]
    assert sales == {
        "name": "sales",
        "type": "log",
        "state": "ready",
        "held": False,
        "paused_by": None,
        "reason": None,
        "since": None,
        "until": None,
        "concurrency": 2,
        "rate": "100/10s",
        "deliveries": {"pending": 1, "parked": 0, "delivering": 1, "dead": 1},
    }
    assert (billing["name"], billing["type"], billing["rate"]) == ("billing", "http", None)


async def test_a_pause_tells_who_when_and_why_and_is_announced(shop: Shop) -> None:
    told: list[tuple[str, str, str | None]] = []
    held: list[str] = []
    host = replace(shop.host, announce=lambda *what: told.append(what), hold=held.append)
    operations = Operations(shop.store, host, shop.clock)
    await shop.receive(Deal().lost())
    answer = await operations.pause("sales", "the service moves")
    assert answer["changed"]
    paused = answer["target"]
    assert (paused["state"], paused["held"], paused["paused_by"]) == ("paused", True, "person")
    assert (paused["reason"], paused["since"]) == ("the service moves", shop.clock.now().isoformat())
    assert (paused["deliveries"]["pending"], paused["deliveries"]["parked"]) == (0, 1)
    assert (told, held) == ([("sales", "pause", "the service moves")], ["sales"])


async def test_a_resume_rings_and_is_announced(shop: Shop) -> None:
    told: list[tuple[str, str, str | None]] = []
    operations = Operations(shop.store, replace(shop.host, announce=lambda *what: told.append(what)), shop.clock)
    await shop.store.pause("sales", "x")
    answer = await operations.resume("sales")
    assert (answer["changed"], answer["target"]["state"]) == (True, "ready")
    assert (told, shop.rung) == ([("sales", "resume", None)], ["sales"])


async def test_what_changes_nothing_is_said_and_announced_to_nobody(shop: Shop) -> None:
    def hear(*_: object) -> None:
        raise AssertionError("there is nothing to hear")

    await shop.store.pause("sales", "the first reason")
    operations = Operations(shop.store, replace(shop.host, announce=hear, hold=hear), shop.clock)
    again = await operations.pause("sales", "another")
    assert (again["changed"], again["target"]["reason"]) == (False, "the first reason")
    assert not (await operations.resume("billing"))["changed"]
    assert shop.rung == []


async def test_a_pause_without_a_reason_says_so(shop: Shop) -> None:
    await shop.receive(Deal().lost())
    await shop.operations.pause("sales")
    (delivery,) = [each for each in await listed(shop) if each["target"] == "sales"]
    assert delivery["reason"] == "the target is paused: no reason was given"


async def listed(shop: Shop) -> Sequence[dict[str, object]]:
    (event,) = await shop.store.events(EventQuery())
    deliveries: Sequence[dict[str, object]] = (await shop.operations.event(event.id))["deliveries"]
    return deliveries


@pytest.mark.parametrize(
    ("change", "state", "seconds"),
    [
        (TargetChange("open", "500 again", seconds=30, most=60), "open", 30),
        (TargetChange("wait", "429", seconds=90), "waiting", 90),
    ],
)
async def test_a_target_that_goes_on_by_itself_tells_when(
    shop: Shop, change: TargetChange, state: str, seconds: int
) -> None:
    await taught(shop, change)
    told = await target(shop)
    end = shop.clock.now() + timedelta(seconds=seconds)
    assert (told["state"], told["held"], told["until"]) == (state, state == "open", end.isoformat())
    shop.clock.advance(seconds=seconds)
    if state == "open":
        await shop.store.claim("sales", Limits(1), timedelta(minutes=1))
    told = await target(shop)
    assert (told["state"], told["until"]) == ("half_open" if state == "open" else "ready", None)


async def test_a_target_that_is_gone_is_told_while_something_waits_for_it(shop: Shop) -> None:
    await shop.receive(Deal().lost())
    await shop.store.adopt(["sales", "billing"])
    await shop.store.adopt(["billing"])
    rules = load_rules(shop.folder, shop.clock, RULES.replace("sales", "board"))
    shop.host = replace(shop.host, current=lambda: rules)
    sales = await target(shop)
    assert (sales["state"], sales["type"], sales["held"]) == ("gone", None, True)
    assert sales["reason"] == "it is not in the rules any more"
    assert sales["since"] == shop.clock.now().isoformat()
    ids = [each["id"] for each in await listed(shop) if each["target"] == "sales"]
    await shop.operations.discard([str(id_) for id_ in ids], "nobody reads it")
    assert [each["name"] for each in (await shop.operations.targets())["targets"]] == ["board", "billing"]
    await shop.operations.pause("sales")
    assert (await target(shop))["paused_by"] == "person", "a pause would outlast its absence"


async def test_without_rules_the_store_tells_which_targets_there_are(shop: Shop) -> None:
    await shop.store.adopt(["sales", "billing", "board"])
    await shop.store.adopt(["sales", "billing"])
    alone = Operations(shop.store, Host(current=lambda: None), shop.clock)
    assert [each["name"] for each in (await alone.targets())["targets"]] == ["billing", "sales"]
    assert (await alone.pause("billing"))["changed"]


@pytest.mark.parametrize("do", ["pause", "resume"])
async def test_a_target_that_nobody_knows_is_refused_with_the_one_that_was_meant(shop: Shop, do: str) -> None:
    with pytest.raises(RequestRefusedError, match='there is no target "slaes"; did you mean "sales"') as refusal:
        await getattr(shop.operations, do)("slaes")
    assert refusal.value.code == "unknown-target"
    assert await shop.store.targets() == []


async def test_a_target_that_only_dead_letters_know_can_be_paused(shop: Shop) -> None:
    await shop.receive(Deal().lost())
    await shop.attempt("sales", Outcome.PERMANENT, DeliveryState.DEAD, "refused")
    assert (await Operations(shop.store, Host(current=lambda: None), shop.clock).pause("sales"))["changed"]


async def test_a_reload_while_targets_are_looked_up_breaks_nothing(shop: Shop) -> None:
    former = load_rules(shop.folder, shop.clock, RULES)
    latter = load_rules(shop.folder, shop.clock, RULES.replace("sales", "closers"))
    in_force = [former]
    shop.host = replace(shop.host, current=lambda: in_force[0])
    listing = asyncio.ensure_future(shop.operations.targets())
    await asyncio.sleep(0)  # it has begun, and awaits the store
    in_force[0] = latter
    assert [each["name"] for each in (await listing)["targets"]] == list(former.targets)
    assert [each["name"] for each in (await shop.operations.targets())["targets"]] == list(latter.targets)
