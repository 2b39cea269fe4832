"""The descriptions of cards that come with bridge, as their readers see them, and what any payload makes of them."""

import asyncio
import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from yarl import URL

from bridge.component import Answer, Request
from bridge.config import load
from bridge.model import Json, JsonObject, Message
from bridge.options import StandIns
from bridge.rendering import Rendering
from bridge.routing.router import in_order
from bridge.targets.trello import Trello
from bridge.trial import MovedClock, Runner
from bridge.trial.service import PlayedHttp
from tests.contracts.target import KnownLinks
from tests.support.changes import NOW, change_of, crm, event_of, webhook
from tests.support.clock import ManualClock
from tests.support.trello_contract import KEY, TOKEN, Asked, violations

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
EXAMPLE = ROOT / "examples" / "trello" / "routes.yaml"
RENDERING = Rendering(TEMPLATES, "pt-BR", "America/Sao_Paulo", "BRL")
SOURCE = crm()
REACHED_BY = {"deal_card": "deal.created", "task_card": "task.created"}


def description(template: str, bodies: Sequence[JsonObject]) -> str:
    context = RENDERING.context(change_of(bodies, SOURCE), SOURCE, NOW)
    text = RENDERING.file(f"trello/{template}.md.j2", Trello.escapes["desc"]).render(context)
    return re.sub(r"/deals/[0-9a-f]+", "/deals/ID", text)


def test_every_template_is_looked_at() -> None:
    assert {path.name.removesuffix(".md.j2") for path in (TEMPLATES / "trello").iterdir()} == {*REACHED_BY, "partes"}


@pytest.mark.parametrize(("template", "trigger"), REACHED_BY.items())
def test_what_a_card_says(template: str, trigger: str, snapshot: SnapshotAssertion) -> None:
    assert description(template, SOURCE.story(trigger, NOW)) == snapshot


@pytest.mark.parametrize("template", REACHED_BY)
def test_what_an_empty_document_says(template: str) -> None:
    text = description(template, [webhook(template.partition("_")[0], name="x")])
    assert "None" not in text
    assert ":** \n" not in text


def test_a_lost_deal_says_why(snapshot: SnapshotAssertion) -> None:
    assert description("deal_card", SOURCE.story("deal.lost", NOW)) == snapshot


def test_the_tests_of_the_example_pass() -> None:
    clock = MovedClock()
    loaded = load(EXAMPLE, StandIns(), clock)
    assert loaded.warnings == ()
    results = [Runner(loaded.ruleset, loaded.named, clock).run(trial) for trial in loaded.trials]
    assert {result.trial.name: result.failure for result in results if result.failure} == {}
    assert len(results) > 3


class Listening(PlayedHttp):
    """The way out to a board that takes everything, with what was asked of it."""

    def __init__(self, target: Trello) -> None:
        super().__init__(target, (), MovedClock())
        self.broken: list[str] = []
        self.asked: list[Asked] = []

    async def call(self, request: Request) -> Answer:
        url = URL(request.url)
        body = json.loads(request.body) if request.body else None
        self.asked.append(Asked(request.method, url.path.removeprefix("/1"), dict(url.query), body))
        self.broken += violations(self.asked[-1], request.headers["Authorization"])
        return await super().call(request)


RULES = load(EXAMPLE, {"TRELLO_API_KEY": KEY, "TRELLO_TOKEN": TOKEN}, ManualClock()).ruleset
ANY_TEXT = st.text(st.sampled_from("<>@#*_[]()`\\|~&-\n 1.áé😀"), max_size=40) | st.text(max_size=40)
ANY_VALUE = st.one_of(
    ANY_TEXT, st.none(), st.integers(-(2**63), 2**63), st.floats(allow_nan=False, allow_infinity=False)
)


def filled(shape: Json, text: str, field: str = "") -> Json:
    """Return a document of a shape with a text wherever one may stand."""
    if isinstance(shape, dict):
        return {key: filled(value, text, key) for key, value in shape.items()}
    if isinstance(shape, list):
        return [filled(item, text) for item in shape]
    return 5.0 if field.startswith("amount") or field in {"order", "rating"} else text


async def asked_of_trello(body: JsonObject) -> Listening:
    """Send what the example makes of a webhook to a board that takes everything."""
    target = RULES.targets["quadro"]
    assert isinstance(target, Trello)
    service, links = Listening(target), KnownLinks()
    for delivery in next(iter(in_order(RULES.router.decide, [event_of(SOURCE, body)], {}))).deliveries:
        assert delivery.reason is None, delivery.reason
        assert delivery.content is not None
        links.keep(await target.send(Message(delivery.id, delivery.key, delivery.content), links, service))
    return service


@pytest.mark.parametrize("kind", ["deal", "task"])
@settings(max_examples=40, deadline=None)
@given(text=ANY_TEXT)
def test_any_text_in_a_payload_makes_requests_that_trello_accepts(kind: str, text: str) -> None:
    fixed: dict[str, JsonObject] = {
        "deal": {"status": "ongoing"},
        "task": {"status": "open", "due_date": "2026-11-24T18:00:00-03:00", "completed_at": None},
    }
    document = filled(SOURCE.shapes[kind], text)
    assert isinstance(document, dict)
    service = asyncio.run(asked_of_trello(webhook(kind, "created", **{**document, **fixed[kind], "id": "1"})))
    assert service.broken == []
    assert any(asked.line == "POST /cards" for asked in service.asked) is bool(text.split())


@settings(max_examples=40, deadline=None)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("name", "amount_total", "rating", "user"), ANY_VALUE)))
def test_any_value_in_a_payload_makes_requests_that_trello_accepts_or_a_failure_to_render(fields: JsonObject) -> None:
    body = webhook("deal", "created", **{"status": "ongoing", "deal_stage": {"id": "1", "name": "Nova"}, **fields})
    (routed,) = in_order(RULES.router.decide, [event_of(SOURCE, body)], {})
    if all(delivery.reason is None for delivery in routed.deliveries):
        assert asyncio.run(asked_of_trello(body)).broken == []
