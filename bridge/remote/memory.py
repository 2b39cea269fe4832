"""What an API said, remembered for a while: entities, and that there is none."""

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from bridge.model import Clock

ROOM: Final = 20_000
"""So many answers are remembered."""
LONG: Final = timedelta(minutes=15)
"""How long an answer is good for."""
SHORT: Final = timedelta(minutes=5)
"""How long it is good for that there is nothing: somebody may be making it just now."""

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class Memory(Generic[KeyT, ValueT]):
    """Answers by what was asked; the ones that were not used for longest make room."""

    def __init__(self, clock: Clock, room: int = ROOM) -> None:
        """Take the clock, and how many answers may be kept."""
        self._clock = clock
        self._room = room
        self._kept: OrderedDict[KeyT, tuple[datetime, ValueT]] = OrderedDict()

    def __contains__(self, key: KeyT) -> bool:
        """Tell whether there is an answer that is still good."""
        kept = self._kept.get(key)
        return kept is not None and kept[0] > self._clock.now()

    def __getitem__(self, key: KeyT) -> ValueT:
        """Return an answer."""
        self._kept.move_to_end(key)
        return self._kept[key][1]

    def put(self, key: KeyT, value: ValueT, lasting: timedelta) -> None:
        """Remember an answer for so long."""
        self._kept[key] = self._clock.now() + lasting, value
        self._kept.move_to_end(key)
        while len(self._kept) > self._room:
            self._kept.popitem(last=False)
