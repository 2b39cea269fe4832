"""Keys that nobody knows where they stand: what was meant, or at which level they belong."""

from collections.abc import Collection, Iterable
from typing import Final

from bridge.config.frame import DefaultsFrame, EntryFrame, RouteFrame
from bridge.options import did_you_mean
from bridge.options.carried import meanings

_SAID: Final = frozenset({"text", "subject", "channel", "thread", "recipients"})
"""What many targets take of an entry."""
_OF_ROUTE: Final = frozenset(RouteFrame.model_fields)
_OF_ENTRY: Final = frozenset(EntryFrame.model_fields) | _SAID
_LEVELS: Final = (
    ("deliver", _OF_ENTRY, 'an entry of "deliver"'),
    ("to", _OF_ROUTE - {"name"}, 'the route, beside "deliver"'),
    ("routes", frozenset(DefaultsFrame.model_fields) - {"deliver"}, '"defaults"'),
    ("routes", _OF_ROUTE, 'a route, under "routes"'),
)
"""By a key that only one level has: the keys of another level, and what that is called."""


def key_hint(key: str, known: Collection[str]) -> str:
    """Return the hint for a key that none of the known ones is: what was meant, or else where it belongs."""
    meant = [key, *meanings(key)]
    if not any(word in known for word in meant) and (home := _home(meant, known)):
        return home
    return did_you_mean(key, known)


def _home(meant: Iterable[str], known: Collection[str]) -> str:
    for word in meant:
        for mark, keys, name in _LEVELS:
            if mark in known and word in keys:
                return f'"{word}" belongs to {name}'
    return ""


def stands_for(missing: str, written: Iterable[object], known: Collection[str]) -> str:
    """Return the hint for a missing key, if one that is written means it."""
    said = [key for key in written if isinstance(key, str) and key not in known and missing in meanings(key)]
    return f'write "{missing}" in place of "{said[0]}"' if said else ""
