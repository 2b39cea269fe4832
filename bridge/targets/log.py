"""log: prints messages to standard output. Needs nothing, so it is where every set of rules can start."""

import unicodedata

from bridge.component import Action, Http, Links, Target, TargetOptions
from bridge.model import Message, Receipt

UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that could move the cursor, colour the terminal or reverse the text."""
WANTED = frozenset("\t\u200c\u200d")
"""Of those, tabulators, and the joiners that emoji and many scripts are written with."""


class LogOptions(TargetOptions):
    """What a log target takes: nothing of its own."""


class LogAction(Action):
    """What a deliver entry to a log target takes."""

    text: str
    """The message."""


class Log(Target[LogOptions, LogAction]):
    """Prints each message in a frame."""

    Options = LogOptions
    Action = LogAction

    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        """Print one message, whole, in one write; it is delivered when it is written."""
        from bridge.component.printing import printed  # noqa: PLC0415 (who only checks rules needs no threads)

        frame = framed(f"{self.name} · {message.key} · {message.delivery_id}", self.action(message).text)
        await printed(frame, self.options.timeout)
        return Receipt()

    async def probe(self, http: Http) -> str:
        """Return where it prints: there is nobody to ask."""
        return "prints to standard output"


def framed(title: str, text: str) -> str:
    """Return the text with a line drawn beside it, and with every character that is not for reading spelled out."""
    head, *rest = (_spelled(line) for line in (title.replace("\n", " "), *text.strip("\n").split("\n")))
    return "\n".join((f"┌─ {head}", *(f"│ {line}".rstrip() for line in rest), "└─", ""))


def _spelled(line: str) -> str:
    return "".join(character if _harmless(character) else _escaped(character) for character in line)


def _harmless(character: str) -> bool:
    return character in WANTED or unicodedata.category(character) not in UNSEEN


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
