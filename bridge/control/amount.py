"""How much of what was chosen is done, how fast and in what manner: so that one command never floods anybody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from bridge.control.filters import MOST, refused
from bridge.model import Json, JsonObject, Rate
from bridge.options.quantity import rate
from bridge.store.nouns import Spread

ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class Amount:
    """At most ``limit``, the oldest of them, and so many in a time as ``rate`` says; by default all, at once."""

    limit: int | None = None
    rate: Rate | None = None

    def first(self, items: Sequence[ItemT]) -> Sequence[ItemT]:
        """Return the items that are within the limit."""
        return items[: self.limit]

    def spread(self, begin: datetime, done: int) -> Spread | None:
        """Return when the next ones are due, after so many that are; None where they are due at once."""
        if self.rate is None:
            return None
        apart = timedelta(seconds=self.rate.seconds / self.rate.count)
        return Spread(begin + done * apart, apart)

    def written(self) -> JsonObject:
        """Return it as ``amount_from`` reads it."""
        return {"limit": self.limit, "rate": f"{self.rate.count}/{self.rate.seconds!r}s" if self.rate else None}


@dataclass(frozen=True, slots=True)
class Manner:
    """How events are replayed: for one ``route`` alone, as they were planned then, or ``again`` what is done."""

    route: str | None = None
    as_planned: bool = False
    again: bool = False


ALL = Amount()
USUAL = Manner()


def amount_from(limit: Json, rate_text: Json) -> Amount:
    """Return the amount that a limit and a rate such as ``10/m`` mean.

    Raises:
        RequestRefusedError: they mean none (``bad-filter``).
    """
    if limit is not None and not (type(limit) is int and 1 <= limit <= MOST):
        raise refused(f"limit is a number from 1 to {MOST}")
    return Amount(limit, None if rate_text is None else rate_from(rate_text))


def rate_from(text: Json) -> Rate:
    """Return the rate that a text such as ``10/m`` means; raises as ``amount_from`` does."""
    try:
        read = rate(text)
    except ValueError as error:
        raise refused(f"{error}, not {text!r}") from None
    assert isinstance(read, Rate)  # noqa: S101 (it says object, because pydantic hands it anything)
    return read
