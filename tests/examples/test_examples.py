"""Every example works as it stands, its tests pass, and every shipped template is at work in one of them."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bridge.config import Loaded, load
from bridge.options import StandIns, read_yaml
from bridge.rehearsal import check
from bridge.rendering.template import Template
from bridge.trial import MovedClock, Result, Runner

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/routes.yaml"))
TEMPLATES = ROOT / "templates"
VARIABLE = re.compile(r"\$\{(?!file:)(\w+)")
USED = re.compile(r'^\{% (?:from|include|import|extends) "([^"]+)"', re.MULTILINE)
LEAST = 3
"""Tests of an example at least."""


def name_of(folder: Path) -> str:
    return folder.name


def written(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = read_yaml((folder / "routes.yaml").read_bytes(), "routes.yaml").data  # type: ignore[assignment]
    return document


class Played(NamedTuple):
    """An example, what its tests came to, and the files that made messages meanwhile."""

    loaded: Loaded
    results: list[Result]
    templates: frozenset[str]


@cache
def played(folder: Path) -> Played:
    """Run the tests of an example, once for all that ask."""
    clock, names = MovedClock(), set[str]()
    loaded = load(folder / "routes.yaml", StandIns(), clock)
    render = Template.render

    def rendering(self: Template, context: Any) -> str:
        text = render(self, context)
        names.update([self.name, *USED.findall(source(self.name))] if text.strip() else [])
        return text

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Template, "render", rendering)
        results = [Runner(loaded.ruleset, loaded.named, clock).run(trial) for trial in loaded.trials]
    return Played(loaded, results, frozenset(names))


def source(name: str) -> str:
    """Return the text of a shipped template; none of what is written in the rules themselves."""
    return (TEMPLATES / name).read_text("utf-8") if name.endswith(".j2") else ""


@pytest.mark.parametrize("folder", EXAMPLES, ids=name_of)
def test_it_has_no_problem_and_no_warning(folder: Path) -> None:
    checked = check(folder / "routes.yaml", StandIns(), MovedClock())
    assert [str(told) for told in (*checked.problems, *checked.warnings)] == []


@pytest.mark.parametrize("folder", EXAMPLES, ids=name_of)
def test_its_tests_pass_and_every_route_speaks_in_one_of_them(folder: Path) -> None:
    loaded, results, _ = played(folder)
    assert [result.trial.name for result in results if result.failure] == []
    assert len(results) >= LEAST
    expected = list(_expected(written(folder)))
    assert "nothing" in expected, "a test shows when it is silent"
    speaking = {said["route"] for said in expected if said != "nothing" and "route" in said}
    assert speaking == {route.name for route in loaded.ruleset.routes}


def _expected(document: dict[str, Any]) -> Iterator[Any]:
    for step in (step for trial in document["tests"] for step in trial["steps"]):
        said = step.get("expect", [])
        yield from [said] if isinstance(said, str) else said


@pytest.mark.parametrize("folder", EXAMPLES, ids=name_of)
@pytest.mark.parametrize("page", ["README.md", "README.pt-BR.md"])
def test_its_pages_tell_what_to_set(folder: Path, page: str) -> None:
    text = (folder / page).read_text("utf-8")
    assert text.startswith("# ")
    assert {name for name in VARIABLE.findall((folder / "routes.yaml").read_text("utf-8")) if name not in text} == set()
    assert f"cd examples/{folder.name}" in text
    assert "bridge test" in text


@pytest.mark.parametrize("folder", EXAMPLES, ids=name_of)
def test_its_templates_are_the_shipped_ones(folder: Path) -> None:
    assert not (folder / "templates").exists() or (folder / "templates").resolve() == TEMPLATES


def shipped(below: str = "") -> set[str]:
    """Return the templates below a folder, by their path in it; of those in Portuguese not the English twins."""
    paths = {str(path.relative_to(TEMPLATES / below)) for path in (TEMPLATES / below).rglob("*.j2")}
    return {path for path in paths if below or not path.startswith("en/")}


def test_every_template_has_its_twin_in_the_other_language() -> None:
    assert shipped("en") == shipped()


def test_every_template_is_at_work_in_an_example() -> None:
    """Messages of an example's tests were made by it: each of them is expected, for an unexpected one fails."""
    at_work = frozenset[str]().union(*(played(folder).templates for folder in EXAMPLES))
    assert shipped() - at_work == set()
