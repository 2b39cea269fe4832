import pytest

from bridge.document import unknown_segment
from bridge.rdstation import EVENTS, SHAPES, TRIGGERS
from bridge.routing.matcher import compile_match
from tests.support.changes import change_of, webhook

NAMES = {
    "deal": "created won lost paused reopened stage_changed owner_changed amount_changed deleted",
    "task": "created updated completed canceled rescheduled deleted",
    **dict.fromkeys(
        ("contact", "organization", "product", "campaign", "source", "lost_reason"), "created updated deleted"
    ),
}


def test_the_triggers_are_those_of_the_language() -> None:
    assert set(TRIGGERS) == {f"{kind}.{name}" for kind, names in NAMES.items() for name in names.split()}


@pytest.mark.parametrize("name", sorted(TRIGGERS))
def test_a_trigger_is_made_of_known_events_and_fields(name: str) -> None:
    trigger = TRIGGERS[name]
    kind = name.partition(".")[0]
    problems: list[object] = []

    def check(path: str) -> tuple[str, str] | None:
        return ("unknown", "") if unknown_segment(SHAPES[kind], path) else None

    compile_match(trigger.match, lambda *problem: problems.append(problem), check)
    assert problems == []
    assert trigger.name == name
    assert {EVENTS[event] for event in trigger.events} == {kind}


@pytest.mark.parametrize("name", sorted(TRIGGERS))
def test_a_trigger_is_described_in_one_line_of_each_language(name: str) -> None:
    trigger = TRIGGERS[name]
    for description in (trigger.description, trigger.description_pt):
        assert description.endswith(".")
        assert "\n" not in description
    assert trigger.description != trigger.description_pt


def test_descriptions_agree_in_gender() -> None:
    assert TRIGGERS["contact.created"].description_pt == "Um contato foi criado."
    assert TRIGGERS["organization.deleted"].description_pt == "Uma empresa foi excluída."


AT = [f"2026-11-24T09:{minute:02}:00.000-03:00" for minute in range(10)]


def fires(name: str, *statuses: str) -> bool:
    bodies = [
        webhook("deal", status=status, updated_at=AT[n], transaction_uuid=str(n)) for n, status in enumerate(statuses)
    ]
    return compile_match(TRIGGERS[name].match, lambda *_: None, lambda _: None).test(change_of(bodies))


@pytest.mark.parametrize(
    ("statuses", "fired"),
    [
        (("lost", "ongoing"), {"deal.reopened"}),
        (("won", "ongoing"), {"deal.reopened"}),
        (("paused", "ongoing"), set[str]()),
        (("ongoing", "lost"), {"deal.lost"}),
        (("paused", "lost"), {"deal.lost"}),
        (("won", "lost"), {"deal.lost"}),
        (("ongoing", "won"), {"deal.won"}),
        (("ongoing", "paused"), {"deal.paused"}),
        (("lost", "lost"), set[str]()),
        (("lost",), set[str]()),
    ],
)
def test_a_status_fires_when_it_arrives(statuses: tuple[str, ...], fired: set[str]) -> None:
    assert {
        name for name in ("deal.won", "deal.lost", "deal.paused", "deal.reopened") if fires(name, *statuses)
    } == fired
