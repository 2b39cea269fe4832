"""The tutorial: what people write and break in the shipped rules gives the problems that it shows, line by line."""

import shutil
from pathlib import Path

import pytest

from bridge.rehearsal import check
from tests.docs.pages import ROOT, blocks

PAGE = ROOT / "docs/tutorial.md"
LAST = "{to: vendas, template: slack/contact_created.md.j2}\n"
MISTAKES = {"{to: vendas, text": "{to: venda, text", "deal.amount_total | money": "deal.amout_total | money"}


def shown(text: str) -> str:
    """Return the block of the page that holds a text."""
    [found] = [block.text for block in blocks(PAGE) if text in block.text]
    return found


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped rules with that of the page below the last, in the working directory."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    _, rule = shown("- name: negociacao-reaberta").split("# … the six rules that are there …\n")
    shipped = (ROOT / "routes.yaml").read_text("utf-8")
    assert shipped.count(LAST) == 1
    path = Path("routes.yaml")
    path.write_text(shipped.replace(LAST, LAST + rule), encoding="utf-8")
    return path


def test_the_rule_of_the_page_can_be_added(rules: Path) -> None:
    checked = check(rules, {})
    assert [*checked.problems, *checked.warnings] == []


def test_the_two_mistakes_are_told_as_the_page_shows_them(rules: Path) -> None:
    text = rules.read_text("utf-8")
    for right, wrong in MISTAKES.items():
        assert text.count(right) == 1
        text = text.replace(right, wrong)
    rules.write_text(text, encoding="utf-8")
    _, *told, count = shown("$ bridge check").splitlines()
    assert [str(problem) for problem in check(rules, {}).problems] == told
    assert count == f"routes.yaml: {len(told)} problems"
