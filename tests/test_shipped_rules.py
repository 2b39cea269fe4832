"""The rules and messages that come with bridge: they load without a word, and every sample renders through them."""

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.config import load
from bridge.model import DeliveryState, Event, EventState, JsonObject, RoutedEvent
from bridge.routing.router import in_order
from bridge.ruleset import Ruleset
from bridge.sources._bridge import OWN
from bridge.trial import MovedClock, Runner
from tests.support.changes import NOW, crm, event_of
from tests.support.clock import ManualClock

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "routes.yaml"
SOURCE = crm()
HEARD = {
    "deal.lost": "negociacao-perdida",
    "deal.won": "negociacao-ganha",
    "deal.stage_changed": "negociacao-avancou",
    "task.created": "tarefa-com-prazo",
    "task.rescheduled": "tarefa-com-prazo",
    "task.completed": "tarefa-concluida",
    "contact.created": "contato-novo",
}


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    return load(SHIPPED, {}, ManualClock()).ruleset


def _told(ruleset: Ruleset, bodies: Sequence[JsonObject]) -> RoutedEvent:
    """Return what the last of an entity's webhooks comes to."""
    events: list[Event] = [event_of(SOURCE, body, number) for number, body in enumerate(bodies, 1)]
    return list(in_order(ruleset.router.decide, events, {}))[-1]


def test_they_load_without_a_problem_a_warning_or_a_setting() -> None:
    assert load(SHIPPED, {}, ManualClock()).warnings == ()


def test_they_load_for_slack_once_the_one_commented_place_is_changed(tmp_path: Path) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    text = text.replace("    type: log\n", "", 1)
    text = re.sub(r"    # (type: slack|token: .*|channel: .*)\n", r"    \1\n", text)
    (tmp_path / "routes.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "templates").symlink_to(ROOT / "templates")
    loaded = load(tmp_path / "routes.yaml", {"SLACK_BOT_TOKEN": "xoxb-1"}, ManualClock())
    assert loaded.warnings == ()
    routed = _told(loaded.ruleset, SOURCE.story("deal.lost", NOW))
    assert [delivery.target for delivery in routed.deliveries] == ["vendas"]


def test_every_other_commented_line_is_a_rule_that_loads_too(tmp_path: Path) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    text = re.sub(r"^( +)# (match:|  amount_total:.*|secrets:.*)$", r"\1\2", text, flags=re.MULTILINE)
    (tmp_path / "routes.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "templates").symlink_to(ROOT / "templates")
    loaded = load(tmp_path / "routes.yaml", {"BRIDGE_CRM_SECRET": "long-enough-secret-0123456789abcdef"}, ManualClock())
    assert loaded.ruleset.routes[0].match is not None


@pytest.fixture(scope="module")
def telling(tmp_path_factory: pytest.TempPathFactory) -> Ruleset:
    """Return the rules with their last route, which is commented out, and the option that belongs to it."""
    folder, text = tmp_path_factory.mktemp("telling"), SHIPPED.read_text(encoding="utf-8")
    begin = text.index("  # - name: bridge-avisa")
    text = text[:begin].replace("    # silence:", "    silence:") + text[begin:].replace("  # ", "  ")
    (folder / "routes.yaml").write_text(text, encoding="utf-8")
    (folder / "templates").symlink_to(ROOT / "templates")
    loaded = load(folder / "routes.yaml", {}, ManualClock())
    assert loaded.warnings == ()
    return loaded.ruleset


def test_a_day_of_silence_is_told_once_the_line_is_no_comment(telling: Ruleset) -> None:
    assert telling.sources["crm"].options.silence == timedelta(days=1)


@pytest.mark.parametrize("name", OWN.events)
def test_what_bridge_tells_of_itself_is_a_message_once_its_rule_is_no_comment(telling: Ruleset, name: str) -> None:
    events = [event_of(OWN, body, number) for number, body in enumerate(OWN.story(name, NOW))]
    routed = list(in_order(telling.router.decide, events, {}))[-1]
    [delivery] = routed.deliveries
    assert (delivery.route, delivery.state, delivery.reason) == ("bridge-avisa", DeliveryState.PENDING, None)


@pytest.mark.parametrize(("trigger", "route"), HEARD.items())
def test_each_trigger_they_listen_to_is_told_once(ruleset: Ruleset, trigger: str, route: str) -> None:
    routed = _told(ruleset, SOURCE.story(trigger, NOW))
    assert [(delivery.route, delivery.state) for delivery in routed.deliveries] == [(route, DeliveryState.PENDING)]
    content = routed.deliveries[0].content
    assert content is not None
    assert "None" not in str(content["text"])


@pytest.mark.parametrize("name", sorted({*SOURCE.events, *SOURCE.triggers}))
def test_every_sample_renders_without_an_error(ruleset: Ruleset, name: str) -> None:
    routed = _told(ruleset, SOURCE.story(name, NOW))
    assert routed.state in {EventState.ROUTED, EventState.UNMATCHED}
    assert all(delivery.state is DeliveryState.PENDING for delivery in routed.deliveries), routed.deliveries


def test_their_own_tests_pass() -> None:
    clock = MovedClock()
    loaded = load(SHIPPED, {}, clock)
    results = [Runner(loaded.ruleset, loaded.named, clock).run(trial) for trial in loaded.trials]
    assert {result.trial.name: result.failure for result in results if result.failure} == {}
    assert len(results) > 3


def test_every_route_is_reached_by_a_trigger(ruleset: Ruleset) -> None:
    assert {route.name for route in ruleset.routes} == set(HEARD.values())


def test_messages_of_a_task_wait_in_the_line_of_its_deal(ruleset: Ruleset) -> None:
    bodies = SOURCE.story("task.created", NOW)
    document = bodies[-1]["document"]
    assert isinstance(document, dict)
    assert _told(ruleset, bodies).deliveries[0].key == f"deal:{document['deal_id']}"
