"""A problem: one located defect of a configuration, in words that tell its reader what to do."""

from collections.abc import Iterable
from dataclasses import dataclass

from bridge.errors import BridgeError


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands: file as the user named it, line and column from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        """Return ``file:line:column``, which editors open."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One defect. ``code`` is a stable kebab-case name, documented in ``docs/reference/problems.md``."""

    place: Place
    code: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """Return ``file:line:column: code: message; hint``, in one line whatever the file has in its names."""
        text = f"{self.place}: {self.code}: {self.message}" + (f"; {self.hint}" if self.hint else "")
        return " ".join(text.splitlines())


class InvalidConfigurationError(BridgeError):
    """A configuration that cannot be used, with every problem found in it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep the problems in reading order, each once."""
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))
