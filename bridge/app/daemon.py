"""The daemon: the composition root. It is long and straight on purpose: everything is made, joined and ended here."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from queue import Full

from bridge import telemetry
from bridge.app import logs
from bridge.app.banner import Started, banner
from bridge.app.capacity import Capacity, Room
from bridge.app.reloader import Reloader
from bridge.app.server import Servers
from bridge.app.settings import Settings, strange_variables
from bridge.component.client import Client
from bridge.component.outlet import STANDARD_OUTPUT
from bridge.control import api
from bridge.control.host import Host
from bridge.control.operations import Operations
from bridge.delivery.announcer import EventAnnouncer
from bridge.delivery.dispatcher import Dispatcher
from bridge.delivery.fleet import Fleet
from bridge.delivery.monitor import Growth, Monitor, Silences
from bridge.delivery.pruner import Pruner
from bridge.delivery.rescuer import Rescuer
from bridge.errors import BridgeError, StoreError
from bridge.ingest.handlers import Ingest
from bridge.ingest.secretbook import SecretBook
from bridge.model import Clock, JsonObject, SystemClock
from bridge.options import secrets_in
from bridge.ruleset import Ruleset
from bridge.store.sqlite import open_store

SWITCH_INTERVAL = 0.0005
"""Seconds a thread runs on while another waits: the store's writer wants a moment between two waits for the disk."""
LAST_WORDS = 1.0
"""Seconds that the end waits for the log to be read."""
CERTIFICATE_EVERY = 60.0
"""Seconds between looks at the certificate files."""


