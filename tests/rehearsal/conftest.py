from pathlib import Path

import pytest

from bridge.options import Problem
from bridge.rehearsal import Checked, check
from tests.support.clock import ManualClock
from tests.support.rules import Rules

COMES_OF_THE_HEAD = {"unused-target"}
"""The head names more targets than most of these rules use."""


class Checking(Rules):
    """Rules that are checked as `bridge check` does."""

    def check(self, text: str) -> Checked:
        self.write(text)
        return check(self.path, self.environ, ManualClock())

    def problems(self, text: str = "") -> list[str]:
        return [self.told(each) for each in self.check(text).problems]

    def warnings(self, text: str) -> list[str]:
        checked = self.check(text)
        assert checked.problems == []
        return [self.told(each) for each in checked.warnings if each.code not in COMES_OF_THE_HEAD]

    def told(self, problem: Problem) -> str:
        """Return code, message and hint, behind what is written at the place."""
        place = problem.place
        line = Path(place.file).read_text(encoding="utf-8").splitlines()[place.line - 1]
        where = line[place.column - 1 :].split("}")[0].strip()
        return f"{where} » " + str(problem).removeprefix(f"{place}: ")


@pytest.fixture
def rules(tmp_path: Path) -> Checking:
    return Checking(tmp_path)
