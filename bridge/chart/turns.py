"""One thread for all charts: what draws them is not safe in several.

https://matplotlib.org/stable/users/faq.html#work-with-threads
"""

import asyncio
from collections.abc import Callable
from queue import Full
from typing import Final

from bridge.component.threads import Threads
from bridge.errors import TransientFailure

WAITING: Final = 64
"""Charts that may wait to be drawn."""

PENCIL: Final = Threads(1, "bridge-chart", room=WAITING)


async def in_turn(draw: Callable[[], bytes]) -> bytes:
    """Return what is drawn in the thread, once those before it are.

    Raises:
        TransientFailure: too many wait.
    """
    try:
        return await asyncio.wrap_future(PENCIL.submit(draw))
    except Full:
        raise TransientFailure("too many charts wait to be drawn") from None