class Daemon:
    """One run of the daemon: everything it is made of, until it is told to stop."""

    def __init__(self, settings: Settings, environ: Mapping[str, str], clock: Clock) -> None:
        """Make what needs neither files nor sockets; ``environ`` is what rules may name."""
        self._settings = settings
        self._clock = clock
        self._secrets = SecretBook(settings.data)
        self._announcer = EventAnnouncer(clock, lambda: self._capacity.backlog)
        self.reloader = Reloader(settings.routes, environ, clock, self._adopt, self._announcer)

    async def run(self, stop: asyncio.Event, ready: Callable[[Started], None]) -> None:
        """Run until ``stop`` is set, then drain: answer and finish what has begun, and begin nothing.

        Raises:
            InvalidConfigurationError: the rules are broken, and there are no older ones to run on.
            StoreError: the data directory cannot be used.
            SettingsError: it cannot listen where it should.
        """
        self._started_at = self._clock.now()
        await self.reloader.load()
        async with AsyncExitStack() as stack:
            self._store = await open_store(self._settings.data, self._clock)
            stack.push_async_callback(self._store.close)
            http = await stack.enter_async_context(Client(self._clock))
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            self._fleet = Fleet(self._store, http, self._clock, tasks, self._announcer)
            await self._serve(stop, ready, tasks)

    async def _serve(self, stop: asyncio.Event, ready: Callable[[Started], None], tasks: asyncio.TaskGroup) -> None:
        self._rescuer = Rescuer(
            self._store, lambda: tuple(self.reloader.ruleset.targets), self._fleet.held, self._fleet.ring
        )
        room = Room(self._settings.backlog_limit, self._settings.store_limit, self._settings.disk_reserve)
        self._capacity = Capacity(self._store, self._settings.data, room, self._clock)
        pruner = Pruner(self._store, self._clock, self._settings.keep_events, self._settings.keep_bodies)
        monitor = Monitor(
            self._store,
            Growth(self._announcer, lambda: self._capacity.backlog, self._settings.backlog_alarm),
            Silences(self._store, self._clock, self._announcer, lambda: self.reloader.ruleset.sources),
        )
        await self._capacity.look()
        await self._announcer.start(self._store)
        self.reloader.start()
        await self._rescuer.step(everything=True)
        dispatcher = Dispatcher(
            self._store,
            lambda: self.reloader.ruleset,
            self._fleet.ring,
            self._clock,
            lambda: ingest.busy,
            self._announcer,
        )
        ingest = Ingest(
            sources=lambda: self.reloader.ruleset.sources,
            secrets=self._secrets,
            store=self._store,
            clock=self._clock,
            on_stored=dispatcher.bell.ring,
            no_room=lambda: self._capacity.shortage and self._capacity.shortage.limit,
            body_limit=self._settings.body_limit,
            body_timeout=self._settings.body_timeout,
        )
        async with Servers(self._settings, ingest.routes(), self._readiness) as servers:
            endless = [
                tasks.create_task(dispatcher.run(), name="dispatcher"),
                tasks.create_task(self._rescuer.run(), name="rescuer"),
                tasks.create_task(self.reloader.run(), name="reloader"),
                tasks.create_task(self._capacity.run(), name="capacity"),
                tasks.create_task(pruner.run(), name="pruner"),
                tasks.create_task(self._announcer.run(self._store, dispatcher.bell.ring), name="announcer"),
                tasks.create_task(monitor.run(), name="monitor"),
                tasks.create_task(_keep_certificate(servers), name="certificate"),
            ]
            await servers.start(lambda url: api.routes(Operations(self._store, self._host(url), self._clock)))
            gc.collect()
            gc.freeze()  # rules, templates and modules live on: looking through them again would stall webhooks
            telemetry.daemon_started(servers.url, self.reloader.ruleset.revision)
            ready(self._introduction(servers))
            await stop.wait()
            telemetry.daemon_stopping()
        for task in endless:
            task.cancel()
        await self._fleet.drain(self._settings.drain_seconds)
        with suppress(StoreError):  # what was not stored by now is in the log
            await self._announcer.step(self._store, early=True)
        telemetry.daemon_stopped()

    def _adopt(self, ruleset: Ruleset) -> None:
        """Put a ruleset into force, wherever something depends on it: first what can fail, then what cannot."""
        self._secrets.adopt(ruleset.sources)
        options = [source.options for source in ruleset.sources.values()]
        options += [target.options for target in ruleset.targets.values()]
        logs.keep_secret(*self._secrets.everything(), *secrets_in(options))
        self._fleet.adopt(ruleset.targets)
        self._rescuer.bell.ring()

    def _host(self, url: str) -> Host:
        return Host(
            current=lambda: self.reloader.ruleset,
            paths=self._secrets.paths,
            headers=self._secrets.headers,
            public_url=self._settings.public_url,
            local_url=url,
            reload=self.reloader.reload,
            problems=lambda: self.reloader.problems,
            no_room=lambda: self._capacity.shortage and self._capacity.shortage.reason,
            ring=self._fleet.ring,
            hold=self._fleet.hold,
            announce=self._announcer.target_held,
            started_at=self._started_at,
        )

    async def _readiness(self) -> tuple[bool, JsonObject]:
        """Tell what was seen at the last look: whoever asks, and however often, costs the store nothing."""
        backlog, rules, reason = self._capacity.backlog, self.reloader, self._capacity.unready
        facts: JsonObject = {
            "revision": rules.ruleset.revision,
            "rules_refused": bool(rules.problems),
            "events_waiting": backlog.events_received,
            "deliveries_waiting": backlog.deliveries_waiting,
            "deliveries_dead": backlog.deliveries_dead,
        }
        return reason is None, {"reason": reason, **facts} if reason else facts

    def _introduction(self, servers: Servers) -> Started:
        ruleset = self.reloader.ruleset
        return Started(
            url=servers.url,
            addresses={name: self._shown_address(name, servers) for name in ruleset.sources},
            rules=self._settings.routes,
            routes=len(ruleset.routes),
            data=self._settings.data,
        )

    def _shown_address(self, source: str, servers: Servers) -> str | None:
        """Return the address of a source, unless it holds a secret that the user chose."""
        if not (self._secrets.made(source) or self._secrets.headers(source)):
            return None
        base = self._settings.public_url or servers.url
        return base + self._secrets.paths(source)[0]


async def _keep_certificate(servers: Servers) -> None:
    while servers.certificate:
        await asyncio.sleep(CERTIFICATE_EVERY)
        servers.certificate.refresh()


def run(settings: Settings) -> int:
    """Run the daemon until SIGTERM or SIGINT; return the exit code.

    Raises:
        BridgeError: it could not start.
    """
    logs.configure(settings.log_level, settings.log_format)
    for sentence in strange_variables(os.environ, settings.routes):
        telemetry.strange_setting(sentence)
    sys.setswitchinterval(SWITCH_INTERVAL)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_run(settings))
    except* BridgeError as group:
        raise _first(group) from None
    finally:
        logs.finish(LAST_WORDS)
    return 0


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    daemon = Daemon(settings, os.environ, SystemClock())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, daemon.reloader.ask)
    await daemon.run(stop, _introduce)


def _introduce(started: Started) -> None:
    with suppress(Full):
        STANDARD_OUTPUT.put(f"{banner(started)}\n")


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's, where it is installed: about a tenth faster."""
    if sys.platform == "win32":
        return None
    try:
        import uvloop  # noqa: PLC0415 (optional)
    except ImportError:
        return None
    return uvloop.new_event_loop


def _first(group: BaseExceptionGroup[BridgeError]) -> BridgeError:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
