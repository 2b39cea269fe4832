"""Seeded chance: the same seed decides the same."""

from collections.abc import Iterable, Sequence
from random import Random
from typing import TypeVar
from uuid import UUID

T = TypeVar("T")


class Chance:
    """Decides. Each use has one of its own, so that more requests to an API do not change the team's life."""

    def __init__(self, seed: int, use: str) -> None:
        """Take the seed, and what is decided with it."""
        self._random = Random(f"{seed}/{use}")  # noqa: S311 (it is to be foreseen)

    def happens(self, share: float) -> bool:
        """Tell whether something happens that does so in this share of all cases, from 0 to 1."""
        return self._random.random() < share

    def number(self, least: int, most: int) -> int:
        """Return a whole number; both bounds may come."""
        return self._random.randint(least, most)

    def within(self, least: float, most: float) -> float:
        """Return a number between two."""
        return self._random.uniform(least, most)

    def gap(self, per_second: float) -> float:
        """Return the seconds until the next of what comes so often on average, as calls and customers do."""
        return self._random.expovariate(per_second)

    def one(self, choices: Iterable[T]) -> T:
        """Return one of them; there has to be one."""
        return self._random.choice(list(choices))

    def maybe(self, choices: Iterable[T]) -> T | None:
        """Return one of them, None if there is none."""
        found = list(choices)
        return self._random.choice(found) if found else None

    def weighted(self, choices: Sequence[T], weights: Sequence[float]) -> T:
        """Return one of them, those of greater weight more often."""
        return self._random.choices(choices, weights)[0]

    def some(self, choices: Sequence[T], count: int) -> list[T]:
        """Return so many of them, no one twice."""
        return self._random.sample(choices, count)

    def digits(self, count: int) -> str:
        """Return a text of hex digits."""
        return f"{self._random.getrandbits(4 * count):0{count}x}"

    def uuid(self) -> str:
        """Return a random UUID."""
        return str(UUID(int=self._random.getrandbits(128), version=4))
