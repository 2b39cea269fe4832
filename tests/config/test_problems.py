import re
from pathlib import Path

import pytest

import bridge
from bridge.config.problems import Problems
from bridge.options import Located, Place, Problem, read_yaml
from bridge.rehearsal import account
from bridge.rehearsal.deprecation import DEPRECATED
from bridge.rehearsal.kinds import UNKNOWN_VALUE
from bridge.rehearsal.online import REFUSED
from bridge.rehearsal.online import UNREACHABLE as UNREACHABLE_TARGET
from bridge.rehearsal.reach import UNREACHABLE
from bridge.rehearsal.verdict import FAILS, MAY_FAIL

ROOT = Path(bridge.__file__).parent
PAGE = ROOT.parent / "docs" / "reference" / "problems.md"
BROKEN = Path(__file__).parent / "broken"

REPORTERS = [
    *(ROOT / "options").glob("*.py"),
    *(ROOT / "config").glob("*.py"),
    *(ROOT / "routing").glob("*.py"),
    *(ROOT / "rehearsal").glob("*.py"),
]
CODE = re.compile(r'"([a-z]+(?:-[a-z0-9]+)+)"')
ONE_WORD = {UNREACHABLE, DEPRECATED}
NO_CODES = {"utf-8", "utf-8-sig", "deal-lost", "mon-fri", "mon-sun"}
WARNINGS = {"unused-target", "unused-window", "no-effect"}
REHEARSED = {
    FAILS,
    MAY_FAIL,
    REFUSED,
    UNREACHABLE_TARGET,
    UNKNOWN_VALUE,
    account.UNKNOWN_NAME,
    account.REFUSED,
    account.UNREACHABLE,
    "repeated-message",
    "unused-source",
} | ONE_WORD
"""What files that can be loaded show: see ``tests/rehearsal``."""
ELSEWHERE = {"bridge-defect", "missing-package"}
"""Problems that no broken file can show, because we would have mended them, or because all is installed here."""


def codes() -> set[str]:
    return {code for file in REPORTERS for code in CODE.findall(file.read_text(encoding="utf-8"))} - NO_CODES | ONE_WORD


def test_every_code_has_its_section_and_no_section_is_left_over() -> None:
    sections = re.findall(r"^### (\S+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(sections) == len(set(sections))
    assert set(sections) == codes()


def test_the_page_lists_every_section_at_its_top() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert {
        code for code, anchor in re.findall(r"\[([a-z0-9-]+)\]\(#([a-z0-9-]+)\)", text) if code == anchor
    } == codes()


def test_every_problem_is_shown_by_some_broken_file() -> None:
    shown = {
        line.split(": ")[1] for file in BROKEN.glob("*.expected") for line in file.read_text().splitlines() if line
    }
    assert shown == codes() - WARNINGS - ELSEWHERE - REHEARSED


@pytest.fixture
def problems() -> Problems:
    return Problems(
        read_yaml(b"routes:\n  - name: x\n    match: {a: {b: 1}}\n    text: |\n      one\n      two\n", "f")
    )


def test_a_problem_lies_in_the_key_or_in_the_value_as_its_code_says(problems: Problems) -> None:
    report = problems.under(("routes", 0, "match"))
    report(("a", "b"), "unknown-operator", "m", "")
    report(("a", "b"), "bad-operand", "m", "")
    assert [problem.place for problem in problems.found] == [Place("f", 3, 17), Place("f", 3, 20)]


def test_what_is_broken_is_so_inside_and_around(problems: Problems) -> None:
    problems.add(("routes", 0, "match", "a"), "bad-operand", "m")
    assert problems.broken(("routes", 0))
    assert problems.broken(("routes", 0, "match", "a", "b"))
    assert not problems.broken(("routes", 0, "name"))
    assert not problems.broken(("routes", 1))


def test_a_problem_in_a_text_is_at_its_word(problems: Problems) -> None:
    problems.add_in_text(("routes", 0, "text"), 2, "two", ("unknown-field", "m", "h"))
    assert problems.found == [Problem(Place("f", 6, 7), "unknown-field", "m", "h")]
    assert problems.broken(("routes", 0))


def test_what_only_follows_from_an_unreadable_part_is_no_news() -> None:
    problems = Problems(Located("f", unreadable=frozenset({("a", "b")})))
    problems.add(("a",), "bad-value", "m")
    problems.add(("a", "b", "c"), "missing-key", "m")
    problems.add(("a", "x"), "missing-key", "m")
    problems.add(("a", "b"), "unknown-key", "m")
    assert [problem.code for problem in problems.found] == ["missing-key", "unknown-key"]
