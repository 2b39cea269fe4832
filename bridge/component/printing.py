"""Standard output for those who want to know what became of a text."""

import asyncio
from queue import Full

from bridge.component.outlet import STANDARD_OUTPUT
from bridge.errors import TransientFailure, UnknownOutcome

UNREAD = "nobody reads standard output"


async def printed(text: str, seconds: float) -> None:
    """Print a text, whole, in one write. One that has not begun when time is up is taken back.

    Raises:
        TransientFailure: it was not printed.
        UnknownOutcome: a part of it may have been.
    """
    try:
        printing = STANDARD_OUTPUT.put(text)
        try:
            async with asyncio.timeout(seconds):
                await asyncio.wrap_future(printing)
        except TimeoutError:
            if printing.cancel():
                raise TransientFailure(UNREAD) from None
            if not printing.done():
                raise UnknownOutcome(UNREAD) from None
            printing.result()
    except Full:
        raise TransientFailure(UNREAD) from None
    except (OSError, ValueError):
        raise TransientFailure("standard output is closed or full") from None
