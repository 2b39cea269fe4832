"""A deal's task at Asana, from its webhooks to the project, with all that can go wrong in between."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from bridge.trial import MovedClock
from tests.support.asana import FakeAsana, Fault
from tests.support.deals import Deal
from tests.support.life import IN_HASTE, Mishaps, live, one_by_one, outlived, staged

RULES = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  tasks: TARGET
routes:
  - name: task
    on: [deal.created, crm_deal_updated]
    deliver:
      - to: tasks
        name: "{{ deal.name }}"
        notes: "Nota {{ deal.rating }}"
        section: "{{ {'won': 'Ganhas', 'lost': 'Perdidas'}.get(deal.status, 'Novas') }}"
        completed: "{{ deal.status == 'won' }}"
  - name: told
    on: deal.lost
    deliver:
      - {to: tasks, comment: "perdida {{ event.occurred_at | datetime }}"}
"""
FAULTS = (
    Fault(429, "too many requests"),
    Fault(503),
    Fault(504, "timed out", done=True),
    Fault(lost=True),
    Fault(lost=True, done=True),
)


def rules_for(asana: FakeAsana, **options: Any) -> str:
    """Return the rules for a project."""
    return RULES.replace("TARGET", json.dumps({"type": "asana", **asana.options(**options)}))


def assert_as_newest(asana: FakeAsana, document: dict[str, Any]) -> None:
    """Fail unless there is one task, and it is as the newest document has the deal, with no comment twice."""
    task, status = asana.task, document["status"]
    assert task["name"] == "Padaria Estrela"
    assert task["notes"].startswith(f"Nota {document['rating']}\n\n[bridge:")
    assert task["section"] == {"won": "Ganhas", "lost": "Perdidas"}.get(status, "Novas")
    assert task["completed"] is (status == "won")
    told = [story["text"] for story in asana.stories[task["gid"]]]
    assert len(told) == len(set(told))


@pytest.mark.parametrize(
    ("point", "passage", "last"),
    [
        ("request after it left", 4, "/tasks"),
        ("answer before it is read", 4, "/tasks"),
        ("answer before it is read", 5, "/addTask"),
        ("answer before record", 1, "/addTask"),
        ("record before commit", 1, "/addTask"),
        ("answer before record", 3, "/stories"),
    ],
)
async def test_a_daemon_that_is_killed_beside_its_service_makes_one_task(
    tmp_path: Path, point: str, passage: int, last: str
) -> None:
    deal = Deal("65", rating=3)
    async with FakeAsana() as asana:

        def killed() -> None:
            assert asana.asked[-1].path.endswith(last), "the last that the daemon did"

        rules = one_by_one(rules_for(asana, **IN_HASTE), "tasks")
        async with outlived(tmp_path, rules, (point, passage), deal, killed):
            assert_as_newest(asana, deal.document)


@pytest.mark.parametrize("seed", range(4))
async def test_thirty_webhooks_in_any_order_leave_one_task_in_the_state_of_the_newest(
    tmp_path: Path, seed: int
) -> None:
    chance, clock = random.Random(seed), MovedClock()  # noqa: S311 (the same chances in each run)
    deal, mishaps = Deal("65", rating=3), Mishaps(chance, FAULTS, share=0.6)
    async with (
        FakeAsana(mishaps) as asana,
        staged(tmp_path, rules_for(asana), "tasks", clock) as (stage, _, rules),
    ):
        await live(deal, chance, stage, rules, clock)
        assert mishaps.counted >= 3
        assert_as_newest(asana, deal.document)
