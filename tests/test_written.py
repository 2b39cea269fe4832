"""What a reload tells of changed rules."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config import load
from bridge.model import JsonObject
from bridge.ruleset import Ruleset
from bridge.written import MOST, Written

RULES = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  sales: {type: slack, token: "${TOKEN}", channel: C1}
  hook: {type: http, url: "https://hooks.example.com/hush-hush-in-the-file"}
windows:
  office: {days: mon-fri, from: "09:00", to: "18:00"}
routes:
  - name: lost
    on: deal.lost
    match:
      amount_total: {gte: 5000}
    deliver:
      - {to: sales, template: lost.j2}
      - {to: hook, headers: {X-Key: hush-hush}, body: {a: 1}, within: office}
  - name: won
    on: deal.won
    deliver:
      - {to: sales, text: won}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/lost.j2").write_text("{{ deal.name }}")
    return tmp_path


def loaded(folder: Path, text: str = RULES, token: str = "xoxb-1") -> Ruleset:
    (folder / "routes.yaml").write_text(text, encoding="utf-8")
    return load(folder / "routes.yaml", {"TOKEN": token}).ruleset


def once(*routes: tuple[str, list[str]], quiet: str = "once") -> JsonObject:
    """Return rules of which every entry remembers; each route is a name and the targets of its entries."""
    listed = [
        {"name": name, "deliver": [{"to": target, quiet: "7d" if quiet == "repeat_after" else True} for target in to]}
        for name, to in routes
    ]
    return {"routes": listed}  # type: ignore[dict-item]  # JSON


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (
            once(("won", ["a"])),
            once(("gained", ["a"])),
            ['route "gained": entry 1 does not know what entry 1 of route "won" has told, and may repeat it'],
        ),
        (
            once(("won", ["a", "b"]), quiet="repeat_after"),
            once(("won", ["b", "a"]), quiet="repeat_after"),
            [
                'route "won": entry 1 does not know what entry 2 of route "won" has told, and may repeat it',
                'route "won": entry 2 does not know what entry 1 of route "won" has told, and may repeat it',
            ],
        ),
        (once(("won", ["a"])), once(("won", ["a", "b"])), []),
        (once(("won", ["a"])), once(), []),
        (once(), once(("won", ["a"])), []),
        (once(("won", ["a"])), once(("gained", ["b"])), []),
        (once(("won", ["a"]), quiet="delay"), once(("gained", ["a"]), quiet="delay"), []),
        (once(("won", ["a"]), ("lost", ["b"])), once(("lost", ["b"]), ("won", ["a"])), []),
    ],
)
def test_an_entry_that_begins_to_remember_anew_is_told(before: JsonObject, after: JsonObject, told: list[str]) -> None:
    assert [line for line in Written(after).since(Written(before)) if "does not know" in line] == told


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("gte: 5000", "gte: 8000", ['route "lost": match.amount_total.gte 5000 → 8000']),
        (
            "gte: 5000",
            "gt: 5",
            ['route "lost": match.amount_total.gte 5000 removed', 'route "lost": match.amount_total.gt 5 added'],
        ),
        ("on: deal.won", "on: [deal.won, deal.lost]", ['route "won": on deal.won → ["deal.won", "deal.lost"]']),
        ("on: deal.won\n", "on: deal.won\n    when: deal.rating > 3\n", ['route "won": when deal.rating > 3 added']),
        ("name: won", "name: gained", ['route "gained" added', 'route "won" removed']),
        (
            "template: lost.j2",
            "text: lost",
            [
                'template "lost.j2" removed',
                'route "lost": entry 1: template lost.j2 removed',
                'route "lost": entry 1: text added',
            ],
        ),
        ("X-Key: hush-hush", "X-Key: hush-more", ['route "lost": entry 2: headers changed']),
        ("body: {a: 1}, ", "", ['route "lost": entry 2: body removed']),
        ("text: won}\n", "text: won}\n      - {to: hook, body: 1}\n", ['route "won": entry 2 added']),
        ("hush-hush-in-the-file", "hush-again-in-the-file", ['target "hook": url changed']),
        ("channel: C1", "channel: C2, timeout: 9", ['target "sales": channel, timeout changed']),
        ("18:00", "17:00", ['window "office": to 18:00 → 17:00']),
        ("version: 1\n", "version: 1\ndefaults: {locale: en}\n", ["defaults.locale en added"]),
    ],
)
def test_each_change_is_a_line(folder: Path, was: str, becomes: str, told: list[str]) -> None:
    assert was in RULES
    former = loaded(folder)
    after = loaded(folder, RULES.replace(was, becomes))
    assert sorted(after.since(former)) == sorted(told)
    assert len(former.since(after)) == len(told), "and as many the other way round"


def test_the_same_rules_have_no_changes(folder: Path) -> None:
    assert loaded(folder).since(loaded(folder)) == ()


def test_a_template_that_was_saved_is_told(folder: Path) -> None:
    former = loaded(folder)
    (folder / "templates/lost.j2").write_text("{{ deal.id }}")
    assert loaded(folder).since(former) == ('template "lost.j2" changed',)


def test_a_value_from_outside_is_told_without_the_value(folder: Path) -> None:
    former = loaded(folder)
    assert loaded(folder, token="xoxb-2").since(former) == ('target "sales": a value from outside changed',)


def test_another_order_is_told(folder: Path) -> None:
    former = loaded(folder)
    head, lost, won = (
        RULES.partition("  - name: lost")[0],
        *(f"  - name: {part}" for part in RULES.split("  - name: ")[1:]),
    )
    assert loaded(folder, head + won + lost).since(former) == ("the routes stand in another order",)


def test_no_more_lines_are_told_than_somebody_reads() -> None:
    routes = [{"name": str(number), "deliver": []} for number in range(MOST + 7)]
    told = Written({"routes": [*routes]}).since(Written())  # type: ignore[list-item]
    assert len(told) == MOST + 1
    assert told[-1] == "and 7 more"


LEAF = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
KEY = st.text(max_size=5)
JSON = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=3), max_leaves=8
)
ENTRY = st.dictionaries(st.sampled_from(["to", "body", "retry"]), JSON)
ROUTE = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "b"])},
    optional={"on": JSON, "match": JSON, "deliver": JSON | st.lists(ENTRY | JSON)},
)
SECTIONS = ("sources", "targets", "windows", "defaults", "include", "tests")
DOCUMENT = st.fixed_dictionaries(
    {}, optional={"routes": JSON | st.lists(ROUTE | JSON), **dict.fromkeys(SECTIONS, st.dictionaries(KEY, JSON) | JSON)}
)


@given(before=DOCUMENT, after=DOCUMENT)
def test_any_two_documents_can_be_compared_and_one_with_itself_has_no_changes(
    before: JsonObject, after: JsonObject
) -> None:
    assert Written(after).since(Written(after)) == ()
    assert all("\n" not in line for line in Written(after).since(Written(before)))
