from pathlib import Path

import orjson
import pytest

import bridge.rdstation
from bridge.document import lookup, unknown_segment
from bridge.rdstation import DATED_BY, EVENTS, KINDS, QUIET, REFERENCES, SHAPES

OFFICIAL = sorted((Path(bridge.rdstation.__file__).parent / "official").glob("*.json"))


def test_there_are_eight_kinds_and_24_events() -> None:
    assert len(KINDS) == len(set(KINDS)) == 8
    assert len(EVENTS) == 24
    assert EVENTS["crm_lost_reason_deleted"] == "lost_reason"
    assert EVENTS["crm_task_deleted"] == "task"


def test_every_documented_payload_is_an_event_of_the_catalog() -> None:
    assert len(OFFICIAL) == 23
    assert {path.stem for path in OFFICIAL} == EVENTS.keys() - {"crm_task_deleted"}


@pytest.mark.parametrize("path", OFFICIAL, ids=lambda path: path.stem)
def test_every_field_of_a_documented_payload_is_in_its_shape(path: Path) -> None:
    sent = orjson.loads(path.read_bytes())
    shape = SHAPES[EVENTS[sent["event_name"]]]
    unknown = [field for field in _paths(sent["document"]) if unknown_segment(shape, field)]
    assert unknown == []


def _paths(value: object, prefix: str = "") -> list[str]:
    if isinstance(value, dict):
        return [path for key, inner in value.items() for path in _paths(inner, f"{prefix}.{key}" if prefix else key)]
    if isinstance(value, list):
        return [path for inner in value for path in _paths(inner, prefix)] or [prefix]
    return [prefix]


def test_references_lead_from_known_fields_to_known_kinds() -> None:
    for kind, targets in REFERENCES.items():
        for target, path in targets.items():
            assert target in KINDS
            assert unknown_segment(SHAPES[kind], path) is None


def test_what_dates_a_change_is_a_field_of_its_kind() -> None:
    for kind, (path, dating) in DATED_BY.items():
        assert {path, dating} <= SHAPES[kind].keys()


def test_quiet_fields_say_nothing_that_another_field_does_not() -> None:
    for shape in SHAPES.values():
        assert QUIET & shape.keys() <= {"updated_at"} or "custom" in shape
    assert lookup(SHAPES["deal"], "deal_custom_fields") == []
