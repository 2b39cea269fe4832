"""The simulated CRM as a whole: the team, its webhooks and both APIs on one port, on a time of its own."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from time import monotonic
from types import TracebackType
from typing import Final, Self

from aiohttp import web

from bridge.errors import SettingsError
from bridge.model import JsonObject
from bridge.rdstation.catalog import EVENTS
from bridge.simulator import oauth, v1, v2
from bridge.simulator.chance import Chance
from bridge.simulator.clock import Agenda, VirtualClock
from bridge.simulator.crm import Crm
from bridge.simulator.entities import Deal
from bridge.simulator.founding import found
from bridge.simulator.gate import Gate
from bridge.simulator.life import Life
from bridge.simulator.oauth import Grants
from bridge.simulator.posting import Poster
from bridge.simulator.registrations import Registry, Wish
from bridge.simulator.settings import SimulatorSettings
from bridge.simulator.team import Happening, Team
from bridge.simulator.telling import Note, Tell, Tone, untold
from bridge.simulator.truth import Closing, Truth

TICK: Final = 0.05
"""Real seconds between two looks at what is due, while it runs by itself."""
TOGETHER: Final = timedelta(seconds=1)
"""Virtual time that goes by at once when time is moved; webhooks of that time are posted together."""


class Simulator:
    """A CRM: an async context manager that listens from then on. Its time stands still until it is moved, or runs."""

    def __init__(
        self,
        settings: SimulatorSettings | None = None,
        clock: VirtualClock | None = None,
        tell: Tell = untold,
        listen: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        """Found the team as it is at the clock's time, by default now. ``listen`` is host and port; 0 is any port."""
        self.settings = settings or SimulatorSettings()
        self.clock = clock or VirtualClock(datetime.now(UTC))
        self._tell = tell
        self._listen = listen
        seed = self.settings.seed
        self._agenda = Agenda(self.clock)
        self.team = Team(self.clock, Chance(seed, "ids"))
        self.registry = Registry(self.clock, Chance(seed, "registrations"))
        self._poster = Poster(self.settings, self._agenda, self.clock, self.registry, tell)
        self._chance = Chance(seed, "life")
        self._life = Life(self.team, self._chance, self.settings.deals)
        self._closings: list[Closing] = []
        self._told: dict[tuple[str, str], JsonObject | None] = {}
        self._happened = 0
        self._stack = AsyncExitStack()
        self.url = ""
        found(self.team, self._chance, self._life, self.settings.deals)
        self.team.heard_by = self._hear

    async def __aenter__(self) -> Self:
        """Listen; the team begins to work as soon as time goes by.

        Raises:
            SettingsError: the address is taken, or not ours.
        """
        try:
            await self._open()
        except OSError as error:
            await self._stack.aclose()
            reason, (host, port) = error.strerror or str(error), self._listen
            raise SettingsError(f"cannot listen on {host}:{port}: {reason}; set --listen to another address") from error
        self._plan()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening and posting."""
        await self._stack.aclose()

    async def _open(self) -> None:
        host, port = self._listen
        await self._poster.open()
        self._stack.push_async_callback(self._poster.close)
        runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, host, port)
        await site.start()
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{site.port}"

    def register_all(self, url: str) -> None:
        """Register an address for every event, as a person would in the CRM.

        Raises:
            RefusedError: it is no address.
        """
        for name in EVENTS:
            wish = Wish(name, url)
            self.registry.check(wish)
            self.registry.add(wish)

    async def advance(self, span: timedelta) -> None:
        """Let virtual time go by as fast as webhooks can be posted; all that is due then has been tried."""
        end = self.clock.now() + span
        while (due := self._agenda.next_at) and due <= end:
            self._agenda.run_until(min(due + TOGETHER, end))
            await self._poster.idle()
        self.clock.move_to(end)

    async def run(self) -> None:
        """Let time go by with the real one, at the set speed, until this is cancelled."""
        began, start = monotonic(), self.clock.now()
        while True:
            self._agenda.run_until(start + timedelta(seconds=(monotonic() - began) * self.settings.speed))
            await asyncio.sleep(TICK)

    def truth(self) -> Truth:
        """Return what really happened until now."""
        untold = {(each.kind, each.id): self.team.document_of(each) for each in self.team.records()}
        entities = untold | self._told
        tries = tuple(self._poster.log)
        return Truth(tuple(self._closings), entities, tries, tuple(each for each in tries if each.last))

    def _application(self) -> web.Application:
        grants = Grants(self.settings, self.clock)
        crm = Crm(self.settings, self.clock, self.team, self.registry, self._poster, grants, self._tell)
        gate = Gate(self.settings, self.clock, self._tell)
        application = web.Application(middlewares=[gate.guard])
        application.add_routes([*v1.routes(crm), *v2.routes(crm), *oauth.routes(grants)])
        return application

    def _plan(self) -> None:
        """Let the team's next deed happen after a while: after two events twice as long as after one."""
        gaps = [self._chance.gap(self.settings.events_per_hour / 3600) for _ in range(max(self._happened, 1))]
        self._happened = 0
        self._agenda.put(self.clock.now() + timedelta(seconds=sum(gaps)), self._live)

    def _live(self) -> None:
        self._life.step()
        self._plan()

    def _hear(self, happening: Happening) -> None:
        record, (_, _, action) = happening.record, happening.name.rpartition("_")
        self._happened += 1
        self._told[record.kind, record.id] = None if action == "deleted" else happening.document
        closing = _closing(happening)
        if closing:
            self._closings.append(closing)
        tone: Tone = "" if closing is None else "good" if closing.status == "won" else "bad"
        self._tell(Note(happening.at, record.kind, record.name, happening.told, tone))
        self._poster.post(happening)


def _closing(happening: Happening) -> Closing | None:
    """Return the closing that just happened; a deal that is edited or deleted later does not close again."""
    deal = happening.record
    if isinstance(deal, Deal) and deal.closed_at == happening.at and happening.name == "crm_deal_updated":
        return Closing(deal.id, deal.name, "won" if deal.status == "won" else "lost", happening.at)
    return None
