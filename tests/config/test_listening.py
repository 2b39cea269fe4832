"""What bridge tells of itself, in rules: only who means its events hears them, and their fields are known."""

from datetime import timedelta

import pytest

from bridge.routing.router import in_order
from bridge.sources._bridge import OWN, Bridge
from tests.support.changes import NOW, event_of
from tests.support.rules import HEAD, Rules


def route(on: str, text: str) -> str:
    return f"""\
routes:
  - name: shown
    on: "{on}"
    deliver:
      - {{to: sales, text: "{text}"}}
"""


@pytest.mark.parametrize("name", Bridge.events)
def test_every_event_of_bridge_itself_loads_with_all_of_its_fields(rules: Rules, name: str) -> None:
    kind = Bridge.events[name]
    text = " ".join(f"{{{{ {kind}.{field} }}}} {{{{ previous.{field} }}}}" for field in Bridge.shapes[kind])
    rules.write(route(name, text))
    [listener] = rules.load().ruleset.routes[0].listeners
    assert (listener.name, listener.events) == (name, frozenset({name}))


@pytest.mark.parametrize("name", Bridge.events)
def test_a_field_that_an_event_of_bridge_itself_has_not_is_a_problem(rules: Rules, name: str) -> None:
    kind = Bridge.events[name]
    rules.write(route(name, f"{{{{ {kind}.nothing }}}} {{{{ deal.name }}}}"))
    found = "".join(rules.problems())
    assert f'the {kind} has no field "nothing"' in found
    assert 'there is no "deal" here' in found


@pytest.mark.parametrize(
    ("pattern", "own"), [("bridge.*", len(Bridge.events)), ("bridge.target_*", 2), ("*", 0), ("*_[dp]*", 0)]
)
def test_only_a_pattern_that_begins_with_bridge_means_its_events(rules: Rules, pattern: str, own: int) -> None:
    rules.write(route(pattern, "{{ event.name }}"))
    events = rules.load().ruleset.routes[0].events
    assert len(events & Bridge.events.keys()) == own
    assert (len(events) > own) == (own == 0)


def test_dead_letters_can_queue_behind_what_is_told_of_their_target(rules: Rules) -> None:
    rules.write(route("bridge.*", "{{ event.name }}").replace("to: sales", "to: sales, key: target"))
    events = [event_of(OWN, OWN.story(name, NOW)[-1]) for name in ("bridge.delivery_dead", "bridge.target_paused")]
    routed = list(in_order(rules.load().ruleset.router.decide, events, {}))
    assert [delivery.key for each in routed for delivery in each.deliveries] == ["target:vendas"] * 2


def test_the_source_of_its_events_is_no_source_of_the_file(rules: Rules) -> None:
    rules.write(route("bridge.*", "x"))
    assert list(rules.load().ruleset.sources) == ["crm"]


def test_a_silence_is_a_time(rules: Rules) -> None:
    rules.write(
        route("deal.lost", "x"), head=HEAD.replace("{type: rdstation_crm}", "{type: rdstation_crm, silence: 36h}")
    )
    assert rules.load().ruleset.sources["crm"].options.silence == timedelta(hours=36)
    rules.write(
        route("deal.lost", "x"), head=HEAD.replace("{type: rdstation_crm}", "{type: rdstation_crm, silence: 36}")
    )
    assert 'write a duration such as "30s"' in "".join(rules.problems())
