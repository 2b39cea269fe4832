"""Rendering as a rules file with a Brazilian region has it, over a folder of the test's own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from bridge.rendering import Rendering
from bridge.targets.slack import Slack
from tests.support.changes import NOW, change_of, crm, webhook

# A machine that is busy elsewhere must not fail a property.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

Render = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def rendering(folder: Path) -> Rendering:
    return Rendering(folder, "pt-BR", "America/Sao_Paulo", "BRL")


@pytest.fixture
def context(rendering: Rendering) -> dict[str, object]:
    """A deal that was just lost."""
    before: dict[str, Any] = {"name": "Loja <!channel> & Cia", "amount_total": 9000.0}
    before |= {"items": [1, 2], "tags": ["a", "<b>"]}
    stage = {"id": "s1", "name": "Proposta", "order": 3}
    lost = before | {"amount_total": 11050.5, "status": "lost", "updated_at": "2026-11-24T09:00:00.000-03:00"}
    bodies = [webhook("deal", **before, deal_stage=stage), webhook("deal", **lost, deal_stage=stage)]
    return rendering.context(change_of(bodies), crm(), NOW)


@pytest.fixture
def render(rendering: Rendering, context: dict[str, object]) -> Render:
    """Renders a text, as it is or (``slack=True``) with Slack's escape; further names join the context."""

    def run(source: str, *, slack: bool = False, **names: Any) -> str:
        escape = Slack.escapes["text"] if slack else None
        return rendering.text(source, escape).render({**context, **names})

    return run
