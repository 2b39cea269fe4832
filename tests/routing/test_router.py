"""The router with the real source of the CRM, and the smallest routes that can be made."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from bridge.component import AnySource
from bridge.errors import RenderError
from bridge.model import (
    Change,
    Delivery,
    DeliveryState,
    EntityState,
    Event,
    EventState,
    Json,
    JsonObject,
    Related,
    RoutedEvent,
    StateKey,
    Terms,
)
from bridge.routing.fanout import Preview
from bridge.routing.matcher import compile_match
from bridge.routing.regex import LONGEST
from bridge.routing.route import Context, DeliverEntry, Listener, Matcher, Route
from bridge.routing.router import Router, in_order
from tests.support.changes import crm, event_of
from tests.support.clock import ManualClock

PAYLOADS = Path(__file__).parents[1] / "payloads" / "rdstation"
UPDATED = frozenset({"crm_deal_updated"})


def payload(name: str) -> dict[str, Any]:
    return orjson.loads((PAYLOADS / f"{name}.json").read_bytes())  # type: ignore[no-any-return] # payloads are objects


def arrived(name: str, number: int = 1) -> Event:
    return event_of(crm(), payload(name), number)


def matching(block: JsonObject) -> Matcher:
    def report(*problem: object) -> None:
        raise AssertionError(problem)

    return compile_match(block, report, lambda _: None)


@dataclass(frozen=True)
class Says:
    """A structure, text or condition that answers with a part of the context, or fails."""

    path: str = "deal.name"
    fails: str | None = None

    @property
    def source(self) -> str:
        return self.path

    def _value(self, context: Context) -> Any:
        if self.fails:
            raise RenderError(self.fails)
        kind, _, field_ = self.path.partition(".")
        entity = context[kind]
        assert isinstance(entity, Mapping)
        return entity[field_]

    def test(self, context: Context) -> bool:
        return bool(self._value(context))


class Content(Says):
    def render(self, context: Context) -> JsonObject:
        return {"text": self._value(context)}


class Key(Says):
    def render(self, context: Context) -> str:
        return str(self._value(context))


def lost() -> Listener:
    trigger = crm().triggers["deal.lost"]
    return Listener("deal.lost", frozenset(trigger.events), matching(trigger.match))


def route(name: str = "r", *listeners: Listener, **parts: Any) -> Route:
    deliver = parts.pop("deliver", (DeliverEntry("sales", Content()),))
    return Route(name, listeners or (Listener("crm_deal_updated", UPDATED),), deliver, **parts)


@dataclass
class Contexts:
    """Builds contexts and counts how often it was asked."""

    asked: list[Change] = field(default_factory=list)

    def __call__(self, change: Change, source: AnySource, related: Related) -> Context:
        assert source.name == "crm"
        self.asked.append(change)
        return {"deal": change.current}


def router(*routes: Route, contexts: Contexts | None = None) -> Router:
    return Router({"crm": crm()}, routes, contexts or Contexts(), ManualClock())


def told(router_: Router, *names: str) -> list[RoutedEvent]:
    """Route payloads in one batch, in the order of their arrival."""
    return list(in_order(router_.decide, [arrived(name, number) for number, name in enumerate(names, 1)], {}))


def test_a_matching_route_plans_a_delivery_that_is_due_now() -> None:
    (routed,) = told(router(route("deal-lost", lost())), "crm_deal_updated__lost")
    (delivery,) = routed.deliveries
    assert routed.state is EventState.ROUTED
    assert delivery.id.startswith("dlv_")
    assert (delivery.event_id, delivery.route, delivery.entry, delivery.target) == ("evt_001", "deal-lost", 0, "sales")
    assert delivery.key == "deal:650878567482d9c0c7002050a475"
    assert delivery.content == {"text": "Padaria Estrela: plano anual"}
    assert (delivery.state, delivery.reason, delivery.attempts) == (DeliveryState.PENDING, None, 0)
    assert delivery.due_at == delivery.created_at == ManualClock().now()


def test_an_event_that_no_route_hears_is_unmatched_and_still_remembered() -> None:
    contexts = Contexts()
    (routed,) = told(router(route("deal-lost", lost()), contexts=contexts), "crm_deal_updated__ongoing")
    assert (routed.state, routed.deliveries, routed.reason) == (EventState.UNMATCHED, (), None)
    assert routed.entity_state is not None
    assert contexts.asked == []


def test_each_event_of_a_batch_sees_what_those_before_it_left() -> None:
    names = ["ongoing", "lost", "lost_again_uuid", "edited_after_loss", "reopened", "lost"]
    routed = told(router(route("deal-lost", lost())), *(f"crm_deal_updated__{name}" for name in names))
    assert [event.state for event in routed] == [
        EventState.UNMATCHED,
        EventState.ROUTED,
        EventState.DUPLICATE,
        EventState.UNMATCHED,
        EventState.UNMATCHED,
        EventState.STALE,
    ]


def test_the_last_states_that_were_given_are_not_changed() -> None:
    states: dict[StateKey, EntityState] = {}
    assert list(in_order(router().decide, [arrived("crm_deal_updated__ongoing")], states))
    assert states == {}


def test_a_last_state_that_was_given_counts() -> None:
    event = arrived("crm_deal_updated__lost")
    (before,) = told(router(), "crm_deal_updated__ongoing")
    assert before.entity_state is not None
    moved = route("moved", match=matching({"status": {"from": "ongoing"}}))
    (routed,) = in_order(router(moved).decide, [event], {("crm", before.entity_state.entity): before.entity_state})
    assert routed.state is EventState.ROUTED
    (other,) = in_order(router(moved).decide, [event], {("another", before.entity_state.entity): before.entity_state})
    assert other.state is EventState.UNMATCHED


def test_a_first_sight_of_an_old_loss_stays_silent() -> None:
    (routed,) = told(router(route("deal-lost", lost())), "crm_deal_updated__old_loss")
    assert routed.state is EventState.UNMATCHED


def test_a_route_delivers_once_however_many_of_its_listeners_agree() -> None:
    both = route("both", lost(), Listener("any", UPDATED))
    (routed,) = told(router(both), "crm_deal_updated__lost")
    assert len(routed.deliveries) == 1


def test_one_listener_that_agrees_is_enough() -> None:
    won = Listener("deal.won", UPDATED, matching({"status": {"to": "won"}}))
    (routed,) = told(router(route("closed", lost(), won)), "crm_deal_updated__won")
    assert routed.state is EventState.ROUTED
    (silent,) = told(router(route("closed", lost(), won)), "crm_deal_updated__ongoing")
    assert silent.state is EventState.UNMATCHED


def test_a_listener_of_another_event_does_not_count() -> None:
    task = Listener("tasks", frozenset({"crm_task_updated"}))
    (routed,) = told(router(route("r", task, lost())), "crm_deal_updated__ongoing")
    assert routed.state is EventState.UNMATCHED


def test_match_and_when_must_both_agree() -> None:
    for rating, when, state in [(4, "rating", "routed"), (5, "rating", "unmatched"), (4, "closed_at", "unmatched")]:
        asked = route("r", match=matching({"rating": rating}), when=Says(f"deal.{when}"))
        (routed,) = told(router(asked), "crm_deal_updated__ongoing")
        assert routed.state == state


def test_routes_and_entries_are_delivered_in_the_order_of_the_file() -> None:
    entries = (DeliverEntry("sales", Content()), DeliverEntry("board", Content("deal.rating")))
    (routed,) = told(router(route("b", deliver=entries), route("a")), "crm_deal_updated__ongoing")
    assert [(each.route, each.entry, each.target) for each in routed.deliveries] == [
        ("b", 0, "sales"),
        ("b", 1, "board"),
        ("a", 0, "sales"),
    ]


def test_the_names_of_templates_are_made_once_per_event_and_only_when_needed() -> None:
    contexts = Contexts()
    told(router(route("a"), route("b"), contexts=contexts), "crm_deal_updated__ongoing")
    assert len(contexts.asked) == 1


@pytest.mark.parametrize(("path", "key"), [("deal.user", "{"), ("deal.name", "Padaria Estrela: plano anual")])
def test_an_entry_may_name_its_key(path: str, key: str) -> None:
    keyed = route(deliver=(DeliverEntry("sales", Content(), Key(path)),))
    (routed,) = told(router(keyed), "crm_deal_updated__ongoing")
    assert routed.deliveries[0].key.startswith(key)


def test_a_blank_key_falls_back_to_the_entity() -> None:
    blank = replace(arrived("crm_deal_updated__ongoing"))
    body = payload("crm_deal_updated__ongoing")
    body["document"]["name"] = "  "
    keyed = route(deliver=(DeliverEntry("sales", Content("deal.rating"), Key("deal.name")),))
    routed = router(keyed).decide(replace(blank, body=orjson.dumps(body)), None)
    assert routed.deliveries[0].key == "deal:650878567482d9c0c7002050a475"


def test_an_entry_that_fails_to_render_is_a_dead_delivery_and_the_others_go_out() -> None:
    entries = (
        DeliverEntry("sales", Content(fails="'deal' has no 'nmae'")),
        DeliverEntry("board", Content(), Key(fails="bad key")),
        DeliverEntry("screen", Content()),
    )
    (routed,) = told(router(route(deliver=entries)), "crm_deal_updated__ongoing")
    assert routed.state is EventState.ROUTED
    assert [(each.state, each.reason, each.content is None) for each in routed.deliveries] == [
        (DeliveryState.DEAD, "'deal' has no 'nmae'", True),
        (DeliveryState.DEAD, "bad key", True),
        (DeliveryState.PENDING, None, False),
    ]
    assert {each.key for each in routed.deliveries} == {"deal:650878567482d9c0c7002050a475"}


def test_a_condition_that_fails_leaves_every_entry_dead_and_visible() -> None:
    entries = (DeliverEntry("sales", Content()), DeliverEntry("board", Content()))
    (routed,) = told(router(route(deliver=entries, when=Says(fails="it gave 3"))), "crm_deal_updated__ongoing")
    assert [(each.state, each.reason) for each in routed.deliveries] == [
        (DeliveryState.DEAD, "`when` failed: it gave 3")
    ] * 2


def too_long() -> Event:
    """Return an event whose name is longer than any that is searched."""
    body = payload("crm_deal_updated__ongoing")
    body["document"]["name"] = "x" * LONGEST
    return replace(arrived("crm_deal_updated__ongoing"), body=orjson.dumps(body))


SEARCHED = r"`match` failed: `matches` does not search more than 50000 characters"


def test_a_matcher_that_cannot_judge_leaves_every_entry_dead_and_the_other_routes_go_out() -> None:
    entries = (DeliverEntry("sales", Content()), DeliverEntry("board", Content(), Key("deal.rating")))
    searching = route("searching", match=matching({"not": {"name": {"matches": "y"}}}), deliver=entries)
    routed = router(searching, route("other")).decide(too_long(), None)
    assert [(each.route, each.state, each.reason) for each in routed.deliveries] == [
        ("searching", DeliveryState.DEAD, SEARCHED),
        ("searching", DeliveryState.DEAD, SEARCHED),
        ("other", DeliveryState.PENDING, None),
    ]


def test_an_explanation_tells_that_a_matcher_cannot_judge() -> None:
    explained = router(route("searching", match=matching({"name": {"matches": "y"}}))).explain(too_long(), None)
    (searching,) = explained.routes
    assert (searching.listened, searching.matched, searching.error) == (True, False, SEARCHED)
    assert [preview.error for preview in searching.deliveries] == [SEARCHED]
    assert explained.state is EventState.ROUTED, "its dead letters are deliveries"


def test_an_event_whose_source_is_gone_is_quarantined() -> None:
    routed = Router({}, (route(),), Contexts(), ManualClock()).decide(arrived("crm_deal_updated__lost"), None)
    assert (routed.state, routed.reason) == (EventState.QUARANTINED, 'there is no source "crm" any more')


def test_an_event_that_cannot_be_read_is_quarantined_with_the_reason() -> None:
    broken = replace(arrived("crm_deal_updated__lost"), body=b"[]")
    routed = router(route()).decide(broken, None)
    assert routed.state is EventState.QUARANTINED
    assert routed.reason == "the body is JSON, but no object"
    assert (routed.deliveries, routed.entity_state) == ((), None)


def test_an_event_without_an_entity_is_ordered_by_itself() -> None:
    loose = replace(arrived("crm_deal_updated__lost"), entity=None)
    routed = router(route()).decide(loose, None)
    assert routed.deliveries[0].key == "evt_001"
    assert routed.entity_state is None


def test_a_deletion_delivers_what_was_last_known() -> None:
    deleted = Listener("deal.deleted", frozenset({"crm_deal_deleted"}))
    gone = route("gone", deleted, deliver=(DeliverEntry("sales", Content("deal.amount_total")),))
    *_, routed = told(router(gone), "crm_deal_updated__ongoing", "crm_deal_deleted__same_second")
    assert routed.deliveries[0].content == {"text": 11050.5}


def test_a_replay_compares_with_what_came_before_and_moves_nothing() -> None:
    routed = router(route("deal-lost", lost())).replay(
        arrived("crm_deal_updated__lost", 2), arrived("crm_deal_updated__ongoing")
    )
    assert (routed.event_id, routed.state, routed.entity_state) == ("evt_002", EventState.ROUTED, None)
    again = router(route("deal-lost", lost())).replay(
        arrived("crm_deal_updated__edited_after_loss", 3), arrived("crm_deal_updated__lost")
    )
    assert again.state is EventState.UNMATCHED


def test_a_replay_of_what_was_first_sight_is_a_first_sight() -> None:
    assert router(route("deal-lost", lost())).replay(arrived("crm_deal_updated__lost"), None).state is EventState.ROUTED


def test_a_replay_beside_an_event_that_cannot_be_read_is_a_first_sight() -> None:
    unread = replace(arrived("crm_deal_updated__ongoing"), body=b"")
    assert router(route()).replay(arrived("crm_deal_updated__lost"), unread).state is EventState.ROUTED


def test_a_replay_reads_anew_what_could_not_be_read_when_it_came() -> None:
    quarantined = replace(arrived("crm_deal_updated__lost"), name="", entity=None, state=EventState.QUARANTINED)
    routed = router(route("deal-lost", lost())).replay(quarantined, None)
    assert routed.deliveries[0].key == "deal:650878567482d9c0c7002050a475"
    still = router(route()).replay(replace(quarantined, body=b"{}"), None)
    assert still.state is EventState.QUARANTINED
    assert Router({}, (), Contexts(), ManualClock()).replay(quarantined, None).state is EventState.QUARANTINED


def state_of(name: str) -> EntityState:
    state = router().state_after(arrived(name))
    assert state is not None
    return state


def test_an_explanation_tells_for_every_route_what_it_said() -> None:
    routes = (
        route("tasks", Listener("task", frozenset({"crm_task_updated"}))),
        route("big", lost(), match=matching({"amount_total": {"gte": 20000}})),
        route("never", when=Says("deal.prediction_date")),
        route("failing", when=Says(fails="oh")),
        route("deal-lost", lost(), deliver=(DeliverEntry("sales", Content(), Key("deal.name")),)),
        route("half", deliver=(DeliverEntry("sales", Content(fails="no")),), when=Says("deal.rating")),
    )
    explained = router(*routes).explain(arrived("crm_deal_updated__lost", 2), state_of("crm_deal_updated__ongoing"))
    assert (explained.state, explained.reason) == (EventState.ROUTED, None)
    assert explained.change is not None
    assert explained.change.differences["status"] == ("ongoing", "lost")
    tasks, big, never, failing, found, half = explained.routes
    assert (tasks.name, tasks.listened, tasks.matched, tasks.findings) == ("tasks", False, False, ())
    assert (big.listened, big.matched, [finding.matched for finding in big.findings]) == (True, False, [True, False])
    assert big.findings[1].children[0].seen == 11050.5
    assert (never.matched, never.when, never.deliveries) == (False, False, ())
    assert (failing.matched, failing.error) == (False, "`when` failed: oh")
    assert (found.matched, found.when, found.error) == (True, None, None)
    name = "Padaria Estrela: plano anual"
    assert found.deliveries == (Preview("sales", name, {"text": name}, None),)
    assert (half.matched, half.when, half.deliveries[0].error) == (True, True, "no")


def test_an_explanation_of_what_is_no_change_gives_the_reason() -> None:
    explained = router(route()).explain(arrived("crm_deal_updated__ongoing"), state_of("crm_deal_updated__lost"))
    assert (explained.state, explained.change, explained.routes) == (EventState.STALE, None, ())
    assert explained.reason == "a newer document of the entity came before"


def test_an_explanation_of_what_nothing_hears_is_unmatched() -> None:
    explained = router(route("deal-lost", lost())).explain(arrived("crm_deal_updated__ongoing"), None)
    assert explained.state is EventState.UNMATCHED


def test_an_explanation_may_be_given_a_plain_document_that_is_older() -> None:
    before: dict[str, Json] = {**state_of("crm_deal_updated__lost").document, "status": "ongoing"}
    explained = router(route("deal-lost", lost())).explain(arrived("crm_deal_updated__lost"), before)
    assert explained.change is not None
    assert explained.change.differences == {"status": ("ongoing", "lost")}
    created = event_of(crm(), {**payload("crm_deal_updated__lost"), "event_name": "crm_deal_created"})
    assert router().explain(created, before).change is not None


def test_an_explanation_of_an_unreadable_event_is_its_quarantine() -> None:
    broken = replace(arrived("crm_deal_updated__lost"), body=b"[]")
    assert router(route()).explain(broken, {}).state is EventState.QUARANTINED


def test_planning_and_explaining_agree() -> None:
    routes = (route("deal-lost", lost()), route("all"), route("won", match=matching({"status": "won"})))
    for name in ("ongoing", "lost", "won", "old_loss", "v2_dialect"):
        event = arrived(f"crm_deal_updated__{name}")
        planned = router(*routes).decide(event, None)
        explained = router(*routes).explain(event, None)
        assert planned.state is explained.state
        previews = [preview for each in explained.routes for preview in each.deliveries]
        assert [preview_of(delivery) for delivery in planned.deliveries] == previews


def test_a_delivery_is_planned_on_the_terms_of_its_entry_and_in_the_bucket_of_its_message() -> None:
    terms = Terms({"attempts": 3}, "park", supersedes=True)
    entry = DeliverEntry("sales", Content(), handling=lambda content: (str(content["text"])[:7], terms))
    planned = router(route("deal-lost", lost(), deliver=(entry,))).decide(arrived("crm_deal_updated__lost", 2), None)
    assert [(delivery.bucket, delivery.terms) for delivery in planned.deliveries] == [("Padaria", terms)]


def preview_of(delivery: Delivery) -> Preview:
    """Return what was planned as an explanation tells it."""
    return Preview(delivery.target, delivery.key, delivery.content, delivery.reason, delivery.bucket, delivery.terms)
