"""Every message that comes with bridge, as its readers see it."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from bridge.model import Json, JsonObject
from bridge.rendering import Rendering
from bridge.sources._bridge import OWN
from bridge.targets.slack import Slack
from tests.support.changes import NOW, change_of, crm, webhook

TEMPLATES = Path(__file__).parents[2] / "templates"
RENDERING = Rendering(TEMPLATES, "pt-BR", "America/Sao_Paulo", "BRL")
SOURCE = crm()
ESCAPE = Slack.escapes["text"]

REACHED_BY = {
    "deal_lost": ("deal.lost",),
    "deal_won": ("deal.won",),
    "deal_advanced": ("deal.stage_changed",),
    "task_due": ("task.created", "task.rescheduled"),
    "task_completed": ("task.completed",),
    "contact_created": ("contact.created",),
}
TROUBLE = "bridge_avisa"
FOLDERS = ("slack", "en/slack")
"""The messages in Portuguese, and their English twins."""
OFFICIAL = {
    "deal_lost": "crm_deal_updated",
    "deal_won": "crm_deal_updated",
    "deal_advanced": "crm_deal_updated",
    "task_due": "crm_task_created",
    "task_completed": "crm_task_updated",
    "contact_created": "crm_contact_created",
}
LATE: dict[str, Any] = {"due_date": "2026-11-20T10:00:00.000-03:00", "completed_at": "2026-11-24T08:59:00.000-03:00"}


def message(template: str, bodies: Sequence[JsonObject]) -> str:
    """Return the message for Slack; ids, which differ with every sample, are written as one."""
    context = RENDERING.context(change_of(bodies, SOURCE), SOURCE, NOW)
    text = RENDERING.file(f"{template}.md.j2", ESCAPE).render(context)
    return re.sub(r"/deals/[0-9a-f]+", "/deals/ID", text)


def test_every_template_for_slack_about_an_entity_is_looked_at() -> None:
    for folder in FOLDERS:
        named = {path.name.removesuffix(".md.j2") for path in (TEMPLATES / folder).rglob("*.md.j2")}
        assert {*REACHED_BY, TROUBLE, "partes"} <= named
        looked_at = {*REACHED_BY, TROUBLE, "partes"}
        assert all("items" in (TEMPLATES / folder / f"{name}.md.j2").read_text("utf-8") for name in named - looked_at)


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize(
    ("template", "trigger"), [(template, trigger) for template, reached in REACHED_BY.items() for trigger in reached]
)
def test_what_a_trigger_says(folder: str, template: str, trigger: str, snapshot: SnapshotAssertion) -> None:
    assert message(f"{folder}/{template}", SOURCE.story(trigger, NOW)) == snapshot


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("event", OWN.events)
def test_what_bridge_says_of_itself(folder: str, event: str, snapshot: SnapshotAssertion) -> None:
    context = RENDERING.context(change_of(OWN.story(event, NOW), OWN), OWN, NOW)
    text = RENDERING.file(f"{folder}/{TROUBLE}.md.j2", ESCAPE).render(context)
    assert text == snapshot
    assert "None" not in text


@pytest.mark.parametrize(
    ("event", "facts"),
    [
        ("bridge.delivery_dead", {"count": 1}),
        ("bridge.source_silent", {"last_event_at": None}),
        ("bridge.target_paused", {"by": "person", "reason": "they migrate", "waiting": 0}),
        ("bridge.reload_refused", {"count": 12}),
        ("bridge.backlog_growing", {"target": None}),
    ],
)
def test_what_bridge_says_of_itself_fits_the_facts(event: str, facts: JsonObject, snapshot: SnapshotAssertion) -> None:
    *_, body = OWN.story(event, NOW)
    assert isinstance(body["document"], dict)
    context = RENDERING.context(change_of([{**body, "document": {**body["document"], **facts}}], OWN), OWN, NOW)
    assert RENDERING.file(f"slack/{TROUBLE}.md.j2", ESCAPE).render(context) == snapshot


@pytest.mark.parametrize(("template", "event"), OFFICIAL.items())
def test_what_an_official_sample_says(template: str, event: str, snapshot: SnapshotAssertion) -> None:
    assert message(f"slack/{template}", [SOURCE.sample(event, NOW)]) == snapshot


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize(("template", "event"), OFFICIAL.items())
def test_what_an_empty_document_says(folder: str, template: str, event: str, snapshot: SnapshotAssertion) -> None:
    _, kind, action = event.split("_")
    text = message(f"{folder}/{template}", [webhook(kind, action)])
    assert text == snapshot
    assert not re.search(r"None|null|:\*\s*(·|$)|·\s*$|—\s*$|^>\s*$|\n\n", text, re.MULTILINE)


def test_a_task_completed_after_its_due_date_says_so(snapshot: SnapshotAssertion) -> None:
    assert message("slack/task_completed", [webhook("task", name="Ligar", status="completed", **LATE)]) == snapshot


def test_a_long_description_in_html_becomes_one_short_line(snapshot: SnapshotAssertion) -> None:
    description = "<p>Ligar &amp; confirmar</p><ul>" + "<li>um ponto a tratar</li>" * 20 + "</ul>"
    assert message("slack/task_due", [webhook("task", "created", name="Ligar", description=description)]) == snapshot


HOSTILE = st.text(st.sampled_from("<>&!@#|channelhttps://*_~`\n ") | st.characters(codec="utf-8"), max_size=30)


def _filled(shape: Json, text: str, field: str = "") -> Json:
    """Return a document of this shape with the text wherever one may stand."""
    if isinstance(shape, dict):
        return {key: _filled(value, text, key) for key, value in shape.items()}
    if isinstance(shape, list):
        return [_filled(item, text) for item in shape]
    return 5.0 if field.startswith("amount") or field in {"order", "rating"} else text


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize(("template", "event"), OFFICIAL.items())
@given(text=HOSTILE)
def test_no_data_becomes_a_mention_or_a_link(folder: str, template: str, event: str, text: str) -> None:
    _, kind, action = event.split("_")
    shape = {**SOURCE.shapes[kind], "custom": None, "custom_fields": {}, "deal_custom_fields": []}
    document = {name: _filled(value, text, name) for name, value in shape.items()} | {"id": "1"}
    earlier, later = "2026-11-24T08:00:00.000-03:00", "2026-11-24T08:59:00.000-03:00"
    story = [webhook(kind, action, **document | {"updated_at": later})]
    if action == "updated":
        story.insert(0, webhook(kind, action, **document | {"updated_at": earlier, "status": "open"}))
    written = message(f"{folder}/{template}", story)
    active = re.findall(r"<([^<>]*)>", written)
    assert all(link.startswith("https://crm.rdstation.com/app/deals/") for link in active)
    assert written.count("<") == len(active)
    assert not re.search(r"&(?!(amp|lt|gt);)", written)
