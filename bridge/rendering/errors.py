"""What can be wrong with a template: when it is compiled, and when it meets one change."""

from collections.abc import Iterable
from typing import Literal, TypeAlias

from bridge.errors import RenderError, legible
from bridge.options.suggestion import did_you_mean

Lack: TypeAlias = Literal["name", "value"]


class TemplateSyntaxProblem(RenderError):  # noqa: N818 (it becomes a Problem, and is named after it)
    """A template that does not compile. ``line`` counts from 1 in the text of ``name``."""

    def __init__(self, message: str, *, line: int = 1, name: str = "", hint: str = "") -> None:
        """Keep the place beside the words."""
        super().__init__(f"{place(name, line)}: {message}" + (f"; {hint}" if hint else ""))
        self.message = message
        self.hint = hint
        self.line = line
        self.name = name


class TemplateNotFoundError(RenderError):
    """A template file that is not there; ``known`` are the names that are."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        """Suggest the nearest name."""
        self.name = name
        self.known = tuple(sorted(known))
        self.hint = did_you_mean(name, self.known)
        super().__init__(f'there is no template "{name}"' + (f"; {self.hint}" if self.hint else ""))


class TemplateFailedError(RenderError):
    """A template that failed on one change. ``name`` and ``line`` say where, ``message`` why.

    ``lack`` tells whether it speaks of a ``name`` that no change has, or of a ``value`` that this one has not.
    """

    def __init__(self, message: str, *, line: int = 1, name: str = "", lack: Lack | None = None) -> None:
        """Keep the place beside the words."""
        self.message = legible(message)
        self.lack = lack
        super().__init__(f"{place(name, line)}: {self.message}")
        self.line = line
        self.name = name


def place(name: str, line: int) -> str:
    """Return where something stands, as a person reads it."""
    return f"{name}:{line}" if name else f"line {line}"
