"""Whatever rules can be loaded, checking them ends with located problems and warnings, or with none."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.model import JsonObject
from bridge.rdstation import EVENTS, TRIGGERS
from bridge.rehearsal import check
from bridge.sources._bridge import EVENTS as OWN
from tests.rehearsal.test_reach import BLOCKS
from tests.support.clock import ManualClock

HEAD: JsonObject = {
    "version": 1,
    "sources": {"crm": {"type": "rdstation_crm"}},
    "targets": {
        "sales": {"type": "slack", "token": "xoxb-1", "channel": "C0123SALES"},
        "billing": {"type": "http", "url": "https://billing.example.com"},
        "screen": {"type": "log"},
    },
    "windows": {"office": {"days": "mon-fri", "from": "09:00", "to": "18:00"}},
}
TEXTS = st.sampled_from(
    [
        "x",
        "{{ event.name }}",
        "{{ now }}{{ 1 / 0 }}",
        "{{ event.id.upper() + 1 }}",
        "{% for each in changes %}{{ each.before.upper() }}{% endfor %}",
        "{{ previous }}{{ document }}",
        "{{ changes[7].path }}",
        "{% if document.name %}{{ document.name.x.y }}{% endif %}",
    ]
)
ENTRIES = st.one_of(
    st.builds(lambda text: {"to": "screen", "text": text}, TEXTS),
    st.builds(lambda text: {"to": "sales", "text": text, "key": text, "within": "office"}, TEXTS),
    st.builds(lambda text: {"to": "billing", "body": {"a": [text, {"b": text}]}, "path": text}, TEXTS),
)
ROUTES = st.builds(
    lambda on, match, deliver, more: {"on": on, "match": match, "deliver": deliver, **more},
    st.lists(st.sampled_from([*EVENTS, *TRIGGERS, *OWN, "crm_*_updated"]), min_size=1, max_size=3),
    st.just({}) | BLOCKS,
    st.lists(ENTRIES, min_size=1, max_size=2),
    st.sampled_from([{}, {"when": "event.first_sight"}, {"when": "document.name.x"}, {"debounce": "5m"}]),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rules")


@given(routes=st.lists(ROUTES, min_size=1, max_size=3))
@settings(max_examples=100, deadline=None)
def test_whatever_the_routes_are_each_finding_has_a_place(folder: Path, routes: list[JsonObject]) -> None:
    named = [{"name": f"r{number}", **route} for number, route in enumerate(routes)]
    path = folder / "routes.yaml"
    text = json.dumps({**HEAD, "routes": named}, indent=1)
    path.write_text(text, encoding="utf-8")
    lines = text.splitlines()

    checked = check(path, {}, ManualClock())

    for finding in (*checked.problems, *checked.warnings):
        assert finding.place.file == str(path)
        assert 0 < finding.place.line <= len(lines)
        assert 0 < finding.place.column <= len(lines[finding.place.line - 1]) + 1
