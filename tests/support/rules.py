"""A rules file that tests write and load."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent

import pytest

from bridge.config import Loaded, load
from bridge.options import InvalidConfigurationError
from tests.support.clock import ManualClock

HEAD = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  sales: {type: slack, token: xoxb-1, channel: C0123SALES}
  billing: {type: http, url: "https://billing.example.com"}
  screen: {type: log}
"""


class Rules:
    """A rules file in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "routes.yaml"
        self.environ: dict[str, str] = {}

    def write(self, text: str, *, head: str = HEAD) -> None:
        self.path.write_text(head + dedent(text), encoding="utf-8")

    def template(self, name: str, text: str) -> Path:
        path = self.path.parent / "templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def load(self) -> Loaded:
        return load(self.path, self.environ, ManualClock())

    def problems(self) -> Sequence[str]:
        """Return line, code and message of every problem."""
        with pytest.raises(InvalidConfigurationError) as caught:
            self.load()
        return [str(problem).removeprefix(f"{self.path}:") for problem in caught.value.problems]
