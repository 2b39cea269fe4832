"""Whatever stands in a rules file, it is either used or refused with located problems."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.config import Loaded, load
from bridge.options import InvalidConfigurationError, read_yaml
from tests.support.clock import ManualClock

SOUND = read_yaml(
    b"""\
version: 1
include: [more.yaml, "more/*.yaml"]
defaults: {locale: pt-BR, deliver: {on_unknown: park, retry: {first: 1s, max: 1h}}}
sources:
  crm: {type: rdstation_crm, secrets: [a]}
targets:
  sales: {type: slack, token: x, channel: C1}
  billing: {type: http, url: "https://x", auth: {basic: {username: a, password: b}}}
  screen: {type: log}
routes:
  - name: one
    on: [deal.lost, "crm_task_*"]
    match: {amount_total: {gte: 5}, any: [{rating: 3}, {not: {name: changed}}], custom.X: [a, b]}
    when: source == 'crm'
    deliver:
      - {to: sales, text: "{{ event.name }}", thread: deal}
      - {to: billing, body: {a: ["{{ previous.name }}", 1]}, headers: {X: "{{ source }}"}, key: "{{ event.id }}"}
      - {to: screen, template: x.j2}
""",
    "sound.yaml",
).data

WORDS = [
    "",
    "deal",
    "deal.lost",
    "{{",
    "{{ deal }}",
    "{% if %}",
    "${X}",
    "sales",
    "no",
    "x.j2",
    "../x",
    "a.b",
    "*",
    "[",
    "{{ x.y }}",
]
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 10**6)
    | st.floats(-1, 1)
    | st.sampled_from(WORDS)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "to", "type", "name", "eq"]), inner)
    ),
    max_leaves=4,
)


def ways(data: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every value inside."""
    inside = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [way, *(found for step, item in inside for found in ways(item, (*way, step)))]


WAYS = ways(SOUND)[1:]


def changed(way: tuple[Any, ...], value: object, key: str | None) -> object:
    """Return the sound file with one value replaced, or renamed, or left out."""
    data: Any = deepcopy(SOUND)
    owner = data
    for step in way[:-1]:
        owner = owner[step]
    if key is None or isinstance(owner, list):
        owner[way[-1]] = value
    else:
        owner[key] = owner.pop(way[-1])
    return data


def outcome(path: Path) -> Loaded | InvalidConfigurationError:
    try:
        return load(path, {"X": "value"}, ManualClock())
    except InvalidConfigurationError as error:
        return error


def assert_settled(result: Loaded | InvalidConfigurationError) -> None:
    if isinstance(result, InvalidConfigurationError):
        assert result.problems
        for problem in result.problems:
            assert problem.place.line >= 1
            assert problem.place.column >= 1
            assert problem.message


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rules")
    (folder / "templates").mkdir()
    (folder / "templates" / "x.j2").write_text("{{ event.name }}")
    (folder / "more.yaml").write_text("targets: {more: {type: log}}")
    return folder


def test_the_sound_file_is_sound(folder: Path) -> None:
    path = folder / "sound.yaml"
    path.write_text(json.dumps(SOUND))
    assert isinstance(outcome(path), Loaded)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(way=st.sampled_from(WAYS), value=values, key=st.none() | st.sampled_from(["x", "to", "anny", "deal.nmae"]))
def test_no_change_of_one_value_makes_loading_fail(
    folder: Path, way: tuple[Any, ...], value: object, key: str | None
) -> None:
    path = folder / "changed.yaml"
    path.write_text(json.dumps(changed(way, value, key)))
    assert_settled(outcome(path))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.integers(0, 900),
    length=st.integers(1, 40),
    other=st.sampled_from(["", "\t", "\n", ": ", "{", "&a ", "*a"]),
)
def test_no_slip_of_the_keyboard_makes_loading_fail(folder: Path, start: int, length: int, other: str) -> None:
    text = (Path(__file__).parent / "broken" / "several_at_once.yaml").read_text()
    path = folder / "slipped.yaml"
    path.write_text(text[:start] + other + text[start + length :])
    assert_settled(outcome(path))
