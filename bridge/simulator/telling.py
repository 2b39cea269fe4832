"""What the simulator tells while it runs: a note for everything that happens."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

Tone: TypeAlias = Literal["", "good", "bad"]


class Note(NamedTuple):
    """One thing that happened. ``what`` is an entity's kind, or what else it is about."""

    at: datetime
    what: str
    name: str
    text: str
    tone: Tone = ""


Tell: TypeAlias = Callable[[Note], None]


def untold(_: Note) -> None:
    """Tell nobody."""


def shown(url: str) -> str:
    """Return an address without its path, in which a secret may stand."""
    scheme, _, rest = url.partition("://")
    host, slash, _ = rest.partition("/")
    return f"{scheme}://{host}{'/…' if slash else ''}"
