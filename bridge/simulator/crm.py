"""What both APIs read and change."""

from dataclasses import dataclass

from bridge.simulator.clock import VirtualClock
from bridge.simulator.oauth import Grants
from bridge.simulator.posting import Poster
from bridge.simulator.registrations import RefusedError, Registration, Registry, Wish
from bridge.simulator.settings import SimulatorSettings
from bridge.simulator.team import Team
from bridge.simulator.telling import Note, Tell, shown


@dataclass(frozen=True, slots=True)
class Crm:
    """The living parts of the simulated CRM."""

    settings: SimulatorSettings
    clock: VirtualClock
    team: Team
    registry: Registry
    poster: Poster
    grants: Grants
    tell: Tell

    async def register(self, wish: Wish) -> Registration:
        """Register a webhook, once its address has answered.

        Raises:
            RefusedError: it is not allowed, or the address does not answer.
        """
        await self._admit(wish, None)
        made = self.registry.add(wish)
        self._tell("registered", made)
        return made

    async def change(self, registration: Registration, wish: Wish) -> None:
        """Change a webhook, and activate it if it was suspended.

        Raises:
            RefusedError: as ``register`` does.
        """
        await self._admit(wish, registration)
        self.registry.update(registration, wish)
        self.poster.forgive(wish.url)
        self._tell("changed", registration)

    def forget(self, registration: Registration) -> None:
        """Delete a webhook."""
        self.registry.remove(registration)
        self._tell("deleted", registration)

    async def _admit(self, wish: Wish, but: Registration | None) -> None:
        self.registry.check(wish, but)
        headers = {wish.auth_header: wish.auth_key} if wish.auth_header and wish.auth_key else {}
        if self.settings.probe and not await self.poster.probe(wish.url, headers):
            raise RefusedError("url", "INVALID_URL", "did not answer with a success status")

    def _tell(self, deed: str, registration: Registration) -> None:
        told = f"{registration.event_name} to {shown(registration.url)}, {registration.status}"
        self.tell(Note(self.clock.now(), "webhook", deed, told))
