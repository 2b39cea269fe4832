"""A bell: whoever has made work rings it, whoever waits for work hears it. A hint only; polling is the truth."""

import asyncio


class Bell:
    """Wakes one waiter; rings that come while it works are heard at its next wait."""

    def __init__(self) -> None:
        """Start silent."""
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake the waiter."""
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Return at the next ring, or after so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return
        finally:
            self._rung.clear()
