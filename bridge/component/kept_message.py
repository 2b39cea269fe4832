"""The one message of a key in a chat: which it is, and what remembers it."""

from typing import NamedTuple

from bridge.component.target import Links
from bridge.model import JsonObject, Link


class KeptMessage(NamedTuple):
    """The message of a key in a place, such as a channel; ``id`` is None where there is none yet.

    Without a ``key`` each message is a new one, and none is remembered.
    """

    target: str
    key: str | None
    place: JsonObject
    id: str | None = None

    async def found(self, links: Links) -> "KeptMessage":
        """Return it with its id. One that is in another place, from before a change of options, is over."""
        known = await links.find(self.key) if self.key is not None else None
        return self._replace(id=known.external_id) if known and known.data == self.place else self

    def links(self, id_: str) -> tuple[Link, ...]:
        """Return what remembers a message as the key's from now on."""
        return () if self.key is None else (Link(self.target, self.key, id_, self.place),)


def not_blank(value: str | None) -> str | None:
    """Return what a message says, unless there is nothing in it.

    Raises:
        ValueError: chats refuse a message without text.
    """
    if value is not None and not value.strip():
        raise ValueError("is empty, and there is nothing to send")
    return value
