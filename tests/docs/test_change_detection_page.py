"""The tables of the page on change detection, played with the code that routes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.config import load
from bridge.document import differences
from bridge.model import Entity, EntityState, Event, JsonObject, RoutedEvent, StateKey
from bridge.options import read_yaml
from bridge.rdstation import QUIET
from bridge.routing.router import Router
from tests.docs.fragments import lay_out
from tests.docs.pages import ROOT, blocks, code, codes, rows
from tests.support.changes import crm, event_of

PAGE = ROOT / "docs/explanation/change-detection.md"
RULES, COMPARED = "What an event comes to", "Differences"
LIFE, FIRST = "A deal's life", "Deals seen for the first time"
DAY, ZONE = "2026-11-24T", "-03:00"


@dataclass(frozen=True, slots=True)
class Step:
    """One row: the webhook, and what the page says of it."""

    number: str
    deal: str
    action: str
    uuid: str
    at: str
    document: JsonObject
    becomes: str
    differences: frozenset[str]
    routes: tuple[str, ...]

    @property
    def webhook(self) -> JsonObject:
        moment = f"{DAY}{self.at}{ZONE}"
        dated: JsonObject = {} if self.action == "deleted" else {"updated_at": moment}
        announced = datetime.fromisoformat(moment).astimezone(UTC)
        return {
            "event_name": f"crm_deal_{self.action}",
            "document": {"id": self.deal, "name": "Loja Ação", **dated, **self.document},
            "event_timestamp": f"{announced:%Y-%m-%dT%H:%M:%S}.000Z",
            "transaction_uuid": self.uuid,
        }


def _object(cell: str) -> JsonObject:
    data = read_yaml(code(cell).encode(), "cell").data
    assert isinstance(data, dict), cell
    return data


def _step(row: tuple[str, ...], deal: str) -> Step:
    number, action, uuid, at, document, becomes, changed, routes = row
    told = becomes.replace("`", "")
    return Step(
        number, deal, code(action), uuid, at, _object(document), told, frozenset(codes(changed)), tuple(codes(routes))
    )


def life() -> list[Step]:
    return [_step(row, "6650f1") for row in rows(PAGE, LIFE)]


def first_sights() -> list[Step]:
    return [_step(row, row[0]) for row in rows(PAGE, FIRST)]


@dataclass
class Player:
    """Takes webhooks one after another, as ingest and the dispatcher do."""

    router: Router
    states: dict[StateKey, EntityState]
    seen: dict[str, str]

    def play(self, steps: Iterable[Step]) -> list[Step]:
        """Return the steps with what really came of them."""
        return [self._played(step, number) for number, step in enumerate(steps, 1)]

    def _played(self, step: Step, number: int) -> Step:
        event = event_of(crm(), step.webhook, number)
        if first := self.seen.get(event.dedup_key):
            return replace(step, becomes=f"the event of {first}", differences=frozenset(), routes=())
        self.seen[event.dedup_key] = step.number
        last = self.states.get(_place(event))
        explanation = self.router.explain(event, last)
        routed = self.router.decide(event, last)
        if routed.entity_state:
            self.states[_place(event)] = routed.entity_state
        changed = frozenset(explanation.change.differences if explanation.change else ())
        routes = tuple(delivery.route for delivery in routed.deliveries)
        return replace(step, becomes=_told(routed), differences=changed, routes=routes)


def _place(event: Event) -> tuple[str, Entity]:
    assert event.entity
    return event.source, event.entity


def _told(routed: RoutedEvent) -> str:
    return f"{routed.state.value}: {routed.reason}" if routed.reason else routed.state.value


@pytest.fixture
def player(tmp_path: Path) -> Player:
    """The router that the rules on the page make."""
    [block] = [block for block in blocks(PAGE) if block.language == "yaml"]
    path, environ = lay_out(block, tmp_path)
    return Player(load(path, environ).ruleset.router, {}, {})


def test_the_life_of_a_deal_is_as_the_page_tells_it(player: Player) -> None:
    assert player.play(life()) == life()


def test_first_sights_are_as_the_page_tells_them(player: Player) -> None:
    assert player.play(first_sights()) == first_sights()


@pytest.mark.parametrize("left_out", ["1", "4", "10"])
def test_a_life_that_went_otherwise_would_be_told_from_this_one(player: Player, left_out: str) -> None:
    shown = [step for step in life() if step.number != left_out]
    assert player.play(shown) != shown


def test_the_tables_play_what_the_page_speaks_of(player: Player) -> None:
    told = [step.becomes.partition(": ") for step in player.play([*life(), *first_sights()])]
    assert {reason for _, _, reason in told if reason} == {code(row[-1]) for row in rows(PAGE, RULES) if row[-1]}
    assert {state for state, _, _ in told} == {"routed", "unmatched", "duplicate", "stale", "the event of 4"}


@pytest.mark.parametrize("row", rows(PAGE, COMPARED), ids=lambda row: f"{row[0]} {row[1]}")
def test_differences_are_as_the_page_tells_them(row: tuple[str, str, str]) -> None:
    before, after, changed = row
    assert set(differences(_object(before), _object(after), QUIET)) == set(codes(changed))


def test_there_are_differences_to_compare() -> None:
    assert any(codes(changed) for *_, changed in rows(PAGE, COMPARED))
    assert any(not changed for *_, changed in rows(PAGE, COMPARED))
