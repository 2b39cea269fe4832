"""Did you mean: the one place that guesses what a misspelt word was meant to be."""

from collections.abc import Iterable
from difflib import get_close_matches

from bridge.options.carried import meanings

MANY = 5000
"""So many names are compared with a word: each takes its time, and an event's own fields may be any number."""
FEW = 20
"""So many names are worth listing when none comes near."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is meant or comes nearest, regardless of case, or None if none comes near."""
    by_lower = {name.lower(): name for name in known}
    if meant := next((name for name in meanings(word) if name in by_lower), None):
        return by_lower[meant]
    if len(by_lower) > MANY:
        return None
    close = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the hint for a misspelt word: the nearest known one, else all of them if they are few, else nothing."""
    names = sorted(known)
    near = nearest(word, names)
    if near is not None:
        return f'did you mean "{near}"?'
    return f"known: {', '.join(names)}" if 0 < len(names) <= FEW else ""
